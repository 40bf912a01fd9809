"""The columns of stored tables, their checks, and the way between pandas and Arrow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from helpers.errors import BookError

N_CLASSES = 1000
# A float32 softmax can exceed 1 by a unit in the last place (1.2e-7); anything further is no probability.
PROBABILITY_TOLERANCE = 1e-6
TYPES = {
    "image_id": pa.string(), "label": pa.list_(pa.int32()), "pred": pa.int32(), "confidence": pa.float64(),
    "p_true": pa.float64(), "group": pa.string(), "top5": pa.list_(pa.int32()), "shape": pa.string(),
    "texture": pa.string(), "decision": pa.string(), "rt": pa.float64(), "asset": pa.string(),
    "background": pa.string(), "level": pa.string(),
}  # fmt: skip
REQUIRED = {
    "predictions": ("image_id", "label", "pred", "confidence", "p_true"),
    "decisions": ("image_id", "shape", "texture", "decision"),
    "ids": ("image_id",),
}
OPTIONAL = {
    "predictions": ("group", "top5", "asset", "background", "level"),
    "decisions": ("label", "pred", "confidence", "p_true", "group", "top5", "rt"),
    "ids": ("label", "group"),
}
NULLABLE = ("p_true", "group", "rt", "asset", "background", "level")
REMEDY = "correct what made the table; nothing was written"


def kind_of(columns: Collection[str]) -> str:
    """Which of the three tables these columns are: "decisions", "predictions" or "ids".

    >>> kind_of(["image_id", "shape", "texture", "decision"])
    'decisions'
    """
    if "decision" in columns:
        return "decisions"
    return "predictions" if "pred" in columns else "ids"


def to_table(frame: pd.DataFrame, thing: str, kind: str, categories: Collection[str] | None = None) -> pa.Table:
    """A checked Arrow table (rows in the order given) of a predictions, decisions or ids frame.

    `thing` names the frame in errors; `categories` are the allowed decisions (None: any word). Confidences up
    to 1 + 1e-6 become 1. Raises BookError for a missing or unknown column, no rows, a wrong type, a null or
    NaN, a duplicate image, a class outside 0..999 or a probability outside [0, 1], naming the row.
    """
    _check_columns(frame, thing, kind)
    names = [name for name in REQUIRED[kind] + OPTIONAL[kind] if name in frame.columns]
    ids = _column(frame, "image_id", thing)
    where = _Rows(thing, ids)
    _check_ids(ids, where)
    arrays = {name: ids if name == "image_id" else _column(frame, name, thing) for name in names}
    for name in names:
        if name not in NULLABLE and arrays[name].null_count:
            where.refuse(arrays[name].is_null(), f"a value in {name}, found none (null or NaN)")
    for name in ("confidence", "p_true"):
        if name in arrays:
            arrays[name] = _probabilities(name, arrays[name], where)
    for name in ("label", "pred", "top5"):
        if name in arrays:
            _check_classes(name, arrays[name], where, limit=None if kind == "ids" else N_CLASSES)
    _check_rows(arrays, where, categories)
    return pa.table(arrays)


class _Rows:
    """Names the first offending row of a table in an error."""

    def __init__(self, thing: str, ids: pa.Array) -> None:
        self.thing, self.ids = thing, ids

    def refuse(self, mask: pa.Array | np.ndarray, expected: str) -> None:
        rows = np.flatnonzero(np.asarray(mask))
        if len(rows):
            image = self.ids[int(rows[0])].as_py()
            more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
            raise BookError(f"{self.thing}, row {rows[0]} (image {image!r})", expected + more, REMEDY)


def _check_columns(frame: pd.DataFrame, thing: str, kind: str) -> None:
    missing = [name for name in REQUIRED[kind] if name not in frame.columns]
    if missing:
        raise BookError(thing, f"the columns {', '.join(REQUIRED[kind])}; missing {', '.join(missing)}", REMEDY)
    unknown = [str(name) for name in frame.columns if name not in REQUIRED[kind] + OPTIONAL[kind]]
    if unknown:
        allowed = ", ".join(REQUIRED[kind] + OPTIONAL[kind])
        raise BookError(thing, f"only the columns {allowed}; found {', '.join(unknown)}", "drop or rename them")
    if frame.empty:
        raise BookError(thing, "at least one row, found none", REMEDY)


def _column(frame: pd.DataFrame, name: str, thing: str) -> pa.Array:
    values = frame[name]
    try:
        if TYPES[name] == pa.float64():
            return pa.array(values.to_numpy(dtype=np.float64, na_value=np.nan), TYPES[name], from_pandas=True)
        array = pa.array(values if pa.types.is_list(TYPES[name]) else values.to_numpy(), TYPES[name], from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        expected = f"{TYPES[name]} values in the column {name} ({str(error).splitlines()[0]})"
        raise BookError(thing, expected, REMEDY) from None
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _check_ids(ids: pa.Array, where: _Rows) -> None:
    where.refuse(ids.is_null(), "an image_id, found none")
    where.refuse(pc.equal(pc.utf8_length(ids), 0), "an image_id, found an empty one")
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    seen = pd.Series(ids.to_pylist()).duplicated().to_numpy()
    first = ids.index(ids[int(np.flatnonzero(seen)[0])]).as_py()
    where.refuse(seen, f"each image once, found it in row {first} already")


def _probabilities(name: str, values: pa.Array, where: _Rows) -> pa.Array:
    numbers = values.to_numpy(zero_copy_only=False)
    outside = (numbers < 0) | (numbers > 1 + PROBABILITY_TOLERANCE)
    if outside.any():
        where.refuse(outside, f"{name} in [0, 1], found {float(numbers[outside][0])!r}")
    return pa.array(np.minimum(numbers, 1.0), values.type, from_pandas=True)


def _check_classes(name: str, values: pa.Array, where: _Rows, limit: int | None) -> None:
    flat = values.flatten() if pa.types.is_list(values.type) else values
    rows = pc.list_parent_indices(values).to_numpy() if pa.types.is_list(values.type) else np.arange(len(values))
    numbers = flat.to_numpy(zero_copy_only=False)
    wrong = ~((numbers >= 0) & (numbers < (limit or np.inf)))
    if wrong.any():
        mask = np.zeros(len(values), bool)
        mask[rows[wrong]] = True
        allowed = f"0..{limit - 1}" if limit else "0 or more"
        where.refuse(mask, f"{name} among {allowed}, found {numbers[wrong][0]}")


def _check_rows(arrays: dict[str, pa.Array], where: _Rows, categories: Collection[str] | None) -> None:
    if "p_true" in arrays and "decision" not in arrays:
        above = pc.greater(arrays["p_true"], pc.add(arrays["confidence"], PROBABILITY_TOLERANCE))
        where.refuse(pc.fill_null(above, False), "p_true no larger than confidence (the largest probability)")
    if "rt" in arrays:
        where.refuse(pc.fill_null(pc.less(arrays["rt"], 0), False), "rt (seconds) of 0 or more")
    if categories is None:
        return
    for name in {"shape", "texture", "decision"} & arrays.keys():
        allowed = sorted(categories) + (["na"] if name == "decision" else [])
        known = pc.is_in(arrays[name], pa.array(allowed))
        where.refuse(pc.invert(known), f"{name} to be one of {', '.join(allowed)}")


def canonical_order(table: pa.Table, order: Sequence[str] | None, thing: str) -> pa.Table:
    """The rows of a table in canonical order (see canonical_rows)."""
    return table.take(canonical_rows(table.column("image_id").combine_chunks(), order, thing))


def canonical_rows(ids: pa.Array, order: Sequence[str] | None, thing: str) -> pa.Array:
    """Row numbers that put distinct ids into the `order` given, else sort them by the bytes of their UTF-8.

    Raises BookError if `order` and the ids are not the same images.

    >>> canonical_rows(pa.array(["b", "a"]), None, "two rows").to_pylist()
    [1, 0]
    """
    if order is None:
        return pc.sort_indices(ids)
    wanted = pa.array(order, pa.string())
    rows = pc.index_in(wanted, ids)
    if rows.null_count:
        first = wanted.filter(rows.is_null())[0].as_py()
        expected = f"the {len(wanted):,} images of the order given, {rows.null_count:,} are missing (first {first!r})"
        raise BookError(thing, expected, "compute the missing images: a run resumes where it stopped")
    if len(wanted) != len(ids) or pc.count_distinct(rows).as_py() != len(ids):
        expected = f"only the {len(wanted):,} images of the order given, each once; found {len(ids):,}"
        raise BookError(thing, expected, "give the order of the whole dataset")
    return rows


def from_table(table: pa.Table) -> pd.DataFrame:
    """The pandas frame of a stored table: lists of int, int64, float64 (NaN where null) and str columns."""
    return pd.DataFrame({name: _series(table.column(name).combine_chunks()) for name in table.column_names})


def _series(column: pa.Array) -> pd.Series | np.ndarray:
    if pa.types.is_list(column.type):
        # Slicing one flat list is some 20 times faster than Arrow's own conversion row by row.
        flat, ends = column.values.to_pylist(), column.offsets.to_pylist()
        lists = [flat[start:end] for start, end in pairwise(ends)]
        return pd.Series(lists, dtype=object)
    if pa.types.is_string(column.type):
        return pd.Series(column.to_pylist())
    return column.to_numpy(zero_copy_only=False).astype(np.int64 if pa.types.is_integer(column.type) else np.float64)
