"""One pass over the batches with all models at once: Gram matrices by hooks, HSICs of every two layers, by pair."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from helpers import models, store, views
from helpers.datasets import Dataset
from helpers.errors import BookError, InputsUnavailable
from helpers.predict import keys, passes, sources
from helpers.predict.batches import Batch, Reader, loaded
from helpers.predict.compute import network_of
from helpers.predict.settings import Settings, autocast, machine, resolved
from helpers.similarity.grams import layer_grams
from helpers.similarity.jobs import SEED, Job, cut, known_facts, loaded_facts, miss
from helpers.similarity.layers import layers_of, panels
from helpers.similarity.pairs import all_hsics


@dataclass(frozen=True)
class Watched:
    """A loaded model, the view that it sees (named by what it does: two protocols share ids), and its layers."""

    model: models.LoadedModel
    view: views.View
    kinds: dict[str, str]


@dataclass(frozen=True)
class Done:
    """What `compute` did: pairs made now, pairs stored already, and models that could not be had, with the reason."""

    made: tuple[tuple[str, str], ...] = ()
    hits: tuple[tuple[str, str], ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


def compute(job: Job) -> Done:
    """Make and store the pairs of a job that are not stored; finished batches of an interrupted run are kept.

    Models or images that cannot be had, or are too few, are told in `missing`, and the rest runs. Raises BookError for
    images that cannot be read, activations that are not finite, and layers that do not run once.
    """
    todo = [pair for pair in job.pairs if miss(job, pair)]
    hits = tuple(pair for pair in job.pairs if pair not in todo)
    if not todo:
        return Done(hits=hits)
    settings = resolved_here(job.settings)
    watched, missing = _watched(job, {model for pair in todo for model in pair}, settings)
    todo = [pair for pair in todo if set(pair) <= set(watched)]
    if todo:
        try:
            source = sources.open_source(job.dataset, None, job.local, settings.progress)
            cutting = cut(len(source.dataset), job.images, job.batch_size)
        except InputsUnavailable as error:
            return Done((), hits, {**missing, **dict.fromkeys(job.models, str(error))})
        _make(job, todo, watched, source, cutting, settings)
    return Done(tuple(todo), hits, missing)


def resolved_here(settings: Settings) -> Settings:
    """The settings for this machine. Raises InputsUnavailable where torch is not installed."""
    models.names.require("torch")
    return resolved(settings)


def _watched(job: Job, wanted: set[str], settings: Settings) -> tuple[dict[str, Watched], dict[str, str]]:
    found, missing = {}, {}
    for name in sorted(wanted):
        try:
            family = models.resolve(name).family
            panels(family)
            view = keys.view_of(name, job.view)
            model = passes.at_size(network_of(name, job.local), view.size, settings)
            kinds = layers_of(model.network, family)
        except InputsUnavailable as error:
            missing[name] = str(error)
            continue
        found[name] = Watched(model, replace(view, id=view.digest()), kinds)
    return found, missing


def _make(
    job: Job, todo: list, watched: dict[str, Watched], source: sources.Source, cutting: tuple[int, int],
    settings: Settings,
) -> None:  # fmt: skip
    size, batches = cutting
    order = np.random.default_rng(SEED).permutation(len(source.dataset))[: size * batches]
    dataset = source.dataset.take(order)
    known = {"batch_size": size, "batches": batches, "images": dataset.digest, "artifacts": source.facts["artifacts"]}
    wanted = {pair: _key(job, pair, watched, known) for pair in todo}
    group = [name for name in sorted(watched) if any(name in pair for pair in todo)]
    digest = _digest([key.digest() for key in wanted.values()])
    with machine(settings):
        _see(dataset, [watched[name] for name in group], size, settings, digest)
    whole = np.stack([store.read_part(i, digest) for i in range(batches)])
    ends = np.cumsum([0, *(len(watched[name].kinds) for name in group)])
    place = {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(group)}
    for (first, second), key in wanted.items():
        store.write_hsic(whole[:, place[first], place[second]], key)
    store.drop_parts([digest])


def _key(job: Job, pair: tuple[str, str], watched: dict[str, Watched], cutting: dict) -> store.PredictionKey:
    facts = known_facts(job, pair) | cutting
    facts["models"] = {name: facts["models"][name] | loaded_facts(watched[name].model) for name in pair}
    # Lists of [layer, panel]: the order of the layers is that of the matrix.
    facts["layers"] = {name: [list(each) for each in watched[name].kinds.items()] for name in pair}
    stand_ins = sorted({each for name in pair for each in sources.replaced_files(name, job.dataset, job.local)})
    facts |= {"stand_ins": stand_ins} if stand_ins else {}
    return store.PredictionKey(store.pair_name(*pair), job.name(pair), job.view, facts)


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _see(dataset: Dataset, group: list[Watched], size: int, settings: Settings, digest: str) -> None:
    """Every batch that is not finished yet through all models; its HSICs go to a part of the store."""
    from tqdm import tqdm

    starts = range(0, len(dataset), size)
    todo = [i for i in range(len(starts)) if store.read_part(i, digest) is None]
    reader = Reader(dataset, tuple({each.view.id: each.view for each in group}.values()))
    batches = loaded(reader, [list(range(starts[i], starts[i] + size)) for i in todo], settings)
    title = f"layers of {len(group)} model{'s' * (len(group) > 1)} on {dataset.dataset_id}"
    with ThreadPoolExecutor(settings.threads) as pool:
        for i, batch in tqdm(
            zip(todo, batches, strict=True), title, len(todo), unit="batch", disable=not settings.progress
        ):
            if batch.unreadable:
                raise BookError(batch.unreadable[0][1], "an image that can be decoded", "replace the file")
            grams = pool.map(lambda each, batch=batch: _grams(each, batch, settings), group)
            store.write_part(all_hsics(np.concatenate(list(grams))), i, digest)


def _grams(each: Watched, batch: Batch, settings: Settings) -> np.ndarray:
    import torch

    pixels = batch.pixels[each.view.id].to(settings.device, non_blocking=True)
    images = views.normalise(pixels, each.view.preprocessing).contiguous(memory_format=torch.channels_last)
    try:
        with autocast(settings):
            return layer_grams(each.model.network, list(each.kinds), images)
    except torch.OutOfMemoryError as error:
        raise BookError(
            f"{each.model.key} on {len(images)} images at once", "memory for one batch, found too little",
            "the batch is part of the estimator: use a machine with more memory, or ask for smaller batches",
        ) from error  # fmt: skip
