"""Whether an executed notebook still stands: its copy, its record, its data, what it depended on."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from helpers import paths, results
from helpers.manifest import Artifact
from helpers.profiles import stand_ins
from helpers.run import cache

RECORDED_NOTE = "recorded rows of"  # how `results.or_recorded` begins its reason


def why_again(
    section: str, profile: str, executed: Path, depends: Mapping, manifest: Mapping[str, Artifact]
) -> str | None:
    """Why a notebook has to be executed (again), naming the first thing that differs; None if the copy stands."""
    then = cache.load(executed)
    if then is None:
        return "not executed yet"
    difference = cache.first_difference(then.depends, depends)
    if difference:
        return difference
    if then.error:
        return f"failed last time ({then.error})"
    if then.output is None or then.output != cache.file_digest(executed):
        return "its executed copy is gone or was changed"
    if then.result and not (paths.results_dir(profile) / f"{section}.json").is_file():
        return "its result record is gone"
    replaced = stand_ins(str(then.parameters.get("local", "")))  # their hash is not the published one
    for artifact, sha in then.inputs.items():
        if artifact in replaced:
            continue
        stated = manifest[artifact].sha256 if artifact in manifest else None
        if stated and sha and stated != sha:
            return f"data {artifact}: the manifest states another sha256 now"
    for name, sha in then.stored.items():
        if cache.file_digest(_index_of(*name.split(", "))) not in (sha, None):  # a deleted store changes no result
            return f"stored predictions changed ({name})"
    return _now_available(then.missing, manifest)


def _now_available(missing: Iterable[str], manifest: Mapping[str, Artifact]) -> str | None:
    from helpers.fetch import where_is

    reached: dict[str, bool] = {}
    for artifact in (name for name in missing if name in manifest):
        where = where_is(artifact, manifest=manifest)
        if where in ("present", "package", "mirror"):
            return f"data {artifact} was missing and can be had now ({where})"
        if where == "network" and _any_reachable(manifest[artifact].urls, reached):
            return f"data {artifact} was missing and its host answers now"
    return None


def _any_reachable(urls: Iterable[str], reached: dict[str, bool]) -> bool:
    for host in {urlsplit(url).hostname for url in urls}:
        if host and host not in reached:
            reached[host] = reachable(host)
        if host and reached[host]:
            return True
    return False


def reachable(host: str, seconds: float = 2.0) -> bool:
    """Whether a host accepts a connection on port 443 within some seconds (False when offline is asked for).

    >>> reachable("host.invalid", seconds=0.5)
    False
    """
    if paths.offline():
        return False
    try:
        with socket.create_connection((host, 443), timeout=seconds):
            return True
    except OSError:
        return False


def outcome(section: str, profile: str, manifest: Mapping[str, Artifact]) -> dict:
    """What an execution left behind: the fields `result`, `inputs`, `missing` and `stored` of its record."""
    record = results.load(section, profile)
    if record is None:
        return {"result": None, "inputs": {}, "missing": (), "stored": {}}
    shown = is_recorded(record)
    used = {} if shown else dict(record.provenance.get("artifacts") or {})
    lacking = () if record.status == "complete" and not shown else wanted(profile, manifest, section)
    missing = tuple(name for name in lacking if name not in used)
    result = "recorded" if shown else record.status
    return {"result": result, "inputs": used, "missing": missing, "stored": _stored(record)}


def _index_of(model: str, dataset: str, view: str) -> Path:
    """The JSON file of stored predictions: it names their files with checksums."""
    from helpers.store.predictions import locate

    return locate(model, dataset, view, None).json


def _stored(record: results.Record) -> dict[str, str]:
    keys = record.rows[["model", "dataset", "view"]].dropna().drop_duplicates().itertuples(index=False, name=None)
    found = {", ".join(key): cache.file_digest(_index_of(*key)) for key in keys if not any(", " in x for x in key)}
    return {name: sha for name, sha in found.items() if sha}


def is_recorded(record: results.Record) -> bool:
    """Whether a record repeats the committed rows because its inputs could not be had."""
    return bool(record.reason and record.reason.startswith(RECORDED_NOTE))


def wanted(profile: str, manifest: Mapping[str, Artifact], section: str | None = None) -> tuple[str, ...]:
    """Ids of the files that the predictions of a profile rest on, in one section or in all."""
    from helpers import profiles

    if profile not in profiles.PROFILES:
        return ()
    found = profiles.artifacts(profile, [section] if section else ())
    # A role may be read by a section only where the models are run: the manifest says which files it reads.
    return tuple(name for name in found if name in manifest and (not section or section in manifest[name].sections))
