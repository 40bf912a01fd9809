"""Stand-ins: a file or folder of your own in place of an artifact."""

from __future__ import annotations

from pathlib import Path

from helpers import paths
from helpers.errors import BookError
from helpers.fetch.records import read_record, write_record
from helpers.fetch.verify import digest, problem_with
from helpers.manifest import Artifact


def _record_of(artifact: Artifact) -> Path:
    return paths.data_dir() / artifact.id / "local.verified.json"


def _differs(artifact: Artifact, path: Path, sha256: str) -> bool:
    """Whether `path` is something other than the published file; a folder cannot show that it is not."""
    return path.is_dir() or not artifact.checksum or problem_with(artifact, path, sha256) is not None


def stand_in(artifact: Artifact, path: Path) -> tuple[Path, str, bool]:
    """The given path, its sha256 and whether it stands in for something it is not known to be.

    Hashed once and again whenever it changes; used where it lies, never copied.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise BookError(f"--local {artifact.id}={path}", "a file or folder, found nothing there", "correct the path")
    record = read_record(path, _record_of(artifact))
    sha256 = record["sha256"] if record else digest(path)
    differs = _differs(artifact, path, sha256)
    if not record:
        write_record(path, sha256, "stand-in" if differs else "local file", _record_of(artifact))
        if differs:
            print(f"{artifact.id}: {path} stands in for it (sha256 {sha256[:12]}...); results from it are partial")
    return path, sha256, differs
