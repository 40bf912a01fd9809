"""Section 4: observers whose stated confidence is off by a known amount."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table

DATASET = "demo_val"
SHOWN = ("ece", "signed_gap", "accuracy", "mean_confidence")


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """ECE, signed gap, accuracy and mean confidence of seven observers, planted against measured.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> set(frame.metric) <= set(SHOWN)
    True
    """
    images = factor_table(demo_set("val"))
    observers = [
        planted.known_ece(images, 0.0, rng, model="planted_calibrated"),
        planted.known_ece(images, 0.06, rng, model="planted_over"),
        planted.known_ece(images, -0.03, rng, model="planted_under"),
        planted.known_ece(images, 0.03, rng, alternating=True, model="planted_alternating"),
        planted.with_temperature(images, 1.6, rng, model="planted_temperature_1.6"),
        planted.constant_observer(images),
        planted.perfect_observer(images),
    ]
    frames = {observer.model: observer.frame for observer in observers}
    rows = stats.calibration_rows(frames, rng, n_resamples, DATASET, observers[0].view, pairs=[])
    return planted.against(planted.truth_rows(observers), rows[rows.metric.isin(SHOWN)])
