"""Calibration: observers whose confidences deviate from their accuracy by a known amount; constant and perfect ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.demo.planted.common import Planted, draw, predictions, row, wrong_classes
from helpers.demo.world.classes import N_FINE

N_BINS = 15  # of the expected calibration error; bins are (lower, upper]

# (share of images, probability of being right): one level per occupied bin, mean accuracy 80 %.
LEVELS: tuple[tuple[float, float], ...] = (
    (0.05, 0.30), (0.10, 0.50), (0.15, 0.70), (0.25, 0.82), (0.20, 0.91), (0.25, 0.98),
)  # fmt: skip


def confidence_levels(
    images: pd.DataFrame,
    levels: Sequence[tuple[float, float, float]],
    rng: np.random.Generator,
    exact: bool = False,
    model: str = "planted_confidence",
    dataset: str = "demo_val",
    view: str = "planted.eval",
) -> Planted:
    """An observer with a few confidence levels: (share of images, stated confidence, probability of being right).

    Truth: accuracy, ece (15 bins), signed_gap, mean_confidence. Shares are met exactly up to rounding; without
    `exact` the number of right answers within a level is binomial.

    >>> images = pd.DataFrame({"image_id": list("abcd"), "label": [0, 1, 2, 3]})
    >>> seen = confidence_levels(images, [(1.0, 0.9, 0.5)], np.random.default_rng(0), exact=True)
    >>> [round(r["value"], 2) for r in seen.truth]
    [50.0, 0.4, 0.4, 0.9]
    """
    n = len(images)
    shares, stated, chance = (np.array(column, dtype=float) for column in zip(*levels, strict=True))
    ends = np.rint(np.cumsum(shares) / shares.sum() * n).astype(int)
    level = np.empty(n, dtype=int)
    level[rng.permutation(n)] = np.searchsorted(ends, np.arange(n), side="right")
    right = np.zeros(n, dtype=bool)
    for k, probability in enumerate(chance):
        members = np.flatnonzero(level == k)
        right[members] = draw(float(probability), len(members), rng, exact)
    labels = images["label"].to_numpy()
    frame = predictions(images, right, stated[level], wrong_classes(labels, rng))
    truth = _truth(stated[level], right if exact else chance[level], (model, dataset, view))
    return Planted(model, view, frame, tuple(truth))


def _truth(confidence: np.ndarray, chance: np.ndarray, where: tuple[str, str, str]) -> list[dict]:
    """Truth from the confidence and the probability of being right (0 or 1 where counted) of every image."""
    n, gap = len(confidence), confidence - chance
    bins = np.ceil(np.round(confidence * N_BINS, 9)).astype(int)
    ece = np.abs(np.bincount(bins, gap)).sum() / n
    return [
        row(*where, "accuracy", 100 * np.mean(chance), "percent", n),
        row(*where, "ece", ece, "fraction", n),
        row(*where, "signed_gap", gap.mean(), "fraction", n),
        row(*where, "mean_confidence", confidence.mean(), "fraction", n),
    ]


def known_ece(
    images: pd.DataFrame,
    gap: float,
    rng: np.random.Generator,
    alternating: bool = False,
    exact: bool = False,
    model: str = "planted_known_ece",
    dataset: str = "demo_val",
    view: str = "planted.eval",
) -> Planted:
    """An observer that states `gap` more than it should at every level: ECE = |gap|, signed gap = gap.

    `alternating`: every other level states as much too little, so that the signed gap nearly cancels and the ECE
    stays. `gap` 0 is a perfectly calibrated observer. Stated confidences lie at the middle of bins.
    Raises BookError for a gap that would need a probability outside [0, 1].

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(2000)], "label": 0})
    >>> truth = known_ece(images, 0.06, np.random.default_rng(0)).truth
    >>> round(truth[1]["value"], 6), round(truth[2]["value"], 6)
    (0.06, 0.06)
    """
    middles = [(np.ceil(chance * N_BINS) - 0.5) / N_BINS for _, chance in LEVELS]
    signs = [-1 if alternating and k % 2 else 1 for k in range(len(LEVELS))]
    levels = [
        (weight, float(middle), float(middle - sign * gap))
        for (weight, _), middle, sign in zip(LEVELS, middles, signs, strict=True)
    ]
    return confidence_levels(images, levels, rng, exact, model, dataset, view)


def with_temperature(
    images: pd.DataFrame,
    temperature: float,
    rng: np.random.Generator,
    exact: bool = False,
    model: str = "planted_temperature",
    dataset: str = "demo_val",
    view: str = "planted.eval",
) -> Planted:
    """An observer whose logits are `temperature` times the calibrated ones: above 1 overconfident, 1 calibrated.

    The calibrated softmax gives the predicted class its probability of being right and shares the rest evenly; so
    dividing the logits (`temperature_logits`) by `temperature` restores it, and that is what a fit must find.
    Truth as in `confidence_levels`, and metric temperature (ratio).

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(2000)], "label": 0})
    >>> seen = with_temperature(images, 1.0, np.random.default_rng(0))
    >>> abs(round(seen.truth[1]["value"], 6))
    0.0
    """
    levels = [(weight, float(_stated(chance, temperature)), chance) for weight, chance in LEVELS]
    seen = confidence_levels(images, levels, rng, exact, model, dataset, view)
    extra = row(model, dataset, view, "temperature", temperature, "ratio", len(images))
    return Planted(model, view, seen.frame, (*seen.truth, extra))


def _margin(probability):
    """Logit of the predicted class when all others have logit 0."""
    return np.log(probability * (N_FINE - 1) / (1 - probability))


def _stated(chance: float, temperature: float) -> float:
    raised = np.exp(temperature * _margin(chance))
    return raised / (raised + N_FINE - 1)


def temperature_logits(frame: pd.DataFrame) -> np.ndarray:
    """Logits (images, 64) behind a frame of `with_temperature`: the stated confidence's margin at the predicted class.

    >>> frame = pd.DataFrame({"pred": [2], "confidence": [0.5]})
    >>> temperature_logits(frame)[0, 2].round(3)
    np.float64(4.143)
    """
    logits = np.zeros((len(frame), N_FINE))
    logits[np.arange(len(frame)), frame["pred"].to_numpy()] = _margin(frame["confidence"].to_numpy())
    return logits


def constant_observer(
    images: pd.DataFrame, fine: int = 0, model: str = "planted_constant", dataset: str = "demo_val",
    view: str = "planted.eval",
) -> Planted:  # fmt: skip
    """Always the same class, with confidence 1: accuracy is the class's share, ECE the rest.

    >>> images = pd.DataFrame({"image_id": list("ab"), "label": [0, 1]})
    >>> [r["value"] for r in constant_observer(images).truth]
    [50.0, 0.5, 0.5, 1.0]
    """
    right = images["label"].to_numpy() == fine
    frame = predictions(images, right, 1.0, np.full(len(images), fine))
    return Planted(model, view, frame, tuple(_truth(np.ones(len(images)), right, (model, dataset, view))))


def perfect_observer(
    images: pd.DataFrame, model: str = "planted_perfect", dataset: str = "demo_val", view: str = "planted.eval"
) -> Planted:
    """Always right, with confidence 1: accuracy 100, ECE 0.

    >>> images = pd.DataFrame({"image_id": list("ab"), "label": [0, 1]})
    >>> [r["value"] for r in perfect_observer(images).truth]
    [100.0, 0.0, 0.0, 1.0]
    """
    right = np.ones(len(images), dtype=bool)
    frame = predictions(images, right, 1.0, images["label"].to_numpy())
    return Planted(model, view, frame, tuple(_truth(np.ones(len(images)), right, (model, dataset, view))))
