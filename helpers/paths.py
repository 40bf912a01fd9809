"""Absolute paths, and the only reading of environment overrides.

`BOOK_HOME` moves everything generated (default: the checkout, else the current folder);
`BOOK_MIRROR` is a folder or URL prefix tried before the network; `BOOK_OFFLINE=1` forbids the network;
`BOOK_TWINS` names other weights for the demo's twins.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
COLAB_DISK, COLAB_DRIVE = Path("/content"), Path("/content/drive")
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None


def home() -> Path:
    """Folder under which `artifacts/` lies: `BOOK_HOME`, else the checkout, else the current folder."""
    override = os.environ.get("BOOK_HOME")
    return Path(override).expanduser().resolve() if override else (CHECKOUT or Path.cwd())


def artifacts() -> Path:
    """Everything generated; always safe to delete."""
    return home() / "artifacts"


def data_dir() -> Path:
    """Downloaded artifacts, one folder per artifact id: `BOOK_DATA`, else beside everything else.

    With `BOOK_HOME` on Colab's mounted Drive the downloads stay on the machine's own disk.
    """
    override = os.environ.get("BOOK_DATA")
    if override:
        return Path(override).expanduser().resolve()
    return COLAB_DISK / "artifacts" / "data" if home().is_relative_to(COLAB_DRIVE) else artifacts() / "data"


def store_dir() -> Path:
    """Per-image predictions, embeddings and features."""
    return artifacts() / "store"


def executed_dir(profile: str) -> Path:
    """Executed notebooks of a profile."""
    return artifacts() / "executed" / profile


def results_dir(profile: str) -> Path:
    """Result records of a profile."""
    return artifacts() / "results" / profile


def resource(relative: str) -> Path:
    """A file that ships with the project, from the checkout or from inside the installed wheel.

    >>> resource("data_manifest.yaml").name
    'data_manifest.yaml'
    """
    return (CHECKOUT or PACKAGE / "_bundle") / relative


def reference(name: str) -> Path:
    """A small reference table that lies inside the package (`helpers/data/`)."""
    return PACKAGE / "data" / name


def mirror() -> str | None:
    """`BOOK_MIRROR`: a folder or URL prefix holding files by `<host>/<path of the URL>`; None if unset."""
    return os.environ.get("BOOK_MIRROR") or None


def other_twins() -> str | None:
    """`BOOK_TWINS`: where other weights of the demo's twins lie, with `{model}` in the path; None if unset."""
    return os.environ.get("BOOK_TWINS") or None


def offline() -> bool:
    """Whether `BOOK_OFFLINE` forbids the network (1, true or yes)."""
    return os.environ.get("BOOK_OFFLINE", "").strip().lower() in {"1", "true", "yes"}
