"""Figures: one function per figure, (result rows, ax) -> ax, one module per section."""

from helpers.plots import (
    calibration,
    connections,
    differences,
    disagreement,
    drawings,
    general,
    heads,
    instrument,
    mistakes,
    models,
    overview,
    robustness,
    seeds,
    shape_texture,
    similarity,
    style,
    sweeps,
    transferability,
    two_by_two,
)

__all__ = [
    "calibration", "connections", "differences", "disagreement", "drawings", "general", "heads", "instrument",
    "mistakes", "models", "overview", "robustness", "seeds", "shape_texture", "similarity", "style", "sweeps",
    "transferability", "two_by_two",
]  # fmt: skip
