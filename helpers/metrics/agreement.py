"""Error consistency: do two observers err on the same images (Geirhos et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.metrics.shape import align_decisions


def observed_agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Share of images on which both are right or both are wrong; two boolean arrays (images,). Fraction.

    >>> observed_agreement(np.array([True, True]), np.array([True, False]))
    0.5
    """
    return float(np.mean(np.asarray(first, bool) == np.asarray(second, bool)))


def expected_agreement(first_accuracy, second_accuracy):
    """Agreement of two independent observers with these accuracies (fractions): p q + (1 - p)(1 - q).

    >>> expected_agreement(0.5, 0.8)
    0.5
    """
    return first_accuracy * second_accuracy + (1 - first_accuracy) * (1 - second_accuracy)


def kappa_from_rates(observed, first_accuracy, second_accuracy):
    """Cohen's kappa (c_obs - c_exp) / (1 - c_exp) of rates (fractions); arrays broadcast, NaN where c_exp is 1.

    >>> round(float(kappa_from_rates(0.8, 0.5, 0.5)), 3)
    0.6
    """
    expected = np.asarray(expected_agreement(first_accuracy, second_accuracy), dtype=float)
    room = 1 - expected
    return np.divide(observed - expected, room, out=np.full(np.shape(room), np.nan), where=room > 1e-12)


def error_consistency(first: np.ndarray, second: np.ndarray) -> float:
    """Cohen's kappa of two boolean arrays "was right" (images,). A number in [-1, 1].

    Source: Geirhos et al. 2020, section 2.

    >>> error_consistency(np.array([1, 1, 0, 0], bool), np.array([1, 0, 0, 0], bool))
    0.5
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    return float(kappa_from_rates(observed_agreement(first, second), first.mean(), second.mean()))


def attainable_kappa(first_accuracy, second_accuracy):
    """Smallest and largest kappa that two observers with these accuracies (fractions) can show.

    c_obs lies between |p + q - 1| and 1 - |p - q|. Source: Geirhos et al. 2020, appendix.

    >>> low, high = attainable_kappa(0.5, 0.8); round(float(low), 3), round(float(high), 3)
    (-0.4, 0.4)
    """
    p, q = np.asarray(first_accuracy, dtype=float), np.asarray(second_accuracy, dtype=float)
    return kappa_from_rates(np.abs(p + q - 1), p, q), kappa_from_rates(1 - np.abs(p - q), p, q)


def correct_table(decisions_by_model: Mapping[str, pd.DataFrame], conflict_only: bool = True) -> pd.DataFrame:
    """Whether each observer (column) named the shape category of each common image (index image_id); `na` is wrong.

    >>> one = pd.DataFrame({"image_id": ["cat1-dog2.png"], "shape": ["cat"], "texture": ["dog"], "decision": ["cat"]})
    >>> bool(correct_table({"a": one}).loc["cat1-dog2.png", "a"])
    True
    """
    images, decisions = align_decisions(decisions_by_model)
    correct = decisions.eq(images["shape"], axis=0)
    return correct[images.conflict] if conflict_only else correct


def kappa_matrix(correct: pd.DataFrame) -> pd.DataFrame:
    """Error consistency of every two observers (columns of a boolean table, images in rows); 1 on the diagonal.

    >>> table = pd.DataFrame({"a": [True, True, False, False], "b": [True, False, False, False]})
    >>> kappa_matrix(table).loc["a", "b"]
    np.float64(0.5)
    """
    right = correct.to_numpy(dtype=float)
    rates = right.mean(axis=0)
    observed = (right.T @ right + (1 - right).T @ (1 - right)) / len(right)
    values = kappa_from_rates(observed, rates[:, None], rates[None, :])
    return pd.DataFrame(values, index=correct.columns, columns=correct.columns)
