"""Corruptions: observers whose accuracy at every corruption and severity is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers.demo.planted.common import Planted, predictions, row, wrong_classes
from helpers.errors import BookError


def falling(start: Mapping[str, float], slope: float, severities: int = 5) -> dict[str, float]:
    """Accuracies (fractions) by `corruption:severity` that fall by `slope` a step, from `start` at severity 1.

    >>> {name: round(value, 2) for name, value in falling({"fog": 0.8}, 0.1, severities=3).items()}
    {'fog:1': 0.8, 'fog:2': 0.7, 'fog:3': 0.6}
    """
    steps = range(1, severities + 1)
    return {f"{name}:{step}": first - slope * (step - 1) for name, first in start.items() for step in steps}


def corruption_response(
    images: pd.DataFrame,
    accuracies: Mapping[str, Mapping[str, float]],
    rng: np.random.Generator,
    correlation: float = 0.5,
    exact: bool = False,
    baseline: Mapping[str, float] | None = None,
    dataset: str = "demo_c",
    view: str = "planted.eval",
) -> list[Planted]:
    """Observers on corrupted versions of source images: model -> `corruption:severity` -> accuracy (fraction).

    `correlation`: of the difficulty between two versions of one source image, and between observers, which is why
    sources have to be resampled and not versions. `baseline`: error (percent) by corruption, which mce divides by.
    Truth per observer: accuracy per condition, per corruption, per `severity_<k>` and overall (means over conditions),
    severity_slope (points per step) and mce. Image ids are `<corruption>/<severity>/<source>`.
    Raises BookError for an accuracy outside [0, 1].

    >>> images = pd.DataFrame({"image_id": [str(i) for i in range(10)], "label": 0})
    >>> planted = {"vit_sup": falling({"fog": 0.9}, 0.2, severities=2)}
    >>> seen = corruption_response(images, planted, np.random.default_rng(0), exact=True)[0]
    >>> {r["group"]: round(r["value"], 6) for r in seen.truth if r["metric"] == "accuracy"}
    {'fog:1': 90.0, 'fog:2': 70.0, 'fog': 80.0, 'severity_1': 90.0, 'severity_2': 70.0, 'overall': 80.0}
    """
    difficulty = rng.standard_normal(len(images))
    found = []
    for model, planted in accuracies.items():
        frames, shares = [], {}
        for condition, accuracy in planted.items():
            if not 0 <= accuracy <= 1:
                raise BookError(f"planted accuracy {accuracy:g} at {condition}", "a number in 0 to 1", "plant less")
            noise = rng.standard_normal(len(images))
            latent = np.sqrt(correlation) * difficulty + np.sqrt(1 - correlation) * noise
            right = latent.argsort().argsort() < round(accuracy * len(images)) if exact else latent < ndtri(accuracy)
            shares[condition] = float(right.mean()) if exact else accuracy
            frames.append(_frame(images, condition, right, accuracy, rng))
        truth = _truth(shares, baseline, (model, dataset, view), len(images))
        found.append(Planted(model, view, pd.concat(frames, ignore_index=True), tuple(truth)))
    return found


def _frame(images: pd.DataFrame, condition: str, right: np.ndarray, accuracy: float, rng) -> pd.DataFrame:
    frame = predictions(images, right, accuracy, wrong_classes(images["label"].to_numpy(), rng))
    folder = condition.replace(":", "/")
    return frame.assign(image_id=[f"{folder}/{name}" for name in frame["image_id"]], group=condition)


def _truth(shares: Mapping[str, float], baseline: Mapping[str, float] | None, where, n: int) -> list[dict]:
    table = pd.DataFrame(
        [(*name.split(":"), share) for name, share in shares.items()], columns=["name", "step", "share"]
    )
    by_name, by_step = (table.groupby(each, sort=False).share.mean() for each in ("name", "step"))
    means = {**by_name, **{f"severity_{step}": share for step, share in by_step.items()}, "overall": table.share.mean()}
    rows = [row(*where, "accuracy", 100 * share, "percent", n, group) for group, share in {**shares, **means}.items()]
    if table.step.nunique() > 1:
        wide = table.pivot(index="name", columns="step", values="share").loc[by_name.index]
        slopes = dict(zip(wide.index, np.polyfit(wide.columns.astype(int), wide.to_numpy().T, 1)[0], strict=True))
        slopes["overall"] = float(np.mean(list(slopes.values())))
        rows += [row(*where, "severity_slope", 100 * slope, "points", n, name) for name, slope in slopes.items()]
    if baseline is not None:
        errors = {name: 1e4 * (1 - share) / baseline[name] for name, share in by_name.items()}
        errors["overall"] = float(np.mean(list(errors.values())))
        rows += [row(*where, "mce", value, "percent", n, name) for name, value in errors.items()]
    return rows
