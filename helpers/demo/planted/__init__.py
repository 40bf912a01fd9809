"""Observers with planted behaviour: no training, only draws, and the truth stands in result rows beside them.

Every function takes images (a frame with `image_id` and `label`, as `factor_table` gives) and an rng, and returns
`Planted` observers. `exact=True` places counts exactly (the truth is what can be counted); otherwise images are
independent draws, the truth is the parameter, and intervals should cover it.
"""

from helpers.demo.planted.agreement import copied_errors, joint_shares
from helpers.demo.planted.common import Planted, against, truth_rows
from helpers.demo.planted.confidence import (
    LEVELS,
    confidence_levels,
    constant_observer,
    known_ece,
    perfect_observer,
    temperature_logits,
    with_temperature,
)
from helpers.demo.planted.contrast import two_by_two
from helpers.demo.planted.corruption import corruption_response, falling
from helpers.demo.planted.cues import texture_share
from helpers.demo.planted.factor_errors import factor_errors
from helpers.demo.planted.features import FeaturePair, feature_pairs
from helpers.demo.planted.levels import level_response
from helpers.demo.planted.responses import scale_response, shift_response, view_response

__all__ = [
    "LEVELS",
    "FeaturePair",
    "Planted",
    "against",
    "confidence_levels",
    "constant_observer",
    "copied_errors",
    "corruption_response",
    "factor_errors",
    "falling",
    "feature_pairs",
    "joint_shares",
    "known_ece",
    "level_response",
    "perfect_observer",
    "scale_response",
    "shift_response",
    "temperature_logits",
    "texture_share",
    "truth_rows",
    "two_by_two",
    "view_response",
    "with_temperature",
]
