"""The set `pug`: rendered scenes in which one thing at a time is changed by a known amount, as in PUG: ImageNet.

Each class of the set has one asset, which stands upright in a studio; every image departs from that in one factor. The
class map (`helpers/data/demo_class_map.csv`) has the traps of the published one: some classes are several fine
classes, some fine classes are no class of the set (the tabby cat), and two classes share an index.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache

from helpers import paths
from helpers.demo.world.classes import category_of
from helpers.demo.world.materials import MATERIAL_OF
from helpers.demo.world.scene import Scene, sample_scene, spawn
from helpers.errors import BookError

DEFAULT = "studio"
SHARED = ("Ice Skate", "Roller Skate")  # the second drawing of the fine class "skate" is an ice skate
# Factor (a folder of PUG) -> field of the scene and its levels, in the order of the images of an asset.
LEVELS: dict[str, tuple[str, tuple]] = {
    "Worlds": ("world", (DEFAULT, "meadow", "forest", "city")),
    "Camera_Yaw": ("camera_yaw", (15.0, 24.0, 32.0)),
    "Camera_Pitch": ("camera_pitch", (20.0, 35.0)),
    "Camera_Roll": ("camera_roll", (45.0, 90.0, 180.0)),
    "Object_Yaw": ("yaw", (30.0, 50.0, 62.0)),
    "Object_Pitch": ("pitch", (35.0, 60.0)),
    "Object_Roll": ("roll", (45.0, 90.0, 180.0)),
    "Object_Scale": ("scale", (0.3, 0.45, 1.3)),
    "Object_Texture": ("material", ("wood", "stripes")),
    "Scene_Light": ("brightness", (0.5, 0.25)),
}
PLAN = tuple((factor, level) for factor, (_, levels) in LEVELS.items() for level in levels)


@cache
def class_map() -> dict[str, tuple[int, ...]]:
    """The classes of the set by name, with their fine classes.

    >>> class_map()["Cat"], class_map()["Ice Skate"] == class_map()["Roller Skate"]
    ((29,), True)
    """
    with paths.reference("demo_class_map.csv").open(encoding="utf-8", newline="") as lines:
        found = {row["class"]: tuple(map(int, row["indices"].split())) for row in csv.DictReader(lines)}
    if list(found) != sorted(found) or found[SHARED[0]] != found[SHARED[1]]:
        raise BookError("demo_class_map.csv", "classes in order, two of which share an index", "restore the file")
    return found


def n_images() -> int:
    """Number of images: each asset once under each level.

    >>> n_images() == len(class_map()) * len(PLAN)
    True
    """
    return len(class_map()) * len(PLAN)


def place_of(index: int) -> tuple[str, str, object]:
    """Class, factor and level of an image.

    >>> place_of(0)
    ('Airplane', 'Worlds', 'studio')
    """
    name = list(class_map())[index // len(PLAN)]
    return name, *PLAN[index % len(PLAN)]


def image_id(index: int) -> str:
    """Factor, class and level, as PUG's folders have them.

    >>> image_id(27)
    'Worlds/Alarm Clock/studio.png'
    """
    name, factor, level = place_of(index)
    return f"{factor}/{name}/{_written(level)}.png"


def asset_scene(seed: int, name: str) -> Scene:
    """The asset of a class as the set shows it by default: upright, in its own colours and material, in the studio."""
    position = list(class_map()).index(name)
    scene = sample_scene(spawn(seed, "pug/assets", position), class_map()[name][0])
    upright = {"roll": 0.0, "yaw": 0.0, "pitch": 0.0, "stretch": 1.0, "shear": 0.0, "x": 0.5, "y": 0.52}
    plain = {"world": DEFAULT, "world_variant": 0, "world_x": 0.5, "world_y": 0.5, "ground": 0.0, "blend": 0.0}
    lit = {"brightness": 1.0, "light": 90.0, "light_strength": 0.12, "tint": "white", "ink": 1.0}
    own = {"colour": "own", "material": MATERIAL_OF[category_of(scene.fine)], "material_strength": 0.6}
    return replace(scene, variant=name == SHARED[0], scale=0.78, **upright, **plain, **lit, **own)


def scene(seed: int, index: int) -> Scene:
    """The scene of image `index`: its asset with one factor changed; `top_factor` names the factor."""
    name, factor, level = place_of(index)
    field = LEVELS[factor][0]
    # What is laid over a thing is told from its own material by covering it more fully.
    more = {"material_strength": 1.0} if factor == "Object_Texture" else {}
    return replace(asset_scene(seed, name), top_factor=factor, **{field: level}, **more)


def factor(scene: Scene) -> str:
    """The factor of a scene, by the name of PUG's folder."""
    return scene.top_factor


def columns(scene: Scene, index: int) -> dict[str, str]:
    """What is known of image `index` beside its factor: asset, background and level.

    >>> columns(Scene(fine=29, material="stripes"), 4)
    {'asset': 'Airplane', 'background': 'studio', 'level': '15'}
    """
    name, _, level = place_of(index)
    return {"asset": name, "background": scene.world, "level": _written(level)}


def labels(scene: Scene) -> tuple[int, ...]:
    """What is right by the paper's rule: the fine classes of the class, none where a later class shares its only one.

    >>> labels(Scene(fine=51, material="cracks", variant=True)), labels(Scene(fine=24, material="weave"))
    ((), (24, 26))
    """
    if scene.fine == class_map()[SHARED[0]][0]:
        return () if scene.variant else class_map()[SHARED[1]]
    return next(indices for indices in class_map().values() if scene.fine in indices)


def _written(level: object) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)
