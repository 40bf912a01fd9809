"""Section 2: observers whose error differs between the sixteen factors by known ratios."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table

DATASET = "demo_val"


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Error ratios per factor and accuracy of one uneven and one even observer, planted against measured.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'error_ratio']
    """
    images = factor_table(demo_set("val"))
    observers = [
        planted.factor_errors(images, rng, model="planted_uneven"),
        planted.factor_errors(images, rng, relative={}, model="planted_even"),
    ]
    frames = {observer.model: observer.frame for observer in observers}
    factor_of = images.set_index("image_id").top_factor
    rows = stats.mistakes_rows(frames, rng, n_resamples, DATASET, observers[0].view, pairs=[], factor_of=factor_of)
    return planted.against(planted.truth_rows(observers), rows)
