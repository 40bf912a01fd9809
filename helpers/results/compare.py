"""What differs between two result records: the first key field, then the values."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.results.records import Record
from helpers.rows import KEY

NUMBERS = ("value", "ci_low", "ci_high", "n")


def describe_difference(a: Record, b: Record, tolerance: float = 0.0) -> list[str]:
    """Lines that say how two records differ; empty if they are equal up to `tolerance` (absolute).

    The first line names the first differing key field (section, profile, a parameter, the seed, an input hash);
    then come rows that only one of them has, then values that differ. Dates and machines are not compared.
    """
    lines = _first_key_field(a, b)
    left, right = (_keyed(record.rows) for record in (a, b))
    only = [("first", left.index.difference(right.index)), ("second", right.index.difference(left.index))]
    for side, keys in only:
        lines += [f"only in the {side}: {_name(key)}" for key in keys]
    shared = left.index.intersection(right.index)
    x, y = (np.asarray(side.loc[shared, list(NUMBERS)], dtype="float64") for side in (left, right))
    differ = ~(np.isclose(x, y, rtol=0.0, atol=tolerance, equal_nan=True))
    for row, column in zip(*np.nonzero(differ), strict=True):
        lines.append(f"{_name(shared[row])}: {NUMBERS[column]} {x[row, column]:.6g} against {y[row, column]:.6g}")
    return lines


def _first_key_field(a: Record, b: Record) -> list[str]:
    fields = {"section": (a.section, b.section), "profile": (a.profile, b.profile)}
    for name in sorted({*a.parameters, *b.parameters}):
        fields[f"parameters.{name}"] = (a.parameters.get(name), b.parameters.get(name))
    fields["provenance.seed"] = (a.provenance.get("seed"), b.provenance.get("seed"))
    inputs = [record.provenance.get("artifacts", {}) for record in (a, b)]
    for name in sorted({*inputs[0], *inputs[1]}):
        fields[f"provenance.artifacts.{name}"] = (inputs[0].get(name), inputs[1].get(name))
    fields["status"] = (a.status, b.status)
    for name, (left, right) in fields.items():
        if left != right:
            return [f"first differing key field: {name}: {left!r} against {right!r}"]
    return []


def _keyed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.set_index(pd.MultiIndex.from_frame(rows[list(KEY)].fillna("")))


def _name(key: tuple) -> str:
    return " / ".join(str(part) for part in key if part)
