"""The audit page: every table and number of it, made from the reference values and the released decisions."""

from __future__ import annotations

import pandas as pd

from helpers import paper
from helpers.paper.names import PAPER_MODELS
from helpers.plots.style import label
from helpers.words import disagreement, invariance, robustness, similarity, synthetic, transferability
from helpers.words.tables import table
from helpers.words.titles import FACTORS, name_of

YES = {True: "yes", False: "no"}


def accuracy() -> str:
    """Validation accuracy in the table of models against the other figures."""
    found = paper.table_against_figures()
    apart = [label(row.model) for row in found.itertuples() if not row.agrees]
    others = paper.values("04_calibration")
    others = others[(others.dataset == "imagenet1k_val") & (others.metric == "accuracy")].set_index("model").value
    shown = pd.DataFrame(
        {
            "model": found.model.map(label), "table (%)": found.table, "robustness (%)": found.figure,
            "calibration (%)": found.model.map(others), "difference (points)": found.difference,
            "in images": found.images.map("{:+,.0f}".format), "equal": found.agrees.map(YES),
        }
    )  # fmt: skip
    same = (found.figure - found.model.map(others)).abs().lt(0.05).all()
    said = (
        f"The table and the figures differ for {' and '.join(apart) or 'no model'}; the figures "
        f"{'agree' if same else 'do not agree'} with each other. Later pages use the figures' values."
    )
    return f"{said}\n\n{_html(shown, 1)}"


def bases() -> str:
    """Starts of the invariance sweeps against the printed validation accuracy."""
    return f"{invariance.bases_sentence()}\n\n{table(invariance.bases(), 2).data}"


def averages() -> str:
    """Every average recomputed, and over other choices of parts."""
    found = paper.averages()
    own = found[found.as_printed]
    said = (
        f"{int(own.agrees.sum())} of {len(own)} printed averages equal the plain mean of their parts within rounding "
        "and reading. What they cover is a choice, and other choices give other values:"
    )
    lines = found.assign(text=[f"{row.value:.2f}" for row in found.itertuples()])
    printed = own.assign(reading="as printed", text=[f"{row.printed:.2f}" for row in own.itertuples()])
    lines = pd.concat([printed, lines]).assign(name=lambda part: part.model.map(label))
    order = {section: at for at, section in enumerate(found.section.drop_duplicates())}
    lines = lines.sort_values("section", key=lambda part: part.map(order), kind="stable")
    lines = lines.assign(mean=lines.section.map(paper.SECTIONS) + ": " + lines.reading)
    shown = lines.pivot(index="mean", columns="name", values="text").loc[list(dict.fromkeys(lines["mean"]))]
    shown = shown[[label(model) for model in PAPER_MODELS]].rename_axis(index=None, columns=None)
    return f"{said} (Ratios for model mistakes, otherwise percent.)\n\n{table(shown).data}"


def shape_bias() -> str:
    """The shape-bias figure against the released decisions."""
    columns = {"ci_low": "95 % from", "ci_high": "to", "figure": "paper's figure", "released": "released decisions"}
    shown = disagreement.shape_texture_table().rename(columns=columns)
    return f"{disagreement.shape_texture_disagreement()}\n\n{_html(shown, 3)}"


def bars() -> str:
    """Bars of the same height in two places."""
    found = paper.equal_bars()
    shown = pd.DataFrame(
        {
            "section": found.section.map(paper.SECTIONS), "first bar": found.first_bar.map(_bar),
            "second bar": found.second_bar.map(_bar), "first": found["first"], "second": found.second,
            "precision of reading": found.precision, "equal": found.equal.map(YES),
        }
    )  # fmt: skip
    return f"{synthetic.remarks()}\n\n{_html(shown, 2)}"


def light() -> str:
    """PUG's scene light against chance."""
    found = paper.scene_light()
    needed = found.n_to_tell.map(lambda n: "–" if n != n else f"{n:,.0f}")
    shown = pd.DataFrame(
        {
            "model": found.model.map(label), "scene light (%)": found.value, "chance, 1/151 (%)": found.chance,
            "chance within the precision": found.near_chance.map(YES), "images needed to tell from chance": needed,
        }
    )  # fmt: skip
    return _html(shown, 2)


def calibration() -> str:
    """The calibration panels against their own bins."""
    found = paper.calibration_panels()
    inside = int(((found.ece_low <= found.ece) & (found.ece <= found.ece_high)).sum())
    unsettled = found[found.direction == "open"]
    names = ", ".join(f"{label(row.model)} on {name_of(row.dataset)}" for row in unsettled.itertuples())
    said = (
        f"In {inside} of {len(found)} panels the printed ECE lies within what the drawn bins allow. The bars are "
        "drawn against the middle of each bin, the printed ECE uses the mean confidence in it, which is not shown; "
        f"therefore the panels leave it open whether the model is over- or under-confident for {names or 'none'}."
    )
    shown = pd.DataFrame(
        {
            "model": found.model.map(label), "data set": found.dataset.map(name_of),
            "accuracy (%)": found.accuracy.map("{:.1f}".format),
            "from the bins (%)": found.accuracy_from_bins.map("{:.2f}".format), "ECE": found.ece,
            "ECE by bin middles": found.ece_from_midpoints,
            "ECE at least": found.ece_low, "at most": found.ece_high, "gap at least": found.gap_low,
            "gap at most": found.gap_high, "direction": found.direction,
        }
    )  # fmt: skip
    return f"{said}\n\n{_html(shown, 3)}"


def ranges() -> str:
    """Two transfer tasks against plausible ranges."""
    return f"{transferability.remark_sentence()}\n\n{_html(transferability.remarks(), 1)}"


def others() -> str:
    """The paper beside timm and OpenCLIP, row by row."""
    return f"{robustness.agreement()}\n\n{_html(robustness.beside_others(), 2)}"


def probes() -> str:
    """ViT-CLIP's transfer tasks beside CLIP_benchmark's probes."""
    found = transferability.probes_of_others()
    far = found.loc[found.difference.abs().idxmax()]
    said = (
        f"CLIP_benchmark publishes linear probes of a neighbouring checkpoint of ViT-CLIP (the next epoch). The "
        f"median distance over {len(found)} tasks is {found.difference.abs().median():.1f} points; the largest is "
        f"{far.difference:+.1f} on {far.task}."
    )
    return f"{said}\n\n{_html(found, 2)}"


def layers() -> str:
    """Layer counts of the CKA panels against the architectures."""
    return f"{similarity.answer()}\n\n{_html(similarity.layers(), 0)}"


def code() -> str:
    """What of the released code does not run as published, or decides a number."""
    found = paper.released_code()
    checked = found.checked.map({"run": "by running it", "read": "by reading it"})
    shown = found[["topic", "fact", "consequence"]].assign(where=found.source + ", " + found.place, checked=checked)
    return _html(shown, 2)


def _html(frame: pd.DataFrame, digits: int) -> str:
    return table(frame, digits, index=False).data


def _bar(name: str) -> str:
    """A model and its factor, in words."""
    model = next(key for key in PAPER_MODELS if name.startswith(key))
    factor = name.removeprefix(model).strip()
    return f"{label(model)}, {FACTORS.get(factor, factor.replace('_', ' '))}"
