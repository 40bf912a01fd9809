"""Sentences and tables made from result rows, so that no number in prose is typed by hand."""

from helpers.words import (
    absent,
    audit,
    calibration,
    differences,
    disagreement,
    front,
    instrument,
    invariance,
    mistakes,
    models,
    probed,
    robustness,
    shape_texture,
    shifted,
    similarity,
    synthesis,
    synthetic,
    titles,
    transferability,
    twins,
    two_by_two,
)
from helpers.words.numbers import ahead, shown
from helpers.words.readings import readings
from helpers.words.tables import claims, reproduced, table

__all__ = [
    "absent", "ahead", "audit", "calibration", "claims", "differences", "disagreement", "front", "instrument",
    "invariance", "mistakes", "models", "probed", "readings", "reproduced", "robustness", "shape_texture", "shifted",
    "shown", "similarity", "synthesis", "synthetic", "table", "titles", "transferability", "twins", "two_by_two",
]  # fmt: skip
