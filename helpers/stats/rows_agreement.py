"""Result rows of error consistency: Cohen's kappa of every two observers, with its attainable range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.metrics.agreement import attainable_kappa, kappa_from_rates
from helpers.metrics.shape import align_decisions
from helpers.stats.estimates import Estimates, finished, value_rows
from helpers.stats.rows_shape import HUMANS, exemplar_weights, people_among


def agreement_rows(
    decisions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "cue_conflict",
    view: str = "released.eval",
    each_person: bool = False,
) -> pd.DataFrame:
    """Kappa of "A ~ B" (group "conflict": 1,200 images; "all": 1,280) with both intervals and attainable range.

    Metrics kappa (two intervals), kappa_min, kappa_max (no interval), fraction. With people "A ~ humans" is the mean
    over A and each person, "humans ~ humans" the mean over every two people; `each_person` adds the single pairs.
    People are fixed here: the intervals say nothing about other people. Source: Geirhos et al. 2020.

    >>> frame = pd.DataFrame({"image_id": ["cat1-dog2.png", "dog1-cat2.png"], "shape": ["cat", "dog"],
    ...                       "texture": ["dog", "cat"], "decision": ["cat", "cat"]})
    >>> rows = agreement_rows({"mae": frame, "vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> rows.model[0], rows.metric[0], rows.group[0], float(rows.value[0])
    ('mae ~ vit_sup', 'kappa', 'conflict', 1.0)
    """
    if len(decisions_by_model) < 2:
        return finished([])
    images, decisions = align_decisions(decisions_by_model)
    right = decisions.eq(images["shape"], axis=0).to_numpy(dtype=np.float32)
    names, spread = _pairs(list(decisions.columns), each_person)
    rows = []
    for group, kept in (("conflict", images.conflict.to_numpy()), ("all", np.ones(len(images), bool))):
        if not kept.any():
            continue
        one = np.ones((1, int(kept.sum())), np.float32)
        whole, low, high = (part @ spread for part in _kappas(one, right[kept], attainable=True))
        for resampled, weights in exemplar_weights(images[kept], n_resamples, rng).items():
            samples = (_kappas(weights, right[kept])[0] @ spread)[:, :, None]
            n = np.full((len(names), 1), int(kept.sum()))
            each = Estimates(
                "kappa", "fraction", dataset, view, resampled, names, (group,), whole.T, samples, n, n[0]
            )  # fmt: skip
            rows += value_rows(each)
        rows += _range_rows(names, group, low[0], high[0], int(kept.sum()), dataset, view)
    return finished(rows)


def _pairs(models: list[str], each_person: bool) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the reported pairs and how they average all upper-triangle pairs: (all pairs, reported)."""
    people = set(people_among(models))
    wanted: dict[str, list[int]] = {}
    for k, (i, j) in enumerate(zip(*np.triu_indices(len(models), 1), strict=True)):
        first, second = models[i], models[j]
        if each_person or not people & {first, second}:
            wanted.setdefault(f"{first} ~ {second}", []).append(k)
        if people & {first, second}:
            ends = [HUMANS if model in people else model for model in (first, second)]
            wanted.setdefault(" ~ ".join(sorted(ends, key=HUMANS.__eq__)), []).append(k)
    spread = np.zeros((len(models) * (len(models) - 1) // 2, len(wanted)))
    for column, members in enumerate(wanted.values()):
        spread[members, column] = 1 / len(members)
    return tuple(wanted), spread


def _kappas(weights: np.ndarray, right: np.ndarray, attainable: bool = False) -> tuple[np.ndarray, ...]:
    """Kappa of all upper-triangle pairs per row of weights: (resamples, pairs); also the attainable ends."""
    i, j = np.triu_indices(right.shape[1], 1)
    total = weights.sum(axis=1, keepdims=True, dtype=np.float64)
    total = np.where(total > 0, total, np.nan)
    rates = (weights @ right) / total
    both = (weights @ (right[:, i] * right[:, j])) / total
    observed = 1 - rates[:, i] - rates[:, j] + 2 * both
    kappas = kappa_from_rates(observed, rates[:, i], rates[:, j])
    return (kappas, *attainable_kappa(rates[:, i], rates[:, j])) if attainable else (kappas,)


def _range_rows(names, group, low, high, n, dataset, view) -> list[dict]:
    base = {"dataset": dataset, "view": view, "group": group, "n": n, "unit": "fraction", "resampled": "none"}
    return [
        {**base, "model": name, "metric": metric, "value": float(value) if np.isfinite(value) else None}
        for metric, values in (("kappa_min", low), ("kappa_max", high))
        for name, value in zip(names, values, strict=True)
    ]
