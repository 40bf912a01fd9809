"""Label space of the drawn world: 64 fine classes in 16 entry-level categories, and the drawings behind them.

Fine classes play the part of ImageNet's 1,000 classes; categories that of the 16 entry-level ones (twelve of
them are cue-conflict's own; elephant, keyboard, knife and oven have no four drawings, so shoe, house, tree
and fruit stand in). Indices are fixed by `helpers/data/demo_drawings.csv`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers import paths
from helpers.errors import BookError

ATTRIBUTION = (
    "Drawings: OpenMoji 17.0 (https://openmoji.org), the open-source emoji and icon project, CC BY-SA 4.0; "
    "recoloured, textured, cropped and combined here. Renderings: CC BY-SA 4.0."
)
N_FINE, N_CATEGORIES = 64, 16

# Fine classes of the rendition set, as ImageNet-R has 200 of the 1,000: the first three of each category.
RENDITION_CLASSES = tuple(i for i in range(N_FINE) if i % 4 != 3)


@dataclass(frozen=True)
class Drawing:
    """A fine class: its index, category, name, OpenMoji file, second drawing (or None), paint colours left out."""

    fine: int
    category: str
    name: str
    file: str
    variant: str | None = None
    drop: tuple[str, ...] = ()


@cache
def drawings() -> tuple[Drawing, ...]:
    """The 64 fine classes in the order of their index.

    >>> drawings()[13].name, drawings()[13].category, drawings()[13].file
    ('duck', 'bird', '1F986')
    """
    with paths.reference("demo_drawings.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = tuple(
        Drawing(int(r["fine"]), r["category"], r["name"], r["file"], r["variant"] or None, tuple(r["drop"].split()))
        for r in rows
    )
    if [d.fine for d in found] != list(range(N_FINE)):
        raise BookError("demo_drawings.csv", f"fine classes 0..{N_FINE - 1} in order", "restore the committed file")
    return found


@cache
def categories() -> tuple[str, ...]:
    """The 16 entry-level categories, in the order of their first fine class.

    >>> categories()[:3], len(categories())
    (('airplane', 'bear', 'bicycle'), 16)
    """
    return tuple(dict.fromkeys(d.category for d in drawings()))


def category_indices() -> dict[str, list[int]]:
    """Category -> its fine-class indices: the counterpart of the 1,000-to-16 rule.

    >>> category_indices()["cat"]
    [28, 29, 30, 31]
    """
    return {name: [d.fine for d in drawings() if d.category == name] for name in categories()}


def category_of(fine: int) -> str:
    """Category of a fine class.

    >>> category_of(13)
    'bird'
    """
    return drawings()[fine].category


def class_names() -> tuple[str, ...]:
    """Names of the fine classes, for prompts and tables.

    >>> class_names()[20:22]
    ('baby bottle', 'champagne bottle')
    """
    return tuple(d.name for d in drawings())


def rendition_mask() -> np.ndarray:
    """Boolean mask over the 64 fine classes: True for the 48 that the rendition set `r` holds.

    >>> int(rendition_mask().sum())
    48
    """
    mask = np.zeros(N_FINE, dtype=bool)
    mask[list(RENDITION_CLASSES)] = True
    return mask
