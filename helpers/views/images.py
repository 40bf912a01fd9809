"""Bytes to pixels, and pixels to model input."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from helpers.errors import BookError
from helpers.views.preprocessing import Preprocessing
from helpers.views.rules import check_pixels

if TYPE_CHECKING:
    import torch


def decode(data: bytes, name: str, keep_mode: bool = False) -> Image.Image:
    """The image in these bytes as RGB, as torchvision's ImageFolder decodes it: EXIF rotation is ignored.

    With `keep_mode` a grey, palette, alpha or CMYK image keeps its mode (a view converts it after the crop).
    Raises BookError with `name` where the bytes are no complete image or it exceeds 100 megapixels.

    >>> buffer = io.BytesIO()
    >>> Image.new("L", (3, 2)).save(buffer, "PNG")
    >>> decode(buffer.getvalue(), "grey.png").mode, decode(buffer.getvalue(), "grey.png", keep_mode=True).mode
    ('RGB', 'L')
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            check_pixels(name, *image.size)
            image.load()
            return image.copy() if keep_mode else image.convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BookError(name, f"at most 100 megapixels; {error}", "look whether it is damaged") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
        raise BookError(
            name, f"an image that can be decoded; {type(error).__name__}: {error}", "get this file again"
        ) from None


def normalise(pixels: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Model input from uint8 pixels [..., 3, H, W]: (pixels / 255 - mean) / std in float32, on their device.

    The operations and their order are those of torchvision's ToTensor and Normalize.

    >>> import torch
    >>> from helpers.views import SUPERVISED
    >>> normalise(torch.full((3, 1, 1), 255, dtype=torch.uint8), SUPERVISED).flatten()
    tensor([2.2489, 2.4286, 2.6400])
    """
    import torch

    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=pixels.device).view(3, 1, 1)
        for values in (preprocessing.mean, preprocessing.std)
    )
    return pixels.to(torch.float32).div_(255).sub_(mean).div_(std)
