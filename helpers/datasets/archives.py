"""Tar and zip files as lists of (name, offset, stored bytes, length), with everything odd refused by name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.errors import BookError

Entry = tuple[str, int, int, int]

_MAGIC = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


def form_of(path: Path) -> str:
    """What this is by its content: "folder", "tar" or "zip". Raises BookError for anything else."""
    if path.is_dir():
        return "folder"
    if zipfile.is_zipfile(path):
        return "zip"
    if path.stat().st_size >= 512 and tarfile.is_tarfile(path):
        return "tar"
    raise BookError(str(path), "a tar or zip archive, found neither", f"delete {path.name} and fetch it again")


def plain_tar(path: Path, scratch: Path | None = None) -> Path:
    """The archive itself, or for a compressed tar its decompressed copy `<name>.plain.tar` (made once).

    Raises BookError where the compressed data is damaged.
    """
    with open(path, "rb") as file:
        start = file.read(6)
    opener = next((each for magic, each in _MAGIC.items() if start.startswith(magic)), None)
    if opener is None:
        return path
    target = (scratch or path.parent) / f"{path.name}.plain.tar"
    if target.is_file() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns:
        return target
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with opener(path, "rb") as packed, open(partial, "wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
        os.replace(partial, target)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError) as error:
        raise BookError(
            str(path), f"to be decompressed to {target}; {error}", "fetch it again, or make room on the disk"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return target


def _refuse(archive: Path, name: str, found: str) -> BookError:
    return BookError(
        archive.name, f"plain files inside its own folder, found {found}: {name!r}",
        f"do not use {archive}; get it from the publisher",
    )  # fmt: skip


def _check_name(archive: Path, name: str) -> None:
    if name.startswith(("/", "\\")) or name[1:2] == ":":
        raise _refuse(archive, name, "an absolute path")
    if ".." in name and ".." in name.replace("\\", "/").split("/"):
        raise _refuse(archive, name, "a path with '..'")


def _damaged(archive: Path, detail: object) -> BookError:
    return BookError(str(archive), f"a complete archive; {detail}", f"delete {archive.name} and fetch it again")


def walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Every folder with its file names, sorted; linked folders too. Raises BookError for a link to a folder above."""
    for current, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        here = Path(current).resolve()
        for inner in (os.path.join(current, each) for each in folders):
            if os.path.islink(inner) and here.is_relative_to(Path(inner).resolve()):
                raise BookError(inner, "folders that end, found a link to a folder above", "remove the link")
        yield current, sorted(names)


def _folder_entries(folder: Path) -> Iterator[Entry]:
    for current, names in walk(folder):
        for name in names:
            path = os.path.join(current, name)
            if not os.path.exists(path):
                raise BookError(path, "a file, found a link that leads nowhere", "remove it, or bring back its file")
            yield os.path.relpath(path, folder).replace(os.sep, "/"), 0, 0, os.stat(path).st_size


def _tar_entries(archive: Path) -> Iterator[Entry]:
    try:
        with tarfile.open(archive, "r:") as tar:
            while (member := tar.next()) is not None:
                tar.members = []  # tarfile would keep every header: a gigabyte for ImageNet-C
                _check_name(archive, member.name)
                if member.isreg() and not member.issparse():
                    yield member.name, member.offset_data, member.size, member.size
                elif not member.isdir():
                    raise _refuse(archive, member.name, "a link or a special file")
            end = tar.offset
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(archive, error) from None
    # tarfile ends quietly at a broken header and at a cut between two members; only zeros mark the real end.
    with open(archive, "rb") as file:
        file.seek(end)
        if (last := file.read(512)) != bytes(512):
            raise _damaged(archive, "found a broken header" if last else "found its end missing")


def _zip_entries(archive: Path) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = bundle.infolist()
    except (zipfile.BadZipFile, EOFError) as error:
        raise _damaged(archive, error) from None
    size = archive.stat().st_size
    for member in members:
        _check_name(archive, member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refuse(archive, member.filename, "a link")
        if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(archive, f"{member.filename!r} is encrypted or compressed in an unusual way")
        if member.header_offset + member.compress_size > size:
            raise _damaged(archive, f"{member.filename!r} lies behind its end")
        if not member.is_dir():
            yield member.filename, member.header_offset, member.compress_size, member.file_size


FORMS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    "folder": _folder_entries,
    "tar": _tar_entries,
    "zip": _zip_entries,
}
