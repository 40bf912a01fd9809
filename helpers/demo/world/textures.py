"""The drawn textures: seamless grey tiles (256 x 256, floats), made by formula with fixed seeds."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

SIDE = 256
_X, _Y = np.meshgrid(np.arange(SIDE, dtype=np.float64), np.arange(SIDE, dtype=np.float64))


def level(values: np.ndarray, tone: float, contrast: float) -> np.ndarray:
    """Bring a texture to a mean (`tone`) and a standard deviation (`contrast`), softly limited to 0..1.

    >>> levelled = level(waves(), 0.5, 0.3)
    >>> round(float(levelled.mean()), 1), round(float(levelled.std()), 1)
    (0.5, 0.3)
    """
    squashed = np.tanh(0.75 * (values - values.mean()) / values.std())
    return np.clip(tone + contrast * (squashed - squashed.mean()) / squashed.std(), 0, 1)


def blur(values: np.ndarray, sigma_y: float, sigma_x: float) -> np.ndarray:
    """Periodic Gaussian blur with standard deviations in pixels (rows, columns)."""
    fy, fx = np.fft.fftfreq(values.shape[0])[:, None], np.fft.rfftfreq(values.shape[1])[None]
    gain = np.exp(-2 * np.pi**2 * ((fy * sigma_y) ** 2 + (fx * sigma_x) ** 2))
    return np.fft.irfft2(np.fft.rfft2(values) * gain, s=values.shape)


def _noise(seed: int, sigma_y: float, sigma_x: float) -> np.ndarray:
    smooth = blur(np.random.default_rng(seed).standard_normal((SIDE, SIDE)), sigma_y, sigma_x)
    return (smooth - smooth.mean()) / smooth.std()


def _saw(values: np.ndarray, period: float) -> np.ndarray:
    """Position within a period, from -.5 to .5."""
    return (values / period) % 1 - 0.5


def _edge(values: np.ndarray, softness: float) -> np.ndarray:
    """Smooth step from 0 to 1 around 0."""
    return 1 / (1 + np.exp(-np.clip(values / softness, -40, 40)))


def panels() -> np.ndarray:
    """Sheet metal: seams of staggered plates, rivets along them, a brushed sheen."""
    row = np.floor(_Y / 16)
    across = _saw(_X + 16 * (row % 2), 32) * 32
    along = _saw(_Y, 16) * 16
    seam = np.minimum(16 - np.abs(across), 8 - np.abs(along))
    rivets = np.hypot(np.abs(across) - 11.5, np.abs(along) - 4)
    return 1.5 * _edge(seam - 1.2, 0.35) - 1.7 * _edge(1.9 - rivets, 0.4) + 0.12 * _noise(1, 0.7, 14)


def fur() -> np.ndarray:
    """Fur: many fine vertical hairs that lean together in tufts."""
    lean = np.rint(5 * _noise(2, 16, 16)).astype(int)
    rows, columns = _Y.astype(int), _X.astype(int)
    hairs = _noise(3, 4.5, 0.95)[rows, (columns + lean) % SIDE]
    return hairs + 0.3 * _noise(4, 8, 3)


def honeycomb() -> np.ndarray:
    """Honeycomb: dark hexagonal cells between light walls."""
    width, height = SIDE / 16, SIDE / 18
    best = np.full((SIDE, SIDE), np.inf)
    second = best.copy()
    for shift in (0.0, 0.5):
        for dx, dy in ((0, 0), (width, 0), (-width, 0), (0, 2 * height), (0, -2 * height)):
            x = (_saw(_X - shift * width, width)) * width + dx
            y = (_saw(_Y - shift * 2 * height, 2 * height)) * 2 * height + dy
            distance = np.hypot(x, y)
            second = np.minimum(np.maximum(distance, best), second)
            best = np.minimum(best, distance)
    return _edge(2.2 - (second - best), 0.5)


def feathers() -> np.ndarray:
    """Overlapping scallops, like feathers, scales or roof tiles."""
    width, height = 16.0, 10.6666666667
    value = np.zeros((SIDE, SIDE))
    for layer in range(4):  # the lowest rows lie on top
        y = (_Y / height) % 1 - (1 - layer)
        row = np.floor(_Y / height) + (1 - layer)
        radius = np.hypot(_saw(_X + (row % 2) * width / 2, width), y * 0.62)
        inside = radius < 0.56
        value = np.where(inside, 1.1 - 1.9 * (radius / 0.56) ** 3 + 0.8 * np.clip(-y, 0, 1), value)
    return blur(value, 0.5, 0.5)


def waves() -> np.ndarray:
    """Rows of rolling waves, steeper on one side."""
    phase = 2 * np.pi * (_Y / 12.8 + 0.42 * np.sin(2 * np.pi * _X / 32))
    return np.sin(phase + 0.5 * np.sin(phase))


def bubbles() -> np.ndarray:
    """Bubbles of several sizes: bright rims, dark inside, a highlight each."""
    rng = np.random.default_rng(5)
    value, placed = np.full((SIDE, SIDE), -0.25), np.array([[0.0, 0.0, 9.5]])
    for radius in (9.5, 7.0, 5.0, 3.2):
        for x, y in rng.uniform(0, SIDE, (420, 2)):
            gaps = np.hypot(_wrap(x - placed[:, 0]), _wrap(y - placed[:, 1])) - placed[:, 2] - radius
            if gaps.min() > 0.6:
                placed = np.vstack([placed, [x, y, radius]])
    for x, y, radius in placed:
        dx, dy = _wrap(_X - x), _wrap(_Y - y)
        distance = np.hypot(dx, dy)
        rim = _edge(1.1 - np.abs(distance - radius + 1.1), 0.3)
        shine = _edge(0.32 * radius - np.hypot(dx + 0.35 * radius, dy + 0.35 * radius), 0.4)
        value = np.where(distance < radius, -1.0 + 2.4 * rim + 1.8 * shine, value)
    return value


def _wrap(difference):
    return (difference + SIDE / 2) % SIDE - SIDE / 2


def weave() -> np.ndarray:
    """Basket weave: bands over and under each other."""
    period = 16.0
    over = (np.floor(_X / period) + np.floor(_Y / period)) % 2
    x, y = _saw(_X, period), _saw(_Y, period)
    bulge = np.where(over > 0, np.cos(np.pi * x) * (0.55 + 0.45 * np.cos(6 * np.pi * y)),
                     np.cos(np.pi * y) * (0.55 + 0.45 * np.cos(6 * np.pi * x)))  # fmt: skip
    return bulge


def stripes() -> np.ndarray:
    """A tiger's stripes: irregular slanted dark bands that fork and end."""
    warp = 0.3 * _noise(6, 14, 14)
    band = np.sin(2 * np.pi * (_X / 21.3333333 + _Y / 128 + warp))
    return _edge(band + 0.55 * _noise(7, 12, 5) + 0.1, 0.12)


def knit() -> np.ndarray:
    """Knitted stitches: columns of stacked V shapes."""
    across = np.abs(_saw(_X, 16.0)) * 2
    stitch = np.sin(2 * np.pi * (_Y / 10.6666666667 - 0.75 * across))
    return stitch * (0.35 + 0.65 * np.sin(np.pi * across)) - 0.9 * (across > 0.88) - 0.5 * (across < 0.1)


def spots() -> np.ndarray:
    """A dalmatian's spots: soft-edged blotches of unequal size."""
    return _edge(1.05 - _noise(8, 4.2, 4.2) * 1.5, 0.18)


def cracks() -> np.ndarray:
    """Cracked leather: irregular plates (a Voronoi pattern) with dark gaps."""
    rng = np.random.default_rng(9)
    columns = 22
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(columns)), -1).reshape(-1, 2)
    points = (grid + rng.uniform(0.05, 0.95, grid.shape)) * SIDE / columns
    tone = rng.uniform(-0.5, 0.5, len(points))
    distance, owner = cKDTree(points, boxsize=SIDE).query(np.stack([_X, _Y], -1), k=2)
    return 1.6 * _edge(distance[..., 1] - distance[..., 0] - 1.8, 0.35) + tone[owner[..., 0]]


def wood() -> np.ndarray:
    """Wood grain: long fibres bending around knots."""
    bend = 26 * np.exp(-((_wrap(_X - 70) / 42) ** 2 + (_wrap(_Y - 60) / 20) ** 2))
    bend = bend - 30 * np.exp(-((_wrap(_X - 190) / 46) ** 2 + (_wrap(_Y - 180) / 22) ** 2))
    rings = np.sin(2 * np.pi * (_Y + bend + 5 * _noise(10, 10, 60)) / 12.8)
    return rings + 0.5 * np.sin(2 * np.pi * _Y / 4.2666667 + 3 * rings) + 0.35 * _noise(11, 0.8, 16)


def checks() -> np.ndarray:
    """Printed pattern: a chessboard."""
    return ((np.floor(_X / 16) + np.floor(_Y / 16)) % 2).astype(np.float64)


def zigzag() -> np.ndarray:
    """Printed pattern: zigzag lines."""
    return _edge(np.abs(_saw(_Y + 20 * np.abs(_saw(_X, 25.6)), 21.3333333)) * 21.3333333 - 5.3, 0.4)


def dots() -> np.ndarray:
    """Printed pattern: polka dots."""
    radius = np.hypot(_saw(_X, 25.6), _saw(_Y, 25.6))
    between = np.hypot(_saw(_X + 12.8, 25.6), _saw(_Y + 12.8, 25.6))
    radius = np.minimum(radius, between)
    return _edge(radius * 25.6 - 6.2, 0.4)


def diamonds() -> np.ndarray:
    """Printed pattern: diamonds, standing upright."""
    return _edge((0.5 - np.abs(_saw(_X, 25.6)) - np.abs(_saw(_Y, 42.6666667))) * 22, 0.5)
