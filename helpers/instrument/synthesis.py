"""Section 10: four observers with a known difference of differences, in points and in log-odds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table
from helpers.paper.lookup import index_rows
from helpers.paper.two_by_two import effect_rows

DATASET = "demo_val"
# By place in the 2x2: no interaction in points; none in log-odds; one of each sign.
TABLES = {
    "planted_additive": (0.80, 0.76, 0.74, 0.70),
    "planted_crossed": (0.80, 0.76, 0.70, 0.74),
    "planted_ceiling": (0.50, 0.60, 0.90, 0.97),
}
PLACES = ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip")


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Architecture, paradigm and interaction of three planted 2x2 tables, planted against measured.

    Rows go the whole way of the section: answers to result rows, result rows to the effects of the 2x2. In the last
    table the interaction has another sign in log-odds than in points, and the flag of that is checked too.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(set(frame.metric)), bool((frame.difference.abs() < 15).all())
    (['accuracy', 'accuracy_log_odds', 'accuracy_scale_dependent'], True)
    """
    images = factor_table(demo_set("val"))
    return pd.concat([_one(images, name, cells, rng, n_resamples) for name, cells in TABLES.items()], ignore_index=True)


def _one(images: pd.DataFrame, name: str, cells: tuple, rng: np.random.Generator, n_resamples: int) -> pd.DataFrame:
    observers = planted.two_by_two(images, rng, dict(zip(PLACES, cells, strict=True)), dataset=DATASET)
    frames = {observer.model: observer.frame for observer in observers}
    rows = stats.accuracy_rows(frames, rng, n_resamples, DATASET, "demo.eval")
    found = effect_rows(index_rows(rows), observers[0].view)
    truth = [each for each in planted.truth_rows(observers) if each["model"] in stats.EFFECTS]
    sizes = {each["metric"]: each["value"] for each in truth if each["model"] == "interaction"}
    points, odds = sizes["accuracy"], sizes["accuracy_log_odds"]
    if min(abs(points), 10 * abs(odds)) > 1:  # of an interaction of zero no sign can be right
        flag = {"model": "interaction", "metric": "accuracy_scale_dependent", "value": float(points * odds < 0)}
        truth.append({**truth[0], **flag, "unit": "count"})
    found = found.assign(dataset=DATASET)
    frame = planted.against(truth, found)
    return frame.assign(model=[f"{name}: {effect}" for effect in frame.model])
