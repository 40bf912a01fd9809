"""Section 9 in words: what can be said of the paper's CKA panels, which print no numbers, and what a run shows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.paper.values import cka_panels
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.numbers import ahead, shown

STAGES = (3, 3, 27, 3)  # blocks of ConvNeXt-B
BLOCKS = 12  # of ViT-B/16


def expected_layers() -> pd.DataFrame:
    """Layers of each kind by the architectures, and how they add up: columns model, panel, expected, because.

    ConvNeXt-B: a stem, three downsampling layers and 3 + 3 + 27 + 3 blocks, each with one depthwise convolution, one
    norm and two linear layers. ViT-B/16: 12 blocks with two norms and two linear layers outside attention. "all" has no
    closed form: it depends on which modules count as layers.

    >>> expected_layers().set_index(["model", "panel"]).expected["convnext_sup", "linear"].item()
    73
    """
    blocks = sum(STAGES)
    convnext = {
        "conv": (1 + len(STAGES) - 1 + blocks, f"1 stem + 3 downsampling + {blocks} blocks"),
        "linear": (2 * blocks + 1, f"2 x {blocks} blocks + 1 head or projection"),
        "norm": (1 + len(STAGES) - 1 + blocks + 1, f"1 stem + 3 downsampling + {blocks} blocks + 1 final"),
    }
    attention = {"attention": (BLOCKS, f"{BLOCKS} blocks")}
    vit_sup = attention | {
        "linear": (2 * BLOCKS + 1, f"2 x {BLOCKS} outside attention + 1 head"),
        "norm": (2 * BLOCKS + 1, f"2 x {BLOCKS} + 1 final"),
    }
    vit_clip = attention | {
        "linear": (2 * BLOCKS, f"2 x {BLOCKS} outside attention; the projection is no layer"),
        "norm": (2 * BLOCKS + 2, f"1 before the blocks + 2 x {BLOCKS} + 1 final"),
    }
    kinds = {"convnext_sup": convnext, "convnext_clip": convnext, "vit_sup": vit_sup, "vit_clip": vit_clip}
    rows = [(model, panel, *found) for model, panels in kinds.items() for panel, found in panels.items()]
    return pd.DataFrame(rows, columns=["model", "panel", "expected", "because"])


def layers(rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Layer counts of the paper's sixteen panels beside those of the architectures, and of the networks in `rows`.

    >>> layers()["equal"].value_counts().to_dict()
    {'yes': 12, '–': 4}
    """
    found = cka_panels().merge(expected_layers(), on=["model", "panel"], how="left")
    equal = (found.n_layers - found.expected).abs() <= found.precision
    counts = zip(found.n_layers, found.precision, strict=True)
    reading = [f"{n:.0f} ± {half:.0f}" if half else f"{n:.0f}" for n, half in counts]
    table = pd.DataFrame(
        {
            "model": found.model.map(label), "panel": found.panel, "layers in the figure": reading,
            "by the architecture": [f"{n:.0f}" if n == n else "–" for n in found.expected.astype(float)],
            "equal": equal.map({True: "yes", False: "no"}).where(found.expected.notna(), "–"),
        }
    )  # fmt: skip
    if rows is not None and len(rows):
        seen = select(rows, metric="layers").set_index(["model", "group"]).value
        places = zip(found.model, found.panel, strict=True)
        table["in this run"] = [f"{seen[place]:.0f}" if place in seen.index else "not run" for place in places]
    return table.assign(**{"how they add up": found.because.fillna("depends on which modules count")})


def looks() -> pd.DataFrame:
    """What each panel looks like, in words: colours run from 0 (dark) to 1 (bright), layers from the lower left.

    >>> len(looks())
    16
    """
    found = cka_panels()
    return pd.DataFrame({"model": found.model.map(label), "panel": found.panel, "what it looks like": found.look})


def answer(rows: pd.DataFrame | None = None, models: Sequence[str] = (), source: str = "") -> str:
    """The section's answer as Markdown: what can be checked in panels without numbers, and what a run shows."""
    table = layers()
    known = table[table.equal != "–"]
    whole = table[table.panel == "all"].set_index("model")["layers in the figure"].to_dict()
    sizes = "; ".join(f"{model} {count}" for model, count in whole.items())
    run = "" if rows is None else f"\n\n{this_run(rows, models, source)}"
    return (
        f"**Answer, from the paper's figures.** The figures print no values, so nothing about similarity can be "
        f"verified from them. Their sizes can: {int(known.equal.eq('yes').sum())} of {len(known)} panels of one kind "
        f"of layer have as many layers as the architecture. The panels of all layers do not compare between models, "
        f"because what counts as a layer differs between libraries ({sizes}).{run}"
    )


def pair(name: str) -> str:
    """What people read for a model or for "a ~ b".

    >>> pair("vit_sup ~ vit_clip")
    'ViT-sup with ViT-CLIP'
    """
    return " with ".join(label(part) for part in name.split(" ~ "))


def parts(rows: pd.DataFrame, models: Sequence[str], panel: str = "all") -> pd.DataFrame:
    """Mean CKA within and between early, middle and late layers of a panel, a line a model, with intervals."""
    groups = ("early ~ early", "early ~ middle", "early ~ late", "middle ~ middle", "middle ~ late", "late ~ late")
    return _by_group(rows, models, {each.replace("~", "with"): f"{panel}: {each}" for each in groups})


def early_late(rows: pd.DataFrame, models: Sequence[str], panels: Sequence[str]) -> pd.DataFrame:
    """Mean CKA of early with late layers in each panel, a line a model."""
    return _by_group(rows, models, {panel: f"{panel}: early ~ late" for panel in panels})


def same_depth(
    rows: pd.DataFrame, panels: Sequence[str] = ("all", "conv", "attention", "linear", "norm")
) -> pd.DataFrame:
    """Mean CKA of layers at the same depth of every two models, a line a pair."""
    pairs = [name for name in dict.fromkeys(rows.model) if " ~ " in name and name.count(" ~ ") == 1]
    return _by_group(rows, pairs, {panel: f"{panel}: same depth" for panel in panels})


def _by_group(rows: pd.DataFrame, names: Sequence[str], groups: dict[str, str]) -> pd.DataFrame:
    lines = {}
    for name in names:
        found = {title: select(rows, model=name, metric="cka", group=group) for title, group in groups.items()}
        lines[pair(name)] = {
            title: shown(part.iloc[0].to_dict()) if len(part) else "–" for title, part in found.items()
        }
    return pd.DataFrame.from_dict(lines, orient="index", columns=list(groups))


def differences(rows: pd.DataFrame, panel: str = "all") -> str:
    """Sentences for the contrasts "a - b" in how alike early and late layers are, as a Markdown list."""
    found = select(rows, metric="cka", group=f"{panel}: early ~ late")
    found = found[found.model.str.contains(" - ", regex=False)]
    what = "CKA of early with late layers"
    return "\n".join(f"- {ahead(row, what)}" for row in found.to_dict("records"))


def this_run(rows: pd.DataFrame, models: Sequence[str], source: str) -> str:
    """What a run of `source` (a profile) shows, in a sentence; or that there is none, and the command for one."""
    found = select(rows, metric="cka", group="all: early ~ late", model=list(models))
    if found.empty:
        return (
            "**Not run on the paper's models.** No matrix of theirs is drawn here before one has been computed: a "
            "picture made from a description would look like a result. They are computed by "
            "`python -m helpers run --profile paper --only 09`, on a machine with a GPU and with access to ImageNet."
        )
    said = "; ".join(f"{label(row['model'])} {shown(row)}" for row in found.to_dict("records"))
    return (
        f"**Mean CKA of the first third of all layers with the last third** ({source}, "
        f"{int(found.n.iloc[0]):,} images): {said}. Intervals: jackknife over batches; they speak of other images, for "
        "these same networks."
    )


def not_computed(reason: str | None = None) -> str:
    """Why there are no matrices of this run, as Markdown. `reason`: that of the run where it computed none.

    >>> not_computed("vit_sup: at least 8 images, found 5")
    'Not computed in this run. Why: vit_sup: at least 8 images, found 5.'
    """
    return "Not computed in this run." + (f" Why: {reason.rstrip('.')}." if reason else "")
