"""Section 9's instrument check: feature sets with a known CKA, through the section's own estimator and intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats
from helpers.demo.planted.common import against
from helpers.demo.planted.features import DATASET, VIEW, FeaturePair, feature_pairs
from helpers.similarity import Similarity, all_hsics, between, gram, within

BATCHES, BATCH_SIZE = 8, 64  # those of the demo's drawings


def check(rng: np.random.Generator, n_resamples: int = 0) -> pd.DataFrame:
    """Planted CKA beside the CKA measured on 8 batches of 64: identical, rotated, scaled, mixed, independent features.

    Columns of result rows, with planted, difference and inside. The intervals are a jackknife's: `n_resamples` is not
    used.

    >>> found = check(np.random.default_rng(0)); len(found), bool(found.difference.abs().max() < 0.05)
    (8, True)
    """
    pairs = feature_pairs(BATCHES * BATCH_SIZE, rng)
    measured = pd.concat([stats.similarity_rows(measure(pair), DATASET, VIEW) for pair in pairs])
    return against([pair.truth() for pair in pairs], measured)


def measure(pair: FeaturePair, batch_size: int = BATCH_SIZE) -> dict[tuple[str, str], Similarity]:
    """Each feature set as the one layer of a model, seen in batches."""
    sets = {"features": pair.first, pair.name: pair.second}
    starts = range(0, len(pair.first), batch_size)
    cut = [[each[start : start + batch_size] for each in sets.values()] for start in starts]
    hsics = np.stack([all_hsics(np.stack([gram(part) for part in parts])) for parts in cut])
    own = [
        within(name, "vit", {"features": "rest"}, hsics[:, i : i + 1, i : i + 1], batch_size)
        for i, name in enumerate(sets)
    ]
    return {tuple(sets): between(*own, hsics[:, :1, 1:])}
