"""Section 8: observers that lose a planted share of accuracy along one transform each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats, views
from helpers.demo import planted
from helpers.demo.planted.common import row
from helpers.demo.world import demo_set, factor_table

DATASET, REFERENCE = "demo_sweep", "paper.eval"
ACCURACY = 0.85
# Fraction of accuracy lost per doubling of scale, per pixel of shift, per doubling or halving of the size.
SLOPES = {"scale": (0.03, 0.14, 0.25), "shift": (0.002, 0.008, 0.014), "resolution": (0.02, 0.08, 0.14)}
SETTINGS = {"scale": views.PAPER_SCALES, "shift": views.DEMO_SHIFTS, "resolution": views.DEMO_RESOLUTIONS}


def planted_accuracies(transform: str, slope: float) -> dict[str, float]:
    """Planted accuracy (fraction) of every view of one of the demo's sweeps, the untouched image's first.

    >>> {view: round(accuracy, 2) for view, accuracy in planted_accuracies("shift", 0.01).items()}["paper.shift-20"]
    0.65
    >>> round(planted_accuracies("resolution", 0.1)["paper.resolution-32"], 2)  # half of 64
    0.75
    """
    found = {REFERENCE: ACCURACY}
    for setting in SETTINGS[transform]:
        start = views.UNDISTORTED["resolution"][-1]
        lost = {
            "shift": setting,
            "scale": np.log2(setting or 1),
            "resolution": abs(np.log2((setting or start) / start)),
        }
        found[f"paper.{transform}-{setting:g}"] = ACCURACY - slope * float(lost[transform])
    return found


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Accuracy, probability, consistency and largest loss of nine observers, planted against measured.

    An observer has one difficulty of each image for all its views; the observers are drawn apart.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'consistency', 'largest_drop', 'probability']
    """
    images = factor_table(demo_set("sweep"))
    return pd.concat([_one_sweep(images, name, rng, n_resamples) for name in SLOPES], ignore_index=True)


def _one_sweep(images: pd.DataFrame, transform: str, rng: np.random.Generator, n_resamples: int) -> pd.DataFrame:
    frames: dict[str, dict[str, pd.DataFrame]] = {}
    truth: list[dict] = []
    for slope in SLOPES[transform]:
        model, accuracies = f"planted_{transform}_{slope:g}", planted_accuracies(transform, slope)
        for each in planted.view_response(images, accuracies, rng, model=model, dataset=DATASET):
            frames.setdefault(each.view, {})[model] = each.frame
            truth += each.truth
        worst = 100 * (ACCURACY - min(accuracies.values()))
        truth.append(row(model, DATASET, REFERENCE, "largest_drop", worst, "points", len(images), transform))
    rows = stats.invariance_rows(frames, rng, n_resamples, DATASET, REFERENCE, pairs=[])
    return planted.against(truth, rows)
