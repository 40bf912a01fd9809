"""Merging shards into the one file of an entry, in canonical order and in blocks, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.errors import BookError
from helpers.store import files
from helpers.store.frames import canonical_rows
from helpers.store.keys import PredictionKey
from helpers.store.matrices import CHUNK, write_matrices
from helpers.store.predictions import ROW_GROUP, locate, parquet_writer, write_index
from helpers.store.shards import Shard

REMEDY = "delete the parts folder and compute it again"


@dataclass(frozen=True)
class MergePlan:
    """For each row of the merged table: the number of its shard, and its row in it (two integer arrays)."""

    shards: tuple[Shard, ...]
    shard_of: np.ndarray
    row_of: np.ndarray


def plan_rows(shards: Sequence[Shard], order: Sequence[str] | None, thing: str) -> MergePlan:
    """Where each row of the merged table comes from: sorted by image_id, or in `order`.

    An image that two workers computed is taken from the first (shards are sorted by worker and part). Raises
    BookError for an image twice within one worker, other images than `order`, or shards with different columns.
    """
    layouts = sorted({repr(shard.layout) for shard in shards})
    if len(layouts) != 1:
        raise BookError(thing, f"the same columns and matrices in all shards, found {' and '.join(layouts)}", REMEDY)
    ids = pa.concat_arrays([shard.ids() for shard in shards])
    shard_of = np.repeat(np.arange(len(shards)), [shard.rows for shard in shards])
    row_of = np.concatenate([np.arange(shard.rows) for shard in shards])
    by_id = pc.sort_indices(ids).to_numpy()  # stable: of equal ids the first shard's comes first
    ordered = ids.take(pa.array(by_id))
    repeated = np.zeros(len(ids), bool)
    repeated[1:] = pc.equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    for place in np.flatnonzero(repeated):
        first, second = (shards[shard_of[by_id[p]]].folder for p in (place - 1, place))
        if first == second:
            raise BookError(thing, f"each image once, found {ordered[place].as_py()!r} twice in {first}", REMEDY)
    kept = by_id[~repeated]
    kept = kept[canonical_rows(ids.take(pa.array(kept)), order, thing).to_numpy()]
    return MergePlan(tuple(shards), shard_of[kept], row_of[kept])


def table_blocks(plan: MergePlan) -> Iterator[pa.Table]:
    """The merged table in row groups. A run that was not shuffled reads each shard once."""
    load = lru_cache(maxsize=4)(lambda i: plan.shards[i].table())
    for start in range(0, len(plan.shard_of), ROW_GROUP):
        wanted, rows = plan.shard_of[start : start + ROW_GROUP], plan.row_of[start : start + ROW_GROUP]
        places = [np.flatnonzero(wanted == i) for i in np.unique(wanted)]
        pieces = [load(int(wanted[p[0]])).take(pa.array(rows[p])) for p in places]
        back = pa.array(np.argsort(np.concatenate(places)))
        yield pa.concat_tables(pieces).combine_chunks().take(back)


def matrix_blocks(plan: MergePlan, name: str, width: int, dtype: str) -> Iterator[np.ndarray]:
    """A merged matrix in blocks of rows."""
    load = lru_cache(maxsize=4)(lambda i: plan.shards[i].matrix(name))
    for start in range(0, len(plan.shard_of), CHUNK):
        wanted, rows = plan.shard_of[start : start + CHUNK], plan.row_of[start : start + CHUNK]
        block = np.empty((len(wanted), width), dtype)
        for i in np.unique(wanted):
            mine = wanted == i
            block[mine] = load(int(i))[rows[mine]]
        yield block


def store_merged(plan: MergePlan, keys: Mapping[str, PredictionKey], root: Path | None, scratch: Path) -> None:
    """Write the merged entries; their JSON files, which make them exist, come after all data.

    `keys`: "predictions" and / or "embeddings"; `scratch`: folder of the temporary files. Raises BookError on a
    full disk.
    """
    key = keys.get("predictions")
    if key:
        entry = locate(key.model, key.dataset, key.view, root)
        entry.json.unlink(missing_ok=True)
        path = entry.folder / f"{entry.stem}.parquet"
        line = files.write_file(path, lambda handle: _write_table(handle, plan), scratch)
    if "embeddings" in keys:
        _store_matrices(plan, keys["embeddings"], root, scratch)
    if key:
        write_index(entry, key, len(plan.shard_of), {"table": line}, scratch)


def _store_matrices(plan: MergePlan, key: PredictionKey, root: Path | None, scratch: Path) -> None:
    layout = plan.shards[0].layout
    names = [name for name in ("image_id", "label", "group") if name in layout["columns"]]
    ids = pa.concat_tables([block.select(names) for block in table_blocks(plan)])
    chunks = {
        name: (width, np.dtype(dtype), matrix_blocks(plan, name, width, dtype))
        for name, (dtype, width) in layout["matrices"].items()
    }
    write_matrices(ids, chunks, key, root, scratch)


def _write_table(handle, plan: MergePlan) -> None:
    with parquet_writer(plan.shards[0].table().schema, handle) as out:
        for block in table_blocks(plan):
            out.write_table(block, row_group_size=ROW_GROUP)
