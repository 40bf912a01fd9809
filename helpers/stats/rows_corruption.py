"""Result rows of ImageNet-C: accuracy by corruption and severity, mean corruption error, loss per severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions
from helpers.metrics.corruption import SEVERITIES, alexnet_errors, condition, severity_slope, source_of
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
from helpers.stats.intervals import percentile_interval, wilson_interval
from helpers.stats.rows_accuracy import clustered_counts

SOURCE = "source image"
ALEXNET_SET = "imagenet_c"  # AlexNet's errors are known for this set only


@dataclass(frozen=True)
class Corrupted:
    """Right answers on corrupted images: `right` (images, models), `codes` into `conditions`, `source` into `names`."""

    right: pd.DataFrame
    codes: np.ndarray
    conditions: tuple[str, ...]
    source: np.ndarray
    names: np.ndarray


def corruption_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "imagenet_c",
    view: str = "paper.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    baseline: pd.Series | None = None,
) -> pd.DataFrame:
    """Accuracy (percent) per `corruption:severity`, per corruption, per `severity_<k>` and "overall" (mean over all).

    Also mce by corruption and overall (percent, against `baseline`: error in percent by corruption, on ImageNet-C by
    default AlexNet's) and severity_slope (points per step), where every corruption has five severities. Source images
    are resampled with all their corrupted versions; single conditions get Wilson intervals. n counts source images.
    Source: Hendrycks & Dietterich 2019; the paper averages accuracy over the 75 conditions.

    >>> frame = pd.DataFrame({"image_id": ["fog/1/x", "fog/2/x"], "group": ["fog:1", "fog:2"], "label": [[1]] * 2,
    ...                       "pred": [1, 0]})
    >>> rows = corruption_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> rows.set_index("group").value.to_dict()
    {'fog:1': 100.0, 'fog:2': 0.0, 'fog': 50.0, 'severity_1': 100.0, 'severity_2': 0.0, 'overall': 50.0}
    """
    if not predictions_by_model:
        return finished([])
    seen = corrupted(predictions_by_model)
    counts = clustered_counts(
        seen.right.to_numpy(), seen.codes, len(seen.conditions), seen.source, n_resamples, rng
    )  # fmt: skip
    each = _accuracies(seen, counts, dataset, view)
    k, n = counts[0], counts[1]
    overall = one_group(each, "overall")
    rows = value_rows(each, lambda values, samples: _intervals(values, samples, k.T, n)) + pair_rows(each, pairs)
    for one in (overall, in_log_odds(overall)):
        rows += factorial_rows(one)
    rows += pair_rows(in_log_odds(overall), pairs) + scale_flag_rows(each)
    baseline = alexnet_errors() if baseline is None and dataset == ALEXNET_SET else baseline
    for more in (_errors(each, baseline), _slopes(each)):
        rows += [] if more is None else value_rows(more) + pair_rows(more, pairs)
    return finished(rows)


def corrupted(predictions_by_model: Mapping[str, pd.DataFrame]) -> Corrupted:
    """Right answers of all models on the corrupted images that all of them have, with condition and source image.

    Raises BookError for a group of another form, a repeated image or no image in common.
    """
    right = align_predictions(predictions_by_model, "correct").astype(bool)
    facts = next(iter(predictions_by_model.values()))[["image_id", "group"]]
    if not right.index.equals(pd.Index(facts["image_id"])):
        facts = facts.set_index("image_id", drop=False).loc[right.index]
    codes, names = pd.factorize(facts["group"])
    order = sorted(range(len(names)), key=lambda i: condition(names[i]))
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    source, sources = pd.factorize(source_of(facts["image_id"], facts["group"]))
    return Corrupted(right, rank[codes], tuple(names[i] for i in order), source, np.asarray(sources, dtype=object))


def summaries(conditions: Sequence[str]) -> dict[str, list[int]]:
    """What is averaged from which conditions: corruptions, severities (`severity_<k>`) and "overall".

    >>> summaries(["fog:1", "fog:2", "snow:1"])["severity_1"]
    [0, 2]
    """
    parts = [condition(name) for name in conditions]
    found: dict[str, list[int]] = {}
    for place in (0, 1):
        for at, part in enumerate(parts):
            name = part[0] if place == 0 else f"severity_{part[1]}"
            found.setdefault(name, []).append(at)
    return {**found, "overall": list(range(len(parts)))}


def _accuracies(seen: Corrupted, counts, dataset: str, view: str) -> Estimates:
    k, n, k_samples, n_samples = counts
    shares = k / np.where(n > 0, n, np.nan)[:, None]
    samples = k_samples / np.where(n_samples > 0, n_samples, np.nan)[..., None]
    means = summaries(seen.conditions)
    values = np.vstack([shares, *(shares[which].mean(axis=0)[None] for which in means.values())])
    drawn = np.concatenate([samples, *(samples[:, which].mean(axis=1)[:, None] for which in means.values())], axis=1)
    n_each = np.concatenate([n, np.full(len(means), len(seen.names))])
    return Estimates(
        "accuracy", "percent", dataset, view, SOURCE, tuple(seen.right.columns), (*seen.conditions, *means),
        values.T, np.swapaxes(drawn, 1, 2), np.broadcast_to(n_each, (k.shape[1], len(n_each))), n_each,
        len(seen.names),
    )  # fmt: skip


def _intervals(values, samples, successes, n) -> tuple[np.ndarray, np.ndarray]:
    """Wilson for single conditions (each source once), percentiles of resampled sources for their means."""
    low, high = (end.copy() for end in percentile_interval(samples))
    low[:, : len(n)], high[:, : len(n)] = wilson_interval(successes, n[None])
    return low, high


def _corruptions(each: Estimates) -> list[str]:
    """The corruptions, if each of them has the five severities; else none."""
    conditions = [condition(name) for name in each.groups if name and ":" in name]
    names = list(dict.fromkeys(name for name, _ in conditions))
    whole = len(conditions) == len(names) * len(SEVERITIES) and {s for _, s in conditions} == set(SEVERITIES)
    return names if whole else []


def _errors(each: Estimates, baseline: pd.Series | None) -> Estimates | None:
    """Error by corruption and its mean over corruptions, as fractions of the baseline's error (metric mce)."""
    names = _corruptions(each)
    if baseline is None or set(names) != set(baseline.index):
        return None
    at, divisor = [each.groups.index(name) for name in names], baseline[names].to_numpy() / 100
    values, samples = (1 - each.values[:, at]) / divisor, (1 - each.samples[..., at]) / divisor
    groups = (*names, "overall")
    n = each.n_paired[[each.groups.index(name) for name in groups]]
    values, samples = (np.concatenate([x, x.mean(axis=-1, keepdims=True)], axis=-1) for x in (values, samples))
    return replace(
        each, metric="mce", groups=groups, values=values, samples=samples,
        n=np.broadcast_to(n, values.shape), n_paired=n,
    )  # fmt: skip


def _slopes(each: Estimates) -> Estimates | None:
    """Least-squares slope over the five severities (points per step), overall and by corruption."""
    names = _corruptions(each)
    if not names:
        return None
    at = np.array([[each.groups.index(f"{name}:{step}") for step in SEVERITIES] for name in names])
    values, samples = severity_slope(each.values[:, at]), severity_slope(each.samples[..., at])
    values, samples = (np.concatenate([x, x.mean(axis=-1, keepdims=True)], axis=-1) for x in (values, samples))
    groups = (*names, "overall")
    n = each.n_paired[[each.groups.index(name) for name in groups]]
    return replace(
        each, metric="severity_slope", unit="points", groups=groups, values=values, samples=samples,
        n=np.broadcast_to(n, values.shape), n_paired=n,
    )  # fmt: skip
