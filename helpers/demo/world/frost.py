"""Drawn ice: five textures of frost ferns on a dark pane, for the corruption `frost`."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

TEXTURES = 5
WIDTH, HEIGHT = 208, 168
_FINE = 3  # pixels drawn for one kept
_DARK = np.array([0.13, 0.17, 0.24], dtype=np.float32)
_ICE = np.array([0.90, 0.95, 1.00], dtype=np.float32)
_GROWTHS = ((8, 52.0), (13, 34.0), (7, 62.0), (18, 24.0), (10, 42.0))  # ferns and length of a fern, by texture


@cache
def texture(number: int) -> np.ndarray:
    """Frost texture `number` (0..4): float32 (168, 208, 3) in 0..1.

    >>> texture(0).shape
    (168, 208, 3)
    """
    rng = np.random.default_rng([7, number])
    picture = Image.new("L", (WIDTH * _FINE, HEIGHT * _FINE))
    pen = ImageDraw.Draw(picture)
    ferns, length = _GROWTHS[number]
    for _ in range(ferns):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        first = rng.uniform(0, 360)
        for turn in range(6 if rng.random() < 0.5 else 3):  # stars and sprays
            _fern(pen, rng, (x, y), first + 60 * turn + rng.normal(0, 6), length * rng.uniform(0.6, 1.2), 3)
    lines = _small(picture)
    halo = _small(picture.filter(ImageFilter.GaussianBlur(3.5 * _FINE)))
    ice = np.tanh(1.1 * lines + 0.8 * halo + 0.5 * _rime(rng))[..., None]
    return _DARK + (_ICE - _DARK) * ice


def _fern(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, start: tuple[float, float], angle: float, length: float,
    depth: int,
) -> None:  # fmt: skip
    """A stem that bends a little, with shorter ones at 60 degrees on both sides."""
    step, bend, (x, y) = length / 9, rng.normal(0, 2.0), start
    for part in range(9):
        angle += bend
        end = x + step * np.cos(np.deg2rad(angle)), y + step * np.sin(np.deg2rad(angle))
        pen.line([(x * _FINE, y * _FINE), (end[0] * _FINE, end[1] * _FINE)], fill=60 + 60 * depth, width=depth)
        x, y = end
        if depth > 1 and part > 0:
            for side in (-60, 60):
                _fern(pen, rng, end, angle + side, length * (0.4 - 0.03 * part) * rng.uniform(0.7, 1.2), depth - 1)


def _small(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.reduce(_FINE), dtype=np.float32) / 255


def _rime(rng: np.random.Generator) -> np.ndarray:
    """Patches of fine grains, 0..1."""
    grains = rng.random((HEIGHT, WIDTH), dtype=np.float32)
    coarse = Image.fromarray(rng.random((7, 9), dtype=np.float32))
    patches = np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    return grains * np.clip(2 * patches - 0.6, 0, 1)
