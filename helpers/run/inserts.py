"""Parts of the prose pages that are made from records when the book is staged.

A page asks for one by a line `% insert: NAME` (a comment to Markdown). To add one, add one entry to `INSERTS`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from helpers import paths, results
from helpers.errors import BookError
from helpers.manifest import licences_markdown, load_manifest
from helpers.profiles import PROFILES
from helpers.run import cache
from helpers.run.address import address
from helpers.run.banner import TITLES
from helpers.run.pages import SHOWN_FIRST, Page
from helpers.run.text import escaped, table

_LINE = re.compile(r"^% insert: ([a-z-]+)[ \t]*$", re.MULTILINE)
_SECTION_LINK = re.compile(r"\[([^\]]+)\]\(notebooks/(\w+)\.ipynb\)")


def filled(text: str, name: str, pages: Sequence[Page]) -> str:
    """The text with every `% insert: NAME` line replaced; links to sections that are not staged become plain text.

    Raises BookError for an unknown name.
    """
    staged = {page.section for page in pages}
    text = _SECTION_LINK.sub(lambda link: link.group(0) if link.group(2) in staged else link.group(1), text)

    def made(match: re.Match) -> str:
        if match.group(1) not in INSERTS:
            known = ", ".join(INSERTS)
            raise BookError(f"insert {match.group(1)!r} in book/{name}", f"one of {known}", "correct the name")
        return INSERTS[match.group(1)](pages)

    return _LINE.sub(made, text)


LISTED = {**TITLES, "demo": "The paper's numbers, what is recorded of real models, and, set off below, the demo"}


def section_status(pages: Sequence[Page]) -> str:
    """One line per section: its page and what it shows."""
    lines = [
        f"| [{escaped(page.title)}](notebooks/{page.section}.ipynb) | {LISTED.get(page.shown.kind, page.shown.kind)}"
        f"{' (partial)' if page.shown.partial else ''} |"
        for page in pages
    ]
    return "\n".join(["| section | what its page shows in this copy of the book |", "| --- | --- |", *lines])


def status_counts(pages: Sequence[Page]) -> str:
    """One sentence: how many pages show which kind of result."""
    counts = Counter(LISTED.get(page.shown.kind, page.shown.kind) for page in pages)
    said = "; ".join(f"{number} × {kind[0].lower()}{kind[1:]}" for kind, number in counts.items()) or "none yet"
    return f"What the section pages of this copy of the book show: {said}."


def profile_table(pages: Sequence[Page]) -> str:
    """Every profile, what it runs and what it needs."""
    return table(
        ["profile", "what it shows", "what it needs"], [[p.name, p.banner, p.needs] for p in PROFILES.values()]
    )


def licences(pages: Sequence[Page]) -> str:
    """Every outside thing with its source, size and licence, from the manifest."""
    return licences_markdown(load_manifest())


def source_address(pages: Sequence[Page]) -> str:
    """Where the source can be had, once there is a public address."""
    where = address()
    return f"The source of this book: <{where.url}>." if where.url else ""


def compute_used(pages: Sequence[Page]) -> str:
    """What executing the section pages took on the machine that made this copy: seconds each, and the devices."""
    lines, total = [], 0.0
    for page in pages:
        runs = [cache.load(paths.executed_dir(profile) / f"{page.section}.ipynb") for profile in SHOWN_FIRST]
        run = next((run for run in runs if run is not None), None)
        if run is not None:
            record = results.load(page.section, run.profile)
            device = "not recorded" if record is None else record.provenance.get("device")
            lines.append([page.title, run.profile, f"{run.seconds:.0f}", device])
            total += run.seconds
    if not lines:
        return "No section was executed for this copy of the book."
    said = f"Executing {len(lines)} sections for this copy took {total:.0f} seconds of notebook time in all."
    return f"{said}\n\n{table(['section', 'profile', 'seconds', 'device'], lines)}"


def _part(name: str) -> Callable[[Sequence[Page]], str]:
    """A part that `helpers.words.parts` makes; imported when asked for, because it brings the figures with it."""

    def made(pages: Sequence[Page]) -> str:
        from helpers.words.parts import PARTS

        return PARTS[name]()

    return made


WORDS = (
    "front-answer", "front-figure", "verdict-counts", "missing-inputs", "audit-accuracy", "audit-bases",
    "audit-averages", "audit-shape", "audit-bars", "audit-light", "audit-calibration", "audit-ranges", "audit-others",
    "audit-probes", "audit-layers", "audit-code", "earlier-work", "contrast-counts", "connection-lines",
)  # fmt: skip
INSERTS: dict[str, Callable[[Sequence[Page]], str]] = {
    "section-status": section_status,
    "status-counts": status_counts,
    "profile-table": profile_table,
    "licences": licences,
    "source-address": source_address,
    "compute-used": compute_used,
    **{name: _part(name) for name in WORDS},
}
