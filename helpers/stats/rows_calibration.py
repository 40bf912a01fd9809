"""Result rows of section 4: ECE with what it is worth at this n, the signed gap, and the reliability diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from helpers.metrics import calibration
from helpers.metrics.basics import align_predictions
from helpers.metrics.recalibration import cross_fitted
from helpers.stats.estimates import Estimates, factorial_rows, finished, pair_rows, value_rows
from helpers.stats.intervals import basic_interval, percentile_interval, wilson_interval
from helpers.stats.resample import image_weights

CHUNK = 250  # resamples at a time: weights of 250 x 50,000 images are 50 MB
OVERALL = "overall"


def calibration_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet1k_val",
    view: str = "released.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    n_bins: int = calibration.N_BINS,
) -> pd.DataFrame:
    """Top-1 calibration of each model, group "overall", fractions; bins as groups "bin:01"... Contrasts are paired.

    ece, adaptive_ece (basic intervals), ece_debiased (normal interval), ece_if_calibrated (mean and central 95 % of a
    perfectly calibrated model), signed_gap (percentile), accuracy (percent), mean_confidence, brier_top1,
    confidence_zero (count: images in no bin), bin_share, bin_confidence, bin_accuracy (Wilson).
    Source: Guo et al. 2017.

    >>> frame = pd.DataFrame({"image_id": list("abcdef"), "label": [[1]] * 6, "pred": [1, 1, 2, 1, 1, 2],
    ...                       "confidence": [0.9, 0.8, 0.7, 0.9, 0.8, 0.7]})
    >>> rows = calibration_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> rows[rows.metric == "signed_gap"].value.round(3).tolist()
    [0.133]
    """
    if not predictions_by_model:
        return finished([])
    right = align_predictions(predictions_by_model, "correct").astype(bool)
    stated = align_predictions(predictions_by_model, "confidence").astype(float)
    meta = partial(_estimates, dataset=dataset, view=view, models=tuple(right.columns), n=len(right))
    edges = {"ece": [calibration.equal_width_edges(n_bins)] * right.shape[1]}
    edges["adaptive_ece"] = [calibration.equal_mass_edges(stated[model].to_numpy(), n_bins) for model in stated]
    rows = []
    samples = error_samples(stated.to_numpy(), right.to_numpy(), edges, n_resamples, rng)
    for metric, (values, draws) in samples.items():
        each = meta(metric, values, draws)
        interval = None if metric == "signed_gap" else partial(basic_interval, floor=0.0)
        rows += value_rows(each, interval)
        contrast = None if metric == "signed_gap" else basic_interval
        rows += pair_rows(each, pairs, contrast) + factorial_rows(each, contrast)
    spread = samples["ece"][1].std(axis=0)
    for i, model in enumerate(right):
        rows += _model_rows(model, stated[model].to_numpy(), right[model].to_numpy(), spread[i], n_bins, rng, meta)
    return finished(rows)


def error_samples(
    confidence: np.ndarray, correct: np.ndarray, edges: dict[str, list[np.ndarray]], n_resamples: int, rng
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Values (models,) and resamples (resamples, models) of ECE under each kind of bins, and of the signed gap.

    confidence, correct: (images, models); edges: per metric the bin edges of each model. ECE needs only the sums of
    (confidence - correct) per bin: one matrix product of the weights serves all models, bins and metrics.

    >>> one, right = np.array([[0.9], [0.9]]), np.array([[True], [False]])
    >>> found = error_samples(one, right, {"ece": [np.array([0, 0.5, 1])]}, 5, np.random.default_rng(0))
    >>> found["ece"][0].round(3).tolist(), found["ece"][1].shape
    ([0.4], (5, 1))
    """
    gap = (confidence - correct).astype(np.float32)
    blocks = [("signed_gap", m, gap[:, [m]]) for m in range(gap.shape[1])]
    for metric, edges_of in edges.items():
        blocks += [(metric, m, _by_bin(gap[:, m], confidence[:, m], each)) for m, each in enumerate(edges_of)]
    columns = np.concatenate([block for *_, block in blocks], axis=1)
    n, results = len(gap), {name: [] for name in ("signed_gap", *edges)}
    seen = _summarised(np.ones((1, n), np.float32) @ columns.astype(np.float64) / n, blocks)
    drawn = []
    for start in range(0, n_resamples, CHUNK):
        weights = image_weights(n, min(CHUNK, n_resamples - start), rng)
        drawn.append(_summarised(weights @ columns / n, blocks))
    for name in results:
        results[name] = (seen[name][0], np.concatenate([part[name] for part in drawn]))
    return {name: results[name] for name in (*edges, "signed_gap")}


def recalibrated_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet1k_val",
    view: str = "released.eval",
    folds: int = 5,
) -> pd.DataFrame:
    """ECE left after a monotone, cross-fitted recalibration of the top-1 confidences: metric ece_after_isotonic.

    Basic interval over images, the maps kept fixed. What remains is noise of the size of ece_if_calibrated, unless
    the bins hide more.

    >>> frame = pd.DataFrame({"image_id": list("abcdef"), "label": [[1]] * 6, "pred": [1, 1, 2, 1, 1, 2],
    ...                       "confidence": [0.9, 0.8, 0.7, 0.9, 0.8, 0.7]})
    >>> rows = recalibrated_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20, folds=2)
    >>> rows.metric.tolist()
    ['ece_after_isotonic']
    """
    if not predictions_by_model:
        return finished([])
    right = align_predictions(predictions_by_model, "correct").astype(bool)
    stated = align_predictions(predictions_by_model, "confidence").astype(float)
    mapped = np.column_stack([cross_fitted(stated[model], right[model], rng, folds) for model in right])
    edges = {"ece_after_isotonic": [calibration.equal_width_edges()] * right.shape[1]}
    samples = error_samples(mapped, right.to_numpy(), edges, n_resamples, rng)
    values, draws = samples["ece_after_isotonic"]
    each = _estimates("ece_after_isotonic", values, draws, dataset, view, tuple(right.columns), len(right))
    return finished(value_rows(each, partial(basic_interval, floor=0.0)))


def _by_bin(gap: np.ndarray, confidence: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The gap of each image in the column of its bin: float32 (images, bins)."""
    index = calibration.bin_index(confidence, edges)
    columns = np.zeros((len(gap), len(edges) - 1), dtype=np.float32)
    kept = np.flatnonzero(index >= 0)
    columns[kept, index[kept]] = gap[kept]
    return columns


def _summarised(sums: np.ndarray, blocks: list) -> dict[str, np.ndarray]:
    """Sum of absolute bin sums per metric and model (the plain sum for the signed gap): (resamples, models)."""
    summaries, at = {}, 0
    for metric, _, block in blocks:
        part = sums[:, at : at + block.shape[1]]
        summaries.setdefault(metric, []).append(part[:, 0] if metric == "signed_gap" else np.abs(part).sum(axis=1))
        at += block.shape[1]
    return {metric: np.stack(parts, axis=1) for metric, parts in summaries.items()}


def _estimates(metric, values, samples, dataset, view, models, n, unit="fraction", resampled="image", groups=None):
    groups = (OVERALL,) if groups is None else groups
    values = np.asarray(values, dtype=float).reshape(len(models), len(groups))
    counts = np.broadcast_to(np.asarray(n), values.shape)
    samples = np.zeros((0, *values.shape)) if samples is None else samples.reshape(-1, *values.shape)
    return Estimates(metric, unit, dataset, view, resampled, models, groups, values, samples, counts, counts[0])


def _model_rows(model, confidence, correct, spread, n_bins, rng, meta) -> list[dict]:
    """Rows of one model that need no resampling of images."""
    n, one = len(confidence), partial(meta, models=(model,))
    edges = calibration.equal_width_edges(n_bins)
    debiased = calibration.debiased_ece(confidence, correct, edges)
    floor = calibration.ece_if_calibrated(confidence, rng, edges=edges)
    ends = percentile_interval(floor)
    shares = wilson_interval(correct.sum(), n)
    given = [
        (one("ece_debiased", debiased, None), max(debiased - 1.96 * spread, 0.0), debiased + 1.96 * spread),
        (one("ece_if_calibrated", floor.mean(), None, resampled="label"), *ends),
        (one("accuracy", correct.mean(), None, unit="percent"), *shares),
        (one("mean_confidence", confidence.mean(), None, resampled="none"), None, None),
        (one("brier_top1", calibration.brier_top1(confidence, correct), None, resampled="none"), None, None),
        (one("confidence_zero", float((confidence == 0).sum()), None, unit="count", resampled="none"), None, None),
    ]
    rows = []
    for estimates, low, high in given:
        rows += value_rows(estimates, _fixed(low, high))
    return rows + _bin_rows(calibration.reliability_table(confidence, correct, edges), n, one)


def _bin_rows(table: pd.DataFrame, n: int, one) -> list[dict]:
    groups = tuple(f"bin:{index:02d}" for index in table.index)
    counts = table["n"].to_numpy()[None]
    with_bins = partial(one, groups=groups)
    low, high = wilson_interval(np.nan_to_num(table["accuracy"]) * table["n"], table["n"])
    rows = value_rows(with_bins("bin_share", table["share"], None, n=n, resampled="none"), _fixed(None, None))
    rows += value_rows(
        with_bins("bin_confidence", table["confidence"], None, n=counts, resampled="none"), _fixed(None, None)
    )
    return rows + value_rows(with_bins("bin_accuracy", table["accuracy"], None, n=counts), _fixed(low, high))


def _fixed(low, high):
    """An interval that is already known, as the function that `value_rows` asks for."""

    def interval(values: np.ndarray, _) -> tuple[np.ndarray, np.ndarray]:
        ends = (np.nan if end is None else np.asarray(end, dtype=float) for end in (low, high))
        return tuple(np.broadcast_to(end, values.shape) for end in ends)

    return interval
