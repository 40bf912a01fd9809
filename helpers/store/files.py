"""Writing files so that a reader never trusts half of one: temporary file, fsync, replace, checksum."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from helpers.errors import BookError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
WRITING = ".writing"


def safe_name(name: str) -> str:
    """A file name for a model, dataset or view key; different keys give different names.

    >>> safe_name("open_clip:ViT-B-16/laion2b"), safe_name("paper.scale-1.25"), safe_name("..")
    ('open_clip%3AViT-B-16%2Flaion2b', 'paper.scale-1.25', '%2E.')
    """
    quoted = quote(name, safe="")
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def sha256_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sync(handle: BinaryIO) -> None:
    """Force what was written to the disk."""
    handle.flush()
    os.fsync(handle.fileno())


def write_file(path: Path, write: Callable[[BinaryIO], object], scratch: Path | None = None) -> dict:
    """Write a file in one step; returns its index line {"name", "sha256", "bytes"}.

    `write` fills an open binary file; `scratch` is the folder of the temporary file (default: the same folder).
    Raises BookError on a full disk; the temporary file is then gone and an older file is as it was.
    """
    folder = scratch or path.parent
    temporary = folder / f"{path.name}.{os.getpid()}{WRITING}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as handle:
            write(handle)
            sync(handle)
        line = {"name": path.name, "sha256": sha256_file(temporary), "bytes": temporary.stat().st_size}
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        raise_if_full(path, error)
        raise
    return line


def raise_if_full(path: Path, error: BaseException) -> None:
    """Turn "no space left" into an error for people; do nothing for any other error."""
    if not isinstance(error, OSError) or error.errno not in FULL:
        return
    existing = next(folder for folder in path.absolute().parents if folder.is_dir())
    free = shutil.disk_usage(existing).free / 1e6
    raise BookError(
        str(path), f"room on the disk, found it full ({free:,.0f} MB free; {error.strerror})",
        "free some space or move BOOK_HOME, and run again: everything already finished is kept",
    ) from error  # fmt: skip


def write_document(path: Path, document: dict, scratch: Path | None = None) -> None:
    """Write sorted, indented JSON in one step."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(path, lambda handle: handle.write(text.encode()), scratch)


def read_document(path: Path) -> dict:
    """Read a JSON object. Raises BookError if the file holds anything else (a torn write, say)."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8"))
    except ValueError as error:
        raise BookError(str(path), f"a JSON index ({error})", "delete it and compute it again") from None
    if not isinstance(document, dict):
        raise BookError(str(path), f"a JSON object, found {type(document).__name__}", "delete it and compute it again")
    return document


def matches(folder: Path, line: dict, checksum: bool = True) -> bool:
    """Whether the file that an index line names is there with the bytes (and the checksum) that it names."""
    path = folder / line["name"]
    if not path.is_file() or path.stat().st_size != line["bytes"]:
        return False
    return not checksum or sha256_file(path) == line["sha256"]
