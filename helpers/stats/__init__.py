"""Resampling, intervals, tests, contrasts, coverage, and the builders of result rows."""

from helpers.stats.contrasts import (
    EFFECTS,
    PAIRS_2X2,
    TWO_BY_TWO,
    all_pairs,
    factorial_effects,
    four_of,
    interaction_depends_on_scale,
    log_odds,
    pairs_among,
    pairs_of,
    wins,
)
from helpers.stats.coverage import coverage_rows, coverage_table
from helpers.stats.estimates import (
    Estimates,
    factorial_rows,
    finished,
    in_log_odds,
    pair_rows,
    scale_flag_rows,
    share_contrast_rows,
    value_rows,
)
from helpers.stats.head_fits import fit_heads
from helpers.stats.intervals import (
    basic_interval,
    few_units_factor,
    newcombe_interval,
    newcombe_paired_interval,
    percentile_interval,
    wilson_interval,
)
from helpers.stats.resample import (
    cluster_weights,
    crossed_weights,
    image_weights,
    joint_cells,
    resampled_counts,
)
from helpers.stats.rows_accuracy import accuracy_rows
from helpers.stats.rows_agreement import agreement_rows
from helpers.stats.rows_calibration import calibration_rows, recalibrated_rows
from helpers.stats.rows_corruption import corruption_rows
from helpers.stats.rows_filters import filter_rows
from helpers.stats.rows_heads import head_rows, same_architecture
from helpers.stats.rows_invariance import invariance_rows
from helpers.stats.rows_mistakes import mistakes_rows
from helpers.stats.rows_probes import probed_rows
from helpers.stats.rows_robustness import average_rows, drawn_sets, effective_rows, robustness_rows, same_classes_rows
from helpers.stats.rows_shape import category_accuracy_rows, shape_count_rows, shape_rows
from helpers.stats.rows_similarity import similarity_rows
from helpers.stats.rows_synthetic import synthetic_rows
from helpers.stats.rows_transfer import drawn_tasks, probe_rows, transfer_rows, win_shares
from helpers.stats.tests import (
    bootstrap_p,
    equivalence_margin,
    holm,
    intersection_union,
    mcnemar,
    p_of_interval,
    tost,
    tost_from_samples,
)

__all__ = [
    "EFFECTS", "PAIRS_2X2", "TWO_BY_TWO", "Estimates", "accuracy_rows", "agreement_rows", "all_pairs", "average_rows",
    "basic_interval", "bootstrap_p", "calibration_rows", "category_accuracy_rows", "cluster_weights",
    "corruption_rows", "coverage_rows", "coverage_table", "crossed_weights", "drawn_sets", "drawn_tasks",
    "effective_rows", "equivalence_margin", "factorial_effects", "factorial_rows", "few_units_factor", "filter_rows",
    "finished", "fit_heads", "four_of", "head_rows", "holm", "image_weights", "in_log_odds",
    "interaction_depends_on_scale", "intersection_union", "invariance_rows", "joint_cells", "log_odds", "mcnemar",
    "mistakes_rows", "newcombe_interval", "newcombe_paired_interval", "p_of_interval", "pair_rows", "pairs_among",
    "pairs_of", "percentile_interval", "probe_rows", "probed_rows", "recalibrated_rows", "resampled_counts",
    "robustness_rows", "same_architecture", "same_classes_rows", "scale_flag_rows", "shape_count_rows", "shape_rows",
    "share_contrast_rows", "similarity_rows", "synthetic_rows", "tost", "tost_from_samples", "transfer_rows",
    "value_rows", "wilson_interval", "win_shares", "wins",
]  # fmt: skip
