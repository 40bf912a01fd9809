"""The table of contents: the template `book/_toc.yml` with its patterns replaced by the pages that exist."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

import yaml

from helpers.errors import BookError


def expanded(template: str, pages: Iterable[str]) -> str:
    """The template with every `glob` replaced by the matching pages; a part without pages is left out.

    `pages`: names of all pages without ending. Raises BookError for a named page that does not exist, and for a page
    that no entry names.

    >>> print(expanded("{format: jb-book, root: a, chapters: [{glob: 'n/*'}]}", ["a", "n/02", "n/01"]), end="")
    format: jb-book
    root: a
    chapters:
    - file: n/01
    - file: n/02
    """
    toc, waiting = yaml.safe_load(template), sorted(pages)
    _take(toc["root"], waiting)
    if "chapters" in toc:
        toc["chapters"] = _entries(toc["chapters"], waiting)
    if "parts" in toc:
        parts = [{**part, "chapters": _entries(part["chapters"], waiting)} for part in toc["parts"]]
        toc["parts"] = [part for part in parts if part["chapters"]]
    if waiting:
        raise BookError("book/_toc.yml", f"every page to be named, found {', '.join(waiting)} left out", "add an entry")
    return yaml.safe_dump(toc, sort_keys=False, allow_unicode=True)


def _entries(entries: list[dict], waiting: list[str]) -> list[dict]:
    found = []
    for entry in entries:
        names = fnmatch.filter(waiting, entry["glob"]) if "glob" in entry else [entry["file"]]
        for name in names:
            _take(name, waiting)
            found.append({"file": name})
    return found


def _take(name: str, waiting: list[str]) -> None:
    if name not in waiting:
        raise BookError(f"book/_toc.yml, page {name!r}", "a page that exists, once", "correct the name")
    waiting.remove(name)
