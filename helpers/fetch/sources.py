"""The places an artifact can come from: a mirror, its URLs, a model hub, an installed package."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers import paths
from helpers.errors import BookError
from helpers.fetch.download import download, forget_part
from helpers.fetch.records import sha256_of, tree_sha256
from helpers.fetch.verify import problem_with, refused, set_aside, settle
from helpers.manifest import Artifact

LINK_FROM = 64 << 20  # bytes from which a mirror's file is hard-linked rather than copied


def mirror_name(url: str) -> str:
    """Where a mirror keeps a URL: `<host>/<path>`, without the query.

    >>> mirror_name("https://example.org/a%20b/c.csv?raw=true")
    'example.org/a b/c.csv'
    """
    pieces = urlsplit(url)
    return f"{pieces.hostname}{unquote(pieces.path)}"


def hub_url(artifact: Artifact, file: str) -> str:
    """The address of one file of a hub entry, for a mirror.

    >>> from helpers.manifest import load_manifest
    >>> hub_url(load_manifest()["convnext_base_clip_laion400m"], "open_clip_pytorch_model.bin")[:60]
    'https://huggingface.co/laion/CLIP-convnext_base-laion400M-s1'
    """
    kind = "datasets/" if artifact.hub.repo_type == "dataset" else ""
    return f"https://huggingface.co/{kind}{artifact.hub.repo_id}/resolve/{artifact.hub.revision or 'main'}/{file}"


def mirror_folder() -> Path | None:
    """The mirror where it is a folder on this machine; None where it is a URL prefix or not set."""
    mirror = paths.mirror()
    if not mirror or mirror.startswith(("http://", "https://")):
        return None
    return Path(unquote(urlsplit(mirror).path) if mirror.startswith("file://") else mirror).expanduser()


def check_mirror() -> None:
    """Raise BookError where `BOOK_MIRROR` names a folder that is not there: a slip must not look like a gap in it."""
    folder = mirror_folder()
    if folder and not folder.is_dir():
        raise BookError(f"BOOK_MIRROR={folder}", "a folder or an address, found nothing there", "correct or unset it")


def in_mirror(artifact: Artifact) -> Path | None:
    """The artifact's file in the mirror folder, if it is there."""
    folder = mirror_folder()
    candidates = [folder / mirror_name(url) for url in artifact.urls] if folder else []
    return next((path for path in candidates if path.is_file()), None)


def copy_or_link(source: Path, target: Path) -> None:
    """Copy a file; hard-link a big one where the file system can."""
    target.unlink(missing_ok=True)
    if source.stat().st_size >= LINK_FROM:
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copyfile(source, target)


def _bring(artifact: Artifact, url: str, target: Path, downloader: Callable, kept: Path, source: str) -> Path:
    """Temporary file, verify, move: pooch's part; then the record, and what pooch cannot check."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, artifact.checksum, fname=target.name, path=target.parent, downloader=downloader)
    except ValueError:
        problem = problem_with(artifact, kept, sha256_of(kept)) or "the published checksum"
        kept = set_aside(kept) if kept.suffix == ".part" else kept
        raise refused(artifact, kept, problem, source) from None
    return settle(artifact, target, source)


def from_mirror_folder(artifact: Artifact, target: Path) -> Path | None:
    """Take the file from the mirror folder; None where it is not there."""
    found = in_mirror(artifact)
    if not found:
        return None
    return _bring(
        artifact, artifact.urls[0], target,
        lambda _url, output, _pooch: copy_or_link(found, Path(output)), found, f"mirror {found}",
    )  # fmt: skip


def from_url(artifact: Artifact, url: str, target: Path, part: Path, progress: bool) -> Path:
    """Download one URL into `part`, resuming, and let it become `target` once verified."""

    def downloader(_url: str, output: str, _pooch: object) -> None:
        download(url, part, artifact.id, artifact.steps, progress)
        Path(output).unlink(missing_ok=True)
        try:
            os.link(part, output)  # the part stays until verified, so that a wrong file can be looked at
        except OSError:
            shutil.copyfile(part, output)

    path = _bring(artifact, url, target, downloader, part, url)
    forget_part(part)
    return path


def package_path(artifact: Artifact) -> Path | None:
    """The folder or file of an installed package, without importing it; None where it is not installed.

    Raises BookError where a file of it is not the one in the manifest.
    """
    try:
        spec = importlib.util.find_spec(artifact.package.module)
        version = importlib.metadata.version(artifact.package.distribution)
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return None
    if not spec or not spec.origin:
        return None
    folder = Path(spec.origin).parent
    wanted = artifact.package.version
    if wanted and version != wanted:
        raise BookError(
            f"{artifact.id} (package {artifact.package.distribution})",
            f"version {wanted}, found {version}",
            f"pip install {artifact.package.distribution}=={wanted}",
        )
    if not artifact.package.file:
        return folder
    path = folder / artifact.package.file
    problem = problem_with(artifact, path, sha256_of(path)) if path.is_file() else "this file, found none"
    if problem:
        raise BookError(
            f"{artifact.id} ({path})", problem, f"install {artifact.package.distribution} again, pinned as in lock.txt"
        )
    return path


def package_sha256(artifact: Artifact) -> str:
    """SHA-256 over the hashes that the installer noted for the module's files; dates and caches do not count."""
    listed = importlib.metadata.files(artifact.package.distribution) or []
    inside = [f"{f.hash.value}  {f}\n" for f in listed if f.hash and f.parts[0] == artifact.package.module]
    if not inside:
        return tree_sha256(package_path(artifact))
    return hashlib.sha256("".join(sorted(inside)).encode()).hexdigest()
