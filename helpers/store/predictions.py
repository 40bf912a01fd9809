"""One table per (model, dataset, view): a Parquet file beside a JSON file with its key and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.labels import sixteen_categories
from helpers.store import files
from helpers.store.frames import REQUIRED, TYPES, canonical_order, from_table, kind_of, to_table
from helpers.store.keys import SCHEMA, PredictionKey, explain_difference

ROW_GROUP = 65_536
AGAIN = "delete {json} and compute it again"


@dataclass(frozen=True)
class Entry:
    """Where an entry of the store lies: `<root>/<kind>/<dataset>/<model>/<view>.json` and the files it names."""

    folder: Path
    stem: str

    @property
    def json(self) -> Path:
        return self.folder / f"{self.stem}.json"

    @property
    def parts(self) -> Path:
        return self.folder / f"{self.stem}.parts"


def locate(model: str, dataset: str, view: str, root: Path | None, kind: str = "predictions") -> Entry:
    """The entry of a model, dataset and view; `kind` is "predictions", "embeddings" or "similarity"."""
    folder = Path(root or paths.store_dir()) / kind / files.safe_name(dataset) / files.safe_name(model)
    return Entry(folder, files.safe_name(view))


def write_parquet(table: pa.Table, handle: BinaryIO) -> None:
    """Write a table with fixed settings: the same rows give the same bytes within one version of pyarrow."""
    with parquet_writer(table.schema, handle) as writer:
        for start in range(0, table.num_rows, ROW_GROUP):
            writer.write_table(table.slice(start, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)


def parquet_writer(schema: pa.Schema, handle: BinaryIO) -> pq.ParquetWriter:
    """The writer behind every table of the store."""
    repeated = [
        name
        for name in ("group", "shape", "texture", "decision", "asset", "background", "level")
        if name in schema.names
    ]
    return pq.ParquetWriter(
        handle, schema.remove_metadata(), compression="zstd", use_dictionary=repeated, store_schema=False
    )


def write_predictions(
    frame: pd.DataFrame, key: PredictionKey, root: Path | None = None, order: Sequence[str] | None = None
) -> Path:
    """Check and store a predictions or decisions frame; returns the Parquet file.

    Rows are sorted by image_id, or put into `order` (the dataset's ids). An entry that is there already is
    replaced. Raises BookError for a malformed frame (see to_table) or a full disk; nothing is then stored.

    >>> import tempfile
    >>> rows = pd.DataFrame({"image_id": ["b", "a"], "label": [[1], [2]], "pred": [1, 7],
    ...                      "confidence": [0.5, 0.25], "p_true": [0.5, 0.125]})
    >>> key = PredictionKey("vit_sup", "imagenet_a", "paper.eval", {"precision": "fp32"})
    >>> with tempfile.TemporaryDirectory() as root:
    ...     _ = write_predictions(rows, key, root)
    ...     stored, facts = read_predictions("vit_sup", "imagenet_a", "paper.eval", root, expect=key)
    >>> stored["image_id"].tolist(), stored["label"].tolist(), facts["facts"]
    (['a', 'b'], [[2], [1]], {'precision': 'fp32'})
    """
    table = canonical_order(checked(frame, key), order, name_of(key))
    entry = locate(key.model, key.dataset, key.view, root)
    path = entry.folder / f"{entry.stem}.parquet"
    entry.json.unlink(missing_ok=True)  # from here until the last line the entry does not exist for readers
    line = files.write_file(path, lambda handle: write_parquet(table, handle))
    write_index(entry, key, table.num_rows, {"table": line})
    return path


def name_of(key: PredictionKey) -> str:
    """What errors call the predictions of a key."""
    return f"predictions of {key.model} on {key.dataset} under {key.view}"


def checked(frame: pd.DataFrame, key: PredictionKey) -> pa.Table:
    """The checked Arrow table of a predictions or decisions frame, rows in the order given (see to_table)."""
    kind = "decisions" if kind_of(frame.columns) == "decisions" else "predictions"
    categories = sixteen_categories() if key.dataset == "cue_conflict" else None
    return to_table(frame, name_of(key), kind, categories)


def write_index(
    entry: Entry, key: PredictionKey, rows: int, lines: dict[str, dict], scratch: Path | None = None
) -> None:
    """Write the JSON file that makes an entry exist: its key, number of rows, and files with checksums."""
    files.write_document(entry.json, {"schema": SCHEMA, "key": key.document(), "rows": rows, "files": lines}, scratch)


def read_index(entry: Entry) -> dict:
    """The JSON file of an entry. Raises InputsUnavailable if there is none, BookError if it is malformed."""
    if not entry.json.is_file():
        raise InputsUnavailable(str(entry.json), "a stored entry, found none", "run the section or model again")
    document = files.read_document(entry.json)
    try:
        complete = document["schema"] == SCHEMA and document["rows"] > 0 and "facts" in document["key"]
        complete = complete and all({"name", "sha256", "bytes"} <= line.keys() for line in document["files"].values())
        complete = complete and "table" in document["files"]
    except (KeyError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise BookError(str(entry.json), f"a store index of schema {SCHEMA}, found another", AGAIN.format(json="it"))
    return document


def read_table(entry: Entry, document: dict, columns: Sequence[str] | None = None) -> pa.Table:
    """The Arrow table of an entry, after checking bytes, number of rows and columns against its JSON file."""
    line = document["files"]["table"]
    path, again = entry.folder / line["name"], AGAIN.format(json=entry.json.name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise BookError(str(path), f"the file that {entry.json.name} names, found none", again) from None
    found = hashlib.sha256(data).hexdigest()
    if found != line["sha256"]:
        expected = f"sha256 {line['sha256'][:12]}... ({line['bytes']} bytes) as {entry.json.name} says"
        raise BookError(str(path), f"{expected}, found {found[:12]}... ({len(data)} bytes)", again)
    reader = pq.ParquetFile(pa.BufferReader(data))
    schema, rows = reader.schema_arrow, reader.metadata.num_rows
    wrong = [f"{name}: {schema.field(name).type}" for name in schema.names if not _fits(schema.field(name))]
    if wrong or "image_id" not in schema.names:
        raise BookError(str(path), f"the columns of schema {SCHEMA}, found {', '.join(wrong) or 'no image_id'}", again)
    if rows != document["rows"]:
        raise BookError(str(path), f"{document['rows']:,} rows as {entry.json.name} says, found {rows:,}", again)
    missing = [name for name in columns or () if name not in schema.names]
    if missing:
        raise BookError(str(path), f"the columns {missing}, found {schema.names}", "ask for columns that it has")
    return reader.read(columns=list(columns) if columns else None)


def _fits(column: pa.Field) -> bool:
    wanted = TYPES.get(column.name)
    if wanted is None or not pa.types.is_list(wanted):
        return column.type == wanted
    return pa.types.is_list(column.type) and column.type.value_type == wanted.value_type


def read_predictions(
    model: str, dataset: str, view: str, root: Path | None = None, expect: PredictionKey | None = None,
    columns: Sequence[str] | None = None,
) -> tuple[pd.DataFrame, dict]:  # fmt: skip
    """The stored frame and its key document; `columns` reads only some (for the millions of rows of ImageNet-C).

    Raises InputsUnavailable if nothing is stored; BookError if the key is not `expect`, or if a file is not
    what its JSON file says (checksum, rows, columns). Example: see write_predictions.
    """
    entry = locate(model, dataset, view, root)
    document = read_index(entry)
    check_key(entry, document, expect)
    table = read_table(entry, document, columns)
    if columns is None and not set(REQUIRED[kind_of(table.column_names)]) <= set(table.column_names):
        again = AGAIN.format(json=entry.json.name)
        raise BookError(str(entry.json), f"a predictions table, found {table.column_names}", again)
    return from_table(table), document["key"]


def check_key(entry: Entry, document: dict, expect: PredictionKey | None) -> None:
    """Raise BookError naming the first field in which the stored key differs from `expect`."""
    difference = explain_difference(document["key"], expect) if expect else None
    if difference:
        raise BookError(str(entry.json), f"the key asked for; {difference}", "compute it again for the new key")


def has_predictions(
    model: str, dataset: str, view: str, root: Path | None = None, expect: PredictionKey | None = None
) -> bool:
    """Whether an entry is stored, by its JSON file and the size of its table (no bytes are read).

    >>> has_predictions("nobody", "imagenet_a", "paper.eval", root="/nowhere")
    False
    """
    entry = locate(model, dataset, view, root)
    return whole(entry, expect) is None


def whole(entry: Entry, expect: PredictionKey | None, checksum: bool = False) -> str | None:
    """None if an entry is there, with the key expected and all its files; else what is wrong, in words."""
    try:
        document = read_index(entry)
    except InputsUnavailable:
        return "nothing stored"
    except BookError:
        return f"{entry.json.name} is damaged"
    difference = explain_difference(document["key"], expect) if expect else None
    if difference:
        return difference
    for line in document["files"].values():
        # Matrices are hashed when read: hashing 200 MB for every question would make a hit slow.
        if not files.matches(entry.folder, line, checksum and line["name"].endswith(".parquet")):
            return f"{line['name']} is missing or damaged"
    return None
