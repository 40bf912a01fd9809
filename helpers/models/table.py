"""The table of models and observers: to add one, add one entry here (and its weights to the manifest)."""

from __future__ import annotations

from dataclasses import dataclass

PURPLE, ORANGE, GREY, BLACK = "#412f8a", "#fc8e62", "#8a8f98", "#1b1b1b"


@dataclass(frozen=True)
class ModelSpec:
    """One observer: where it comes from and how it is drawn.

    `backend` is "timm", "open_clip" (networks we can run), "released" (only published decisions
    exist here) or "planted" (known behaviour, no network). `family` is "convnext", "vit", "resnet" or
    "human"; `paradigm` is "sup", "clip", "self-sup" or "human".
    """

    key: str
    label: str
    family: str
    paradigm: str
    colour: str
    marker: str
    linestyle: str = "-"
    hatch: str = ""
    backend: str = "released"
    architecture: str | None = None
    checkpoint: str | None = None
    weights: str | None = None  # manifest id of the weight file
    eval_view: str = "paper.eval"
    note: str = ""


def _paper(key, label, family, paradigm, **rest) -> ModelSpec:
    colour, marker = {"convnext": (PURPLE, "s"), "vit": (ORANGE, "o")}[family]
    clip = paradigm == "clip"
    return ModelSpec(key, label, family, paradigm, colour, marker, "--" if clip else "-", "///" if clip else "", **rest)


def _other(key, label, family, paradigm, marker, colour=GREY, note="") -> ModelSpec:
    return ModelSpec(key, label, family, paradigm, colour, marker, ":", note=note)


_SPECS = (
    _paper("convnext_sup", "ConvNeXt-sup", "convnext", "sup", backend="timm",
           architecture="convnext_base", checkpoint="convnext_base.fb_in22k_ft_in1k",
           weights="convnext_base_sup_in22k_ft_in1k"),
    _paper("vit_sup", "ViT-sup", "vit", "sup", backend="timm",
           architecture="deit3_base_patch16_224", checkpoint="deit3_base_patch16_224.fb_in22k_ft_in1k",
           weights="deit3_base_sup_in22k_ft_in1k"),
    _paper("convnext_clip", "ConvNeXt-CLIP", "convnext", "clip", backend="open_clip",
           architecture="convnext_base", checkpoint="laion400m_s13b_b51k", weights="convnext_base_clip_laion400m"),
    _paper("vit_clip", "ViT-CLIP", "vit", "clip", backend="open_clip",
           architecture="ViT-B-16", checkpoint="laion400m_e31", weights="vit_b16_clip_laion400m_e31"),
    _other("convnext_in1k", "ConvNeXt-B (1k only)", "convnext", "sup", "D"),
    _other("vit_in1k", "DeiT3-B (1k only)", "vit", "sup", "X"),
    _other("convnextv2", "ConvNeXt V2-B", "convnext", "self-sup", "P", note="variant not stated by the release"),
    _other("mae", "MAE ViT-B", "vit", "self-sup", "v"),
    _other("resnet50_tv", "ResNet-50 (torchvision)", "resnet", "sup", "^"),
    _other("resnet50", "ResNet-50", "resnet", "sup", "^"),
    _other("vit", "ViT", "vit", "sup", "X"),
    _other("simclr", "SimCLR ResNet-50", "resnet", "self-sup", "P"),
    _other("dino", "DINO (size not stated)", "vit", "self-sup", "D"),
    *(_other(f"human_{i:02d}", f"person {i}", "human", "human", "*", BLACK) for i in range(1, 11)),
)  # fmt: skip

MODELS: dict[str, ModelSpec] = {spec.key: spec for spec in _SPECS}

MODEL_SETS: dict[str, tuple[str, ...]] = {
    "paper": ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip"),
    "released_imagenet_x": ("resnet50", "vit", "simclr", "dino"),
    "released_cue_conflict": (
        "convnext_sup", "vit_sup", "convnext_clip", "vit_clip",
        "convnext_in1k", "vit_in1k", "convnextv2", "mae", "resnet50_tv",
        *(f"human_{i:02d}" for i in range(1, 11)),
    ),
}  # fmt: skip
