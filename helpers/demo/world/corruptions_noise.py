"""Noise and loss of focus: seven of the fifteen corruptions (definitions: ImageNet-C, for pictures of 64 pixels)."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from helpers.demo.world.corruption_tools import UNIT, convolved, disc, enlarged, shares, streak, whole

_GAUSSIAN = (0.04, 0.08, 0.12, 0.15, 0.18)  # standard deviation
_SHOT = (250, 100, 50, 30, 15)  # photons of a white pixel
_IMPULSE = (0.01, 0.02, 0.05, 0.08, 0.14)  # share of values that are replaced
_DEFOCUS = ((0.5, 0.6), (1.0, 0.1), (1.5, 0.1), (2.5, 0.01), (3.0, 0.1))  # radius, softness
_GLASS = ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2))  # blur, reach of a swap, rounds
_MOTION = ((10, 1.0), (10, 1.5), (10, 2.0), (10, 2.5), (12, 3.0))  # radius, standard deviation
_ZOOM = (0.05, 0.10, 0.15, 0.20, 0.25)  # largest enlargement, reached in steps of 0.01


def gaussian_noise(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Normal noise, the same everywhere."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    return whole(shares(pixels) + np.float32(_GAUSSIAN[severity - 1]) * noise)


def shot_noise(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson noise of few photons: stronger where it is bright."""
    photons = _SHOT[severity - 1]
    return whole(rng.poisson(shares(pixels) * photons) / photons)


def impulse_noise(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Salt and pepper: some values become 0 or 255."""
    hit = rng.random(pixels.shape) < _IMPULSE[severity - 1]
    salt = rng.random(pixels.shape) < 0.5
    return np.where(hit, np.where(salt, 255, 0), pixels).astype(np.uint8)


def defocus_blur(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A lens out of focus: every point becomes a disc."""
    radius, softness = _DEFOCUS[severity - 1]
    return whole(convolved(shares(pixels), disc(UNIT * radius, UNIT * softness)))


def glass_blur(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Frosted glass: blurred, pixels swapped with near ones, blurred again."""
    sigma, reach, rounds = _GLASS[severity - 1]
    sigmas = (UNIT * sigma, UNIT * sigma, 0)
    blurred = gaussian_filter(shares(pixels), sigmas, mode="nearest")
    order = np.arange(pixels.shape[0] * pixels.shape[1]).reshape(pixels.shape[:2])
    for _ in range(rounds):
        order = order.ravel()[swapped(pixels.shape[:2], reach, rng)]
    shuffled = blurred.reshape(-1, pixels.shape[2])[order]
    return whole(gaussian_filter(shuffled, sigmas, mode="nearest"))


def swapped(shape: tuple[int, int], reach: int, rng: np.random.Generator) -> np.ndarray:
    """Where each pixel comes from after all have, one after the other, changed places with a random near one.

    Flat indices of the given shape (rows, columns); `reach` in pixels, up, down and to the sides.

    >>> bool((np.sort(swapped((5, 6), 1, np.random.default_rng(0)).ravel()) == np.arange(30)).all())
    True
    """
    rows, columns = np.mgrid[reach : shape[0] - reach, reach : shape[1] - reach]
    down, right = rng.integers(-reach, reach + 1, (2, *rows.shape))
    here = (rows * shape[1] + columns).ravel()[::-1].tolist()
    there = ((rows + down) * shape[1] + columns + right).ravel()[::-1].tolist()
    order = list(range(shape[0] * shape[1]))
    for one, other in zip(here, there, strict=True):
        order[one], order[other] = order[other], order[one]
    return np.array(order).reshape(shape)


def motion_blur(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A camera that moves along a line of -45 to 45 degrees."""
    radius, sigma = _MOTION[severity - 1]
    kernel = streak(2 * UNIT * radius, UNIT * sigma, float(rng.uniform(-45, 45)))
    return whole(convolved(shares(pixels), kernel))


def zoom_blur(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A camera that moves towards the thing: the mean of the picture and of ever larger ones."""
    picture = Image.fromarray(pixels)
    factors = 1 + np.arange(0, _ZOOM[severity - 1] + 0.005, 0.01)
    total = pixels.astype(np.float32)
    for factor in factors:
        total += np.asarray(enlarged(picture, float(factor)), dtype=np.float32)
    return whole(total / np.float32(255 * (len(factors) + 1)))
