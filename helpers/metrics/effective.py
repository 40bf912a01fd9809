"""Effective robustness: accuracy on a shifted set beyond what clean accuracy alone leads one to expect.

The expectation is a straight line on probit axes through networks that saw ImageNet-1k only (timm's published results,
one row a network). Where a set holds 200 of the classes, clean accuracy is that on the same classes.
Source: Taori et al. 2020; Miller et al. 2021.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtrit

from helpers import paths
from helpers.errors import BookError

CLEAN = {
    "imagenet_v2_mf": "imagenet1k_val", "imagenet_sketch": "imagenet1k_val", "imagenet_a": "classes_of_imagenet_a",
    "imagenet_r": "classes_of_imagenet_r",
}  # fmt: skip
"""Shifted set -> which clean accuracy it is set against (ReaL is no shift; timm publishes no ImageNet-C or -Hard)."""
LOWEST = 60.0  # percent on ImageNet-1k: further down the line bends, and none of the compared checkpoints lies there

FILES = {
    "imagenet1k_val": "results-imagenet.csv", "classes_of_imagenet_a": "results-imagenet-a-clean.csv",
    "classes_of_imagenet_r": "results-imagenet-r-clean.csv",
    "imagenet_v2_mf": "results-imagenetv2-matched-frequency.csv", "imagenet_a": "results-imagenet-a.csv",
    "imagenet_r": "results-imagenet-r.csv", "imagenet_sketch": "results-sketch.csv",
}  # fmt: skip
METADATA = "model_metadata-in1k.csv"
# Words of a network's name that tell of other data, of a teacher who may have seen it, or of adversarial training.
OTHER_DATA = re.compile(
    r"in2[12]k|in12k|jft|ig1b|yfcc|laion|openai|clip|webli|swag|seer|swsl|ssl|dist|usi|m30m|m38m|lvd|dino|datacomp|dfn"
    r"|(?:^|[_.])ap_|adv|beitv2"
)


@dataclass(frozen=True)
class Line:
    """probit(shifted) = intercept + slope x probit(clean), fitted by least squares on n networks.

    `spread`: residual standard deviation (probits, n - 2 degrees of freedom); `mean`, `around`: mean and sum of squares
    of the clean probits, from which the prediction interval of one more network follows; `r2` on probit axes.
    """

    dataset: str
    clean: str
    slope: float
    intercept: float
    spread: float
    r2: float
    n: int
    mean: float
    around: float


def in1k_only(model: str, pretraining: Mapping[str, str]) -> bool:
    """Whether a network of timm saw ImageNet-1k only, by its name and, where timm lists it, its pretraining.

    pretraining: timm's metadata, by architecture.

    >>> in1k_only("convnext_base.fb_in1k", {}), in1k_only("convnext_base.fb_in22k_ft_in1k", {})
    (True, False)
    """
    architecture, _, tag = model.partition(".")
    named = re.search(r"in1k(?:_\d+)?$", tag) is not None and not OTHER_DATA.search(model)
    return named and pretraining.get(architecture, "in1k") == "in1k"


def derived(files: Mapping[str, object], metadata) -> pd.DataFrame:
    """The table of `baseline_networks`, from timm's results files by column of `FILES` and its metadata file.

    One row a network: at the smallest image size it is published at, under timm's preparation; only networks that
    all files have. Accuracies in percent.
    """
    pretraining = pd.read_csv(metadata).set_index("model").pretrain.to_dict()
    table = None
    for name, path in files.items():
        part = pd.read_csv(path)[["model", "img_size", "top1"]].rename(columns={"top1": name})
        table = part if table is None else table.merge(part, on=["model", "img_size"], how="inner")
    kept = table[[in1k_only(model, pretraining) for model in table.model]]
    kept = kept.sort_values(["model", "img_size"]).drop_duplicates("model")
    return kept.rename(columns={"img_size": "image_size"}).reset_index(drop=True)


def baseline_networks() -> pd.DataFrame:
    """Accuracies (percent) of networks that saw ImageNet-1k only: model, image_size, clean ones and shifted sets.

    Columns `classes_of_imagenet_a` and `_r`: validation images of these 200 classes, others masked.
    Source: timm `results/` @aa4b5850 (Apache-2.0), selected by `in1k_only`.

    >>> table = baseline_networks().set_index("model")
    >>> float(table.imagenet_v2_mf["convnext_base.fb_in1k"]), "convnext_base.fb_in22k_ft_in1k" in table.index
    (73.78, False)
    """
    return pd.read_csv(paths.reference("in1k_only_accuracies.csv"))


def baseline_line(dataset: str, networks: pd.DataFrame | None = None, lowest: float = LOWEST) -> Line:
    """The line of one shifted set, fitted on networks above `lowest` percent on ImageNet-1k.

    Raises BookError for a set without a baseline, or with fewer than three networks.

    >>> clean = np.array([70.0, 75.0, 80.0])
    >>> table = pd.DataFrame({"imagenet1k_val": clean, "imagenet_v2_mf": 100 * ndtr(ndtri(clean / 100) - 0.3)})
    >>> line = baseline_line("imagenet_v2_mf", table)
    >>> round(line.slope, 6), round(line.intercept, 6), round(line.r2, 6), line.n
    (1.0, -0.3, 1.0, 3)
    """
    if dataset not in CLEAN:
        raise BookError(f"effective robustness on {dataset}", f"one of {', '.join(CLEAN)}", "no baseline is published")
    networks = baseline_networks() if networks is None else networks
    kept = networks[(networks.imagenet1k_val >= lowest) & (networks[dataset] > 0)]
    if len(kept) < 3:
        raise BookError(f"the baseline of {dataset}", f"at least 3 networks, found {len(kept)}", "give more of them")
    x, y = ndtri(kept[CLEAN[dataset]].to_numpy() / 100), ndtri(kept[dataset].to_numpy() / 100)
    around = float(((x - x.mean()) ** 2).sum())
    slope = float((x - x.mean()) @ y / around)
    intercept = float(y.mean() - slope * x.mean())
    residuals = y - intercept - slope * x
    left, total = float(residuals @ residuals), float(((y - y.mean()) ** 2).sum())
    return Line(
        dataset, CLEAN[dataset], slope, intercept, float(np.sqrt(left / (len(x) - 2))), 1 - left / total, len(x),
        float(x.mean()), around,
    )  # fmt: skip


def expected_accuracy(line: Line, clean):
    """Accuracy (percent) on the shifted set that the line gives at a clean accuracy (percent); arrays keep shape.

    >>> line = Line("imagenet_v2_mf", "imagenet1k_val", 1.0, 0.0, 0.1, 1.0, 10, 0.0, 1.0)
    >>> round(float(expected_accuracy(line, 80.0)), 6)
    80.0
    """
    return 100 * ndtr(line.intercept + line.slope * ndtri(np.asarray(clean, dtype=float) / 100))


def prediction_interval(line: Line, clean, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval (percent) for one more ImageNet-1k-only network of this clean accuracy (percent).

    Least squares on probit axes: t with n - 2 degrees of freedom, times spread x sqrt(1 + 1/n + (x - mean)^2 / around).

    >>> line = Line("imagenet_v2_mf", "imagenet1k_val", 1.0, 0.0, 0.1, 1.0, 10, 0.0, 1.0)
    >>> low, high = prediction_interval(line, 50.0); round(float(low), 1), round(float(high), 1)
    (40.4, 59.6)
    """
    x = ndtri(np.asarray(clean, dtype=float) / 100)
    error = line.spread * np.sqrt(1 + 1 / line.n + (x - line.mean) ** 2 / line.around)
    centre, half = line.intercept + line.slope * x, stdtrit(line.n - 2, (1 + level) / 2) * error
    return 100 * ndtr(centre - half), 100 * ndtr(centre + half)


def effective_robustness(line: Line, clean, shifted):
    """Accuracy on the shifted set minus the expected one, in points (both accuracies in percent).

    >>> line = Line("imagenet_v2_mf", "imagenet1k_val", 1.0, 0.0, 0.1, 1.0, 10, 0.0, 1.0)
    >>> round(float(effective_robustness(line, 80.0, 83.0)), 6)
    3.0
    """
    return np.asarray(shifted, dtype=float) - expected_accuracy(line, clean)
