"""Section 3: observers that follow the material with a known probability, and pairs that share errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table

DATASET, VIEW = "demo_cue_conflict", "planted.eval"
SHARES = (0.1, 0.35, 0.6, 0.9)  # of texture among decisions for either cue


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Shape bias of four observers and Cohen's kappa of two pairs, planted against measured.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['kappa', 'shape_bias']
    """
    images = factor_table(demo_set("cue_conflict"))
    cues = [planted.texture_share(images, share, rng, model=f"planted_texture_{share:g}") for share in SHARES]
    frames = {observer.model: observer.frame for observer in cues}
    shape = stats.shape_rows(frames, rng, n_resamples, DATASET, VIEW, pairs=[])
    tables = [planted.against(planted.truth_rows(cues), shape[shape.group == "overall"])]
    for kappa in (0.2, 0.6):
        names = (f"planted_original_{kappa:g}", f"planted_copy_{kappa:g}")
        pair = planted.copied_errors(images, kappa, rng, models=names)
        rows = stats.agreement_rows({each.model: each.frame for each in pair}, rng, n_resamples, DATASET, VIEW)
        tables.append(planted.against(planted.truth_rows(pair), rows[rows.group == "conflict"]))
    return pd.concat(tables, ignore_index=True)
