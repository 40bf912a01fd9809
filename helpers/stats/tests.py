"""Tests for claims: McNemar, equivalence (TOST), intersection-union, Holm. All return p-values (fractions)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import bdtr, ndtr, ndtri


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar test from the discordant images: how often only the first, only the second was right.

    1 without discordant images. Source: McNemar 1947; exact binomial form.

    >>> round(mcnemar(1, 9), 4)
    0.0215
    """
    n = only_first + only_second
    return float(min(1.0, 2 * bdtr(min(only_first, only_second), n, 0.5))) if n else 1.0


def tost(difference: float, standard_error: float, margin: float) -> float:
    """Two one-sided tests (normal): small when the difference lies within +- margin. All in the same unit.

    Source: Schuirmann 1987.

    >>> round(tost(0.1, 0.2, 0.5), 4)
    0.0228
    """
    if standard_error == 0:
        return float(abs(difference) >= margin)
    below = ndtr(-(difference + margin) / standard_error)
    above = ndtr((difference - margin) / standard_error)
    return float(max(below, above))


def tost_from_samples(samples: np.ndarray, margin: float) -> float:
    """TOST by bootstrap: the larger share of resampled differences at or beyond one end of +- margin.

    samples: (resamples,). Equivalent at 5 % exactly when the central 90 % of the resamples lies inside.

    >>> tost_from_samples(np.array([-0.2, 0.0, 0.1, 0.6]), 0.5)
    0.25
    """
    samples = np.asarray(samples)
    return float(max(np.mean(samples <= -margin), np.mean(samples >= margin)))


def equivalence_margin(samples: np.ndarray, alpha: float = 0.05) -> float:
    """The smallest margin at which "comparable" passes at `alpha`: where the verdict flips.

    The farther end of the central (1 - 2 alpha) interval of resampled differences (resamples,), in their unit.

    >>> round(equivalence_margin(np.arange(-50.0, 151.0)), 6)
    140.0
    """
    return float(np.abs(np.percentile(samples, [100 * alpha, 100 * (1 - alpha)])).max())


def intersection_union(p_values: Sequence[float]) -> float:
    """p-value of "all of these hold": the largest, without correction. Source: Berger 1982.

    >>> intersection_union([0.01, 0.04])
    0.04
    """
    return float(max(p_values))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm-adjusted p-values, in the order given; for exploratory contrasts of one section only. Source: Holm 1979.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values, kind="stable")
    scaled = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(scaled, 1.0)
    return adjusted


def p_of_interval(value, low, high, level: float = 0.95) -> np.ndarray:
    """Two-sided normal p-values of "no difference" from values and their intervals; 1 where there is no interval.

    The standard error is the distance from the value to the end that faces zero, over z: p is below 1 - level exactly
    where the interval excludes zero. A value outside of its interval has half of the interval's width instead.

    >>> p_of_interval([3.0, 1.0, 2.0], [1.04, -0.96, None], [4.0, 2.0, None]).round(3).tolist()
    [0.003, 0.317, 1.0]
    """
    value, low, high = (np.asarray(each, dtype=float) for each in (value, low, high))
    z, half = ndtri((1 + level) / 2), (high - low) / 2
    middle = np.where((low < value) & (value < high), value, (low + high) / 2)
    facing = np.where((low < value) & (value < high), np.where(middle > 0, middle - low, high - middle), half)
    known = np.isfinite(facing) & (facing > 0)
    p_values = 2 * ndtr(-z * np.abs(middle) / np.where(known, facing, 1.0))
    return np.where(known, p_values, 1.0)


def bootstrap_p(samples: np.ndarray) -> float:
    """Two-sided p-value of "no difference": twice the smaller share of resampled differences on one side of 0.

    At least 1 / (resamples + 1), as finitely many resamples cannot show less. samples: (resamples,).

    >>> bootstrap_p(np.array([0.1, 0.2, 0.3, -0.1]))
    0.8
    """
    samples = np.asarray(samples)
    smaller = min(np.sum(samples <= 0), np.sum(samples >= 0))
    return float(min(1.0, 2 * (smaller + 1) / (len(samples) + 1)))
