"""The table of models and observers: to add one, add one entry here (and its weights to the manifest)."""

from __future__ import annotations

from dataclasses import dataclass

PURPLE, ORANGE, GREY, BLACK = "#412f8a", "#fc8e62", "#8a8f98", "#1b1b1b"
TEAL, BROWN = "#1b7f79", "#a3622c"  # other residual networks, other transformers: never those of the paper's four
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OPENAI_MEAN, OPENAI_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class ModelSpec:
    """One observer: where it comes from, what it wants to see, how it is drawn.

    `backend` is "timm", "open_clip" (networks we can run), "released" (only published decisions
    exist here) or "planted" (known behaviour, no network). `family` is "convnext", "vit", "resnet",
    "efficientnet", "other" or "human"; `paradigm` is "sup", "clip", "self-sup" or "human".
    `checkpoint` is timm's name with its tag, or open_clip's tag; `options` are arguments of timm's builder.
    `image_size` is the side in pixels that the network was trained for, `resize` and `interpolation` the paper's
    preparation at that size, `crop_pct` and `timm_interpolation` timm's own; `mean` and `std` hold for both.
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
    weights: str | None = None  # manifest id of the weight file; None: the library's own hub
    packaged: str | None = None  # or a weight file inside the package, below helpers/data
    options: tuple[tuple[str, object], ...] = ()
    image_size: int = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    resize: int = 256
    interpolation: str = "bilinear"
    crop_pct: float = 0.875
    timm_interpolation: str = "bicubic"
    eval_view: str = "paper.eval"
    note: str = ""


def _paper(key, label, family, paradigm, **rest) -> ModelSpec:
    colour, marker = {"convnext": (PURPLE, "s"), "vit": (ORANGE, "o")}[family]
    clip = paradigm == "clip"
    return ModelSpec(key, label, family, paradigm, colour, marker, "--" if clip else "-", "///" if clip else "", **rest)


def clip_preparation(image_size: int) -> dict[str, object]:
    """Preparation of every open_clip model of the table: shorter side to the crop, bicubic, OpenAI's statistics.

    >>> clip_preparation(224)["resize"]
    224
    """
    return {
        "image_size": image_size, "resize": image_size, "interpolation": "bicubic", "crop_pct": 1.0,
        "mean": OPENAI_MEAN, "std": OPENAI_STD,
    }  # fmt: skip


def _other(key, label, family, paradigm, marker, colour=GREY, **rest) -> ModelSpec:
    hatch = "xxx" if paradigm == "self-sup" else ""
    return ModelSpec(key, label, family, paradigm, colour, marker, ":", hatch, **rest)


def _twin(key, label, family, paradigm) -> ModelSpec:
    """A small twin of the demo: the colour and marks of the paper's model, its own weights, images of 64 pixels."""
    clip = paradigm == "clip"
    architecture = f"twin_{family}_clip" if clip else f"twin_{family}"
    prepared = clip_preparation(64) if clip else {"image_size": 64, "resize": 73, "timm_interpolation": "bilinear"}
    return _paper(
        key, label, family, paradigm, backend="open_clip" if clip else "timm", architecture=architecture,
        packaged=f"twins/{key}_seed0.safetensors", note="trained on the drawn world alone", **prepared,
    )  # fmt: skip


_SPECS = (
    _paper("convnext_sup", "ConvNeXt-sup", "convnext", "sup", backend="timm",
           architecture="convnext_base", checkpoint="convnext_base.fb_in22k_ft_in1k",
           weights="convnext_base_sup_in22k_ft_in1k"),
    _paper("vit_sup", "ViT-sup", "vit", "sup", backend="timm", crop_pct=1.0,
           architecture="deit3_base_patch16_224", checkpoint="deit3_base_patch16_224.fb_in22k_ft_in1k",
           weights="deit3_base_sup_in22k_ft_in1k"),
    _paper("convnext_clip", "ConvNeXt-CLIP", "convnext", "clip", backend="open_clip",
           architecture="convnext_base", checkpoint="laion400m_s13b_b51k", weights="convnext_base_clip_laion400m",
           **clip_preparation(224)),
    _paper("vit_clip", "ViT-CLIP", "vit", "clip", backend="open_clip",
           architecture="ViT-B-16", checkpoint="laion400m_e31", weights="vit_b16_clip_laion400m_e31",
           **clip_preparation(224)),
    _paper("convnext_clip_laion2b", "ConvNeXt-CLIP (LAION-2B)", "convnext", "clip", backend="open_clip",
           architecture="convnext_base_w", checkpoint="laion2b_s13b_b82k", **clip_preparation(256),
           note="wider embedding (640) and 256 px; no 224 px ConvNeXt-B was published on LAION-2B"),
    _paper("vit_clip_laion2b", "ViT-CLIP (LAION-2B)", "vit", "clip", backend="open_clip",
           architecture="ViT-B-16", checkpoint="laion2b_s34b_b88k", **clip_preparation(224)),
    _other("convnext_in1k", "ConvNeXt-B (1k only)", "convnext", "sup", "D", backend="timm",
           architecture="convnext_base", checkpoint="convnext_base.fb_in1k", weights="convnext_base_in1k"),
    _other("vit_in1k", "DeiT3-B (1k only)", "vit", "sup", "X", backend="timm", crop_pct=0.9,
           architecture="deit3_base_patch16_224", checkpoint="deit3_base_patch16_224.fb_in1k",
           weights="deit3_base_in1k"),
    _other("convnextv2", "ConvNeXt V2-B", "convnext", "self-sup", "P", backend="timm",
           architecture="convnextv2_base", checkpoint="convnextv2_base.fcmae_ft_in1k", weights="convnextv2_base",
           note="variant not stated by the release; run here: fine-tuned on ImageNet-1k only"),
    _other("mae", "MAE ViT-B", "vit", "self-sup", "v", backend="timm",
           architecture="vit_base_patch16_224", options=(("global_pool", "avg"),), weights="mae_vit_base_ft"),
    _other("resnet50_tv", "ResNet-50 (torchvision)", "resnet", "sup", "^", backend="timm",
           architecture="resnet50", checkpoint="resnet50.tv_in1k", weights="tv_resnet50",
           timm_interpolation="bilinear"),
    _other("efficientnet_lite0", "EfficientNet-Lite0", "efficientnet", "sup", "h", backend="timm",
           architecture="tf_efficientnet_lite0", checkpoint="tf_efficientnet_lite0.in1k", mean=HALF, std=HALF,
           weights="efficientnet_lite0",
           note="small real weights from a package, for checks of the inference path"),
    _twin("twin_convnext_sup", "ConvNeXt-sup twin", "convnext", "sup"),
    _twin("twin_vit_sup", "ViT-sup twin", "vit", "sup"),
    _twin("twin_convnext_clip", "ConvNeXt-CLIP twin", "convnext", "clip"),
    _twin("twin_vit_clip", "ViT-CLIP twin", "vit", "clip"),
    _other("resnet50", "ResNet-50", "resnet", "sup", "^", TEAL),
    _other("vit", "ViT", "vit", "sup", "X", BROWN),
    _other("simclr", "SimCLR ResNet-50", "resnet", "self-sup", "v", TEAL),
    _other("dino", "DINO (size not stated)", "vit", "self-sup", "D", BROWN),
    *(_other(f"human_{i:02d}", f"person {i}", "human", "human", "*", BLACK) for i in range(1, 11)),
)  # fmt: skip

MODELS: dict[str, ModelSpec] = {spec.key: spec for spec in _SPECS}

MODEL_SETS: dict[str, tuple[str, ...]] = {
    "paper": ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip"),
    "in1k": ("convnext_in1k", "vit_in1k", "convnext_clip", "vit_clip"),
    "laion2b": ("convnext_sup", "vit_sup", "convnext_clip_laion2b", "vit_clip_laion2b"),
    "demo": ("twin_convnext_sup", "twin_vit_sup", "twin_convnext_clip", "twin_vit_clip"),
    "released_imagenet_x": ("resnet50", "vit", "simclr", "dino"),
    "released_cue_conflict": (
        "convnext_sup", "vit_sup", "convnext_clip", "vit_clip",
        "convnext_in1k", "vit_in1k", "convnextv2", "mae", "resnet50_tv",
        *(f"human_{i:02d}" for i in range(1, 11)),
    ),
}  # fmt: skip
