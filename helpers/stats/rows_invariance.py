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
    images serves all views and models. A model that lacks a view lacks its sweep, and keeps the others. Wilson
    intervals for accuracy. Source: paper, section 4.6.

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
    models = _complete(frames, reference)
    if not any(models.values()):
        return finished([])
    columns = _columns(frames, models, reference)
    values, samples = _resampled(columns, n_resamples, rng)
    n = len(next(iter(columns.values())))
    accuracies, rows = {}, []
    for view, metric in columns:
        at = view, metric
        each = _estimates(metric, dataset, view, models[view], values[at], samples[at], n)
        rows += _rows_of(each, n, pairs)
        if metric == ACCURACY:
            accuracies[view] = each
    return finished(rows + drop_rows(accuracies, reference, pairs))


def _complete(frames: Mapping[str, Mapping], reference: str) -> dict[str, list[str]]:
    """{view: models that have it, the reference and every other view of its sweep}; none without the reference."""
    sweeps: dict[str, list[str]] = {}
    for view in frames:
        sweeps.setdefault((sweep_setting(view) or (view,))[0], []).append(view)
    found = {}
    for views in sweeps.values():
        whole = [m for m in frames.get(reference, ()) if all(m in frames[view] for view in views)]
        found |= dict.fromkeys(views, whole)
    return {view: found[view] for view in frames if found[view]}


def _columns(frames, models, reference) -> dict[tuple[str, str], np.ndarray]:
    """Per view and metric an array (images, its models), over the images that all these views and models have."""
    everything = {(view, model): frames[view][model] for view in models for model in models[view]}
    pred = align_predictions(everything, "pred")
    right, stated = (align_predictions(everything, name) for name in ("correct", "p_true"))
    found = {}
    for view, mine in models.items():
        keys = [(view, model) for model in mine]
        found[view, ACCURACY] = right[keys].to_numpy(dtype=float)
        found[view, PROBABILITY] = stated[keys].to_numpy(dtype=float)
        if view != reference:
            first = pred[[(reference, model) for model in mine]].to_numpy()
            found[view, CONSISTENCY] = (pred[keys].to_numpy() == first).astype(float)
    return found


def _resampled(columns: Mapping[tuple, np.ndarray], n_resamples: int, rng) -> tuple[dict, dict]:
    """Means (models,) of each column and their resamples (resamples, models), on one draw of images for all."""
    table = np.concatenate(list(columns.values()), axis=1)
    n, flat, drawn = len(table), table.astype(np.float32), [np.zeros((0, table.shape[1]))]
    for start in range(0, n_resamples, CHUNK):
        drawn.append(image_weights(n, min(CHUNK, n_resamples - start), rng) @ flat / n)
    ends = np.cumsum([each.shape[1] for each in columns.values()])[:-1]
    parts = zip(columns, np.split(table.mean(axis=0), ends), np.split(np.concatenate(drawn), ends, axis=1), strict=True)
    found = {column: (mean, samples) for column, mean, samples in parts}
    return {column: mean for column, (mean, _) in found.items()}, {c: samples for c, (_, samples) in found.items()}


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
    """Rows of largest_drop from the accuracies by view: per transform, and one transform minus the easiest one.

    A model has rows of the transforms of which it has all views.
    """
    drops = {transform: found for transform, starts in UNDISTORTED.items()
             if (found := _drop(accuracies, transform, starts))}  # fmt: skip
    for transform in [name for name in drops if name != EASIEST and EASIEST in drops]:
        both = [_of_models(drops[name], drops[other].models)
                for name, other in ((transform, EASIEST), (EASIEST, transform))]  # fmt: skip
        if both[0].models:
            drops[f"{transform} - {EASIEST}"] = replace(
                both[0], values=both[0].values - both[1].values, samples=both[0].samples - both[1].samples
            )
    rows = []
    for models in dict.fromkeys(each.models for each in drops.values()):
        mine = {group: each for group, each in drops.items() if each.models == models}
        whole = _side_by_side(mine, reference)
        rows += value_rows(whole) + pair_rows(whole, pairs)
    return rows


def _drop(accuracies: Mapping[str, Estimates], transform: str, starts: Sequence[float]) -> Estimates | None:
    """Accuracy at the undistorted setting minus that at the worst one (of each model); None where one is not there."""
    found = {setting[1]: each for view, each in accuracies.items()
             if (setting := sweep_setting(view)) and setting[0] == transform}  # fmt: skip
    start = next((found.pop(level) for level in starts if level in found), None)
    if start is None or not found:
        return None
    values, samples = (
        np.stack([getattr(each, name) for each in found.values()], axis=-1) for name in ("values", "samples")
    )
    worst = np.argmin(values[:, 0], axis=1)
    picked = range(len(worst)), 0, worst
    return replace(
        start, values=start.values - values[picked][:, None], samples=start.samples - samples[:, *picked][..., None]
    )


def _of_models(each: Estimates, models: Sequence[str]) -> Estimates:
    """The estimates of those models that are among these."""
    at = [i for i, model in enumerate(each.models) if model in models]
    return replace(
        each, models=tuple(each.models[i] for i in at), values=each.values[at], samples=each.samples[:, at],
        n=each.n[at],
    )  # fmt: skip


def _side_by_side(drops: Mapping[str, Estimates], reference: str) -> Estimates:
    """Drops of the same models as the groups of one estimate, named after the reference."""
    one = next(iter(drops.values()))
    groups, shape = tuple(drops), (len(one.models), len(drops))
    return replace(
        one, metric=DROP, unit="points", view=reference, groups=groups,
        values=np.concatenate([each.values for each in drops.values()], axis=1),
        samples=np.concatenate([each.samples for each in drops.values()], axis=2),
        n=np.broadcast_to(one.n, shape), n_paired=np.broadcast_to(one.n_paired, (len(groups),)),
    )  # fmt: skip
