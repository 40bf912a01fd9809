"""Instrument checks: observers with planted behaviour, measured by the very functions that a section measures with.

To add a section's check, write `<section>.check(rng, n_resamples)` and add one entry to `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.errors import BookError
from helpers.instrument import (
    calibration,
    invariance,
    mistakes,
    robustness,
    shape_texture,
    similarity,
    synthesis,
    synthetic,
    transferability,
)
from helpers.rows import COLUMNS, rows_frame

CHECKS: dict[str, Callable[[np.random.Generator, int], pd.DataFrame]] = {
    "02_mistakes": mistakes.check,
    "03_shape_texture": shape_texture.check,
    "04_calibration": calibration.check,
    "05_robustness": robustness.check,
    "07_synthetic": synthetic.check,
    "08_invariance": invariance.check,
    "06_transferability": transferability.check,
    "09_similarity": similarity.check,
    "10_synthesis": synthesis.check,
}


def check(section: str, rng: np.random.Generator, n_resamples: int = 500) -> pd.DataFrame:
    """Planted beside measured: result rows of planted observers with `planted`, `difference` and `inside`.

    `inside`: whether the interval of the row holds the planted truth (None without an interval). Raises BookError for
    a section without a check.
    """
    if section not in CHECKS:
        raise BookError(f"instrument check of {section!r}", f"one of {', '.join(CHECKS)}", "correct the name")
    return CHECKS[section](rng, n_resamples)


def as_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """The measured result rows of a check, for the record of the run.

    >>> as_rows(check("02_mistakes", np.random.default_rng(0), 20)).columns[-1]
    'resampled'
    """
    return rows_frame(frame[list(COLUMNS)])


__all__ = ["CHECKS", "as_rows", "check"]
