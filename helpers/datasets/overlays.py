"""Other labels over the same validation images: ImageNet-X and ReaL need no run of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pandas as pd
from pyarrow import json

from helpers import labels
from helpers.datasets.validation import LAYOUT, official_name
from helpers.demo.world import demo_set, second_look
from helpers.errors import BookError
from helpers.labels.installed import package_file


def imagenet_x_subset(predictions: pd.DataFrame) -> pd.DataFrame:
    """The rows of validation predictions that ImageNet-X scores: annotated and no prototype, 46,110 of 50,000.

    Raises BookError where the image ids are not the official names. Source: annotations of the `imagenet-x` package.

    >>> frame = pd.DataFrame({"image_id": ["ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_val_00007197.JPEG"]})
    >>> imagenet_x_subset(frame)["image_id"].tolist()
    ['ILSVRC2012_val_00000001.JPEG']
    """
    _require_official(predictions, "ImageNet-X")
    install = "pip install imagenet-x==0.0.7"
    annotated = package_file("imagenet_x", "annotations/imagenet_x_val_top_factor.jsonl", install)
    prototypes = package_file("imagenet_x", "annotations/prototypical_paths.csv", install)
    scored = set(json.read_json(annotated).column("file_name").to_pylist())
    scored -= set(pd.read_csv(prototypes)["file_name"])
    return predictions[predictions["image_id"].isin(scored)].reset_index(drop=True)


def real_relabelled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Validation predictions with ReaL's labels; images without any label are left out (46,837 of 50,000 stay).

    `p_true` becomes the confidence where the prediction is right, stays where the label does, and is null where the
    probability of the new labels was not kept. Raises BookError where the image ids are not the official names.

    >>> frame = pd.DataFrame({"image_id": ["ILSVRC2012_val_00000002.JPEG"], "label": [[970]], "pred": [795],
    ...                       "confidence": [0.6], "p_true": [0.3]})
    >>> real_relabelled(frame)[["label", "p_true"]].values.tolist()
    [[[970, 795], 0.6]]
    """
    _require_official(predictions, "ReaL")
    return _relabelled(predictions, labels.real_labels().reindex(predictions["image_id"]).tolist())


def demo_real_relabelled(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions on the drawn validation set with the labels of a second look; images without any are left out.

    Several things in a picture, several right answers; `p_true` as in `real_relabelled`. Raises BookError where the
    image ids are not those of the drawn set.

    >>> frame = pd.DataFrame({"image_id": ["val_00000.png"], "label": [[0]], "pred": [0]})
    >>> len(demo_real_relabelled(frame)["label"][0])
    1
    """
    looks = _second_looks()
    _require(predictions, "The second look", lambda name: name in looks, "val_00000.png", "run `demo_val`")
    return _relabelled(predictions, [looks[name] for name in predictions["image_id"]])


@cache
def _second_looks() -> dict[str, list[int]]:
    items = demo_set("val")
    return {items.image_id(index): list(second_look(items.scene(index))) for index in range(len(items))}


def _relabelled(predictions: pd.DataFrame, real: list[list[int]]) -> pd.DataFrame:
    kept = predictions.assign(label=real)[[len(each) > 0 for each in real]]
    if "p_true" not in kept:
        return kept.reset_index(drop=True)
    before = predictions.loc[kept.index, "label"]
    rows = zip(kept["pred"], kept["label"], before, kept["confidence"], kept["p_true"], strict=True)
    p_true = [
        confidence if pred in now else old if list(then) == list(now) else None
        for pred, now, then, confidence, old in rows
    ]
    return kept.assign(p_true=pd.Series(p_true, index=kept.index, dtype=float)).reset_index(drop=True)


OVERLAYS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "imagenet_x": imagenet_x_subset, "imagenet_real": real_relabelled, "demo_real": demo_real_relabelled,
}  # fmt: skip
"""Dataset id -> what it makes of the predictions on the validation set that it is laid over (`PICTURES`)."""

PICTURES = {"imagenet_x": "imagenet1k_val", "imagenet_real": "imagenet1k_val", "demo_real": "demo_val"}
"""Dataset id of labels over other images -> the dataset of those images."""


def _require_official(predictions: pd.DataFrame, what: str) -> None:
    advice = "run the official validation tar, or a copy that kept them"
    _require(predictions, what, lambda name: official_name(name) == name, LAYOUT, advice)


def _require(predictions: pd.DataFrame, what: str, official: Callable[[str], bool], layout: str, advice: str) -> None:
    other = next((name for name in predictions["image_id"].tolist() if not official(name)), None)
    if other is not None:
        raise BookError(
            f"{what} over these predictions", f"image ids like {layout}, found {other!r}",
            f"{what} joins on the official file names: {advice}",
        )  # fmt: skip
