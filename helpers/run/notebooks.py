"""The section notebooks: where they lie, how one is chosen, read and recognised again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from helpers import paths
from helpers.errors import BookError


def sections(folder: Path | None = None) -> dict[str, Path]:
    """{section: notebook} in reading order: every `NN_name.ipynb` of the notebooks folder."""
    folder = paths.resource("notebooks") if folder is None else folder
    return {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}


def choose(found: dict[str, Path], only: Sequence[str]) -> dict[str, Path]:
    """The sections asked for by number ("03") or name; all of them if none is named.

    Raises BookError for one that does not exist.

    >>> list(choose({"01_models": Path("a"), "03_shape_texture": Path("b")}, ["3"]))
    ['03_shape_texture']
    """
    if not found:
        raise BookError("notebooks", "at least one NN_section.ipynb, found none", "look into the notebooks folder")
    wanted = []
    for name in only:
        number = name.zfill(2) if name.isdigit() else None
        matches = [section for section in found if section == name or section.split("_")[0] == number]
        if not matches:
            raise BookError(f"section {name!r}", f"one of {', '.join(found)}", "give its number or its name")
        wanted += matches
    return {section: found[section] for section in found if section in wanted or not only}


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook in format 4. Raises BookError if the file is none."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise BookError(str(path), f"a Jupyter notebook ({type(error).__name__})", "restore the file") from None
    return notebook


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Tags of a cell."""
    return list(cell.metadata.get("tags", []))


def source_digest(notebook: nbformat.NotebookNode) -> str:
    """Hash of what is executed and read: cell types, sources and tags; outputs and counts do not matter."""
    cells = [[cell.cell_type, cell.source, sorted(tags(cell))] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def title(notebook: nbformat.NotebookNode, otherwise: str) -> str:
    """Text of the first heading.

    >>> title(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Shape or texture?")]), "x")
    'Shape or texture?'
    """
    for cell in notebook.cells:
        heading = re.search(r"^# +(.+?)\s*$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading.group(1)
    return otherwise


def failure(notebook: nbformat.NotebookNode) -> str | None:
    """The last line of the first error among the outputs, with its cell; None if there is none."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {number}: {output.ename}: {last_line(output.evalue)}"
    return None


def last_line(text: str) -> str:
    """The last line of a text that says something.

    >>> last_line("Traceback ...\\nValueError: no\\n\\n")
    'ValueError: no'
    """
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[-1] if lines else ""
