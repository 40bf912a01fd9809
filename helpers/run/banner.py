"""What stands at the top of each section page: which kind of result the reader sees."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.profiles import PROFILES
from helpers.results import Record
from helpers.run.cache import RunRecord
from helpers.run.reuse import is_recorded
from helpers.run.text import admonition, escaped, shortened

NOT_RUN = "not run"


@dataclass(frozen=True)
class State:
    """What a page shows: its kind (paper, released, recorded, demo, not run), and a sentence or two."""

    kind: str
    note: str
    partial: str | None = None


def state(section: str, run: RunRecord | None, record: Record | None) -> State:
    """The state of a section from the record of its execution and its result record."""
    if run is None:
        return State(NOT_RUN, f"This section has not been executed here. `{command(section)}` does it.")
    if record is not None and record.status == "unavailable":
        return State(NOT_RUN, f"What it needs could not be had: {_why(record)}.")
    partial = _why(record) if record is not None and record.status == "partial" else None
    if record is not None and is_recorded(record):
        day = escaped(record.date)
        return State("recorded", f"Results of {day}, kept with the book: {_why(record)}.", partial)
    return State(run.profile, _sentence(run.profile), partial)


def _why(record: Record) -> str:
    return escaped(shortened(record.reason))


def command(section: str, profile: str | None = None) -> str:
    """The command that executes one section.

    >>> command("03_shape_texture", "released")
    'python -m helpers run --profile released --only 03'
    """
    chosen = f" --profile {profile}" if profile else ""
    return f"python -m helpers run{chosen} --only {section.split('_')[0]}"


def _sentence(profile: str) -> str:
    said = PROFILES[profile].banner if profile in PROFILES else f"profile {profile}"
    return escaped(said[:1].upper() + said[1:]) + "."


TITLES = {
    "paper": "The real models on the real benchmarks",
    "released": "Released predictions",
    "recorded": "Recorded results",
    "demo": "Demo: this is not a reproduction",
    NOT_RUN: "Not run",
}


def banner(shown: State, stale: bool = False) -> str:
    """The box at the top of a page.

    >>> print(banner(State("demo", "Small twins.")))
    ````{admonition} Demo: this is not a reproduction
    :class: banner banner-demo
    Small twins.
    ````
    """
    lines = [shown.note]
    if shown.partial:
        lines.append(f"**Partial:** {shown.partial}.")
    if stale:
        lines.append("The notebook has changed since it was executed; run it again to see its present form.")
    kind = shown.kind.replace(" ", "")
    title = TITLES.get(shown.kind, f"Profile {shown.kind}")
    return admonition(title, "\n\n".join(lines), f"banner banner-{kind}")
