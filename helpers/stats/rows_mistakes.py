"""Result rows of section 2: error ratios, and the gaps that do not depend on accuracy in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.errors import BookError
from helpers.metrics.basics import align_predictions
from helpers.metrics.factors import imagenet_x_factors
from helpers.metrics.mistakes import accuracy_gap, error_ratio, factor_order, log_odds_gap
from helpers.metrics.testbed import expected_error_ratio
from helpers.stats.estimates import (
    Estimates,
    factorial_rows,
    finished,
    in_log_odds,
    one_group,
    pair_rows,
    scale_flag_rows,
    value_rows,
)
from helpers.stats.intervals import wilson_interval
from helpers.stats.resample import right_alone
from helpers.stats.rows_accuracy import plain_counts

UNITS = {"accuracy": "percent", "error_ratio": "ratio", "accuracy_gap": "points", "log_odds_gap": "log_odds"}


def mistakes_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet_x",
    view: str = "released.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    factor_of: pd.Series | None = None,
    testbed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Per factor, "overall" and "mean_of_16": accuracy, error_ratio, accuracy_gap, log_odds_gap; paired contrasts.

    Gaps are overall minus factor, so that positive is harder. factor_of: factor by image_id (default: ImageNet-X);
    testbed: adds expected_error_ratio with its prediction interval. One multinomial over (factor x pattern of right
    answers) resamples all models at once. Raises BookError when no image has a factor. Source: Idrissi et al. 2022.

    >>> frame = pd.DataFrame({"image_id": list("abcd"), "label": [[1]] * 4, "pred": [1, 2, 1, 1]})
    >>> factor_of = pd.Series({"a": "pose", "b": "pose", "c": "style", "d": "style"})
    >>> rows = mistakes_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20, factor_of=factor_of)
    >>> rows[rows.metric == "error_ratio"].group.tolist(), rows[rows.metric == "error_ratio"].value.tolist()
    (['pose', 'style', 'mean_of_2'], [2.0, 0.0, 1.0])
    """
    if not predictions_by_model:
        return finished([])
    factor_of = imagenet_x_factors() if factor_of is None else factor_of
    right = align_predictions(predictions_by_model, "correct").astype(bool)
    factors = factor_of.reindex(right.index)
    right, factors = right[factors.notna().to_numpy()], factors.dropna()
    if right.empty:
        raise BookError("predictions", "images with a factor, found none", "use the official file names as image_id")
    names = factor_order(factors.unique())
    every = [*names, *sorted(set(factors) - set(names))]  # images without a factor count towards "overall" only
    codes = factors.map({name: i for i, name in enumerate(every)}).to_numpy()
    counts = plain_counts(right.to_numpy(), codes, len(every), n_resamples, rng)
    tables = _estimates(counts, names, tuple(right.columns), dataset, view)
    alone = right_alone(right.to_numpy(), codes, len(every))
    alone = np.concatenate([alone[: len(names)], alone.sum(axis=0, keepdims=True)])
    tables["accuracy"] = replace(tables["accuracy"], alone=alone)
    rows = [row for metric in tables for row in _metric_rows(tables[metric], pairs, counts)]
    rows += scale_flag_rows(tables["accuracy"])
    return finished(rows + _expected_rows(tables["accuracy"], testbed, names))


def _estimates(counts, names: list[str], models: tuple[str, ...], dataset: str, view: str) -> dict[str, Estimates]:
    k, n, k_samples, n_samples = counts
    size = len(names)
    values, samples = _values(k, n, size), _values(k_samples, n_samples, size)
    total = int(n.sum())
    tables = {}
    for metric, unit in UNITS.items():
        groups = (*names, "overall") if metric == "accuracy" else (*names, f"mean_of_{size}")
        n_groups = np.append(n[:size], total)
        tables[metric] = Estimates(
            metric, unit, dataset, view, "image", models, groups, values[metric], samples[metric],
            np.broadcast_to(n_groups, values[metric].shape), n_groups,
        )  # fmt: skip
    return tables


def _values(k: np.ndarray, n: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """All metrics from counts: k (..., groups, models), n (..., groups) -> (..., models, factors + 1)."""
    k, n = np.swapaxes(k, -1, -2), n[..., None, :]
    k_all, n_all = k.sum(axis=-1, keepdims=True), n.sum(axis=-1, keepdims=True)
    k, n = k[..., :size], n[..., :size]
    share, overall = k / np.where(n > 0, n, np.nan), k_all / n_all
    harder = {
        "error_ratio": error_ratio(share, overall),
        "accuracy_gap": accuracy_gap(share, overall),
        "log_odds_gap": log_odds_gap(k, n, k_all, n_all),
    }
    with_mean = {
        name: np.concatenate([each, each.mean(axis=-1, keepdims=True)], axis=-1) for name, each in harder.items()
    }
    return {"accuracy": np.concatenate([share, overall], axis=-1), **with_mean}


def _metric_rows(each: Estimates, pairs, counts) -> list[dict]:
    if each.metric != "accuracy":
        summary = one_group(each, each.groups[-1])
        return value_rows(each) + pair_rows(each, pairs) + factorial_rows(summary)
    successes = np.rint(each.values * each.n)
    rows = value_rows(each, lambda values, _: wilson_interval(successes, each.n)) + pair_rows(each, pairs)
    overall = one_group(each, "overall")
    scaled = in_log_odds(overall)
    return rows + factorial_rows(overall) + pair_rows(scaled, pairs) + factorial_rows(scaled)


def _expected_rows(accuracy: Estimates, testbed: pd.DataFrame | None, names: list[str]) -> list[dict]:
    if testbed is None:
        return []
    rows = []
    for model, overall in zip(accuracy.models, one_group(accuracy, "overall").values[:, 0], strict=True):
        table = expected_error_ratio(float(overall), testbed)
        samples = table.loc[[name for name in table.index if name in (*names, f"mean_of_{len(names)}")]]
        expected = replace(
            accuracy, metric="expected_error_ratio", unit="ratio", resampled="testbed model", models=(model,),
            groups=tuple(samples.index), values=samples[["expected"]].to_numpy().T,
            samples=np.empty((0, 1, len(samples))), n=np.full((1, len(samples)), len(testbed)),
        )  # fmt: skip
        ends = samples["low"].to_numpy()[None], samples["high"].to_numpy()[None]
        rows += value_rows(expected, lambda values, _, ends=ends: ends)
    return rows
