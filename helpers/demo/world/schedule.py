"""Which factor and which class an image of a set shows: spread evenly, in an order of each block's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.demo.world.classes import N_FINE
from helpers.demo.world.scene import Scene, sample_scene, spawn
from helpers.demo.world.top_factors import SLOTS, apply_factor, with_variant

BLOCK = 200  # images after which the schedule of factors repeats in a new order


def slots() -> list[str]:
    """The factors of a block of 200 images, each as often as SLOTS says.

    >>> len(slots()), slots().count("pose")
    (200, 33)
    """
    return [factor for factor, number in SLOTS.items() for _ in range(number)]


def scheduled(seed: int, name: str, index: int, classes: tuple[int, ...] = tuple(range(N_FINE))) -> tuple[str, int]:
    """Factor and fine class of image `index`: 200 slots and all classes, in an order of each block's own.

    >>> sorted(scheduled(0, "val", index)[1] for index in range(64)) == list(range(64))
    True
    """
    factor = slots()[int(spawn(seed, f"{name}/factors", index // BLOCK).permutation(BLOCK)[index % BLOCK])]
    order = spawn(seed, f"{name}/classes", index // len(classes)).permutation(len(classes))
    return factor, classes[int(order[index % len(classes)])]


def factor_scene(
    name: str, seed: int, index: int, classes: tuple[int, ...] = tuple(range(N_FINE)),
    change: Callable[[Scene, np.random.Generator], Scene] | None = None,
) -> Scene:  # fmt: skip
    """The scheduled scene of a set: an ordinary one (after `change`), with its one top factor."""
    factor, fine = scheduled(seed, name, index, classes)
    rng = spawn(seed, name, index)
    if factor == "subcategory" and fine not in with_variant():
        fine = int(rng.choice([each for each in with_variant() if each in classes]))
    scene = sample_scene(rng, fine)
    return apply_factor(scene if change is None else change(scene, rng), factor, rng)
