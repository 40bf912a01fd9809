"""A second reading from the store alone: the classes of a set among themselves, from embeddings and heads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import datasets, fetch, labels, store
from helpers.errors import BookError, InputsUnavailable
from helpers.predict.collect import Collected, job_of
from helpers.predict.keys import view_of
from helpers.predict.outputs import CARRIED
from helpers.predict.settings import Settings
from helpers.predict.sources import Local

CHUNK = 8192  # images at a time: 8,192 x 1,000 logits are 33 MB


def among_classes(
    found: Collected, settings: Settings | None = None, max_images: int | None = None, local: Local = None
) -> Collected:
    """The predictions of `found` once more, with only the classes of the set competing, without running a model.

    Logits are made from the stored embeddings and head, cut to the indices of the class map, and an index that two
    classes share is right for both. Rows keep group, asset, background and level; `mapped` says whether the stored
    prediction, among all classes, belongs to any class of the set. `settings`, `max_images` and `local` are those that
    `found` was collected with. A model without stored embeddings is named in `missing`.
    """
    again = replace(found, frames={}, sources={}, missing=dict(found.missing))
    if not found.frames:
        return again
    paper, fair = spaces_of(found.inputs.dataset, local)
    for model, frame in found.frames.items():
        job = job_of(found.inputs, model, settings, max_images, local)
        view = view_of(model, found.inputs.view).id
        try:
            ids, embedding, _ = store.read_embeddings(model, job.name, view)
            _, document = store.read_predictions(model, job.name, view, columns=["image_id"])
            digest = document["facts"].get("head")
            head = store.read_head(model, digest) if digest else None
        except InputsUnavailable as error:
            again.missing[model] = f"no stored embeddings, so no reading among the classes of the set ({error})"
            continue
        known = frame.set_index("image_id").reindex(ids["image_id"]).reset_index()
        again.frames[model], agreed = restricted(known, embedding, head, paper, fair)
        again.sources[model] = f"stored embeddings; over all classes they give the stored answer on {agreed:.2%}"
    return again


def spaces_of(dataset_id: str, local: Local = None) -> tuple[labels.LabelSpace, labels.LabelSpace]:
    """The label space of the paper's rule, and that in which only the classes of the set compete.

    Raises BookError for a set without a second reading.
    """
    name = datasets.dataset_spec(dataset_id).label_space
    if name == "pug_imagenet":
        path = fetch.fetch("pug_class_map", local=local, progress=False)
        return labels.pug_label_space(path), labels.pug_candidate_space(path)
    return labels.label_space(name), labels.label_space(f"{name}_candidates")


def restricted(
    frame: pd.DataFrame, embedding: np.ndarray, head: tuple | None, paper: labels.LabelSpace, fair: labels.LabelSpace
) -> tuple[pd.DataFrame, float]:
    """The frame with prediction, confidence and p_true among the candidates of `fair`, and under its labels.

    embedding (n, d) in the frame's order; head: weight (classes, d) and bias (or None), None where the embedding is the
    logits. Also the share of images whose argmax over all classes is the frame's own prediction.
    """
    candidates = np.asarray(fair.indices)
    truth = fair_labels(frame["label"], paper, fair)
    best, confidence, p_true, everything = (np.empty(len(frame)) for _ in range(4))
    place = {index: at for at, index in enumerate(fair.indices)}
    for start in range(0, len(frame), CHUNK):
        rows = slice(start, start + CHUNK)
        logits = _logits(np.asarray(embedding[rows], dtype=np.float32), head)
        everything[rows] = logits.argmax(axis=1)
        shown = logits[:, candidates].astype(np.float64)
        shown = np.exp(shown - shown.max(axis=1, keepdims=True))
        shown /= shown.sum(axis=1, keepdims=True)
        best[rows], confidence[rows] = candidates[shown.argmax(axis=1)], shown.max(axis=1)
        p_true[rows] = [row[[place[i] for i in label]].max() for row, label in zip(shown, truth[rows], strict=True)]
    kept = [name for name in CARRIED if name in frame]
    again = frame[["image_id", *kept]].assign(
        label=pd.Series(truth, dtype=object), pred=best.astype(np.int64), confidence=confidence, p_true=p_true,
        mapped=frame["pred"].isin(sorted({index for each in paper.labels for index in each})).to_numpy(),
    )  # fmt: skip
    return again, float((everything == frame["pred"].to_numpy()).mean())


def fair_labels(given: pd.Series, paper: labels.LabelSpace, fair: labels.LabelSpace) -> list[list[int]]:
    """Labels of each image with shared indices in them, from its labels under the paper's rule.

    Raises BookError where those do not tell the class: labels of no class, or of two (two classes that lost all).

    >>> classes = {"Cat": [1], "Shirt": [2], "Sweatshirt": [2]}
    >>> paper, fair = labels.mapped_space("toy", classes, 4), labels.candidate_space("toy", classes)
    >>> fair_labels(pd.Series([[1], [], [2]]), paper, fair)
    [[1], [2], [2]]
    """
    found: dict[tuple, list] = {}
    for mine, more in zip(paper.labels, fair.labels, strict=True):
        found.setdefault(mine, []).append(list(more))
    wrong = {tuple(label) for label in given} - {mine for mine, more in found.items() if len(more) == 1}
    if wrong:
        expected = f"labels of one class of {paper.name}, found {list(sorted(wrong)[0])}"
        raise BookError("stored labels", expected, "run the set again with its class map")
    return [found[tuple(label)][0] for label in given]


def _logits(embedding: np.ndarray, head: tuple | None) -> np.ndarray:
    if head is None:
        return embedding
    weight, bias = head
    logits = embedding @ weight.T
    return logits if bias is None else logits + bias
