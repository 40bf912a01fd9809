"""ImageNet-X's sixteen factors, as the drawn world means them.

An ordinary scene (`sample_scene`) has none of them; `apply_factor` gives it exactly one, its *top factor*:

- pose: turned by 45 to 75 degrees in the plane, or seen at 46 to 54 degrees from the side or above
- background: a busy backdrop (confetti, paper scraps, sunburst, night city)
- pattern: a printed pattern (checks, zigzag, dots, diamonds) over its material
- color: one hue far from its own colours
- smaller / larger: 0.44 to 0.52, or 1.15 to 1.30, of the picture's height (ordinary: 0.60 to 0.92)
- shape: stretched to at least 1.6 times (or at most 0.62 of) its width over height, and sheared
- partial_view: about 12 to 25 % of its silhouette outside the frame (more of it outside the central crop)
- subcategory: the second drawing of its class (only classes that have one; rare in training)
- texture: the material of another category, at full strength
- darker / brighter: light times 0.32 to 0.48, or washed out by a factor of 1.8 to 2.5
- object_blocking / person_blocking: something, or somebody, stands in front of it
- style: a rendition that training shows now and then
- multiple_objects: two or three things of other classes around it
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from helpers.demo.world.backdrops import BUSY
from helpers.demo.world.classes import N_FINE, category_of, drawings
from helpers.demo.world.materials import MATERIAL_OF, MATERIALS, PATTERNS
from helpers.demo.world.rasters import mean_colour, raster
from helpers.demo.world.scene import HEIGHT, OBJECT_OCCLUDERS, PALETTES, PERSON_OCCLUDERS, WIDTH, Scene, one_of
from helpers.demo.world.styles import TRAINED_STYLES
from helpers.errors import BookError

# Slots in every 200 images: ImageNet-X's order of frequency, flattened so that each factor has at least seven.
SLOTS: dict[str, int] = {
    "pose": 33, "background": 31, "pattern": 19, "color": 19, "smaller": 13, "shape": 10, "partial_view": 9,
    "subcategory": 9, "texture": 8, "larger": 7, "darker": 7, "object_blocking": 7, "person_blocking": 7, "style": 7,
    "brighter": 7, "multiple_objects": 7,
}  # fmt: skip
FACTORS: tuple[str, ...] = tuple(SLOTS)


def _pose(scene: Scene, rng: np.random.Generator) -> Scene:
    side = float(rng.choice([-1, 1]))
    kind = rng.random()
    if kind < 0.6:
        return replace(scene, roll=side * float(rng.uniform(45, 75)))
    if kind < 0.85:
        return replace(scene, yaw=side * float(rng.uniform(46, 54)))
    return replace(scene, pitch=side * float(rng.uniform(46, 54)))


def _background(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, world=one_of(rng, BUSY), ground=0.0, blend=0.0)


def _pattern(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, pattern=one_of(rng, PATTERNS))


def far_palettes(fine: int) -> list[str]:
    """The five palette colours farthest from a drawing's own mean colour, by name.

    >>> "red" in far_palettes(60), "blue" in far_palettes(60)
    (False, True)
    """
    drawing = drawings()[fine]
    own = np.array(mean_colour(drawing.file, drawing.drop))
    distance = {name: float(np.linalg.norm(np.array(rgb) - own)) for name, rgb in PALETTES.items()}
    return sorted(distance, key=distance.__getitem__)[-5:]


def _color(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, colour=one_of(rng, far_palettes(scene.fine)))


def _smaller(scene: Scene, rng: np.random.Generator) -> Scene:
    x, y = rng.uniform(0.32, 0.68), rng.uniform(0.35, 0.68)
    return replace(scene, scale=float(rng.uniform(0.44, 0.52)), x=float(x), y=float(y))


def _larger(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, scale=float(rng.uniform(1.15, 1.30)))


def _shape(scene: Scene, rng: np.random.Generator) -> Scene:
    wide = rng.random() < 0.5
    stretch = rng.uniform(1.6, 1.9) if wide else rng.uniform(0.53, 0.62)
    scale = scene.scale * (0.85 if wide else 0.8)
    return replace(scene, stretch=float(stretch), shear=float(rng.uniform(-0.25, 0.25)), scale=scale)


def _partial_view(scene: Scene, rng: np.random.Generator) -> Scene:
    """Move the thing over the left, right or lower edge until 12 to 25 % of its silhouette is outside."""
    out, side = float(rng.uniform(0.12, 0.25)), int(rng.integers(3))
    drawing = drawings()[scene.fine]
    source = raster(drawing.file, 54, drawing.drop)
    mass = np.asarray(source.paint)[..., 3].sum(axis=1 if side == 2 else 0).astype(float)
    mass = mass[::-1] if scene.mirror and side < 2 else mass
    cut = out if side == 0 else 1 - out
    edge = float(np.interp(cut, np.cumsum(mass) / mass.sum(), np.arange(1, 55) / 54)) - 0.5  # of the box
    reach = scene.scale * source.aspect
    if side == 2:
        return replace(scene, y=1 - edge * reach)
    return replace(scene, x=(0.0 if side == 0 else 1.0) - edge * reach * HEIGHT / WIDTH)


def _subcategory(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, variant=True)


def _texture(scene: Scene, rng: np.random.Generator) -> Scene:
    others = [m for m in MATERIALS if m != MATERIAL_OF[category_of(scene.fine)]]
    return replace(scene, material=one_of(rng, others), material_strength=1.0)


def _darker(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, brightness=float(rng.uniform(0.32, 0.48)))


def _brighter(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, brightness=float(rng.uniform(1.8, 2.5)))


def _blocking(scene: Scene, rng: np.random.Generator, files: tuple[str, ...]) -> Scene:
    u, v = _centre_of_mass(scene)
    angle = rng.uniform(-0.35, np.pi + 0.35)  # beside or below, seldom above
    reach = scene.scale * rng.uniform(0.12, 0.24)
    return replace(
        scene,
        occluder=one_of(rng, files),
        occluder_scale=float(scene.scale * rng.uniform(0.5, 0.64)),
        occluder_x=float(scene.x + (scene.scale * u + reach * np.cos(angle)) * HEIGHT / WIDTH),
        occluder_y=float(scene.y + scene.scale * v + reach * np.sin(angle)),
    )


def _centre_of_mass(scene: Scene) -> tuple[float, float]:
    """Where the drawing is heaviest, from its box's centre, in units of the scene's scale."""
    drawing = drawings()[scene.fine]
    source = raster(drawing.file, 54, drawing.drop)
    mass = np.asarray(source.paint)[..., 3].astype(float)
    along = (np.arange(54) + 0.5) / 54 - 0.5
    u, v = (mass.sum(0) @ along / mass.sum(), mass.sum(1) @ along / mass.sum())
    return source.aspect * (-u if scene.mirror else u), source.aspect * v


def _object_blocking(scene: Scene, rng: np.random.Generator) -> Scene:
    return _blocking(scene, rng, OBJECT_OCCLUDERS)


def _person_blocking(scene: Scene, rng: np.random.Generator) -> Scene:
    return _blocking(scene, rng, PERSON_OCCLUDERS)


def _style(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, style=one_of(rng, TRAINED_STYLES))


def _multiple_objects(scene: Scene, rng: np.random.Generator) -> Scene:
    return replace(scene, others=neighbours(scene, rng, int(rng.integers(2, 4))))


def neighbours(scene: Scene, rng: np.random.Generator, number: int) -> tuple[tuple[int, float, float, float], ...]:
    """Places for `number` things of other categories around the main one, each 0.55 to 0.75 of its size."""
    pool = [i for i in range(N_FINE) if category_of(i) != scene.category]
    corners = rng.permutation([(0.17, 0.22), (0.83, 0.22), (0.15, 0.78), (0.85, 0.78)])[:number]
    return tuple(
        (int(rng.choice(pool)), float(x + rng.normal(0, 0.03)), float(y + rng.normal(0, 0.03)),
         float(scene.scale * rng.uniform(0.55, 0.75)))
        for x, y in corners
    )  # fmt: skip


_APPLY: dict[str, Callable[[Scene, np.random.Generator], Scene]] = {
    "pose": _pose, "background": _background, "pattern": _pattern, "color": _color, "smaller": _smaller,
    "shape": _shape, "partial_view": _partial_view, "subcategory": _subcategory, "texture": _texture,
    "larger": _larger, "darker": _darker, "object_blocking": _object_blocking,
    "person_blocking": _person_blocking, "style": _style, "brighter": _brighter, "multiple_objects": _multiple_objects,
}  # fmt: skip


def apply_factor(scene: Scene, factor: str, rng: np.random.Generator) -> Scene:
    """The scene with one of the sixteen factors on top; `top_factor` names it.

    Raises BookError for an unknown factor, and for "subcategory" where the class has no second drawing.

    >>> from helpers.demo.world import sample_scene, spawn
    >>> scene = apply_factor(sample_scene(spawn(0, "x", 0), fine=13), "darker", spawn(0, "x", 1))
    >>> scene.top_factor, scene.brightness < 0.5
    ('darker', True)
    """
    if factor not in _APPLY:
        raise BookError(f"factor {factor!r}", f"one of {', '.join(FACTORS)}", "correct the name")
    if factor == "subcategory" and drawings()[scene.fine].variant is None:
        name = drawings()[scene.fine].name
        raise BookError(f"class {name!r}", "a class with a second drawing", "choose one of `with_variant()`")
    return replace(_APPLY[factor](scene, rng), top_factor=factor)


def with_variant() -> tuple[int, ...]:
    """Fine classes that have a second drawing.

    >>> 8 in with_variant(), 4 in with_variant()
    (True, False)
    """
    return tuple(d.fine for d in drawings() if d.variant)
