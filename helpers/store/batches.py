"""HSICs of the layers of two models, batch by batch: stored once whole, and before that in parts that a rerun finds."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import paths
from helpers.errors import BookError
from helpers.store import files
from helpers.store.frames import to_table
from helpers.store.keys import PredictionKey
from helpers.store.matrices import read_embeddings, write_matrices
from helpers.store.predictions import locate, read_index, whole

KIND = "similarity"


def pair_name(first: str, second: str) -> str:
    """What the store calls two models, or one with itself: in alphabetical order, whichever came first.

    >>> pair_name("vit_sup", "convnext_sup")
    'convnext_sup ~ vit_sup'
    """
    return " ~ ".join(sorted((first, second)))


def write_hsic(values: np.ndarray, key: PredictionKey, root: Path | None = None) -> Path:
    """Store HSICs (batches, layers a, layers b) in double precision; returns the JSON file.

    The layers' names stand in the key (`facts["layers"]`). Raises BookError for another shape or numbers that are not
    finite. Example: see `read_hsic`.
    """
    thing = f"HSIC of {key.model} on {key.dataset} under {key.view}"
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 3 or not values.size or not np.isfinite(values).all():
        expected = f"finite numbers (batches, layers, layers), found {values.shape}"
        raise BookError(thing, expected, "look at the activations")
    ids = pd.DataFrame({"image_id": [f"batch {i + 1:05d}" for i in range(len(values))]})
    flat = values.reshape(len(values), -1)
    chunks = {"hsic": (flat.shape[1], flat.dtype, [flat])}
    return write_matrices(to_table(ids, thing, "ids"), chunks, key, root, kind=KIND)


def read_hsic(
    model: str, dataset: str, view: str, root: Path | None = None, expect: PredictionKey | None = None
) -> tuple[np.ndarray, dict]:
    """Stored HSICs (batches, layers a, layers b) of a pair's name, and the facts of their key.

    Raises InputsUnavailable where nothing is stored, BookError for another key or damaged files.

    >>> import tempfile
    >>> key = PredictionKey("a ~ a", "toy", "paper.eval", {"layers": {"a": ["x", "y"]}})
    >>> with tempfile.TemporaryDirectory() as root:
    ...     _ = write_hsic(np.ones((3, 2, 2)), key, Path(root))
    ...     read_hsic("a ~ a", "toy", "paper.eval", Path(root))[0].shape
    (3, 2, 2)
    """
    _, matrix, document = read_embeddings(model, dataset, view, "hsic", root, expect, KIND)
    facts = document["facts"]
    sizes = [len(facts["layers"][name]) for name in model.split(" ~ ")]
    if matrix.shape[1] != sizes[0] * sizes[1]:
        expected = f"{sizes[0]} x {sizes[1]} numbers a batch, found {matrix.shape[1]}"
        raise BookError(f"HSIC of {model} on {dataset}", expected, "delete the entry and compute it again")
    return np.asarray(matrix).reshape(-1, *sizes), facts


def hsic_facts(model: str, dataset: str, view: str, root: Path | None = None) -> dict | None:
    """The facts of a stored pair's key, None where nothing whole is stored (sizes of files are looked at, no bytes)."""
    entry = locate(model, dataset, view, root, KIND)
    return read_index(entry)["key"]["facts"] if whole(entry, None) is None else None


def _folder(digest: str, root: Path | None) -> Path:
    return Path(root or paths.store_dir()) / KIND / f".unfinished-{digest[:16]}"


def write_part(values: np.ndarray, batch: int, digest: str, root: Path | None = None) -> None:
    """Keep the HSICs of one batch of an unfinished run, whose key has this digest."""
    folder, stem = _folder(digest, root), f"batch-{batch:05d}"
    line = files.write_file(folder / f"{stem}.npy", lambda handle: np.save(handle, values))
    files.write_document(folder / f"{stem}.json", line)


def read_part(batch: int, digest: str, root: Path | None = None) -> np.ndarray | None:
    """What `write_part` kept, None where it did not or where the file is damaged.

    >>> read_part(0, "none", Path("/nowhere")) is None
    True
    """
    path = _folder(digest, root) / f"batch-{batch:05d}.json"
    try:
        line = files.read_document(path)
        if not files.matches(path.parent, line):
            return None
        return np.load(io.BytesIO((path.parent / line["name"]).read_bytes()), allow_pickle=False)
    except (OSError, ValueError, KeyError, BookError):
        return None


def drop_parts(digests: Sequence[str], root: Path | None = None) -> None:
    """Forget unfinished runs."""
    for digest in digests:
        shutil.rmtree(_folder(digest, root), ignore_errors=True)
