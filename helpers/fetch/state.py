"""What is known about artifacts without bringing any: where they are, and the hashes of those in use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers import paths
from helpers.errors import BookError
from helpers.fetch.core import Local, folder_of, target_of, unpacked
from helpers.fetch.hub import mirror_holds
from helpers.fetch.local import stand_in
from helpers.fetch.records import read_json, read_record
from helpers.fetch.sources import in_mirror, package_path, package_sha256
from helpers.manifest import Artifact, load_manifest, lookup

# From "at hand" to "not to be had"; a set of parts is where its least available part is.
PLACES = ("present", "package", "mirror", "network", "gated", "manual", "not installed", "offline", "cited")


def _in_package(artifact: Artifact) -> bool:
    """Whether the right version of the package is installed."""
    with contextlib.suppress(BookError):
        return package_path(artifact) is not None
    return False


def _where(artifact: Artifact) -> str:
    if artifact.kind == "code" and not artifact.filename:
        return "cited"
    if artifact.package and _in_package(artifact):
        return "package"
    if (artifact.unpack and unpacked(artifact)) or target_of(artifact).exists():
        return "present"
    if mirror_holds(artifact) if artifact.hub else in_mirror(artifact):
        return "mirror"
    if artifact.access == "manual":
        return "manual"
    if not (artifact.urls or artifact.hub):
        return "not installed"
    if paths.offline():
        return "offline"
    return "gated" if artifact.access == "gated" else "network"


def where_is(artifact_id: str, *, manifest: Mapping[str, Artifact] | None = None) -> str:
    """Where an artifact would come from now, one of `PLACES`; looks at this machine only, hashes nothing.

    >>> where_is("imagenet_x_prototypes")
    'package'
    """
    manifest = manifest or load_manifest()
    artifact = lookup(manifest, artifact_id)
    return max((_where(lookup(manifest, i)) for i in artifact.parts or (artifact.id,)), key=PLACES.index)


def _sha256(artifact: Artifact, local: Local) -> str:
    if local and artifact.id in local:
        return stand_in(artifact, Path(local[artifact.id]))[1]
    if artifact.package and _in_package(artifact):
        return artifact.sha256 or package_sha256(artifact)
    record = read_record(target_of(artifact)) or (unpacked(artifact) and read_json(folder_of(artifact) / "files.json"))
    if not record:
        raise BookError(artifact.id, "it to be here and verified, found no record", f"fetch {artifact.id} first")
    return record["sha256"]


def provenance(
    artifact_ids: Iterable[str], *, manifest: Mapping[str, Artifact] | None = None, local: Local = None
) -> dict[str, str]:
    """{id: sha256} of what was fetched, for a result record; a set of parts gives its parts.

    The hash of an archive is that of the archive, of a folder that of its names and contents. Raises
    BookError for what is not here.

    >>> provenance(["imagenet_x_prototypes"])["imagenet_x_prototypes"][:8]
    '3f693c9e'
    """
    manifest = manifest or load_manifest()
    found = {}
    for artifact_id in artifact_ids:
        whole = lookup(manifest, artifact_id)
        alone = not whole.parts or (local and artifact_id in local)
        for member in (artifact_id,) if alone else whole.parts:
            found[member] = _sha256(lookup(manifest, member), local)
    return found


def stand_ins(
    artifact_ids: Iterable[str], local: Local, *, manifest: Mapping[str, Artifact] | None = None
) -> list[str]:
    """Those of the ids (or their parts) for which `local` gives something other than the published file.

    >>> stand_ins(["imagenet1k_val"], None)
    []
    """
    manifest = manifest or load_manifest()
    ids = {i: None for a in artifact_ids for i in (a, *lookup(manifest, a).parts) if i in (local or {})}
    return [i for i in ids if stand_in(lookup(manifest, i), Path(local[i]))[2]]
