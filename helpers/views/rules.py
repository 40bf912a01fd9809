"""The transformations themselves, in PIL: pixel for pixel those of torchvision on PIL images, without torch."""

from __future__ import annotations

from PIL import Image

from helpers.errors import BookError

MAX_PIXELS = 100_000_000
INTERPOLATIONS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def check_pixels(name: str, width: int, height: int) -> None:
    """BookError if an image of this size would have more than 100 megapixels.

    >>> check_pixels("a photograph", 500, 375)
    """
    if width * height <= MAX_PIXELS:
        return
    raise BookError(
        name,
        f"at most {MAX_PIXELS // 10**6} megapixels, found {width} x {height} = {width * height / 1e6:,.0f} megapixels",
        "leave this image out, or look whether it is damaged",
    )


def resized_size(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Size after the shorter side becomes `shorter` pixels; the longer one is truncated (torchvision's Resize(int)).

    >>> resized_size(500, 375, 256), resized_size(333, 500, 224)
    ((341, 256), (224, 336))
    """
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def centre_offset(size: int, crop: int) -> int:
    """First pixel of a centre crop along one side: round half to even; negative where the image is smaller.

    >>> centre_offset(341, 224), centre_offset(257, 224), centre_offset(4, 7)
    (58, 16, -1)
    """
    if crop > size:
        return -((crop - size) // 2)
    return round((size - crop) / 2)


def shift_box(width: int, height: int, crop: int, resize: int, shift: int) -> tuple[int, int, int, int]:
    """The moved crop box (left, top, right, bottom) in pixels of the original image.

    Its side is crop * min(w, h) / resize; it moves by `shift` pixels along the longer side only (down on
    square images), and every edge is truncated towards zero. Source: the paper's released `CropShift`.

    >>> shift_box(500, 375, 224, 256, 0), shift_box(500, 375, 224, 256, 30)
    ((85, 23, 413, 351), (115, 23, 443, 351))
    """
    short, long = min(width, height), max(width, height)
    side = int(crop * short / resize)
    # Operations in the order of the release: another one can truncate to another pixel.
    across = int(((resize - crop) / 2 * short) / resize)
    along = int(((long / short * resize - crop) / 2 * short) / resize + shift)
    left, top = (along, across) if width > height else (across, along)
    return left, top, left + side, top + side


def resize_and_crop(image: Image.Image, crop: int, resize: int, interpolation: str) -> Image.Image:
    """Resize the shorter side, then cut the centre square; [crop, crop] pixels in the image's own mode.

    Raises BookError where the resized image would exceed 100 megapixels.

    >>> resize_and_crop(Image.new("RGB", (500, 375)), 224, 256, "bilinear").size
    (224, 224)
    """
    size = resized_size(*image.size, resize)
    check_pixels(f"an image of {image.width} x {image.height} pixels, resized to {resize}", *size)
    if size != image.size:
        image = image.resize(size, INTERPOLATIONS[interpolation])
    left, top = (centre_offset(side, crop) for side in size)
    return image.crop((left, top, left + crop, top + crop))


def shifted(image: Image.Image, crop: int, resize: int, shift: int) -> Image.Image:
    """The moved crop box, black outside the image, resized to [crop, crop] (bilinear for every model).

    >>> shifted(Image.new("RGB", (500, 375)), 224, 256, 30).size
    (224, 224)
    """
    box = shift_box(*image.size, crop, resize, shift)
    if box[2] <= box[0]:
        raise BookError(
            f"an image of {image.width} x {image.height} pixels",
            f"a crop box of at least one pixel, found {crop} * {min(image.size)} / {resize} < 1",
            "leave this image out",
        )
    return image.crop(box).resize((crop, crop), Image.Resampling.BILINEAR)


def as_is(image: Image.Image, crop: int) -> Image.Image:
    """The image untouched; it must have the model's input size (the paper's cue-conflict images do).

    >>> as_is(Image.new("RGB", (224, 224)), 224).size
    (224, 224)
    """
    if image.size == (crop, crop):
        return image
    raise BookError(
        "an image that is to be used as it is",
        f"{crop} x {crop} pixels, found {image.width} x {image.height}",
        "use the view paper.eval, which resizes",
    )
