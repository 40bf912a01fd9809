"""Predictions of four planted observers on every set of section 5, under the ids of the paper's sets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.demo import planted
from helpers.models import MODEL_SETS
from helpers.paper.names import SHIFTED

FOUR = MODEL_SETS["paper"]
NAMES = list(metrics.alexnet_errors().index)


def rng(seed=0):
    return np.random.default_rng(seed)


def images(role, n):
    return pd.DataFrame({"image_id": [f"{role}_{i:04d}" for i in range(n)], "label": np.arange(n) % 64})


def whole_section(seed=0, n=200):
    sets = {}
    for i, role in enumerate(("val", "v2", "a", "hard", "r", "sketch", "real")):
        seen = planted.two_by_two(images(role, n), rng(seed + i), dataset=role)
        sets[role] = {each.model: each.frame for each in seen}
    accuracies = {model: planted.falling(dict.fromkeys(NAMES, 0.7), 0.1) for model in FOUR}
    seen = planted.corruption_response(images("val", 30), accuracies, rng(seed + 9))
    sets["c"] = {each.model: each.frame for each in seen}
    names = dict(zip(("v2", "a", "c", "hard", "r", "sketch", "real"), SHIFTED, strict=True))
    return sets, {"val": "imagenet1k_val", **names}
