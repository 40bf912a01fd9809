"""Weather and digital damage: eight of the fifteen corruptions (definitions: ImageNet-C, for pictures of 64 pixels)."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from helpers.demo.world.corruption_tools import UNIT, convolved, enlarged, shares, streak, whole
from helpers.demo.world.frost import TEXTURES, texture

_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)

# Of the field of flakes: mean, spread, enlargement, threshold; of its fall: radius, spread; share of the picture.
_SNOW = (
    (0.10, 0.2, 1.00, 0.60, 8, 3, 0.80),
    (0.10, 0.2, 1.00, 0.50, 10, 4, 0.80),
    (0.15, 0.3, 1.75, 0.55, 10, 4, 0.70),
    (0.25, 0.3, 2.25, 0.60, 12, 6, 0.65),
    (0.30, 0.3, 1.25, 0.65, 14, 12, 0.60),
)
_FROST = ((1.0, 0.30), (0.9, 0.40), (0.8, 0.45), (0.75, 0.50), (0.7, 0.55))  # share of the picture, of the ice
_FOG = ((0.4, 3.0), (0.7, 3.0), (1.0, 2.5), (1.5, 2.0), (2.0, 1.75))  # thickness, decay from octave to octave
_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to the largest of red, green and blue
_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)  # what is left of it
# In picture heights: strength of the waves, their smoothness, how far the corners of the frame move.
_ELASTIC = ((0.0, 0.0, 0.08), (0.05, 0.3, 0.06), (0.1, 0.08, 0.06), (0.1, 0.03, 0.03), (0.16, 0.03, 0.02))
_PIXELATE = (0.9, 0.8, 0.7, 0.6, 0.5)  # size that the picture is reduced to
_JPEG = (65, 58, 50, 40, 25)  # quality


def snow(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Falling flakes, in two directions, over a picture that has grown paler."""
    mean, spread, zoom, threshold, radius, sigma, kept = _SNOW[severity - 1]
    field = rng.standard_normal(pixels.shape[:2], dtype=np.float32) * spread + mean
    flakes = np.asarray(enlarged(Image.fromarray(field), zoom)) if zoom > 1 else field
    flakes = np.clip(np.where(flakes < threshold, 0, flakes), 0, 1).astype(np.float32)
    fall = convolved(flakes, streak(2 * UNIT * radius, UNIT * sigma, float(rng.uniform(-135, -45))))
    image = shares(pixels)
    pale = np.maximum(image, 1.5 * (image @ _GREY)[..., None] + 0.5)
    return whole(kept * image + (1 - kept) * pale + (fall + fall[::-1, ::-1])[..., None])


def frost(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Ice crystals on the lens: a drawn texture of ice is added to the picture."""
    kept, ice = _FROST[severity - 1]
    sheet = texture(int(rng.integers(TEXTURES)))
    top = int(rng.integers(sheet.shape[0] - pixels.shape[0] + 1))
    left = int(rng.integers(sheet.shape[1] - pixels.shape[1] + 1))
    window = sheet[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    return whole(kept * shares(pixels) + ice * window)


def fog(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Banks of fog: a fractal cloud is added, then all is scaled back to the picture's own maximum."""
    thickness, decay = _FOG[severity - 1]
    image = shares(pixels)
    largest = image.max()
    return whole((image + thickness * cloud(pixels.shape[:2], decay, rng)[..., None]) * largest / (largest + thickness))


def cloud(shape: tuple[int, int], decay: float, rng: np.random.Generator) -> np.ndarray:
    """A fractal of eight octaves, 0..1, of the given shape: each is twice as fine and `decay` times as weak.

    >>> found = cloud((80, 96), 2.0, np.random.default_rng(0))
    >>> found.shape, float(found.min()), float(found.max())
    ((80, 96), 0.0, 1.0)
    """
    side = 128
    total = np.zeros((side, side), dtype=np.float32)
    for octave in range(8):
        values = rng.uniform(-1, 1, (2**octave, 2**octave)).astype(np.float32)
        wide = np.pad(values, 1, mode="wrap")
        box = (1.0, 1.0, 1.0 + 2**octave, 1.0 + 2**octave)
        smooth = Image.fromarray(wide).resize((side, side), Image.Resampling.BICUBIC, box=box)
        total += np.asarray(smooth) / np.float32(decay**octave)
    total = total[: shape[0], : shape[1]]
    return (total - total.min()) / (total.max() - total.min())


def brightness(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Too much light: the value of every colour (in hue, saturation, value) is raised."""
    image = shares(pixels)
    value = image.max(-1, keepdims=True)
    raised = np.minimum(value + np.float32(_BRIGHTNESS[severity - 1]), 1)
    return whole(np.where(value > 0, image * (raised / np.maximum(value, 1e-6)), raised))


def contrast(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Little contrast: every channel drawn towards its own mean."""
    image = shares(pixels)
    mean = image.mean((0, 1), keepdims=True)
    return whole((image - mean) * np.float32(_CONTRAST[severity - 1]) + mean)


def elastic_transform(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """A rubber sheet: the frame is skewed, then small regions are stretched and squeezed."""
    height, width = pixels.shape[:2]
    strength, smoothness, skew = (height * part for part in _ELASTIC[severity - 1])
    moved = rng.uniform(-1, 1, (3, 2)) * skew
    waves = rng.uniform(-1, 1, (2, height, width)).astype(np.float32)
    places = np.mgrid[:height, :width].astype(np.float32)
    if strength > 0:
        smooth = [gaussian_filter(wave, smoothness, mode="reflect", truncate=3.0) for wave in waves]
        places = places + np.float32(strength) * np.stack(smooth)
    places = _unskewed(places, moved)
    channels = [map_coordinates(pixels[..., c], places, np.float32, order=1, mode="mirror") for c in range(3)]
    return whole(np.stack(channels, -1) / 255)


def _unskewed(places: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Where places (2, h, w) were before three corners of a middle square (2/3 of the height) moved by `moved`."""
    height, width = places.shape[1:]
    reach = height / 3
    corners = np.array([height / 2, width / 2]) + reach * np.array([[1, 1], [1, -1], [-1, -1]])
    now = np.column_stack([corners + moved, np.ones(3)])
    back = np.linalg.solve(now, corners)  # rows: factors of y, of x, and a constant
    flat = np.column_stack([places.reshape(2, -1).T, np.ones(height * width)])
    return (flat @ back).T.reshape(places.shape)


def pixelate(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Reduced and enlarged again, both with a box filter."""
    picture, factor = Image.fromarray(pixels), _PIXELATE[severity - 1]
    small = picture.resize((int(picture.width * factor), int(picture.height * factor)), Image.Resampling.BOX)
    return np.array(small.resize(picture.size, Image.Resampling.BOX))


def jpeg_compression(pixels: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Saved as a JPEG of low quality."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG[severity - 1])
    return np.array(Image.open(file))
