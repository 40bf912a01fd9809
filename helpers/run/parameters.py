"""Strict parameters: only what the `parameters` cell declares, in the type that it declares."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import nbformat

from helpers.errors import BookError
from helpers.run.notebooks import tags


def declared(notebook: nbformat.NotebookNode, name: str) -> dict[str, object]:
    """{parameter: default} of a notebook, from its cell tagged `parameters`.

    The cell holds bare literals, `X = 1  # what it is`. Anything else (an annotation, an expression, a name
    given twice, no such cell) raises BookError: papermill would silently pass over it.

    >>> cell = nbformat.v4.new_code_cell("n_resamples = 2000  # bootstrap", metadata={"tags": ["parameters"]})
    >>> declared(nbformat.v4.new_notebook(cells=[cell]), "03_x")
    {'n_resamples': 2000}
    """
    cells = [cell.source for cell in notebook.cells if "parameters" in tags(cell)]
    if len(cells) != 1:
        raise BookError(f"notebook {name}", f"one cell tagged `parameters`, found {len(cells)}", "tag one cell")
    try:
        statements = ast.parse(cells[0]).body
    except SyntaxError as error:
        raise _refused(name, error.lineno or 0, "no Python") from None
    found: dict[str, object] = {}
    for statement in statements:
        target, value = _assignment(statement, name)
        if target in found:
            raise _refused(name, statement.lineno, f"{target!r} twice")
        found[target] = value
    return found


def _assignment(statement: ast.stmt, name: str) -> tuple[str, object]:
    plain = isinstance(statement, ast.Assign) and len(statement.targets) == 1
    if not plain or not isinstance(statement.targets[0], ast.Name):
        raise _refused(name, statement.lineno, f"`{ast.unparse(statement)}`")
    try:
        return statement.targets[0].id, ast.literal_eval(statement.value)
    except ValueError:
        raise _refused(name, statement.lineno, f"`{ast.unparse(statement)}`") from None


def _refused(name: str, line: int, found: str) -> BookError:
    expected = f"bare literals such as `X = 1  # comment`, found {found}"
    return BookError(f"notebook {name}, `parameters` cell, line {line}", expected, "keep one plain value a line")


def effective(defaults: Mapping[str, object], given: Mapping[str, object], name: str) -> dict[str, object]:
    """The defaults with what was given in their place. Raises BookError for an unknown name or another type.

    >>> effective({"n_resamples": 2000, "profile": "demo"}, {"profile": "released"}, "03_x")
    {'n_resamples': 2000, 'profile': 'released'}
    """
    for key, value in given.items():
        if key not in defaults:
            known = ", ".join(defaults) or "none"
            raise BookError(
                f"parameter {key!r} of notebook {name}", f"one of its parameters ({known})",
                "correct the name, or choose other notebooks with --only",
            )  # fmt: skip
        if not _fits(value, defaults[key]):
            raise BookError(
                f"parameter {key!r} of notebook {name}",
                f"a value of type {type(defaults[key]).__name__} like {defaults[key]!r}, found {value!r}",
                "correct the value",
            )
    return {**defaults, **given}


def _fits(value: object, default: object) -> bool:
    """Whether a value may stand in for a default; a default of None takes any literal.

    >>> _fits(True, 1), _fits(1, 1.5), _fits("a", None), _fits(["b"], ["a"]), _fits([1], ["a"])
    (False, True, True, True, False)
    """
    if default is None:
        return value is None or isinstance(value, (bool, int, float, str, list, tuple, dict))
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, (int, float))
    if isinstance(default, (list, tuple)):
        return isinstance(value, (list, tuple)) and all(_fits(item, default[0]) for item in value if default)
    return isinstance(value, type(default))
