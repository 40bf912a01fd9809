"""VTAB's tasks whose official files are arrays: CIFAR-100 (binary), SVHN (.mat), smallNORB (matrices)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.io import loadmat

from helpers.datasets.cuts import COARSE
from helpers.datasets.members import files_below, list_members
from helpers.datasets.spec import Request
from helpers.errors import BookError, InputsUnavailable

CIFAR_RECORD = 2 + 3 * 32 * 32
NORB_TYPES = {0x1E3D4C55: np.dtype("u1"), 0x1E3D4C54: np.dtype("<i4")}


@dataclass(frozen=True)
class Arrays:
    """Pixels [n, H, W, 3] or grey [n, H, W] with id, label and part (the authors' split) of each image."""

    ids: list[str]
    labels: np.ndarray
    parts: list[str]
    pixels: np.ndarray


def _joined(found: list[tuple[str, str, np.ndarray, np.ndarray]]) -> Arrays:
    """(prefix of ids, part, labels, pixels) of each official file to one set; every image is in the canonical order."""
    ids = [f"{prefix}-{i:05d}" for prefix, _, labels, _ in found for i in range(len(labels))]
    parts = [part for _, part, labels, _ in found for _ in range(len(labels))]
    pixels = found[0][3] if len(found) == 1 else np.concatenate([each[3] for each in found])
    return Arrays(ids, np.concatenate([labels for *_, labels, _ in found]), parts, pixels)


def _side(request: Request, *coarse: tuple[str, str]) -> list[tuple[str, str]]:
    """Those (official split, part) that the split asked for is in, so that no other file is read."""
    return [each for each in coarse if request.split in COARSE.get(each[1], (each[1],))]


def _cifar100(request: Request) -> Arrays:
    members = list_members(request.paths, request.scratch)
    places = {name.rpartition("/")[2]: i for i, name in enumerate(members.names.to_pylist())}
    found = []
    for name, part in _side(request, ("train", "trainval"), ("test", "test")):
        if f"{name}.bin" not in places:
            raise InputsUnavailable(
                request.name, f"{name}.bin of the binary version, found none", "fetch cifar100_official"
            )
        place = places[f"{name}.bin"]
        data = np.frombuffer(members.read(place), np.uint8)
        if len(data) % CIFAR_RECORD:
            raise BookError(
                members.where(place), f"records of {CIFAR_RECORD} bytes, found {len(data):,}", "fetch it again"
            )
        records = data.reshape(-1, CIFAR_RECORD)
        pixels = records[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        found.append((name, part, records[:, 1].astype(np.int64), pixels))
    return _joined(found)


def _file(request: Request, *endings: str) -> bytes:
    """The bytes of the official file whose name ends so, decompressed where it is a .gz."""
    found = [file for path in request.paths for ending in endings for file in files_below(path, (ending,))]
    if not found:
        raise InputsUnavailable(request.name, f"a file ...{endings[0]}, found none", "fetch all its official files")
    try:
        return gzip.decompress(found[0].read_bytes()) if found[0].name.endswith(".gz") else found[0].read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise BookError(str(found[0]), f"a complete compressed file; {error}", "fetch it again") from None


def _svhn(request: Request) -> Arrays:
    found = []
    for name, part in _side(request, ("train", "trainval"), ("test", "test")):
        data = _file(request, f"{name}_32x32.mat")
        try:
            table = loadmat(io.BytesIO(data))
            pixels, digits = table["X"].transpose(3, 0, 1, 2), table["y"].ravel().astype(np.int64)
        except (ValueError, TypeError, KeyError, OSError, zlib.error) as error:
            raise BookError(f"{name}_32x32.mat", f"a MATLAB file with X and y; {error}", "fetch it again") from None
        found.append((name, part, digits % 10, pixels))  # the digit 0 has the label 10
    return _joined(found)


def norb_matrix(data: bytes, where: str) -> np.ndarray:
    """A matrix of the NORB sets: magic number, number of dimensions, at least three sizes, values, little endian.

    Raises BookError for another format and for a file that was cut.

    >>> norb_matrix(np.array([0x1E3D4C54, 1, 2, 1, 1, 7, 8], "<i4").tobytes(), "toy").tolist()
    [7, 8]
    """
    head = np.frombuffer(data[:8], "<i4")
    kind = NORB_TYPES.get(int(head[0])) if len(head) == 2 else None
    if kind is None:
        raise BookError(where, "a matrix of bytes or integers, found another format", "fetch it again")
    sizes = np.frombuffer(data[8 : 8 + 4 * max(3, int(head[1]))], "<i4")[: int(head[1])]
    values = np.frombuffer(data[8 + 4 * max(3, int(head[1])) :], kind)
    if len(values) != int(np.prod(sizes)):
        raise BookError(where, f"{int(np.prod(sizes)):,} values, found {len(values):,}", "fetch it again")
    return values.reshape(sizes)


def _smallnorb(column: int, divisor: int) -> Callable[[Request], Arrays]:
    def read(request: Request) -> Arrays:
        found = []
        for name, part in _side(request, ("training", "train"), ("testing", "valtest")):
            images, facts = (
                norb_matrix(_file(request, f"{name}-{kind}.mat", f"{name}-{kind}.mat.gz"), f"{name}-{kind}.mat")
                for kind in ("dat", "info")
            )
            if len(images) != len(facts):
                raise BookError(
                    request.name, f"{len(images)} lines in {name}-info.mat, found {len(facts)}", "fetch both"
                )
            found.append((name, part, facts[:, column].astype(np.int64) // divisor, images[:, 0]))  # the first camera
        return _joined(found)

    return read


ARRAYS: dict[str, Callable[[Request], Arrays]] = {
    "vtab_cifar100": _cifar100,
    "vtab_svhn": _svhn,
    "vtab_smallnorb_label_azimuth": _smallnorb(2, 2),
    "vtab_smallnorb_label_elevation": _smallnorb(1, 1),
}
"""Task -> what its official arrays hold. Columns of smallNORB's info: instance, elevation, azimuth, lighting."""
