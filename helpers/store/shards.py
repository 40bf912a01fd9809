"""Shards of an unfinished run: which ones count, and what they hold.

A folder `<view>.parts/<worker>/` has `key.json`, `part-00000.parquet` (and `part-00000.<matrix>.npy`), and
`index.jsonl`, to which a line with checksums is appended after each shard. A shard without such a line, or with
other bytes than its line says, does not count; its images are computed again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.errors import BookError
from helpers.store import files
from helpers.store.keys import SCHEMA, PredictionKey, explain_difference
from helpers.store.predictions import Entry

INDEX, KEY = "index.jsonl", "key.json"


@dataclass(frozen=True)
class Shard:
    """A shard that an index names: rows, columns and matrices (name -> (dtype, width)), files by role."""

    folder: Path
    part: int
    rows: int
    layout: dict
    files: dict[str, dict]

    def ids(self) -> pa.Array:
        """The image ids of its rows, in order."""
        column = pq.read_table(self.folder / self.files["table"]["name"], columns=["image_id"]).column("image_id")
        return column.combine_chunks()

    def table(self) -> pa.Table:
        """Its rows without the matrices."""
        return pq.read_table(self.folder / self.files["table"]["name"])

    def matrix(self, name: str) -> np.ndarray:
        """One of its matrices, memory-mapped."""
        return np.load(self.folder / self.files[name]["name"], mmap_mode="r", allow_pickle=False)


def key_document(keys: dict[str, PredictionKey], n: int | None) -> dict:
    """What `key.json` of a run's folder says: the keys of what it writes, and how many images it will have."""
    return {"schema": SCHEMA, "keys": {kind: key.document() for kind, key in keys.items()}, "n": n}


def read_key(folder: Path) -> dict | None:
    """The `key.json` of a run's folder; None if it is absent or torn."""
    try:
        return files.read_document(folder / KEY)
    except (OSError, BookError):
        return None


def key_difference(folder: Path, keys: dict[str, PredictionKey]) -> str | None:
    """The first field in which a run's folder differs from `keys`; None if it is a run of these keys."""
    stored = read_key(folder)
    if stored is None:
        return f"{KEY} is absent or damaged"
    return explain_difference(stored.get("keys", {}), {kind: key.document() for kind, key in keys.items()})


def index_lines(folder: Path) -> list[Shard]:
    """The shards that a folder's index names, unchecked; a torn line is passed over."""
    path = folder / INDEX
    shards = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else []:
        try:
            document = json.loads(line)
            shards.append(Shard(folder, *(document[name] for name in ("part", "rows", "layout", "files"))))
        except (ValueError, KeyError, TypeError):
            continue
    return shards


def split_valid(shards: list[Shard], checksum: bool = True) -> tuple[list[Shard], list[Shard]]:
    """The shards whose files have the checksums (or only the sizes) that the index names, and the others."""
    valid, damaged = [], []
    for shard in shards:
        whole = all(files.matches(shard.folder, line, checksum) for line in shard.files.values())
        (valid if whole else damaged).append(shard)
    return valid, damaged


def append_line(folder: Path, shard: Shard) -> None:
    """Append a shard to its folder's index. Raises BookError on a full disk; earlier lines stay as they are."""
    path = folder / INDEX
    document = {"part": shard.part, "rows": shard.rows, "layout": shard.layout, "files": shard.files}
    line = json.dumps(document, sort_keys=True).encode() + b"\n"
    try:
        with path.open("a+b") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(size - 1, 0))
            torn = handle.read(1) not in (b"", b"\n")  # a run was killed while it wrote this line
            handle.write(b"\n" + line if torn else line)
            files.sync(handle)
    except OSError as error:
        files.raise_if_full(path, error)
        raise


def worker_folders(entry: Entry) -> list[Path]:
    """The folders of the workers of an entry's unfinished run, in name order."""
    return sorted(path for path in entry.parts.iterdir() if path.is_dir()) if entry.parts.is_dir() else []


def unfinished(entry: Entry, kind: str, key: PredictionKey) -> tuple[int, int | None] | None:
    """Rows finished and rows planned (None: not said) of an interrupted run of this key; None without one.

    By the sizes of files, not their checksums: a quick answer for `status`.
    """
    done, planned, found = 0, None, False
    for folder in worker_folders(entry):
        stored = read_key(folder)
        if stored is None or explain_difference(stored.get("keys", {}).get(kind, {}), key):
            continue
        found, planned = True, stored.get("n") or planned
        done += sum(shard.rows for shard in split_valid(index_lines(folder), checksum=False)[0])
    return (done, planned) if found else None
