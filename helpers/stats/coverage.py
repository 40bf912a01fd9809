"""Coverage by simulation: how often the 95 % intervals of this book contain the truth, metric by metric.

Each population has a known truth and is made like the real data: its sizes, accuracies and spreads are those of
ImageNet-X, the cue-conflict set and a ResNet-50. Samples are counts in cells, so that resampling is a multinomial.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import betainc, expit

from helpers.metrics.agreement import kappa_from_rates
from helpers.metrics.calibration import N_BINS, debiased_from_sums
from helpers.metrics.factors import FACTORS, N_IMAGES
from helpers.metrics.mistakes import error_ratio, log_odds_gap
from helpers.metrics.shape import shape_bias
from helpers.stats.contrasts import factorial_effects, log_odds
from helpers.stats.coverage_clusters import cluster_intervals
from helpers.stats.estimates import Estimates, finished, value_rows
from helpers.stats.intervals import basic_interval, percentile_interval, wilson_interval
from helpers.stats.resample import image_weights

NOMINAL = 0.95
IMAGE, CROSSED = "image", "shape exemplar x texture exemplar"
CONFIDENCE_SIZES = (500, 2_000, 10_000, 50_000)
CELLS_PER_BIN = 5
SHAPE_SPREAD, TEXTURE_SPREAD, SHARED, SAME_LUCK = 1.2, 1.6, 0.9, 0.3


def coverage_table(rng: np.random.Generator, n_simulations: int = 400, n_resamples: int = 400) -> pd.DataFrame:
    """Seen coverage of every kind of interval: one row per metric, interval, unit resampled and n.

    Columns metric, interval, resampled, n, truth, nominal, coverage, above and below (share of intervals that lie
    wholly above or below the truth), n_simulations, standard_error (of the coverage, from finitely many simulations).

    >>> table = coverage_table(np.random.default_rng(0), n_simulations=4, n_resamples=8)
    >>> bool(table.coverage.between(0, 1).all()), int(table.n_simulations[0])
    (True, 4)
    """
    return pd.DataFrame([case for part in CASES for case in part(rng, n_simulations, n_resamples)])


def coverage_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Result rows of `coverage_table`: metric `coverage_<metric>`, model the kind of interval, group "n:<n>".

    Dataset and view are "simulation"; a fraction. `resampled` is the unit of the intervals that were tried out, while
    ci_low and ci_high are the Wilson interval of the simulation itself, whose size is n.
    """
    rows = []
    for case in table.to_dict("records"):
        value, size = np.array([[case["coverage"]]]), np.array([[case["n_simulations"]]])
        each = Estimates(
            f"coverage_{case['metric']}", "fraction", "simulation", "simulation", case["resampled"],
            (case["interval"],), (f"n:{case['n']}",), value, np.zeros((0, 1, 1)), size, size[0],
        )  # fmt: skip
        hits = np.rint(value * size)
        rows += value_rows(each, lambda values, _, hits=hits, size=size: wilson_interval(hits, size))
    return finished(rows)


def accuracy_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Paired difference of two accuracies; cells: both right, only the first, only the second, neither."""
    share, cases = np.array([0.68, 0.10, 0.08, 0.14]), []
    for n in (500, 10_000):
        _, drawn = _counts(share, n, n_simulations, n_resamples, rng)
        low, high = percentile_interval(_difference(drawn))
        cases.append(_case("accuracy_difference", "percentile", IMAGE, n, _difference(share), low, high))
    return cases


def contrast_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Architecture, paradigm and interaction of four paired accuracies, in points and in log-odds.

    Accuracies 80, 76, 70 and 74 %; on half of the images all four draw the same luck, as models that share errors do.
    """
    accuracies, cases = np.array([0.80, 0.76, 0.70, 0.74]), []
    share, patterns = _joint(accuracies)
    for n in (500, 10_000):
        _, drawn = _counts(share, n, n_simulations, n_resamples, rng)
        samples = np.moveaxis(drawn @ patterns / n, -1, 0)
        for name, scale in (("points", np.asarray), ("log_odds", log_odds)):
            truth, found = factorial_effects(scale(accuracies)), factorial_effects(scale(samples))
            for effect, values in found.items():
                low, high = percentile_interval(values)
                cases.append(_case(f"{effect}_{name}", "percentile", IMAGE, n, truth[effect], low, high))
    return cases


def _joint(accuracies: np.ndarray, same: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the 16 patterns of right answers, and the patterns (16, 4): `same` of the images share their luck."""
    patterns = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(float)
    apart = np.prod(np.where(patterns > 0, accuracies, 1 - accuracies), axis=1)
    low = np.max(np.where(patterns > 0, 0, accuracies), axis=1)  # luck u: model k is right where u < its accuracy
    high = np.min(np.where(patterns > 0, accuracies, 1), axis=1)
    return same * np.maximum(high - low, 0) + (1 - same) * apart, patterns


def mistakes_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Error ratios and log-odds gaps of ImageNet-X's factors, at its sizes, for a model of 76 % accuracy."""
    sizes = np.array([*FACTORS.values(), N_IMAGES - sum(FACTORS.values())])
    accuracy = np.full(len(sizes), 0.76)
    accuracy[:16] = np.linspace(0.82, 0.55, 16)  # the common factors are the easy ones, as in the real set
    cells = np.stack([sizes * accuracy, sizes * (1 - accuracy)], axis=1) / N_IMAGES
    _, drawn = _counts(cells.ravel(), N_IMAGES, n_simulations, n_resamples, rng)
    truth, samples = (
        _factor_metrics(part.reshape(*part.shape[:-1], -1, 2)) for part in (cells.ravel() * N_IMAGES, drawn)
    )
    cases = []
    for metric in ("error_ratio", "log_odds_gap"):
        low, high = percentile_interval(samples[metric])
        for group in ("style", "texture", "pose", "mean_of_16"):
            at = 16 if group == "mean_of_16" else list(FACTORS).index(group)
            n = N_IMAGES if group == "mean_of_16" else FACTORS[group]
            name = f"{metric}_{'mean' if group == 'mean_of_16' else 'factor'}"
            cases.append(_case(name, "percentile", IMAGE, n, truth[metric][at], low[:, at], high[:, at]))
    return cases


def kappa_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Cohen's kappa of two observers on 1,200 images; cells as in `accuracy_cases`."""
    share, n = np.array([0.17, 0.09, 0.18, 0.56]), 1200
    _, drawn = _counts(share, n, n_simulations, n_resamples, rng)
    low, high = percentile_interval(_kappa(drawn))
    return [_case("kappa", "percentile", IMAGE, n, _kappa(share), low, high)]


def shape_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Shape bias of a model and of a paired difference when pictures differ: 160 shape x 48 texture exemplars.

    Log-odds of a shape decision vary with both pictures (standard deviations 1.2 and 1.6, most of it shared by the
    two models), which gives the standard errors of the released decisions: about .05 crossed, .017 per image, and
    .034 for the difference. 1,200 images, three quarters of them decided for one of the cues.
    """
    offsets, truths = (-0.55, -0.25), []
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    for offset in offsets:
        truths.append(float(expit(offset + np.hypot(SHAPE_SPREAD, TEXTURE_SPREAD) * nodes) @ weights / weights.sum()))
    target = {"shape_bias": truths[0], "shape_bias_difference": truths[1] - truths[0]}
    ends = {(metric, unit): [] for metric in target for unit in (IMAGE, CROSSED)}
    for _ in range(n_simulations):
        for unit, biases in _shape_samples(offsets, n_resamples, rng).items():
            ends["shape_bias", unit].append(percentile_interval(biases[0]))
            ends["shape_bias_difference", unit].append(percentile_interval(biases[1] - biases[0]))
    return [
        _case(metric, "percentile", unit, 1200, target[metric], *np.array(pairs).T)
        for (metric, unit), pairs in ends.items()
    ]


def calibration_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """ECE and signed gap of an overconfident model (ECE about .037) at several n, and of a better calibrated one."""
    cases = []
    for n, strength in [(n, 1.0) for n in CONFIDENCE_SIZES] + [(50_000, 0.25)]:
        confidence, cells = confidence_population(strength)
        seen, drawn = _counts(cells.ravel(), n, n_simulations, n_resamples, rng)
        truth = {name: float(each) for name, each in _calibration(cells.ravel(), confidence).items()}
        value, samples = _calibration(seen / n, confidence, n), _calibration(drawn / n, confidence)
        suffix = "" if strength == 1.0 else "_well_calibrated"
        spread = samples["ece"].std(axis=0)
        intervals = (
            ("ece", "percentile", percentile_interval(samples["ece"])),
            ("ece", "basic", basic_interval(value["ece"], samples["ece"], floor=0.0)),
            ("ece_debiased", "normal", (value["debiased"] - 1.96 * spread, value["debiased"] + 1.96 * spread)),
            ("signed_gap", "percentile", percentile_interval(samples["signed_gap"])),
        )
        for metric, kind, (low, high) in intervals:
            goal = truth["signed_gap" if metric == "signed_gap" else "ece"]
            cases.append(_case(metric + suffix, kind, IMAGE, n, goal, low, high))
    return cases


def cluster_cases(rng, n_simulations: int, n_resamples: int) -> list[dict]:
    """Accuracy and a paired difference when whole videos are drawn, few or many: plain and widened percentiles."""
    return [_case(*found) for found in cluster_intervals(rng, n_simulations, n_resamples)]


def confidence_population(strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Confidences on a grid of 5 per bin (cells,), and the shares of (right, wrong) at each: (cells, 2).

    Confidences follow Beta(1.55, 0.4), close to a ResNet-50's; accuracy lies below them by up to 0.07 x strength.
    """
    size = N_BINS * CELLS_PER_BIN
    confidence = (np.arange(size) + 0.5) / size
    share = np.diff(betainc(1.55, 0.4, np.linspace(0, 1, size + 1)))
    accuracy = confidence - strength * 0.07 * np.sin(np.pi * confidence) ** 0.5
    accuracy = np.clip(accuracy, 0.0, 1.0)
    share = share[:, None]
    return confidence, np.concatenate([share * accuracy[:, None], share * (1 - accuracy[:, None])], axis=1)


def _counts(share, n: int, n_simulations: int, n_resamples: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Counts of each simulated sample (simulations, cells) and of its resamples (resamples, simulations, cells)."""
    seen = rng.multinomial(n, share / share.sum(), size=n_simulations)
    return seen, rng.multinomial(n, seen / n, size=(n_resamples, n_simulations))


def _case(metric: str, interval: str, resampled: str, n: int, truth, low, high) -> dict:
    inside = (low <= truth) & (truth <= high)
    coverage, size = float(inside.mean()), len(inside)
    return {
        "metric": metric, "interval": interval, "resampled": resampled, "n": n, "truth": float(truth),
        "nominal": NOMINAL, "coverage": coverage, "above": float((low > truth).mean()),
        "below": float((high < truth).mean()), "n_simulations": size,
        "standard_error": float(np.sqrt(coverage * (1 - coverage) / size)),
    }  # fmt: skip


def _difference(cells: np.ndarray) -> np.ndarray:
    return (cells[..., 1] - cells[..., 2]) / cells.sum(axis=-1)


def _kappa(cells: np.ndarray) -> np.ndarray:
    cells = cells / cells.sum(axis=-1, keepdims=True)
    both, first, second = cells[..., 0], cells[..., 1], cells[..., 2]
    return kappa_from_rates(1 - first - second, both + first, both + second)


def _factor_metrics(cells: np.ndarray) -> dict[str, np.ndarray]:
    """error_ratio and log_odds_gap of the 16 factors and their mean: (..., 17), from (..., factors, right or wrong)."""
    k, n = cells[..., 0], cells.sum(axis=-1)
    k_all, n_all = k.sum(axis=-1, keepdims=True), n.sum(axis=-1, keepdims=True)
    k, n = k[..., :16], n[..., :16]
    ratio = error_ratio(k / np.where(n > 0, n, np.nan), k_all / n_all)
    found = {"error_ratio": ratio, "log_odds_gap": log_odds_gap(k, n, k_all, n_all)}
    return {name: np.concatenate([each, each.mean(axis=-1, keepdims=True)], axis=-1) for name, each in found.items()}


def _shape_samples(offsets, n_resamples: int, rng) -> dict[str, np.ndarray]:
    """Resampled shape bias of two paired models on one simulated set: unit -> (models, resamples)."""
    shared = np.sqrt(SHARED) * _exemplar_effects(rng)
    shown = np.zeros(160 * 48, dtype=bool)
    shown[rng.choice(160 * 48, 1200, replace=False)] = True
    shown = shown.reshape(160, 48)
    alike, common = rng.random((2, 160, 48)), rng.random((160, 48)) < SAME_LUCK
    tables = []
    for offset in offsets:
        effects = offset + shared + np.sqrt(1 - SHARED) * _exemplar_effects(rng)
        decided = shown & (np.where(common, alike[0], rng.random(shown.shape)) < 0.75)
        luck = np.where(common, alike[1], rng.random(shown.shape))
        tables += [decided & (luck < expit(effects)), decided]
    tables = np.stack(tables).astype(np.float32)
    shape_weights, texture_weights = image_weights(160, n_resamples, rng), image_weights(48, n_resamples, rng)
    crossed = np.einsum("mbt,bt->mb", shape_weights @ tables, texture_weights)
    plain = tables[:, shown] @ image_weights(1200, n_resamples, rng).T
    return {unit: shape_bias(part[::2], part[1::2] - part[::2]) for unit, part in ((CROSSED, crossed), (IMAGE, plain))}


def _exemplar_effects(rng) -> np.ndarray:
    return rng.normal(0, SHAPE_SPREAD, (160, 1)) + rng.normal(0, TEXTURE_SPREAD, (1, 48))


def _calibration(cells: np.ndarray, confidence: np.ndarray, n: int | None = None) -> dict[str, np.ndarray]:
    """ECE and signed gap of shares of (right, wrong) per grid cell (..., 2 x cells); debiased ECE where n is given."""
    cells = cells.reshape(*cells.shape[:-1], -1, 2)
    gap = confidence * cells.sum(axis=-1) - cells[..., 0]
    by_bin = _per_bin(gap)
    found = {"ece": np.abs(by_bin).sum(axis=-1), "signed_gap": gap.sum(axis=-1)}
    if n is not None:
        squares = _per_bin(cells[..., 0] * (1 - confidence) ** 2 + cells[..., 1] * confidence**2)
        found["debiased"] = debiased_from_sums(n * _per_bin(cells.sum(axis=-1)), n * by_bin, n * squares, n)
    return found


def _per_bin(cells: np.ndarray) -> np.ndarray:
    return cells.reshape(*cells.shape[:-1], N_BINS, CELLS_PER_BIN).sum(axis=-1)


CASES: tuple[Callable, ...] = (accuracy_cases, mistakes_cases, kappa_cases, shape_cases, calibration_cases,
                                contrast_cases, cluster_cases)  # fmt: skip
