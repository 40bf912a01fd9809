"""What stands at the end of each section page: how its numbers came about, and how to get them again."""

from __future__ import annotations

from helpers.results import Record
from helpers.run.banner import State, command
from helpers.run.cache import RunRecord
from helpers.run.text import escaped, table


def footer(section: str, run: RunRecord, record: Record | None, shown: State) -> str:
    """A folded table of provenance: parameters, machine, versions, inputs with their sha256."""
    provenance = record.provenance if record is not None else {}
    lines: list[list[object]] = [
        ["section", section],
        ["shown", shown.kind],
        ["executed", f"{run.finished}, in {run.seconds:g} s"],
    ]
    if record is not None:
        lines += [["status", record.status], ["reason", record.reason], ["results computed", record.date]]
    lines += [[f"parameter {name}", repr(value)] for name, value in run.parameters.items()]
    lines += [[name, provenance[name]] for name in ("python", "platform", "device", "seed") if name in provenance]
    lines += _commit(provenance)
    lines += [[name, found] for name, found in (provenance.get("packages") or {}).items()]
    lines += [[f"input {name}", f"sha256 {sha}"] for name, sha in (provenance.get("artifacts") or {}).items()]
    stated = [line for line in lines if line[1] is not None]
    again = f"`{command(section, run.profile)}` executes this page again."
    return f"`````{{dropdown}} How this page was made\n{again}\n\n{table(['what', 'value'], stated)}\n`````"


def _commit(provenance: dict) -> list[list[object]]:
    commit = provenance.get("git_commit")
    if not commit:
        return []
    return [["commit", commit[:12] + (" with local changes" if provenance.get("git_dirty") else "")]]


def recorded_rows(record: Record) -> str:
    """Result rows of a record as a folded table, for a section that was not executed here."""
    columns = ["model", "dataset", "metric", "group", "value", "ci_low", "ci_high", "n", "unit", "resampled"]
    frame = record.rows[columns].astype(object).where(record.rows[columns].notna(), None)
    lines = [[f"{x:.4g}" if isinstance(x, float) else x for x in row] for row in frame.itertuples(index=False)]
    title = f"Recorded results of {escaped(record.date)} (profile {escaped(record.profile)})"
    return f"`````{{dropdown}} {title}\n{table(columns, lines)}\n`````"
