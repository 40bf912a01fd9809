"""What is stored of the predictions asked for, and computing the rest. torch is imported only when a model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from helpers import fetch, labels, models, store
from helpers.datasets import dataset_spec
from helpers.errors import BookError, InputsUnavailable
from helpers.models.names import require
from helpers.predict import keys, sources
from helpers.predict.engine import Report, run
from helpers.predict.merging import tidy_up
from helpers.predict.passes import Network
from helpers.predict.settings import Settings

LEAN = ("image_id", "label", "pred", "group")


@dataclass(frozen=True)
class Job:
    """One model on one dataset under some views, on all its images or about `max_images` of them.

    Of a task with classes of its own the features are kept, of any other dataset the predictions.
    """

    model: str
    dataset: str
    views: tuple[str, ...]
    settings: Settings
    max_images: int | None = None
    local: sources.Local = None

    @property
    def features(self) -> bool:
        """Whether it makes features without predictions."""
        return sources.has_own_classes(self.dataset)

    @cached_property
    def name(self) -> str:
        """What the store calls the dataset."""
        return sources.stored_name(self.model, self.dataset, self.max_images, self.local)

    @cached_property
    def known(self) -> dict:
        """The facts of its keys, whatever the view, that can be known here without loading anything."""
        facts = sources.subset_facts(self.dataset, self.max_images)
        # A folder of 50,000 files takes seconds to be looked over: once for all views.
        files, space = sources.hashes(self.dataset, self.local), dataset_spec(self.dataset).label_space
        if files:
            facts["artifacts"] = files
        if space in labels.LABEL_SPACES:
            facts["label_space"] = labels.label_space(space).digest
        weights = keys.published_weights(self.model, self.local)
        return facts | ({"weights": weights} if weights else {})


@dataclass(frozen=True)
class Computed:
    """What `compute_all` did: a report per job that ran, the jobs that were stored already, and what is missing."""

    reports: tuple[Report, ...]
    hits: tuple[str, ...]
    missing: dict[tuple[str, str], str]


def miss(job: Job, view_id: str) -> str | None:
    """Why the store lacks what a job makes of a view: "nothing stored" or the field that differs; None for a hit.

    Compared is what can be known here without loading anything: checkpoint, weights, prompts, files, part, label
    space, view and precision. What is not here (the images on a laptop, say) is not compared.
    """
    view = keys.view_of(job.model, view_id)
    there = store.has_embeddings if job.features else store.has_predictions
    if not there(job.model, job.name, view.id):
        return "nothing stored"
    read = store.read_ids if job.features else store.read_predictions
    _, document = read(job.model, job.name, view.id, columns=["image_id"])
    facts = keys.known_facts(job.model, view, job.settings.precision, head=not job.features)
    return keys.mismatch(document, {**facts, **job.known})


def stored(job: Job, view_id: str) -> tuple[pd.DataFrame, dict]:
    """The stored frame of a view and the facts of its key. Raises InputsUnavailable where nothing is stored.

    Of ImageNet-C's millions of rows only what accuracy needs is read; of features the frame of their images: image_id,
    label, group.
    """
    view = keys.view_of(job.model, view_id).id
    if job.features:
        frame, document = store.read_ids(job.model, job.name, view)
    else:
        columns = LEAN if job.dataset in keys.WITHOUT_EMBEDDINGS else None
        frame, document = store.read_predictions(job.model, job.name, view, columns=columns)
    return frame, document["facts"]


def network_of(model: str, local: sources.Local = None) -> Network:
    """The network of a model, with its weights from `local` where that names them. Imports torch."""
    require("torch")
    weights = models.resolve(model).weights
    path = fetch.fetch(weights, local=local) if weights else None
    return Network(model, path if local and weights in local else None)


def compute(
    job: Job, opened: dict[str, sources.Source], network: Network | None = None, views: Sequence[str] | None = None
) -> Report:
    """Run one job, or only some of its views; `opened` keeps datasets by name for the next one.

    Raises InputsUnavailable for data, weights or libraries that cannot be had.
    """
    network = network or network_of(job.model, job.local)
    if job.dataset not in opened:
        opened[job.dataset] = sources.open_source(job.dataset, job.max_images, job.local, job.settings.progress)
    source = opened[job.dataset]
    more = {
        "weights": keys.published_weights(job.model, job.local),
        "stand_ins": sources.replaced_files(job.model, job.dataset, job.local),
    }
    facts = {**source.facts, **{name: value for name, value in more.items() if value}}
    dataset = replace(source.dataset, dataset_id=job.name)
    return run(network, dataset, views or job.views, job.settings, source.space, facts, features=job.features)


def compute_all(jobs: Sequence[Job]) -> Computed:
    """Run all jobs in one process; views of the same model and dataset share one pass, whatever they are for.

    What is stored is not run again. Data or weights that cannot be had are told in `missing`, and the rest runs; so
    does the rest after a failure, which is raised at the end.
    """
    reports: list[Report] = []
    hits: list[str] = []
    missing: dict[tuple[str, str], str] = {}
    failed: list[BookError] = []
    opened: dict[str, sources.Source] = {}
    network: Network | None = None
    for job in merged(jobs):
        views = tuple(view for view in job.views if miss(job, view))
        for view in set(job.views) - set(views):
            tidy_up(job.model, job.name, view)
        if not views:
            hits.append(f"{job.model} on {job.name}")
            continue
        try:
            if network is None or network.name != job.model:
                network = None  # the last model's memory is free before the next one is loaded
                network = network_of(job.model, job.local)
            reports.append(compute(job, opened, network, views))
        except InputsUnavailable as error:
            missing[job.model, job.dataset] = str(error)
        except BookError as error:
            failed.append(error)
    if failed:
        more = f" ({len(failed)} of the jobs failed; the others are stored)" if len(failed) > 1 or reports else ""
        raise BookError(failed[0].thing + more, failed[0].expected, failed[0].remedy)
    return Computed(tuple(reports), tuple(hits), missing)


def merged(jobs: Sequence[Job]) -> list[Job]:
    """One job per model, dataset and precision with the distinct views of all; models in the order of their first job.

    >>> settings = Settings()
    >>> jobs = [Job(m, "imagenet1k_val", (v,), settings) for v in ("paper.eval", "paper.scale-1") for m in ("vit_sup",)]
    >>> [job.views for job in merged(jobs)]
    [('paper.eval',)]
    """
    groups: dict[tuple, list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.dataset, job.settings, job.max_images), []).append(job)
    order = list(dict.fromkeys(job.model for job in jobs))
    whole = [
        replace(same[0], views=tuple(dict.fromkeys(keys.view_of(j.model, v).id for j in same for v in j.views)))
        for same in groups.values()
    ]
    return sorted(whole, key=lambda job: order.index(job.model))
