"""Result rows of section 8: accuracy, probability of the true class and consistency along the three sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions
from helpers.stats.estimates import Estimates, factorial_rows, finished, pair_rows, share_contrast_rows, value_rows
from helpers.stats.intervals import wilson_interval
from helpers.stats.resample import image_weights
from helpers.views import UNDISTORTED, sweep_setting

OVERALL, IMAGE = "overall", "source image"
CHUNK = 250  # resamples at a time: weights of 250 x 50,000 images are 50 MB
ACCURACY, PROBABILITY, CONSISTENCY, DROP = "accuracy", "probability", "consistency", "largest_drop"
EASIEST = "shift"  # the transform that the others are set against


def invariance_rows(
    frames_by_view: Mapping[str, Mapping[str, pd.DataFrame]],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet1k_val",
    reference: str = "paper.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Rows per view: accuracy (percent), probability (mean p_true) and consistency (fractions), with paired contrasts.

    frames_by_view: view id -> model -> predictions frame of the same images. consistency: the prediction is that under
    `reference`. largest_drop (points, group a transform): accuracy at the undistorted setting minus that at the worst
    one, which is held fixed at the worst one seen; group "scale - shift": one drop minus the other. One draw of source
    images serves all views and models. Wilson intervals for accuracy. Source: paper, section 4.6.

    >>> seen = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [2]], "pred": [1, 2], "p_true": [0.9, 0.8]})
    >>> moved = seen.assign(pred=[1, 7], p_true=[0.7, 0.1])
    >>> views = {"paper.eval": seen, "paper.shift-0": seen, "paper.shift-8": moved}
    >>> views = {view: {"vit_sup": frame} for view, frame in views.items()}
    >>> rows = invariance_rows(views, np.random.default_rng(0), n_resamples=20)
    >>> rows[rows["view"] == "paper.shift-8"].set_index("metric").value.round(3).to_dict()
    {'accuracy': 50.0, 'probability': 0.4, 'consistency': 0.5}
    >>> rows[rows.metric == "largest_drop"][["group", "value"]].values.tolist()
    [['shift', 50.0]]
    """
    frames = {view: dict(found) for view, found in frames_by_view.items() if found}
    if reference not in frames:
        return finished([])
    models = [model for model in frames[reference] if all(model in found for found in frames.values())]
    if not models:
        return finished([])
    views, columns = list(frames), _columns(frames, models, reference)
    values, samples = _resampled(columns, n_resamples, rng)
    n = len(next(iter(columns.values())))
    by_view, rows = {}, []
    for view in views:
        for metric in (ACCURACY, PROBABILITY, CONSISTENCY):
            at = list(columns).index((view, metric)) if (view, metric) in columns else None
            if at is None:
                continue
            each = _estimates(metric, dataset, view, models, values[at], samples[:, at], n)
            by_view[view, metric] = each
            rows += _rows_of(each, n, pairs)
    return finished(rows + drop_rows({view: by_view[view, ACCURACY] for view in views}, reference, pairs))


def _columns(frames, models, reference) -> dict[tuple[str, str], np.ndarray]:
    """Per view and metric an array (images, models), over the images that all views and models have."""
    everything = {(view, model): frames[view][model] for view in frames for model in models}
    pred = align_predictions(everything, "pred")
    right, stated = (align_predictions(everything, name) for name in ("correct", "p_true"))
    found = {}
    for view in frames:
        keys = [(view, model) for model in models]
        first = pred[[(reference, model) for model in models]].to_numpy()
        found[view, ACCURACY] = right[keys].to_numpy(dtype=float)
        found[view, PROBABILITY] = stated[keys].to_numpy(dtype=float)
        if view != reference:
            found[view, CONSISTENCY] = (pred[keys].to_numpy() == first).astype(float)
    return found


def _resampled(columns: Mapping, n_resamples: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Means (columns, models) and their resamples (resamples, columns, models)."""
    table = np.stack(list(columns.values()), axis=1)
    n, *shape = table.shape
    flat, drawn = table.reshape(n, -1).astype(np.float32), [np.zeros((0, table[0].size))]
    for start in range(0, n_resamples, CHUNK):
        drawn.append(image_weights(n, min(CHUNK, n_resamples - start), rng) @ flat / n)
    return table.mean(axis=0), np.concatenate(drawn).reshape(-1, *shape)


def _estimates(metric, dataset, view, models, values, samples, n) -> Estimates:
    unit = "percent" if metric == ACCURACY else "fraction"
    counts = np.full((len(models), 1), n)
    return Estimates(
        metric, unit, dataset, view, IMAGE, tuple(models), (OVERALL,), values[:, None], samples[..., None], counts,
        counts[0],
    )  # fmt: skip


def _rows_of(each: Estimates, n: int, pairs) -> list[dict]:
    if each.metric == ACCURACY:
        return value_rows(each, lambda values, _: wilson_interval(values * n, n)) + share_contrast_rows(each, pairs)
    return value_rows(each) + pair_rows(each, pairs) + factorial_rows(each)


def drop_rows(accuracies: Mapping[str, Estimates], reference: str, pairs=None) -> list[dict]:
    """Rows of largest_drop from the accuracies by view: per transform, and one transform minus the easiest one."""
    drops = {}
    for transform, starts in UNDISTORTED.items():
        found = {
            setting[1]: each
            for view, each in accuracies.items()
            if (setting := sweep_setting(view)) and setting[0] == transform
        }
        start = next((found.pop(level) for level in starts if level in found), None)
        if start is None or not found:
            continue
        others = list(found.values())
        worst = np.argmin([each.values[:, 0] for each in others], axis=0)
        picked = range(len(worst)), worst
        values = start.values[:, 0] - np.stack([each.values[:, 0] for each in others], axis=1)[picked]
        samples = start.samples[:, :, 0] - np.stack([e.samples[:, :, 0] for e in others], axis=2)[:, *picked]
        drops[transform] = values, samples
    for transform in [name for name in drops if name != EASIEST and EASIEST in drops]:
        drops[f"{transform} - {EASIEST}"] = tuple(a - b for a, b in zip(drops[transform], drops[EASIEST], strict=True))
    if not drops:
        return []
    one = accuracies[reference]
    groups, shape = tuple(drops), (len(one.models), len(drops))
    whole = replace(
        one, metric=DROP, unit="points", groups=groups, values=np.stack([v for v, _ in drops.values()], axis=1),
        samples=np.stack([s for _, s in drops.values()], axis=2), n=np.broadcast_to(one.n, shape),
        n_paired=np.broadcast_to(one.n_paired, (len(groups),)),
    )  # fmt: skip
    return value_rows(whole) + pair_rows(whole, pairs)
