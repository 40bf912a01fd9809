"""The 2x2: four observers with a known difference of differences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import logit, ndtri

from helpers.demo.planted.common import Planted, predictions, row, wrong_classes

# In the order in which the 2x2 is read: ConvNeXt and ViT supervised, ConvNeXt and ViT under CLIP.
CELLS = {"convnext_sup": 0.80, "vit_sup": 0.76, "convnext_clip": 0.70, "vit_clip": 0.74}
EFFECTS = {
    "architecture": (-0.5, 0.5, -0.5, 0.5),
    "paradigm": (-0.5, -0.5, 0.5, 0.5),
    "interaction": (1.0, -1.0, -1.0, 1.0),
}


def two_by_two(
    images: pd.DataFrame,
    rng: np.random.Generator,
    accuracies: Mapping[str, float] = CELLS,
    correlation: float = 0.5,
    exact: bool = False,
    dataset: str = "demo_val",
    view: str = "planted.eval",
) -> list[Planted]:
    """Four observers with these accuracies (fractions, in the order ConvNeXt-sup, ViT-sup, ConvNeXt-CLIP, ViT-CLIP).

    `correlation`: of the images' latent difficulty between observers, which is what pairing gains from. Truth per
    observer: accuracy; of the four: "architecture", "paradigm" and "interaction", in points and in log-odds.

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(200)], "label": 0})
    >>> truth = two_by_two(images, np.random.default_rng(0), exact=True)[0].truth
    >>> {r["model"]: round(r["value"], 1) for r in truth if r["unit"] == "points"}
    {'architecture': 0.0, 'paradigm': -6.0, 'interaction': 8.0}
    """
    n, labels = len(images), images["label"].to_numpy()
    shared = rng.standard_normal(n)
    observers, shares = {}, []
    for model, accuracy in accuracies.items():
        latent = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.standard_normal(n)
        right = latent.argsort().argsort() < round(accuracy * n) if exact else latent < ndtri(accuracy)
        shares.append(float(right.mean()) if exact else accuracy)
        observers[model] = predictions(images, right, accuracy, wrong_classes(labels, rng))
    effects = _effects(np.array(shares), dataset, view, n)
    return [
        Planted(model, view, frame, (row(model, dataset, view, "accuracy", 100 * share, "percent", n), *effects))
        for (model, frame), share in zip(observers.items(), shares, strict=True)
    ]


def _effects(shares: np.ndarray, dataset: str, view: str, n: int) -> list[dict]:
    scales = (("accuracy", "points", 100 * shares), ("accuracy_log_odds", "log_odds", logit(shares)))
    return [
        row(name, dataset, view, metric, float(np.dot(weights, values)), unit, n)
        for metric, unit, values in scales
        for name, weights in EFFECTS.items()
    ]
