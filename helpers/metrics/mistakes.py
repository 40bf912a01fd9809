"""Mistakes by factor: accuracy, error ratio and gaps (paper, "Model Mistakes"; Idrissi et al. 2022)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logit

from helpers.metrics.basics import correct
from helpers.metrics.factors import FACTORS, NO_FACTOR


def error_ratio(group_accuracy, overall_accuracy):
    """(1 - group accuracy) / (1 - overall accuracy), fractions in; NaN without any error. Arrays broadcast.

    Bounded by 1 / (1 - overall accuracy): the better a model, the larger its ratio can be. Source: Idrissi et al. 2022.

    >>> float(error_ratio(0.5, 0.75))
    2.0
    """
    errors = 1 - np.asarray(overall_accuracy, dtype=float)
    group = 1 - np.asarray(group_accuracy, dtype=float)
    shape = np.broadcast_shapes(errors.shape, group.shape)
    return np.divide(group, errors, out=np.full(shape, np.nan), where=np.broadcast_to(errors > 0, shape))


def accuracy_gap(group_accuracy, overall_accuracy):
    """Overall minus group accuracy, fractions in and out; positive where the group is harder.

    >>> float(accuracy_gap(0.5, 0.75))
    0.25
    """
    return np.asarray(overall_accuracy, dtype=float) - np.asarray(group_accuracy, dtype=float)


def log_odds_gap(group_correct, group_n, overall_correct, overall_n):
    """Overall minus group log-odds of being right, from counts; positive where the group is harder.

    Half an image is added to both outcomes, so that groups without error stay finite. Source: Haldane 1956.

    >>> round(float(log_odds_gap(5, 10, 75, 100)), 3)
    1.085
    """
    return smoothed_log_odds(overall_correct, overall_n) - smoothed_log_odds(group_correct, group_n)


def smoothed_log_odds(successes, n):
    """log((k + 1/2) / (n - k + 1/2)); NaN for n = 0. Arrays broadcast.

    >>> float(smoothed_log_odds(5, 10))
    0.0
    """
    successes, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    return np.where(n > 0, logit((successes + 0.5) / (n + 1)), np.nan)


def factor_table(predictions: pd.DataFrame, factor_of: pd.Series) -> pd.DataFrame:
    """n, accuracy (percent), error_ratio, accuracy_gap (points), log_odds_gap per factor, "overall" and mean.

    factor_of: factor by image_id; predictions without a factor are left out. "overall" is over all images of
    `factor_of` that were predicted (ImageNet-X: 46,110), `mean_of_16` the mean of the factors' values.

    >>> frame = pd.DataFrame({"image_id": list("abcd"), "label": [[1]] * 4, "pred": [1, 2, 1, 1]})
    >>> table = factor_table(frame, pd.Series({"a": "pose", "b": "pose", "c": "style", "d": "style"}))
    >>> table.error_ratio.tolist()
    [2.0, 0.0, 1.0, 1.0]
    """
    factors = factor_of.reindex(predictions["image_id"]).to_numpy()
    kept = pd.notna(factors)
    right = pd.Series(correct(predictions)[kept], dtype=bool).groupby(factors[kept])
    counts = pd.DataFrame({"k": right.sum(), "n": right.size()})
    overall = counts.sum()
    counts = counts.reindex(factor_order(factors[kept]))
    counts.loc["overall"] = overall
    share, total = counts.k / counts.n, overall.k / overall.n
    table = pd.DataFrame(
        {
            "n": counts.n.astype(float),
            "accuracy": 100 * share,
            "error_ratio": error_ratio(share, total),
            "accuracy_gap": 100 * accuracy_gap(share, total),
            "log_odds_gap": log_odds_gap(counts.k, counts.n, overall.k, overall.n),
        },
        index=counts.index.rename("factor"),
    )
    table.loc[f"mean_of_{len(table) - 1}"] = table.drop(index="overall").mean()
    table.iloc[-1, 0] = overall.n
    return table.astype({"n": int})


def factor_order(factors) -> list[str]:
    """The factors that occur, in ImageNet-X's order where they are its own, else sorted; without "none".

    >>> factor_order(["style", "pose", "none"])
    ['pose', 'style']
    """
    found = set(map(str, factors)) - {NO_FACTOR}
    return [name for name in FACTORS if name in found] if found <= set(FACTORS) else sorted(found)
