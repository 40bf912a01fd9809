"""Result rows: one number per row, with its interval, n, unit and unit of resampling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from helpers.errors import BookError
from helpers.models import MODELS

KEY = ("model", "dataset", "view", "metric", "group", "unit", "resampled")
COLUMNS = ("model", "dataset", "view", "metric", "group", "value", "ci_low", "ci_high", "n", "unit", "resampled")
UNITS = ("percent", "points", "fraction", "ratio", "log_odds", "count", "millions", "gmacs")
_NUMBERS = ("value", "ci_low", "ci_high")


def empty_rows() -> pd.DataFrame:
    """No rows, with the right columns.

    >>> len(empty_rows()), list(empty_rows().columns)[:3]
    (0, ['model', 'dataset', 'view'])
    """
    return pd.DataFrame({c: pd.Series(dtype="float64" if c in _NUMBERS else "object") for c in COLUMNS})


def rows_frame(rows: Iterable[Mapping] | pd.DataFrame) -> pd.DataFrame:
    """Validated frame of result rows; missing columns become None, missing numbers stay NaN in memory.

    Raises BookError for an unknown column or unit, a repeated key, an infinite number, or an interval
    with one end only. (A bias-corrected interval need not contain the plain value.)

    >>> row = dict(model="vit_sup", dataset="cue_conflict", view="released.eval", metric="shape_bias",
    ...            group="overall", value=0.4, ci_low=0.3, ci_high=0.5, n=853, unit="fraction", resampled="image")
    >>> float(rows_frame([row]).value[0])
    0.4
    """
    frame = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows))
    if frame.empty:
        return empty_rows()
    unknown = sorted(set(frame.columns) - set(COLUMNS))
    if unknown:
        raise BookError("result rows", f"only the columns {', '.join(COLUMNS)}, found {unknown}", "rename or drop them")
    frame = frame.reindex(columns=list(COLUMNS))
    for name in _NUMBERS:
        frame[name] = pd.to_numeric(frame[name]).astype("float64")
    for name in set(COLUMNS) - set(_NUMBERS):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    _check(frame)
    return frame.reset_index(drop=True)


def _check(frame: pd.DataFrame) -> None:
    bad_units = sorted({str(unit) for unit in frame.unit} - set(UNITS))
    if bad_units:
        raise BookError("result rows", f"a unit among {', '.join(UNITS)}, found {bad_units}", "correct the unit")
    if np.isinf(frame[list(_NUMBERS)].to_numpy()).any():
        raise BookError("result rows", "finite numbers, found an infinite one", "give None where there is no value")
    if (frame.ci_low.isna() != frame.ci_high.isna()).any() or (frame.ci_low > frame.ci_high).any():
        raise BookError("result rows", "intervals with low <= high, both given or neither", "look at the interval")
    repeated = frame[frame.duplicated(list(KEY), keep=False)]
    if len(repeated):
        raise BookError("result rows", f"one row per key, found twice: {dict(repeated.iloc[0][list(KEY)])}", "drop one")


def select(rows: pd.DataFrame, **equal: object) -> pd.DataFrame:
    """Rows in which every named column equals the value, or is among the values if a list is given.

    >>> rows = rows_frame([dict(model=m, metric="ece", unit="fraction", value=0.1) for m in "ab"])
    >>> select(rows, model="a").model.tolist()
    ['a']
    """
    keep = pd.Series(True, index=rows.index)
    for column, wanted in equal.items():
        values = wanted if isinstance(wanted, (list, tuple, set)) else [wanted]
        keep &= rows[column].isin(list(values))
    return rows[keep].reset_index(drop=True)


def observers(rows: pd.DataFrame) -> list[str]:
    """Models among the rows, by key, in the order of their first row; contrasts, pairs and effects are left out.

    >>> names = ("vit", "vit - dino", "dino")
    >>> rows = rows_frame([dict(model=name, metric="ece", unit="fraction", value=0.1) for name in names])
    >>> observers(rows)
    ['vit', 'dino']
    """
    return [name for name in dict.fromkeys(rows.model) if name in MODELS or (":" in name and " " not in name)]
