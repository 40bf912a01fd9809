"""The 151 classes of PUG: ImageNet over ILSVRC indices: the paper's rule, and the classes among themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from helpers.errors import BookError
from helpers.labels.spaces import LabelSpace, make_label_space

UNMAPPED = -1


def _classes(path: Path) -> dict[str, list[int]]:
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    values = list(table.values()) if isinstance(table, dict) else []
    if len(values) != 151 or not all(0 <= i < 1000 for indices in values for i in indices):
        raise BookError(str(path), f"151 classes with ILSVRC indices, found {len(values)}", "fetch the class map again")
    return {name: table[name] for name in sorted(table)}


def index_map(classes: Mapping[str, Sequence[int]], n: int) -> np.ndarray:
    """Class position (sorted names) of each of n indices, shape (n,); -1 where no class has it.

    Of classes that share an index the later one has it, as in the paper's code.

    >>> index_map({"Shirt": [2], "Sweatshirt": [2, 3]}, 4).tolist()
    [-1, -1, 1, 1]
    """
    positions = np.full(n, UNMAPPED)
    for position, name in enumerate(sorted(classes)):
        positions[list(classes[name])] = position
    return positions


def mapped_space(name: str, classes: Mapping[str, Sequence[int]], n: int) -> LabelSpace:
    """Label space of the paper's rule: all n logits compete, an argmax that no class has is wrong.

    A class whose every index belongs to a later one has no labels: its images cannot be right.

    >>> mapped_space("toy", {"Shirt": [2], "Sweatshirt": [2, 3]}, 4).labels
    ((), (2, 3))
    """
    positions, names = index_map(classes, n), sorted(classes)
    return make_label_space(name, range(n), names, [np.flatnonzero(positions == i).tolist() for i in range(len(names))])


def candidate_space(name: str, classes: Mapping[str, Sequence[int]]) -> LabelSpace:
    """Label space of a fair reading: only indices of the classes compete; a shared one is right for each.

    >>> space = candidate_space("toy", {"Shirt": [2], "Sweatshirt": [2, 3]})
    >>> space.indices, space.labels
    ((2, 3), ((2,), (2, 3)))
    """
    names = sorted(classes)
    indices = sorted({index for each in classes.values() for index in each})
    return make_label_space(name, indices, names, [sorted(classes[each]) for each in names])


def pug_index_map(path: Path) -> np.ndarray:
    """Class position (sorted names) of each ILSVRC index, shape (1000,); -1 where no class has it.

    Index 841 is listed by Shirt and by Sweatshirt; the later one wins, as in the paper's code, so a Shirt
    image can never be right. Raises BookError for a map that is not the published one.
    """
    return index_map(_classes(path), 1000)


def pug_label_space(path: Path) -> LabelSpace:
    """Label space of PUG: ImageNet from its class map: all 1000 logits compete, an unmapped argmax is wrong.

    The classes are those of `pug_index_map`, so the labels of Shirt are empty.
    """
    return mapped_space("pug_imagenet", _classes(path), 1000)


def pug_candidate_space(path: Path) -> LabelSpace:
    """Label space of PUG's classes among themselves: the 176 indices of the map compete, 841 is right for both."""
    return candidate_space("pug_candidates", _classes(path))
