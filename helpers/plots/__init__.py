"""Figures: one function per figure, (result rows, ax) -> ax, one module per section."""

from helpers.plots import (
    calibration,
    differences,
    disagreement,
    drawings,
    general,
    instrument,
    mistakes,
    models,
    overview,
    robustness,
    shape_texture,
    similarity,
    style,
    sweeps,
    transferability,
)

__all__ = [
    "calibration", "differences", "disagreement", "drawings", "general", "instrument", "mistakes", "models",
    "overview", "robustness", "shape_texture", "similarity", "style", "sweeps", "transferability",
]  # fmt: skip
