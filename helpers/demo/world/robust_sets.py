"""Counterparts of the shifted sets: `v2`, `c`, `hard`, and `a`, which small networks were asked to make hard.

- v2: drawn afresh by the procedure of `val`, with things somewhat smaller, further from the middle, more tilted and
  in dimmer light from the side (a fresh collection never has quite the same statistics)
- c: the first 100 scenes of `val` under 15 corruptions at 5 severities, as ImageNet-C is made from validation images
- hard: two or three of the sixteen factors at once; with several things every one that shows by half is right
- a_convnet, a_vit: scenes that an independent small ConvNet, or ViT, gets wrong, sure of itself
  (`demo_adversarial.csv`)
"""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np

from helpers import paths
from helpers.demo.world.classes import N_FINE
from helpers.demo.world.corruptions import CONDITIONS, corrupt
from helpers.demo.world.scene import Scene, sample_scene, spawn
from helpers.demo.world.schedule import factor_scene
from helpers.demo.world.showing import visible_classes
from helpers.demo.world.top_factors import apply_factor, with_variant

SOURCES = 100  # validation scenes that are corrupted
SEVERAL_RATE = 0.35  # share of `hard` that shows several things
# Fine classes of the adversarial sets, as ImageNet-A has 200 of the 1,000: the last three of each category, so that
# it shares 32 of its 48 with the renditions.
ADVERSARIAL_CLASSES = tuple(i for i in range(N_FINE) if i % 4 != 0)

# Factors that go together: at most one of each row, applied in this order.
_ROWS = (
    ("smaller", "larger", "shape", "partial_view"), ("pose",), ("color",), ("pattern", "texture"), ("background",),
    ("darker", "brighter"), ("subcategory",), ("style",), ("multiple_objects",), ("object_blocking", "person_blocking"),
)  # fmt: skip
_HIDING = ("partial_view", "object_blocking", "person_blocking", "pose", "larger")  # no two: too little would show


def _moved(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(
        scene,
        scale=scene.scale * float(rng.uniform(0.78, 1.0)),
        x=scene.x + float(rng.normal(0, 0.05)),
        y=scene.y + float(rng.normal(0, 0.04)),
        roll=scene.roll + float(rng.normal(0, 9)),
        brightness=scene.brightness * float(rng.uniform(0.75, 1.0)),
        light_strength=scene.light_strength + float(rng.uniform(0, 0.15)),
    )


def fresh_scene(seed: int, index: int) -> Scene:
    """A scene of `v2`: exactly one top factor as in `val`, in pictures of slightly other statistics."""
    return factor_scene("v2", seed, index, change=_moved)


# --- c ----------------------------------------------------------------------------------------------------------------


def condition(index: int) -> tuple[str, int]:
    """Corruption and severity of image `index` of `c`: all sources of a condition, then the next condition.

    >>> condition(0), condition(100), condition(7_499)
    (('gaussian_noise', 1), ('gaussian_noise', 2), ('jpeg_compression', 5))
    """
    name, severity = CONDITIONS[index // SOURCES].split(":")
    return name, int(severity)


def source_scene(seed: int, index: int) -> Scene:
    """The scene behind image `index` of `c`: scene `index % 100` of `val` (with `val`'s seed)."""
    return _source(seed, index % SOURCES)


@lru_cache(maxsize=2 * SOURCES)
def _source(seed: int, source: int) -> Scene:
    return factor_scene("val", seed, source)


def corrupted(pixels: np.ndarray, seed: int, index: int) -> np.ndarray:
    """The picture of image `index` of `c`, corrupted; noise depends on the source and the corruption."""
    name, severity = condition(index)
    return corrupt(pixels, name, severity, seed, index % SOURCES)


def corrupted_id(index: int) -> str:
    """Id like the real set's: corruption, severity, name of the validation image.

    >>> corrupted_id(7_499)
    'jpeg_compression/5/val_00099.png'
    """
    name, severity = condition(index)
    return f"{name}/{severity}/val_{index % SOURCES:05d}.png"


def corrupted_columns(scene: Scene, index: int) -> dict[str, str]:
    """`group` (corruption:severity) and `source` (the validation image, the unit of resampling)."""
    return {"group": CONDITIONS[index // SOURCES], "source": f"val_{index % SOURCES:05d}.png"}


# --- hard -------------------------------------------------------------------------------------------------------------


def hard_scene(seed: int, index: int) -> Scene:
    """A scene of `hard`: two or three factors, named in `top_factor` with a plus between them."""
    rng = spawn(seed, "hard", index)
    fine = int(spawn(seed, "hard/classes", index // N_FINE).permutation(N_FINE)[index % N_FINE])
    names = _together(rng, fine)
    scene = sample_scene(rng, fine)
    for name in names:
        scene = apply_factor(scene, name, rng)
    return replace(scene, top_factor="+".join(names))


def _together(rng: np.random.Generator, fine: int) -> list[str]:
    """Two or three factors that can be shown at once, in the order in which they are applied."""
    rows = [row for row in _ROWS if row != ("multiple_objects",)]
    rows = [row for row in rows if row != ("subcategory",) or fine in with_variant()]
    several = rng.random() < SEVERAL_RATE
    number = int(rng.integers(2, 4)) - several
    while True:
        chosen = [rows[i] for i in rng.permutation(len(rows))[:number]]
        names = [row[int(rng.integers(len(row)))] for row in chosen] + ["multiple_objects"] * several
        if sum(name in _HIDING for name in names) < 2:
            order = [name for row in _ROWS for name in row]
            return sorted(names, key=order.index)


def hard_labels(scene: Scene) -> tuple[int, ...]:
    """The main thing's class, and that of every other thing of which at least half shows."""
    if not scene.others:
        return (scene.fine,)
    return tuple(dict.fromkeys((scene.fine, *visible_classes(scene))))


def number_of_factors(scene: Scene) -> str:
    """Group of an image of `hard`.

    >>> number_of_factors(Scene(fine=13, material="feathers", top_factor="pose+darker"))
    '2 factors'
    """
    return f"{scene.top_factor.count('+') + 1} factors"


# --- a ----------------------------------------------------------------------------------------------------------------


def pool_scene(seed: int, index: int) -> Scene:
    """Scene `index` of the pool that the adversarial sets are chosen from: like `val`, of 48 classes, drawn apart."""
    return factor_scene("pool", seed, index, ADVERSARIAL_CLASSES)


@cache
def chosen(filtered_by: str) -> tuple[int, ...]:
    """Scenes of the pool that a network got wrong, in the pool's order.

    `filtered_by`: "convnet" or "vit". Source: `helpers/data/demo_adversarial.csv`, made by
    `python -m helpers.demo.train.filtering`.
    """
    with paths.reference("demo_adversarial.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(int(row["pool_index"]) for row in csv.DictReader(lines) if row["filtered_by"] == filtered_by)


def convnet_scene(seed: int, index: int) -> Scene:
    """A scene of `a_convnet`: the pool's, of those that the small ConvNet got wrong."""
    return pool_scene(seed, chosen("convnet")[index])


def vit_scene(seed: int, index: int) -> Scene:
    """A scene of `a_vit`: the pool's, of those that the small ViT got wrong."""
    return pool_scene(seed, chosen("vit")[index])


def convnet_id(index: int) -> str:
    """Id of image `index` of `a_convnet`: its name in the pool.

    >>> convnet_id(0).startswith("pool_")
    True
    """
    return f"pool_{chosen('convnet')[index]:05d}.png"


def vit_id(index: int) -> str:
    """Id of image `index` of `a_vit`: its name in the pool, so that an image of both sets is known as one.

    >>> vit_id(0).startswith("pool_")
    True
    """
    return f"pool_{chosen('vit')[index]:05d}.png"
