"""Images inside Parquet files, as the Hugging Face hub keeps them: a column `image` of {bytes, path}, or of bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.datasets.members import files_below
from helpers.errors import BookError, InputsUnavailable

_NAME = re.compile(r"(\w+?)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?\.parquet")


@dataclass(frozen=True)
class ParquetImages:
    """Where each image lies: file, row group and row in it, one entry per image."""

    files: tuple[str, ...]
    root: np.ndarray
    row_group: np.ndarray
    row: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    @property
    def roots(self) -> tuple[str, ...]:
        """The files, under the name that `Dataset.parts` asks for."""
        return self.files

    def take(self, rows: Sequence[int]) -> ParquetImages:
        """The images at these positions, in this order."""
        rows = np.asarray(rows, dtype=np.int64)
        return ParquetImages(self.files, self.root[rows], self.row_group[rows], self.row[rows])

    def where(self, position: int) -> str:
        """File, row group and row, for messages."""
        file = self.files[self.root[position]]
        return f"{file}::row group {self.row_group[position]}, row {self.row[position]}"

    def read(self, position: int) -> bytes:
        """The bytes of one image. Raises BookError naming file and row where there are none."""
        try:
            group = _row_group(self.files[self.root[position]], int(self.row_group[position]))
        except (OSError, pa.ArrowInvalid) as error:
            raise BookError(self.where(position), f"a readable row group; {error}", "fetch the file again") from None
        data = group[int(self.row[position])].as_py()
        if not data:
            raise BookError(self.where(position), "the bytes of an image, found none", "fetch the file again")
        return data


@lru_cache(maxsize=2)  # neighbours lie in one row group; reading it for each of them would cost minutes
def _row_group(file: str, number: int) -> pa.Array:
    parquet = pq.ParquetFile(file)
    within = pa.types.is_struct(parquet.schema_arrow.field("image").type)
    column = parquet.read_row_group(number, columns=["image.bytes" if within else "image"]).column("image")
    return column.combine_chunks().field("bytes") if within else column.combine_chunks()


def holds_images(kind: pa.DataType) -> bool:
    """Whether a column of this type holds images: bytes, or the hub's {bytes, path}.

    >>> holds_images(pa.binary()), holds_images(pa.struct({"bytes": pa.binary()})), holds_images(pa.string())
    (True, True, False)
    """
    if pa.types.is_struct(kind):
        at = kind.get_field_index("bytes")
        return at >= 0 and holds_images(kind.field(at).type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def parquet_files(paths: Sequence[Path], split: str) -> list[Path]:
    """The Parquet files of one split below these paths, in order; an empty list where there are no Parquet files.

    Raises BookError where files are missing, or where those of two revisions lie together (the hub's
    `<split>-00000-of-00005-<hash>.parquet` says how many there are).
    """
    files = [file for path in paths for file in files_below(path, (".parquet",))]
    named = {file: found for file in files if (found := _NAME.fullmatch(file.name))}
    if len(named) < len(files):
        if named:
            raise BookError(str(files[0].parent), "Parquet files named alike, found two ways", "keep one revision")
        return files
    chosen = [file for file in files if named[file][1] == split]
    if files and not chosen:
        raise InputsUnavailable(str(files[0].parent), f"files of the split {split!r}, found none", "fetch them")
    totals, numbers = {named[file][3] for file in chosen}, sorted(int(named[file][2]) for file in chosen)
    if chosen and (len(totals) > 1 or numbers != list(range(int(totals.pop())))):
        raise BookError(
            f"{split} files in {chosen[0].parent}", f"one complete set i-of-N, found {[file.name for file in chosen]}",
            "keep the files of one revision only, and fetch the missing ones",
        )  # fmt: skip
    return sorted(chosen, key=lambda file: named[file][2])


def read_parquet(files: Sequence[Path], columns: Sequence[str]) -> tuple[pa.Table, ParquetImages]:
    """The named columns of all files (one row an image) and where the images lie; image bytes stay on disk.

    Raises BookError for a damaged file, for one without these columns, and where `image` holds something else.
    """
    tables, places = [], []
    for number, file in enumerate(files):
        try:
            parquet = pq.ParquetFile(file)
            absent = sorted({"image", *(each.split(".")[0] for each in columns)} - set(parquet.schema_arrow.names))
            if absent:
                found = ", ".join(parquet.schema_arrow.names)
                raise BookError(str(file), f"the column {absent[0]!r}, found {found}", "fetch the published file")
            kind = parquet.schema_arrow.field("image").type
            if not holds_images(kind):
                found = f"bytes or {{bytes, path}} in the column 'image', found {kind}"
                raise BookError(str(file), found, "fetch the published file")
            tables.append(parquet.read(columns=list(columns)))
        except (OSError, pa.ArrowInvalid) as error:
            raise BookError(str(file), f"a readable Parquet file; {error}", "fetch it again") from None
        sizes = [parquet.metadata.row_group(i).num_rows for i in range(parquet.metadata.num_row_groups)]
        places += [(number, group, row) for group, size in enumerate(sizes) for row in range(size)]
    where = np.array(places, dtype=np.int64).reshape(-1, 3)
    return pa.concat_tables(tables), ParquetImages(tuple(map(str, files)), *where.T)


def class_names(file: Path, column: str = "label") -> tuple[str, ...]:
    """The class names that the hub keeps in the schema of a file; empty where it keeps none."""
    kept = (pq.read_schema(file).metadata or {}).get(b"huggingface", b"{}")
    try:
        return tuple(json.loads(kept)["info"]["features"][column]["names"])
    except (ValueError, KeyError, TypeError):
        return ()


def label_lists(column: pa.ChunkedArray, classes: int, where: str) -> list[list[int]]:
    """Labels as lists of class indices: one number, or up to ten padded with -1 (ImageNet-Hard).

    Raises BookError for an index outside 0..classes-1 and for an image without a label.

    >>> label_lists(pa.chunked_array([[[3, 5, -1], [7, -1, -1]]]), 1000, "toy")
    [[3, 5], [7]]
    """
    lists = [each if isinstance(each, list) else [each] for each in column.to_pylist()]
    lists = [[index for index in each if index is not None and index != -1] for each in lists]
    bad = next((i for i, each in enumerate(lists) if not each or not all(0 <= j < classes for j in each)), None)
    if bad is not None:
        raise BookError(
            f"{where}, row {bad}", f"class indices from 0 to {classes - 1}, found {lists[bad]}", "fetch it again"
        )
    return lists
