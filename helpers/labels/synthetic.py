"""The 151 classes of PUG: ImageNet over ILSVRC indices: the paper's rule, and the classes among themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from helpers.errors import BookError
from helpers.labels.spaces import LabelSpace, candidate_space, index_map, mapped_space


def _classes(path: Path) -> dict[str, list[int]]:
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    values = list(table.values()) if isinstance(table, dict) else []
    if len(values) != 151 or not all(0 <= i < 1000 for indices in values for i in indices):
        raise BookError(str(path), f"151 classes with ILSVRC indices, found {len(values)}", "fetch the class map again")
    return {name: table[name] for name in sorted(table)}


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
