"""The table of the page "Data and licences", made from the manifest alone."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from helpers.manifest.schema import KINDS, Artifact

if TYPE_CHECKING:
    import pandas as pd

HEADINGS = {
    "weights": "Weights",
    "dataset": "Image sets",
    "labels": "Labels, class names and prompts",
    "annotations": "Annotations",
    "predictions": "Released predictions and decisions",
    "results": "Published results",
    "code": "Code",
    "package": "Packages and files that ship with the book",
}
UNKNOWN = "unknown"
COLUMNS = ("id", "title", "kind", "source", "link", "bytes", "licence", "access", "checksum", "sections", "n", "notes")


def _link(entry: Artifact) -> str | None:
    if entry.urls:
        return entry.urls[0]
    if entry.hub:
        kind = "datasets/" if entry.hub.repo_type == "dataset" else ""
        return f"https://huggingface.co/{kind}{entry.hub.repo_id}"
    return None


def _source(entry: Artifact) -> str | None:
    if entry.package:
        return f"PyPI {entry.package.distribution}"
    link = _link(entry)
    if link is None:
        return None
    pieces = urlsplit(link)
    owner = "/".join(pieces.path.split("/")[1:3])
    named = {"raw.githubusercontent.com": f"GitHub {owner}", "github.com": f"GitHub {owner}"}
    if entry.hub:
        return f"Hugging Face {entry.hub.repo_id}"
    return named.get(pieces.hostname or "", pieces.hostname)


def _access(entry: Artifact, files: list[Artifact]) -> str:
    by_hand = any(file.access == "manual" for file in files)
    words = ["by hand" if by_hand else "package" if entry.access == "package" else "download"]
    return ", ".join(words + (["terms or login"] if any(file.gated for file in files) else []))


def _checksum(files: list[Artifact]) -> str:
    if all(file.checksum for file in files):
        return "published"
    if any(file.checksum for file in files):
        return "published for some"
    return "first bytes only" if any(file.hash_prefix for file in files) else "first seen"


def _licence(entry: Artifact) -> str | None:
    return f"{entry.licence} (not confirmed)" if entry.licence and "licence" in entry.unverified else entry.licence


def _notes(entry: Artifact, files: list[Artifact]) -> str:
    doubts = dict.fromkeys(field for e in (entry, *files) for field in e.unverified if field != "licence")
    said = [text for text in (entry.licence_note, entry.notes) if text]
    if doubts:
        said.append(f"Not confirmed by a file: {', '.join(doubts)}.")
    return " ".join(" ".join(text.split()) for text in said)


def _row(entry: Artifact, manifest: Mapping[str, Artifact]) -> dict[str, object]:
    files = [manifest[part] for part in entry.parts] or [entry]
    sizes = [file.bytes for file in files]
    values = (
        entry.id, entry.title, entry.kind, _source(files[0]), _link(files[0]),
        sum(sizes) if all(sizes) else None, _licence(entry), _access(entry, files),
        None if entry.kind == "code" else _checksum(files), " ".join(entry.sections), entry.n, _notes(entry, files),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def licence_table(manifest: Mapping[str, Artifact]) -> pd.DataFrame:
    """One row per set (a set of several files is one row), ordered by kind; None where something is unknown.

    Columns: id, title, kind, source (who gives it), link, bytes, licence, access, checksum ("published",
    "first seen", ...), sections (space-separated), n (images or rows), notes.

    >>> from helpers.manifest import load_manifest
    >>> table = licence_table(load_manifest()).set_index("id")
    >>> table.loc["cue_conflict_decisions", "checksum"]
    'published'
    """
    import pandas as pd

    inside = {part for entry in manifest.values() for part in entry.parts}
    rows = [_row(entry, manifest) for entry in manifest.values() if entry.id not in inside]
    rows.sort(key=lambda row: KINDS.index(row["kind"]))  # stable: the order of the file within a kind
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)  # object: None stays None in any pandas
    return table.astype({"bytes": "Int64", "n": "Int64"})


def escape(text: object) -> str:
    r"""Text as MyST Markdown shows it literally, in a table cell too.

    >>> print(escape("a|b *c* <d> $e$ [f](g)"))
    a\|b \*c\* \<d\> \$e\$ \[f\](g)
    """
    return re.sub(r"([\\`*_{}\[\]<>$|#~^@&])", r"\\\1", " ".join(str(text).split()))


def size_text(size: int | None) -> str:
    """Bytes in decimal units with three figures; "unknown" for None.

    >>> size_text(6744924160), size_text(3717), size_text(None)
    ('6.74 GB', '3.72 kB', 'unknown')
    """
    if size is None or size != size:
        return UNKNOWN
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return f"{size} bytes"


def _sections_text(sections: str) -> str:
    numbers = [name.split("_")[0] for name in sections.split()]
    return ", ".join(str(int(n)) if n.isdigit() else n for n in numbers)


def _anchor(address: str, text: str) -> str:
    """A link as HTML: MyST escapes the "&" of an address a second time."""
    return f'<a class="reference external" href="{html.escape(address)}">{text}</a>'


def _markdown_row(row: dict) -> str:
    source = escape(row["source"]) if row["source"] else "see note"
    if row["link"]:
        address = quote(row["link"], safe=":/?#&=%+@,~!.-_")
        source = f"[{source}](<{address}>)" if "&" not in address else _anchor(address, source)
    size = size_text(None if row["bytes"] is None else int(row["bytes"])) if row["kind"] != "code" else "cited only"
    licence = escape(row["licence"] or UNKNOWN)
    cells = (escape(row["title"]), source, size, licence, row["access"], _sections_text(row["sections"]))
    return "| " + " | ".join(cells) + " |"


def licences_markdown(manifest: Mapping[str, Artifact]) -> str:
    """The body of the page: one table per kind, then what has to be said about single sets.

    Everything taken from the manifest is escaped; unknown values are shown as "unknown".

    >>> from helpers.manifest import load_manifest
    >>> licences_markdown(load_manifest()).splitlines()[0]
    '## Weights'
    """
    table = licence_table(manifest).astype(object)
    table = table.where(table.notna(), None)
    lines: list[str] = []
    for kind in KINDS:
        rows = table[table["kind"] == kind].to_dict("records")
        if not rows:
            continue
        lines += [f"## {HEADINGS[kind]}", "", "| What | From | Size | Licence | How | Sections |", "|---" * 6 + "|"]
        lines += [_markdown_row(row) for row in rows]
        notes = [f"- **{escape(row['title'])}**: {escape(row['notes'])}" for row in rows if row["notes"]]
        lines += ["", *notes, ""] if notes else [""]
    return "\n".join(lines).rstrip() + "\n"
