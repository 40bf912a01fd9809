"""Which comparisons each claim is made of, in the order of the paper's sections."""

from __future__ import annotations

from collections.abc import Callable

from helpers.paper import comparisons as c
from helpers.paper.lookup import Index, mean_contrast
from helpers.paper.names import (
    CLIP,
    CONVNEXT_SUP,
    PAPER_MODELS,
    SAME_ARCHITECTURE,
    SAME_PARADIGM,
    SHIFTED,
    SHIFTED_MEAN,
    SUPERVISED,
    TRANSFER_MEAN,
    VIT_SUP,
    VTAB,
)
from helpers.paper.panels import PANELS
from helpers.paper.verdicts import Component

VAL, X, CUES, PUG = "imagenet1k_val", "imagenet_x", "cue_conflict", "pug_imagenet"
RENDITIONS = ("imagenet_r", "imagenet_sketch")
TRANSFORMS = ("scale", "shift", "resolution")
NEARLY_ALL = 8  # of PUG's 10 factors
TOP_TWO = 14  # of the 15 other factors
CLOSE_ACCURACY, CLOSE_AVERAGE = 1.0, 1.5  # points


def comparable(index: Index) -> list[Component]:
    """ConvNeXt and ViT are close on ImageNet-1k, under each paradigm."""
    return [c.close(index, vit, convnext, VAL, CLOSE_ACCURACY) for convnext, vit in SAME_PARADIGM]


def clip_fewer_mistakes(index: Index) -> list[Component]:
    """The CLIP model has the lower mean error ratio, for each architecture."""
    group = c.mean_group(index)
    return [c.higher(index, sup, clip, X, "error_ratio", group, "mean error ratio") for sup, clip in SAME_ARCHITECTURE]


def occlusion(factor: str) -> Callable[[Index], list[Component]]:
    """A factor has an error ratio above the mean, for each model."""
    return lambda index: [c.factor_above_mean(index, model, factor) for model in PAPER_MODELS]


def texture(at_least: int | None) -> Callable[[Index], list[Component]]:
    """Texture has the highest error ratio, for each model; `at_least`: against how many other factors."""
    return lambda index: [
        part for model in PAPER_MODELS for part in c.factor_against_others(index, model, "texture", at_least)
    ]


def shape_of_clip(index: Index) -> list[Component]:
    """The CLIP model has the higher shape bias, for each architecture."""
    return [c.higher(index, clip, sup, CUES, "shape_bias") for sup, clip in SAME_ARCHITECTURE]


def shape_of_vit(index: Index) -> list[Component]:
    """ViT has the higher shape bias, under each paradigm."""
    return [c.higher(index, vit, convnext, CUES, "shape_bias") for convnext, vit in SAME_PARADIGM]


def confident(models: tuple[str, ...], over: bool, datasets=PANELS) -> Callable[[Index], list[Component]]:
    """Models are over- or under-confident on every one of the data sets."""
    return lambda index: [c.sign_of_gap(index, model, dataset, over) for dataset in datasets for model in models]


def sup_better_calibrated(index: Index) -> list[Component]:
    """Each supervised model has a lower ECE than each CLIP model, on both sets."""
    pairs = [(clip, sup) for clip in CLIP for sup in SUPERVISED]
    return [c.higher(index, *pair, dataset, "ece", what="ECE") for dataset in PANELS for pair in pairs]


def convnext_better_calibrated(index: Index) -> list[Component]:
    """Supervised ConvNeXt has a lower ECE than supervised ViT, on both sets."""
    return [c.higher(index, VIT_SUP, CONVNEXT_SUP, dataset, "ece", what="ECE") for dataset in PANELS]


def robust_close(index: Index) -> list[Component]:
    """ConvNeXt and ViT are close on average over the shifted sets, under each paradigm."""
    return [
        c.average_close(index, vit, convnext, SHIFTED_MEAN, SHIFTED, CLOSE_AVERAGE) for convnext, vit in SAME_PARADIGM
    ]


def sup_more_robust(index: Index) -> list[Component]:
    """The supervised model is ahead on every shifted set but the renditions, for each architecture."""
    sets = [dataset for dataset in SHIFTED if dataset not in RENDITIONS]
    return [c.higher(index, sup, clip, each, "accuracy") for sup, clip in SAME_ARCHITECTURE for each in sets]


def clip_on_renditions(index: Index) -> list[Component]:
    """The CLIP model is ahead on the two sets of renditions, for each architecture."""
    return [c.higher(index, clip, sup, each, "accuracy") for sup, clip in SAME_ARCHITECTURE for each in RENDITIONS]


def sup_more_robust_on_average(index: Index) -> list[Component]:
    """The supervised model is ahead on average over the shifted sets, for each architecture."""
    return [c.average_higher(index, sup, clip, SHIFTED_MEAN, SHIFTED) for sup, clip in SAME_ARCHITECTURE]


def transfer(first: str, second: str) -> Callable[[Index], list[Component]]:
    """The first model transfers better than the second on average."""
    return lambda index: [c.average_higher(index, first, second, TRANSFER_MEAN, VTAB)]


def near_clip(index: Index) -> list[Component]:
    """The CLIP model that transfers better is ahead of supervised ConvNeXt, and by little."""
    found = {clip: mean_contrast(index, clip, CONVNEXT_SUP, TRANSFER_MEAN, VTAB) for clip in CLIP}
    best = max(CLIP, key=lambda clip: found[clip].value) if None not in found.values() else CLIP[0]
    pair = (best, CONVNEXT_SUP, TRANSFER_MEAN, VTAB)
    return [c.average_higher(index, *pair), c.average_close(index, *pair, CLOSE_AVERAGE)]


def clip_transfers_better(index: Index) -> list[Component]:
    """Each CLIP model transfers better than each supervised one on average."""
    return [c.average_higher(index, clip, sup, TRANSFER_MEAN, VTAB) for clip in CLIP for sup in SUPERVISED]


def pug_factors(index: Index) -> list[Component]:
    """ConvNeXt is ahead of ViT on each PUG factor, under each paradigm (a family each)."""
    return [part for convnext, vit in SAME_PARADIGM for part in c.pug_factors(index, convnext, vit, NEARLY_ALL)]


def pug_average(pairs) -> Callable[[Index], list[Component]]:
    """The first model of each pair is ahead on average over the PUG factors."""
    return lambda index: [
        c.higher(index, *pair, PUG, "accuracy", c.pug_mean(index), "average accuracy") for pair in pairs
    ]


def pug_gap(index: Index) -> list[Component]:
    """ConvNeXt's lead over ViT on PUG is larger under supervision than under CLIP."""
    return [c.pug_gap_shrinks(index, *SAME_PARADIGM)]


def drops(others: tuple[str, ...], strict: bool = True) -> Callable[[Index], list[Component]]:
    """Supervised ConvNeXt loses less than each of the other models, under each transform."""
    return lambda index: [
        c.drop_smaller(index, CONVNEXT_SUP, other, transform, strict) for transform in TRANSFORMS for other in others
    ]


def pointwise(index: Index) -> list[Component]:
    """Supervised ConvNeXt is at least as accurate as supervised ViT at every setting."""
    return [part for transform in TRANSFORMS for part in c.pointwise(index, CONVNEXT_SUP, VIT_SUP, transform)]


def shift_easiest(index: Index) -> list[Component]:
    """Every model loses less under shift than under scale and resolution."""
    return [c.drop_in(index, model, harder, "shift") for model in PAPER_MODELS for harder in ("scale", "resolution")]


def convnext_over_vit(index: Index) -> list[Component]:
    """Supervised ConvNeXt is ahead of supervised ViT in four properties."""
    transfer = c.average_higher(index, CONVNEXT_SUP, VIT_SUP, TRANSFER_MEAN, VTAB)
    robust = c.average_higher(index, CONVNEXT_SUP, VIT_SUP, SHIFTED_MEAN, SHIFTED)
    return [*convnext_better_calibrated(index), *drops((VIT_SUP,))(index), transfer, robust]
