"""Files of a Hugging Face repository at a fixed commit."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from helpers.errors import BookError, InputsUnavailable
from helpers.fetch.download import why_unreachable
from helpers.fetch.records import first_seen
from helpers.fetch.sources import copy_or_link, hub_url, mirror_folder, mirror_name
from helpers.fetch.verify import settle
from helpers.manifest import Artifact


def single_file(artifact: Artifact) -> str | None:
    """The one file of a hub entry that names just one; None for patterns and several files."""
    files = artifact.hub.files
    return files[0] if len(files) == 1 and not set(files[0]) & set("*?[") else None


def hub_target(artifact: Artifact, folder: Path) -> Path:
    """Where a hub entry lies: `files/`, or the one file in it."""
    single = single_file(artifact)
    return folder / "files" / single if single else folder / "files"


def _complete(artifact: Artifact, partial: Path, source: str, commit: str) -> Path:
    """The finished download becomes `files/` in one step, then is verified."""
    shutil.rmtree(partial / ".cache", ignore_errors=True)  # huggingface_hub's own notes
    folder = partial.with_name("files")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(partial, folder)
    return settle(artifact, hub_target(artifact, folder.parent), source, {"revision": commit})


def mirror_holds(artifact: Artifact) -> dict[Path, Path]:
    """The files of a hub entry in the mirror folder, {path inside the repository: path}; empty unless all are there."""
    mirror = mirror_folder()
    base = mirror / mirror_name(hub_url(artifact, "")) if mirror else None
    if not base or not base.is_dir():
        return {}
    found = [[path for path in base.glob(pattern) if path.is_file()] for pattern in artifact.hub.files]
    return {path.relative_to(base): path for matches in found for path in matches} if all(found) else {}


def hub_from_mirror(artifact: Artifact, folder: Path) -> Path | None:
    """Take every file of a hub entry from the mirror folder; None unless all are there."""
    files = mirror_holds(artifact)
    if not files:
        return None
    partial = folder / "files.mirror"
    shutil.rmtree(partial, ignore_errors=True)
    for inside, path in files.items():
        (partial / inside).parent.mkdir(parents=True, exist_ok=True)
        copy_or_link(path, partial / inside)
    return _complete(artifact, partial, "the mirror", artifact.hub.revision or "main")


def _commit(artifact: Artifact, api: object) -> str:
    """The full commit: as pinned; completed from a short one; or, where none is known, as first seen."""
    revision = first_seen(artifact.id).get("revision") or artifact.hub.revision
    where = {"repo_id": artifact.hub.repo_id, "repo_type": artifact.hub.repo_type}
    if not revision:
        return api.repo_info(**where).sha
    if len(revision) == 40:
        return revision
    full = [c.commit_id for c in api.list_repo_commits(**where) if c.commit_id.startswith(revision)]
    if len(full) != 1:
        raise BookError(
            f"{artifact.id} ({artifact.hub.repo_id})", f"one commit starting with {revision}, found {len(full)}",
            "look the commit up on the repository's history page and correct data_manifest.yaml",
        )  # fmt: skip
    return full[0]


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the hub library's HTTP client raises by itself (requests' errors are OSErrors already)."""
    try:
        import httpx
    except ImportError:
        return ()
    return (httpx.HTTPError,)


def _library(artifact: Artifact) -> object:
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError:
        raise InputsUnavailable(
            artifact.id, "the package huggingface-hub, which is not installed",
            "install the extra 'models': pip install 'beyond-imagenet-book[models]'",
        ) from None  # fmt: skip
    return huggingface_hub


def _snapshot(artifact: Artifact, library: object, folder: Path) -> str:
    """Download into `folder`, going on from what is there; the commit."""
    commit = _commit(artifact, library.HfApi())
    library.snapshot_download(
        artifact.hub.repo_id, repo_type=artifact.hub.repo_type, revision=commit,
        allow_patterns=list(artifact.hub.files), local_dir=folder,
    )  # fmt: skip
    if not any(path.is_file() and path.relative_to(folder).parts[0] != ".cache" for path in folder.rglob("*")):
        raise InputsUnavailable(
            artifact.id, f"{', '.join(artifact.hub.files)} in {artifact.hub.repo_id}@{commit[:7]}, found none",
            "look at the repository's file list and correct data_manifest.yaml",
        )  # fmt: skip
    return commit


def from_hub(artifact: Artifact, folder: Path, progress: bool) -> Path:
    """Download the files of a hub entry at its pinned commit (huggingface_hub resumes by itself).

    Raises InputsUnavailable without network, permission or the `models` extra.
    """
    library = _library(artifact)
    endpoint = library.constants.ENDPOINT
    reason = why_unreachable(endpoint)
    if reason:
        raise InputsUnavailable(
            artifact.id, f"to reach {endpoint} ({reason})", "connect to the network or set BOOK_MIRROR to a copy"
        )
    if not progress:
        library.utils.disable_progress_bars()
    try:
        commit = _snapshot(artifact, library, folder / "files.partial")
    except library.errors.RevisionNotFoundError:
        raise InputsUnavailable(
            artifact.id, f"commit {artifact.hub.revision} of {artifact.hub.repo_id}, found none",
            "look the commit up on the repository's history page and correct data_manifest.yaml",
        ) from None  # fmt: skip
    except library.errors.RepositoryNotFoundError as error:  # also what a gated repository answers
        page = f"{endpoint}/{'datasets/' if artifact.hub.repo_type == 'dataset' else ''}{artifact.hub.repo_id}"
        raise InputsUnavailable(
            artifact.id, f"to be let in by {page}, found {type(error).__name__}",
            artifact.steps or f"accept the terms on {page}, then log in with `hf auth login`",
        ) from None  # fmt: skip
    except (OSError, *_transport_errors()) as error:
        if getattr(error, "errno", None):  # the disk's trouble, not the hub's
            raise
        raise InputsUnavailable(
            artifact.id, f"the files of {artifact.hub.repo_id}; it broke off ({type(error).__name__})",
            "run the same command again: what has arrived is kept",
        ) from None  # fmt: skip
    finally:
        if not progress:
            library.utils.enable_progress_bars()
    return _complete(artifact, folder / "files.partial", f"{endpoint}/{artifact.hub.repo_id}@{commit}", commit)
