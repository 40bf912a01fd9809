"""The 2 x 2 as contrasts between the four checkpoints: architecture, paradigm, and their interaction, per property."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.paper.comparisons import drop_difference
from helpers.paper.estimates import Estimate, Z, bounds, combine, from_row
from helpers.paper.lookup import Index, contrast, find, mean_contrast
from helpers.paper.names import (
    CONVNEXT_CLIP,
    CONVNEXT_SUP,
    PAPER_MODELS,
    SHIFTED,
    SHIFTED_MEAN,
    TRANSFER_MEAN,
    VIT_CLIP,
    VIT_SUP,
    VTAB,
    title_of,
)
from helpers.rows import rows_frame
from helpers.stats import EFFECTS as SIGNS
from helpers.stats import PAIRS_2X2, wins

# (weight, first, second) of the contrasts "first minus second" that each effect is made of.
EFFECTS = {
    "architecture": ((0.5, VIT_SUP, CONVNEXT_SUP), (0.5, VIT_CLIP, CONVNEXT_CLIP)),
    "paradigm": ((0.5, CONVNEXT_CLIP, CONVNEXT_SUP), (0.5, VIT_CLIP, VIT_SUP)),
    "interaction": ((1.0, VIT_CLIP, CONVNEXT_CLIP), (-1.0, VIT_SUP, CONVNEXT_SUP)),
}
COVERS = {SHIFTED_MEAN: SHIFTED, TRANSFER_MEAN: VTAB}
WIDEST = "{}, widest possible"
LOSS, LOG_ODDS, FLAG = "accuracy_loss", "accuracy_log_odds", "accuracy_scale_dependent"


@dataclass(frozen=True)
class Property:
    """One thing that is compared: its title, and where it stands among result rows."""

    title: str
    dataset: str
    metric: str
    group: str = "overall"


PROPERTIES: tuple[Property, ...] = (
    *(Property(f"accuracy, {title_of(dataset)}", dataset, "accuracy") for dataset in ("imagenet1k_val", *SHIFTED)),
    Property("accuracy, mean of shifted sets", SHIFTED_MEAN, "accuracy", "mean_of_7"),
    Property("accuracy, mean of transfer tasks", TRANSFER_MEAN, "accuracy", "mean_of_19"),
    Property("accuracy, mean of PUG's factors", "pug_imagenet", "accuracy", "mean_of_10"),
    *(Property(f"accuracy lost, {name}", "imagenet1k_val", LOSS, name) for name in ("scale", "shift", "resolution")),
    Property("mean error ratio", "imagenet_x", "error_ratio", "mean_of_16"),
    Property("shape bias", "cue_conflict", "shape_bias"),
    *(
        Property(f"{name}, {title_of(dataset)}", dataset, metric)
        for metric, name in (("ece", "ECE"), ("signed_gap", "confidence − accuracy"))
        for dataset in ("imagenet1k_val", "imagenet_r")
    ),
)


def effect_rows(index: Index, view: str) -> pd.DataFrame:
    """Result rows of models "architecture", "paradigm", "interaction" for every property that the rows know.

    Architecture is ViT minus ConvNeXt, paradigm CLIP minus supervised, both means of two differences; the interaction
    is the architecture difference under CLIP minus that under supervision. Accuracies also in log-odds, with
    `accuracy_scale_dependent` 1 where the interaction has another sign there. `view` names where the numbers stand.
    Intervals are paired where the rows are, else the widest that the numbers allow.

    >>> from helpers.paper.lookup import index_rows
    >>> from helpers.paper.rows import detailed_rows
    >>> rows = effect_rows(index_rows(detailed_rows("03_shape_texture")), "printed.eval").set_index("model")
    >>> round(float(rows.value["paradigm"]), 3), rows.resampled["paradigm"]
    (0.09, 'none')
    """
    rows = []
    for each in PROPERTIES:
        found = {name: effect(index, each, name) for name in EFFECTS}
        rows += [_row(each, each.metric, name, part, view) for name, part in found.items() if part is not None]
        if each.metric == "accuracy" and each.dataset not in COVERS and None not in found.values():
            rows += _on_log_odds(index, each, found["interaction"], view)
    return rows_frame(rows)


def win_rows(index: Index, view: str) -> pd.DataFrame:
    """In how many of the transfer tasks each model is the best of the four, and the first of each pair is ahead.

    Tasks are fixed, so there is no interval. A tie is shared. No rows where a task is missing.

    >>> from helpers.paper.lookup import index_rows
    >>> from helpers.paper.rows import detailed_rows
    >>> rows = win_rows(index_rows(detailed_rows("06_transferability")), "printed.eval").set_index("model")
    >>> float(rows.value[list(PAPER_MODELS)].sum())
    19.0
    """
    rows = [[find(index, model, task, "accuracy") for task in VTAB] for model in PAPER_MODELS]
    if any(row is None for each in rows for row in each):
        return rows_frame([])
    values = np.array([[row["value"] for row in each] for each in rows])
    place = {model: i for i, model in enumerate(PAPER_MODELS)}
    found = dict(zip(PAPER_MODELS, wins(values), strict=True))
    for first, second in PAIRS_2X2:
        found[f"{first} - {second}"] = wins(values[[place[first], place[second]]])[0]
    base = {"dataset": TRANSFER_MEAN, "view": view, "metric": "wins", "group": f"of_{len(VTAB)}", "unit": "count",
            "n": len(VTAB), "resampled": "none"}  # fmt: skip
    return rows_frame([{**base, "model": model, "value": float(value)} for model, value in found.items()])


def effect(index: Index, which: Property, name: str) -> Estimate | None:
    """One effect of the 2x2 in one property: its own row if that has an interval, else made of two contrasts.

    None where a model of the 2x2 is not in the rows: an effect's own row does not say of which models it is.
    """
    parts = [
        (weight, difference(index, which.dataset, which.metric, which.group, first, second))
        for weight, first, second in EFFECTS[name]
    ]
    if any(part is None for _, part in parts):
        return None
    row = find(index, name, which.dataset, which.metric, which.group)
    return from_row(row) if row is not None and row.get("ci_low") is not None else combine(parts, same_images=True)


def difference(index: Index, dataset: str, metric: str, group: str, first: str, second: str) -> Estimate | None:
    """First minus second model in a property; None where rows are missing.

    A loss along a sweep (group: the transform) and a mean over data sets are put together from their parts.
    """
    if metric == LOSS:
        return drop_difference(index, first, second, group)
    if dataset in COVERS:
        return mean_contrast(index, first, second, dataset, COVERS[dataset])
    return contrast(index, first, second, dataset, metric, group)


def _on_log_odds(index: Index, which: Property, plain: Estimate, view: str) -> list[dict]:
    """The effects in log-odds, and the flag of an interaction whose sign is another one there."""
    rows = {model: find(index, model, which.dataset, "accuracy", which.group) for model in PAPER_MODELS}
    if None in rows.values() or not all(0 < row["value"] < 100 for row in rows.values()):
        return []
    parts = {model: _mapped(from_row(row), _logit) for model, row in rows.items()}
    found = []
    for name, signs in SIGNS.items():
        row = find(index, name, which.dataset, LOG_ODDS, which.group)
        own = row is not None and row.get("ci_low") is not None
        terms = [(sign, parts[model]) for sign, model in zip(signs, PAPER_MODELS, strict=True)]
        found.append((name, from_row(row) if own else combine(terms, same_images=True)))
    turned = float(dict(found)["interaction"].value * plain.value < 0)
    flag = {**_row(which, FLAG, "interaction", plain, view), "value": turned, "unit": "count", "resampled": "none"}
    return [*(_row(which, LOG_ODDS, name, part, view) for name, part in found),
            {**flag, "ci_low": None, "ci_high": None}]  # fmt: skip


def _mapped(part: Estimate, scale: Callable[[float], float]) -> Estimate:
    """An estimate on another, increasing scale: its value and the ends of its interval are mapped."""
    low, high, *_ = bounds(part)
    value = scale(part.value)
    ends = [value - scale(low), scale(high) - value] if math.isfinite(low) and math.isfinite(high) else [math.inf] * 2
    down, up = (end / Z for end in ends)
    return replace(part, value=value, low=value, high=value, se_down=down, se_up=up, least_down=0.0, least_up=0.0,
                   unit="log_odds")  # fmt: skip


def _logit(percent: float) -> float:
    share = min(max(percent / 100, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))


def _row(which: Property, metric: str, name: str, part: Estimate, view: str) -> dict:
    unit = "points" if part.unit == "percent" else part.unit
    base = {"model": name, "dataset": which.dataset, "view": view, "metric": metric, "group": which.group, "unit": unit}
    low, high, *_ = bounds(part)
    if not (math.isfinite(low) and math.isfinite(high)):
        return {**base, "value": part.value, "ci_low": None, "ci_high": None, "n": None, "resampled": "none"}
    exact = (part.least_down, part.least_up) == (part.se_down, part.se_up)
    unit = " / ".join(dict.fromkeys((part.resampled or "image").split(" / ")))
    return {**base, "value": part.value, "ci_low": low, "ci_high": high, "n": None,
            "resampled": unit if exact else WIDEST.format(unit)}  # fmt: skip
