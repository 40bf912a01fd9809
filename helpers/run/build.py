"""Building the book: Jupyter Book over the staged source, warnings as errors, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from helpers import paths
from helpers.errors import BookError
from helpers.run import stage
from helpers.run.cache import environment
from helpers.run.pages import SHOWN_FIRST, Page

_START = "from jupyter_book.cli.main import main; main()"
_PROBLEM = re.compile(r"WARNING|ERROR|CRITICAL|Error:|Exception")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build_book(book: Path | None = None, folder: Path | None = None, profiles: Sequence[str] = SHOWN_FIRST) -> Path:
    """Stage and build the book; returns its first page.

    Nothing is built when no staged file has changed. Raises BookError with the warnings if there are any, or if an
    executed notebook holds an error.
    """
    files, pages = stage.staged_files(book, folder, profiles)
    _say(pages)
    target, mark = paths.artifacts() / "book", _mark(files)
    index, note = target / "index.html", target / ".built.json"
    if index.is_file() and note.is_file() and note.read_text(encoding="utf-8") == mark:
        print("the book is unchanged, nothing was built")
        return index
    source = paths.artifacts() / "book_src"
    stage.write(files, source)
    started = time.monotonic()
    html = _jupyter_book(source, paths.artifacts() / "book_build.log")
    (html / note.name).write_text(mark, encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(html, target)
    print(f"built {len(pages)} section pages in {time.monotonic() - started:.0f} s")
    return index


def _say(pages: Sequence[Page]) -> None:
    for page in pages:
        print(f"  {page.section}: {page.shown.kind}{' (partial)' if page.shown.partial else ''}")


def _mark(files: dict[str, bytes]) -> str:
    """What the built pages depend on: the staged files, and the versions of the packages that render them."""
    return json.dumps({"files": stage.digest(files), **environment()}, indent=1)


def _jupyter_book(source: Path, log: Path) -> Path:
    """Run Jupyter Book from scratch (a second Sphinx run would forget the warnings of the first)."""
    command = [sys.executable, "-c", _START, "build", str(source), "--all", "-W", "--keep-going"]
    print("building the pages ...", flush=True)
    quiet = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    with log.open("w", encoding="utf-8") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=quiet, check=False).returncode
    html = source / "_build" / "html"
    if code == 0 and (html / "index.html").is_file():
        return html
    found = problems(log.read_text(encoding="utf-8", errors="replace"))
    raise BookError("the book", "a build without warnings, found:\n" + "\n".join(found), f"look into {log}")


def problems(log: str, limit: int = 20) -> list[str]:
    """The lines of a build log that say what is wrong, else its end.

    >>> problems("reading\\n/book/intro.md:3: WARNING: unknown document: 'x'\\n")
    ["/book/intro.md:3: WARNING: unknown document: 'x'"]
    """
    lines = [_COLOUR.sub("", line).rstrip() for line in log.splitlines()]
    lines = [line for line in lines if line]
    return ([line for line in lines if _PROBLEM.search(line)] or lines[-limit:])[:limit]
