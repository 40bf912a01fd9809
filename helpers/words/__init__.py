"""Sentences and tables made from result rows, so that no number in prose is typed by hand."""

from helpers.words import shape_texture
from helpers.words.numbers import ahead, shown
from helpers.words.tables import claims, table

__all__ = ["ahead", "claims", "shape_texture", "shown", "table"]
