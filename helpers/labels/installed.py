"""Files inside installed packages, found without importing the package (importing some costs seconds)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from helpers.errors import InputsUnavailable


def package_file(package: str, relative: str, install: str) -> Path:
    """Path of a file that an installed package ships.

    Raises InputsUnavailable when the package or the file is not there; `install` says how to get it.

    >>> package_file("imagenet_x", "annotations/imagenet_labels.txt", "pip install imagenet-x").name
    'imagenet_labels.txt'
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputsUnavailable(f"package {package}", "an installed package, found none", install)
    path = Path(next(iter(spec.submodule_search_locations))) / relative
    if not path.is_file():
        raise InputsUnavailable(str(path), f"a file of the package {package}, found none", install)
    return path
