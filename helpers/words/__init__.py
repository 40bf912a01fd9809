"""Sentences made from result rows, so that no number in prose is typed by hand."""

from helpers.words import shape_texture
from helpers.words.numbers import ahead, shown

__all__ = ["ahead", "shape_texture", "shown"]
