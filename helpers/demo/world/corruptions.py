"""The fifteen corruptions of ImageNet-C at five severities, for small pictures.

Own implementations of the definitions of Hendrycks and Dietterich (2019) with the constants that they published for
pictures of 64 pixels; lengths are scaled to a height of 80. Where theirs draw on other programs or photographs, ours
differ: motion is a line of bilinear weights, the fog a sum of octaves, and the frost is drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.demo.world import corruptions_noise as noise
from helpers.demo.world import corruptions_weather as weather
from helpers.demo.world.scene import spawn
from helpers.errors import BookError

SEVERITIES = (1, 2, 3, 4, 5)

CORRUPTIONS: dict[str, Callable[[np.ndarray, int, np.random.Generator], np.ndarray]] = {
    "gaussian_noise": noise.gaussian_noise, "shot_noise": noise.shot_noise, "impulse_noise": noise.impulse_noise,
    "defocus_blur": noise.defocus_blur, "glass_blur": noise.glass_blur, "motion_blur": noise.motion_blur,
    "zoom_blur": noise.zoom_blur, "snow": weather.snow, "frost": weather.frost, "fog": weather.fog,
    "brightness": weather.brightness, "contrast": weather.contrast, "elastic_transform": weather.elastic_transform,
    "pixelate": weather.pixelate, "jpeg_compression": weather.jpeg_compression,
}  # fmt: skip
CONDITIONS = tuple(f"{name}:{severity}" for name in CORRUPTIONS for severity in SEVERITIES)


def corrupt(pixels: np.ndarray, name: str, severity: int, seed: int, index: int) -> np.ndarray:
    """A corrupted copy of a picture: uint8 (h, w, 3) in and out.

    What is random depends on (seed, corruption, index) and not on the severity: at all five, picture `index` gets the
    same noise, direction or cloud, more or less of it. Raises BookError for an unknown corruption or severity.
    Source: Hendrycks and Dietterich (2019), section 4.

    >>> picture = np.full((80, 96, 3), 128, np.uint8)
    >>> [int(corrupt(picture, "brightness", severity, 0, 0)[0, 0, 0]) for severity in (1, 5)]
    [154, 255]
    """
    if name not in CORRUPTIONS:
        raise BookError(f"corruption {name!r}", f"one of {', '.join(CORRUPTIONS)}", "correct the name")
    if severity not in SEVERITIES:
        raise BookError(f"severity {severity!r}", "a whole number from 1 to 5", "choose one of them")
    return CORRUPTIONS[name](pixels, severity, spawn(seed, f"corruption/{name}", index))
