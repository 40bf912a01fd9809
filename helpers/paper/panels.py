"""What the eight calibration panels of the paper allow to infer: 15 bins, their shares and accuracies, one ECE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.errors import BookError
from helpers.paper.values import values

DIGITISED = 0.001  # what the reading of shares and accuracies can move a sum over bins, fractions
PANELS = ("imagenet1k_val", "imagenet_r")


@dataclass(frozen=True)
class Panel:
    """One panel: edges (16,), share and accuracy (15,) as fractions (shares sum to 1), ECE with its half-width, n."""

    edges: np.ndarray
    share: np.ndarray
    accuracy: np.ndarray
    ece: float
    precision: float
    n: int


def read_panel(dataset: str, model: str) -> Panel:
    """The panel of one model on `imagenet1k_val` or `imagenet_r`. Raises BookError for another one.

    >>> read_panel("imagenet_r", "vit_clip").n
    30000
    """
    table = values("04_calibration")
    table = table[(table.dataset == dataset) & (table.model == model)]
    if table.empty:
        raise BookError(f"panel of {model} on {dataset}", f"a paper model on {' or '.join(PANELS)}", "correct the call")
    bins = table[table.group != "overall"].pivot(index="group", columns="metric", values="value").sort_index()
    ece = table[table.metric == "ece"].iloc[0]
    share = bins.bin_share.to_numpy()
    accuracy = bins.bin_accuracy.fillna(0.0).to_numpy()  # no bar is drawn: nearly empty
    edges = np.linspace(0, 1, len(bins) + 1)
    return Panel(edges, share / share.sum(), accuracy, float(ece.value), float(ece.precision), int(ece.n))


def gap_from_midpoints(panel: Panel) -> float:
    """Confidence minus accuracy (fraction) if every bin's mean confidence were its middle.

    >>> round(gap_from_midpoints(read_panel("imagenet1k_val", "vit_sup")), 3)
    -0.039
    """
    return float(panel.share @ (_middles(panel) - panel.accuracy))


def gap_bounds(panel: Panel) -> tuple[float, float]:
    """Smallest and largest signed gap (confidence - accuracy, fraction) that the panel and its ECE allow.

    With P and N the over- and under-confident masses, ECE = P + N and gap = P - N; each bin's mean confidence lies
    inside its bin, which bounds P and N. Widened by the reading precision. Where both ends have one sign, the
    direction of the miscalibration is settled without the mean confidences, which the paper does not show.

    >>> [round(end, 2) for end in gap_bounds(read_panel("imagenet1k_val", "vit_sup"))]
    [-0.04, -0.01]
    """
    lowest, highest = panel.edges[:-1] - panel.accuracy, panel.edges[1:] - panel.accuracy
    over_least, over_most = (float(panel.share @ np.maximum(gap, 0)) for gap in (lowest, highest))
    under_least, under_most = (float(panel.share @ np.maximum(-gap, 0)) for gap in (highest, lowest))
    ends = []
    for ece in (panel.ece - panel.precision, panel.ece + panel.precision):
        ends += [ece - 2 * min(under_most, ece - over_least), ece - 2 * max(under_least, ece - over_most)]
    return min(ends) - DIGITISED, max(ends) + DIGITISED


def ece_bounds(panel: Panel) -> tuple[float, float]:
    """Smallest and largest ECE (fraction) that shares and accuracies allow, for any confidences inside the bins.

    >>> low, high = ece_bounds(read_panel("imagenet1k_val", "vit_clip")); low < 0.133 < high
    True
    """
    lowest, highest = panel.edges[:-1] - panel.accuracy, panel.edges[1:] - panel.accuracy
    ends = np.abs([lowest, highest])
    smallest = np.where((lowest < 0) & (highest > 0), 0.0, ends.min(axis=0))
    return float(panel.share @ smallest), float(panel.share @ ends.max(axis=0))


def bin_confidences(panel: Panel) -> np.ndarray:
    """Mean confidence of each bin, (15,): the middles, all moved by one step away from or towards the accuracies.

    The step is the one at which the ECE is the printed one. One of many possible completions, used for the size of
    sampling errors only.

    >>> found = read_panel("imagenet1k_val", "vit_clip"); confidences = bin_confidences(found)
    >>> round(float(found.share @ abs(confidences - found.accuracy)), 4)
    0.133
    """
    from scipy.optimize import brentq

    middles, half = _middles(panel), np.diff(panel.edges) / 2
    away = np.sign(middles - panel.accuracy) * half

    def missing(step: float) -> float:
        return float(panel.share @ np.abs(middles + step * away - panel.accuracy)) - panel.ece

    return middles + brentq(missing, -1, 1) * away


def ece_samples(panel: Panel, rng: np.random.Generator, n_resamples: int = 2000) -> np.ndarray:
    """ECE of new samples of the panel's n images (parametric bootstrap), (resamples,).

    Bins are drawn by their shares, right answers by their accuracies; mean confidences are `bin_confidences`.

    >>> draws = ece_samples(read_panel("imagenet_r", "vit_sup"), np.random.default_rng(0), 500)
    >>> bool(0.001 < draws.std() < 0.003)
    True
    """
    counts = rng.multinomial(panel.n, panel.share, size=n_resamples)
    right = rng.binomial(counts, np.clip(panel.accuracy, 0, 1))
    return np.abs(counts * bin_confidences(panel) - right).sum(axis=1) / panel.n


def gap_standard_error(panel: Panel) -> float:
    """Standard error of the signed gap (fraction): spread of confidence - correctness over the panel's n images.

    Confidences are taken as spread evenly within their bins.

    >>> 0.001 < gap_standard_error(read_panel("imagenet1k_val", "convnext_sup")) < 0.002
    True
    """
    confidence, accuracy, width = bin_confidences(panel), panel.accuracy, np.diff(panel.edges)
    within = accuracy * (1 - accuracy) + width**2 / 12
    gap = confidence - accuracy
    return float(np.sqrt((panel.share @ (within + gap**2) - (panel.share @ gap) ** 2) / panel.n))


def _middles(panel: Panel) -> np.ndarray:
    return (panel.edges[:-1] + panel.edges[1:]) / 2
