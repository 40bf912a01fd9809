"""Effective robustness of the paper's checkpoints from the numbers that the paper and timm publish."""

from __future__ import annotations

import pandas as pd

from helpers.metrics import effective
from helpers.paper.names import CLIP, PAPER_MODELS
from helpers.paper.third_party import third_party
from helpers.paper.values import values

COLUMNS = ("dataset", "model", "source", "clean", "found", "expected", "low", "high", "beyond", "like_for_like")
PAPER = "the paper, figures"
PREPARED = "timm, 224 px"
SOURCE = r"timm results-.*@aa4b5850"  # an earlier revision lists a preparation that was withdrawn


def published_effective() -> pd.DataFrame:
    """One row per model and shifted set whose clean accuracy on the same classes is published (percent, points).

    Columns: clean, found (accuracies), expected with low and high (95 % for one more ImageNet-1k-only network), beyond
    (found - expected) and like_for_like: False for CLIP, which no network of the baseline resembles (trained on other
    data, no labels, classes named by text). V2 and Sketch from the paper; A and R, whose clean accuracy on 200 classes
    the paper does not print, and V2 and Sketch once more from timm, at 224 pixels.

    >>> found = published_effective().set_index(["dataset", "model", "source"])
    >>> round(float(found.beyond[("imagenet_v2_mf", "convnext_sup", PAPER)]), 1)
    -0.1
    """
    return pd.DataFrame([*_of_the_paper(), *_of_timm()], columns=list(COLUMNS)).reset_index(drop=True)


def from_rows(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """The same table (with ci_low and ci_high of `beyond`) from result rows of `stats.effective_rows`.

    >>> from_rows(pd.DataFrame(columns=["metric", "dataset", "model", "group", "view", "value"]), "a run").empty
    True
    """
    index: dict[tuple, dict] = {}
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        index.setdefault(tuple(row[name] for name in ("metric", "dataset", "model", "group")), row)
    found = []
    for (metric, dataset, model, _), row in index.items():
        if metric != "expected_accuracy" or dataset not in effective.CLEAN:
            continue
        line = effective.CLEAN[dataset]
        clean = index["accuracy", "imagenet1k_val", model, "overall" if line == "imagenet1k_val" else line]
        beyond = index["effective_robustness", dataset, model, "overall"]
        found.append({
            "dataset": dataset, "model": model, "source": source, "clean": clean["value"],
            "found": index["accuracy", dataset, model, "overall"]["value"], "expected": row["value"],
            "low": row["ci_low"], "high": row["ci_high"], "beyond": beyond["value"], "like_for_like": model not in CLIP,
            "ci_low": beyond["ci_low"], "ci_high": beyond["ci_high"],
        })  # fmt: skip
    return pd.DataFrame(found, columns=[*COLUMNS, "ci_low", "ci_high"])


def _of_the_paper() -> list[tuple]:
    table = values("05_robustness")
    table = table[(table.group == "overall") & (table.metric == "accuracy")]
    index = table.drop_duplicates(["model", "dataset"]).set_index(["model", "dataset"]).value
    sets = [dataset for dataset, clean in effective.CLEAN.items() if clean == "imagenet1k_val"]
    return [
        _row(dataset, model, PAPER, index[model, "imagenet1k_val"], index[model, dataset])
        for dataset in sets
        for model in PAPER_MODELS
    ]


def _of_timm() -> list[tuple]:
    table = third_party(metric="accuracy")
    table = table[table.same_checkpoint & table.source.str.fullmatch(SOURCE) & (table.image_size == 224)]
    index = table.set_index(["model", "dataset", "group"]).value
    found = []
    for dataset, clean in effective.CLEAN.items():
        group = "overall" if clean == "imagenet1k_val" else clean.replace("classes_of_", "classes of ")
        for model in PAPER_MODELS:
            pair = [(model, "imagenet1k_val", group), (model, dataset, "overall")]
            if all(key in index.index for key in pair):
                found.append(_row(dataset, model, PREPARED, *(index[key] for key in pair)))
    return found


def _row(dataset: str, model: str, source: str, clean: float, found: float) -> tuple:
    line = effective.baseline_line(dataset)
    expected = float(effective.expected_accuracy(line, clean))
    low, high = (float(end) for end in effective.prediction_interval(line, clean))
    return dataset, model, source, clean, found, expected, low, high, found - expected, model not in CLIP
