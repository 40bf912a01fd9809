"""Features of a dataset by one model, as probes take them: from the store, or extracted once and kept there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from helpers import datasets, store
from helpers.errors import BookError
from helpers.predict import sources
from helpers.predict.collect import Inputs, behind, job_of, partial_notes
from helpers.predict.compute import Job, compute, miss
from helpers.predict.keys import view_of
from helpers.predict.settings import Settings

READINGS = ("probe", "before_projection")


@dataclass(frozen=True)
class Features:
    """What a probe is given: `matrix` float32 [n, d], `labels` int64 [n] and `frame` (image_id, label, group).

    `group` is the unit that images of one picture, scene or video share, where the dataset says so. `source` says
    where they came from, `artifacts` {id: sha256} what is behind them, `partial` in what they are less than the
    published set. `readings` are those that the same run has left in the store.
    """

    matrix: np.ndarray
    labels: np.ndarray
    frame: pd.DataFrame
    source: str = "given"
    artifacts: Mapping[str, str] = field(default_factory=dict)
    partial: tuple[str, ...] = ()
    readings: tuple[str, ...] = READINGS[:1]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> Features:
        """The features of these rows, in this order."""
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return replace(self, matrix=self.matrix[rows], labels=self.labels[rows], frame=frame)


def features(
    inputs: Inputs, model: str, split: str | None = None, settings: Settings | None = None,
    max_images: int | None = None, local: sources.Local = None, reading: str = "probe",
    opened: dict[str, sources.Source] | None = None,
) -> Features:  # fmt: skip
    """Features of one model on a dataset (or its `split`, "train" say) under the view of `inputs`.

    They are read from the store; what it lacks is extracted and kept there, so that another probe extracts nothing.
    `reading` "probe": pre-logits of supervised models, L2-normalised projected embedding of CLIP; "before_projection":
    CLIP's features before the projection. `opened` keeps opened datasets for the next call. Raises InputsUnavailable
    for data or weights that cannot be had, BookError for a reading that the model has not or an image with several
    labels.
    """
    if reading not in READINGS:
        raise BookError(f"reading {reading!r} of features", f"one of {', '.join(READINGS)}", "choose one of them")
    dataset, job = _job(inputs, model, split, settings, max_images, local)
    reason = miss(job, inputs.view)
    if reason is not None:
        compute(job, {} if opened is None else opened)
    place = (job.model, job.name, view_of(job.model, inputs.view).id)
    _, document = store.read_ids(*place, columns=["image_id"])
    kind, names = document["facts"]["kind"], store.matrix_names(*place)
    name = _matrix_name(job.model, kind, names, reading)
    ids, matrix, _ = store.read_embeddings(*place, name=name)
    found = {name: ids[name] for name in ("image_id", "label") if name in ids}
    frame = datasets.with_own_labels(dataset, pd.DataFrame({**found, "group": ids.get("group")}))
    source = "store hit" if reason is None else f"computed ({reason})"
    facts = document["facts"]
    return Features(
        np.asarray(matrix, dtype=np.float32), single_labels(frame, dataset), frame, source, behind(job, facts),
        tuple(partial_notes(job, facts, frame)), _readings(kind, names),
    )  # fmt: skip


def are_stored(
    inputs: Inputs, model: str, split: str | None = None, settings: Settings | None = None,
    max_images: int | None = None, local: sources.Local = None,
) -> bool:  # fmt: skip
    """Whether `features` would find them in the store; nothing is loaded or fetched."""
    return miss(_job(inputs, model, split, settings, max_images, local)[1], inputs.view) is None


def _job(inputs: Inputs, model: str, split: str | None, settings, max_images, local) -> tuple[str, Job]:
    dataset = f"{inputs.dataset}/{split}" if split else inputs.dataset
    return dataset, job_of(replace(inputs, dataset=dataset), model, settings, max_images, local)


def _matrix_name(model: str, kind: str, names: tuple[str, ...], reading: str) -> str:
    """Which stored matrix a reading is; `kind` says what the network's embedding is."""
    if reading == "before_projection":
        if reading not in _readings(kind, names):
            expected = f"a model with a projection, found {kind} only"
            raise BookError(f"features of {model} before the projection", expected, "ask for the reading 'probe'")
        return reading
    # A network whose classifier is not one linear layer keeps its logits as embedding, and pre-logits beside them.
    return "before_projection" if kind == "logits" and "before_projection" in names else "embedding"


def _readings(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return READINGS if kind == "projected" and "before_projection" in names else READINGS[:1]


def single_labels(frame: pd.DataFrame, thing: str) -> np.ndarray:
    """The one label of each image, int64 [n]. Raises BookError where an image has none or several.

    >>> single_labels(pd.DataFrame({"image_id": ["a", "b"], "label": [[3], [5]]}), "toy").tolist()
    [3, 5]
    """
    lengths = frame["label"].map(len) if "label" in frame else pd.Series(0, index=frame.index)
    if (lengths != 1).any():
        row = int(np.flatnonzero(lengths != 1)[0])
        found = f"one label an image, found {lengths.iloc[row]} for {frame.image_id.iloc[row]!r}"
        raise BookError(f"labels of {thing}", found, "probe a dataset whose images have one class each")
    return np.array([each[0] for each in frame["label"]], dtype=np.int64)
