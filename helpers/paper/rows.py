"""The paper's numbers as result rows, with the sampling error that they have themselves.

Shares get Wilson intervals from their n; bars of ImageNet-X are decoded to counts first; ECE and signed gap are
simulated from the 15 bins; averages combine the sets they cover. These intervals take every image as drawn on its own.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from helpers.paper.decode import SUBSET, decoded_bars, overall_error
from helpers.paper.names import PAPER_MODELS, SHARED_IMAGES
from helpers.paper.panels import PANELS, ece_samples, gap_bounds, gap_from_midpoints, gap_standard_error, read_panel
from helpers.paper.values import values
from helpers.rows import COLUMNS, rows_frame
from helpers.stats import wilson_interval

ROW_COLUMNS = COLUMNS
KEY = ("model", "dataset", "view", "metric", "group", "unit")
SHARES = ("accuracy", "shape_bias", "bin_share", "bin_accuracy")
SCALE = {"percent": 100.0, "fraction": 1.0}
PEOPLE = "humans"  # ten people on the same images: their trials are not separate images
Z = NormalDist().inv_cdf(0.975)


def as_rows(section: str | None = None, rng: np.random.Generator | None = None) -> pd.DataFrame:
    """The paper's values as a frame of result rows, with 95 % intervals where n is known (None elsewhere).

    These are sampling intervals, `resampled` "image" ("source image" where several views share one); the precision of
    reading is a column of `values`. Where one number stands twice, the one read more finely is given. `rng` draws for
    the interval of the ECE (default: seed 0). Raises BookError for an unknown section.

    >>> rows = as_rows("05_robustness").set_index(["model", "dataset"])
    >>> row = rows.loc[("vit_sup", "imagenet_a")]
    >>> [round(float(row[name]), 1) for name in ("value", "ci_low", "ci_high")], row.n
    ([60.0, 58.9, 61.1], 7500)
    """
    return rows_frame(detailed_rows(section, rng)[list(COLUMNS)])


def detailed_rows(section: str | None = None, rng: np.random.Generator | None = None) -> pd.DataFrame:
    """As `as_rows`, with what verdicts need besides: low, high, n_least, kind, source_figure.

    `low` and `high` enclose the unrounded value: value -+ precision, for the signed gap the bounds of its panel.
    """
    table = values(section).sort_values("precision", kind="stable")
    table = table[~table.duplicated(list(KEY))].sort_index()
    table = table[table.value.notna()].reset_index(drop=True)
    everything = values() if section is None else values(section)
    table = table.assign(low=table.value - table.precision, high=table.value + table.precision)
    table = _share_intervals(table.assign(ci_low=np.nan, ci_high=np.nan))
    table = _means(_ratios(table), everything)
    table = _panels(table, np.random.default_rng(0) if rng is None else rng)
    return _finished(table)


def wilson(share, n) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval at 95 % of shares (fractions) of n images; share * n need not be whole.

    >>> [round(float(end), 3) for end in wilson(0.8, 10)]
    [0.49, 0.943]
    """
    share, n = np.asarray(share, dtype=float), np.asarray(n, dtype=float)
    return wilson_interval(share * n, n)


def _share_intervals(table: pd.DataFrame) -> pd.DataFrame:
    n = table.n.fillna(table.n_least)
    mask = table.metric.isin(SHARES) & n.notna() & ~_is_mean(table) & ~_is_contrast(table) & ~table.model.eq(PEOPLE)
    scale = table.loc[mask, "unit"].map(SCALE)
    low, high = wilson((table.loc[mask, "value"] / scale).clip(0, 1), n[mask])
    table.loc[mask, "ci_low"], table.loc[mask, "ci_high"] = low * scale, high * scale
    return table


def _ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Intervals of error ratios: Wilson on the factor's wrong images, divided by the overall error (held fixed)."""
    for model in PAPER_MODELS:
        mine = (table.model == model) & (table.metric == "error_ratio")
        if not mine.any():
            continue
        bars, overall = decoded_bars(model).set_index("group"), overall_error(model)
        factors = mine & (table.group != "mean_of_16")
        names = table.loc[factors, "group"]
        low, high = wilson(bars.loc[names, "error"], bars.loc[names, "n"])
        table.loc[factors, "ci_low"], table.loc[factors, "ci_high"] = low / overall, high / overall
        half = Z * _mean_ratio_error(bars, overall)
        mean = mine & (table.group == "mean_of_16")
        table.loc[mean, "ci_low"], table.loc[mean, "ci_high"] = table.value[mean] - half, table.value[mean] + half
    return table


def _mean_ratio_error(bars: pd.DataFrame, overall: float) -> float:
    """Standard error of the mean ratio: the factors' images are disjoint; that of the overall error is added."""
    factors = (bars.error * (1 - bars.error) / bars.n).sum() / (len(bars) * overall) ** 2
    common = bars.value.mean() ** 2 * (1 - overall) / (overall * SUBSET)
    return float(np.sqrt(factors + common))


def _means(table: pd.DataFrame, everything: pd.DataFrame) -> pd.DataFrame:
    """Normal intervals of averages over sets or categories, images drawn anew within each."""
    for at in table.index[_is_mean(table) & table.metric.isin(("accuracy", "shape_bias")) & ~_is_contrast(table)]:
        row = table.loc[at]
        parts = everything[(everything.model == row.model) & (everything.section == row.section)]
        parts = parts[(parts.metric == row.metric) & (parts["view"] == row["view"]) & (parts.unit == row.unit)]
        parts = parts[~_is_mean(parts) & (parts.group != "overall" if row.metric == "shape_bias" else True)]
        parts = parts[parts.dataset != "imagenet1k_val"]
        n = parts.n.fillna(parts.n_least)
        if n.isna().any() or parts.empty or row.model == PEOPLE:
            continue
        share = parts.value / SCALE[row.unit]
        errors = dict(zip(parts.index, np.sqrt(share * (1 - share) / n), strict=True))
        half = Z * SCALE[row.unit] * _error_of_mean(errors, parts.dataset)
        table.loc[at, ["ci_low", "ci_high"]] = row.value - half, row.value + half
    return table


def _error_of_mean(errors: dict, datasets: pd.Series) -> float:
    """Standard error of a mean over sets; those on the same images count as fully correlated (the most they can)."""
    together = {dataset: group[0] for group in SHARED_IMAGES for dataset in group}
    sums: dict[object, float] = {}
    for at, error in errors.items():
        key = together.get(datasets[at], at)
        sums[key] = sums.get(key, 0.0) + error
    return float(np.sqrt(sum(total**2 for total in sums.values()))) / len(errors)


def _panels(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """ECE: basic interval of a parametric bootstrap. Signed gap: normal interval, and the bounds of its panel."""
    for dataset in PANELS:
        for model in PAPER_MODELS:
            mine = (table.dataset == dataset) & (table.model == model)
            ece, gap = mine & (table.metric == "ece"), mine & (table.metric == "signed_gap")
            if not ece.any():
                continue
            panel = read_panel(dataset, model)
            ends = np.percentile(ece_samples(panel, rng), (97.5, 2.5))
            table.loc[ece, ["ci_low", "ci_high"]] = np.maximum(2 * panel.ece - ends, 0)
            middle, half = gap_from_midpoints(panel), Z * gap_standard_error(panel)
            table.loc[gap, ["ci_low", "ci_high"]] = middle - half, middle + half
            table.loc[gap, ["low", "high"]] = gap_bounds(panel)
    return table


def _finished(table: pd.DataFrame) -> pd.DataFrame:
    shared = table.dataset.eq("imagenet_c") | table["view"].fillna("").str.contains(r"\.(?:scale|shift|resolution)-")
    unit = pd.Series("image", index=table.index).mask(shared, "source image").mask(table.ci_low.isna(), "none")
    n = [None if missing else int(n) for n, missing in zip(table.n, table.n.isna(), strict=True)]
    rest = ["low", "high", "n_least", "kind", "source_figure"]
    table = table.assign(resampled=unit.astype(object), n=pd.Series(n, dtype=object, index=table.index))
    return table[[*COLUMNS, *rest]].reset_index(drop=True)


def _is_mean(table: pd.DataFrame) -> pd.Series:
    return table.group.fillna("").str.startswith("mean_of_")


def _is_contrast(table: pd.DataFrame) -> pd.Series:
    return table.model.str.contains(" - ", regex=False)
