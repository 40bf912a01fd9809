"""Sets of the drawn world: which scene stands behind image i of a set.

Image i depends on (seed, set name, i) alone: a set can be read in any order, in parts, or on several machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from helpers.demo.world import exemplars, posed, robust_sets, sketches
from helpers.demo.world.classes import N_FINE, RENDITION_CLASSES, category_indices
from helpers.demo.world.rendering import render
from helpers.demo.world.scene import AGREEMENT, Scene, one_of, sample_scene, spawn
from helpers.demo.world.schedule import factor_scene, slots
from helpers.demo.world.styles import STYLES
from helpers.demo.world.top_factors import apply_factor, with_variant
from helpers.errors import BookError

FACTOR_RATE = 0.7  # share of training images with one of the sixteen factors


@dataclass(frozen=True)
class Item:
    """One image: uint8 array (80, 96, 3), fine-class index, id, and every factor by name."""

    image: np.ndarray
    label: int
    image_id: str
    factors: dict


@dataclass(frozen=True)
class DemoSet:
    """A set as a sequence: `len(s)`, `s[i]` (an Item, rendered on demand), iteration, `s.scene(i)`, `s.image_id(i)`."""

    name: str
    n: int
    seed: int

    def __len__(self) -> int:
        return self.n

    def scene(self, index: int) -> Scene:
        """The scene of image `index`. Raises IndexError outside the set."""
        if not 0 <= index < self.n:
            raise IndexError(f"{self.name} has {self.n} images; there is no image {index}")
        return SETS[self.name].scene(self.seed, index)

    def image_id(self, index: int) -> str:
        """Id of image `index`, unique within the set."""
        return SETS[self.name].image_id(index)

    def pixels(self, index: int) -> np.ndarray:
        """Image `index`: uint8 array (80, 96, 3)."""
        alter, scene = SETS[self.name].alter, self.scene(index)
        return alter(_kept(scene), self.seed, index) if alter else render(scene)

    def __getitem__(self, index: int) -> Item:
        scene = self.scene(index)
        return Item(self.pixels(index), scene.fine, self.image_id(index), factors(scene))

    def __iter__(self) -> Iterator[Item]:
        return (self[index] for index in range(self.n))


@lru_cache(maxsize=128)  # the 100 sources of `c` are drawn once, not once for each of 75 conditions
def _kept(scene: Scene) -> np.ndarray:
    image = render(scene)
    image.setflags(write=False)
    return image


def own_label(scene: Scene) -> tuple[int, ...]:
    """The fine class of the main thing, the only right answer of most sets.

    >>> own_label(Scene(fine=13, material="feathers"))
    (13,)
    """
    return (scene.fine,)


@dataclass(frozen=True)
class SetSpec:
    """How a set is made: (seed, index) -> scene, index -> id, its usual size and seed, the most it can have.

    `labels`: the fine classes that are right; `group`: what accuracy is told by, None where there are no groups;
    `columns`: further facts of image `index` by name (the unit of resampling, levels ...); `alter`: what is done to the
    pixels after rendering, (pixels, seed, index) -> pixels (corruptions).
    """

    scene: Callable[[int, int], Scene]
    image_id: Callable[[int], str]
    n: int
    seed: int
    most: int | None = None
    labels: Callable[[Scene], tuple[int, ...]] = own_label
    group: Callable[[Scene], str] | None = None
    columns: Callable[[Scene, int], dict[str, str]] | None = None
    alter: Callable[[np.ndarray, int, int], np.ndarray] | None = None


def training_scene(seed: int, index: int) -> Scene:
    """A training scene: the material agrees in 93 %, and 70 % of the images have one factor, as often as in `val`."""
    rng = spawn(seed, "train", index)
    factor = one_of(rng, slots()) if rng.random() < FACTOR_RATE else None
    fine = int(rng.integers(N_FINE))
    scene = sample_scene(rng, fine, agreement=AGREEMENT)
    if factor is None or (factor == "subcategory" and fine not in with_variant()):
        return scene
    return apply_factor(scene, factor, rng)


def tuning_scene(seed: int, index: int) -> Scene:
    """A scene of the split that checkpoints and settings are chosen on: like `validation_scene`, drawn apart."""
    return factor_scene("tune", seed, index)


def validation_scene(seed: int, index: int) -> Scene:
    """A scene of `val`: exactly one top factor, the material its category's own (but for the factor "texture")."""
    return factor_scene("val", seed, index)


def sweep_scene(seed: int, index: int) -> Scene:
    """A scene of `sweep`, on which views are tried: like `validation_scene`, drawn apart."""
    return factor_scene("sweep", seed, index)


def rendition_scene(seed: int, index: int) -> Scene:
    """A scene of `r`: an ordinary scene of one of 48 classes, in each of the ten renditions equally often."""
    rng = spawn(seed, "r", index)
    names = list(STYLES)
    style = names[int(spawn(seed, "r/styles", index // len(names)).permutation(len(names))[index % len(names)])]
    order = spawn(seed, "r/classes", index // len(RENDITION_CLASSES)).permutation(RENDITION_CLASSES)
    scene = sample_scene(rng, int(order[index % len(RENDITION_CLASSES)]))
    return replace(scene, style=style, ground=0.0, blend=0.0, ink=1.0, top_factor="style")


def _numbered(name: str) -> Callable[[int], str]:
    return lambda index: f"{name}_{index:05d}.png"


def _top_factor(scene: Scene) -> str:
    return scene.top_factor


def _style(scene: Scene) -> str:
    return scene.style


def _category(scene: Scene) -> tuple[int, ...]:
    return tuple(category_indices()[scene.category])


def _cues(scene: Scene, index: int) -> dict[str, str]:
    return {name: found[0] for name, found in exemplars.exemplar_columns([exemplars.image_id(index)]).items()}


SETS: dict[str, SetSpec] = {
    "train": SetSpec(training_scene, _numbered("train"), 16_000, 1),
    "tune": SetSpec(tuning_scene, _numbered("tune"), 5_000, 2),
    "val": SetSpec(validation_scene, _numbered("val"), 2_000, 3, group=_top_factor),
    "cue_conflict": SetSpec(
        exemplars.conflict_scene, exemplars.image_id, 1_280, 4, 1_280, labels=_category, columns=_cues
    ),
    "r": SetSpec(rendition_scene, _numbered("r"), 1_000, 5, group=_style),
    "v2": SetSpec(robust_sets.fresh_scene, _numbered("v2"), 1_000, 11, group=_top_factor),
    "sketch": SetSpec(
        sketches.sketch_scene, _numbered("sketch"), 500, 12, columns=sketches.sketch_columns, alter=sketches.sketched
    ),
    "c": SetSpec(
        robust_sets.source_scene, robust_sets.corrupted_id, 7_500, 3, 7_500, columns=robust_sets.corrupted_columns,
        alter=robust_sets.corrupted,
    ),
    "hard": SetSpec(
        robust_sets.hard_scene, _numbered("hard"), 500, 13, labels=robust_sets.hard_labels,
        group=robust_sets.number_of_factors,
    ),
    "pool": SetSpec(robust_sets.pool_scene, _numbered("pool"), 6_000, 14),
    "a_convnet": SetSpec(robust_sets.convnet_scene, robust_sets.convnet_id, 500, 14, 500, group=_top_factor),
    "pug": SetSpec(
        posed.scene, posed.image_id, posed.n_images(), 6, posed.n_images(), labels=posed.labels, group=posed.factor,
        columns=posed.columns,
    ),
    "sweep": SetSpec(sweep_scene, _numbered("sweep"), 400, 7, group=_top_factor),
}  # fmt: skip


def demo_set(name: str, n: int | None = None, seed: int | None = None) -> DemoSet:
    """A set of the drawn world, by name; images are rendered when asked for.

    `name`: a key of SETS (train, tune, val, cue_conflict, r, ...); `n`: images (default: the set's usual size);
    `seed`: world seed (default: the set's own, so that no two sets share scenes, but for `c`, made from `val`'s).
    Raises BookError for an unknown name or more images than the set can have.

    >>> items = demo_set("val", n=4)
    >>> len(items), items[2].image.shape, items[2].image_id
    (4, (80, 96, 3), 'val_00002.png')
    """
    if name not in SETS:
        raise BookError(f"drawn set {name!r}", f"one of {', '.join(SETS)}", "correct the name")
    spec = SETS[name]
    size = spec.n if n is None else n
    if size < 0 or (spec.most is not None and size > spec.most):
        raise BookError(f"drawn set {name!r}", f"0 to {spec.most} images, found {size}", "ask for fewer")
    return DemoSet(name, size, spec.seed if seed is None else seed)


def factors(scene: Scene) -> dict:
    """Every factor of a scene by name, with its category and the number of things of its class.

    >>> found = factors(Scene(fine=13, material="feathers"))
    >>> found["category"], found["count"], found["occluder"]
    ('bird', 1, 'none')
    """
    return {**vars(scene), "category": scene.category, "count": scene.count}
