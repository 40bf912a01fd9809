"""What is done to an image before a model sees it, exactly by the rules of the paper's code.

Everything here is PIL and numpy; only `normalise` touches torch.
"""

from helpers.views.images import decode, normalise
from helpers.views.preprocessing import CLIP, SUPERVISED, Preprocessing, timm_preprocessing
from helpers.views.view import (
    DEMO_RESOLUTIONS,
    DEMO_SHIFTS,
    PAPER_RESOLUTIONS,
    PAPER_SCALES,
    PAPER_SHIFTS,
    UNDISTORTED,
    View,
    apply_views,
    canonical_view,
    describe,
    invariance_views,
    make_view,
    sweep_setting,
)

__all__ = [
    "CLIP", "DEMO_RESOLUTIONS", "DEMO_SHIFTS", "PAPER_RESOLUTIONS", "PAPER_SCALES", "PAPER_SHIFTS", "SUPERVISED",
    "UNDISTORTED", "Preprocessing", "View", "apply_views", "canonical_view", "decode", "describe", "invariance_views",
    "make_view", "normalise", "sweep_setting", "timm_preprocessing",
]  # fmt: skip
