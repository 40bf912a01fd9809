"""How a model wants its images: sizes, interpolation and normalisation, as plain facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Preprocessing:
    """The evaluation preprocessing of one model under one protocol ("paper" or "timm").

    The shorter side is resized to `resize` pixels, then the centre `crop` x `crop` is cut out. `ratio` is
    resize : crop of the protocol before truncation; it carries the rule over to other sizes (`at`).
    `interpolation` is "bilinear" or "bicubic", always PIL's, with antialias.
    """

    protocol: str = "paper"
    resize: int = 256
    crop: int = 224
    ratio: float = 256 / 224
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def at(self, crop: int) -> Preprocessing:
        """The same rule for another input size: resize = int(crop * ratio) (paper, appendix: resolution).

        >>> [SUPERVISED.at(size).resize for size in (64, 112, 224, 336, 512, 640)]
        [73, 128, 256, 384, 585, 731]
        """
        return replace(self, crop=crop, resize=int(crop * self.ratio))


SUPERVISED = Preprocessing()
"""The paper's supervised models: torchvision's Resize(256), bilinear, and CenterCrop(224)."""

CLIP = Preprocessing(
    resize=224, ratio=1.0, interpolation="bicubic", mean=OPENAI_MEAN, std=OPENAI_STD
)  # fmt: skip
"""The paper's CLIP models: open_clip 2.20's evaluation transform."""


def timm_preprocessing(
    crop: int, crop_pct: float, interpolation: str, mean: tuple[float, ...], std: tuple[float, ...]
) -> Preprocessing:
    """What timm recommends for a model: resize = floor(crop / crop_pct) (timm.data.transforms_factory, centre mode).

    >>> timm_preprocessing(224, 0.875, "bicubic", IMAGENET_MEAN, IMAGENET_STD).resize
    256
    """
    return Preprocessing("timm", int(crop / crop_pct), crop, 1 / crop_pct, interpolation, tuple(mean), tuple(std))
