"""Robustness and invariance: an observer whose accuracy falls off along a transformation in a known way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.demo.planted.common import Planted, predictions, row, wrong_classes
from helpers.demo.world.classes import N_FINE
from helpers.errors import BookError


def view_response(
    images: pd.DataFrame,
    accuracies: Mapping[str, float],
    rng: np.random.Generator,
    exact: bool = False,
    model: str = "planted_response",
    dataset: str = "demo_val",
) -> list[Planted]:
    """One observer under several views: view id -> planted accuracy (fraction), the first view being the reference.

    Each image has one difficulty for all views and one wrong answer, so what a view loses the harder images lose,
    and the share of answers kept from the first view is 1 - |difference of accuracies|. Confidence equals the
    view's accuracy. Truth per view: accuracy (percent), probability (mean of the true class) and consistency
    (fractions). Raises BookError for an accuracy outside [0, 1].

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(10)], "label": 0})
    >>> planted = {"planted.eval": 0.8, "planted.shift-8": 0.5}
    >>> views = view_response(images, planted, np.random.default_rng(0), exact=True)
    >>> [[r["value"] for r in view.truth if r["metric"] in ("accuracy", "consistency")] for view in views]
    [[80.0, 1.0], [50.0, 0.7]]
    """
    n, reference = len(images), next(iter(accuracies.values()))
    difficulty = (rng.permutation(n) + 0.5) / n if exact else rng.random(n)
    wrong = wrong_classes(images["label"].to_numpy(), rng)
    first = difficulty < reference
    observers = []
    for view, accuracy in accuracies.items():
        if not 0 <= accuracy <= 1:
            raise BookError(f"planted accuracy {accuracy:g} at {view}", "a number in 0 to 1", "change the slope")
        right = difficulty < accuracy
        share = float(right.mean()) if exact else accuracy
        kept = float((right == first).mean()) if exact else 1 - abs(accuracy - reference)
        frame = predictions(images, right, accuracy, wrong)
        probability = share * accuracy + (1 - share) * (1 - accuracy) / (N_FINE - 1)
        truth = (
            row(model, dataset, view, "accuracy", 100 * share, "percent", n),
            row(model, dataset, view, "probability", probability, "fraction", n),
            row(model, dataset, view, "consistency", kept, "fraction", n),
        )
        observers.append(Planted(model, view, frame, truth))
    return observers


def shift_response(
    images: pd.DataFrame, shifts: Sequence[int], rng: np.random.Generator, accuracy: float = 0.85,
    slope: float = 0.01, exact: bool = False, model: str = "planted_shift", dataset: str = "demo_val",
    protocol: str = "paper",
) -> list[Planted]:  # fmt: skip
    """Accuracy falls by `slope` (fraction) per pixel of shift; views `<protocol>.shift-<pixels>`.

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(100)], "label": 0})
    >>> seen = shift_response(images, (0, 20), np.random.default_rng(0), exact=True)
    >>> [(s.view, round(s.truth[0]["value"])) for s in seen]
    [('paper.shift-0', 85), ('paper.shift-20', 65)]
    """
    planted = {f"{protocol}.shift-{shift:g}": accuracy - slope * shift for shift in shifts}
    return view_response(images, planted, rng, exact, model, dataset)


def scale_response(
    images: pd.DataFrame, scales: Sequence[float], rng: np.random.Generator, accuracy: float = 0.85,
    slope: float = 0.2, exact: bool = False, model: str = "planted_scale", dataset: str = "demo_val",
    protocol: str = "paper",
) -> list[Planted]:  # fmt: skip
    """Accuracy falls by `slope` (fraction) per doubling or halving of the scale; views `<protocol>.scale-<factor>`.

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(100)], "label": 0})
    >>> seen = scale_response(images, (1, 2), np.random.default_rng(0), exact=True)
    >>> [(s.view, round(s.truth[0]["value"])) for s in seen]
    [('paper.scale-1', 85), ('paper.scale-2', 65)]
    """
    planted = {f"{protocol}.scale-{scale:g}": accuracy - slope * abs(float(np.log2(scale))) for scale in scales}
    return view_response(images, planted, rng, exact, model, dataset)
