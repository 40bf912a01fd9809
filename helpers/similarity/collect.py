"""Similarities that a section asks for: read from the store, or made once and stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers import models, store
from helpers.errors import InputsUnavailable
from helpers.predict import Inputs, Settings, sources
from helpers.similarity.compute import compute
from helpers.similarity.jobs import Job, miss
from helpers.similarity.pairs import Similarity, between, within


@dataclass(frozen=True)
class Collected:
    """Similarities by (model, model), where they came from, hashes behind them, what is missing and what is less.

    `pairs` holds each model with itself, and every two in the order in which they were asked for.
    """

    models: tuple[str, ...]
    dataset: str | None = None
    view: str | None = None
    pairs: dict[tuple[str, str], Similarity] = field(default_factory=dict)
    source: str = "not asked for"
    artifacts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    partial: list[str] = field(default_factory=list)

    def shortfalls(self) -> dict[str, str]:
        """Why the results are not complete: {model, layer or dataset: reason}; empty if they are."""
        undefined = {name: why for each in self.pairs.values() for name, why in each.undefined().items()}
        return {**self.missing, **undefined, **({self.dataset: "; ".join(self.partial)} if self.partial else {})}


def collect(
    inputs: Inputs, images: int, batch_size: int, settings: Settings | None = None, max_images: int | None = None,
    local: sources.Local = None,
) -> Collected:  # fmt: skip
    """Similarity of every model with itself and of every two, on `images` images in batches of `batch_size`.

    Nothing is loaded for a hit, and torch only where a model has to run. What cannot be had is named in `missing`; a
    damaged file or a model that fails raises BookError.
    """
    job = job_of(inputs, images, batch_size, settings, max_images, local)
    reasons = {pair: reason for pair in job.pairs if (reason := miss(job, pair))}
    missing: dict[str, str] = {}
    if reasons:
        try:
            missing = compute(job).missing
        except InputsUnavailable as error:
            missing = dict.fromkeys(job.models, str(error))
    source = "store hit" if not reasons else f"computed ({next(iter(reasons.values()))})"
    found = Collected(job.models, job.dataset, job.view, source=source, missing=missing)
    _read(job, found)
    if found.pairs and job.images < images:
        found.partial.append(f"{job.images:,} of the {images:,} images that the profile names")
    return found


def job_of(
    inputs: Inputs, images: int, batch_size: int, settings: Settings | None, max_images: int | None,
    local: sources.Local,
) -> Job:  # fmt: skip
    """What has to be computed for these inputs."""
    images = min(images, max_images or images)
    return Job(inputs.models, inputs.dataset, inputs.view, images, batch_size, settings or Settings(), local)


def _read(job: Job, found: Collected) -> None:
    """Fill `found` with what the store holds now: a model counts where it is stored with itself."""
    own: dict[str, Similarity] = {}
    for model in job.models:
        if miss(job, (model, model)):
            continue
        values, facts = store.read_hsic(store.pair_name(model, model), job.name((model, model)), job.view)
        own[model] = within(
            model, models.resolve(model).family, dict(facts["layers"][model]), values, facts["batch_size"]
        )
        found.pairs[model, model] = own[model]
        _note(found, job, model, facts)
    order = list(own)
    for i, first in enumerate(order):
        for second in order[i + 1 :]:
            pair = tuple(sorted((first, second)))
            if miss(job, pair):
                continue
            values, _ = store.read_hsic(store.pair_name(*pair), job.name(pair), job.view)
            made = between(own[pair[0]], own[pair[1]], values)
            found.pairs[first, second] = made if pair == (first, second) else made.swapped()


def _note(found: Collected, job: Job, model: str, facts: dict) -> None:
    found.artifacts.update(facts.get("artifacts") or {})
    weights = models.resolve(model).weights
    if weights:
        found.artifacts[weights] = facts["models"][model]["weights"]
    notes = [f"a stand-in was used for {each}" for each in facts.get("stand_ins", [])]
    n = facts["batch_size"] * facts["batches"]
    notes += [f"{n:,} images of {job.dataset} where {job.images:,} were asked for"] if n < job.images else []
    found.partial.extend(note for note in notes if note not in found.partial)
