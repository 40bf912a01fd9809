"""How each protocol prepares an image for a model, as data: the views room carries it out."""

from __future__ import annotations

from helpers.errors import BookError
from helpers.models.table import ModelSpec
from helpers.views import Preprocessing, timm_preprocessing

PROTOCOLS = ("paper", "timm")


def preparation(spec: ModelSpec, protocol: str = "paper", image_size: int | None = None) -> Preprocessing:
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
    if protocol == "timm":
        return timm_preprocessing(crop, spec.crop_pct, spec.timm_interpolation, spec.mean, spec.std)
    ratio = spec.resize / spec.image_size
    native = Preprocessing("paper", spec.resize, spec.image_size, ratio, spec.interpolation, spec.mean, spec.std)
    return native if crop == spec.image_size else native.at(crop)
