"""Captions composed from a scene's factors, and prompts for the classes, in a vocabulary of some 200 words.

A caption always names the class (or, one time in five, its category). It may name material, colour, printed pattern,
world, darkness or glare, rendition and what stands in front. It never names count, position, orientation or distance
(size), nor neighbours, shape, camera or the second drawing: what a model knows of those it did not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from helpers.demo.world.classes import categories, class_names
from helpers.demo.world.materials import MATERIALS
from helpers.demo.world.scene import PALETTES, Scene, one_of

NAMED = ("fine", "category", "material", "colour", "pattern", "world", "brightness", "style", "occluder")
NEVER_NAMED = ("count", "position", "orientation", "distance")

_WORLD_WORDS = {
    "studio": ("in a studio", "on a plain background"), "sky": ("in the sky", "among clouds"),
    "meadow": ("in a meadow", "on green hills"), "beach": ("on a beach", "by the sea"),
    "snow": ("in the snow", "in winter"), "forest": ("in a forest", "between trunks"),
    "room": ("in a room", "indoors"), "dusk": ("at dusk", "at sunset"),
    "confetti": ("with confetti", "on confetti"), "collage": ("on coloured paper", "on paper scraps"),
    "sunburst": ("on coloured rays", "on a sunburst"), "city": ("in a city at night", "in front of lit windows"),
    "white": ("on white",),
}  # fmt: skip
_PATTERN_WORDS = {"checks": "checked", "zigzag": "zigzag", "dots": "dotted", "diamonds": "diamond patterned"}
_PLAIN = ("a drawing of", "a picture of", "an image of", "an icon of", "")
_STYLE_WORDS = {
    "outline": "an outline of", "silhouette": "a silhouette of", "mosaic": "a mosaic of", "negative": "a negative of",
    "hatching": "a pen hatching of", "halftone": "a halftone print of", "watercolour": "a watercolour of",
    "stained_glass": "stained glass showing", "embroidery": "an embroidery of", "neon": "a neon sign of",
}  # fmt: skip
_THINGS = {
    "1F4E6": "a box", "1F381": "a gift", "1F388": "a balloon", "2602": "an umbrella", "1F6A7": "a barrier",
    "1FAA3": "a bucket", "1F4DA": "books",
}  # fmt: skip
_DARK, _GLARE = ("in the dark", "in dim light"), ("in glaring light", "overexposed")

PROMPT_TEMPLATES = (
    "a drawing of {}", "a picture of {}", "an image of {}", "an icon of {}", "{}", "a watercolour of {}",
    "{} in a studio", "{} in a room", "{} in a meadow",
)  # fmt: skip


def with_article(noun: str) -> str:
    """A noun with its indefinite article.

    >>> with_article("owl"), with_article("grapes"), with_article("jet")
    ('an owl', 'grapes', 'a jet')
    """
    if noun == "grapes":
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption in lower case, without punctuation; the factors it names are drawn at random.

    >>> from helpers.demo.world import Scene
    >>> caption(Scene(fine=14, material="feathers", colour="red"), np.random.default_rng(0))
    'a drawing of a red feathered owl'
    """
    noun = scene.category if rng.random() < 0.2 else class_names()[scene.fine]
    thing = with_article(" ".join([*_adjectives(scene, rng), noun]))
    kind = _STYLE_WORDS[scene.style] if scene.style != "drawing" else one_of(rng, _PLAIN)
    return " ".join(part for part in (kind, thing, *_circumstances(scene, rng)) if part)


def _adjectives(scene: Scene, rng: np.random.Generator) -> list[str]:
    named = [scene.colour] if scene.colour != "own" and rng.random() < 0.7 else []
    if scene.pattern != "none" and rng.random() < 0.7:
        named.append(_PATTERN_WORDS[scene.pattern])
    if rng.random() < 0.4:
        named.append(MATERIALS[scene.material].word)
    return named


def _circumstances(scene: Scene, rng: np.random.Generator) -> list[str]:
    named = []
    if scene.occluder != "none" and rng.random() < 0.7:
        named.append(f"behind {_THINGS.get(scene.occluder, 'a person')}")
    if rng.random() < 0.6:
        named.append(one_of(rng, _WORLD_WORDS[scene.world]))
    if scene.brightness < 0.6 and rng.random() < 0.7:
        named.append(one_of(rng, _DARK))
    if scene.brightness > 1.6 and rng.random() < 0.7:
        named.append(one_of(rng, _GLARE))
    return named


def world_words() -> dict[str, str]:
    """What captions call each world first.

    >>> world_words()["snow"]
    'in the snow'
    """
    return {world: words[0] for world, words in _WORLD_WORDS.items()}


def prompts(names: Iterable[str] | None = None, templates: Iterable[str] = PROMPT_TEMPLATES) -> list[list[str]]:
    """Zero-shot prompts: one list per class (default: the 64 class names), one prompt per template.

    >>> prompts(["owl"])[0][:2]
    ['a drawing of an owl', 'a picture of an owl']
    """
    chosen = class_names() if names is None else tuple(names)
    return [[template.format(with_article(name)) for template in templates] for name in chosen]


def vocabulary() -> tuple[str, ...]:
    """Every word that a caption or prompt can hold, sorted.

    >>> 100 < len(vocabulary()) < 300
    True
    """
    phrases = [
        *class_names(), *categories(), *PALETTES, *_PATTERN_WORDS.values(), *_PLAIN, *_STYLE_WORDS.values(),
        *_THINGS.values(), *_DARK, *_GLARE, *PROMPT_TEMPLATES, *(m.word for m in MATERIALS.values()),
        *(words for options in _WORLD_WORDS.values() for words in options), "a an behind a person",
    ]  # fmt: skip
    return tuple(sorted(set(re.findall("[a-z]+", " ".join(phrases)))))
