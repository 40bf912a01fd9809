"""Synthetic data: an observer with a known accuracy at each level of each factor, whose errors go by asset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers.demo.planted.common import Planted, predictions, row, wrong_classes
from helpers.errors import BookError

KEPT = ("group", "level", "asset", "background")


def level_response(
    images: pd.DataFrame,
    accuracies: Mapping[tuple[str, str], float],
    rng: np.random.Generator,
    correlation: float = 0.3,
    exact: bool = False,
    model: str = "planted_levels",
    dataset: str = "demo_pug",
    view: str = "planted.eval",
) -> Planted:
    """An observer that is right with a planted probability (fraction) at each (factor, level).

    `images`: image_id, label (one class), group (factor), level, asset, background. What an image asks for is partly
    its asset's: `correlation` is that of the latent difficulty within an asset, so that images of an asset are right or
    wrong together and only an interval over assets covers. Truth: accuracy (percent) per level, factor, the mean over
    factors and all images. Raises BookError for a level without a planted accuracy.

    >>> images = pd.DataFrame({"image_id": list("abcd"), "label": 0, "group": ["Camera_Yaw"] * 2 + ["Worlds"] * 2,
    ...                        "level": ["30", "30", "sky", "sky"], "asset": list("xyxy"), "background": "sky"})
    >>> planted = {("Camera_Yaw", "30"): 0.5, ("Worlds", "sky"): 1.0}
    >>> truth = level_response(images, planted, np.random.default_rng(0), exact=True).truth
    >>> {r["group"]: r["value"] for r in truth if ":" not in r["group"]}
    {'Camera_Yaw': 50.0, 'Worlds': 100.0, 'mean_of_2': 75.0, 'overall': 75.0}
    """
    keys = list(zip(images["group"], images["level"], strict=True))
    if unknown := sorted(set(keys) - set(accuracies)):
        raise BookError(f"level {unknown[0]}", "a planted accuracy, found none", "plant every level of the set")
    wished = np.array([accuracies[key] for key in keys])
    latent = _latent(images["asset"], correlation, rng)
    right = latent < ndtri(wished)
    if exact:
        for key in set(keys):
            mine = np.flatnonzero([each == key for each in keys])
            right[mine] = latent[mine].argsort().argsort() < round(accuracies[key] * len(mine))
    frame = predictions(images, right, wished, wrong_classes(images["label"].to_numpy(), rng))
    shown = right.astype(float) if exact else wished
    return Planted(model, view, frame.assign(**images[list(KEPT)]), _truth(keys, shown, (model, dataset, view)))


def _latent(assets: pd.Series, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Standard normal difficulty of each image, correlated within an asset."""
    codes, names = pd.factorize(assets)
    common, own = rng.standard_normal(len(names))[codes], rng.standard_normal(len(codes))
    return np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own


def _truth(keys: list[tuple[str, str]], shares: np.ndarray, where: tuple[str, str, str]) -> tuple[dict, ...]:
    table = pd.DataFrame({"factor": [key[0] for key in keys], "level": [key[1] for key in keys], "share": 100 * shares})
    factors = table.groupby("factor").share
    values = {name: (value, int(n)) for name, value, n in zip(*_columns(factors), strict=True)}
    for (factor, level), part in table.groupby(["factor", "level"]).share:
        values[f"{factor}:{level}"] = part.mean(), len(part)
    if table.factor.nunique() > 1:
        values[f"mean_of_{table.factor.nunique()}"] = factors.mean().mean(), len(table)
    ordered = {name: values[name] for name in sorted(values)}
    ordered["overall"] = table.share.mean(), len(table)
    return tuple(row(*where, "accuracy", value, "percent", n, name) for name, (value, n) in ordered.items())


def _columns(groups) -> tuple:
    mean = groups.mean()
    return mean.index, mean.to_numpy(), groups.size().to_numpy()
