"""ImageNet-X bars back into numbers of images: an error ratio of a rare factor is a whole number of wrong images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import BookError
from helpers.paper.names import PAPER_MODELS
from helpers.paper.values import values

SUBSET = 46_110  # annotated validation images without ImageNet-X's prototypes
COARSE = 0.25  # of an image: where a bar is read less finely, some whole number would nearly always fit
SEARCH = (0.95, 1.20)  # overall error on the subset, relative to the error on all 50,000
STEP = 1e-5


@dataclass(frozen=True)
class Decoded:
    """Wrong images behind one bar: `count` where exactly one whole number fits, and every number that fits."""

    count: int | None
    candidates: tuple[int, ...]
    off_by: float


def decode_counts(ratio: float, overall_error: float, n: int, half_width: float) -> Decoded:
    """Whole numbers k of wrong images with |k / n / overall_error - ratio| <= half_width.

    `overall_error` is a fraction, `half_width` that of the ratio as read off the figure; `off_by` is the distance of
    ratio * overall_error * n from the nearest whole number. `count` is None where no number or several fit, or where
    the half-width is more than a quarter of an image. Raises BookError for an error outside (0, 1).
    Source: Idrissi et al. 2022 for the ratio.

    >>> decode_counts(1.515, 0.1534, 43, 0.006)
    Decoded(count=10, candidates=(10,), off_by=0.007)
    >>> decode_counts(1.109, 0.1534, 14751, 0.006).count is None
    True
    """
    if not 0 < overall_error < 1:
        raise BookError("overall error", f"a fraction between 0 and 1, found {overall_error!r}", "give a fraction")
    unit = overall_error * n
    lowest, highest = (ratio - half_width) * unit, (ratio + half_width) * unit
    found = tuple(range(max(0, int(np.ceil(lowest - 1e-9))), min(n, int(np.floor(highest + 1e-9))) + 1))
    off_by = round(abs(ratio * unit - round(ratio * unit)), 3)
    unique = len(found) == 1 and half_width * unit <= COARSE
    return Decoded(found[0] if unique else None, found, off_by)


def overall_error(model: str) -> float:
    """Error (fraction) of one of the paper's models on ImageNet-X's 46,110 images, which the paper does not print.

    Where the bars of the rare factors lie closest to whole numbers of images (least squares, in half-widths). Only
    errors within `error_range` make all of them whole, so the choice is forced. Raises BookError for another model.

    >>> [round(overall_error(model), 3) for model in ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip")]
    [0.153, 0.153, 0.352, 0.343]
    """
    tried, distance = _distances(model)
    return float(tried[np.nanargmin(np.nanmean(distance**2, axis=1))])


def error_range(model: str) -> list[tuple[float, float]]:
    """Every range of overall errors at which all rare bars are whole numbers within their reading precision.

    Searched from 0.95 to 1.20 times the error on all 50,000 images; rare: read to a quarter of an image or better.

    >>> [(round(low, 4), round(high, 4)) for low, high in error_range("convnext_sup")]
    [(0.153, 0.1538)]
    """
    tried, distance = _distances(model)
    fits = np.flatnonzero(np.nanmax(distance, axis=1) <= 1)
    runs = np.split(fits, np.flatnonzero(np.diff(fits) > 1) + 1)
    return [(float(tried[run[0]]), float(tried[run[-1]])) for run in runs if len(run)]


def factor_bars(model: str) -> pd.DataFrame:
    """The 16 bars of one model: group, value, precision, n (images with that factor).

    Raises BookError for a model that is none of the paper's.

    >>> len(factor_bars("vit_clip"))
    16
    """
    if model not in PAPER_MODELS:
        raise BookError(f"model {model!r}", f"one of {', '.join(PAPER_MODELS)}", "only the paper's bars can be decoded")
    table = values("02_mistakes")
    table = table[(table.model == model) & (table.group != "mean_of_16")]
    return table[["group", "value", "precision", "n"]].reset_index(drop=True)


def decoded_bars(model: str) -> pd.DataFrame:
    """Per factor: group, value, precision, n; as_read (wrong images), count (None for frequent factors), off_by.

    `error` is the share of wrong images, from the count where there is one, else as read.

    >>> table = decoded_bars("convnext_sup").set_index("group")
    >>> table.loc[["style", "multiple_objects"], "count"].tolist()
    [10, 11]
    """
    overall, bars = overall_error(model), factor_bars(model)
    found = [decode_counts(bar.value, overall, int(bar.n), bar.precision) for bar in bars.itertuples()]
    count = pd.Series([each.count for each in found], dtype=object)
    as_read = bars.value * overall * bars.n
    error = count.where(count.notna(), as_read).astype(float) / bars.n
    return bars.assign(as_read=as_read, count=count, off_by=[each.off_by for each in found], error=error)


def _distances(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Overall errors tried, and per bar the distance from a whole number in half-widths (NaN where read coarsely)."""
    bars = factor_bars(model)
    ratio, half_width, n = (bars[name].to_numpy(dtype=float) for name in ("value", "precision", "n"))
    tried = np.arange(*np.multiply(SEARCH, _error_on_all(model)), STEP)
    as_read, reading = np.outer(tried, ratio * n), np.outer(tried, half_width * n)
    return tried, np.where(reading <= COARSE, np.abs(as_read - as_read.round()) / reading, np.nan)


def _error_on_all(model: str) -> float:
    table = values("05_robustness")
    return 1 - float(table[(table.model == model) & (table.dataset == "imagenet1k_val")].value.iloc[0]) / 100
