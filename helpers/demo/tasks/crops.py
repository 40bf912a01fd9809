"""Real pictures for tasks: scikit-learn's digits, and crops of the photographs that come with scikit-image.

Crops for training and for testing come from disjoint halves of each picture. A half is cut into cells, and a crop lies
wholly in one of them: cells are the unit of resampling, as crops of one cell overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from helpers.demo.tasks.spec import Pictures
from helpers.demo.world import HEIGHT, WIDTH, spawn
from helpers.errors import InputsUnavailable

SEED = 20
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "clock", "coffee", "coins", "motorcycle", "rocket")
TISSUE = "immunohistochemistry"
INSTRUMENTS = {"microscope": "cell", "stained section": TISSUE, "eye camera": "retina",
               "telescope": "moon", "space telescope": "hubble_deep_field"}  # fmt: skip
SURFACES = ("brick", "grass", "gravel")
STEPS = (40, 58, 84, 122)  # height of a crop in pixels of the photograph: four distances
CROP, TISSUE_CROP = 72, 48  # height of the other crops
CELLS, SURFACE_CELLS, TISSUE_CELLS = (4, 2), (4, 1), (6, 3)  # rows and columns that a half is cut into
TRIM = {"retina": 220}  # pixels at every edge that are left out: around the eye the picture is black
SIDE = 64  # of the smallest pictures, enlarged: what every model's crop shows


@cache
def photograph(name: str) -> np.ndarray:
    """A photograph of scikit-image as uint8 (height, width, 3). Raises InputsUnavailable without the package."""
    try:
        from skimage import data
    except ImportError as error:
        remedy = "install the extra `demo` (pip install 'beyond-imagenet-book[demo]')"
        raise InputsUnavailable(f"photograph {name}", f"the package scikit-image ({error})", remedy) from None
    found = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    found = np.asarray(found)
    return np.repeat(found[..., None], 3, axis=2) if found.ndim == 2 else found[..., :3]


def half(name: str, split: str) -> np.ndarray:
    """The left half of a photograph for training, the right one for testing, with a gap of 2 % between them.

    >>> half("chelsea", "train").shape[1] + half("chelsea", "test").shape[1] < photograph("chelsea").shape[1]
    True
    """
    whole, trim = photograph(name), TRIM.get(name, 0)
    whole = whole[trim : len(whole) - trim, trim : whole.shape[1] - trim]
    middle, gap = whole.shape[1] // 2, max(1, whole.shape[1] // 100)
    return whole[:, : middle - gap] if split == "train" else whole[:, middle + gap :]


def crop(picture: np.ndarray, rng: np.random.Generator, cells: tuple[int, int], height: int) -> tuple[np.ndarray, int]:
    """A crop of this height (6 : 5), or what fits, anywhere within one cell: array (h, w, bands), number of the cell.

    >>> part, cell = crop(np.zeros((100, 100, 3)), np.random.default_rng(0), (2, 1), 40)
    >>> part.shape, cell in (0, 1)
    ((40, 48, 3), True)
    """
    rows, columns = picture.shape[0] // cells[0], picture.shape[1] // cells[1]
    row, column = int(rng.integers(cells[0])), int(rng.integers(cells[1]))
    height = min(height, rows, columns * 5 // 6)
    width = height * 6 // 5
    top = row * rows + int(rng.integers(rows - height + 1))
    left = column * columns + int(rng.integers(columns - width + 1))
    return picture[top : top + height, left : left + width], row * cells[1] + column


def _shown(part: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(np.ascontiguousarray(part)).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def _levelled(part: np.ndarray) -> np.ndarray:
    """In grey, with one mean and contrast for all, so that tone alone does not tell where a crop is from."""
    grey = part @ np.array([0.299, 0.587, 0.114])
    grey = 128 + 45 * (grey - grey.mean()) / max(grey.std(), 4.0)
    return np.repeat(np.rint(np.clip(grey, 0, 255)).astype(np.uint8)[..., None], 3, axis=2)


def _crops(name: str, task: str, split: str, n: int, one: Callable) -> Pictures:
    """n pictures of a set; `one`(rng) gives (picture, class, name of the photograph, its cell)."""
    found = []
    for index in range(n):
        picture, label, source, cell = one(spawn(SEED, f"{name}/{split}", index))
        found.append((_shown(picture), label, f"{source}/{split}/{cell}"))
    ids = tuple(f"{name}_{split}_{index:04d}" for index in range(n))
    pixels, labels, units = zip(*found, strict=True)
    return Pictures(np.stack(pixels), ids, {task: labels}, units)


def _which(name: str, sources: tuple[str, ...], split: str, n: int) -> Pictures:
    def one(rng: np.random.Generator):
        label = int(rng.integers(len(sources)))
        part, cell = crop(half(sources[label], split), rng, CELLS, CROP)
        return _levelled(part), label, sources[label], cell

    return _crops(name, name, split, n, one)


def photographs(split: str, n: int) -> Pictures:
    """Grey crops of eight photographs; asked is from which one."""
    return _which("photographs", PHOTOGRAPHS, split, n)


def instruments(split: str, n: int) -> Pictures:
    """Grey crops of five scientific pictures; asked is which instrument took them."""
    return _which("instruments", tuple(INSTRUMENTS.values()), split, n)


def magnified(split: str, n: int) -> Pictures:
    """Grey crops of three surfaces at four magnifications; asked is the magnification."""

    def one(rng: np.random.Generator):
        label, name = int(rng.integers(len(STEPS))), SURFACES[int(rng.integers(len(SURFACES)))]
        part, cell = crop(half(name, split), rng, SURFACE_CELLS, STEPS[label])
        return _levelled(part), label, name, cell

    return _crops("surfaces", "magnification", split, n, one)


def tissue(split: str, n: int) -> Pictures:
    """Crops of a stained section; asked is whether their middle has more brown stain than the section's median."""
    both = np.dstack([half(TISSUE, split), _stain(split)])
    usual = float(np.median(np.concatenate([_stain(each).ravel() for each in ("train", "test")])))

    def one(rng: np.random.Generator):
        part, cell = crop(both, rng, TISSUE_CELLS, TISSUE_CROP)
        rows, columns = part.shape[0] // 4, part.shape[1] // 4
        middle = part[rows:-rows, columns:-columns, 3]
        return part[..., :3].astype(np.uint8), int(middle.mean() > usual), TISSUE, cell

    return _crops("tissue", "tissue", split, n, one)


@cache
def _stain(split: str) -> np.ndarray:
    """How much brown stain each pixel of the section shows (colour deconvolution, Ruifrok & Johnston 2001)."""
    from skimage.color import rgb2hed

    return rgb2hed(half(TISSUE, split))[..., 2]


def digits(split: str, n: int) -> Pictures:
    """Handwritten digits of 8 x 8 pixels, enlarged: the first of the file for training, the last for testing."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = np.arange(n) if split == "train" else np.arange(len(found.target) - n, len(found.target))
    pixels = np.stack([_enlarged(found.images[row] / 16) for row in rows])
    ids = tuple(f"digits_{row:04d}" for row in rows)
    return Pictures(pixels, ids, {"digits": tuple(int(each) for each in found.target[rows])}, ids)


def faces(split: str, n: int) -> Pictures:
    """Photographs of 25 x 25 pixels, enlarged: faces, and parts of backgrounds; every other one for training."""
    from skimage import data

    found = data.lfw_subset()
    alternate = np.arange(0 if split == "train" else 1, len(found), 2)
    rows = alternate[np.linspace(0, len(alternate) - 1, n).astype(int)]  # faces come first, backgrounds last
    ids = tuple(f"faces_{row:03d}" for row in rows)
    pixels = np.stack([_enlarged(found[row]) for row in rows])
    return Pictures(pixels, ids, {"faces": tuple(int(row < len(found) // 2) for row in rows)}, ids)


def _enlarged(grey: np.ndarray) -> np.ndarray:
    """A small square picture (0..1) in the middle of a black one."""
    small = Image.fromarray(np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8))
    whole = Image.new("L", (WIDTH, HEIGHT))
    whole.paste(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), ((WIDTH - SIDE) // 2, (HEIGHT - SIDE) // 2))
    return np.repeat(np.asarray(whole)[..., None], 3, axis=2)
