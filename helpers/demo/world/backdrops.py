"""Backdrops ("worlds"): eight quiet ones and four busy ones, drawn as SVG, six variants each.

A backdrop is 192 x 160 pixels; a picture shows a window of it, so no two need to look the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from helpers.errors import BookError, InputsUnavailable

WIDTH, HEIGHT = 192, 160
VARIANTS = 6
HORIZON = 98
_PASTELS = ("#f7d9d3", "#fbe8c8", "#f9f3cf", "#dcefd6", "#d3ebea", "#d5e3f5", "#e4dcf3", "#efe7e1")
_BRIGHTS = (
    "#e4572e", "#f3a712", "#ffd23f", "#76b041", "#17bebb", "#3d6fb6", "#8d5a97", "#f28cb0", "#ffffff", "#444b54",
)  # fmt: skip


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _gradient(top: str, bottom: str, y0: float = 0, y1: float = HEIGHT, name: str = "g") -> str:
    return (
        f'<linearGradient id="{name}" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="{y0}" y2="{y1}">'
        f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/></linearGradient>'
        f'<rect y="{y0}" width="{WIDTH}" height="{y1 - y0}" fill="url(#{name})"/>'
    )


def _ellipse(x: float, y: float, width: float, height: float, fill: str = "") -> str:
    colour = f' fill="{fill}"' if fill else ""
    return f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{width:.1f}" ry="{height:.1f}"{colour}/>'


def _box(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"{more}/>'


def _plain(fill: str) -> str:
    return _box(0, 0, WIDTH, HEIGHT, fill)


def _cloud(rng: np.random.Generator, top: float, bottom: float, fill: str = "#ffffff") -> str:
    x, y, size = rng.uniform(0, WIDTH), rng.uniform(top, bottom), rng.uniform(7, 14)
    puffs = [(0, 0, 1), (-1.1, 0.3, 0.7), (1.1, 0.3, 0.75), (0.5, -0.5, 0.75)]
    drawn = (_ellipse(x + dx * size, y + dy * size, size * r * 1.25, size * r * 0.75) for dx, dy, r in puffs)
    return f'<g fill="{fill}" opacity=".8">{"".join(drawn)}</g>'


def _hills(rng: np.random.Generator, base: float, swing: float, fill: str) -> str:
    phase, waves = rng.uniform(0, 6.28), rng.uniform(1.2, 2.4)
    xs = np.linspace(0, WIDTH, 33)
    ys = base - swing * np.sin(2 * np.pi * waves * xs / WIDTH + phase)
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polygon fill="{fill}" points="0,{HEIGHT} {points} {WIDTH},{HEIGHT}"/>'


def _scatter(rng: np.random.Generator, number: int, top: float, shape: Callable[[float, float], str]) -> str:
    return "".join(shape(rng.uniform(0, WIDTH), rng.uniform(top, HEIGHT)) for _ in range(number))


def _studio(rng: np.random.Generator) -> str:
    tone = _pick(rng, _PASTELS)
    glow = '<radialGradient id="r" cx=".5" cy=".45" r=".7"><stop offset="0" stop-color="#fff" stop-opacity=".75"/>'
    glow += '<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>'
    return _plain(tone) + glow + _plain("url(#r)")


def _sky(rng: np.random.Generator) -> str:
    return _gradient(_pick(rng, ("#8cc8ee", "#7fbbe8", "#9cd2f2")), "#e6f5fb") + "".join(
        _cloud(rng, 10, 150) for _ in range(7)
    )


def _meadow(rng: np.random.Generator) -> str:
    flowers = _scatter(rng, 34, 112, lambda x, y: _ellipse(x, y, 1.5, 1.5, _pick(rng, _BRIGHTS[:9])))
    far = _hills(rng, HORIZON, 6, "#a9cf8a") + _hills(rng, HORIZON + 10, 4, "#8fc06f")
    return _gradient("#a8d8f0", "#eaf6f6", 0, HEIGHT) + _cloud(rng, 15, 60) + _cloud(rng, 15, 60) + far + flowers


def _beach(rng: np.random.Generator) -> str:
    pebbles = _scatter(rng, 26, 122, lambda x, y: _ellipse(x, y, 1.6, 1, "#d3b98a"))
    sea = _gradient("#58b7c9", "#a6dfe0", HORIZON - 16, HORIZON + 24, "s")
    return _gradient("#bfe6f5", "#f6fbf4", 0, HORIZON - 16) + sea + _hills(rng, HORIZON + 16, 3, "#f2dfb5") + pebbles


def _snow(rng: np.random.Generator) -> str:
    flakes = _scatter(rng, 60, -60, lambda x, y: _ellipse(x, y, 1.3, 1.3, "#fff"))
    hills = _hills(rng, HORIZON - 4, 10, "#dbe6f2") + _hills(rng, HORIZON + 14, 6, "#f1f6fb")
    return _gradient("#aebfd6", "#dfe7f1") + hills + flakes


def _forest(rng: np.random.Generator) -> str:
    def trunk(x: float, fill: str) -> str:
        return _box(x, 0, rng.uniform(5, 10), HORIZON + 14, fill)

    far = "".join(trunk(rng.uniform(0, WIDTH), "#b9cfae") for _ in range(9))
    near = "".join(trunk(rng.uniform(0, WIDTH), "#a3b893") for _ in range(5))
    return _gradient("#d3e6c8", "#eef5e0") + far + near + _hills(rng, HORIZON + 10, 3, "#b7c98f")


def _room(rng: np.random.Generator) -> str:
    wall, floor = _pick(rng, _PASTELS), _pick(rng, ("#d9b48a", "#c9a27c", "#cdb9a5"))
    x = rng.uniform(15, 130)
    window = _box(x, 22, 42, 46, "#cfe8f5", ' stroke="#fff" stroke-width="4"')
    boards = "".join(_box(0, y, WIDTH, 1, "#0002") for y in range(HORIZON + 22, HEIGHT, 9))
    skirting = _box(0, HORIZON + 9, WIDTH, 5, "#fff", ' opacity=".8"')
    return _plain(wall) + window + skirting + _box(0, HORIZON + 14, WIDTH, 60, floor) + boards


def _dusk(rng: np.random.Generator) -> str:
    sun = f'<circle cx="{rng.uniform(20, 170):.0f}" cy="{HORIZON - 12}" r="15" fill="#ffd9a0" opacity=".9"/>'
    hills = _hills(rng, HORIZON, 8, "#8f6f93") + _hills(rng, HORIZON + 16, 5, "#75597f")
    return _gradient("#8690c4", "#f7b98f", 0, HORIZON + 20) + sun + hills


def _confetti(rng: np.random.Generator) -> str:
    def piece(x: float, y: float) -> str:
        turn, fill = rng.uniform(0, 180), _pick(rng, _BRIGHTS)
        return _box(x, y, 9, 5, fill, f' transform="rotate({turn:.0f} {x:.1f} {y:.1f})"')

    return _plain(_pick(rng, _PASTELS)) + _scatter(rng, 190, -10, piece)


def _collage(rng: np.random.Generator) -> str:
    def scrap(x: float, y: float) -> str:
        corners = (rng.uniform(14, 34, 2) * (np.cos(angle), np.sin(angle)) for angle in np.arange(4) * 1.57)
        points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
        return f'<polygon points="{points}" fill="{_pick(rng, _BRIGHTS)}" stroke="#0003" stroke-width="1.5"/>'

    return _plain("#888") + _scatter(rng, 70, -10, scrap)


def _sunburst(rng: np.random.Generator) -> str:
    x, y, number = rng.uniform(60, 130), rng.uniform(60, 110), int(rng.integers(14, 24))
    first, second = (_BRIGHTS[i] for i in rng.permutation(8)[:2])
    turns = np.arange(2 * number + 1) * np.pi / number + rng.uniform(0, 1)
    rays = (
        f'<polygon fill="{second}" points="{x:.1f},{y:.1f} {x + 300 * np.cos(a):.1f},{y + 300 * np.sin(a):.1f} '
        f'{x + 300 * np.cos(b):.1f},{y + 300 * np.sin(b):.1f}"/>'
        for a, b in zip(turns[:-1:2], turns[1::2], strict=True)
    )
    return _plain(first) + "".join(rays)


def _city(rng: np.random.Generator) -> str:
    drawn, x = [_gradient("#27304f", "#6b5b86")], -6.0
    while x < WIDTH:
        width, top = rng.uniform(18, 34), rng.uniform(15, 95)
        drawn.append(_box(x, top, width, HEIGHT, _pick(rng, ("#1b2138", "#333c5e", "#454f78"))))
        for left in np.arange(x + 3, x + width - 5, 6):
            lit = np.arange(top + 4, HEIGHT, 8)
            lit = lit[rng.random(len(lit)) < 0.55]
            drawn += [_box(left, y, 3.4, 4.4, _pick(rng, ("#ffd873", "#ffefc4", "#f7a35c"))) for y in lit]
        x += width + rng.uniform(-1, 3)
    return "".join(drawn)


QUIET: dict[str, Callable[[np.random.Generator], str]] = {
    "studio": _studio, "sky": _sky, "meadow": _meadow, "beach": _beach,
    "snow": _snow, "forest": _forest, "room": _room, "dusk": _dusk,
}  # fmt: skip
BUSY: dict[str, Callable[[np.random.Generator], str]] = {
    "confetti": _confetti, "collage": _collage, "sunburst": _sunburst, "city": _city,
}  # fmt: skip
WORLDS = (*QUIET, *BUSY)


@cache
def backdrop(world: str, variant: int) -> np.ndarray:
    """A backdrop as a (160, 192, 3) float32 array in 0..1.

    `world`: one of WORLDS or "white"; `variant`: 0..5. Raises BookError for another name, InputsUnavailable
    without resvg-py.

    >>> backdrop("meadow", 2).shape
    (160, 192, 3)
    """
    if world == "white":
        return np.ones((HEIGHT, WIDTH, 3), dtype=np.float32)
    makers = {**QUIET, **BUSY}
    if world not in makers:
        raise BookError(f"world {world!r}", f"one of {', '.join(WORLDS)}, white", "correct the name")
    rng = np.random.default_rng([WORLDS.index(world), variant])
    body = makers[world](rng)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{body}</svg>'
    try:
        import resvg_py
    except ImportError as error:
        remedy = "install the extra `demo` (pip install 'beyond-imagenet-book[demo]')"
        raise InputsUnavailable("the renderer of backdrops", f"the package resvg-py ({error})", remedy) from None
    png = resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, height=HEIGHT, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"), dtype=np.float32) / 255
