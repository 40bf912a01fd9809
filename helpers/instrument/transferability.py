"""Section 6: features whose best possible probe is known: clusters, separable classes, noisy and shuffled labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import integrate
from scipy.stats import norm

from helpers import stats
from helpers.demo import planted
from helpers.demo.planted.common import row
from helpers.predict import Features
from helpers.probe import ProbeResult, Task, clip_benchmark, lbfgs, task_of

CLASSES, WIDTH, N_TRAIN, N_TEST = 5, 12, 4_000, 1_500
MODEL, MAJORITY = "planted_features", 0.7
CLUSTERS = {"planted_clusters_95": 0.95, "planted_clusters_75": 0.75, "planted_clusters_50": 0.50}  # Bayes accuracy
NOISE = {"planted_noise_20": 0.2, "planted_noise_40": 0.4}  # share of labels that are replaced by another class
FAR = 12.0  # distance of class means (in standard deviations) at which clusters do not touch
PROBES = {"lbfgs": lbfgs, "clip_benchmark": clip_benchmark}


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Accuracy of both probes on features with a known ceiling, planted against measured.

    Clusters: the accuracy of the best possible rule, which a probe comes near with many training images. Separable:
    100 %. Noise: the share of labels that are left alone. Shuffled: one of five. Majority: shuffled labels of which
    70 % are one class, for the probe with a chosen strength only; the other one has no reason to reach it.

    >>> frame = check(np.random.default_rng(0), n_resamples=20)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'majority_share']
    """
    tasks, truth = planted_tasks(rng)
    tables = []
    for probe, run in PROBES.items():
        view = stats.rows_probes.VIEWS[probe]
        named = {name: task for name, task in tasks.items() if probe == "lbfgs" or name != "planted_majority"}
        found = {name: {MODEL: run(task)} for name, task in named.items()}
        known = [*_truth_rows(truth, found, view)]
        tables.append(planted.against(known, _rows(found, view, rng, n_resamples)))
    return pd.concat(tables, ignore_index=True)


def planted_tasks(rng: np.random.Generator) -> tuple[dict[str, Task], dict[str, float]]:
    """Tasks of planted features, and the accuracy (fraction) that the best probe can have on each.

    >>> planted_tasks(np.random.default_rng(0))[1]["planted_noise_20"]
    0.8
    """
    tasks = {name: _task(name, rng, separation(share)) for name, share in CLUSTERS.items()}
    tasks["planted_separable"] = _task("planted_separable", rng, FAR)
    tasks |= {name: _task(name, rng, FAR, noise=share) for name, share in NOISE.items()}
    tasks["planted_shuffled"] = _task("planted_shuffled", rng, 0.0)
    tasks["planted_majority"] = _task("planted_majority", rng, 0.0, _unequal())
    truth = {**CLUSTERS, "planted_separable": 1.0, **{name: 1 - share for name, share in NOISE.items()}}
    return tasks, {**truth, "planted_shuffled": 1 / CLASSES, "planted_majority": MAJORITY}


def bayes_accuracy(distance: float, classes: int = CLASSES) -> float:
    """Accuracy of the best rule for equally frequent spherical normal clusters at equal distances from each other.

    With class means `distance` standard deviations apart, a case is right if its own score beats classes - 1 others:
    the integral of phi(z - distance / sqrt 2) Phi(z)^(classes - 1).

    >>> round(bayes_accuracy(0.0), 3), round(bayes_accuracy(2.0, classes=2), 3), round(float(norm.cdf(1)), 3)
    (0.2, 0.841, 0.841)
    """
    shift = distance / np.sqrt(2)
    return float(integrate.quad(lambda z: norm.pdf(z - shift) * norm.cdf(z) ** (classes - 1), -9, 9 + shift)[0])


def separation(accuracy: float, classes: int = CLASSES) -> float:
    """Distance of class means (standard deviations) at which the best rule has this accuracy.

    >>> round(bayes_accuracy(separation(0.75)), 4)
    0.75
    """
    from scipy.optimize import brentq

    return float(brentq(lambda distance: bayes_accuracy(distance, classes) - accuracy, 0.0, 30.0))


def _unequal() -> np.ndarray:
    return np.array([MAJORITY, *[(1 - MAJORITY) / (CLASSES - 1)] * (CLASSES - 1)])


def _task(
    name: str, rng: np.random.Generator, distance: float, shares: np.ndarray | None = None, noise: float = 0.0
) -> Task:
    basis = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    means = basis[:CLASSES] * distance / np.sqrt(2)
    return task_of(name, *(_some(rng, f"{name}_{split}", n, means, shares, noise)
                           for split, n in (("train", N_TRAIN), ("test", N_TEST))))  # fmt: skip


def _some(rng, name: str, n: int, means: np.ndarray, shares, noise: float) -> Features:
    """n images whose classes have exactly their shares; exactly `noise` of the labels are replaced by another."""
    shares = np.full(CLASSES, 1 / CLASSES) if shares is None else shares
    labels = rng.permutation(np.searchsorted(np.cumsum(shares), (np.arange(n) + 0.5) / n))
    matrix = (means[labels] + rng.standard_normal((n, WIDTH))).astype(np.float32)
    wrong = rng.permutation(n)[: round(noise * n)]
    labels[wrong] = (labels[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    frame = pd.DataFrame({"image_id": [f"{name}_{i}" for i in range(n)], "label": [[int(k)] for k in labels]})
    return Features(matrix, labels, frame)


def _rows(found: Mapping[str, Mapping[str, ProbeResult]], view: str, rng, n_resamples: int) -> pd.DataFrame:
    frames = {name: {model: each.predictions for model, each in results.items()} for name, results in found.items()}
    rows = stats.transfer_rows(frames, rng, n_resamples, view, average="planted")
    return pd.concat([rows, stats.probe_rows(found, view)], ignore_index=True)


def _truth_rows(truth: Mapping[str, float], found: Mapping[str, object], view: str) -> list[dict]:
    rows = [row(MODEL, name, view, "accuracy", 100 * truth[name], "percent", N_TEST) for name in found]
    mean = np.mean([truth[name] for name in found])
    rows.append(row(MODEL, "planted", view, "accuracy", 100 * mean, "percent", N_TEST, f"mean_of_{len(found)}"))
    for name in set(found) & {"planted_shuffled", "planted_majority"}:
        rows.append(row(MODEL, name, view, "majority_share", 100 * truth[name], "percent", N_TEST))
    return rows
