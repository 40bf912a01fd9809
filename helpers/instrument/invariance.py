"""Section 8: observers that lose a planted share of accuracy along each transform."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import stats, views
from helpers.demo import planted
from helpers.demo.world import demo_set, factor_table

DATASET, REFERENCE = "demo_sweep", "paper.eval"
ACCURACY = 0.85
# Fraction of accuracy lost per pixel of shift, per doubling of scale and of size.
SLOPES = {
    "planted_steady": (0.002, 0.04, 0.03), "planted_shift_bound": (0.012, 0.04, 0.03),
    "planted_scale_bound": (0.002, 0.25, 0.03), "planted_size_bound": (0.002, 0.04, 0.15),
}  # fmt: skip


def planted_accuracies(per_pixel: float, per_scale: float, per_size: float) -> dict[str, float]:
    """Planted accuracy (fraction) of every view of the demo's sweeps, the untouched image's first.

    >>> found = planted_accuracies(0.01, 0.2, 0.1)
    >>> [round(found[view], 2) for view in ("paper.eval", "paper.shift-20", "paper.scale-2", "paper.resolution-32")]
    [0.85, 0.65, 0.65, 0.75]
    """
    found = {REFERENCE: ACCURACY}
    start = views.DEMO_RESOLUTIONS[1]
    for scale in views.PAPER_SCALES:
        found[f"paper.scale-{scale:g}"] = ACCURACY - per_scale * float(np.log2(scale))
    for shift in views.DEMO_SHIFTS:
        found[f"paper.shift-{shift:g}"] = ACCURACY - per_pixel * shift
    for size in views.DEMO_RESOLUTIONS:
        found[f"paper.resolution-{size:g}"] = ACCURACY - per_size * abs(float(np.log2(size / start)))
    return found


def check(rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Accuracy, probability, consistency and largest losses of four observers, planted against measured.

    >>> frame = check(np.random.default_rng(0), n_resamples=50)
    >>> sorted(frame.metric.unique())
    ['accuracy', 'consistency', 'largest_drop', 'probability']
    """
    images, frames, truth = factor_table(demo_set("sweep")), {}, []
    for model, slopes in SLOPES.items():
        accuracies = planted_accuracies(*slopes)
        for each in planted.view_response(images, accuracies, rng, model=model, dataset=DATASET):
            frames.setdefault(each.view, {})[model] = each.frame
            truth += each.truth
        truth += _drops(model, accuracies, len(images))
    rows = stats.invariance_rows(frames, rng, n_resamples, DATASET, REFERENCE, pairs=[])
    return planted.against(truth, rows)


def _drops(model: str, accuracies: dict[str, float], n: int) -> list[dict]:
    """What the largest losses must be, from the planted accuracies."""
    worst: dict[str, float] = {}
    for view, accuracy in accuracies.items():
        if setting := views.sweep_setting(view):
            worst[setting[0]] = max(worst.get(setting[0], 0.0), 100 * (ACCURACY - accuracy))
    worst |= {f"{name} - shift": worst[name] - worst["shift"] for name in ("scale", "resolution")}
    return [
        planted.common.row(model, DATASET, REFERENCE, "largest_drop", value, "points", n, group)
        for group, value in worst.items()
    ]
