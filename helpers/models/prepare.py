"""How each protocol prepares an image for a model, as data: the views room carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.errors import BookError
from helpers.models.table import ModelSpec

PROTOCOLS = ("paper", "timm")


@dataclass(frozen=True)
class Preparation:
    """Resize the shorter side to `resize`, cut the central `crop` square, then (x - mean) / std on RGB in [0, 1]."""

    resize: int
    crop: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def preparation(spec: ModelSpec, protocol: str = "paper", image_size: int | None = None) -> Preparation:
    """The evaluation of a model under "paper" or "timm" (for CLIP both are open_clip's own), sides in pixels.

    paper: resize = int(image_size * spec.resize / spec.image_size), as the released code computes it;
    timm: resize = floor(image_size / crop_pct), at the training size (timm also lists a larger test size for
    ConvNeXt). Raises BookError for another protocol.

    >>> from helpers.models import MODELS
    >>> preparation(MODELS["convnext_sup"], "paper", 512).resize, preparation(MODELS["vit_in1k"], "timm").resize
    (585, 248)
    """
    if protocol not in PROTOCOLS:
        raise BookError(f"protocol {protocol!r}", f"one of {', '.join(PROTOCOLS)}", "choose one of them")
    crop = image_size or spec.image_size
    if protocol == "paper":
        return Preparation(int(crop * spec.resize / spec.image_size), crop, spec.interpolation, spec.mean, spec.std)
    return Preparation(int(crop / spec.crop_pct), crop, spec.timm_interpolation, spec.mean, spec.std)
