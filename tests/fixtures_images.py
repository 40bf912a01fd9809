"""Images for tests: drawn ones everywhere, the mirror's photographs where there is a mirror, and awkward variants."""

from __future__ import annotations

import io
import os
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image


def drawn_photograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """An RGB picture with gradients, edges and noise, so that another interpolation or crop changes its pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (3 + 5 * c) + y / (7 + 3 * c) + seed) * 80 + 128 for c in range(3)]
    pixels = np.stack(waves, axis=-1) + rng.normal(0, 30, (height, width, 3))
    pixels[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 20)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


PHOTOGRAPHS = "raw.githubusercontent.com/EliSchwartz/imagenet-sample-images"


@cache
def _real_photographs() -> list[Image.Image]:
    """Real photographs: the mirror's of ImageNet where there is a mirror, else those that scikit-image carries."""
    folder = os.environ.get("BOOK_MIRROR")
    if folder and (Path(folder) / PHOTOGRAPHS).is_dir():  # a test may have set up a mirror of its own
        paths = photographs(Path(folder))
    else:
        import skimage.data

        names = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "retina.jpg", "hubble_deep_field.jpg")
        paths = [Path(skimage.data.__file__).with_name(name) for name in names]
    return [Image.open(path).convert("RGB").resize((96, 72), Image.Resampling.BILINEAR) for path in paths]


def photograph_part(width: int, height: int, seed: int) -> Image.Image:
    """A part of a real photograph (at most 96 x 72 pixels), another one for each of many seeds."""
    found = _real_photographs()
    left, top = (7 * (seed // len(found))) % (97 - width), (5 * (seed // len(found) // 9)) % (73 - height)
    return found[seed % len(found)].crop((left, top, left + width, top + height))


def encoded(image: Image.Image, form: str = "JPEG", exif: bytes = b"") -> bytes:
    """The image as a file."""
    buffer = io.BytesIO()
    options = {"JPEG": {"quality": 92, "exif": exif}, "WEBP": {"lossless": True}}.get(form, {})
    image.save(buffer, form, **options)
    return buffer.getvalue()


def awkward_variants(image: Image.Image) -> dict[str, bytes]:
    """Files made from one photograph: grey, CMYK, palette, alpha, turned by EXIF, 4 pixels wide and 4 high."""
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees to show it upright"
    alpha = image.convert("RGBA")
    alpha.putalpha(image.convert("L"))
    return {
        "grey": encoded(image.convert("L")),
        "cmyk": encoded(image.convert("CMYK")),
        "palette": encoded(image.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
        "alpha": encoded(alpha, "PNG"),
        "exif": encoded(image, exif=exif.tobytes()),
        "4 wide": encoded(image.crop((10, 0, 14, image.height))),
        "4 high": encoded(image.crop((0, 10, image.width, 14))),
    }


def photographs(mirror: Path) -> list[Path]:
    """The mirror's ImageNet photographs, named `<wnid>_<class name>.JPEG`."""
    found = sorted((mirror / PHOTOGRAPHS).glob("*/*.JPEG"))
    assert len(found) == 50
    return found


def cue_conflict_images(mirror: Path) -> list[Path]:
    """The 64 cue-conflict images of the mirror, in their category folders."""
    below = "raw.githubusercontent.com/kirill-vish/Beyond-INet/*/inference/modelvshuman/datasets/cue-conflict/*/*.png"
    found = sorted(mirror.glob(below))
    assert len(found) == 64
    return found
