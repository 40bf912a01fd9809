"""Renditions: the same scene as an outline, a mosaic, a negative and so on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from helpers.demo.world.layers import Painted
from helpers.demo.world.scene import HEIGHT, PALETTES, WIDTH, Scene

_X, _Y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_PAPER = np.array([0.975, 0.965, 0.94], dtype=np.float32)
_INK = np.array([0.13, 0.13, 0.17], dtype=np.float32)
_CREAMS = np.array([[0.97, 0.95, 0.90], [0.90, 0.95, 0.97], [0.96, 0.90, 0.90], [0.92, 0.96, 0.90]], dtype=np.float32)


def _mix(below: np.ndarray, above: np.ndarray, cover: np.ndarray) -> np.ndarray:
    return below + (above - below) * np.clip(cover, 0, 1)[..., None]


def _blurred(values: np.ndarray, radius: float) -> np.ndarray:
    picture = Image.fromarray(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def _contour(mask: np.ndarray) -> np.ndarray:
    down, right = np.zeros_like(mask), np.zeros_like(mask)
    down[1:], right[:, 1:] = np.abs(np.diff(mask, axis=0)), np.abs(np.diff(mask, axis=1))
    return np.maximum(down, right)


def _ink(painted: Painted) -> np.ndarray:
    """Line work of the main thing, where nothing hides it."""
    return painted.main.line * painted.visible


def _colour(scene: Scene) -> np.ndarray:
    names = list(PALETTES)
    name = scene.colour if scene.colour != "own" else names[scene.noise % len(names)]
    return np.array(PALETTES[name], dtype=np.float32)


def outline(painted: Painted, scene: Scene) -> np.ndarray:
    """Ink lines on paper, without colour or material."""
    return _mix(np.broadcast_to(_PAPER, (HEIGHT, WIDTH, 3)), _INK, 1.1 * _ink(painted))


def silhouette(painted: Painted, scene: Scene) -> np.ndarray:
    """One flat dark shape on pale paper."""
    paper = _CREAMS[scene.noise % len(_CREAMS)]
    return _mix(np.broadcast_to(paper, (HEIGHT, WIDTH, 3)), _INK, painted.visible)


def mosaic(painted: Painted, scene: Scene) -> np.ndarray:
    """Square tiles of 4 pixels with pale joints."""
    joint = np.maximum(_X % 4 < 1, _Y % 4 < 1) * np.float32(0.45)
    return _mix(_blocks(painted.image), _PAPER, joint)


def _blocks(image: np.ndarray) -> np.ndarray:
    means = image.reshape(HEIGHT // 4, 4, WIDTH // 4, 4, 3).mean((1, 3))
    return means.repeat(4, 0).repeat(4, 1)


def negative(painted: Painted, scene: Scene) -> np.ndarray:
    """A photographic negative."""
    return 1 - np.clip(painted.image, 0, 1)


def hatching(painted: Painted, scene: Scene) -> np.ndarray:
    """Pen strokes: more directions where the thing is darker."""
    dark = (1 - painted.image @ _GREY) * painted.visible
    strokes = np.zeros_like(dark)
    for level, along in ((0.22, _X + _Y), (0.45, _X - _Y), (0.66, _Y * 1.4)):
        line = np.clip(1.25 - np.abs((along % 4) - 2) * 0.9, 0, 1)
        strokes = np.maximum(strokes, line * np.clip((dark - level) * 12, 0, 1))
    return _mix(np.broadcast_to(_PAPER, (HEIGHT, WIDTH, 3)), _INK, np.maximum(0.85 * strokes, _ink(painted)))


def halftone(painted: Painted, scene: Scene) -> np.ndarray:
    """A newspaper raster: dots that grow with darkness, one ink."""
    u, v = (_X + _Y) * np.float32(0.7071), (_X - _Y) * np.float32(0.7071)
    distance = np.hypot((u % 3.6) - 1.8, (v % 3.6) - 1.8)
    dark = 1 - _blurred(painted.image, 0.6) @ _GREY
    cover = np.clip((2.5 * np.sqrt(np.clip(dark, 0, 1)) - distance) * 1.5, 0, 1)
    return _mix(np.broadcast_to(_PAPER, (HEIGHT, WIDTH, 3)), 0.55 * _colour(scene), cover)


def watercolour(painted: Painted, scene: Scene) -> np.ndarray:
    """Soft blots of colour with darker rims on paper."""
    picture = Image.fromarray(np.rint(np.clip(painted.image, 0, 1) * 255).astype(np.uint8))
    blot = np.asarray(picture.filter(ImageFilter.ModeFilter(5)), dtype=np.float32) / 255
    blot = 0.6 * blot + 0.4 * _blurred(painted.image, 1.6)
    grain = np.random.default_rng(scene.noise).random((HEIGHT // 2, WIDTH // 2), dtype=np.float32)
    wash = 0.9 + 0.2 * _blurred(grain.repeat(2, 0).repeat(2, 1), 1.2)
    rims = 1 - 0.35 * _blurred(_contour(painted.visible), 0.8)
    return np.clip((0.25 * _PAPER + 0.78 * blot) * (wash * rims)[..., None], 0, 1)


@cache
def _panes(variant: int) -> tuple[np.ndarray, np.ndarray]:
    """Irregular panes: index per pixel (80, 96) and the share of lead per pixel."""
    rng = np.random.default_rng(variant)
    rows, columns = 15, 18
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(-1, 2)
    points = (grid + rng.uniform(0.15, 0.85, grid.shape)) * [WIDTH / columns, HEIGHT / rows]
    distance = np.hypot(_X[..., None] - points[:, 0], _Y[..., None] - points[:, 1])
    nearest = np.sort(distance, axis=-1)
    return distance.argmin(-1), np.clip(1.3 - (nearest[..., 1] - nearest[..., 0]), 0, 1).astype(np.float32)


def stained_glass(painted: Painted, scene: Scene) -> np.ndarray:
    """Panes of clear colour in dark lead."""
    pane, lead = _panes(scene.noise % 8)
    number = np.bincount(pane.ravel())
    means = np.stack([np.bincount(pane.ravel(), c.ravel()) / number for c in np.moveaxis(painted.image, -1, 0)], -1)
    glass = means.astype(np.float32)[pane]
    vivid = np.clip(glass + 0.5 * (glass - (glass @ _GREY)[..., None]), 0, 1)
    return _mix(vivid, 0.5 * _INK, np.maximum(0.8 * lead, 0.7 * _contour(painted.visible)))


def embroidery(painted: Painted, scene: Scene) -> np.ndarray:
    """Cross stitches of 4 pixels on linen."""
    x, y = _X % 4 - 1.5, _Y % 4 - 1.5
    thread = np.clip(1.35 - np.minimum(np.abs(x - y), np.abs(x + y)), 0, 1)
    return _mix(0.72 * _blocks(painted.image), np.clip(1.12 * _blocks(painted.image), 0, 1), thread)


def neon(painted: Painted, scene: Scene) -> np.ndarray:
    """Glowing lines in the dark."""
    ink, colour = _ink(painted), _colour(scene)
    glow = np.clip(1.6 * _blurred(ink, 2.2), 0, 1)
    dark = np.array([0.05, 0.05, 0.11], dtype=np.float32)
    return np.clip(_mix(_mix(np.broadcast_to(dark, (HEIGHT, WIDTH, 3)), colour, glow), 0.5 + 0.5 * colour, ink), 0, 1)


STYLES: dict[str, Callable[[Painted, Scene], np.ndarray]] = {
    "outline": outline, "silhouette": silhouette, "mosaic": mosaic, "negative": negative, "hatching": hatching,
    "halftone": halftone, "watercolour": watercolour, "stained_glass": stained_glass, "embroidery": embroidery,
    "neon": neon,
}  # fmt: skip
# Training images show these; the rest of STYLES is only met in the rendition set.
TRAINED_STYLES = ("halftone", "watercolour", "embroidery", "stained_glass")
