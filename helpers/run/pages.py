"""The page of one section: its executed notebook with banner and provenance, or a page that says "not run"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers import paths, results
from helpers.errors import BookError
from helpers.run import cache, notebooks
from helpers.run.address import Address
from helpers.run.banner import State, banner, state
from helpers.run.footer import footer, recorded_rows

SHOWN_FIRST = ("paper", "demo", "released")  # which profile a page shows where several were executed
HIDE = {"parameters": "remove-cell", "setup": "remove-cell", "injected-parameters": "hide-input"}
DEMO = "demo"  # the profile, and the tag of the cells that only its pages show
BADGE = "../images/colab-badge.svg"


@dataclass(frozen=True)
class Page:
    """A staged section: its name, title, what it shows, and the notebook that the book renders."""

    section: str
    title: str
    shown: State
    notebook: nbformat.NotebookNode


def section_page(section: str, source: Path, where: Address, profiles: Sequence[str] = SHOWN_FIRST) -> Page:
    """The page of a section, from the first profile in which it was executed here.

    Raises BookError naming the notebook and the cell if the executed copy holds an error.
    """
    original = notebooks.read(source)
    for profile in profiles:
        executed = paths.executed_dir(profile) / f"{section}.ipynb"
        run = cache.load(executed)
        if run is None or (run.error is None and run.output != cache.file_digest(executed)):
            continue  # never executed, or a copy that an interrupted run left
        error = run.error or notebooks.failure(notebooks.read(executed))
        if error:
            expected = f"no error in its outputs, found {error}"
            raise BookError(f"notebook {section}", expected, f"run it again; its copy is {executed}")
        return _executed_page(section, original, notebooks.read(executed), run, where)
    return _unexecuted_page(section, original, profiles, where)


def _executed_page(
    section: str,
    original: nbformat.NotebookNode,
    executed: nbformat.NotebookNode,
    run: cache.RunRecord,
    where: Address,
) -> Page:
    record = results.load(section, run.profile)
    shown = state(section, run, record)
    stale = run.depends.get("the notebook") != notebooks.source_digest(original)
    cells = [_staged_cell(cell) for cell in executed.cells if run.profile == DEMO or DEMO not in notebooks.tags(cell)]
    cells.append(nbformat.v4.new_markdown_cell(footer(section, run, record, shown)))
    name = notebooks.title(executed, section)
    return Page(section, name, shown, _assembled(cells, _head(section, name, banner(shown, stale), where)))


def _unexecuted_page(section: str, original: nbformat.NotebookNode, profiles: Sequence[str], where: Address) -> Page:
    shown = state(section, None, None)
    first = [cell for cell in original.cells[:1] if cell.cell_type == "markdown"]
    cells = [nbformat.v4.new_markdown_cell(cell.source) for cell in first]
    records = [record for profile in profiles if (record := results.recorded(section, profile)) is not None]
    cells += [nbformat.v4.new_markdown_cell(recorded_rows(record)) for record in records]
    name = notebooks.title(original, section)
    return Page(section, name, shown, _assembled(cells, _head(section, name, banner(shown), where)))


def _staged_cell(cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy without papermill's timing, with the tags that Jupyter Book knows."""
    old = notebooks.tags(cell)
    new = [*old, *(HIDE[tag] for tag in old if tag in HIDE)]
    kept = nbformat.from_dict({**cell, "metadata": {"tags": new} if new else {}})
    if kept.cell_type == "markdown" and DEMO in old:
        kept["source"] = _set_off(kept.source)
    if kept.cell_type == "code":
        kept["execution_count"] = None
    return kept


def _set_off(text: str) -> str:
    """Markdown of the demo's panel in a box of its own; a heading stays outside, where the contents find it."""
    first, _, rest = text.strip().partition("\n")
    heading, body = (first, rest.strip()) if first.startswith("#") else ("", text.strip())
    box = f"`````{{container}} demo-panel\n{body}\n`````" if body else ""
    return "\n\n".join(part for part in (heading, box) if part)


def _head(section: str, name: str, box: str, where: Address) -> str:
    link = where.colab(f"notebooks/{section}.ipynb")
    badge = [f"[![Open {section} in Colab]({BADGE})]({link})"] if link else []
    return "\n\n".join([f"# {name}", *badge, box])


def _assembled(cells: list[nbformat.NotebookNode], head: str) -> nbformat.NotebookNode:
    """Cells with the head in place of the title line of the first one; ids by position, so that equal stays equal."""
    first = cells[0] if cells and cells[0].cell_type == "markdown" else None
    if first is not None and first.source.lstrip().startswith("# "):
        rest = first.source.lstrip().partition("\n")[2].strip()
        cells = [nbformat.v4.new_markdown_cell(f"{head}\n\n{rest}".strip()), *cells[1:]]
    else:
        cells = [nbformat.v4.new_markdown_cell(head), *cells]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)
