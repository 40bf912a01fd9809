"""Section 9 in words: what can be said of the paper's CKA panels, which print no numbers."""

from __future__ import annotations

import pandas as pd

from helpers.paper.values import cka_panels
from helpers.plots.style import label

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


def layers() -> pd.DataFrame:
    """Layer counts of the paper's sixteen panels beside those of the architectures.

    >>> layers()["equal"].value_counts().to_dict()
    {'yes': 12, '–': 4}
    """
    found = cka_panels().merge(expected_layers(), on=["model", "panel"], how="left")
    equal = (found.n_layers - found.expected).abs() <= found.precision
    counts = zip(found.n_layers, found.precision, strict=True)
    reading = [f"{n:.0f} ± {half:.0f}" if half else f"{n:.0f}" for n, half in counts]
    return pd.DataFrame(
        {
            "model": found.model.map(label), "panel": found.panel, "layers in the figure": reading,
            "by the architecture": [f"{n:.0f}" if n == n else "–" for n in found.expected.astype(float)],
            "equal": equal.map({True: "yes", False: "no"}).where(found.expected.notna(), "–"),
            "how they add up": found.because.fillna("depends on which modules count"),
        }
    )  # fmt: skip


def looks() -> pd.DataFrame:
    """What each panel looks like, in words: colours run from 0 (dark) to 1 (bright), layers from the lower left.

    >>> len(looks())
    16
    """
    found = cka_panels()
    return pd.DataFrame({"model": found.model.map(label), "panel": found.panel, "what it looks like": found.look})


def answer() -> str:
    """The section's answer as Markdown: what can be checked in panels without numbers."""
    table = layers()
    known = table[table.equal != "–"]
    whole = table[table.panel == "all"].set_index("model")["layers in the figure"].to_dict()
    shown = "; ".join(f"{model} {count}" for model, count in whole.items())
    return (
        f"**Answer, from the paper's figures.** The figures print no values, so nothing about similarity can be "
        f"verified from them. Their sizes can: {int(known.equal.eq('yes').sum())} of {len(known)} panels of one kind "
        f"of layer have as many layers as the architecture. The panels of all layers do not compare between models, "
        f"because what counts as a layer differs between libraries ({shown})."
    )
