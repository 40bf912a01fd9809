"""Accuracy and its relatives on predictions frames (image_id, label, pred, confidence, p_true)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import numpy as np
import pandas as pd

from helpers.errors import BookError


def is_correct(pred, labels) -> np.ndarray:
    """Whether each prediction is among the image's labels: bool (images,).

    pred: ints (images,); labels: a list of ILSVRC indices per image. Raises BookError for an image without label.
    Source: Beyer et al. 2020 (ReaL) for several labels per image.

    >>> is_correct([3, 5], [[3], [4, 6]]).tolist()
    [True, False]
    """
    labels, pred = list(labels), np.asarray(pred)
    sizes = np.fromiter(map(len, labels), dtype=np.int64, count=len(labels))
    if (sizes == 0).any():
        expected = f"a label for every image, found {int((sizes == 0).sum())} without"
        raise BookError("labels", expected, "leave images without label out (with_labels does)")
    flat = np.fromiter(chain.from_iterable(labels), dtype=np.int64, count=int(sizes.sum()))
    hits = np.repeat(pred, sizes) == flat
    if not len(flat):
        return np.zeros(0, dtype=bool)
    return np.logical_or.reduceat(hits, np.concatenate([[0], sizes.cumsum()[:-1]]))


def correct(predictions: pd.DataFrame) -> np.ndarray:
    """`is_correct` of a predictions frame: bool (images,).

    >>> correct(pd.DataFrame({"label": [[1]], "pred": [1]})).tolist()
    [True]
    """
    return is_correct(predictions["pred"].to_numpy(), predictions["label"])


def accuracy(predictions: pd.DataFrame) -> float:
    """Share of images whose prediction is among their labels, percent; NaN without images.

    >>> accuracy(pd.DataFrame({"label": [[1], [2, 3]], "pred": [1, 4]}))
    50.0
    """
    return float(100 * correct(predictions).mean()) if len(predictions) else float("nan")


def accuracy_by_group(predictions: pd.DataFrame) -> pd.DataFrame:
    """Accuracy in percent and n for each value of column `group` (index).

    >>> accuracy_by_group(pd.DataFrame({"label": [[1], [2]], "pred": [1, 4], "group": ["a", "b"]})).accuracy.tolist()
    [100.0, 0.0]
    """
    right = pd.Series(correct(predictions)).groupby(predictions["group"].to_numpy())
    return pd.DataFrame({"accuracy": 100 * right.mean(), "n": right.size()}).rename_axis("group")


def top5_correct(predictions: pd.DataFrame) -> np.ndarray:
    """Whether a label is among the five best classes (column top5, a list per image): bool (images,).

    >>> top5_correct(pd.DataFrame({"label": [[9]], "top5": [[1, 2, 9, 4, 5]]})).tolist()
    [True]
    """
    pairs = zip(predictions["label"], predictions["top5"], strict=True)
    return np.fromiter((bool(set(label) & set(best)) for label, best in pairs), dtype=bool, count=len(predictions))


def mean_true_probability(predictions: pd.DataFrame) -> float:
    """Mean probability of the true class (column p_true), a fraction; images without it are left out.

    >>> mean_true_probability(pd.DataFrame({"p_true": [0.5, 1.0, None]}))
    0.75
    """
    return float(predictions["p_true"].astype(float).mean())


def consistency(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Share of common images on which two views give the same prediction, right or wrong. Fraction.

    >>> a = pd.DataFrame({"image_id": ["x", "y"], "pred": [1, 2]})
    >>> consistency(a, a.assign(pred=[1, 3]))
    0.5
    """
    pred = align_predictions({"first": first, "second": second}, "pred")
    return float((pred["first"] == pred["second"]).mean())


def with_labels(predictions: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """The same predictions under other labels (ReaL); images without a label in `labels` are left out.

    labels: lists of ILSVRC indices by image_id; an empty list means "not scored". p_true no longer holds: dropped.
    Raises BookError when none of the images is there.

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [2]], "pred": [1, 5]})
    >>> with_labels(frame, pd.Series({"x": [], "y": [5, 6]})).label.tolist()
    [[5, 6]]
    """
    found = labels.reindex(predictions["image_id"])
    has = np.fromiter(
        (isinstance(each, (list, tuple, np.ndarray)) and len(each) > 0 for each in found), bool, len(found)
    )
    if len(predictions) and not has.any():
        expected = f"labels for images such as {predictions['image_id'].iloc[0]!r}, found none"
        raise BookError("labels", expected, "use the official image ids")
    kept = predictions[has].drop(columns="p_true", errors="ignore")
    return kept.assign(label=found.to_numpy(dtype=object)[has]).reset_index(drop=True)


def align_predictions(predictions_by_model: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """One column of every model's frame side by side, for the images all of them have (index image_id).

    `column` may be "correct", computed from pred and label. Raises BookError for a repeated image or none in common.

    >>> one = pd.DataFrame({"image_id": ["x", "y"], "pred": [1, 2], "label": [[1], [1]]})
    >>> align_predictions({"a": one, "b": one.iloc[::-1]}, "correct")["b"].tolist()
    [True, False]
    """
    parts = {}
    for model, frame in predictions_by_model.items():
        values = correct(frame) if column == "correct" else frame[column].to_numpy()
        parts[model] = pd.Series(values, index=pd.Index(frame["image_id"], name="image_id"))
        if not parts[model].index.is_unique:
            twice = frame["image_id"][frame["image_id"].duplicated()].iloc[0]
            raise BookError(f"predictions of {model}", f"one row per image, found {twice} twice", "import them again")
    common = _common_index([part.index for part in parts.values()])
    if not len(common):
        raise BookError("predictions", "images common to all models, found none", "evaluate them on the same set")
    return pd.DataFrame({model: part.reindex(common).to_numpy() for model, part in parts.items()}, index=common)


def _common_index(indices: list[pd.Index]) -> pd.Index:
    common = indices[0]
    for other in indices[1:]:
        if not common.equals(other):
            common = common[common.isin(other)]
    return common
