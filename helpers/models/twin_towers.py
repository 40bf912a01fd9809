"""The two reduced towers, built by timm from its own classes; `helpers.models.twins.register` makes them known.

Both see 64 x 64 pixels and do about 30 million multiply-accumulates for an image.
"""

from __future__ import annotations

__all__ = ["twin_convnext", "twin_vit"]

_COMMON = {
    "num_classes": 64, "input_size": (3, 64, 64), "interpolation": "bilinear", "crop_pct": 0.875,
    "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "license": "mit",
}  # fmt: skip
default_cfgs = {  # timm looks for this name in the module of an architecture that is registered
    "twin_convnext": {**_COMMON, "first_conv": "stem.0", "classifier": "head.fc", "pool_size": (2, 2)},
    "twin_vit": {
        **_COMMON, "first_conv": "patch_embed.proj", "classifier": "head", "pool_size": None, "fixed_input_size": True,
    },
}  # fmt: skip


# timm calls an architecture with whatever its caller asked for: this one signature takes **kwargs.
def twin_convnext(pretrained: bool = False, **kwargs):
    """ConvNeXt with 2-2-6-2 blocks of width 32 to 256; layer scale starts at 0.1, as trainings are short."""
    from timm.models import build_model_with_cfg
    from timm.models.convnext import ConvNeXt, checkpoint_filter_fn

    shape = {"depths": (2, 2, 6, 2), "dims": (32, 64, 128, 256), "ls_init_value": 0.1, "num_classes": 64}
    return build_model_with_cfg(
        ConvNeXt, "twin_convnext", pretrained, pretrained_filter_fn=checkpoint_filter_fn,
        feature_cfg={"out_indices": (0, 1, 2, 3), "flatten_sequential": True}, **{**shape, **kwargs},
    )  # fmt: skip


def twin_vit(pretrained: bool = False, **kwargs):
    """VisionTransformer with patches of 8 pixels, 4 blocks of width 96 and 3 heads, mean over the 64 patches."""
    from timm.models import build_model_with_cfg
    from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

    shape = {
        "img_size": 64, "patch_size": 8, "embed_dim": 96, "depth": 4, "num_heads": 3, "num_classes": 64,
        "class_token": False, "global_pool": "avg",
    }  # fmt: skip
    return build_model_with_cfg(
        VisionTransformer, "twin_vit", pretrained, pretrained_filter_fn=checkpoint_filter_fn,
        feature_cfg={"out_indices": 3, "feature_cls": "getter"}, **{**shape, **kwargs},
    )  # fmt: skip
