"""Whether a file is what the manifest says, and what to say when it is not."""

from __future__ import annotations

import datetime
import hashlib
import os
from pathlib import Path

from helpers.errors import BookError
from helpers.fetch.download import looks_like_html
from helpers.fetch.records import (
    first_seen,
    first_seen_path,
    read_record,
    record_path,
    sha256_of,
    tree_sha256,
    write_json,
    write_record,
)
from helpers.manifest import Artifact


def _md5_of(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _size_problem(artifact: Artifact, path: Path) -> str | None:
    size = path.stat().st_size
    if not size:
        return "content, found an empty file"
    if artifact.bytes and size < artifact.bytes:
        return f"{artifact.bytes:,} bytes, got {size:,}: it is truncated"
    if artifact.bytes and size > artifact.bytes:
        return f"{artifact.bytes:,} bytes, got {size:,}"
    return None


def _hash_problem(artifact: Artifact, path: Path, sha256: str) -> str | None:
    if artifact.sha256 and sha256 != artifact.sha256:
        return f"sha256 {artifact.sha256}, got {sha256}"
    needs_md5 = artifact.md5 or (artifact.hash_prefix or "").startswith("md5:")
    digests = {"sha256": sha256, "md5": _md5_of(path) if needs_md5 and not artifact.sha256 else ""}
    if artifact.md5 and not artifact.sha256 and digests["md5"] != artifact.md5:
        return f"md5 {artifact.md5}, got {digests['md5']}"
    if artifact.hash_prefix and not artifact.sha256:
        algorithm, prefix = artifact.hash_prefix.split(":")
        if not digests[algorithm].startswith(prefix):
            return f"{algorithm} starting with {prefix}, got {digests[algorithm]}"
    return None


def _first_seen_problem(artifact: Artifact, sha256: str) -> str | None:
    seen = None if artifact.checksum else first_seen(artifact.id).get("sha256")
    if seen and sha256 != seen:
        return f"sha256 {seen} (as first seen here; none is published), got {sha256}"
    return None


def problem_with(artifact: Artifact, path: Path, sha256: str) -> str | None:
    """`expected X, got Y` for a file that is not the artifact; None for one that is.

    The size is compared first: it is known at once and tells a truncated file from a changed one.
    A folder has no published checksum: it is compared with what was first seen here.
    """
    if path.is_dir():
        return _first_seen_problem(artifact, sha256)
    problem = _size_problem(artifact, path)
    if not problem and not artifact.checksum:
        with open(path, "rb") as handle:
            if looks_like_html(handle.read(512)):
                problem = "data, found a web page (a login, a consent or an error page)"
    return problem or _hash_problem(artifact, path, sha256) or _first_seen_problem(artifact, sha256)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's names and contents."""
    return tree_sha256(path) if path.is_dir() else sha256_of(path)


def refused(artifact: Artifact, path: Path, problem: str, source: str) -> BookError:
    """The error for a file or folder that is here but is not what the manifest says."""
    seen = "" if artifact.checksum else f", or delete {first_seen_path(artifact.id)} to accept what is there now"
    return BookError(
        f"{artifact.id} ({path.name}, from {source})",
        f"{problem}. It is kept at {path}",
        "delete that and fetch again; if it stays so, the publisher has changed it: "
        f"compare with their page before you change data_manifest.yaml{seen}",
    )


def set_aside(path: Path) -> Path:
    """Move a wrong download out of the way of a right one without losing it."""
    kept = path.with_name(path.name.removesuffix(".part") + ".rejected")
    os.replace(path, kept)
    return kept


def _note_first_seen(artifact: Artifact, sha256: str, source: str, facts: dict[str, str]) -> None:
    """Remember the hash of an artifact for which none is published; from now on it is what is expected."""
    if artifact.checksum or first_seen(artifact.id).get("sha256"):
        return
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    content = {"id": artifact.id, "sha256": sha256, "source": source, "date": today, **facts}
    write_json(first_seen_path(artifact.id), content)
    print(f"{artifact.id}: no checksum is published; sha256 {sha256[:12]}... noted and expected from now on")


def settle(artifact: Artifact, path: Path, source: str, facts: dict[str, str] | None = None) -> Path:
    """Verify what has just arrived at its place and note that it was verified; a wrong one is set aside.

    `facts` (say, the commit of a hub snapshot) are kept with the hash that is first seen.
    """
    sha256 = digest(path)
    problem = problem_with(artifact, path, sha256)
    if problem:
        raise refused(artifact, set_aside(path), problem, source)
    write_record(path, sha256, source)
    _note_first_seen(artifact, sha256, source, facts or {})
    return path


def verified(artifact: Artifact, path: Path) -> bool:
    """Whether a file or folder is there and right; hashed only if it changed since it was last found right.

    Raises BookError where it is there but wrong: it may have been put there by hand, so it is not replaced.
    """
    if not path.exists():
        return False
    record = read_record(path)
    sha256 = record["sha256"] if record else digest(path)
    problem = problem_with(artifact, path, sha256)
    if problem:
        record_path(path).unlink(missing_ok=True)
        raise refused(artifact, path, problem, "this machine")
    if not record:
        write_record(path, sha256, "put there by hand")
        _note_first_seen(artifact, sha256, "put there by hand", {})
    return True
