"""What a lower precision changes, measured on the same images (a choice, never a default)."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from helpers import metrics, store
from helpers.datasets import Dataset
from helpers.errors import BookError
from helpers.predict import Network, Settings, run


def precision_effect(
    network: Network, dataset: Dataset, precision: str, settings: Settings | None = None, view: str = "paper.eval"
) -> dict:
    """Top-1 agreement with fp32 and the change of ECE under autocast to "fp16" or "bf16", on the images given.

    Returns n, agreement (percent of images with the same prediction), accuracy_change (points), ece, ece_change
    (fractions, 15 bins; autocast minus fp32) and largest_difference (of a confidence). Runs the model twice; nothing
    is kept in the store. Raises BookError for fp32 itself.
    """
    if precision == "fp32":
        raise BookError("precision effect", "fp16 or bf16 to compare with fp32, found fp32", "name one of them")
    settings = settings or Settings()
    plain, lower = (_predictions(network, dataset, view, replace(settings, precision=p)) for p in ("fp32", precision))
    right, also = metrics.correct(plain), metrics.correct(lower)
    ece, changed = metrics.ece(plain.confidence, right), metrics.ece(lower.confidence, also)
    return {
        "n": len(plain),
        "precision": precision,
        "agreement": 100 * float((plain.pred == lower.pred).mean()),
        "accuracy_change": 100 * float(also.mean() - right.mean()),
        "ece": ece,
        "ece_change": changed - ece,
        "largest_difference": float((plain.confidence - lower.confidence).abs().max()),
    }


def _predictions(network: Network, dataset: Dataset, view: str, settings: Settings):
    with tempfile.TemporaryDirectory() as folder:
        done = run(network, dataset, [view], settings, root=Path(folder))
        return store.read_predictions(network.name, dataset.dataset_id, done.views[0], Path(folder))[0]
