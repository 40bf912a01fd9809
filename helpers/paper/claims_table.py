"""Every claim of the paper as data: what it says, in which section, and the comparisons that decide it.

Statements are in our words. `strict_of` marks a stricter reading of our own making, which does not count as a claim of
the paper; `threshold_ours` marks a margin that the paper does not state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from helpers.paper import claim_parts as parts
from helpers.paper.claim_parts import NEARLY_ALL, TOP_TWO, VAL
from helpers.paper.lookup import Index
from helpers.paper.names import (
    CLIP,
    CONVNEXT_CLIP,
    CONVNEXT_SUP,
    SAME_ARCHITECTURE,
    SAME_PARADIGM,
    SUPERVISED,
    VIT_CLIP,
    VIT_SUP,
)
from helpers.paper.verdicts import Component


@dataclass(frozen=True)
class Claim:
    """One statement of the paper, and `comparisons(index)`, which gives its components.

    `at_least`: how many of each family of components must pass (None: all); `caution`: what their intervals leave out.
    """

    id: str
    section: str
    statement: str
    comparisons: Callable[[Index], list[Component]]
    at_least: int | None = None
    strict_of: str | None = None
    threshold_ours: bool = False
    caution: str | None = None


HARD_N = "ImageNet-Hard is counted with 10,980 images, the fewest of its published versions; the paper's is unknown"
KITTI_VIDEOS = (
    "test images as VTAB splits them; KITTI's frames count as separate images though they come from few videos, which "
    "understates the error"
)
MISTAKES, SHAPE, CALIBRATION, ROBUST = "02_mistakes", "03_shape_texture", "04_calibration", "05_robustness"
TRANSFER, SYNTHETIC, INVARIANCE, CONCLUSIONS = "06_transferability", "07_synthetic", "08_invariance", "10_synthesis"

OUR_READINGS = ("mistakes_texture_top2", "calib_sup_under_1k")  # weaker than what the paper says

CLAIMS: tuple[Claim, ...] = (
    Claim("comparable_accuracy", "01_models",
          "Within a training paradigm, ConvNeXt and ViT are about equally accurate on ImageNet-1k.",
          parts.comparable, threshold_ours=True),
    Claim("mistakes_clip_fewer", MISTAKES,
          "For each architecture, the CLIP model has the lower mean error ratio over the 16 factors.",
          parts.clip_fewer_mistakes),
    Claim("mistakes_occlusion", MISTAKES,
          "Occlusion is hard: for every model, the error ratio of object blocking is above the model's mean.",
          parts.occlusion("object_blocking")),
    Claim("mistakes_occlusion_person", MISTAKES, "Person blocking, too, has an error ratio above every model's mean.",
          parts.occlusion("person_blocking"), strict_of="mistakes_occlusion"),
    Claim("mistakes_occlusion_partial", MISTAKES, "Partial view, too, has an error ratio above every model's mean.",
          parts.occlusion("partial_view"), strict_of="mistakes_occlusion"),
    Claim("mistakes_texture_hardest", MISTAKES,
          "Texture is the hardest factor: for every model, no other factor has a higher error ratio.",
          parts.texture(None)),
    Claim("mistakes_texture_top2", MISTAKES,
          "A weaker reading: for every model, at most one factor has a higher error ratio than texture.",
          parts.texture(TOP_TWO), at_least=TOP_TWO, threshold_ours=True),
    Claim("shape_clip_higher", SHAPE, "For each architecture, the CLIP model has the higher shape bias.",
          parts.shape_of_clip),
    Claim("shape_vit_higher", SHAPE, "Under each paradigm, ViT has a higher shape bias than ConvNeXt.",
          parts.shape_of_vit),
    Claim("calib_clip_over", CALIBRATION, "Both CLIP models are over-confident, on ImageNet-1k and on ImageNet-R.",
          parts.confident(CLIP, over=True)),
    Claim("calib_sup_under", CALIBRATION,
          "Both supervised models are under-confident, on ImageNet-1k and on ImageNet-R.",
          parts.confident(SUPERVISED, over=False)),
    Claim("calib_sup_under_1k", CALIBRATION,
          "A weaker reading: both supervised models are under-confident on ImageNet-1k.",
          parts.confident(SUPERVISED, over=False, datasets=(VAL,))),
    Claim("calib_sup_slight", CALIBRATION,
          "On each of the two sets, both supervised models have a lower ECE than both CLIP models.",
          parts.sup_better_calibrated),
    Claim("calib_convnext_better", CALIBRATION,
          "On each of the two sets, supervised ConvNeXt has a lower ECE than supervised ViT.",
          parts.convnext_better_calibrated),
    Claim("robust_comparable", ROBUST,
          "Within a training paradigm, ConvNeXt and ViT are about equally accurate on average over the shifted sets.",
          parts.robust_close, threshold_ours=True, caution=HARD_N),
    Claim("robust_sup_better", ROBUST,
          "For each architecture, the supervised model is ahead on every shifted set but ImageNet-R and "
          "ImageNet-Sketch.",
          parts.sup_more_robust, caution=HARD_N),
    Claim("robust_clip_r_sketch", ROBUST,
          "For each architecture, the CLIP model is ahead on ImageNet-R and ImageNet-Sketch.",
          parts.clip_on_renditions),
    Claim("robust_sup_average", CONCLUSIONS,
          "For each architecture, the supervised model is ahead on average over the shifted sets.",
          parts.sup_more_robust_on_average, caution=HARD_N),
    Claim("transfer_convnext_sup", TRANSFER,
          "Supervised ConvNeXt transfers better than supervised ViT, on average over the tasks.",
          parts.transfer(CONVNEXT_SUP, VIT_SUP), caution=KITTI_VIDEOS),
    Claim("transfer_near_clip", TRANSFER,
          "On average over the tasks, supervised ConvNeXt is only slightly behind the better CLIP model.",
          parts.near_clip, threshold_ours=True, caution=KITTI_VIDEOS),
    Claim("transfer_clip_better", CONCLUSIONS,
          "On average over the tasks, both CLIP models transfer better than both supervised models.",
          parts.clip_transfers_better, caution=KITTI_VIDEOS),
    Claim("synthetic_convnext", SYNTHETIC,
          "Under each paradigm, ConvNeXt is ahead of ViT on nearly all of PUG's ten factors.",
          parts.pug_factors, at_least=NEARLY_ALL, threshold_ours=True),
    Claim("synthetic_convnext_average", SYNTHETIC,
          "Under each paradigm, ConvNeXt is ahead of ViT on average over PUG's factors.",
          parts.pug_average(SAME_PARADIGM)),
    Claim("synthetic_gap_smaller", SYNTHETIC, "ConvNeXt's lead over ViT on PUG is smaller under CLIP.", parts.pug_gap),
    Claim("synthetic_clip_lower", SYNTHETIC,
          "For each architecture, the CLIP model is less accurate on PUG than the supervised one.",
          parts.pug_average(SAME_ARCHITECTURE)),
    Claim("invariance_convnext_sup", INVARIANCE,
          "Under scale, shift and resolution alike, supervised ConvNeXt loses less accuracy than supervised ViT.",
          parts.drops((VIT_SUP,))),
    Claim("invariance_convnext_pointwise", INVARIANCE,
          "At every single setting of the three sweeps, supervised ConvNeXt is at least as accurate as supervised ViT.",
          parts.pointwise, strict_of="invariance_convnext_sup"),
    Claim("invariance_shift_easiest", INVARIANCE,
          "Every model loses less accuracy under shift than under scale and than under resolution.",
          parts.shift_easiest),
    Claim("invariance_best_is_convnext_sup", INVARIANCE,
          "Under each transform, supervised ConvNeXt loses the least of the four models.",
          parts.drops((VIT_SUP, CONVNEXT_CLIP, VIT_CLIP), strict=False)),
    Claim("conclusion_convnext_sup", CONCLUSIONS,
          "Supervised ConvNeXt is ahead of supervised ViT in calibration, invariance, transfer and robustness.",
          parts.convnext_over_vit, caution=KITTI_VIDEOS),
)  # fmt: skip
