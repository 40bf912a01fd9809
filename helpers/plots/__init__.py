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
    shape_texture,
    style,
    transferability,
)

__all__ = [
    "calibration", "differences", "disagreement", "drawings", "general", "instrument", "mistakes", "models", "overview",
    "shape_texture", "style", "transferability",
]  # fmt: skip
