"""Sentences and tables made from result rows, so that no number in prose is typed by hand."""

from helpers.words import (
    absent,
    audit,
    calibration,
    choices,
    connections,
    differences,
    disagreement,
    filtered,
    front,
    heads,
    instrument,
    invariance,
    literature,
    mistakes,
    models,
    picker,
    probed,
    robustness,
    seeds,
    sets,
    shape_texture,
    shifted,
    similarity,
    synthesis,
    synthetic,
    titles,
    transferability,
    twins,
    two_by_two,
    users,
)
from helpers.words.numbers import ahead, shown
from helpers.words.readings import readings
from helpers.words.tables import claims, reproduced, table

__all__ = [
    "absent", "ahead", "audit", "calibration", "choices", "claims", "connections", "differences", "disagreement",
    "filtered", "front", "heads", "instrument", "invariance", "literature", "mistakes", "models", "picker", "probed",
    "readings", "reproduced", "robustness", "seeds", "sets", "shape_texture", "shifted", "shown", "similarity",
    "synthesis", "synthetic", "table", "titles", "transferability", "twins", "two_by_two", "users",
]  # fmt: skip
