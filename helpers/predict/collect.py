"""Per-image predictions that a section asks for: a store hit, or made once and stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from helpers import fetch, labels, store
from helpers.errors import InputsUnavailable
from helpers.models import MODELS


@dataclass(frozen=True)
class Inputs:
    """What a section needs for one role: a dataset under a view, seen by some models.

    `artifact` is the manifest id of the published file of one observer, with `{model}` to fill in;
    None means that the models are run here.
    """

    dataset: str
    view: str
    models: tuple[str, ...]
    artifact: str | None = None


@dataclass(frozen=True)
class Collected:
    """Predictions by model, where each came from, the hashes behind them, and what is missing and why."""

    inputs: Inputs
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """One line per model (index: its label): rows, and the source or why it is not run."""
        lines = [
            {
                "observer": MODELS[key].label,
                "rows": len(self.frames[key]) if key in self.frames else None,
                "source": self.sources.get(key) or f"not run: {self.missing[key]}",
            }
            for key in self.inputs.models
        ]
        return pd.DataFrame(lines).astype({"rows": "Int64"}).set_index("observer")


def collect(inputs: Inputs) -> Collected:
    """Predictions of every model in `inputs`, read from the store or imported into it.

    Data that cannot be had is named in `missing`; a malformed file raises BookError.
    """
    found = Collected(inputs)
    for model in inputs.models:
        try:
            frame, source, hashes = _published(inputs, model)
        except InputsUnavailable as error:
            found.missing[model] = str(error)
            continue
        found.frames[model], found.sources[model] = frame, source
        found.artifacts.update(hashes)
    return found


def _published(inputs: Inputs, model: str) -> tuple[pd.DataFrame, str, dict[str, str]]:
    artifact = inputs.artifact.format(model=model)
    path = fetch.fetch(artifact, progress=False)
    hashes = fetch.provenance([artifact])
    key = store.PredictionKey(model, inputs.dataset, inputs.view, {"artifacts": hashes})
    state = store.status(key)
    if state == "hit":
        frame = store.read_predictions(model, inputs.dataset, inputs.view, expect=key)[0]
        return frame, "published file, store hit", hashes
    frame = IMPORTERS[inputs.dataset](path)
    store.write_predictions(frame, key)
    return frame, f"published file, imported ({state})", hashes


def _import_imagenet_x(path) -> pd.DataFrame:
    return store.import_imagenet_x(path, labels.validation_labels())


IMPORTERS: dict[str, Callable] = {
    "cue_conflict": store.import_model_vs_human,
    "imagenet1k_val": _import_imagenet_x,
}
