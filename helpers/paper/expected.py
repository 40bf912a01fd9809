"""Error ratios that the accuracy of the paper's models alone leads one to expect, from ImageNet-X's testbed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.metrics.factors import FACTORS
from helpers.metrics.mistakes import error_ratio
from helpers.metrics.testbed import LOWEST, expected_error_ratio
from helpers.paper.decode import SUBSET, overall_error
from helpers.paper.lookup import Index, contrast, index_rows
from helpers.paper.names import PAPER_MODELS, SAME_ARCHITECTURE
from helpers.paper.rows import ROW_COLUMNS, as_rows, detailed_rows

MEAN, DATASET, TESTBED = "mean_of_16", "imagenet_x", "imagenet_x_testbed"
GRID = tuple(np.arange(42.0, 87.5, 1.5))  # percent, where the fit rests on models


def expected_rows(testbed: pd.DataFrame | None, models: Sequence[str] = PAPER_MODELS) -> pd.DataFrame:
    """Result rows from the testbed: what is expected of the paper's models, and the testbed itself for the figure.

    Of the models: expected_error_ratio per factor and "mean_of_16" with the interval of one more model, at the accuracy
    that the paper's bars decode to. Of model "testbed": accuracy (percent) and error_ratio of each of its models
    (group: its name), and expected_error_ratio along accuracies (group "accuracy:<percent>"). No rows without a table.
    Raises BookError for a model that is none of the paper's.

    >>> len(expected_rows(None))
    0
    """
    if testbed is None:
        return pd.DataFrame(columns=list(ROW_COLUMNS))
    rows = []
    for model in models:
        table = expected_error_ratio(1 - overall_error(model), testbed)
        rows += [_expected(model, DATASET, "paper.eval", group, line, len(testbed)) for group, line in _lines(table)]
    for percent in GRID:
        table = expected_error_ratio(percent / 100, testbed).loc[[MEAN]]
        rows += [
            _expected("testbed", TESTBED, None, f"accuracy:{percent:.1f}", line, None) for _, line in _lines(table)
        ]
    return pd.DataFrame(rows + _testbed_points(testbed), columns=list(ROW_COLUMNS))


def seen_rows() -> pd.DataFrame:
    """The paper's error ratios as result rows, and the accuracy on the same 46,110 images that they decode to.

    >>> rows = seen_rows(); rows[rows.metric == "accuracy"].value.round(1).tolist()
    [84.7, 84.7, 64.8, 65.7]
    """
    base = {"dataset": DATASET, "view": "paper.eval", "metric": "accuracy", "group": "overall", "n": SUBSET}
    accuracies = [
        {**base, "model": model, "value": 100 * (1 - overall_error(model)), "unit": "percent", "resampled": "none"}
        for model in PAPER_MODELS
    ]
    ratios = as_rows("02_mistakes").to_dict("records")
    return pd.DataFrame([*ratios, *accuracies], columns=list(ROW_COLUMNS))


def explained_by_accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """How much of CLIP's lower mean error ratio does accuracy alone explain? One line per architecture.

    rows: those of `expected_rows`. Columns first, second (supervised, CLIP), seen (difference of the paper's bars),
    seen_low, seen_high (95 %, widest that the bars allow), expected (difference expected at the two accuracies), share
    (expected / seen), share_low, share_high (None where the interval of `seen` reaches zero or below). Empty without
    expected rows.

    >>> explained_by_accuracy(expected_rows(None)).empty
    True
    """
    kept = rows[(rows.metric == "expected_error_ratio") & (rows.group == MEAN)].set_index("model").value
    seen = index_rows(detailed_rows("02_mistakes"))
    if not set(PAPER_MODELS) <= set(kept.index):
        return pd.DataFrame()
    return pd.DataFrame([_share(seen, pair, float(kept[pair[0]] - kept[pair[1]])) for pair in SAME_ARCHITECTURE])


def _share(index: Index, pair: tuple[str, str], expected: float) -> dict:
    seen = contrast(index, *pair, DATASET, "error_ratio", MEAN)
    low, high = seen.low - 1.96 * seen.se_down, seen.high + 1.96 * seen.se_up
    return {
        "first": pair[0], "second": pair[1], "seen": seen.value, "seen_low": low, "seen_high": high,
        "expected": expected, "share": expected / seen.value, "share_low": expected / high,
        "share_high": expected / low if low > 0 else None,
    }  # fmt: skip


def _lines(table: pd.DataFrame):
    return zip(table.index, table.to_dict("records"), strict=True)


def _expected(model: str, dataset: str, view: str | None, group: str, line: dict, n: int | None) -> dict:
    return {
        "model": model, "dataset": dataset, "view": view, "metric": "expected_error_ratio", "group": group,
        "value": line["expected"], "ci_low": line["low"], "ci_high": line["high"], "n": n, "unit": "ratio",
        "resampled": "testbed model",
    }  # fmt: skip


def _testbed_points(testbed: pd.DataFrame) -> list[dict]:
    kept = testbed[testbed.average > LOWEST]
    ratios = error_ratio(kept[list(FACTORS)].to_numpy(), kept[["average"]].to_numpy()).mean(axis=1)
    base = {"model": "testbed", "dataset": TESTBED, "view": None, "resampled": "none"}
    columns = (("accuracy", 100 * kept.average.to_numpy(), "percent"), ("error_ratio", ratios, "ratio"))
    return [
        {**base, "metric": metric, "group": name, "value": float(value), "unit": unit}
        for metric, values, unit in columns
        for name, value in zip(kept.index, values, strict=True)
    ]
