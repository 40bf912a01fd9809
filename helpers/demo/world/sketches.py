"""The counterpart of ImageNet-Sketch: line drawings in three hands, without colour, material or backdrop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from helpers.demo.world.classes import N_FINE
from helpers.demo.world.scene import Scene, sample_scene, spawn

_PAPER, _INK = 0.965, 0.13  # mean grey of paper and ink of the rendition "outline"


def sketch_scene(seed: int, index: int) -> Scene:
    """A scene of `sketch`: an ordinary scene as an outline, in even light."""
    fine = int(spawn(seed, "sketch/classes", index // N_FINE).permutation(N_FINE)[index % N_FINE])
    scene = sample_scene(spawn(seed, "sketch", index), fine)
    return replace(
        scene, style="outline", ground=0.0, blend=0.0, ink=1.0, brightness=1.0, light_strength=0.0, tint="white",
        top_factor="style",
    )  # fmt: skip


def hand(index: int) -> str:
    """The hand that drew image `index`: each equally often.

    >>> [hand(index) for index in range(4)]
    ['pencil', 'brush', 'charcoal', 'pencil']
    """
    return tuple(HANDS)[index % len(HANDS)]


def sketch_columns(scene: Scene, index: int) -> dict[str, str]:
    """`group`: the hand."""
    return {"group": hand(index)}


def sketched(pixels: np.ndarray, seed: int, index: int) -> np.ndarray:
    """The outline as a sketch by the hand of image `index`: uint8 (80, 96, 3), grey."""
    lines = np.clip((_PAPER - pixels.mean(-1) / 255) / (_PAPER - _INK), 0, 1).astype(np.float32)
    rng = spawn(seed, "sketch/hand", index)
    dark = HANDS[hand(index)](_unsteady(lines, rng), rng)
    grey = np.rint(255 * np.clip(0.97 - 0.9 * dark, 0, 1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _unsteady(lines: np.ndarray, rng: np.random.Generator, reach: float = 1.0) -> np.ndarray:
    """Lines that waver by about a pixel, as a hand draws them."""
    waves = np.stack([gaussian_filter(rng.standard_normal(lines.shape), 4.0) for _ in range(2)])
    waves *= reach / waves.std()
    return map_coordinates(lines, np.mgrid[: lines.shape[0], : lines.shape[1]] + waves, order=1, mode="nearest")


def _grain(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> np.ndarray:
    """Rough paper: values around 0 with a standard deviation of 1."""
    grain = gaussian_filter(rng.standard_normal(shape), size)
    return grain / grain.std()


def _pencil(lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thin grey strokes, drawn twice, not quite in the same place."""
    again = _unsteady(lines, rng, 0.9)
    strokes = np.maximum(0.75 * lines**1.5, 0.5 * again**1.5)
    return strokes * (1 + 0.25 * _grain(lines.shape, rng, 0.6))


def _brush(lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Broad black strokes of changing width."""
    broad = gaussian_filter(maximum_filter(lines, size=2), 0.5)
    pressure = 0.5 + 0.16 * _grain(lines.shape, rng, 7.0)
    return np.clip((broad - np.clip(0.75 - pressure, 0.1, 0.5)) * 3, 0, 1)


def _charcoal(lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Crumbling soft strokes with smudges beside them."""
    soft = gaussian_filter(maximum_filter(lines, size=2), 0.7)
    smudge = gaussian_filter(lines, (1.5, 5.0))
    crumbs = np.clip(0.85 + 0.4 * _grain(lines.shape, rng, 0.5), 0, 1.2)
    return 0.85 * soft * crumbs + 0.45 * smudge


HANDS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "pencil": _pencil, "brush": _brush, "charcoal": _charcoal,
}  # fmt: skip
