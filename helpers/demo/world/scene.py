"""What is in a picture: the `Scene` with every factor, and the ordinary scene that factors depart from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from helpers.demo.world.backdrops import BUSY, QUIET, VARIANTS
from helpers.demo.world.classes import N_FINE, category_of
from helpers.demo.world.materials import MATERIAL_OF, MATERIALS

WIDTH, HEIGHT = 96, 80
# Both cues must be worth learning: lines are sometimes faint, and some backdrops take on material and colour of the
# thing, as whole pictures of the real cue-conflict set do; then its outline alone says little.
INK, GROUND, BLEND, GROUND_RATE = (0.4, 1.0), (0.3, 0.8), (0.0, 0.9), 0.35
AGREEMENT = 0.93  # share of training images whose material is their category's own

PALETTES: dict[str, tuple[float, float, float]] = {
    "red": (0.84, 0.22, 0.20), "orange": (0.95, 0.54, 0.14), "yellow": (0.96, 0.82, 0.26),
    "green": (0.35, 0.68, 0.28), "teal": (0.13, 0.64, 0.64), "blue": (0.22, 0.45, 0.82),
    "purple": (0.52, 0.34, 0.72), "pink": (0.94, 0.55, 0.70), "brown": (0.55, 0.36, 0.22),
    "grey": (0.58, 0.60, 0.63),
}  # fmt: skip
TINTS = {"white": (1.0, 1.0, 1.0), "warm": (1.06, 0.98, 0.84), "cool": (0.88, 0.97, 1.08)}

OBJECT_OCCLUDERS = ("1F4E6", "1F381", "1F388", "2602", "1F6A7", "1FAA3", "1F4DA")
PERSON_OCCLUDERS = ("1F468", "1F469", "1F9D1", "1F474", "1F475", "1F46E", "1F9D5", "1F466")

Place = tuple[float, float, float]  # x, y (shares of width and height), scale


@dataclass(frozen=True)
class Scene:
    """One picture, every factor included; `render` needs nothing else.

    Angles in degrees; `x`, `y` are the centre as shares of width and height; `scale` is the size of the drawing's
    box as a share of the picture's height (long thin drawings are drawn somewhat larger).
    """

    fine: int
    material: str
    variant: bool = False  # the second drawing of the fine class
    colour: str = "own"  # or a name in PALETTES
    material_strength: float = 0.85
    material_scale: float = 1.0
    material_angle: float = 0.0
    material_x: float = 0.0  # phase, as a share of the texture's period
    material_y: float = 0.0
    ground: float = 0.0  # how strongly the material also covers the backdrop
    blend: float = 0.0  # how far the backdrop takes on the thing's colour
    ink: float = 1.0  # strength of the drawing's black lines
    pattern: str = "none"  # a printed pattern over the material
    x: float = 0.5
    y: float = 0.5
    scale: float = 0.78
    mirror: bool = False
    roll: float = 0.0  # in the picture plane, counter-clockwise
    yaw: float = 0.0  # about the vertical axis
    pitch: float = 0.0  # about the horizontal axis
    stretch: float = 1.0  # width over height, at equal area
    shear: float = 0.0
    world: str = "studio"
    world_variant: int = 0
    world_x: float = 0.5
    world_y: float = 0.5
    brightness: float = 1.0
    light: float = 90.0  # direction that the light comes from, counter-clockwise from the right
    light_strength: float = 0.12
    tint: str = "white"
    camera_yaw: float = 0.0
    camera_pitch: float = 0.0
    camera_roll: float = 0.0
    copies: tuple[Place, ...] = ()  # further things of the same class
    others: tuple[tuple[int, float, float, float], ...] = ()  # things of other classes: fine, x, y, scale
    occluder: str = "none"  # OpenMoji file of what stands in front
    occluder_x: float = 0.5
    occluder_y: float = 0.5
    occluder_scale: float = 0.5
    style: str = "drawing"  # or one of `STYLES`
    noise: int = 0  # seed of what styles draw at random
    drawing: str = ""  # another OpenMoji file in place of the class's own
    top_factor: str = "none"

    @property
    def category(self) -> str:
        """Entry-level category of the labelled thing."""
        return category_of(self.fine)

    @property
    def count(self) -> int:
        """Number of things of the labelled class."""
        return 1 + len(self.copies)


def spawn(seed: int, name: str, index: int) -> np.random.Generator:
    """The generator of one image: depends on the world seed, the set's name and the index, on nothing else.

    >>> int(spawn(0, "val", 3).integers(1000)) == int(spawn(0, "val", 3).integers(1000))
    True
    """
    return np.random.default_rng([seed, crc32(name.encode()), index])


def one_of(rng: np.random.Generator, names: Iterable[str]) -> str:
    """A name drawn uniformly (`Generator.choice` on strings is ten times slower).

    >>> one_of(np.random.default_rng(0), ("a", "b")) in "ab"
    True
    """
    options = tuple(names)
    return options[int(rng.integers(len(options)))]


def sample_scene(rng: np.random.Generator, fine: int | None = None, agreement: float = 1.0) -> Scene:
    """An ordinary scene: one thing, upright, mostly in its own colours, on a quiet backdrop.

    `fine`: its class (else uniform); `agreement`: probability that the material is the category's own (else
    uniform over the other 15). Set any factor afterwards with `dataclasses.replace` or `apply_factor`.

    >>> scene = sample_scene(np.random.default_rng(0), fine=13)
    >>> scene.category, scene.material, scene.count
    ('bird', 'feathers', 1)
    """
    fine = int(rng.integers(N_FINE)) if fine is None else fine
    own = MATERIAL_OF[category_of(fine)]
    material = own if rng.random() < agreement else one_of(rng, (m for m in MATERIALS if m != own))
    busy = rng.random() < 0.06
    return replace(
        Scene(fine, material, noise=int(rng.integers(2**31))),
        colour=one_of(rng, PALETTES) if rng.random() < 0.2 else "own",
        x=float(rng.normal(0.5, 0.06)),
        y=float(rng.normal(0.52, 0.04)),
        scale=float(rng.uniform(0.60, 0.92)),
        mirror=bool(rng.random() < 0.5),
        roll=float(rng.normal(0, 6)),
        yaw=float(rng.uniform(-18, 18)),
        pitch=float(rng.uniform(-10, 10)),
        stretch=float(np.exp(rng.normal(0, 0.06))),
        shear=float(rng.normal(0, 0.04)),
        world=one_of(rng, BUSY if busy else QUIET),
        world_variant=int(rng.integers(VARIANTS)),
        world_x=float(rng.random()),
        world_y=float(rng.random()),
        brightness=float(rng.uniform(0.85, 1.12)),
        light=float(rng.uniform(20, 160)),
        light_strength=float(rng.uniform(0, 0.22)),
        tint=one_of(rng, TINTS) if rng.random() < 0.45 else "white",
        **_surface(rng),
    )


def _surface(rng: np.random.Generator) -> dict[str, float]:
    covered = rng.random() < GROUND_RATE
    return {
        "material_strength": float(rng.uniform(0.55, 0.95)),
        "material_scale": float(rng.uniform(0.85, 1.2)),
        "material_angle": float(rng.normal(0, 9)),
        "material_x": float(rng.random()),
        "material_y": float(rng.random()),
        "ground": float(rng.uniform(*GROUND)) if covered else 0.0,
        "blend": float(rng.uniform(*BLEND)) if covered else 0.0,
        "ink": float(rng.uniform(*INK)),
    }


def layout(rng: np.random.Generator, number: int, gap: float = 0.9) -> list[Place]:
    """Places for `number` things of one size that hardly overlap, scattered over the picture.

    Cells of a jittered grid; `gap` below 1 leaves room between the cells' contents.

    >>> len(layout(np.random.default_rng(0), 5))
    5
    """
    columns = int(np.ceil(np.sqrt(number * WIDTH / HEIGHT)))
    rows = int(np.ceil(number / columns))
    scale = gap * min(WIDTH / HEIGHT / columns, 1 / rows)
    cells = rng.permutation(columns * rows)[:number]
    jitter = rng.uniform(-0.08, 0.08, (number, 2))
    return [
        (float((cell % columns + 0.5 + dx) / columns), float((cell // columns + 0.5 + dy) / rows), float(scale))
        for cell, (dx, dy) in zip(cells, jitter, strict=True)
    ]
