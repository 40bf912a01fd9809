"""Coverage where images come in few clusters: samples of videos whose difficulty varies, and intervals of two kinds.

A test set of frames of videos, such as KITTI, has as many independent units as it has videos.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import expit

from helpers.stats.estimates import Estimates, resampled_interval
from helpers.stats.intervals import FEW_UNITS
from helpers.stats.resample import image_weights

VIDEO = "video"
VIDEOS = (8, 14, 29, 60)
KINDS = ("percentile", "percentile, widened")
METRICS = ("accuracy_clusters", "accuracy_difference_clusters")
OFFSETS, SPREAD, SHARED = (0.9, 0.7), 0.6, 0.7  # log-odds: two models, deviation over videos, shared variance
LENGTHS = (10, 100)  # images of a video


def cluster_intervals(rng: np.random.Generator, n_simulations: int, n_resamples: int) -> Iterator[tuple]:
    """(metric, kind, unit, videos, truth, low, high) of an accuracy and of a paired difference of two (fractions).

    low, high: (n_simulations,). Videos have 10 to 100 images each; log-odds of a right answer vary over videos with a
    standard deviation of 0.6, most of it shared by the two models. Widened is `resampled_interval` of few units.

    >>> [found[1:4] for found in cluster_intervals(np.random.default_rng(0), 2, 9)][:2]
    [('percentile', 'video', 8), ('percentile, widened', 'video', 8)]
    """
    truths = _truths()
    for videos in VIDEOS:
        found = [_intervals(*_sample(videos, n_resamples, rng), videos) for _ in range(n_simulations)]
        ends = np.array(found)  # (simulations, kinds, low or high, metrics)
        for i, metric in enumerate(METRICS):
            for j, kind in enumerate(KINDS[: 1 + (videos < FEW_UNITS)]):
                yield metric, kind, VIDEO, videos, truths[i], ends[:, j, 0, i], ends[:, j, 1, i]


def _truths() -> tuple[float, float]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    first, second = (float(expit(offset + SPREAD * nodes) @ weights / weights.sum()) for offset in OFFSETS)
    return first, first - second


def _sample(videos: int, n_resamples: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy of the first model and difference on one simulated set, (2,), and its resamples, (resamples, 2)."""
    lengths = rng.integers(*LENGTHS, videos, endpoint=True)
    common = np.sqrt(SHARED) * rng.standard_normal(videos)
    effects = [common + np.sqrt(1 - SHARED) * rng.standard_normal(videos) for _ in OFFSETS]
    right = [rng.binomial(lengths, expit(o + SPREAD * e)) for o, e in zip(OFFSETS, effects, strict=True)]
    table = np.stack([*right, lengths], axis=1)
    return _measured(table.sum(axis=0)), _measured(image_weights(videos, n_resamples, rng) @ table)


def _measured(counts: np.ndarray) -> np.ndarray:
    first, second = counts[..., 0] / counts[..., 2], counts[..., 1] / counts[..., 2]
    return np.stack([first, first - second], axis=-1)


def _intervals(values: np.ndarray, samples: np.ndarray, videos: int) -> list[tuple[np.ndarray, np.ndarray]]:
    n = np.full(len(METRICS), videos)
    both = []
    for units in (None, videos):
        each = Estimates("", "points", "", "", VIDEO, ("",), METRICS, values[None], samples[:, None], n[None], n, units)
        low, high = resampled_interval(each, each.values, each.samples)
        both.append((low[0], high[0]))
    return both
