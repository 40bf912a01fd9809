"""Metrics: pure functions, arrays or frames in, numbers or tables out. No resampling here: that is `helpers.stats`."""

from helpers.labels import category_decision
from helpers.metrics.agreement import attainable_kappa, correct_table, error_consistency, kappa_matrix
from helpers.metrics.basics import (
    accuracy,
    accuracy_by_group,
    align_predictions,
    consistency,
    correct,
    is_correct,
    mean_true_probability,
    top5_correct,
    with_labels,
)
from helpers.metrics.calibration import (
    adaptive_ece,
    brier_top1,
    debiased_ece,
    ece,
    ece_if_calibrated,
    equal_mass_edges,
    equal_width_edges,
    nll_top1,
    reliability_table,
    signed_gap,
    squared_calibration_error,
)
from helpers.metrics.corruption import (
    alexnet_errors,
    corruption_errors,
    mean_corruption_error,
    severity_slope,
    source_of,
)
from helpers.metrics.effective import (
    baseline_line,
    baseline_networks,
    effective_robustness,
    expected_accuracy,
    prediction_interval,
)
from helpers.metrics.factors import FACTORS, imagenet_x_factors
from helpers.metrics.mistakes import accuracy_gap, error_ratio, factor_table, log_odds_gap
from helpers.metrics.recalibration import cross_fitted, fit_temperature, scaled_confidence
from helpers.metrics.shape import (
    align_decisions,
    category_accuracy,
    mean_shape_bias,
    pooled_shape_bias,
    shape_bias,
    shape_counts,
)
from helpers.metrics.testbed import expected_error_ratio, leave_one_out, read_testbed

__all__ = [
    "FACTORS", "accuracy", "accuracy_by_group", "accuracy_gap", "adaptive_ece", "alexnet_errors", "align_decisions",
    "align_predictions", "attainable_kappa", "baseline_line", "baseline_networks", "brier_top1", "category_accuracy",
    "category_decision", "consistency", "correct", "correct_table", "corruption_errors", "cross_fitted",
    "debiased_ece", "ece", "ece_if_calibrated", "effective_robustness", "equal_mass_edges", "equal_width_edges",
    "error_consistency", "error_ratio", "expected_accuracy", "expected_error_ratio", "factor_table",
    "fit_temperature", "imagenet_x_factors", "is_correct", "kappa_matrix", "leave_one_out", "log_odds_gap",
    "mean_corruption_error", "mean_shape_bias", "mean_true_probability", "nll_top1", "pooled_shape_bias",
    "prediction_interval", "read_testbed", "reliability_table", "scaled_confidence", "severity_slope", "shape_bias",
    "shape_counts", "signed_gap", "source_of", "squared_calibration_error", "top5_correct", "with_labels",
]  # fmt: skip
