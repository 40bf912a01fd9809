"""Figures: one function per figure, (result rows, ax) -> ax, one module per section."""

from helpers.plots import general, shape_texture, style

__all__ = ["general", "shape_texture", "style"]
