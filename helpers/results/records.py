"""Saving and loading result records (`artifacts/results/<profile>/<section>.json` and `book/recorded/`)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.errors import BookError
from helpers.manifest import load_manifest
from helpers.results.running import Run, now
from helpers.rows import rows_frame

SCHEMA = 1
STATUSES = ("complete", "partial", "unavailable")
_FIELDS = ("schema", "section", "profile", "status", "reason", "parameters", "provenance", "rows")


@dataclass(frozen=True)
class Record:
    """A result record as it lies on disk, with its rows as a frame."""

    section: str
    profile: str
    status: str
    reason: str | None
    parameters: dict
    provenance: dict
    rows: pd.DataFrame
    path: Path

    @property
    def date(self) -> str:
        """Day on which the rows were computed (ISO)."""
        return str(self.provenance.get("finished") or self.provenance.get("started") or "unknown")[:10]


def save(run: Run, rows, status: str = "complete", reason: str | None = None, artifacts: dict | None = None) -> Path:
    """Write the record of a run; missing numbers become null. Returns its path.

    `rows`: result rows; `artifacts`: {artifact id: sha256} of the inputs. Raises BookError for an unknown
    status, or for one other than "complete" without a reason.
    """
    if status not in STATUSES:
        raise BookError(f"status {status!r}", f"one of {', '.join(STATUSES)}", "correct the call")
    if status != "complete" and not reason:
        raise BookError(f"status {status!r} of {run.section}", "a reason beside it", "say why in `reason`")
    frame = rows_frame(rows)
    provenance = {**run.provenance, "finished": run.provenance.get("finished") or now()}
    provenance["artifacts"] = {**provenance["artifacts"], **(artifacts or {})}
    document = {
        "schema": SCHEMA, "section": run.section, "profile": run.profile, "status": status, "reason": reason,
        "parameters": run.parameters, "provenance": provenance, "rows": _plain(frame),
    }  # fmt: skip
    return write_json(paths.results_dir(run.profile) / f"{run.section}.json", document)


def _plain(frame: pd.DataFrame) -> list[dict]:
    columns = {name: frame[name].astype(object).where(frame[name].notna(), None) for name in frame}
    records = pd.DataFrame(columns).to_dict("records")
    return [{**row, "n": None if row["n"] is None else int(row["n"])} for row in records]


def write_json(path: Path, document: dict) -> Path:
    """Write JSON in one step (a reader never sees half a file); NaN is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".writing")
    head = {key: value for key, value in document.items() if key != "rows"}
    rows = ",\n  ".join(json.dumps(row, allow_nan=False, ensure_ascii=False) for row in document["rows"])
    text = json.dumps(head, indent=1, allow_nan=False, ensure_ascii=False)[:-2]
    temporary.write_text(f'{text},\n "rows": [\n  {rows}\n ]\n}}\n', encoding="utf-8")
    os.replace(temporary, path)
    return path


def read(path: Path) -> Record:
    """Read one record. Raises BookError if it is no JSON, lacks a field or has another schema."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise BookError(str(path), f"a result record in JSON ({error})", "delete it, run the section again") from None
    missing = [name for name in _FIELDS if name not in document] if isinstance(document, dict) else list(_FIELDS)
    if missing or document["schema"] != SCHEMA:
        found = f"missing {missing}" if missing else f"schema {document['schema']!r}"
        raise BookError(str(path), f"a result record of schema {SCHEMA}, found {found}", "run the section again")
    values = {name: document[name] for name in _FIELDS if name not in ("schema", "rows")}
    return Record(**values, rows=rows_frame(document["rows"]), path=path)


def load(section: str, profile: str) -> Record | None:
    """The record of this machine's last run, or None."""
    path = paths.results_dir(profile) / f"{section}.json"
    return read(path) if path.is_file() else None


def recorded(section: str, profile: str) -> Record | None:
    """The committed copy that ships with the book, or None."""
    path = paths.resource(f"book/recorded/{profile}/{section}.json")
    return read(path) if path.is_file() else None


REAL = ("paper", "released")  # profiles whose results are about real models, the strongest first
OWN = ("demo", "report")  # profiles that speak of their own run alone


def published(record: Record) -> bool:
    """Whether a record is of all images of the published files in fp32: no part of them, no stand-in.

    A file named by `local` counts as published where its recorded hash is the manifest's.

    >>> published(Record("05_robustness", "paper", "partial", None, {"max_images": 20}, {}, rows_frame([]), None))
    False
    """
    asked = record.parameters
    if asked.get("max_images") or asked.get("precision", "fp32") != "fp32":
        return False
    named = [part.partition("=")[0].strip() for part in str(asked.get("local") or "").split(",")]
    used = record.provenance.get("artifacts") or {}
    known = load_manifest()
    return all(used[name] == known[name].sha256 for name in named if name in used)


def newest(section: str, profile: str) -> Record | None:
    """This machine's record if it has rows, else the committed copy, else None.

    Of real models only a record of the published files counts (`published`): a run of a part, or of stand-ins, stands
    on its own page alone.
    """
    mine = load(section, profile)
    counts = mine is not None and len(mine.rows) > 0 and (profile in OWN or published(mine))
    return mine if counts else recorded(section, profile)


def real(section: str, profile: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What a page says about real models: (rows, profile that they come from).

    In the profile `demo` the newest record of a run of the paper's models, else of the released predictions; in every
    other profile the rows of this run. Without a record the rows are empty.
    """
    if profile != "demo":
        return rows, profile
    for name in REAL:
        record = newest(section, name)
        if record is not None and len(record.rows):
            return record.rows, name
    return rows.iloc[:0], REAL[-1]


def or_recorded(run: Run, rows: pd.DataFrame, missing: dict[str, str]) -> tuple[Run, pd.DataFrame, str, str | None]:
    """The rows of this run, or the committed copy where no input could be had: (run, rows, status, reason).

    `missing`: {input: why it is not here}. Where some inputs are missing the status is "partial"; where all are and a
    committed copy exists, its rows and provenance stand in and `reason` says so; else "unavailable".
    """
    why = _grouped(missing)
    if len(rows):
        return run, rows, ("partial" if missing else "complete"), why
    copy = recorded(run.section, run.profile)
    if copy is None:
        return run, rows, "unavailable", why or "no input was given"
    note = f"recorded rows of {copy.date} are shown: the inputs could not be had here ({why})"
    print(note)
    return Run(run.section, run.profile, copy.parameters, copy.provenance), copy.rows, copy.status, note


def _grouped(missing: dict[str, str]) -> str | None:
    """Equal reasons once, with the names they hold for."""
    names: dict[str, list[str]] = {}
    for name, reason in missing.items():
        # The artifact's own id at the head of a message differs per model where the rest does not.
        names.setdefault(reason.split(": expected", 1)[-1].strip(), []).append(name)
    parts = [f"{', '.join(group)}: {reason}" for reason, group in names.items()]
    return "; ".join(parts) or None
