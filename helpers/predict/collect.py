"""Per-image predictions that a section asks for: a store hit, or made once and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from helpers import datasets, fetch, labels, store
from helpers.errors import BookError, InputsUnavailable
from helpers.models import MODELS, resolve
from helpers.predict import sources
from helpers.predict.compute import Job, compute, miss, stored
from helpers.predict.keys import WITHOUT_EMBEDDINGS, view_of
from helpers.predict.settings import Settings


@dataclass(frozen=True)
class Inputs:
    """What a section needs for one role: a dataset under a view, seen by some models.

    `artifact` is the manifest id of the published file of one observer, with `{model}` to fill in;
    None means that the models are run here, with `precision` where it is not that of the run.
    """

    dataset: str
    view: str
    models: tuple[str, ...]
    artifact: str | None = None
    precision: str | None = None


@dataclass(frozen=True)
class Collected:
    """Predictions by model, where each came from, the hashes behind them, what is missing and why.

    `partial` says in what the predictions are less (or other) than the published data. `places`: (model, data set,
    view) by the store's names, of predictions that were made here.
    """

    inputs: Inputs
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    partial: list[str] = field(default_factory=list)
    places: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def shortfalls(self) -> dict[str, str]:
        """Why the results of these predictions are not complete: {model or dataset: reason}; empty if they are."""
        return {**self.missing, **({self.inputs.dataset: "; ".join(self.partial)} if self.partial else {})}

    def table(self) -> pd.DataFrame:
        """One line per model (index: its label): rows, and the source or why it is not run."""
        lines = [
            {
                "observer": MODELS[key].label if key in MODELS else key,
                "rows": len(self.frames[key]) if key in self.frames else None,
                "source": self.sources.get(key) or f"not run: {self.missing[key]}",
            }
            for key in self.inputs.models
        ]
        return pd.DataFrame(lines).astype({"rows": "Int64"}).set_index("observer")


def collect(
    inputs: Inputs, settings: Settings | None = None, max_images: int | None = None, local: sources.Local = None,
    only_stored: bool = False,
) -> Collected:  # fmt: skip
    """Predictions of every model in `inputs`: read from the store, imported into it, or made here and stored.

    Nothing is loaded or imported for a hit, and torch only where a model has to run. `max_images` asks for a part
    spread evenly over the classes, `local` {artifact id: path} gives stand-ins; both are told in `partial`. Data or
    weights that cannot be had are named in `missing`; a malformed file or a model that fails raises BookError.
    `only_stored`: no model is run; what is not stored is missing.
    """
    found = Collected(inputs)
    opened: dict[str, sources.Source] = {}
    for model in inputs.models:
        try:
            if inputs.artifact:
                frame, source, hashes = _published(inputs, model)
            else:
                job = job_of(inputs, model, settings, max_images, local)
                frame, source, facts = _made_here(inputs, job, opened, only_stored)
                hashes = behind(job, facts)
                found.partial.extend(note for note in partial_notes(job, facts, frame) if note not in found.partial)
                frame, hashes = _relabelled(inputs, frame, hashes)
                found.places[model] = (model, job.name, view_of(model, inputs.view).id)
        except InputsUnavailable as error:
            found.missing[model] = str(error)
            continue
        found.frames[model], found.sources[model] = frame, source
        found.artifacts.update(hashes)
    return found


def together(found: Iterable[Collected]) -> Collected:
    """What is common to several (views of one set, say): the hashes behind all, and all that is missing or partial.

    Inputs, frames and sources are those of the first; without any there are no models.

    >>> together([]).shortfalls()
    {}
    """
    each = list(found)
    if not each:
        return Collected(Inputs("", "", ()))
    artifacts = {name: digest for one in each for name, digest in one.artifacts.items()}
    missing = {name: reason for one in each for name, reason in one.missing.items()}
    partial = list(dict.fromkeys(note for one in each for note in one.partial))
    return replace(each[0], artifacts=artifacts, missing=missing, partial=partial)


def job_of(inputs: Inputs, model: str, settings: Settings | None, max_images: int | None, local: sources.Local) -> Job:
    """What has to be computed for one model of some inputs."""
    settings = settings or Settings()
    settings = replace(settings, precision=inputs.precision) if inputs.precision else settings
    return Job(model, sources.pictures_of(inputs.dataset), (inputs.view,), settings, max_images, local)


def _made_here(
    inputs: Inputs, job: Job, opened: dict[str, sources.Source], only_stored: bool
) -> tuple[pd.DataFrame, str, dict]:
    reason = miss(job, inputs.view)
    if reason is None:
        frame, facts = stored(job, inputs.view)
        return frame, "store hit", facts
    if only_stored:
        thing = f"{job.model} on {job.dataset} under {inputs.view}"
        raise InputsUnavailable(thing, f"stored predictions ({reason})", "collect them under this view first")
    try:
        compute(job, opened)
    except InputsUnavailable as error:
        if reason == "nothing stored":
            raise
        raise InputsUnavailable(f"{job.model} on {job.dataset} ({reason})", error.expected, error.remedy) from None
    frame, facts = stored(job, inputs.view)
    return frame, f"computed ({reason})", facts


def partial_notes(job: Job, facts: dict, frame: pd.DataFrame) -> list[str]:
    """In what the predictions are less, or other, than those of the published data."""
    notes = [f"a stand-in was used for {each}" for each in facts.get("stand_ins", [])]
    if "split" in facts:
        notes.append(f"the split of {job.dataset} was {facts['split']}: other members than VTAB's")
    n = sources.published_n(job.dataset)
    if len(frame) != n:
        notes.append(f"{len(frame):,} of the {n:,} images of {job.dataset}")
    skipped = _asked_for(job, facts, n) - len(frame)
    if skipped > 0:
        notes.append(f"images of {job.dataset} that could not be decoded and were skipped: {skipped:,}")
    return notes


def _asked_for(job: Job, facts: dict, n: int) -> int:
    """How many images a run was given; 0 where that is not known: of stand-ins, and of parts of ImageNet-C."""
    part = "subset" in facts
    if facts.get("stand_ins") or (part and job.dataset in WITHOUT_EMBEDDINGS):
        return 0
    return facts["subset"]["images"] if part else n


def behind(job: Job, facts: dict) -> dict[str, str]:
    """{artifact id: sha256} of the images and weights that stored rows come from."""
    weights = resolve(job.model).weights
    return {**facts.get("artifacts", {}), **({weights: facts["weights"]} if weights else {})}


def _relabelled(inputs: Inputs, frame: pd.DataFrame, hashes: dict) -> tuple[pd.DataFrame, dict]:
    """The rows under the labels that were asked for. Names that cannot be joined make it missing, not wrong."""
    if inputs.dataset not in datasets.OVERLAYS:
        return frame, hashes
    own = [each for each in datasets.dataset_spec(inputs.dataset).artifacts if each not in hashes]
    try:
        return datasets.OVERLAYS[inputs.dataset](frame), {**hashes, **fetch.provenance(own)}
    except BookError as error:
        raise InputsUnavailable(error.thing, error.expected, error.remedy) from None


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
