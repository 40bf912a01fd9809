"""Validation predictions on the classes of a smaller set: the clean accuracy that ImageNet-A and -R are set against."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers import datasets, labels, store
from helpers.errors import BookError, InputsUnavailable
from helpers.predict.collect import Collected

SUBSETS = ("a", "r")  # roles whose sets hold a part of the classes
READINGS = ("masked", "unmasked")
CHUNK = 8192  # images at a time: 8,192 x 1,000 logits in fp32 are 33 MB


def same_classes(val: Collected, dataset: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Validation images of the classes of `dataset`, by reading and model; nothing where it has all the classes.

    "unmasked": predictions over all classes, as they stand. "masked": the largest logit among the set's classes, as
    on the set itself, from stored embeddings and heads; models without them are left out (timm's published clean
    accuracies mask too). Raises BookError where stored embeddings and predictions are of different images.
    """
    space = labels.label_space(datasets.dataset_spec(dataset).label_space)
    whole = labels.label_space(datasets.dataset_spec(val.inputs.dataset).label_space)
    if set(space.indices) >= set(whole.indices):
        return {}
    found: dict[str, dict[str, pd.DataFrame]] = {reading: {} for reading in READINGS}
    for model, frame in val.frames.items():
        kept = np.array([bool(set(each) & set(space.indices)) for each in frame["label"]])
        if not kept.any():
            continue
        found["unmasked"][model] = frame[kept].reset_index(drop=True)
        pred = masked(val.places.get(model), frame, kept, np.asarray(space.indices))
        if pred is not None:
            columns = [name for name in ("image_id", "label", "group") if name in frame]
            found["masked"][model] = frame.loc[kept, columns].reset_index(drop=True).assign(pred=pred)
    return {reading: frames for reading, frames in found.items() if frames}


def clean_on(found: Mapping[str, Collected]) -> dict[str, dict[str, dict[str, pd.DataFrame]]]:
    """`same_classes` of the validation predictions for every collected role that has fewer classes, by role.

    found: predictions by role, such as "val", "a", "r". Nothing without validation predictions.
    """
    val = found.get("val")
    if val is None or not val.frames:
        return {}
    parts = {role: same_classes(val, found[role].inputs.dataset) for role in SUBSETS if role in found}
    return {role: readings for role, readings in parts.items() if readings}


def masked(
    place: tuple[str, str, str] | None, frame: pd.DataFrame, kept: np.ndarray, indices: np.ndarray
) -> np.ndarray | None:
    """The best class among `indices` for the kept rows of a frame; None where its embeddings are not stored.

    place: model, data set and view by the store's names.
    """
    if place is None:
        return None
    try:
        ids, embeddings, _ = store.read_embeddings(*place)
        _, key = store.read_predictions(*place, columns=["image_id"])
        digest = key["facts"].get("head")
        weight, bias = (None, None) if digest is None else store.read_head(place[0], digest)
    except InputsUnavailable:
        return None
    rows = pd.Index(ids["image_id"]).get_indexer(frame.loc[kept, "image_id"])
    if (rows < 0).any():
        thing = f"embeddings of {place[0]} on {place[1]}"
        raise BookError(thing, "a row for every prediction, found fewer", "delete them and run the model again")
    best = []
    for start in range(0, len(rows), CHUNK):
        part = np.asarray(embeddings[rows[start : start + CHUNK]], dtype=np.float32)
        logits = part[:, indices] if weight is None else part @ weight[indices].T
        best.append((logits if weight is None or bias is None else logits + bias[indices]).argmax(axis=1))
    return indices[np.concatenate(best)]
