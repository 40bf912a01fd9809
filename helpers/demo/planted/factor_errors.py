"""Mistakes: an observer whose error rate differs between top factors by known ratios."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.demo.planted.common import Planted, draw, predictions, row, wrong_classes
from helpers.demo.world.top_factors import FACTORS
from helpers.errors import BookError

# Relative error per factor, as the pages plant it: hard factors first, the rest 1.
HARD = {"multiple_objects": 2.5, "object_blocking": 2.0, "texture": 1.8, "style": 1.6, "darker": 1.4, "pose": 0.8}


def factor_errors(
    images: pd.DataFrame,
    rng: np.random.Generator,
    error: float = 0.2,
    relative: Mapping[str, float] = HARD,
    exact: bool = False,
    model: str = "planted_factor_errors",
    dataset: str = "demo_val",
    view: str = "planted.eval",
) -> Planted:
    """An observer with error rate `error` over all images and known error ratios per top factor.

    `images`: with column `top_factor`; `relative`: wished ratio per factor (1 where not named), scaled by a common
    constant so that the overall error is `error`. Truth: accuracy and error_ratio per factor, overall, mean_of_16.
    Raises BookError if a factor would need an error rate above 1.

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(100)], "label": 0,
    ...                        "top_factor": ["pose"] * 50 + ["style"] * 50})
    >>> truth = factor_errors(images, np.random.default_rng(0), 0.3, {"pose": 1, "style": 2}, exact=True).truth
    >>> {r["group"]: round(r["value"], 3) for r in truth if r["metric"] == "error_ratio"}
    {'pose': 0.667, 'style': 1.333, 'mean_of_2': 1.0}
    """
    factor = images["top_factor"].to_numpy()
    names = [name for name in FACTORS if name in set(factor)]
    n = {name: int((factor == name).sum()) for name in names}
    scale = len(images) / sum(n[name] * relative.get(name, 1.0) for name in names)
    rates = {name: error * scale * relative.get(name, 1.0) for name in names}
    if max(rates.values()) > 1:
        worst = max(rates, key=rates.__getitem__)
        remedy = "plant a smaller error or a smaller ratio"
        raise BookError(f"factor {worst}", f"an error rate of at most 1, found {rates[worst]:.2f}", remedy)
    right = np.ones(len(images), dtype=bool)
    for name in names:
        members = np.flatnonzero(factor == name)
        right[members] = ~draw(rates[name], len(members), rng, exact)
    frame = predictions(images, right, 1 - error, wrong_classes(images["label"].to_numpy(), rng))
    found = {name: float((~right[factor == name]).mean()) for name in names} if exact else rates
    overall = float((~right).mean()) if exact else error
    return Planted(model, view, frame, tuple(_truth(found, overall, n, len(images), (model, dataset, view))))


def _truth(rates: dict, overall: float, n: dict, total: int, where: tuple[str, str, str]) -> list[dict]:
    rows = [row(*where, "accuracy", 100 * (1 - rates[name]), "percent", n[name], name) for name in rates]
    rows.append(row(*where, "accuracy", 100 * (1 - overall), "percent", total))
    ratios = {name: rate / overall for name, rate in rates.items()}
    rows += [row(*where, "error_ratio", ratio, "ratio", n[name], name) for name, ratio in ratios.items()]
    rows.append(row(*where, "error_ratio", np.mean(list(ratios.values())), "ratio", total, f"mean_of_{len(ratios)}"))
    return rows
