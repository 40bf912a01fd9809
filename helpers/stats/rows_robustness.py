"""Result rows of section 5: every set, the average over the shifted ones, same classes, effective robustness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics import effective
from helpers.metrics.basics import align_predictions
from helpers.stats.estimates import Estimates, finished, pair_rows, share_contrast_rows, value_rows
from helpers.stats.resample import joint_cells, resampled_counts
from helpers.stats.rows_accuracy import accuracy_rows, clustered_counts
from helpers.stats.rows_corruption import corrupted, corruption_rows

Frames = Mapping[str, pd.DataFrame]
SHIFTED_ROLES = ("v2", "a", "c", "hard", "r", "sketch", "real")
AVERAGE, WITHOUT_REAL = "shifted_sets", "shifted_sets_without_real"
WITHIN = "image within set"
SAME_CLASSES = "classes_of_{}"


@dataclass(frozen=True)
class Drawn:
    """One set: accuracy of each model (fractions, (models,)), its resamples (resamples, models), n images."""

    models: tuple[str, ...]
    values: np.ndarray
    samples: np.ndarray
    n: int


def robustness_rows(
    sets: Mapping[str, Frames],
    datasets: Mapping[str, str],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    view: str = "paper.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    same_classes: Mapping[str, Mapping[str, Frames]] | None = None,
) -> pd.DataFrame:
    """Accuracy on every set with contrasts, ImageNet-C in detail, averages over the shifted sets, effective robustness.

    sets: predictions by role ("val", "v2", "a", "r", "sketch", "c", "hard", "real") and model; datasets: id by role;
    same_classes: per role and reading ("masked", "unmasked") the validation predictions on that set's classes, as
    `predict.same_classes` gives them. What is not there gives no rows; an average only where all its sets are.

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [1, 2]})
    >>> rows = robustness_rows({"v2": {"vit_sup": frame}}, {"v2": "imagenet_v2_mf"}, np.random.default_rng(0), 20)
    >>> rows[["dataset", "metric", "value"]].values.tolist()
    [['imagenet_v2_mf', 'accuracy', 50.0]]
    """
    sets = {role: frames for role, frames in sets.items() if frames}
    tables = []
    for role, frames in sets.items():
        how = {"dataset": datasets[role], "view": view, "pairs": pairs}
        build = corruption_rows if role == "c" else accuracy_rows
        tables.append(build(_whole(role, frames), rng, n_resamples, **how))
    for role, readings in (same_classes or {}).items():
        for reading, frames in readings.items():
            group = SAME_CLASSES.format(datasets[role]) + ("" if reading == "masked" else f"_{reading}")
            how = {"dataset": datasets["val"], "view": view, "pairs": pairs}
            tables.append(same_classes_rows(frames, group, rng, n_resamples, **how))
    drawn = drawn_sets(sets, rng, n_resamples)
    prefix = "demo_" if any(name.startswith("demo_") for name in datasets.values()) else ""
    tables.append(average_rows(drawn, prefix, view, pairs))
    clean = {role: found["masked"] for role, found in (same_classes or {}).items() if found.get("masked")}
    tables.append(effective_rows(sets, datasets, clean, rng, n_resamples, view, pairs))
    tables = [table for table in tables if len(table)]
    return finished([row for table in tables for row in table.to_dict("records")])


def same_classes_rows(
    frames: Frames, group: str, rng: np.random.Generator, n_resamples: int, dataset: str, view: str, pairs=None
) -> pd.DataFrame:
    """Accuracy rows of a part of the validation images under the name of that part.

    >>> frame = pd.DataFrame({"image_id": ["x"], "label": [[1]], "pred": [1]})
    >>> same_classes_rows({"vit_sup": frame}, "classes_of_imagenet_a", np.random.default_rng(0), 9, "v", "w").group[0]
    'classes_of_imagenet_a'
    """
    plain = {model: frame.drop(columns="group", errors="ignore") for model, frame in frames.items()}
    rows = accuracy_rows(plain, rng, n_resamples, dataset, view, pairs)
    return rows.assign(group=group)


def drawn_sets(sets: Mapping[str, Frames], rng: np.random.Generator, n_resamples: int) -> dict[str, Drawn]:
    """Accuracy of every set with paired resamples, sets independent of each other (roles as in `robustness_rows`).

    ReaL and ImageNet-C show the same validation images: where their source images have the same names they are drawn
    together. ImageNet-C is the mean over its conditions.

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [1, 2]})
    >>> drawn_sets({"v2": {"vit_sup": frame}}, np.random.default_rng(0), 5)["v2"].values.tolist()
    [0.5]
    """
    found = {role: _plain(frames, rng, n_resamples) for role, frames in sets.items() if role not in ("c", "real")}
    if sets.get("c"):
        found |= _with_corrupted(sets["c"], sets.get("real") or {}, rng, n_resamples)
    elif sets.get("real"):
        found["real"] = _plain(sets["real"], rng, n_resamples)
    return found


def average_rows(drawn: Mapping[str, Drawn], prefix: str = "", view: str = "paper.eval", pairs=None) -> pd.DataFrame:
    """Mean accuracy over the seven shifted sets (group mean_of_7), and without ReaL, which is no shift (mean_of_6).

    Models that have all the sets; no rows where a set is missing. Data sets are `shifted_sets` and
    `shifted_sets_without_real`, after `prefix`. Sets are fixed, images are resampled within them.

    >>> one = Drawn(("vit_sup",), np.array([0.5]), np.array([[0.4], [0.6]]), 10)
    >>> average_rows(dict.fromkeys(SHIFTED_ROLES, one)).group.tolist()
    ['mean_of_7', 'mean_of_6']
    """
    rows = []
    for dataset, roles in ((AVERAGE, SHIFTED_ROLES), (WITHOUT_REAL, SHIFTED_ROLES[:-1])):
        parts = [drawn[role] for role in roles if role in drawn]
        models = [m for m in parts[0].models if all(m in part.models for part in parts)] if parts else []
        if len(parts) < len(roles) or not models:
            continue
        at = [[part.models.index(model) for model in models] for part in parts]
        values = np.mean([part.values[where] for part, where in zip(parts, at, strict=True)], axis=0)
        samples = np.mean([part.samples[:, where] for part, where in zip(parts, at, strict=True)], axis=0)
        n, group = np.array([sum(part.n for part in parts)]), f"mean_of_{len(parts)}"
        each = Estimates(
            "accuracy", "percent", prefix + dataset, view, WITHIN, tuple(models), (group,),
            values[:, None], samples[..., None], np.broadcast_to(n, (len(models), 1)), n,
        )  # fmt: skip
        rows += value_rows(each) + share_contrast_rows(each, pairs, group)
    return finished(rows)


def effective_rows(
    sets: Mapping[str, Frames],
    datasets: Mapping[str, str],
    same_classes: Mapping[str, Frames],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    view: str = "paper.eval",
    pairs=None,
) -> pd.DataFrame:
    """expected_accuracy (percent, interval: one more ImageNet-1k-only network) and effective_robustness (points).

    For V2, A, R and Sketch against clean accuracy on the same classes (`same_classes`: masked validation predictions
    by role). Intervals of effective_robustness resample the images of both sets and hold the line fixed.
    Source: statistics of Taori et al. 2020 on timm's published results, see `metrics.effective`.
    """
    rows = []
    for role, frames in sets.items():
        dataset = datasets[role]
        if dataset not in effective.CLEAN:
            continue
        whole = effective.CLEAN[dataset] == "imagenet1k_val"
        clean = sets.get("val") if whole else same_classes.get(role)
        models = [model for model in frames if clean and model in clean]
        if models:
            parts = [_plain({m: each[m] for m in models}, rng, n_resamples) for each in (clean, frames)]
            rows += _effective(effective.baseline_line(dataset), *parts, view, pairs)
    return finished(rows)


def _effective(line: effective.Line, clean: Drawn, shifted: Drawn, view: str, pairs) -> list[dict]:
    def beyond(of_clean, of_shifted):
        inside = np.clip(100 * of_clean, 1e-6, 100 - 1e-6)
        return effective.effective_robustness(line, inside, 100 * of_shifted) / 100

    n = np.array([shifted.n])
    common = {"dataset": line.dataset, "view": view, "models": shifted.models, "groups": ("overall",)}
    each = Estimates(
        "effective_robustness", "points", resampled="image", **common,
        values=beyond(clean.values, shifted.values)[:, None],
        samples=beyond(clean.samples, shifted.samples)[..., None],
        n=np.broadcast_to(n, (len(shifted.models), 1)), n_paired=n,
    )  # fmt: skip
    percent = np.clip(100 * clean.values, 1e-6, 100 - 1e-6)
    ends = tuple(end[:, None] / 100 for end in effective.prediction_interval(line, percent))
    expected = Estimates(
        "expected_accuracy", "percent", resampled="baseline network", **common,
        values=effective.expected_accuracy(line, percent)[:, None] / 100,
        samples=np.empty((0, len(shifted.models), 1)), n=np.full((len(shifted.models), 1), line.n),
        n_paired=np.array([line.n]),
    )  # fmt: skip
    return value_rows(expected, lambda *_: ends) + value_rows(each) + pair_rows(each, pairs)


def _whole(role: str, frames: Frames) -> Frames:
    """Validation images by no group: its groups (top factors) belong to another section."""
    if role != "val":
        return frames
    return {model: frame.drop(columns="group", errors="ignore") for model, frame in frames.items()}


def _plain(frames: Frames, rng: np.random.Generator, n_resamples: int) -> Drawn:
    right = align_predictions(frames, "correct").astype(bool)
    cells, patterns = joint_cells(right.to_numpy(), np.zeros(len(right), dtype=np.int64), 1)
    drawn = resampled_counts(cells, n_resamples, rng)[:, 0] @ patterns
    return Drawn(tuple(right.columns), right.to_numpy().mean(axis=0), drawn / len(right), len(right))


def _with_corrupted(c: Frames, real: Frames, rng: np.random.Generator, n_resamples: int) -> dict[str, Drawn]:
    """ImageNet-C, and ReaL with it where they share source images and models; else each on its own."""
    seen = corrupted(c)
    models, size = tuple(seen.right.columns), len(seen.conditions)
    right, codes, source = seen.right.to_numpy(), seen.codes, seen.names[seen.source]
    mine = {model: real[model] for model in models if model in real}
    same = align_predictions(mine, "correct").astype(bool) if len(mine) == len(models) else None
    joined = same is not None and bool(set(same.index) & set(seen.names))
    if joined:
        right = np.concatenate([right, same.to_numpy()])
        codes = np.concatenate([codes, np.full(len(same), size)])
        source = np.concatenate([source, same.index.to_numpy(dtype=object)])
    k, n, k_samples, n_samples = clustered_counts(right, codes, size + joined, source, n_resamples, rng)
    shares = k / n[:, None]
    drawn = k_samples / np.where(n_samples > 0, n_samples, np.nan)[..., None]
    found = {"c": Drawn(models, shares[:size].mean(axis=0), drawn[:, :size].mean(axis=1), len(seen.names))}
    if joined:
        found["real"] = Drawn(models, shares[size], drawn[:, size], len(same))
    elif real:
        found["real"] = _plain(real, rng, n_resamples)
    return found
