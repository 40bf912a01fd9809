"""Stored embeddings with the heads that belong to them: what is asked of them needs no model. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import labels, models, paths, store
from helpers.datasets import dataset_spec
from helpers.errors import BookError, InputsUnavailable
from helpers.models import prompt_heads
from helpers.predict import keys
from helpers.predict.collect import Inputs, job_of
from helpers.predict.sources import Local


@dataclass(frozen=True)
class Embedded:
    """Embeddings (n, d) of one model on one dataset, row by row with `frame` (image_id, label, cues where there are).

    logits = features @ weight.T + bias, the constant factor of a zero-shot head in the weight. `classes`: indices that
    compete; `categories`: {category: indices} where classes are grouped. `prompts`: {number of templates: class
    embeddings without a factor}; `learned_scale`: of the checkpoint; both only for CLIP models that kept them.
    """

    model: str
    dataset: str
    view: str
    frame: pd.DataFrame
    features: np.ndarray
    weight: np.ndarray
    bias: np.ndarray | None
    classes: np.ndarray
    categories: dict[str, tuple[int, ...]] | None = None
    prompts: dict[int, np.ndarray] = field(default_factory=dict)
    learned_scale: float | None = None


def embedded(
    inputs: Inputs, max_images: int | None = None, local: Local = None, root: Path | None = None
) -> tuple[dict[str, Embedded], dict[str, str]]:
    """({model: what is stored of it}, {model: why nothing is}) for every model of some inputs; nothing is run.

    Raises BookError for a store that does not fit together.

    >>> embedded(Inputs("imagenet1k_val", "released.eval", ("vit",), "imagenet_x_predictions_{model}"))[1]
    {'vit': 'only answers are published, no embeddings'}
    """
    if inputs.artifact:
        return {}, dict.fromkeys(inputs.models, "only answers are published, no embeddings")
    found, missing = {}, {}
    for model in inputs.models:
        try:
            found[model] = _read(inputs, model, max_images, local, root)
        except InputsUnavailable:
            missing[model] = "no embeddings are stored; the sections before this one make them"
    return found, missing


def _read(inputs: Inputs, model: str, max_images: int | None, local: Local, root: Path | None) -> Embedded:
    job = job_of(inputs, model, None, max_images, local)
    view = keys.view_of(model, inputs.view).id
    frame, document = store.read_predictions(model, job.name, view, root=root)
    ids, features, _ = store.read_embeddings(model, job.name, view, root=root)
    frame = frame.set_index("image_id", drop=False).reindex(ids.image_id).reset_index(drop=True)
    if frame.image_id.isna().any():
        raise BookError(f"embeddings of {model} on {job.name}", "the images of its predictions, found others",
                        "delete both in the store and run the model again")  # fmt: skip
    digest = document["facts"]["head"]
    weight, bias = np.eye(features.shape[1], dtype="f4"), None  # without a classifier the embedding is the logits
    if digest:
        weight, bias = store.read_head(model, digest, root=root)
    space = labels.label_space(dataset_spec(job.dataset).label_space)
    grouped = {"shape", "texture"} <= set(frame)
    categories = dict(zip(space.folders, space.labels, strict=True)) if grouped else None
    classes = np.arange(len(weight)) if grouped else np.asarray(space.indices)
    text = None
    if models.resolve(model).backend == "open_clip":
        folder = Path(root or paths.store_dir()) / "zero_shot"
        text = prompt_heads.stored(folder, models.resolve(model), document["facts"]["weights"])
    more = {} if text is None else {"prompts": text.weights, "learned_scale": text.learned_scale}
    return Embedded(model, inputs.dataset, view, frame, features, weight, bias, classes, categories, **more)
