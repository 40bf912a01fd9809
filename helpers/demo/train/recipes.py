"""How each twin is trained, as data; settings are chosen on the tuning split, whose world seed is its own."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.errors import BookError

WORLD_SEEDS = {"train": 1, "tune": 2, "val": 3, "cue_conflict": 4}
TUNE_IMAGES = 3000
CAPTIONS_PER_IMAGE = 6


@dataclass(frozen=True)
class Recipe:
    """One training: `epochs` passes over `images` rendered pictures in batches of `batch`.

    The learning rate rises over `warmup` steps to `rate`, stays there, and falls to zero over the last `cooldown`
    of all steps. `precision` is that of the forward pass ("fp32" or "bf16").
    """

    model: str
    epochs: float
    rate: float
    images: int = 32_000
    batch: int = 128
    warmup: int = 150
    cooldown: float = 0.35
    weight_decay: float = 0.05
    smoothing: float = 0.1
    clip_norm: float = 1.0
    precision: str = "fp32"

    @property
    def steps(self) -> int:
        """Number of steps of the whole training."""
        return round(self.epochs * self.images / self.batch)

    @property
    def contrastive(self) -> bool:
        """Whether it learns from captions (CLIP) instead of classes."""
        return self.model.endswith("_clip")


RECIPES: dict[str, Recipe] = {
    "twin_convnext_sup": Recipe("twin_convnext_sup", epochs=3.9, rate=2e-3),
    "twin_vit_sup": Recipe("twin_vit_sup", epochs=8, rate=1e-3, batch=64),
    "twin_convnext_clip": Recipe("twin_convnext_clip", epochs=15, rate=2e-3),
    "twin_vit_clip": Recipe("twin_vit_clip", epochs=16, rate=1e-3),
}


def recipe(model: str) -> Recipe:
    """The recipe of a twin. Raises BookError for another model.

    >>> recipe("twin_vit_clip").contrastive
    True
    """
    if model not in RECIPES:
        raise BookError(f"model {model!r}", f"one of {', '.join(RECIPES)}", "choose one of them")
    return RECIPES[model]


def learning_rate(recipe: Recipe, step: int) -> float:
    """Learning rate of a step: a trapezoid, so that a training can be prolonged from any step before its descent.

    >>> toy = Recipe("twin_vit_sup", epochs=1, rate=1.0, images=1000, batch=10, warmup=10, cooldown=0.5)
    >>> [round(learning_rate(toy, step), 2) for step in (0, 9, 40, 75, 99)]
    [0.1, 1.0, 1.0, 0.5, 0.02]
    """
    rise = min(1.0, (step + 1) / recipe.warmup) if recipe.warmup else 1.0
    length = max(1, round(recipe.cooldown * recipe.steps))
    fall = min(1.0, (recipe.steps - step) / length)
    return recipe.rate * min(rise, fall)
