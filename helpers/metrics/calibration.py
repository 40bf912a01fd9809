"""Calibration of top-1 confidences (paper, "Model Calibration"): ECE, its bias, and the signed gap.

Bins are (lower, upper], as in the paper's code: a confidence of exactly 0 lies in no bin and adds nothing to ECE, a
confidence of exactly 1 lies in the last. How many images lie in no bin is counted, not hidden.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from helpers.errors import BookError

N_BINS = 15


def equal_width_edges(n_bins: int = N_BINS) -> np.ndarray:
    """Edges of equally wide bins on [0, 1]: (n_bins + 1,).

    >>> equal_width_edges(2).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.linspace(0, 1, n_bins + 1)


def equal_mass_edges(confidence: np.ndarray, n_bins: int = N_BINS) -> np.ndarray:
    """Edges of bins with about equally many images (quantiles of the confidences); ties stay together.

    The first edge lies just below the smallest confidence, so that every image has a bin. Source: Nixon et al. 2019.

    >>> equal_mass_edges(np.array([0.1, 0.2, 0.3, 0.4]), 2)[1:].tolist()
    [0.25, 0.4]
    """
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, n_bins + 1)))
    return np.concatenate([[np.nextafter(edges[0], -1)], edges[1:] if len(edges) > 1 else edges])


def bin_index(confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Bin of each confidence under (lower, upper]: ints (images,), -1 for one in no bin.

    Raises BookError for a confidence outside [0, 1] or NaN.

    >>> bin_index(np.array([0.0, 0.5, 0.51, 1.0]), np.array([0.0, 0.5, 1.0])).tolist()
    [-1, 0, 1, 1]
    """
    confidence = np.asarray(confidence)
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise BookError("confidences", "numbers between 0 and 1, found others or NaN", "apply the softmax first")
    index = np.searchsorted(edges, confidence, side="left") - 1
    return np.where(index < len(edges) - 1, index, -1)


def reliability_table(confidence: np.ndarray, correct: np.ndarray, edges: np.ndarray | None = None) -> pd.DataFrame:
    """Per bin (index 1..bins): lower, upper, n, share, confidence, accuracy (fractions; NaN in empty bins).

    confidence, correct: (images,). Shares are of all images, so that they add up to less than 1 if some have no bin.

    >>> reliability_table(np.array([0.4, 0.8]), np.array([True, False]), np.array([0, 0.5, 1])).accuracy.tolist()
    [1.0, 0.0]
    """
    edges = equal_width_edges() if edges is None else np.asarray(edges, dtype=float)
    n, confidences, rights, _ = _bin_sums(np.asarray(confidence), np.asarray(correct), edges)
    safe = np.where(n > 0, n, np.nan)
    columns = {
        "lower": edges[:-1], "upper": edges[1:], "n": n, "share": n / len(confidence),
        "confidence": confidences / safe, "accuracy": rights / safe,
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(n) + 1, name="bin"))


def ece(confidence: np.ndarray, correct: np.ndarray, edges: np.ndarray | None = None) -> float:
    """Expected calibration error: sum over bins of share x |accuracy - mean confidence|, a fraction.

    confidence, correct: (images,). 15 equally wide bins unless `edges` are given. Source: Guo et al. 2017.

    >>> round(ece(np.array([0.9, 0.9, 0.6]), np.array([True, False, True])), 4)
    0.4
    """
    edges = equal_width_edges() if edges is None else edges
    _, confidences, rights, _ = _bin_sums(np.asarray(confidence), np.asarray(correct), edges)
    return float(np.abs(rights - confidences).sum() / len(confidence))


def adaptive_ece(confidence: np.ndarray, correct: np.ndarray, n_bins: int = N_BINS) -> float:
    """ECE over bins that hold equally many images. Fraction. Source: Nixon et al. 2019.

    >>> round(adaptive_ece(np.array([0.9, 0.8, 0.6, 0.5]), np.array([True, True, True, False]), 2), 3)
    0.1
    """
    return ece(confidence, correct, equal_mass_edges(confidence, n_bins))


def signed_gap(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean confidence minus accuracy, a fraction: above 0 overconfident, below 0 underconfident.

    >>> signed_gap(np.array([0.9, 0.6]), np.array([True, False]))
    0.25
    """
    return float(np.mean(confidence) - np.mean(correct))


def debiased_ece(confidence: np.ndarray, correct: np.ndarray, edges: np.ndarray | None = None) -> float:
    """ECE minus its estimated bias, at least 0: 2 ECE - sum over bins of share x E|N(gap, variance)|.

    Each bin's gap is taken as the mean of a normal with the gap's sampling variance; the closed form of the folded
    normal replaces the draws. Source: Kumar et al. 2019 and their library's `normal_debiased_ce`; the
    idea of subtracting the in-bin variance is Ferro & Fricker 2012.

    >>> rng = np.random.default_rng(0); confidence = rng.uniform(0.2, 1, 2000); right = rng.random(2000) < confidence
    >>> debiased_ece(confidence, right) < ece(confidence, right)
    True
    """
    edges = equal_width_edges() if edges is None else edges
    n, confidences, rights, squares = _bin_sums(np.asarray(confidence), np.asarray(correct), edges)
    return float(debiased_from_sums(n, confidences - rights, squares, len(confidence)))


def debiased_from_sums(n: np.ndarray, gaps: np.ndarray, squares: np.ndarray, total) -> np.ndarray:
    """`debiased_ece` from sums per bin (..., bins): images, confidence - correct, its square. Returns (...).

    Bins with one image have no variance and are taken as they are.

    >>> round(float(debiased_from_sums(np.array([2.0]), np.array([0.8]), np.array([0.82]), 2)), 3)
    0.28
    """
    safe = np.maximum(n, 1)
    mean = gaps / safe
    variance = np.where(n > 1, (squares / safe - mean**2) / np.maximum(n - 1, 1), 0)
    folded = folded_normal_mean(mean, np.sqrt(np.maximum(variance, 0)))
    return np.maximum((2 * np.abs(gaps) - n * folded).sum(axis=-1) / total, 0.0)


def squared_calibration_error(confidence: np.ndarray, correct: np.ndarray, edges: np.ndarray | None = None) -> float:
    """Debiased squared calibration error (may be negative): sum of share x (gap^2 - sampling variance of the gap).

    Source: Kumar et al. 2019 (there with the binomial variance of accuracy); Ferro & Fricker 2012.

    >>> squared_calibration_error(np.array([0.9, 0.9]), np.array([True, False]), np.array([0, 1])) < 0.16
    True
    """
    edges = equal_width_edges() if edges is None else edges
    n, confidences, rights, squares = _bin_sums(np.asarray(confidence), np.asarray(correct), edges)
    kept = n > 1
    gaps = (confidences - rights)[kept] / n[kept]
    variance = (squares[kept] / n[kept] - gaps**2) / (n[kept] - 1)
    return float((n[kept] * (gaps**2 - variance)).sum() / len(confidence))


def folded_normal_mean(mean, deviation):
    """E|X| of X ~ N(mean, deviation^2); |mean| where the deviation is 0. Arrays broadcast.

    >>> round(float(folded_normal_mean(0.0, 1.0)), 4)
    0.7979
    """
    mean, deviation = np.asarray(mean, dtype=float), np.asarray(deviation, dtype=float)
    ratio = np.divide(mean, deviation, out=np.zeros(np.broadcast(mean, deviation).shape), where=deviation > 0)
    folded = deviation * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + mean * (1 - 2 * ndtr(-ratio))
    return np.where(deviation > 0, folded, np.abs(mean))


def ece_if_calibrated(
    confidence: np.ndarray, rng: np.random.Generator, n_draws: int = 500, edges: np.ndarray | None = None
) -> np.ndarray:
    """ECEs that a perfectly calibrated model with these confidences would show: fractions (n_draws,).

    Labels are drawn as Bernoulli(confidence), the confidences are kept. Its mean is the bias floor at this n.

    >>> draws = ece_if_calibrated(np.full(100, 0.8), np.random.default_rng(0)); bool(0.02 < draws.mean() < 0.05)
    True
    """
    edges = equal_width_edges() if edges is None else edges
    confidence = np.sort(np.asarray(confidence, dtype=float))
    index = bin_index(confidence, edges)
    starts = np.flatnonzero(np.diff(index, prepend=-2))
    starts = starts[index[starts] >= 0]
    if not len(starts):
        return np.zeros(n_draws)
    first, limits = starts[0], (confidence * 2.0**32).astype(np.uint64)
    sums = np.add.reduceat(confidence[first:], starts - first)
    draws = np.empty(n_draws)
    for k in range(n_draws):
        rights = rng.integers(0, 2**32, len(confidence), dtype=np.uint32) < limits
        draws[k] = np.abs(np.add.reduceat(rights[first:].astype(np.int64), starts - first) - sums).sum()
    return draws / len(confidence)


def brier_top1(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean squared difference of the top-1 confidence and being right (0 or 1), a fraction. Source: Brier 1950.

    >>> round(brier_top1(np.array([0.9, 0.6]), np.array([True, False])), 3)
    0.185
    """
    return float(np.mean((np.asarray(confidence) - np.asarray(correct)) ** 2))


def nll_top1(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean negative log-likelihood, in nats, of being right under the top-1 confidence.

    Infinite if a wrong answer had confidence 1. It is not the likelihood of the true class, which needs p_true.

    >>> round(nll_top1(np.array([0.5, 0.5]), np.array([True, False])), 4)
    0.6931
    """
    stated = np.where(np.asarray(correct, bool), confidence, 1 - np.asarray(confidence))
    with np.errstate(divide="ignore"):
        return float(-np.mean(np.log(stated)))


def _bin_sums(confidence: np.ndarray, correct: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, ...]:
    """Per bin: images, sum of confidences, right answers, sum of squared (confidence - correct)."""
    if not len(confidence):
        raise BookError("confidences", "at least one image, found none", "leave the empty group out")
    index, size = bin_index(confidence, edges) + 1, len(edges)
    parts = (None, confidence, correct, (confidence - correct.astype(float)) ** 2)
    n, confidences, rights, squares = (np.bincount(index, weights=each, minlength=size)[1:] for each in parts)
    return n, confidences, rights, squares
