"""Which modules of this package a notebook reads, directly or through others."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from helpers import paths

_SPECIAL = re.compile(r"^\s*[%!?]", re.MULTILINE)  # lines that only IPython understands


def notebook_imports(notebook: nbformat.NotebookNode) -> set[str]:
    """Names under `helpers` that the code cells import.

    >>> cell = nbformat.v4.new_code_cell("%pip list\\nfrom helpers import results")
    >>> sorted(notebook_imports(nbformat.v4.new_notebook(cells=[cell])))
    ['helpers', 'helpers.results']
    """
    found: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            text = "\n".join("" if _SPECIAL.match(line) else line for line in cell.source.splitlines())
            found |= set(_imported(text))
    return found


def _imported(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return  # the kernel will say so, with the line
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == "helpers")


def module_file(name: str, package: Path = paths.PACKAGE) -> Path | None:
    """The file of a module of this package; None if the name is no module (a function, say).

    >>> module_file("helpers.results").name, module_file("helpers.results.begin")
    ('__init__.py', None)
    """
    base = package.joinpath(*name.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def digests(names: Iterable[str], package: Path = paths.PACKAGE) -> dict[str, str]:
    """{path as shown to people: sha256} of the named modules and of all modules that they import in turn."""
    found: dict[str, str] = {}
    waiting, seen = set(names), set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        path = module_file(name, package)
        if path is None:
            continue
        content = path.read_bytes()
        found[f"helpers/{path.relative_to(package).as_posix()}"] = hashlib.sha256(content).hexdigest()
        parent = name.rpartition(".")[0]
        waiting |= ({parent} if parent else set()) | set(_imported(content.decode("utf-8")))
        waiting -= seen
    return dict(sorted(found.items()))


def folder_digest(folder: Path) -> str | None:
    """Hash of all files of a folder with their names; None if there is no such folder."""
    if not folder.is_dir():
        return None
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
