"""Reading and writing CSV files strictly: every error names file and line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from helpers.errors import BookError
from helpers.store.files import write_file

AGAIN = "get the file again, or correct that line"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_csv(path: Path, columns: Sequence[str], n: int | None) -> pa.Table:
    """The named columns of a CSV file as text; row i stands in line i + 2.

    UTF-8 only; a byte order mark is dropped (spreadsheets write one); columns may stand in any order and further ones
    are ignored; \\n and \\r\\n both end a line, and no field holds a line end. Raises BookError for a missing or empty
    file, another encoding, a missing or doubled column, a line with too few or many fields (an empty line too), no
    line end after the last line (cut off), or a number of rows other than `n`.
    """
    path = Path(path)
    data = _read(path)
    names = _header(path, data)
    _check_header(path, names, columns)
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            # One block and one thread: only so does an error carry the number of its row.
            pa.csv.ReadOptions(use_threads=False, block_size=len(data) + 1),
            pa.csv.ParseOptions(ignore_empty_lines=False),
            pa.csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        message = str(error).splitlines()[0]
        row = re.search(r"Row #(\d+)", message)
        line = int(row[1]) if row else data[: max(data.find(b'"'), 0)].count(b"\n") + 1
        refuse(path, line, f"{len(names)} fields ({message[:160]})")
    if table.num_rows != data.count(b"\n") - 1:
        lines = data.split(b"\n")
        open_quote = next((i for i, line in enumerate(lines, start=1) if line.count(b'"') % 2), 1)
        refuse(path, open_quote, "fields that end in their line, found a quote left open")
    if table.num_rows != (n if n is not None else max(table.num_rows, 1)):
        wanted = f"{n:,} rows" if n is not None else "at least one row"
        expected = f"{wanted} after the header, found {table.num_rows:,}"
        raise BookError(f"{path}, line {table.num_rows + 1} (the last)", expected, "get the whole file again")
    return table.combine_chunks()


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BookError(
            str(path), f"a CSV file ({error.strerror})", "check the path, or fetch the file again"
        ) from None
    if not data.strip():
        raise BookError(f"{path}, line 1", f"a CSV header, found an empty file ({len(data)} bytes)", "get it again")
    try:
        data.decode("utf-8")
        wrong = data.find(b"\x00")
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong >= 0:
        found = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else f"the byte 0x{data[wrong]:02x}"
        line = data[:wrong].count(b"\n") + 1
        raise BookError(f"{path}, line {line}", f"UTF-8 text, found {found}", "save the file as UTF-8 (iconv -t utf-8)")
    blank = re.search(rb"\n\r?\n", data)
    if blank:
        line = data[: blank.start()].count(b"\n") + 2
        refuse(path, line, "a row, found an empty line")
    if not data.endswith(b"\n"):
        last = data.splitlines()[-1].decode()[-40:]
        expected = f"a line end after the last line, found {last!r}: the file may be cut off"
        line = data.count(b"\n") + 1
        raise BookError(f"{path}, line {line}", expected, "get it again; if it is whole, end its last line")
    return data


def _header(path: Path, data: bytes) -> list[str]:
    first = data.decode("utf-8-sig").split("\n", 1)[0].rstrip("\r")
    return next(csv.reader([first]), [])


def _check_header(path: Path, names: list[str], columns: Sequence[str]) -> None:
    for name in columns:
        if names.count(name) != 1:
            problem = f"{name} is missing" if name not in names else f"{name} is there twice"
            expected = f"the columns {', '.join(columns)}, found {', '.join(names)[:160]}: {problem}"
            raise BookError(f"{path}, line 1", expected, "name the columns so, or give the right file")


def refuse(path: Path, line: int, expected: str) -> None:
    """Raise the BookError of a malformed line."""
    raise BookError(f"{path}, line {line}", expected, AGAIN)


def refuse_first(path: Path, wrong: pa.Array | np.ndarray, values: pa.ChunkedArray, expected: str) -> None:
    """Raise BookError at the first row where `wrong` is true, with the value found there; do nothing without one."""
    rows = np.flatnonzero(np.asarray(wrong))
    if len(rows):
        refuse(path, int(rows[0]) + 2, f"{expected}, found {values[int(rows[0])].as_py()[:80]!r}")


def check_unique(path: Path, ids: Sequence[str]) -> None:
    """Raise BookError naming both lines if an image stands in the file twice."""
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for line, image in enumerate(ids, start=2):
        if image in first:
            refuse(path, line, f"each image once, found {image} in line {first[image]} already")
        first[image] = line


def write_csv(path: Path, header: Sequence[str], rows: Sequence[tuple[str, ...]], line_end: str) -> Path:
    """Write a CSV file in one step. Raises BookError for a text that a spreadsheet would run as a formula.

    Such a text (starting with =, +, -, @, tab or return) is refused rather than quoted away: no image, model or
    person is called so, and a changed name would not be read back as it was.
    """
    path = Path(path)
    for line, row in enumerate(rows, start=2):
        for text in row:
            if text.startswith(FORMULA) or "\n" in text:
                expected = f"text that is no formula and has no line end, found {text[:40]!r}"
                raise BookError(f"{path}, line {line}", expected, "rename it; nothing was written")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    write_file(path, lambda handle: handle.write(buffer.getvalue().encode()))
    return path
