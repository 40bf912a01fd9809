"""Figures: one function per figure, (result rows, ax) -> ax, one module per section."""

from helpers.plots import calibration, general, mistakes, shape_texture, style

__all__ = ["calibration", "general", "mistakes", "shape_texture", "style"]
