"""Result rows of a filter's effect: how a contrast differs between two sets that two networks chose from one pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions
from helpers.stats.estimates import Estimates, finished, pair_rows
from helpers.stats.resample import joint_cells, resampled_counts

METRIC = "contrast_moved"
MEMBERS = np.array([[0, 1, 0, 1], [0, 0, 1, 1]])  # (sets, codes): 1 of the first set only, 2 of the second, 3 of both


def filter_rows(
    first: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame], rng: np.random.Generator,
    n_resamples: int = 2000, first_dataset: str = "demo_a_convnet", second_dataset: str = "demo_a_vit",
    view: str = "paper.eval", pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """contrast_moved: a pair's difference in accuracy on the second set minus that on the first (points).

    first, second: predictions by model. Images of either set are resampled together, paired over models; an image of
    both sets counts in both, so that what they share is no independent evidence. n: images of either set.

    >>> right, wrong = ({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [pred, 1]} for pred in (1, 2))
    >>> one = {"vit_sup": pd.DataFrame(right), "convnext_sup": pd.DataFrame(wrong)}
    >>> other = {model: frame.assign(image_id=["v", "w"]) for model, frame in zip(one, list(one.values())[::-1])}
    >>> filter_rows(one, other, np.random.default_rng(0), 20)[["model", "value", "n"]].values.tolist()
    [['vit_sup - convnext_sup', -100.0, 4]]
    """
    models = [model for model in first if model in second]
    if not models:
        return finished([])
    seen = [align_predictions({m: part[m] for m in models}, "correct").astype(bool) for part in (first, second)]
    union = pd.concat(seen)
    union = union[~union.index.duplicated()]
    codes = union.index.isin(seen[0].index) + 2 * union.index.isin(seen[1].index)
    cells, patterns = joint_cells(union.to_numpy(), codes, len(MEMBERS[0]))
    values, samples = (_moved(each, patterns) for each in (cells, resampled_counts(cells, n_resamples, rng)))
    n = np.array([len(union)])
    each = Estimates(
        METRIC, "percent", second_dataset, view, "image", tuple(union.columns), (f"minus_{first_dataset}",),
        values[:, None], samples[..., None], np.broadcast_to(n, (len(union.columns), 1)), n,
    )  # fmt: skip
    return finished(pair_rows(each, pairs))


def _moved(cells: np.ndarray, patterns: np.ndarray) -> np.ndarray:
    """Accuracy on the second set minus the first (..., models) from counts (..., codes, patterns)."""
    in_set = np.einsum("sc,...cp->s...p", MEMBERS, cells)
    images = in_set.sum(axis=-1, keepdims=True)
    share = in_set @ patterns / np.where(images > 0, images, np.nan)
    return share[1] - share[0]
