"""Archives, unpacked beside themselves in one step or not at all; nothing may leave the folder."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm import tqdm

from helpers.errors import BookError


def _refuse_outside(archive: Path, name: str, is_link: bool) -> None:
    """A member that is a link, absolute or climbs out of the folder makes the whole archive suspect."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    bad = posix.is_absolute() or windows.drive or windows.root or ".." in posix.parts or ".." in windows.parts
    if not (bad or is_link):
        return
    what = "a link" if is_link else "a path outside the folder"
    raise BookError(
        archive.name,
        f"members that stay inside their folder, found {what}: {name!r}",
        f"do not use this archive ({archive}); get it from the publisher",
    )


def _extract_tar(archive: Path, folder: Path, progress: bool) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise BookError("Python", "3.11.4 or newer, whose tarfile can unpack safely", "update Python")
    with tarfile.open(archive) as tar:
        for member in tqdm(tar, desc=f"unpack {archive.name}", unit="files", disable=not progress, mininterval=1):
            _refuse_outside(archive, member.name, member.issym() or member.islnk())
            tar.extract(member, folder, filter="data")


def _extract_zip(archive: Path, folder: Path, progress: bool) -> None:
    with zipfile.ZipFile(archive) as bundle:
        members = bundle.infolist()
        for member in members:
            _refuse_outside(archive, member.filename, stat.S_ISLNK(member.external_attr >> 16))
        for member in tqdm(members, desc=f"unpack {archive.name}", unit="files", disable=not progress, mininterval=1):
            bundle.extract(member, folder)


_EXTRACT: dict[str, Callable[[Path, Path, bool], None]] = {"tar": _extract_tar, "zip": _extract_zip}


def unpack(archive: Path, folder: Path, form: str, progress: bool = False) -> Path:
    """Unpack a "tar" (any compression) or "zip" archive to `folder`, which appears only when complete.

    Raises BookError for a damaged archive and for members that are links, absolute or contain `..`.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _EXTRACT[form](archive, partial, progress)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise BookError(
            archive.name, f"a readable {form} archive; {error}", f"delete {archive} and fetch again"
        ) from None
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
