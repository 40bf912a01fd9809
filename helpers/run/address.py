"""The public address of the project: it stands in `book/_config.yml` (`repository`), and nowhere else."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

from helpers import paths
from helpers.errors import BookError


@dataclass(frozen=True)
class Address:
    """Repository and branch from which readers get the source; `url` is empty until there is one."""

    url: str
    branch: str

    def colab(self, notebook: str) -> str | None:
        """Where Google Colab opens a notebook of the repository; None without an address on GitHub.

        >>> Address("https://github.com/a/b", "main").colab("notebooks/03_x.ipynb")
        'https://colab.research.google.com/github/a/b/blob/main/notebooks/03_x.ipynb'
        >>> Address("", "main").colab("notebooks/03_x.ipynb") is None
        True
        """
        pieces = urlsplit(self.url)
        if pieces.hostname != "github.com":
            return None
        where = f"{pieces.path.strip('/').removesuffix('.git')}/blob/{self.branch}/{notebook}"
        return f"https://colab.research.google.com/github/{quote(where)}"


def address(config: Path | None = None) -> Address:
    """The address that the book's configuration states. Raises BookError if it is no complete https URL."""
    path = paths.resource("book/_config.yml") if config is None else config
    repository = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("repository") or {}
    url = (repository.get("url") or "").rstrip("/")
    pieces = urlsplit(url)
    if url and (pieces.scheme != "https" or not pieces.netloc or not pieces.path.strip("/")):
        raise BookError(f"{path}, repository.url", f"a complete https address or nothing, found {url!r}", "correct it")
    return Address(url, repository.get("branch") or "main")


_LINE = re.compile(r'(ADDRESS = \\")[^"\\]*(\\")')  # as it stands in the JSON of a notebook


def fill_in(folder: Path, where: Address) -> list[str]:
    """Write the address into the set-up cell of every notebook (`make address`); returns the names of those changed.

    A notebook opened alone in Colab has no other way to know it. Raises BookError for one without the line.
    """
    changed = []
    for path in sorted(folder.glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        new, count = _LINE.subn(rf"\g<1>{where.url}\g<2>", text)
        if count != 1:
            raise BookError(path.name, f"one line `ADDRESS = ...`, found {count}", "copy the cell of another notebook")
        if new != text:
            writing = path.with_name(f".{path.name}.writing")
            writing.write_text(new, encoding="utf-8")
            os.replace(writing, path)
            changed.append(path.name)
    return changed
