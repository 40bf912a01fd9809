"""Embeddings and features: matrices [n, d] beside the table of their image ids, and classification heads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.store import files
from helpers.store.frames import canonical_rows, from_table, to_table
from helpers.store.keys import PredictionKey
from helpers.store.predictions import check_key, locate, read_index, read_table, whole, write_index, write_parquet

CHUNK = 4096
DTYPES = ("float16", "float32")


def check_matrix(name: str, matrix: np.ndarray, rows: int, thing: str) -> np.ndarray:
    """The matrix, C-contiguous, if it is [rows, d], float16 or float32, and finite. Raises BookError otherwise."""
    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != rows or not matrix.shape[1]:
        raise BookError(f"{name} of {thing}", f"shape [{rows}, d], found {list(matrix.shape)}", "correct the call")
    if matrix.dtype.name not in DTYPES:
        raise BookError(f"{name} of {thing}", f"dtype {' or '.join(DTYPES)}, found {matrix.dtype}", "cast it first")
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        remedy = "find the input or layer that makes them; float16 overflows above 65,504: store float32"
        raise BookError(f"{name} of {thing}, row {row}", f"finite numbers, found {matrix[row].max()}", remedy)
    return np.ascontiguousarray(matrix)


def write_npy(handle: BinaryIO, shape: tuple[int, int], dtype: np.dtype, chunks: Iterable[np.ndarray]) -> None:
    """Write an .npy file row block by row block, so that memory does not grow with the number of rows."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, header)
    for chunk in chunks:
        handle.write(np.ascontiguousarray(chunk, dtype).tobytes())


def write_embeddings(
    ids: pd.DataFrame, matrices: Mapping[str, np.ndarray], key: PredictionKey, root: Path | None = None,
    order: Sequence[str] | None = None,
) -> Path:  # fmt: skip
    """Store matrices [n, d] (float16 or float32) by name, and the frame of their rows; returns the JSON file.

    `ids`: image_id, optionally label (list of ints) and group. Rows are sorted by image_id, or put into `order`.
    Raises BookError for a malformed frame or matrix (shape, dtype, NaN) or a full disk.

    >>> import tempfile
    >>> key = PredictionKey("vit_clip", "vtab_svhn", "probe.eval", {"dtype": "float16"})
    >>> with tempfile.TemporaryDirectory() as root:
    ...     rows = pd.DataFrame({"image_id": ["b", "a"]})
    ...     _ = write_embeddings(rows, {"embedding": np.eye(2, dtype="float16")}, key, root)
    ...     ids, matrix, _ = read_embeddings("vit_clip", "vtab_svhn", "probe.eval", root=root)
    ...     ids["image_id"].tolist(), matrix.tolist()
    (['a', 'b'], [[0.0, 1.0], [1.0, 0.0]])
    """
    thing = f"embeddings of {key.model} on {key.dataset} under {key.view}"
    table = to_table(ids, thing, "ids")
    checked = {name: check_matrix(name, matrix, table.num_rows, thing) for name, matrix in matrices.items()}
    if not checked or "table" in checked:
        raise BookError(thing, "at least one matrix, none of them called 'table'", "correct the call")
    rows = canonical_rows(table.column("image_id").combine_chunks(), order, thing)
    chunks = {name: (m.shape[1], m.dtype, _blocks(m, rows.to_numpy())) for name, m in checked.items()}
    return write_matrices(table.take(rows), chunks, key, root)


def _blocks(matrix: np.ndarray, rows: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), CHUNK):
        yield matrix[rows[start : start + CHUNK]]


def write_matrices(
    ids: pa.Table, chunks: Mapping[str, tuple[int, np.dtype, Iterable[np.ndarray]]], key: PredictionKey,
    root: Path | None, scratch: Path | None = None, kind: str = "embeddings",
) -> Path:  # fmt: skip
    """Store an entry of some kind: ids in canonical order and, by name, (width, dtype, row blocks) of each matrix."""
    entry = locate(key.model, key.dataset, key.view, root, kind)
    entry.json.unlink(missing_ok=True)
    lines = {}
    for name, (width, dtype, blocks) in chunks.items():
        shape = (ids.num_rows, width)
        path = entry.folder / f"{entry.stem}.{files.safe_name(name)}.npy"
        line = files.write_file(path, lambda handle, s=shape, d=dtype, b=blocks: write_npy(handle, s, d, b), scratch)
        lines[name] = {**line, "dtype": np.dtype(dtype).name, "shape": list(shape)}
    path = entry.folder / f"{entry.stem}.parquet"
    lines["table"] = files.write_file(path, lambda handle: write_parquet(ids, handle), scratch)
    write_index(entry, key, ids.num_rows, lines, scratch)
    return entry.json


def read_embeddings(
    model: str, dataset: str, view: str, name: str = "embedding", root: Path | None = None,
    expect: PredictionKey | None = None, kind: str = "embeddings",
) -> tuple[pd.DataFrame, np.ndarray, dict]:  # fmt: skip
    """The frame of ids, a matrix [n, d] (memory-mapped, read-only) and the key document.

    Raises InputsUnavailable if nothing is stored; BookError for another key, an unknown name, or a file that is
    not what the JSON file says. Example: see write_embeddings.
    """
    entry = locate(model, dataset, view, root, kind)
    document = read_index(entry)
    check_key(entry, document, expect)
    line = document["files"].get(name)
    if line is None or name == "table":
        names = ", ".join(sorted(document["files"].keys() - {"table"}))
        raise BookError(str(entry.json), f"a matrix {name!r}, found {names}", "ask for one of these")
    path, again = entry.folder / line["name"], f"delete {entry.json.name} and compute it again"
    if not files.matches(entry.folder, line):
        expected = f"{line['bytes']} bytes with sha256 {line['sha256'][:12]}... as {entry.json.name} says, found others"
        raise BookError(str(path), expected, again)
    matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    table = read_table(entry, document)
    if matrix.ndim != 2 or len(matrix) != table.num_rows:
        raise BookError(str(path), f"{table.num_rows:,} rows, found shape {list(matrix.shape)}", again)
    return from_table(table), matrix, document["key"]


def has_embeddings(model: str, dataset: str, view: str, root: Path | None = None) -> bool:
    """Whether embeddings are stored, by their JSON file and the sizes of what it names (no bytes are read).

    >>> has_embeddings("nobody", "vtab_svhn", "paper.eval", root="/nowhere")
    False
    """
    return whole(locate(model, dataset, view, root, "embeddings"), None) is None


def read_ids(
    model: str, dataset: str, view: str, root: Path | None = None, columns: Sequence[str] | None = None
) -> tuple[pd.DataFrame, dict]:  # fmt: skip
    """The frame of the images of stored embeddings (image_id, label, group) and the key document; no matrix is read.

    Raises InputsUnavailable if nothing is stored, BookError for a table that is not what the JSON file says.
    """
    entry = locate(model, dataset, view, root, "embeddings")
    document = read_index(entry)
    return from_table(read_table(entry, document, columns)), document["key"]


def matrix_names(model: str, dataset: str, view: str, root: Path | None = None) -> tuple[str, ...]:
    """Names of the matrices of stored embeddings, sorted. Raises InputsUnavailable if nothing is stored."""
    return tuple(sorted(read_index(locate(model, dataset, view, root, "embeddings"))["files"].keys() - {"table"}))


def head_digest(weight: np.ndarray, bias: np.ndarray | None = None) -> str:
    """sha256 over dtype, shape and bytes of a head: the `head` fact of predictions made with it.

    >>> head_digest(np.zeros((2, 3), "f4"))[:12]
    '3f4eb10c903e'
    """
    digest = hashlib.sha256()
    for array in (weight,) if bias is None else (weight, bias):
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def write_head(model: str, weight: np.ndarray, bias: np.ndarray | None = None, root: Path | None = None) -> str:
    """Store a head (weight [C, d], bias [C] or None) once under its digest, which is returned.

    logits = embeddings @ weight.T + bias; a zero-shot head has its factor (100) in the weight. Raises BookError
    for shapes that do not fit or numbers that are not finite.
    """
    weight = check_matrix("weight", weight, len(weight), f"the head of {model}")
    if bias is not None and (np.shape(bias) != (len(weight),) or not np.isfinite(bias).all()):
        found = f"a finite bias [{len(weight)}], found shape {list(np.shape(bias))}"
        raise BookError(f"the head of {model}", found, "correct the call")
    digest = head_digest(weight, bias)
    arrays = {"weight": weight} if bias is None else {"weight": weight, "bias": np.asarray(bias)}
    files.write_file(_head_path(model, digest, root), lambda handle: np.savez(handle, **arrays))
    return digest


def read_head(model: str, digest: str, root: Path | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight [C, d] and bias [C] (or None) of a stored head.

    Raises InputsUnavailable if there is none, BookError if its numbers are not those of the digest.
    """
    path = _head_path(model, digest, root)
    if not path.is_file():
        raise InputsUnavailable(str(path), "a stored head, found none", "run the model once")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weight, bias = arrays["weight"], arrays.get("bias")
        found = head_digest(weight, bias)
    except Exception as error:  # a damaged zip raises one of half a dozen types
        found = f"{type(error).__name__}: {error}"
    if found != digest:
        raise BookError(
            str(path), f"a head with digest {digest[:12]}..., found {found[:60]}", "delete it, run the model"
        )
    return weight, bias


def _head_path(model: str, digest: str, root: Path | None) -> Path:
    return Path(root or paths.store_dir()) / "heads" / files.safe_name(model) / f"{files.safe_name(digest)}.npz"
