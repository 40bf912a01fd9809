"""The error ratio that a model's accuracy alone leads one to expect, from ImageNet-X's testbed of 335 models.

Each factor's log-odds of being right is regressed on the overall log-odds (quadratic); the mean ratio is regressed
in the same way on its log scale. Only testbed models above 40 % are used: below, they are mostly noise-trained.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from helpers.errors import BookError
from helpers.metrics.factors import FACTORS
from helpers.metrics.mistakes import error_ratio, smoothed_log_odds

DEGREE = 2
LOWEST = 0.40
BANDWIDTH = 0.2  # log-odds; the residual spread is that of testbed models of similar accuracy
MEAN = f"mean_of_{len(FACTORS)}"


def read_testbed(path) -> pd.DataFrame:
    """The testbed's accuracies (fractions): columns of the 16 factors and `average`, one row per model.

    Raises BookError when a column is missing or a value is not a fraction. Source: facebookresearch/imagenetx.

    >>> import io
    >>> header = ",".join(["model", *FACTORS, "average"])
    >>> float(read_testbed(io.StringIO(header + "\\nA" + ",0.5" * 17)).average["A"])
    0.5
    """
    table = pd.read_csv(path).set_index("model")
    missing = sorted({*FACTORS, "average"} - set(table.columns))
    if missing:
        raise BookError(str(path), f"columns for 16 factors and average, found none for {missing}", "fetch it again")
    table = table[[*FACTORS, "average"]]
    if not table.ge(0).to_numpy().all() or not table.le(1).to_numpy().all():
        raise BookError(str(path), "accuracies between 0 and 1, found others", "fetch it again")
    return table


def expected_error_ratio(accuracy: float, testbed: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Error ratio expected at an overall accuracy (a fraction) with its prediction interval, for one more model.

    Returns columns expected, low, high by factor and for "mean_of_16"; NaN outside the accuracies the fit rests on.

    >>> levels = np.linspace(0.5, 0.9, 9)  # models that are equally good on every factor: a ratio of about 1
    >>> flat = pd.DataFrame({name: levels for name in [*FACTORS, "average"]})
    >>> round(float(expected_error_ratio(0.7, flat).expected["pose"]), 3)
    1.0
    """
    kept = _used(testbed)
    design, x = _design(kept.average), logit(accuracy)
    names, targets = _targets(kept)
    if not kept.average.min() <= accuracy <= kept.average.max():
        return pd.DataFrame(np.nan, index=names, columns=["expected", "low", "high"])
    weights, _ = np.linalg.lstsq(design, targets, rcond=None)[:2]
    centre = np.vander([x], DEGREE + 1)[0] @ weights
    spread, freedom = _spread(x, logit(kept.average.to_numpy()), _leave_one_out_residuals(design, targets))
    half = stdtrit(freedom, (1 + level) / 2) * spread
    ends = np.stack([centre, centre + half, centre - half], axis=1)
    ratios = np.vstack([error_ratio(expit(ends[:-1]), accuracy), np.exp(ends[-1:])])
    ratios[-1, 1:] = ratios[-1, :0:-1]  # the mean is fitted as a log ratio: more is more errors, so the ends swap
    return pd.DataFrame(ratios, index=names, columns=["expected", "low", "high"])


def leave_one_out(testbed: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Each testbed model predicted from the others: error of the fit and coverage of its interval.

    Returns by factor and "mean_of_16": residual (root mean square; log-odds, for the mean log ratio), coverage, n.

    >>> levels = np.linspace(0.5, 0.9, 9)
    >>> flat = pd.DataFrame({name: levels for name in [*FACTORS, "average"]})
    >>> int(leave_one_out(flat).n["pose"]), bool(leave_one_out(flat).residual["pose"] < 0.01)
    (9, True)
    """
    kept = _used(testbed)
    names, targets = _targets(kept)
    residuals = _leave_one_out_residuals(_design(kept.average), targets)
    x = logit(kept.average.to_numpy())
    hits = np.empty_like(residuals, dtype=bool)
    for i in range(len(x)):
        spread, freedom = _spread(x[i], x, residuals, leave_out=i)
        hits[i] = np.abs(residuals[i]) < stdtrit(freedom, (1 + level) / 2) * spread
    return pd.DataFrame(
        {"residual": np.sqrt((residuals**2).mean(axis=0)), "coverage": hits.mean(axis=0), "n": len(x)}, index=names
    )


def _used(testbed: pd.DataFrame) -> pd.DataFrame:
    return testbed[testbed.average > LOWEST]


def _design(average: pd.Series) -> np.ndarray:
    return np.vander(logit(average.to_numpy()), DEGREE + 1)


def _targets(kept: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Log-odds per factor and the log of the mean ratio: (models, 17)."""
    n = np.array(list(FACTORS.values()))
    shares = kept[list(FACTORS)].to_numpy()
    mean_ratio = error_ratio(shares, kept[["average"]].to_numpy()).mean(axis=1)
    return [*FACTORS, MEAN], np.column_stack([smoothed_log_odds(shares * n, n), np.log(mean_ratio)])


def _leave_one_out_residuals(design: np.ndarray, targets: np.ndarray) -> np.ndarray:
    hat = design @ np.linalg.pinv(design)
    return (targets - hat @ targets) / (1 - np.diag(hat))[:, None]


def _spread(x: float, at: np.ndarray, residuals: np.ndarray, leave_out: int | None = None) -> tuple[np.ndarray, float]:
    """Root mean square of the residuals of models near `x`, and the effective degrees of freedom."""
    weights = np.exp(-0.5 * ((at - x) / BANDWIDTH) ** 2)
    if leave_out is not None:
        weights[leave_out] = 0.0
    weights = weights / weights.sum()
    return np.sqrt(weights @ residuals**2), max(1.0, 1 / (weights**2).sum() - 1)
