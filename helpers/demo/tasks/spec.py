"""What a demo task is, and what a set of its pictures holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

GROUPS = ("natural", "specialized", "structured")  # VTAB's


@dataclass(frozen=True)
class Pictures:
    """Pictures of one split: uint8 (n, 80, 96, 3), their ids, class of each by task, unit of resampling of each."""

    pixels: np.ndarray
    image_ids: tuple[str, ...]
    labels: dict[str, tuple[int, ...]]
    units: tuple[str, ...]


@dataclass(frozen=True)
class PictureSet:
    """Pictures that one or several tasks are asked about: (split, n) -> Pictures; number by split, source, unit.

    `asked`: (split, n) -> classes by task, where they are known without drawing the pictures.
    """

    title: str
    make: Callable[[str, int], Pictures]
    n: dict[str, int]
    source: str
    unit: str
    asked: Callable[[str, int], dict[str, tuple[int, ...]]] | None = None


@dataclass(frozen=True)
class Task:
    """A transfer task: what is asked about the pictures of a set.

    `seen_in_captions`: whether captions that the twins read name what is asked; no twin had it as a label. `words` are
    what captions call the classes and `templates` sentences with "{c}" for a word; both empty where they do not.
    """

    title: str
    group: str
    pictures: str
    classes: tuple[str, ...]
    seen_in_captions: bool
    question: str
    words: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
