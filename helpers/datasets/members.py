"""Files inside folders, tar and zip archives, read in place: an index of offsets instead of unpacking."""

from __future__ import annotations

import os
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa

from helpers.datasets.archives import FORMS, form_of, plain_tar, walk
from helpers.errors import BookError, InputsUnavailable

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
_ZIP_HEADER, _DEFLATED = 30, 8


@dataclass(frozen=True)
class Members:
    """Where the bytes of each file lie; arrays are one entry per file, so that workers share them cheaply.

    `roots` are archives or folders and `forms` what each is ("folder", "tar", "zip"); `root` points into them;
    `offset` and `stored` say which bytes of an archive to read, `length` how long the file is.
    """

    roots: tuple[str, ...]
    forms: tuple[str, ...]
    names: pa.Array
    root: np.ndarray
    offset: np.ndarray
    stored: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.root)

    def take(self, rows: Sequence[int] | np.ndarray) -> Members:
        """The members at these positions, in this order."""
        rows = np.asarray(rows, dtype=np.int64)
        columns = (each[rows] for each in (self.root, self.offset, self.stored, self.length))
        return Members(self.roots, self.forms, self.names.take(pa.array(rows)), *columns)

    def where(self, position: int) -> str:
        """Archive and member, or the path of a plain file, for messages."""
        root, name = self.roots[self.root[position]], self.names[position].as_py()
        return os.path.join(root, name) if self.forms[self.root[position]] == "folder" else f"{root}::{name}"

    def read(self, position: int) -> bytes:
        """The bytes of one file. Raises BookError naming archive and member where they are not all there."""
        root, form = self.roots[self.root[position]], self.forms[self.root[position]]
        try:
            if form == "folder":
                data = Path(root, self.names[position].as_py()).read_bytes()
            else:
                data = _read_span(root, form, int(self.offset[position]), int(self.stored[position]))
        except (OSError, zlib.error) as error:
            raise BookError(self.where(position), f"readable bytes; {error}", "get the archive again") from None
        if len(data) != self.length[position]:
            raise BookError(
                self.where(position), f"{self.length[position]:,} bytes, found {len(data):,}", "get the archive again"
            )
        return data


@dataclass
class _Growing:
    names: list[str] = field(default_factory=list)
    root: array = field(default_factory=lambda: array("h"))
    offset: array = field(default_factory=lambda: array("q"))
    stored: array = field(default_factory=lambda: array("q"))
    length: array = field(default_factory=lambda: array("q"))


def list_members(paths: Iterable[Path], scratch: Path | None = None) -> Members:
    """Index every file in these archives and folders; nothing is unpacked.

    A folder that holds only archives stands for them. A compressed tar is first decompressed to one plain tar,
    beside itself or in `scratch`, because a compressed one cannot be read at random. Raises BookError for damaged
    archives, links, absolute paths and `..`.
    """
    roots = [root for path in paths for root in _roots(Path(path), scratch)]
    forms = [form_of(root) for root in roots]
    growing = _Growing()
    for number, (root, form) in enumerate(zip(roots, forms, strict=True)):
        for name, offset, stored, length in FORMS[form](root):
            growing.names.append(name)
            for column, value in zip(
                (growing.root, growing.offset, growing.stored, growing.length), (number, offset, stored, length),
                strict=True,
            ):  # fmt: skip
                column.append(value)
    columns = (np.array(each) for each in (growing.root, growing.offset, growing.stored, growing.length))
    return Members(tuple(map(str, roots)), tuple(forms), pa.array(growing.names, pa.string()), *columns)


def is_image(name: str) -> bool:
    """Whether a member is an image file, leaving out the resource forks that macOS puts into zip files.

    >>> is_image("sketch/n01440764/sketch_0.JPEG"), is_image("__MACOSX/sketch/._a.JPEG"), is_image("README.txt")
    (True, False, False)
    """
    path = PurePosixPath(name)
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("._") and "__MACOSX" not in path.parts


def images_only(members: Members) -> Members:
    """The members that are image files."""
    return members.take([i for i, name in enumerate(members.names.to_pylist()) if is_image(name)])


def side_file(members: Members, file_name: str) -> bytes | None:
    """The bytes of the first member of this file name (a label table in the archive), None where there is none."""
    for position, name in enumerate(members.names.to_pylist()):
        if PurePosixPath(name).name == file_name:
            return members.read(position)
    return None


def files_below(path: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The file itself, or the files below a folder, whose names end in one of these suffixes; sorted by path."""
    path = Path(path)
    if path.is_file():
        return [path] if path.name.lower().endswith(suffixes) else []
    found = [Path(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sorted(each for each in found if each.name.lower().endswith(suffixes) and not each.name.startswith("."))


def _roots(path: Path, scratch: Path | None) -> list[Path]:
    if not path.exists():
        raise InputsUnavailable(str(path), "a file or a folder, found nothing", "fetch it, or correct the path")
    if path.is_dir():
        if any(is_image(name) for _, names in walk(path) for name in names):
            return [path]
        archives = files_below(path, ARCHIVE_SUFFIXES)
        if not archives:
            raise BookError(str(path), "images or archives, found neither", "point at the folder that holds the images")
        # The decompressed copy of an archive lies beside it; the archive itself leads to it.
        archives = [each for each in archives if not each.name.endswith(".plain.tar")] or archives
        return [plain_tar(each, scratch) for each in archives]
    return [plain_tar(path, scratch)]


def _read_span(archive: str, form: str, offset: int, stored: int) -> bytes:
    with open(archive, "rb") as file:
        file.seek(offset)
        if form == "tar":
            return file.read(stored)
        # The local header may carry other extra fields than the directory: its own lengths count.
        header = file.read(_ZIP_HEADER)
        method = int.from_bytes(header[8:10], "little")
        skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(offset + _ZIP_HEADER + skip)
        data = file.read(stored)
    return zlib.decompress(data, -zlib.MAX_WBITS) if method == _DEFLATED else data
