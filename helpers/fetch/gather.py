"""A set of several files: one folder of links to what its parts hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from helpers.errors import BookError


def gather(folder: Path, parts: Mapping[str, Path]) -> Path:
    """Make `folder/files` link to every part: to the files inside an unpacked part, else to the part itself.

    Nothing is copied; the folder is made anew in one step. Raises BookError where two parts hold the same name.
    """
    links: dict[str, Path] = {}
    for path in parts.values():
        for inside in sorted(path.iterdir()) if path.is_dir() else [path]:
            if inside.name in links:
                raise BookError(
                    folder.name, f"each name in one part only, found {inside.name!r} in two", f"delete {folder}"
                )
            links[inside.name] = inside
    partial, files = folder / "files.partial", folder / "files"
    if files.is_dir() and {p.name: p.resolve() for p in files.iterdir()} == {n: p.resolve() for n, p in links.items()}:
        return files
    for old in (partial, files):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, inside in links.items():
        try:
            (partial / name).symlink_to(os.path.relpath(inside.resolve(), partial.resolve()))
        except OSError as error:
            raise BookError(
                str(folder), f"to be able to make links there; {error.strerror or error}",
                "set BOOK_DATA to a disk that knows links (on Windows, switch the developer mode on)",
            ) from error  # fmt: skip
    os.replace(partial, files)
    return files
