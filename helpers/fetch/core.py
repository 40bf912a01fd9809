"""`fetch`: the order in which the sources are asked, and what is said when none has the artifact."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.fetch.gather import gather
from helpers.fetch.hub import from_hub, hub_from_mirror, hub_target
from helpers.fetch.local import stand_in
from helpers.fetch.records import read_json, read_record, write_json
from helpers.fetch.sources import check_mirror, from_mirror_folder, from_url, mirror_name, package_path
from helpers.fetch.unpack import unpack
from helpers.fetch.verify import verified
from helpers.manifest import Artifact, load_manifest, lookup

Local = Mapping[str, str | os.PathLike] | None


def folder_of(artifact: Artifact) -> Path:
    """The folder below `paths.data_dir()` that holds everything of one artifact."""
    return paths.data_dir() / artifact.id


def target_of(artifact: Artifact) -> Path:
    """Where the file (or the folder of hub files, or of files put there by hand) lies before any unpacking."""
    if artifact.hub:
        return hub_target(artifact, folder_of(artifact))
    return folder_of(artifact) / (artifact.filename or "files")


def unpacked(artifact: Artifact) -> Path | None:
    """The unpacked folder if it was made from the archive that the manifest means."""
    note = read_json(folder_of(artifact) / "files.json")
    files = folder_of(artifact) / "files"
    right = note and files.is_dir() and (not artifact.sha256 or note.get("sha256") == artifact.sha256)
    return files if right else None


def _present(artifact: Artifact, progress: bool) -> Path | None:
    """What is here and verified; unpacks an archive that is not unpacked yet."""
    if artifact.unpack and (files := unpacked(artifact)):
        return files
    target = target_of(artifact)
    if not verified(artifact, target):
        return None
    if not artifact.unpack:
        return target
    files = unpack(target, folder_of(artifact) / "files", artifact.unpack, progress)
    write_json(folder_of(artifact) / "files.json", {"archive": target.name, "sha256": read_record(target)["sha256"]})
    return files


@contextlib.contextmanager
def _one_process(folder: Path) -> Iterator[None]:
    """Notebooks run side by side: one of them brings an artifact, the others wait for it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as handle:
        with contextlib.suppress(ImportError, OSError):  # Windows and some network drives know no such lock
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _by_hand(artifact: Artifact) -> InputsUnavailable:
    target = target_of(artifact)
    where = f"put it at {target}" if artifact.filename else f"put the files into {target}"
    steps = (artifact.steps or "get it from its publisher").rstrip(". \n")
    return InputsUnavailable(
        artifact.id, f"{artifact.title}, which has to be got by hand, found nothing here",
        f"{steps}; then {where} (or use --local {artifact.id}=PATH)",
    )  # fmt: skip


def _addresses(artifact: Artifact) -> list[tuple[str, str]]:
    """(suffix of the partial file, address): the mirror prefix first, then the publisher's alternatives."""
    mirror = paths.mirror() or ""
    found = []
    if mirror.startswith(("http://", "https://")):
        found = [(f".mirror{i}.part", f"{mirror.rstrip('/')}/{mirror_name(u)}") for i, u in enumerate(artifact.urls)]
    return found + [(f".{i}.part" if i else ".part", url) for i, url in enumerate(artifact.urls)]


def _check_space(artifact: Artifact) -> None:
    folder = folder_of(artifact)
    here = sum(path.stat().st_size for path in folder.glob("*.part"))
    free = shutil.disk_usage(folder).free
    if artifact.bytes and free + here < artifact.bytes:
        raise _disk_full(artifact, f"{artifact.bytes / 1e9:.2f} GB free, found {free / 1e9:.2f} GB")


def _disk_full(artifact: Artifact, expected: str) -> BookError:
    return BookError(
        f"{artifact.id} below {paths.data_dir()}", expected,
        "free space or set BOOK_DATA to a folder on a larger disk; what has arrived is kept",
    )  # fmt: skip


def _from_urls(artifact: Artifact, progress: bool) -> Path:
    """Ask each address in turn. A wrong file outranks an absent one when told what went wrong."""
    target = target_of(artifact)
    failures: list[BookError] = []
    for suffix, url in _addresses(artifact):
        try:
            return from_url(artifact, url, target, target.with_name(target.name + suffix), progress)
        except BookError as error:
            failures.append(error)
    for error in failures:
        if not isinstance(error, InputsUnavailable):
            raise error
    tried = "; then ".join(dict.fromkeys(error.expected for error in failures))
    raise InputsUnavailable(artifact.id, tried, failures[-1].remedy)


def _obtain(artifact: Artifact, progress: bool) -> None:
    """Bring the artifact to its place from the mirror or the network."""
    check_mirror()
    _check_space(artifact)
    found = (
        hub_from_mirror(artifact, folder_of(artifact)) if artifact.hub
        else from_mirror_folder(artifact, target_of(artifact))
    )  # fmt: skip
    if found:
        return
    if artifact.access == "manual" or not (artifact.urls or artifact.hub):
        raise _by_hand(artifact)
    if paths.offline():
        raise InputsUnavailable(
            artifact.id, "it to be here or in BOOK_MIRROR, found neither, and BOOK_OFFLINE forbids the network",
            "unset BOOK_OFFLINE, or set BOOK_MIRROR to a copy",
        )  # fmt: skip
    if artifact.hub:
        from_hub(artifact, folder_of(artifact), progress)
    else:
        _from_urls(artifact, progress)


def _from_package(artifact: Artifact) -> Path | None:
    """What the package carries; None where it is absent or of another version but there are other sources."""
    with contextlib.suppress(BookError if artifact.urls else ()):
        if found := package_path(artifact):
            return found
    if artifact.urls:
        return None
    raise InputsUnavailable(
        artifact.id, f"the package {artifact.package.distribution}, which is not installed",
        f"pip install {artifact.package.distribution}, pinned as in lock.txt",
    )  # fmt: skip


def _bring_one(artifact: Artifact, progress: bool) -> Path:
    if artifact.kind == "code" and not artifact.filename:
        raise BookError(artifact.id, "something to download; it is cited only", f"look at {artifact.urls[0]}")
    if artifact.package and (found := _from_package(artifact)):
        return found
    if found := _present(artifact, progress):
        return found
    try:
        with _one_process(folder_of(artifact)):
            if not (found := _present(artifact, progress)):
                _obtain(artifact, progress)
                found = _present(artifact, progress)
            return found
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full(artifact, "free space, found the disk full") from None
        raise BookError(
            f"{artifact.id} below {paths.data_dir()}", f"to be able to write there; {error.strerror or error}",
            "check the folder's permissions or set BOOK_DATA to another one",
        ) from error  # fmt: skip


def fetch(
    artifact_id: str, *, manifest: Mapping[str, Artifact] | None = None, progress: bool = True, local: Local = None
) -> Path:
    """The verified local path of an artifact: a file, or a folder for hub snapshots, archives and sets of parts.

    Sources in order: `local` (id -> path of a stand-in), an installed package that carries it, what is
    here already, `BOOK_MIRROR`, the network (unless `BOOK_OFFLINE`). Everything lies below
    `paths.data_dir()/<id>/`. A hash is checked whenever a file's size or date changed; where none is
    published, the one first seen is expected from then on. Raises InputsUnavailable for what could not
    be got, BookError for what is wrong.

    >>> from helpers.fetch import fetch
    >>> fetch("imagenet_x_prototypes").name
    'prototypical_paths.csv'
    """
    manifest = manifest or load_manifest()
    artifact = lookup(manifest, artifact_id)
    if local and artifact_id in local:
        return stand_in(artifact, Path(local[artifact_id]))[0]
    if artifact.parts:
        found = {p: fetch(p, manifest=manifest, progress=progress, local=local) for p in artifact.parts}
        return gather(folder_of(artifact), found)
    return _bring_one(artifact, progress)
