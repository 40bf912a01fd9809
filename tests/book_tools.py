"""Small notebooks and a small book for the tests of running and building."""

from pathlib import Path

import nbformat

PAGE = "# {title}\n\nA question, and the claim of the paper.\n"
SETTINGS = 'profile = "demo"  # which models and data\nn = 3  # how many\n'


def cell(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def write_notebook(folder: Path, name: str, *cells, settings: str = SETTINGS, title: str = "A title") -> Path:
    """A notebook with title, set-up and parameters cells before the given ones."""
    folder.mkdir(parents=True, exist_ok=True)
    head = [
        nbformat.v4.new_markdown_cell(PAGE.format(title=title)),
        cell("import sys\nif 'google.colab' in sys.modules:\n    raise SystemExit", "setup"),
        cell(settings, "parameters"),
    ]
    cells = [cell(part) if isinstance(part, str) else part for part in cells]
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[*head, *cells]), path)
    return path
