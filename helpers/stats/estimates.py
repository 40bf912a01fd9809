"""Estimates with their resamples, and the result rows made from them (the one place where rows are written)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from helpers.rows import empty_rows, rows_frame
from helpers.stats.contrasts import (
    factorial_effects,
    four_of,
    interaction_depends_on_scale,
    log_odds,
    pairs_among,
)
from helpers.stats.intervals import few_units_factor, newcombe_paired_interval, percentile_interval

FEW_DISCORDANT = 10  # images on which two models differ: of fewer, percentiles of resamples are no interval
NO_WIDTH = 1e-12
FACTOR = {"percent": 100.0, "points": 100.0}
DIFFERENCE_UNIT = {"percent": "points"}


@dataclass(frozen=True)
class Estimates:
    """One metric of several models in several groups, with paired resamples.

    values: (models, groups); samples: (resamples, models, groups); n: what `values` count, (models, groups);
    n_paired: images behind a comparison, (groups,). Shares are fractions here; `unit` is that of the rows.
    units: where whole clusters are resampled, how many of them there are, a number or (groups,). alone: where plain
    images are resampled and values are accuracies, the images that the first model got right and the second did not,
    (groups, models, models).
    """

    metric: str
    unit: str
    dataset: str
    view: str
    resampled: str
    models: tuple[str, ...]
    groups: tuple[str | None, ...]
    values: np.ndarray
    samples: np.ndarray
    n: np.ndarray
    n_paired: np.ndarray
    units: np.ndarray | int | None = None
    alone: np.ndarray | None = None


def value_rows(estimates: Estimates, interval: Callable | None = None) -> list[dict]:
    """One row per model and group; `interval(values, samples) -> (low, high)`, by default that of `resampled_interval`.

    Raises nothing: where a value or its interval is undefined the row says None.
    """
    low, high = (interval or partial(resampled_interval, estimates))(estimates.values, estimates.samples)
    return [
        _row(estimates, model, group, estimates.values[i, j], low[i, j], high[i, j], estimates.n[i, j])
        for i, model in enumerate(estimates.models)
        for j, group in enumerate(estimates.groups)
    ]


def pair_rows(
    estimates: Estimates, pairs: Sequence[tuple[str, str]] | None = None, interval: Callable | None = None
) -> list[dict]:
    """Paired contrast rows "A - B" of every group, in points where the metric is in percent.

    Intervals are those of `resampled_interval`. Where `alone` tells that the two models differ on fewer than 10 images,
    resamples of so few say little about new images: the difference of two accuracies then has Newcombe's paired
    interval, and that in log-odds has none.
    """
    place = {model: i for i, model in enumerate(estimates.models)}
    chosen = pairs_among(place, pairs)
    if not chosen:
        return []
    first, second = ([place[pair[k]] for pair in chosen] for k in (0, 1))
    difference = _as_difference(
        estimates,
        tuple(f"{a} - {b}" for a, b in chosen),
        estimates.values[first] - estimates.values[second],
        estimates.samples[:, first] - estimates.samples[:, second],
    )
    low, high = resampled_interval(difference, difference.values, difference.samples, interval)
    if estimates.alone is not None:
        _correct_few(estimates, first, second, low, high)
    return value_rows(difference, lambda *_: (low, high))


def factorial_rows(estimates: Estimates, interval: Callable | None = None) -> list[dict]:
    """Rows of models "architecture", "paradigm" and "interaction" where the four of a 2x2 are there (`four_of`)."""
    four = four_of(estimates.models)
    if four is None:
        return []
    order = [estimates.models.index(model) for model in four]
    values = factorial_effects(estimates.values[order])
    samples = factorial_effects(np.moveaxis(estimates.samples[:, order], 1, 0))
    effects = _as_difference(
        estimates, tuple(values), np.stack(list(values.values())), np.stack(list(samples.values()), axis=1)
    )
    return value_rows(effects, partial(resampled_interval, effects, interval=interval))


def resampled_interval(
    estimates: Estimates, values: np.ndarray, samples: np.ndarray, interval: Callable | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Low and high, each (models, groups): percentiles of the resamples, or `interval(values, samples)`.

    Of fewer than 30 clusters (`units`) percentiles cover too rarely: their distances from the value are multiplied by
    `few_units_factor`; a percentage is not carried beyond 0 or 100 by that. Averages over tasks have no `units`, and
    crossed resamples are wide enough without. NaN where the resamples do not vary: that nothing differed among these
    images does not make it certain for new ones.
    """
    low, high = (np.array(end) for end in (interval(values, samples) if interval else percentile_interval(samples)))
    unknown = ~(high - low > NO_WIDTH)
    if interval is None and estimates.units is not None:
        factor = np.where(unknown, 1.0, few_units_factor(estimates.units))
        least, most = (np.minimum(low, 0), np.maximum(high, 1)) if estimates.unit == "percent" else (-np.inf, np.inf)
        low = np.maximum(values - factor * (values - low), least)
        high = np.minimum(values + factor * (high - values), most)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def in_log_odds(estimates: Estimates) -> Estimates:
    """The same shares as log-odds: metric `<metric>_log_odds`, unit log_odds."""
    return replace(
        estimates, metric=f"{estimates.metric}_log_odds", unit="log_odds",
        values=log_odds(estimates.values), samples=log_odds(estimates.samples),
    )  # fmt: skip


def share_contrast_rows(
    estimates: Estimates, pairs: Sequence[tuple[str, str]] | None = None, group: str = "overall"
) -> list[dict]:
    """Contrasts of shares on both scales, in points and in log-odds: pairs, and for one group the 2x2."""
    rows = []
    for scaled in (estimates, in_log_odds(estimates)):
        rows += pair_rows(scaled, pairs)
        rows += factorial_rows(one_group(scaled, group))
    return rows


def scale_flag_rows(estimates: Estimates, group: str = "overall") -> list[dict]:
    """Does the sign of the 2x2's interaction change from points to log-odds: `<metric>_scale_dependent`, 1 or 0.

    One row of model "interaction", unit count, or none where a model of the 2x2 or a log-odds is missing.
    """
    one, four = one_group(estimates, group), four_of(estimates.models)
    if four is None or not one.groups:
        return []
    shares = one.values[[one.models.index(model) for model in four], 0]
    if np.isnan(log_odds(shares)).any():
        return []
    flag = replace(one, metric=f"{one.metric}_scale_dependent", unit="count", resampled="none")
    value = float(interaction_depends_on_scale(shares))
    return [_row(flag, "interaction", group, value, None, None, one.n_paired[0])]


def one_group(estimates: Estimates, group: str) -> Estimates:
    """The estimates of one group only (none of them where the group is not there)."""
    keep = [j for j, name in enumerate(estimates.groups) if name == group]
    return replace(
        estimates, groups=tuple(estimates.groups[j] for j in keep), values=estimates.values[:, keep],
        samples=estimates.samples[:, :, keep], n=estimates.n[:, keep], n_paired=estimates.n_paired[keep],
        units=estimates.units if np.ndim(estimates.units) == 0 else estimates.units[keep],
        alone=None if estimates.alone is None else estimates.alone[keep],
    )  # fmt: skip


def finished(rows: list[dict]) -> pd.DataFrame:
    """Validated frame of result rows; no rows give an empty frame with the right columns.

    >>> len(finished([])), "ci_low" in finished([]).columns
    (0, True)
    """
    return rows_frame(rows) if rows else empty_rows()


def _as_difference(estimates: Estimates, names: tuple, values: np.ndarray, samples: np.ndarray) -> Estimates:
    return replace(
        estimates, unit=DIFFERENCE_UNIT.get(estimates.unit, estimates.unit), models=names, values=values,
        samples=samples, n=np.broadcast_to(estimates.n_paired, values.shape),
    )  # fmt: skip


def _correct_few(estimates: Estimates, first: list[int], second: list[int], low: np.ndarray, high: np.ndarray) -> None:
    """Write the intervals of pairs that differ on few images into low and high, each (pairs, groups)."""
    ours, theirs = (estimates.alone[:, a, b].T for a, b in ((first, second), (second, first)))
    low[ours + theirs < FEW_DISCORDANT] = high[ours + theirs < FEW_DISCORDANT] = np.nan
    if estimates.unit != "percent":
        return
    for i, j in zip(*np.nonzero((ours + theirs < FEW_DISCORDANT) & (estimates.n_paired > 0)), strict=True):
        n, only_1, only_2 = estimates.n_paired[j], ours[i, j], theirs[i, j]
        both = round(estimates.values[first[i], j] * n) - only_1
        low[i, j], high[i, j] = newcombe_paired_interval(both, only_1, only_2, n - both - only_1 - only_2)


def _row(estimates: Estimates, model: str, group: str | None, value, low, high, n) -> dict:
    factor = FACTOR.get(estimates.unit, 1.0)
    value, low, high = (_number(part, factor) for part in (value, low, high))
    if value is None or low is None or high is None:
        low = high = None
    return {
        "model": model, "dataset": estimates.dataset, "view": estimates.view, "metric": estimates.metric,
        "group": group, "value": value, "ci_low": low, "ci_high": high, "n": None if n is None else int(n),
        "unit": estimates.unit, "resampled": estimates.resampled,
    }  # fmt: skip


def _number(value, factor: float) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value * factor)
