"""The cue-conflict set: shape exemplars crossed with texture exemplars, in a colour of neither.

As in the real set there are 16 categories, 10 shape exemplars and 3 texture exemplars of each, and five images for
every pair of a shape and a texture category: 1,280 images, of which 80 have both cues of one category ("same").
Here the crossing is balanced: each shape exemplar is used eight times, each texture exemplar 26 or 27 times.

The material and the colour cover the backdrop too and the lines are soft, as style transfer leaves them; how much
(GROUND, BLEND, INK) was chosen by looking, and so that a small ConvNet of another world seed uses both cues.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from helpers.demo.world.backdrops import VARIANTS
from helpers.demo.world.classes import categories, category_indices
from helpers.demo.world.materials import MATERIAL_OF
from helpers.demo.world.scene import PALETTES, Scene, one_of, spawn

SHAPES_PER_CATEGORY, TEXTURES_PER_CATEGORY, IMAGES_PER_PAIR = 10, 3, 5
GROUND, BLEND, INK = 0.75, 0.8, 0.28  # as in the real set texture and colour cover the picture, lines are soft
_ORDER_SEED = 0  # the crossing is the same in every world; only what the exemplars look like changes


@dataclass(frozen=True)
class Pair:
    """A cue-conflict image: category and number (from 1) of its shape and of its texture exemplar."""

    shape: str
    shape_number: int
    texture: str
    texture_number: int

    @property
    def image_id(self) -> str:
        """Like the real set's: `airplane1-bicycle2.png`."""
        return f"{self.shape}{self.shape_number}-{self.texture}{self.texture_number}.png"


@cache
def pairs() -> tuple[Pair, ...]:
    """The 1,280 images in a shuffled order, so that any first n are spread over all categories.

    >>> len(pairs()), sum(p.shape == p.texture for p in pairs())
    (1280, 80)
    """
    names = categories()
    found = [
        Pair(shape, 2 * k + 1 + (a + b) % 2, texture, 1 + (a + k + b // 2) % TEXTURES_PER_CATEGORY)
        for a, shape in enumerate(names)
        for b, texture in enumerate(names)
        for k in range(IMAGES_PER_PAIR)
    ]
    order = np.random.default_rng(_ORDER_SEED).permutation(len(found))
    return tuple(found[i] for i in order)


def image_id(index: int) -> str:
    """Id of cue-conflict image `index`.

    >>> image_id(0).endswith(".png")
    True
    """
    return pairs()[index].image_id


def conflict_scene(seed: int, index: int) -> Scene:
    """Scene of cue-conflict image `index`: drawing of one category, material of another, colour of neither.

    The drawing, its place and backdrop belong to the shape exemplar; the material's scale, angle and phase to the
    texture exemplar; the colour to the image.

    >>> scene = conflict_scene(0, 0)
    >>> scene.category == pairs()[0].shape, scene.material == MATERIAL_OF[pairs()[0].texture]
    (True, True)
    """
    pair = pairs()[index]
    colour = one_of(spawn(seed, "cue_conflict/colour", index), PALETTES)
    shape = shape_exemplar(seed, pair.shape, pair.shape_number)
    return replace(_textured(seed, shape, pair.texture, pair.texture_number), colour=colour)


def shape_exemplar(seed: int, category: str, number: int) -> Scene:
    """A shape exemplar: one of the category's drawings in its pose, place and light, on a studio backdrop.

    >>> shape_exemplar(0, "cat", 1).category
    'cat'
    """
    rng = spawn(seed, f"cue_conflict/shape/{category}", number)
    members = category_indices()[category]
    return Scene(
        fine=members[(number - 1) % len(members)],
        material=MATERIAL_OF[category],
        x=float(rng.normal(0.5, 0.04)),
        y=float(rng.normal(0.51, 0.02)),
        scale=float(rng.uniform(0.74, 0.94)),
        mirror=bool(rng.random() < 0.5),
        roll=float(rng.normal(0, 8)),
        yaw=float(rng.uniform(-25, 25)),
        pitch=float(rng.uniform(-12, 12)),
        world_variant=int(rng.integers(VARIANTS)),
        world_x=float(rng.random()),
        world_y=float(rng.random()),
        light=float(rng.uniform(30, 150)),
        light_strength=float(rng.uniform(0.0, 0.12)),
        noise=number,
    )


def _textured(seed: int, scene: Scene, category: str, number: int) -> Scene:
    rng = spawn(seed, f"cue_conflict/texture/{category}", number)
    return replace(
        scene,
        material=MATERIAL_OF[category],
        material_strength=1.0,
        ground=GROUND,
        blend=BLEND,
        ink=INK,
        material_scale=float(rng.uniform(0.85, 1.2)),
        material_angle=float(rng.normal(0, 12)),
        material_x=float(rng.random()),
        material_y=float(rng.random()),
    )


def exemplar_columns(image_ids) -> dict[str, list[str]]:
    """Shape, texture and their exemplars, read from ids: the columns a decisions frame starts with.

    Raises ValueError for an id of another form.

    >>> exemplar_columns(["airplane1-bicycle2.png"])["shape_exemplar"]
    ['airplane1']
    """
    halves = [name.removesuffix(".png").split("-") for name in image_ids]
    shapes, textures = [first for first, _ in halves], [second for _, second in halves]
    return {
        "shape": [s.rstrip("0123456789") for s in shapes],
        "texture": [t.rstrip("0123456789") for t in textures],
        "shape_exemplar": shapes,
        "texture_exemplar": textures,
    }
