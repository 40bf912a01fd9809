"""Hashes, and the small JSON files that spare hashing a big file twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from helpers import paths


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hex digits.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = file.write_bytes(b"abc")
    >>> sha256_of(file)[:8]
    'ba7816bf'
    """
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def tree_sha256(folder: Path) -> str:
    """SHA-256 over the sorted lines `<sha256 of the file>  <path inside the folder>`: contents and names, no dates.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_bytes(b"abc")
    >>> tree_sha256(folder)[:8]
    '0a15a718'
    """
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def fingerprint(path: Path) -> list:
    """What changes when a file (or any file of a folder) is touched: [bytes, newest time in ns, number of files]."""
    files = _files(path) if path.is_dir() else [path]
    stats = [file.stat() for file in files]
    return [sum(s.st_size for s in stats), max((s.st_mtime_ns for s in stats), default=0), len(files)]


def write_json(path: Path, content: dict) -> None:
    """Write a small JSON file so that a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(json.dumps(content, indent=1, sort_keys=True) + "\n")
    os.replace(name, path)


def read_json(path: Path) -> dict | None:
    """The JSON object in a file; None where it is absent or damaged (it only saves work)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def record_path(path: Path) -> Path:
    """Where the record about a verified file or folder lies: beside it."""
    return path.with_name(path.name + ".verified.json")


def write_record(path: Path, sha256: str, source: str, record: Path | None = None) -> None:
    """Note that `path` was hashed, with what makes a later change visible."""
    content = {"path": str(path), "sha256": sha256, "fingerprint": fingerprint(path), "source": source}
    write_json(record or record_path(path), content)


def read_record(path: Path, record: Path | None = None) -> dict | None:
    """The record of a file or folder if it is still about the same bytes, else None."""
    content = read_json(record or record_path(path))
    if not content or content.get("path") != str(path) or not path.exists():
        return None
    return content if content.get("fingerprint") == fingerprint(path) else None


def first_seen_path(artifact_id: str) -> Path:
    """Where the hash of an artifact without a published one is kept; outside its folder, so it outlives it."""
    return paths.data_dir() / "first_seen" / f"{artifact_id}.json"


def first_seen(artifact_id: str) -> dict:
    """What was seen when this artifact first arrived here: {"sha256", "revision", ...}; empty if never."""
    return read_json(first_seen_path(artifact_id)) or {}
