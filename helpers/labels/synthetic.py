"""The 151 classes of PUG: ImageNet over ILSVRC indices."""

from __future__ import annotations

import json
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


def pug_index_map(path: Path) -> np.ndarray:
    """Class position (sorted names) of each ILSVRC index, shape (1000,); -1 where no class has it.

    Index 841 is listed by Shirt and by Sweatshirt; the later one wins, as in the paper's code, so a Shirt
    image can never be right. Raises BookError for a map that is not the published one.
    """
    positions = np.full(1000, UNMAPPED)
    for position, indices in enumerate(_classes(path).values()):
        positions[indices] = position
    return positions


def pug_label_space(path: Path) -> LabelSpace:
    """Label space of PUG: ImageNet from its class map: all 1000 logits compete, an unmapped argmax is wrong.

    The classes are those of `pug_index_map`, so the labels of Shirt are empty.
    """
    positions, names = pug_index_map(path), list(_classes(path))
    labels = [np.flatnonzero(positions == i).tolist() for i in range(len(names))]
    return make_label_space("pug_imagenet", range(1000), names, labels)
