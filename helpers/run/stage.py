"""The source of the book: prose, section pages, contents and configuration, ready for Jupyter Book."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
import yaml

from helpers import paths
from helpers.run import notebooks, toc
from helpers.run.address import Address, address
from helpers.run.inserts import filled
from helpers.run.pages import SHOWN_FIRST, Page, section_page

LEFT_OUT = ("recorded", "mathjax")  # data for the notebooks; a folder that goes elsewhere


def staged_files(
    book: Path | None = None, folder: Path | None = None, profiles: Sequence[str] = SHOWN_FIRST
) -> tuple[dict[str, bytes], list[Page]]:
    """Every file of the book's source by its path, and the section pages among them.

    Raises BookError where an executed notebook holds an error, naming it.
    """
    book = paths.resource("book") if book is None else book
    where = address(book / "_config.yml")
    found = notebooks.sections(folder)
    pages = [section_page(section, path, where, profiles) for section, path in found.items()]
    files = {f"notebooks/{page.section}.ipynb": _bytes(page.notebook) for page in pages}
    for path in sorted(path for path in book.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(book).as_posix()
        if name.split("/")[0] not in LEFT_OUT:
            files[name] = _prose(path, name, pages) if path.suffix == ".md" else path.read_bytes()
    for path in sorted((book / "mathjax").glob("*")):
        files[f"extra/mathjax/{path.name}"] = path.read_bytes()  # copied beside the pages, not under _static
    named = [name.rpartition(".")[0] for name in files if name.endswith((".md", ".ipynb"))]
    files["_toc.yml"] = toc.expanded(files["_toc.yml"].decode(), named).encode()
    files["_config.yml"] = _config(files["_config.yml"].decode(), where).encode()
    return files, pages


def _bytes(notebook: nbformat.NotebookNode) -> bytes:
    return nbformat.writes(notebook).encode("utf-8")


def _prose(path: Path, name: str, pages: Sequence[Page]) -> bytes:
    return filled(path.read_text(encoding="utf-8"), name, pages).encode("utf-8")


def _config(text: str, where: Address) -> str:
    """The configuration, with links to the repository only where there is one."""
    config = yaml.safe_load(text)
    if where.url:
        config.setdefault("html", {})["use_repository_button"] = True
    if where.colab("x"):
        config["launch_buttons"] = {"colab_url": "https://colab.research.google.com"}
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def digest(files: Mapping[str, bytes]) -> str:
    """Hash of all staged files with their names.

    >>> digest({"a": b"1"}) == digest({"a": b"1"}) != digest({"a": b"2"})
    True
    """
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return total.hexdigest()


def write(files: Mapping[str, bytes], target: Path) -> None:
    """Put the staged files into `target`, whose former content goes."""
    fresh = target.with_name(f".{target.name}.writing")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(fresh, target)
