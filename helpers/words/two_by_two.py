"""The 2 x 2 of the paper: every property as four contrasts between its checkpoints, and how far they interact."""

from __future__ import annotations

import math

import pandas as pd

from helpers.paper.comparisons import drop_smaller
from helpers.paper.estimates import Estimate, combine
from helpers.paper.lookup import Index, contrast, find, index_rows, mean_contrast
from helpers.paper.names import SHIFTED, SHIFTED_MEAN, TRANSFER_MEAN, VTAB
from helpers.paper.rows import detailed_rows
from helpers.plots.style import label
from helpers.words.differences import interval
from helpers.words.numbers import shown

CONTRASTS = (
    ("convnext_sup", "vit_sup"),
    ("convnext_clip", "vit_clip"),
    ("convnext_clip", "convnext_sup"),
    ("vit_clip", "vit_sup"),
)
INTERACTION = "first − second"
PROPERTIES = (
    ("accuracy on ImageNet (points)", "imagenet1k_val", "accuracy", "overall"),
    ("mean error ratio", "imagenet_x", "error_ratio", "mean_of_16"),
    ("shape bias", "cue_conflict", "shape_bias", "overall"),
    ("ECE on ImageNet", "imagenet1k_val", "ece", "overall"),
    ("ECE on ImageNet-R", "imagenet_r", "ece", "overall"),
    ("average over the shifted sets (points)", SHIFTED_MEAN, "accuracy", "mean_of_7"),
    ("average over the transfer tasks (points)", TRANSFER_MEAN, "accuracy", "mean_of_19"),
    ("average over PUG's factors (points)", "pug_imagenet", "accuracy", "mean_of_10"),
)
LOSSES = ("scale", "shift", "resolution")
COVERS = {SHIFTED_MEAN: SHIFTED, TRANSFER_MEAN: VTAB}


def contrasts() -> pd.DataFrame:
    """Every property (line) by contrast (column) as text with its widest interval; "*" where it excludes zero.

    The last column is the difference of the first two; "†" where its sign on the scale of log-odds is another one.

    >>> table = contrasts()
    >>> table.shape, table.columns[0]
    ((11, 5), 'ConvNeXt-sup − ViT-sup')
    """
    index = index_rows(detailed_rows())
    lines = {title: _cells(index, *what) for title, *what in PROPERTIES}
    lines |= {f"accuracy lost under {name} (points)": _loss_cells(index, name) for name in LOSSES}
    columns = [label(" - ".join(pair)) for pair in CONTRASTS]
    return pd.DataFrame.from_dict(lines, orient="index", columns=[*columns, INTERACTION])


def architectures(table: pd.DataFrame) -> pd.DataFrame:
    """Of `contrasts`: ConvNeXt minus ViT under either paradigm, and their difference.

    >>> architectures(contrasts()).shape
    (11, 3)
    """
    return table.iloc[:, [0, 1, 4]]


def paradigms(table: pd.DataFrame) -> pd.DataFrame:
    """Of `contrasts`: CLIP minus supervised for either architecture.

    >>> paradigms(contrasts()).columns.tolist()
    ['ConvNeXt-CLIP − ConvNeXt-sup', 'ViT-CLIP − ViT-sup']
    """
    return table.iloc[:, [2, 3]]


def _cells(index: Index, dataset: str, metric: str, group: str) -> list[str]:
    found = [_contrast(index, *pair, dataset, metric, group) for pair in CONTRASTS]
    return [*map(_text, found), _interaction(index, found, dataset, metric, group)]


def _contrast(index: Index, first: str, second: str, dataset: str, metric: str, group: str) -> Estimate | None:
    if dataset in COVERS:
        return mean_contrast(index, first, second, dataset, COVERS[dataset])
    return contrast(index, first, second, dataset, metric, group)


def _interaction(index: Index, found: list[Estimate], dataset: str, metric: str, group: str) -> str:
    if found[0] is None or found[1] is None:
        return "–"
    both = combine([(1, found[0]), (-1, found[1])], same_images=True)
    turned = metric == "accuracy" and _log_odds(index, dataset, group) * both.value < 0
    return _text(both) + (" †" if turned else "")


def _log_odds(index: Index, dataset: str, group: str) -> float:
    """The interaction on the scale of log-odds."""
    signs = {"convnext_sup": 1, "vit_sup": -1, "convnext_clip": -1, "vit_clip": 1}
    shares = {model: find(index, model, dataset, "accuracy", group)["value"] / 100 for model in signs}
    return sum(sign * math.log(shares[model] / (1 - shares[model])) for model, sign in signs.items())


def _loss_cells(index: Index, transform: str) -> list[str]:
    """Loss of the first minus loss of the second model of each pair (points); the interaction without interval."""
    parts = [drop_smaller(index, second, first, transform) for first, second in CONTRASTS]
    cells = [_shown(part.effect, part.ci_low, part.ci_high, "points") for part in parts]
    return [*cells, f"{parts[0].effect - parts[1].effect:+.1f}"]


def _text(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    ends = interval(estimate)
    unit = "points" if estimate.unit == "percent" else estimate.unit
    return _shown(ends["value"], ends["ci_low"], ends["ci_high"], unit)


def _shown(value: float, low: float | None, high: float | None, unit: str) -> str:
    text = shown({"value": value, "ci_low": low, "ci_high": high, "unit": unit}, signed=True).replace(" points", "")
    return text + (" *" if low is not None and (low > 0 or high < 0) else "")
