"""What a run would do, before it is done: downloads with their size, notebooks with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from helpers import paths, profiles
from helpers.fetch import where_is
from helpers.manifest import Artifact, load_manifest
from helpers.run import cache, notebooks, parameters, reuse

_AT_HAND = ("present", "package")


def plan_text(profile: str, only: Sequence[str] = ()) -> str:
    """The plan of a profile as text. Raises BookError for an unknown profile or section."""
    manifest = load_manifest()
    chosen = profiles.get(profile)
    lines = [f"Profile {chosen.name}: {chosen.banner}.", f"Needs: {chosen.needs}.", "", "Notebooks:"]
    for section, path in notebooks.choose(notebooks.sections(), only).items():
        lines.append(f"  {section}: {_why(section, path, profile, manifest) or 'unchanged, would be reused'}")
    return "\n".join([*lines, "", *_downloads(profile, manifest, only), *_costs(chosen, only)])


def _costs(chosen: profiles.Profile, only: Sequence[str]) -> list[str]:
    """What the models of a profile would cost to run; nothing where none is run."""
    sections = list(notebooks.choose(notebooks.sections(), only))
    if not profiles.jobs(chosen, sections):
        return []
    table = profiles.plan_table(chosen, sections).round(1).to_string(na_rep="-")
    missing = [f"  {row.artifact} ({row.where}): {row.remedy}" for row in
               profiles.missing_inputs(chosen, sections).itertuples()]  # fmt: skip
    return ["", "Models to run (minutes on the machines named):", table, profiles.costs.NOTES,
            *(["", "Not to be had without you:", *missing] if missing else [])]  # fmt: skip


def _why(section: str, path, profile: str, manifest: dict[str, Artifact]) -> str | None:
    notebook = notebooks.read(path)
    values = parameters.effective(parameters.declared(notebook, section), {"profile": profile}, section)
    depends = cache.depends_on(section, profile, notebook, values)
    return reuse.why_again(section, profile, paths.executed_dir(profile) / f"{section}.ipynb", depends, manifest)


def _downloads(profile: str, manifest: dict[str, Artifact], only: Sequence[str]) -> list[str]:
    sections = notebooks.choose(notebooks.sections(), only)
    names = dict.fromkeys(name for section in sections for name in reuse.wanted(profile, manifest, section))
    places = {name: where_is(name, manifest=manifest) for name in names}
    if not places:
        return ["Files: none is needed."]
    todo = {name: place for name, place in places.items() if place not in _AT_HAND}
    if not todo:
        return [f"Files: all {len(places)} are here, nothing to download."]
    known = [manifest[name].bytes for name in todo if manifest[name].bytes]
    size = f"{sum(known) / 1e6:.1f} MB" + ("" if len(known) == len(todo) else " and more of unknown size")
    lines = [f"Files: {len(places) - len(todo)} of {len(places)} are here; {len(todo)} to get, {size}:"]
    return lines + [f"  {name}: {_size(manifest[name])}, {place}" for name, place in todo.items()]


def _size(artifact: Artifact) -> str:
    return f"{artifact.bytes / 1e6:.2f} MB" if artifact.bytes else "size unknown"
