"""What corruptions share: whole numbers to shares and back, blurring with a kernel, enlarging the middle."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image
from scipy.signal import fftconvolve

UNIT = 80 / 64  # lengths were published for pictures of 64 pixels; ours are 80 high


def shares(pixels: np.ndarray) -> np.ndarray:
    """uint8 pixels as float32 in 0..1.

    >>> shares(np.array([0, 51, 255], np.uint8)).tolist()
    [0.0, 0.20000000298023224, 1.0]
    """
    return pixels.astype(np.float32) / np.float32(255)


def whole(values: np.ndarray) -> np.ndarray:
    """Shares as uint8 pixels: cut to 0..1, rounded.

    >>> whole(np.array([-0.5, 0.5, 2.0])).tolist()
    [0, 128, 255]
    """
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def convolved(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A picture (h, w) or (h, w, c) blurred with an odd-sized kernel, mirrored at its edges.

    >>> convolved(np.ones((4, 4)), np.full((3, 3), 1 / 9)).round(6).max()
    np.float64(1.0)
    """
    up, aside = kernel.shape[0] // 2, kernel.shape[1] // 2
    channels = values.ndim - 2
    padded = np.pad(values, ((up, up), (aside, aside)) + ((0, 0),) * channels, mode="symmetric")
    weights = kernel.astype(values.dtype).reshape(kernel.shape + (1,) * channels)
    return fftconvolve(padded, weights, mode="valid", axes=(0, 1))


@cache
def disc(radius: float, softness: float) -> np.ndarray:
    """Kernel of a lens out of focus: how much of each pixel a disc covers, softened by a Gaussian; its sum is 1.

    `radius` and `softness` (standard deviation) in pixels.

    >>> disc(1.0, 0.1).shape
    (7, 7)
    """
    reach = int(np.ceil(radius + 2 * softness)) + 1
    fine = (np.arange(-reach * 16 - 8, reach * 16 + 8) + 0.5) / 16  # sixteen samples a pixel each way
    inside = (fine[:, None] ** 2 + fine**2 <= radius**2).astype(np.float64)
    side = 2 * reach + 1
    cover = inside.reshape(side, 16, side, 16).mean((1, 3))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / softness) ** 2)
    kernel = np.stack([np.convolve(row, bell / bell.sum(), mode="same") for row in cover])
    kernel = np.stack([np.convolve(row, bell / bell.sum(), mode="same") for row in kernel.T]).T
    return kernel / kernel.sum()


def streak(length: float, sigma: float, angle: float) -> np.ndarray:
    """Kernel of a moving camera: Gaussian weights along a line that starts in the middle; its sum is 1.

    `length` and `sigma` in pixels, `angle` in degrees, counter-clockwise from the right.

    >>> kernel = streak(10, 1.5, 0.0)
    >>> kernel.shape, bool(kernel[7, :7].max() == 0), int(kernel[7].argmax())
    ((15, 15), True, 7)
    """
    end = min(length, 4 * sigma)
    reach = int(np.ceil(end)) + 1
    along = np.arange(0, end + 1e-9)
    weights = np.exp(-0.5 * (along / sigma) ** 2)
    x = reach + along * np.cos(np.deg2rad(angle))
    y = reach - along * np.sin(np.deg2rad(angle))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for right in (0, 1):
        for down in (0, 1):
            part = np.abs(1 - right - (x - left)) * np.abs(1 - down - (y - top))
            inside = (left + right < kernel.shape[1]) & (top + down < kernel.shape[0])
            np.add.at(kernel, ((top + down)[inside], (left + right)[inside]), (weights * part)[inside])
    return kernel / kernel.sum()


def enlarged(picture: Image.Image, factor: float) -> Image.Image:
    """The middle of a picture, enlarged to the picture's size.

    >>> enlarged(Image.new("L", (96, 80)), 1.5).size
    (96, 80)
    """
    width, height = picture.size
    aside, up = width * (1 - 1 / factor) / 2, height * (1 - 1 / factor) / 2
    mapping = (1 / factor, 0, aside, 0, 1 / factor, up)
    return picture.transform(picture.size, Image.Transform.AFFINE, mapping, Image.Resampling.BILINEAR)
