"""Merging what several processes or machines made of one run."""

from __future__ import annotations

from pathlib import Path

from helpers import paths, store
from helpers.errors import BookError
from helpers.store import shards
from helpers.store.predictions import Entry, locate

KINDS = ("predictions", "embeddings")  # where shards lie: beside the predictions, or beside features kept alone


def merge_parts(root: Path | None = None) -> list[str]:
    """Merge every finished run that was split (`--shard i/n`) into the store; returns what was merged, in words.

    The rows are those of a run that was not split. Raises BookError where images of a run are still missing, after
    all others are merged: the run goes on where it stopped when its parts, or the whole, are run again.

    >>> merge_parts(Path("/nowhere"))
    []
    """
    folder = Path(root or paths.store_dir())
    found = [part for kind in KINDS for part in sorted((folder / kind).glob("*/*/*.parts"))]
    entries = [Entry(each.parent, each.name.removesuffix(".parts")) for each in found]
    done: list[str] = []
    missing: list[BookError] = []
    for entry in entries:
        writer = _writer(entry, root)
        if writer is None:
            continue
        try:
            done.append(f"{writer.thing}: {writer.finish():,} images")
        except BookError as error:
            missing.append(error)
    if missing:
        raise BookError(missing[0].thing, missing[0].expected, "run its parts again, or the whole without --shard")
    return done


def tidy_up(model: str, dataset: str, view: str, root: Path | None = None) -> None:
    """Remove the shards of an entry that was merged just before its run was killed; do nothing otherwise."""
    for entry in (locate(model, dataset, view, root, kind) for kind in KINDS):
        writer = _writer(entry, root) if entry.parts.is_dir() else None
        if writer is not None and writer.complete:
            writer.finish()


def _writer(entry: Entry, root: Path | None) -> store.ShardWriter | None:
    """A writer with the key that the first part of a run states; None where there is no part."""
    stated = next(filter(None, map(shards.read_key, shards.worker_folders(entry))), None)
    if stated is None:
        return None
    keys = {
        kind: store.PredictionKey(*(document[name] for name in ("model", "dataset", "view", "facts")))
        for kind, document in stated["keys"].items()
    }
    return store.ShardWriter(
        keys.get("predictions"), embedding_key=keys.get("embeddings"), n=stated["n"], worker="merge", root=root
    )
