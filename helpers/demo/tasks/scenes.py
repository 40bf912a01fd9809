"""Drawn pictures for tasks: every factor that is asked for is drawn on its own, so that none tells of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from helpers.demo.tasks.spec import Pictures
from helpers.demo.world import (
    HEIGHT,
    MATERIALS,
    N_FINE,
    PALETTES,
    WIDTH,
    WORLDS,
    Scene,
    one_of,
    render,
    sample_scene,
    spawn,
)

SEED = 21  # of the tasks' world: no other set has it
COUNTS, TURNS, DISTANCES, CELLS = 5, 8, 5, 3
NEAR, FAR = 0.52, 0.20  # size of a thing, as a share of the picture's height
REACH_X, REACH_Y = (0.30, 0.70), (0.28, 0.72)  # where a thing's centre may lie
MARGIN = 0.15  # share of a bin at either end that stays empty

# Drawings that stand for no class of the drawn world and for nothing that hides one, three each.
UNSEEN: dict[str, tuple[str, str, str]] = {
    "fish": ("1F41F", "1F420", "1F988"), "flower": ("1F33B", "1F337", "1F339"),
    "instrument": ("1F3B8", "1F3BB", "1F3BA"), "hat": ("1F3A9", "1F452", "1F9E2"), "cup": ("2615", "1F375", "1F37A"),
    "tool": ("1F528", "1F527", "1FA93"), "telephone": ("1F4F1", "260E", "1F4DE"), "ball": ("26BD", "1F3C0", "1F3BE"),
    "bag": ("1F45C", "1F392", "1F4BC"), "vegetable": ("1F955", "1F33D", "1F346"),
}  # fmt: skip


def _within(rng: np.random.Generator, bin_: int, bins: int, low: float, high: float) -> float:
    """A number in one of `bins` equal parts of [low, high], away from its edges."""
    width = (high - low) / bins
    return float(low + width * (bin_ + rng.uniform(MARGIN, 1 - MARGIN)))


def thing_scene(split: str, index: int) -> tuple[Scene, dict[str, int]]:
    """One thing on any backdrop: place, turn, size, backdrop, colour and material are all drawn at random.

    >>> scene, asked = thing_scene("train", 0)
    >>> sorted(asked)
    ['background', 'colour', 'distance', 'material', 'orientation', 'position']
    """
    rng = spawn(SEED, f"things/{split}", index)
    sizes = {"position": CELLS**2, "orientation": TURNS, "distance": DISTANCES, "background": len(WORLDS),
             "colour": len(PALETTES), "material": len(MATERIALS)}  # fmt: skip
    asked = {name: int(rng.integers(size)) for name, size in sizes.items()}
    row, column = divmod(asked["position"], CELLS)
    size = _within(rng, DISTANCES - 1 - asked["distance"], DISTANCES, np.log(FAR), np.log(NEAR))
    scene = replace(
        _plain(rng, int(rng.integers(N_FINE))),
        x=_within(rng, column, CELLS, *REACH_X),
        y=_within(rng, row, CELLS, *REACH_Y),
        roll=_within(rng, asked["orientation"], TURNS, -180 / TURNS, 360 - 180 / TURNS),
        scale=float(np.exp(size)),
        world=WORLDS[asked["background"]],
        colour=list(PALETTES)[asked["colour"]],
        material=list(MATERIALS)[asked["material"]],
    )
    return scene, asked


def _plain(rng: np.random.Generator, fine: int) -> Scene:
    """An ordinary scene, seen from the front, not mirrored, nothing of the thing on the backdrop."""
    scene = sample_scene(rng, fine)
    return replace(scene, mirror=False, yaw=0.0, pitch=0.0, stretch=1.0, shear=0.0, ground=0.0, blend=0.0, ink=1.0)


def crowd_scene(split: str, index: int) -> tuple[Scene, dict[str, int]]:
    """One to five things of one class in cells of a 3 x 3 grid; their size does not depend on their number.

    >>> scene, asked = crowd_scene("train", 1)
    >>> scene.count == asked["count"] + 1
    True
    """
    rng = spawn(SEED, f"crowds/{split}", index)
    count, scale = int(rng.integers(COUNTS)), float(rng.uniform(0.15, 0.20))
    places = [_cell_centre(rng, int(cell), scale) for cell in rng.permutation(CELLS**2)[: count + 1]]
    scene = replace(_plain(rng, int(rng.integers(N_FINE))), colour=one_of(rng, ("own", *PALETTES)))
    (x, y, _), *others = places
    return replace(scene, x=x, y=y, scale=scale, copies=tuple(others)), {"count": count}


def _cell_centre(rng: np.random.Generator, cell: int, scale: float) -> tuple[float, float, float]:
    row, column = divmod(cell, CELLS)
    dx, dy = rng.uniform(-0.01, 0.01, 2)
    step_y = 0.28
    step_x = step_y * HEIGHT / WIDTH
    return float(0.5 + (column - 1) * step_x + dx), float(0.5 + (row - 1) * step_y + dy), scale


def unseen_scene(split: str, index: int) -> tuple[Scene, dict[str, int]]:
    """A thing of one of ten categories that the drawn world does not have, in its own colours.

    >>> scene, asked = unseen_scene("train", 0)
    >>> scene.drawing in list(UNSEEN.values())[asked["drawings"]]
    True
    """
    rng = spawn(SEED, f"unseen/{split}", index)
    category = int(rng.integers(len(UNSEEN)))
    scene = replace(sample_scene(rng, 0), colour="own", material=one_of(rng, MATERIALS), ground=0.0, blend=0.0)
    return replace(scene, drawing=one_of(rng, list(UNSEEN.values())[category])), {"drawings": category}


def asked(make: Callable, split: str, n: int) -> dict[str, tuple[int, ...]]:
    """Classes of the first n pictures of a drawn set by task; `make`(split, index) -> (scene, class by task)."""
    found = [make(split, index)[1] for index in range(n)]
    return {task: tuple(each[task] for each in found) for task in found[0]}


def drawn(make: Callable, name: str, split: str, n: int) -> Pictures:
    """The first n pictures of a drawn set, each a unit of its own."""
    pixels = np.stack([render(make(split, index)[0]) for index in range(n)])
    ids = tuple(f"{name}_{split}_{index:04d}" for index in range(n))
    return Pictures(pixels, ids, asked(make, split, n), ids)
