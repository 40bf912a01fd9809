"""What lies between a scene and its pixels: layers and the painted picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layer:
    """A drawing laid into the picture: float32 arrays (height, width[, 3]) in 0..1."""

    paint: np.ndarray
    silhouette: np.ndarray
    line: np.ndarray


@dataclass(frozen=True)
class Painted:
    """A picture before style and light, with the main thing's layer and what hides it."""

    image: np.ndarray
    main: Layer
    visible: np.ndarray  # the main thing's silhouette less the occluder's
