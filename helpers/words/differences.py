"""Differences between two of the paper's models, with what the published numbers allow for their error."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from helpers.paper.estimates import Estimate, bounds
from helpers.paper.lookup import contrast, index_rows, mean_contrast
from helpers.paper.names import SAME_PARADIGM, SHIFTED, SHIFTED_MEAN, TRANSFER_MEAN, VTAB
from helpers.paper.rows import detailed_rows
from helpers.rows import rows_frame, select
from helpers.stats import holm, p_of_interval

COVERS = {SHIFTED_MEAN: SHIFTED, TRANSFER_MEAN: VTAB}
WIDEST = "{}, widest possible"


def differences(section: str, pairs: Sequence[tuple[str, str]] = SAME_PARADIGM) -> pd.DataFrame:
    """First minus second model in every accuracy of the paper's figure, as result rows in points.

    The interval is the widest that the two accuracies allow on n shared images (sampling and rounding); which images
    each model got right is not published. Without n there is no interval. Raises BookError for an unknown section.

    >>> rows = differences("05_robustness").set_index(["model", "dataset"])
    >>> row = rows.loc[("convnext_sup - vit_sup", "imagenet_a")]
    >>> [round(float(row[name]), 1) for name in ("value", "ci_low", "ci_high")]
    [-7.1, -9.3, -4.9]
    """
    published = detailed_rows(section)
    published = published[(published.metric == "accuracy") & ~published.model.str.contains(" - ", regex=False)]
    index, numbers = index_rows(published), published.drop_duplicates(["dataset", "view", "group"])
    found = [_row(index, pair, number) for pair in pairs for number in numbers.to_dict("records")]
    return rows_frame(found)


def _row(index, pair: tuple[str, str], number: dict) -> dict:
    dataset, transform = number["dataset"], number["view"].partition(".")[2]
    if dataset in COVERS:
        estimate = mean_contrast(index, *pair, dataset, COVERS[dataset])
    else:
        estimate = contrast(index, *pair, dataset, "accuracy", number["group"], transform)
    kept = {name: number[name] for name in ("dataset", "view", "metric", "group", "n")}
    return {**kept, "model": " - ".join(pair), "unit": "points", **interval(estimate)}


def interval(estimate: Estimate) -> dict:
    """Value, ci_low, ci_high and resampled of an estimate; no interval where nothing is known of its error.

    >>> interval(Estimate(1.0, 1.0, 1.0, math.inf, math.inf, 0.0, 0.0, "points"))
    {'value': 1.0, 'ci_low': None, 'ci_high': None, 'resampled': 'none'}
    """
    low, high, *_ = bounds(estimate)
    if not (math.isfinite(low) and math.isfinite(high)):
        return {"value": estimate.value, "ci_low": None, "ci_high": None, "resampled": "none"}
    exact = estimate.least_down == estimate.se_down and estimate.least_up == estimate.se_up
    unit = " / ".join(dict.fromkeys((estimate.resampled or "image").split(" / ")))
    return {
        "value": estimate.value, "ci_low": low, "ci_high": high, "resampled": unit if exact else WIDEST.format(unit),
    }  # fmt: skip


def oriented(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Differences in points of every two consecutive models, first minus second, whichever way round they stand.

    >>> row = dict(model="vit_sup - convnext_sup", unit="points", value=-2.0, ci_low=-3.0, ci_high=-1.0)
    >>> found = oriented(pd.DataFrame([row]), ["convnext_sup", "vit_sup"]).iloc[0]
    >>> found.model, float(found.value), float(found.ci_low), float(found.ci_high)
    ('convnext_sup - vit_sup', 2.0, 1.0, 3.0)
    """
    parts = []
    for first, second in zip(models[::2], models[1::2], strict=False):
        mine = select(rows, model=f"{first} - {second}", unit="points")
        other = select(rows, model=f"{second} - {first}", unit="points")
        turned = {"value": -other.value, "ci_low": -other.ci_high, "ci_high": -other.ci_low}
        parts += [mine, other.assign(model=f"{first} - {second}", **turned)]
    return pd.concat(parts, ignore_index=True) if parts else rows.iloc[:0]


def resolved(rows: pd.DataFrame) -> pd.Series:
    """For each row whether its interval excludes zero (False without an interval).

    >>> rows = pd.DataFrame({"ci_low": [-1.0, 0.2, None], "ci_high": [1.0, 0.4, None]})
    >>> resolved(rows).tolist()
    [False, True, False]
    """
    return (rows.ci_low > 0) | (rows.ci_high < 0)


def corrected(rows: pd.DataFrame, alpha: float = 0.05) -> pd.Series:
    """For each row whether it differs from zero after Holm's correction over all of these rows.

    p-values are normal ones, from value and interval. A row without an interval counts among the rows and is never
    resolved. Source: Holm 1979.

    >>> rows = pd.DataFrame({"value": [1.0, 0.3, 0.3], "ci_low": [0.5, 0.02, None], "ci_high": [1.5, 0.6, None]})
    >>> resolved(rows).tolist(), corrected(rows).tolist()
    ([True, True, False], [True, False, False])
    """
    adjusted = holm(p_of_interval(rows.value, rows.ci_low, rows.ci_high))
    return pd.Series(adjusted < alpha, index=rows.index, dtype=bool)
