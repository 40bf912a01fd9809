"""How much of the calibration error a one-parameter or monotone correction removes."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from helpers.errors import BookError


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T > 0 that minimises the negative log-likelihood of softmax(logits / T).

    logits: (images, classes); labels: class indices (images,). Fit it on other images than those it is judged on.
    Raises BookError without images. Source: Guo et al. 2017, section 4.2.

    >>> round(fit_temperature(np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 3)
    1.82
    """
    from scipy.optimize import minimize_scalar

    logits, labels = np.asarray(logits, dtype=float), np.asarray(labels)
    if not len(labels):
        raise BookError("temperature", "at least one image to fit it on, found none", "give logits and labels")
    below = logits - logits.max(axis=1, keepdims=True)  # scaling by 1 / T > 0 leaves the largest the largest
    true = np.take_along_axis(below, labels[:, None], axis=1)[:, 0]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(np.log(np.exp(below * scale).sum(axis=1)) - true * scale))

    return float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-8}).x))


def scaled_confidence(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Top-1 confidence of softmax(logits / temperature): fractions (images,).

    >>> scaled_confidence(np.array([[0.0, 0.0]]), 2.0).tolist()
    [0.5]
    """
    scaled = np.asarray(logits, dtype=float) / temperature
    return np.exp(scaled.max(axis=1) - logsumexp(scaled, axis=1))


def cross_fitted(confidence: np.ndarray, correct: np.ndarray, rng: np.random.Generator, folds: int = 5) -> np.ndarray:
    """Monotone (isotonic) recalibration of top-1 confidences, each image by a map fitted on the other folds.

    confidence, correct: (images,); returns confidences (images,). Needs no logits. Raises BookError with fewer images
    than folds. Source: Zadrozny & Elkan 2002; scikit-learn.

    >>> rng = np.random.default_rng(0); stated = rng.random(500)
    >>> bool(abs(cross_fitted(stated, rng.random(500) < stated / 2, rng).mean() - 0.25) < 0.05)
    True
    """
    from sklearn.isotonic import IsotonicRegression

    confidence, correct = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    if len(confidence) < folds:
        raise BookError("recalibration", f"at least {folds} images, found {len(confidence)}", "use fewer folds")
    fold = rng.permutation(len(confidence)) % folds
    mapped = np.empty_like(confidence)
    for k in range(folds):
        fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        fitted.fit(confidence[fold != k], correct[fold != k])
        mapped[fold == k] = fitted.predict(confidence[fold == k])
    return mapped
