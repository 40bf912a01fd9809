"""Result rows of accuracy: overall, per group, paired contrasts, McNemar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions, top5_correct
from helpers.stats.contrasts import pairs_among
from helpers.stats.estimates import Estimates, finished, scale_flag_rows, share_contrast_rows, value_rows
from helpers.stats.intervals import wilson_interval
from helpers.stats.resample import image_weights, joint_cells, resampled_counts, right_alone, units_in
from helpers.stats.tests import mcnemar

CHUNK = 250  # resamples at a time: weights of 250 x 50,000 units are 50 MB


def accuracy_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet1k_val",
    view: str = "released.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    clusters: pd.Series | None = None,
    resampled: str = "image",
    metric: str = "accuracy",
) -> pd.DataFrame:
    """Accuracy in percent, "overall" and per value of column `group`; pairs and the 2x2 in points and log-odds.

    Plain images: Wilson intervals for models, paired bootstrap for contrasts (see `pair_rows` for models that differ on
    few images), and `mcnemar_p` (overall, a fraction).
    `clusters`: source image, asset, ... by image_id (several rows of one cluster are drawn together; name it in
    `resampled`): cluster bootstrap for all, no McNemar. metric: accuracy, or top5_accuracy (column top5).

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [1, 2]})
    >>> rows = accuracy_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> float(rows.value[0]), round(float(rows.ci_low[0]), 1), rows.unit[0]
    (50.0, 9.5, 'percent')
    """
    if not predictions_by_model:
        return finished([])
    right, codes, names = correct_by_group(predictions_by_model, metric)
    several, units, alone = len(names) > 1, None, None
    if clusters is None:
        k, n, k_samples, n_samples = plain_counts(right.to_numpy(), codes, len(names), n_resamples, rng)
        alone = right_alone(right.to_numpy(), codes, len(names))
        alone = np.concatenate([alone, alone.sum(axis=0, keepdims=True)]) if several else alone
    else:
        unit = clusters.reindex(right.index).to_numpy()
        k, n, k_samples, n_samples = clustered_counts(right.to_numpy(), codes, len(names), unit, n_resamples, rng)
        there = units_in(unit, codes, len(names))
        units = np.append(there.sum(axis=0), len(there)) if several else there.sum(axis=0)
    groups = (*names, "overall") if several else ("overall",)
    k, k_samples = (_with_total(each, several) for each in (k, k_samples))
    n, n_samples = (_with_total(each, several) for each in (n[:, None], n_samples[..., None]))
    each = Estimates(
        metric, "percent", dataset, view, resampled, tuple(right.columns), groups,
        (k / n).T, np.swapaxes(_share(k_samples, n_samples), 1, 2), np.broadcast_to(n, k.shape).T, n[:, 0],
        units, alone,
    )  # fmt: skip
    rows = value_rows(each, None if clusters is not None else lambda values, _: wilson_interval(k.T, n.T))
    rows += share_contrast_rows(each, pairs) + scale_flag_rows(each)
    return finished(rows if clusters is not None else rows + _mcnemar_rows(right, each, pairs))


def correct_by_group(
    predictions_by_model: Mapping[str, pd.DataFrame], metric: str = "accuracy"
) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Right or wrong on the common images (images, models), the group code of each image, the groups' names."""
    frames = dict(predictions_by_model)
    if metric == "top5_accuracy":
        frames = {key: frame.assign(hit=top5_correct(frame)) for key, frame in frames.items()}
    right = align_predictions(frames, "hit" if metric == "top5_accuracy" else "correct").astype(bool)
    first = next(iter(frames.values()))
    if "group" not in first or first["group"].isna().all():
        return right, np.zeros(len(right), dtype=np.int64), ["overall"]
    codes, names = pd.factorize(first.set_index("image_id")["group"].reindex(right.index), sort=True)
    return right, codes, list(map(str, names))


def plain_counts(right, codes, n_groups, n_resamples, rng) -> tuple[np.ndarray, ...]:
    """Right answers (groups, models) and images (groups,), seen and resampled image by image (resamples, ...)."""
    cells, patterns = joint_cells(right, codes, n_groups)
    drawn = resampled_counts(cells, n_resamples, rng)
    return cells @ patterns, cells.sum(axis=1), drawn @ patterns, drawn.sum(axis=2)


def clustered_counts(right, codes, n_groups, unit, n_resamples, rng) -> tuple[np.ndarray, ...]:
    """As `plain_counts`, drawing whole clusters (unit: the cluster of each image)."""
    cluster, found = pd.factorize(unit)
    models = right.shape[1]
    cell, size = cluster * n_groups + codes, len(found) * n_groups
    columns = [np.bincount(cell, weights=column, minlength=size) for column in (*right.T, np.ones(len(right)))]
    table = np.stack(columns, axis=1).astype(np.float32).reshape(len(found), n_groups, models + 1)
    flat, parts = table.reshape(len(found), -1), []
    for start in range(0, n_resamples, CHUNK):
        parts.append(image_weights(len(found), min(CHUNK, n_resamples - start), rng) @ flat)
    drawn, total = np.concatenate(parts).reshape(-1, n_groups, models + 1), table.sum(axis=0, dtype=np.float64)
    return total[:, :-1], total[:, -1], drawn[..., :-1], drawn[..., -1]


def _with_total(counts: np.ndarray, several: bool) -> np.ndarray:
    """Append the sum over groups (the axis before the last)."""
    return np.concatenate([counts, counts.sum(axis=-2, keepdims=True)], axis=-2) if several else counts


def _share(successes: np.ndarray, n: np.ndarray) -> np.ndarray:
    return successes / np.where(n > 0, n, np.nan)


def _mcnemar_rows(right: pd.DataFrame, each: Estimates, pairs) -> list[dict]:
    base = {
        "dataset": each.dataset, "view": each.view, "metric": "mcnemar_p", "group": "overall", "n": len(right),
        "unit": "fraction", "resampled": "none",
    }  # fmt: skip
    rows = []
    for first, second in pairs_among(right.columns, pairs):
        only_first, only_second = (right[a] & ~right[b] for a, b in ((first, second), (second, first)))
        value = mcnemar(int(only_first.sum()), int(only_second.sum()))
        rows.append({**base, "model": f"{first} - {second}", "value": value})
    return rows
