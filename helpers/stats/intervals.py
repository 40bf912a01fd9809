"""Intervals at 95 % (or another level): percentile, wider for few units, basic, Wilson, Newcombe."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, stdtrit

UNDEFINED_SHARE = 0.05  # with more undefined resamples than this an interval would describe the defined ones only
FEW_UNITS = 30  # of fewer units than this a resampled spread is too small by an amount that matters


def percentile_interval(samples: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Central interval of resampled statistics (resamples, ...): low and high, each of shape (...).

    NaN where more than 5 % of the resamples are undefined (an empty category was drawn).

    >>> low, high = percentile_interval(np.arange(101.0)); round(float(low), 6), float(high)
    (2.5, 97.5)
    """
    ends = (50 * (1 - level), 50 * (1 + level))
    missing = np.isnan(samples)
    if not missing.any():
        return tuple(np.percentile(samples, ends, axis=0))
    too_many = missing.mean(axis=0) > UNDEFINED_SHARE
    low, high = np.nanpercentile(np.where(too_many, 0.0, samples), ends, axis=0)
    return np.where(too_many, np.nan, low), np.where(too_many, np.nan, high)


def few_units_factor(units, level: float = 0.95) -> np.ndarray:
    """By what a percentile interval of `units` resampled units is too short: t(units - 1) / z * sqrt(k / (k - 1)).

    1 from 30 units on, infinite for a single one. The bootstrap's spread of a mean is that of the sample with divisor
    k, and its quantiles are those of a known spread. Source: Hesterberg 2015, The American Statistician 69(4), whose
    expanded percentile interval moves the quantiles instead.

    >>> few_units_factor([5, 14, 30]).round(3).tolist()
    [1.584, 1.144, 1.0]
    """
    k = np.asarray(units, dtype=float)
    end, several = (1 + level) / 2, np.maximum(k, 2)
    factor = stdtrit(several - 1, end) / ndtri(end) * np.sqrt(several / (several - 1))
    return np.where(k < 2, np.inf, np.where(k < FEW_UNITS, factor, 1.0))


def basic_interval(
    value, samples: np.ndarray, level: float = 0.95, floor: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Basic (reflected) bootstrap interval [2 value - high, 2 value - low]; corrects a bias the resamples share.

    `floor`: smallest possible value of the statistic, e.g. 0 for ECE. Source: Davison & Hinkley 1997, section 5.2.

    >>> low, high = basic_interval(10.0, np.arange(101.0) / 10 + 6); float(low), float(high)
    (4.25, 13.75)
    """
    low, high = percentile_interval(samples, level)
    low, high = 2 * np.asarray(value) - high, 2 * np.asarray(value) - low
    return (low, high) if floor is None else (np.maximum(low, floor), np.maximum(high, floor))


def wilson_interval(successes, n, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval of a share (fractions); NaN for n = 0; arrays broadcast. Source: Wilson 1927.

    >>> low, high = wilson_interval(8, 10); round(float(low), 3), round(float(high), 3)
    (0.49, 0.943)
    """
    successes, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    n = np.where(n > 0, n, np.nan)
    z, share = ndtri((1 + level) / 2), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def newcombe_interval(successes_1, n_1, successes_2, n_2, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the difference share 1 - share 2 of independent samples from their Wilson limits (fractions).

    Source: Newcombe 1998, Statistics in Medicine 17, method 10.

    >>> low, high = newcombe_interval(56, 70, 48, 80); round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    share_1, share_2 = np.asarray(successes_1) / np.asarray(n_1), np.asarray(successes_2) / np.asarray(n_2)
    (low_1, high_1), (low_2, high_2) = (
        wilson_interval(successes_1, n_1, level),
        wilson_interval(successes_2, n_2, level),
    )
    difference = share_1 - share_2
    low = difference - np.hypot(share_1 - low_1, high_2 - share_2)
    return low, difference + np.hypot(high_1 - share_1, share_2 - low_2)


def newcombe_paired_interval(
    both: int, only_1: int, only_2: int, neither: int, level: float = 0.95
) -> tuple[float, float]:
    """Interval of share 1 - share 2 when both were seen on the same images (fractions), from the 2x2 counts.

    Source: Newcombe 1998, Statistics in Medicine 17, paired method 10.

    >>> low, high = newcombe_paired_interval(20, 12, 2, 16); round(low, 4), round(high, 4)
    (0.0562, 0.3292)
    """
    n = both + only_1 + only_2 + neither
    share_1, share_2 = (both + only_1) / n, (both + only_2) / n
    (low_1, high_1), (low_2, high_2) = (
        wilson_interval(both + only_1, n, level),
        wilson_interval(both + only_2, n, level),
    )
    phi = _phi(both, only_1, only_2, neither)
    down = (share_1 - low_1, high_2 - share_2)
    up = (high_1 - share_1, share_2 - low_2)
    difference = share_1 - share_2
    low = difference - np.sqrt(max(down[0] ** 2 - 2 * phi * down[0] * down[1] + down[1] ** 2, 0.0))
    high = difference + np.sqrt(max(up[0] ** 2 - 2 * phi * up[0] * up[1] + up[1] ** 2, 0.0))
    return float(low), float(high)


def _phi(both: int, only_1: int, only_2: int, neither: int) -> float:
    """Correlation of the two answers with Newcombe's continuity correction for a positive product difference."""
    margins = (both + only_1) * (only_2 + neither) * (both + only_2) * (only_1 + neither)
    if margins == 0:
        return 0.0
    n = both + only_1 + only_2 + neither
    product = both * neither - only_1 * only_2
    corrected = max(product - n / 2, 0.0) if product > 0 else product
    return corrected / np.sqrt(margins)
