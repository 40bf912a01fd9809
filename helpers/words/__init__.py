"""Sentences and tables made from result rows, so that no number in prose is typed by hand."""

from helpers.words import shape_texture
from helpers.words.numbers import ahead, shown
from helpers.words.tables import claims, reproduced, table

__all__ = ["ahead", "claims", "reproduced", "shape_texture", "shown", "table"]
