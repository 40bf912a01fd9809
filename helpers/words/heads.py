"""Head or representation? in words: what of CLIP's behaviour goes with its text head."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers import results
from helpers.metrics.factors import imagenet_x_factors
from helpers.plots.style import label
from helpers.predict import Embedded
from helpers.rows import select
from helpers.stats.rows_heads import FITTED, LEARNED, LINEAR, LINEAR_FITTED, OWN
from helpers.words.numbers import shown
from helpers.words.titles import name_of

SHOWN = (OWN, FITTED, LEARNED, LINEAR, LINEAR_FITTED)
DRAWN_HEADS = (OWN, FITTED, LINEAR, LINEAR_FITTED)
WHAT = {
    "accuracy": "accuracy", "ece": "ECE", "signed_gap": "confidence minus accuracy", "shape_bias": "shape bias",
    "error_ratio": "mean error ratio", "kappa": "kappa of their errors",
}  # fmt: skip
NOT_HERE = (
    "**Not run.** This needs the embeddings that a run of the models leaves in the store; published answers hold none. "
    "It is run by `python -m helpers run --profile paper`."
)
HOW = (
    "A new linear head (a shrunk linear discriminant, closed form, no setting to choose) is fitted on half of the "
    "validation images of every class and judged on images that neither it nor a temperature has seen."
)
NO_LINEAR = (
    "**New linear heads: not run**: fewer than three images of a class among the validation images read here; half of "
    "a class must hold two. Temperatures are fitted on half of the images and judged on the other."
)


def answer(rows: pd.DataFrame) -> str:
    """For each architecture: CLIP minus supervised under their own heads, and under new linear heads, as Markdown."""
    if rows.empty:
        return NOT_HERE
    lines, base, linear = [], rows.dataset.iloc[0], LINEAR in set(rows.group)
    for pair in dict.fromkeys(name for name in rows.model if " - " in name or " ~ " in name):
        for metric, what in WHAT.items():
            mine = select(rows, model=pair, metric=metric)
            mine = mine[mine.dataset.isin([base]) | (mine.metric == "shape_bias")].set_index("group")
            if not {OWN, *([LINEAR] if linear else [])} <= set(mine.index):
                continue
            said = f"- {_name(pair)}, {what}: {shown(mine.loc[OWN], signed=True)} with their own heads"
            turn = f", {shown(mine.loc[LINEAR], signed=True)} with new linear heads{_turn(mine)}" if linear else ""
            lines.append(f"{said}{turn}.")
    return f"{HOW if linear else NO_LINEAR}\n\n" + "\n".join(lines)


def _name(pair: str) -> str:
    return " and ".join(label(part) for part in pair.split(" ~ ")) if " ~ " in pair else label(pair)


def _turn(mine: pd.DataFrame) -> str:
    """What happens to a resolved difference."""
    own, new = mine.loc[OWN], mine.loc[LINEAR]
    if " ~ " in own["model"] or pd.isna(own.ci_low):
        return ""
    resolved = [row.ci_low > 0 or row.ci_high < 0 for row in (own, new)]
    if not resolved[0]:
        return " (not resolved to begin with)"
    if not resolved[1]:
        return " (no longer resolved)"
    return " (the sign turns)" if own.value * new.value < 0 else " (it stays)"


def by_head(rows: pd.DataFrame, metric: str = "ece") -> pd.DataFrame:
    """One line per model and data set, one column per head or prompt set: a metric with its interval."""
    mine = rows[(rows.metric == metric) & ~rows.model.str.contains("[-~]", regex=True)]
    heads = [head for head in SHOWN if (mine.group == head).any()]
    heads += [head for head in dict.fromkeys(mine.group) if head not in heads]
    lines = {}
    for (dataset, model), part in mine.groupby(["dataset", "model"], sort=False):
        found = part.set_index("group")
        cells = {head: shown(found.loc[head]) if head in found.index else "–" for head in heads}
        lines[f"{label(model)}, {name_of(dataset)}"] = cells
    return pd.DataFrame.from_dict(lines, orient="index", columns=heads)


def temperatures(rows: pd.DataFrame) -> str:
    """The fitted temperatures beside those that the learned scale amounts to, as one sentence."""
    mine = rows[rows.metric == "temperature"]
    parts = []
    for model, part in mine.groupby("model", sort=False):
        found = part.set_index("group").value
        said = f"{label(model)} {found[OWN]:.2f}"
        parts.append(
            said + (f" (its learned scale is a temperature of {found[LEARNED]:.2f})" if LEARNED in found else "")
        )
    return f"Temperatures fitted on one half, 1 being the logits as they are used: {', '.join(parts)}." if parts else ""


def recalibration() -> str:
    """What is possible for released top-1 answers: a monotone recalibration, from the record of section 4."""
    record = results.newest("04_calibration", "released")
    rows = results.empty_rows() if record is None else record.rows
    after = select(rows, metric="ece_after_isotonic", group="overall")
    if after.empty:
        return "No released answers with confidences are recorded here."
    parts = []
    for row in after.to_dict("records"):
        before = select(rows, model=row["model"], metric="ece", group="overall", dataset=row["dataset"])
        parts.append(f"{label(row['model'])} from {shown(before.iloc[0])} to {shown(row)}")
    return (
        "For released top-1 answers only a monotone recalibration is possible. It takes the ECE of the four observers "
        f"of ImageNet-X, who are not the paper's four, {'; '.join(parts)}."
    )


def factors(val: Mapping[str, Embedded]) -> pd.Series | None:
    """Top factor by image_id: of ImageNet-X for ImageNet's images, of the drawings for theirs; None where unknown."""
    if not val:
        return None
    example = next(iter(val.values()))
    if example.dataset.startswith("demo_"):
        return example.frame.set_index("image_id")["group"]
    return imagenet_x_factors() if example.dataset == "imagenet1k_val" else None


def for_figure(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one data set a metric: the validation images, and cue-conflict for the shape bias."""
    return rows[(rows.dataset == rows.dataset.iloc[0]) | (rows.metric == "shape_bias")]
