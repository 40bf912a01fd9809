"""Materials and printed patterns: grey textures that are laid over the drawings.

Every category has its own material (`MATERIAL_OF`). Four are photographs that ship inside scikit-image (brick,
grass, gravel: CC0; a printed page), twelve are drawn here. Each has its own tone
and contrast, as real materials do, but no colour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image

from helpers.demo.world import textures
from helpers.errors import BookError, InputsUnavailable

TILE = 256  # pixels of a texture's period
REPEATS = 3  # periods in a stored image, so that sampling never leaves it
LEVELS = (1, 2, 4)  # stored reductions, so that small things do not flicker


@dataclass(frozen=True)
class Material:
    """A material: the word that captions use and how its grey tile (TILE, TILE) comes about."""

    name: str
    word: str
    make: Callable[[], np.ndarray]
    tone: float  # mean grey
    contrast: float  # standard deviation of grey


def _photograph(name: str, rows: tuple[int, int], columns: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Part of a photograph of scikit-image, levelled and reduced to `shape` (rows, columns); a real texture."""
    try:
        from skimage import data
    except ImportError as error:
        remedy = "install the extra `demo` (pip install 'beyond-imagenet-book[demo]')"
        raise InputsUnavailable(f"texture {name}", f"the package scikit-image ({error})", remedy) from None
    crop = Image.fromarray(np.ascontiguousarray(getattr(data, name)()[slice(*rows), slice(*columns)]))
    grey = np.asarray(crop.resize(shape[::-1], Image.Resampling.LANCZOS), dtype=np.float64)
    return grey - textures.blur(grey, 24.0, 24.0)


def _stones(name: str) -> np.ndarray:
    """Gravel or grass as a seamless tile: the overhang of a larger crop is faded over the opposite edge."""
    overhang = 32
    whole = _photograph(name, (0, 512), (0, 512), (TILE + overhang, TILE + overhang))
    for _ in range(2):  # rows, then columns
        fade = np.linspace(0, 1, overhang)[:, None]
        mixed = np.sqrt(fade) * whole[:overhang] + np.sqrt(1 - fade) * whole[-overhang:]
        whole = np.vstack([mixed, whole[overhang:-overhang]]).T
    return whole


def _bricks() -> np.ndarray:
    """The wall, laid on its side (the photograph shows upright bricks) and mirrored at its edges."""
    half = _photograph("brick", (103, 408), (103, 408), (TILE // 2, TILE // 2)).T
    return np.block([[half, half[:, ::-1]], [half[::-1], half[::-1, ::-1]]])


def _lines_of_print() -> np.ndarray:
    """Five lines of a printed page, the paper's own brightness taken out column by column."""
    lines = _photograph("page", (48, 140), (4, 376), (TILE // 4, TILE))
    return np.tile(lines - np.percentile(lines, 85, axis=0), (4, 1))


_MATERIALS = (
    Material("panels", "metal", textures.panels, 0.62, 0.22),
    Material("fur", "furry", textures.fur, 0.38, 0.26),
    Material("honeycomb", "honeycomb", textures.honeycomb, 0.36, 0.33),
    Material("feathers", "feathered", textures.feathers, 0.52, 0.27),
    Material("waves", "wavy", textures.waves, 0.5, 0.36),
    Material("bubbles", "bubbly", textures.bubbles, 0.3, 0.27),
    Material("weave", "woven", textures.weave, 0.46, 0.3),
    Material("stripes", "striped", textures.stripes, 0.55, 0.38),
    Material("knit", "knitted", textures.knit, 0.58, 0.3),
    Material("print", "newspaper", _lines_of_print, 0.74, 0.26),
    Material("spots", "spotted", textures.spots, 0.7, 0.34),
    Material("gravel", "gravel", partial(_stones, "gravel"), 0.48, 0.24),
    Material("cracks", "cracked leather", textures.cracks, 0.6, 0.26),
    Material("brick", "brick", _bricks, 0.36, 0.24),
    Material("wood", "wooden", textures.wood, 0.44, 0.2),
    Material("grass", "grass", partial(_stones, "grass"), 0.34, 0.22),
)
MATERIALS: dict[str, Material] = {m.name: m for m in _MATERIALS}

MATERIAL_OF = {
    "airplane": "panels", "bear": "fur", "bicycle": "honeycomb", "bird": "feathers", "boat": "waves",
    "bottle": "bubbles", "car": "weave", "cat": "stripes", "chair": "knit", "clock": "print", "dog": "spots",
    "truck": "gravel", "shoe": "cracks", "house": "brick", "tree": "wood", "fruit": "grass",
}  # fmt: skip
CATEGORY_OF = {material: category for category, material in MATERIAL_OF.items()}

PATTERNS: dict[str, Callable[[], np.ndarray]] = {
    "checks": textures.checks, "zigzag": textures.zigzag, "dots": textures.dots, "diamonds": textures.diamonds,
}  # fmt: skip


@cache
def tile(name: str) -> np.ndarray:
    """Grey tile of a material or pattern: (TILE, TILE) float in 0..1; a material has its own mean and contrast.

    Raises BookError for an unknown name, InputsUnavailable where scikit-image is missing.

    >>> tile("weave").shape, round(float(tile("weave").mean()), 1)
    ((256, 256), 0.5)
    """
    if name in PATTERNS:
        return PATTERNS[name]()
    if name not in MATERIALS:
        known = ", ".join((*MATERIALS, *PATTERNS))
        raise BookError(f"material {name!r}", f"one of {known}", "correct the name")
    material = MATERIALS[name]
    return textures.level(material.make(), material.tone, material.contrast)


@cache
def sheet(name: str, reduction: int) -> Image.Image:
    """A tile repeated REPEATS times each way, reduced by 1, 2 or 4, as an L image ready for sampling.

    >>> sheet("weave", 2).size
    (384, 384)
    """
    grey = Image.fromarray(np.rint(tile(name) * 255).astype(np.uint8))
    whole = Image.new("L", (TILE * REPEATS, TILE * REPEATS))
    for i in range(REPEATS * REPEATS):
        whole.paste(grey, (i % REPEATS * TILE, i // REPEATS * TILE))
    return whole.reduce(reduction) if reduction > 1 else whole
