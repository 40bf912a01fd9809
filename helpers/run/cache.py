"""Reuse of executed notebooks: what an execution depended on, and the first thing that differs now."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import nbformat

from helpers import paths, results
from helpers.run import imports
from helpers.run.notebooks import source_digest

SCHEMA = 1
READS_RECORDS = ("10_synthesis",)  # sections made from the records of the others: executed last
_NAME_END = " ;[<>=!~("


@dataclass(frozen=True)
class RunRecord:
    """Record of one execution, kept beside the executed copy as `<section>.run.json`.

    `depends`: what the notebook was made of and executed with. `inputs`: {artifact id: sha256} of the data that it
    read, and `missing` those it lacked. `stored`: {"model, dataset, view": sha256} of the stored predictions behind its
    rows. `output`: sha256 of the executed copy. `result`: status of the result record that it left, if any.
    """

    section: str
    profile: str
    parameters: dict
    depends: dict[str, str | None]
    inputs: dict[str, str | None]
    output: str | None
    seconds: float
    finished: str
    error: str | None = None
    result: str | None = None
    missing: tuple[str, ...] = ()
    stored: dict[str, str] = field(default_factory=dict)


def depends_on(section: str, profile: str, notebook: nbformat.NotebookNode, parameters: Mapping) -> dict:
    """Everything but data that the outcome depends on, in the order in which differences are reported."""
    found: dict[str, str | None] = {"the notebook": source_digest(notebook)}
    found |= {f"parameter {name}": json.dumps(value) for name, value in parameters.items()}
    found |= imports.digests(imports.notebook_imports(notebook))
    found["helpers/data"] = imports.folder_digest(paths.PACKAGE / "data")
    recorded = f"book/recorded/{profile}/{section}.json"
    found[recorded] = file_digest(paths.resource(recorded))
    if section in READS_RECORDS:
        found |= _records(section, profile)
    elif profile == "demo":  # its pages show what is recorded about real models, too
        for name in results.REAL:
            for place in (paths.results_dir(name), paths.resource(f"book/recorded/{name}")):
                path = place / f"{section}.json"
                found[f"record {name} in {place.parent.name}"] = file_digest(path)
    return found | environment()


def _records(section: str, profile: str) -> dict[str, str | None]:
    """Digests of the other sections' records that are here or came with the book, of this profile and the real ones."""
    found = {}
    for name in dict.fromkeys((profile, "released", "paper", "in1k", "laion2b")):
        places = {"results": paths.results_dir(name), "recorded": paths.resource(f"book/recorded/{name}")}
        for title, folder in places.items():
            others = [path for path in sorted(folder.glob("*.json")) if path.stem != section]
            found |= {f"{title}/{name}/{path.name}": file_digest(path) for path in others}
    return found


def environment() -> dict[str, str | None]:
    """Python, and the versions of the packages that the project asks for (None where one is not installed)."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    try:
        wanted = requires("beyond-imagenet-book") or []
    except PackageNotFoundError:
        wanted = []
    for name in sorted({requirement_name(text) for text in wanted}):
        try:
            found[f"package {name}"] = version(name)
        except PackageNotFoundError:
            found[f"package {name}"] = None
    return found


def requirement_name(text: str) -> str:
    """Name in a requirement.

    >>> requirement_name("torch>=2.6; extra == 'models'")
    'torch'
    """
    ends = [place for place in map(text.find, _NAME_END) if place > 0]
    return text[: min(ends, default=len(text))]


def first_difference(then: Mapping, now: Mapping) -> str | None:
    """The first entry that differs between two executions, in words; None if none does.

    >>> first_difference({"package numpy": "2.3.0"}, {"package numpy": "2.4.6"})
    'package numpy: 2.3.0 before, 2.4.6 now'
    >>> first_difference({"helpers/stats.py": "0" * 64}, {"helpers/stats.py": "1" * 64})
    'helpers/stats.py changed'
    """
    for name in [*now, *(name for name in then if name not in now)]:
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if name in now and name in then and len(before or "") < 60 and len(after or "") < 60:
            return f"{name}: {before or 'absent'} before, {after or 'absent'} now"
        return f"{name} changed" if before and after else f"{name} {'added' if after else 'is gone'}"
    return None


def record_path(executed: Path) -> Path:
    """Where the record of an executed copy lies.

    >>> record_path(Path("03_shape_texture.ipynb")).name
    '03_shape_texture.run.json'
    """
    return executed.with_name(f"{executed.stem}.run.json")


def save(record: RunRecord, executed: Path) -> None:
    """Write the record beside the executed copy, in one step."""
    path = record_path(executed)
    writing = path.with_name(f".{path.name}.writing")
    text = json.dumps({"schema": SCHEMA, **asdict(record)}, indent=1, ensure_ascii=False)
    writing.write_text(text + "\n", encoding="utf-8")
    os.replace(writing, path)


def load(executed: Path) -> RunRecord | None:
    """The record of an executed copy; None where there is none that this version can read."""
    try:
        document = json.loads(record_path(executed).read_text(encoding="utf-8"))
        if document.pop("schema") != SCHEMA:
            return None
        return RunRecord(**{**document, "missing": tuple(document["missing"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # an unreadable record only means that the notebook is executed again


def file_digest(path: Path) -> str | None:
    """sha256 of a file; None if it does not exist."""
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
