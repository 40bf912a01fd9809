"""Section 5's instrument: observers with known accuracies on every set, measured by the section's own rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.demo import planted
from helpers.demo.planted.common import row
from helpers.metrics import effective
from helpers.metrics.corruption import alexnet_errors
from helpers.rows import rows_frame
from helpers.stats.contrasts import PAIRS_2X2, TWO_BY_TWO
from helpers.stats.rows_corruption import corruption_rows
from helpers.stats.rows_robustness import AVERAGE, SHIFTED_ROLES, WITHOUT_REAL, effective_rows, robustness_rows

VIEW = "planted.eval"
FOUR = tuple(f"planted_{name}" for name in TWO_BY_TWO)
PAIRS = [tuple(f"planted_{name}" for name in pair) for pair in PAIRS_2X2]
IMAGES = 1_000  # of each set; source images of the corrupted one: 100
SOURCES = 100
CLASSES = 64
# Accuracy (fraction) of the four observers, by set: close to what the paper prints for its four models.
ACCURACIES: dict[str, tuple[float, float, float, float]] = {
    "val": (0.86, 0.86, 0.66, 0.67), "v2": (0.76, 0.76, 0.59, 0.60), "a": (0.53, 0.60, 0.31, 0.33),
    "hard": (0.29, 0.29, 0.06, 0.06), "r": (0.62, 0.62, 0.76, 0.78), "sketch": (0.49, 0.46, 0.52, 0.52),
    "real": (0.90, 0.89, 0.74, 0.74),
}  # fmt: skip
AT_FIRST, SLOPES = (0.83, 0.78, 0.59, 0.61), (0.08, 0.09, 0.10, 0.10)  # accuracy at severity 1, fall per severity
BEYOND = {"planted_on_the_line": 0.0, "planted_beyond": 8.0}  # points above what clean accuracy leads one to expect
CLEAN = 0.80


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Planted beside measured: every set, its contrasts, the averages, ImageNet-C's readings, effective robustness.

    Columns of result rows, and planted, difference, inside (see `demo.planted.against`). The observers are drawn with
    one difficulty an image, shared in part, so that pairing and clustering matter.

    >>> frame = check(np.random.default_rng(0), n_resamples=20)
    >>> sorted(set(frame.metric))
    ['accuracy', 'effective_robustness', 'mce', 'severity_slope']
    """
    sets, truth = _sets(rng)
    datasets = {role: f"demo_{role}" for role in sets}
    measured = robustness_rows(sets, datasets, rng, n_resamples, VIEW, PAIRS)
    measured = measured[~measured.group.str.contains(":", regex=False)]  # single conditions go with their sources
    errors, planted_errors = _corrupted_errors(sets["c"], rng, n_resamples)
    measured = pd.concat([measured, errors, _beyond(rng, n_resamples, truth)])
    return planted.against([*truth, *planted_errors], rows_frame(measured))


def _sets(rng: np.random.Generator) -> tuple[dict[str, dict[str, pd.DataFrame]], list[dict]]:
    sets, truth, shares = {}, [], {}
    for role, accuracies in ACCURACIES.items():
        planted_here = dict(zip(FOUR, accuracies, strict=True))
        seen = planted.two_by_two(_images(role, IMAGES), rng, planted_here, dataset=f"demo_{role}", view=VIEW)
        sets[role] = {each.model: each.frame for each in seen}
        truth += planted.truth_rows(seen)
        shares[role] = planted_here
    seen = planted.corruption_response(_images("c", SOURCES), _conditions(), rng, correlation=0.3)
    sets["c"] = {each.model: each.frame for each in seen}
    truth += planted.truth_rows(seen)
    shares["c"] = {each.model: _value(each.truth, "accuracy") / 100 for each in seen}
    truth += _contrasts(shares)
    return sets, truth


def _conditions() -> dict[str, dict[str, float]]:
    return {
        model: planted.falling(dict.fromkeys(alexnet_errors().index, first), slope)
        for model, first, slope in zip(FOUR, AT_FIRST, SLOPES, strict=True)
    }


def _contrasts(shares: Mapping[str, Mapping[str, float]]) -> list[dict]:
    """Truth of the pairs on every set, of the averages, and of the pairs in them."""
    averages = {(AVERAGE, "mean_of_7"): SHIFTED_ROLES, (WITHOUT_REAL, "mean_of_6"): SHIFTED_ROLES[:-1]}
    known = {(f"demo_{role}", "overall"): each for role, each in shares.items()}
    for (dataset, group), roles in averages.items():
        means = {model: float(np.mean([shares[role][model] for role in roles])) for model in FOUR}
        known[f"demo_{dataset}", group] = means
    rows = []
    for (dataset, group), each in known.items():
        if group != "overall":
            rows += [row(m, dataset, VIEW, "accuracy", 100 * each[m], "percent", 0, group) for m in FOUR]
        for a, b in PAIRS:
            value = 100 * (each[a] - each[b])
            rows.append(row(f"{a} - {b}", dataset, VIEW, "accuracy", value, "points", 0, group))
    return rows


def _corrupted_errors(frames: Mapping[str, pd.DataFrame], rng, n_resamples: int) -> tuple[pd.DataFrame, list[dict]]:
    """Mean corruption error against a made-up reference network whose errors are AlexNet's, and its truth."""
    reference = alexnet_errors()
    rows = corruption_rows(frames, rng, n_resamples, "demo_c", VIEW, PAIRS, reference)
    truth = []
    for model, conditions in _conditions().items():
        error = 100 * (1 - np.mean(list(conditions.values())))
        value = float(np.mean([100 * error / each for each in reference]))
        truth.append(row(model, "demo_c", VIEW, "mce", value, "percent", SOURCES))
    return rows[rows.metric == "mce"], truth


def _beyond(rng: np.random.Generator, n_resamples: int, truth: list[dict]) -> pd.DataFrame:
    """Observers that lie known distances from the line of ImageNet-V2's baseline; their truth is added to `truth`."""
    line = effective.baseline_line("imagenet_v2_mf")
    expected = float(effective.expected_accuracy(line, 100 * CLEAN))
    clean, shifted = {}, {}
    for model, beyond in BEYOND.items():
        for frames, role, share in ((clean, "val", CLEAN), (shifted, "v2", (expected + beyond) / 100)):
            (seen,) = planted.view_response(_images(role, IMAGES), {VIEW: share}, rng, model=model)
            frames[model] = seen.frame
        truth.append(row(model, "demo_v2", VIEW, "effective_robustness", beyond, "points", IMAGES))
    names = {"val": "imagenet1k_val", "v2": "imagenet_v2_mf"}
    rows = effective_rows({"val": clean, "v2": shifted}, names, {}, rng, n_resamples, VIEW)
    return rows[rows.metric == "effective_robustness"].assign(dataset="demo_v2")


def _images(role: str, n: int) -> pd.DataFrame:
    return pd.DataFrame({"image_id": [f"{role}_{i:05d}" for i in range(n)], "label": np.arange(n) % CLASSES})


def _value(truth: tuple[dict, ...], metric: str, group: str = "overall") -> float:
    return next(each["value"] for each in truth if (each["metric"], each["group"]) == (metric, group))
