"""Writing the predictions (and embeddings) of a long run shard by shard, so that an interrupted run resumes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from helpers.errors import BookError
from helpers.store import files, merge, shards
from helpers.store.frames import to_table
from helpers.store.keys import PredictionKey
from helpers.store.matrices import check_matrix, write_npy
from helpers.store.predictions import checked, locate, read_index, read_table, whole, write_parquet


class ShardWriter:
    """Appends rows of one pass over a dataset, and merges them at the end into the files of the store.

    `key` is that of the predictions, `embedding_key` that of the matrices of the same pass (one of them may be
    None; model, dataset and view are the same). `n`: images expected. A shard is written whenever `shard_rows` rows
    wait; kill -9 loses at most those. Opened again with equal keys it goes on: skip `finished_ids()`. `worker` names
    one of several processes or machines that share a run; each sees what all have finished, and whoever calls
    `finish` merges them. `notes` says what was discarded or damaged. Memory: one shard, and some 120 bytes per id.

    Raises BookError if the unfinished run has another key, naming the first field that differs, unless
    `restart` says to discard it.

    >>> import tempfile
    >>> key = PredictionKey("vit_sup", "imagenet_a", "paper.eval", {"precision": "fp32"})
    >>> rows = pd.DataFrame({"image_id": ["b", "a"], "label": [[1], [2]], "pred": [1, 7],
    ...                      "confidence": [0.5, 0.25], "p_true": [0.5, 0.125]})
    >>> with tempfile.TemporaryDirectory() as root:
    ...     writer = ShardWriter(key, n=2, shard_rows=1, root=root)
    ...     writer.append(rows[:1])
    ...     again = ShardWriter(key, n=2, shard_rows=1, root=root)
    ...     sorted(again.finished_ids())
    ...     again.append(rows[1:])
    ...     again.finish()
    ['b']
    2
    """

    def __init__(
        self, key: PredictionKey | None, *, embedding_key: PredictionKey | None = None, n: int | None = None,
        shard_rows: int = 2048, worker: str = "main", restart: bool = False, root: Path | None = None,
    ) -> None:  # fmt: skip
        given = {"predictions": key, "embeddings": embedding_key}
        self.keys = {kind: each for kind, each in given.items() if each is not None}
        names = {(each.model, each.dataset, each.view) for each in self.keys.values()}
        if len(names) != 1 or shard_rows < 1:
            expected = f"one model, dataset and view, and shards of at least one row; found {sorted(names)}"
            raise BookError("ShardWriter", expected, "correct the call")
        (place,) = names
        self.root, self.n, self.shard_rows = root, n, shard_rows
        self.thing = "{} on {} under {}".format(*place)
        self.entries = {kind: locate(*place, root, kind) for kind in self.keys}
        self.home = next(iter(self.entries.values()))
        self.folder = self.home.parts / files.safe_name(worker)
        self.notes: list[str] = []
        self._tables: list[pa.Table] = []
        self._matrices: list[dict[str, np.ndarray]] = []
        self._layout: dict | None = None
        self._next_part: int | None = None
        self.complete = all(whole(self.entries[kind], each, checksum=True) is None for kind, each in self.keys.items())
        if not self.complete:
            self._claim_folder(restart)
        self._seen = set(self._stored_ids())

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        # What was computed before an interruption is kept; after an error of the store, writing would fail again.
        if not isinstance(error, BookError):
            self.flush()

    def finished_ids(self) -> set[str]:
        """Ids of the images that need not be computed: stored by any worker, or waiting here to be written."""
        return set(self._seen)

    def append(self, frame: pd.DataFrame, matrices: Mapping[str, np.ndarray] | None = None) -> None:
        """Add rows and, with an `embedding_key`, their matrices [rows, d] by name; writes a shard when enough wait.

        Without a prediction key the frame has image_id, and optionally label and group. Raises BookError for a
        malformed frame or matrix, an image that is finished already, or a full disk (nothing finished is lost).
        """
        if self.complete:
            raise BookError(self.thing, "nothing to add: all images are stored", "check finished_ids() first")
        key = self.keys.get("predictions")
        table = checked(frame, key) if key else to_table(frame, self.thing, "ids")
        arrays = {name: check_matrix(name, m, table.num_rows, self.thing) for name, m in (matrices or {}).items()}
        if bool(arrays) != ("embeddings" in self.keys) or "table" in arrays:
            expected = f"matrices exactly if there is an embedding key, found {sorted(arrays) or 'none'}"
            raise BookError(self.thing, expected, "correct the call")
        self._check_layout(table, arrays)
        ids = table.column("image_id").to_pylist()
        repeated = [image for image in ids if image in self._seen]
        if repeated:
            raise BookError(self.thing, f"new images, found {repeated[0]!r} finished already", "skip finished_ids()")
        self._seen.update(ids)
        self._tables.append(table)
        self._matrices.append(arrays)
        if sum(each.num_rows for each in self._tables) >= self.shard_rows:
            self.flush()

    def flush(self) -> None:
        """Write the waiting rows as a shard, then its line in the index. Raises BookError on a full disk."""
        if not self._tables:
            return
        if not (self.folder / shards.KEY).is_file():
            files.write_document(self.folder / shards.KEY, shards.key_document(self.keys, self.n))
        table = pa.concat_tables(self._tables).combine_chunks()
        if self._next_part is None:
            self._next_part = 1 + max((shard.part for shard in shards.index_lines(self.folder)), default=-1)
        stem, lines = f"part-{self._next_part:05d}", {}
        for name in self._layout["matrices"]:
            block = np.concatenate([each[name] for each in self._matrices])
            path = self.folder / f"{stem}.{files.safe_name(name)}.npy"
            lines[name] = files.write_file(path, lambda h, b=block: write_npy(h, b.shape, b.dtype, [b]))
        path = self.folder / f"{stem}.parquet"
        lines["table"] = files.write_file(path, lambda handle: write_parquet(table, handle))
        shard = shards.Shard(self.folder, self._next_part, table.num_rows, self._layout, lines)
        shards.append_line(self.folder, shard)
        self._tables, self._matrices, self._next_part = [], [], self._next_part + 1

    def finish(self, order: Sequence[str] | None = None) -> int:
        """Merge all workers' shards into the files of the store, remove the shards, and return the number of rows.

        Rows are sorted by image_id or put into `order`; they do not depend on interruptions. Raises BookError if
        images are missing (of `n` or `order`) or the disk is full; the shards are then kept, and it can be repeated.
        """
        if self.complete:
            self._remove_parts()
            return read_index(self.home)["rows"]
        self.flush()
        valid, _ = self._read_shards()
        if not valid:
            raise BookError(self.thing, "finished images, found none", "append them first")
        plan = merge.plan_rows(valid, order, self.thing)
        # Fewer than were finished means that a shard was damaged since.
        if len(plan.shard_of) < len(self._seen) or (self.n is not None and len(plan.shard_of) != self.n):
            expected = (
                f"{self.n if self.n is not None else len(self._seen):,} images, found {len(plan.shard_of):,} whole"
            )
            raise BookError(self.thing, expected, "run again: it computes the missing images only")
        merge.store_merged(plan, self.keys, self.root, scratch=self.home.parts)
        self.complete = True
        self._remove_parts()
        return len(plan.shard_of)

    def _claim_folder(self, restart: bool) -> None:
        if not self.folder.is_dir():
            return
        rows = sum(shard.rows for shard in shards.index_lines(self.folder))
        difference = shards.key_difference(self.folder, self.keys)
        if difference and rows and not restart:
            expected = f"an unfinished run of the key asked for; {difference} ({rows:,} rows are there)"
            raise BookError(str(self.folder), expected, "finish that run with its own key, or restart to discard it")
        if difference:
            shutil.rmtree(self.folder)
            self.notes.append(f"discarded {rows:,} rows of an unfinished run: {difference}")
            return
        for leftover in self.folder.glob(f"*{files.WRITING}"):
            leftover.unlink(missing_ok=True)

    def _read_shards(self) -> tuple[list[shards.Shard], list[str]]:
        """The shards of all workers that count, and in words what does not."""
        found: list[shards.Shard] = []
        notes: list[str] = []
        for folder in shards.worker_folders(self.home):
            difference = shards.key_difference(folder, self.keys)
            if difference:
                notes.append(f"{folder} holds another run and is left out: {difference}")
                continue
            valid, damaged = shards.split_valid(shards.index_lines(folder))
            found += valid
            notes += [f"part {each.part} in {folder} is damaged: its images are computed again" for each in damaged]
        return found, notes

    def _stored_ids(self) -> Iterable[str]:
        if self.complete:
            return read_table(self.home, read_index(self.home), ["image_id"]).column("image_id").to_pylist()
        valid, notes = self._read_shards()
        self.notes += notes
        self._layout = valid[0].layout if valid else None
        return (image for shard in valid for image in shard.ids().to_pylist())

    def _check_layout(self, table: pa.Table, arrays: Mapping[str, np.ndarray]) -> None:
        matrices = {name: [arrays[name].dtype.name, arrays[name].shape[1]] for name in sorted(arrays)}
        layout = {"columns": table.column_names, "matrices": matrices}
        if self._layout is None:
            self._layout = layout
        if layout != self._layout:
            expected = f"the columns and matrices of the rows before, {self._layout}; found {layout}"
            raise BookError(self.thing, expected, "append the same columns always")

    def _remove_parts(self) -> None:
        for folder in shards.worker_folders(self.home):
            if not shards.key_difference(folder, self.keys) or not shards.index_lines(folder):
                # The index goes first: a kill in between leaves a folder that holds no rows for anybody.
                (folder / shards.INDEX).unlink(missing_ok=True)
                shutil.rmtree(folder)
        if self.home.parts.is_dir():
            for leftover in self.home.parts.glob(f"*{files.WRITING}"):
                leftover.unlink(missing_ok=True)
            if not any(self.home.parts.iterdir()):
                self.home.parts.rmdir()
