"""Before the notebooks: the predictions and similarities that all of them need, made once, in one process."""

from __future__ import annotations

from collections.abc import Sequence

from helpers import profiles, similarity
from helpers.errors import InputsUnavailable
from helpers.profiles import Asked


def compute_first(asked: Asked, only: Sequence[str] = ()) -> None:
    """Say what is missing and what it will cost, then run the models for all sections asked for.

    Published predictions need nothing of this. What cannot be had is told and the rest runs; a model that fails, or
    images that cannot be read, raise BookError after everything else is stored.
    """
    what = asked.profile, only, asked.settings, asked.max_images, asked.local
    layers = profiles.similarity_job(*what)
    if not profiles.jobs(*what) and layers is None:
        return
    missing = profiles.missing_inputs(asked.profile, only, asked.local)
    for row in missing.itertuples():
        print(f"missing: {row.artifact} ({row.where}), needed by {row.sections}\n  {row.remedy}")
    done = profiles.compute_all(*what)
    for report in done.reports:
        seen = f"{report.computed:,} images in {report.seconds:.0f} s" + (
            f", {report.reused:,} were there" if report.reused else ""
        )
        print(f"  {report.model} on {report.dataset}: {seen}")
    for name in done.hits:
        print(f"  {name}: stored already")
    for (model, dataset), reason in done.missing.items():
        print(f"  not run: {model} on {dataset}: {reason}")
    if layers is not None and asked.settings.shard[1] == 1:
        _compare_layers(layers)


def _compare_layers(job: similarity.Job) -> None:
    try:
        done = similarity.compute(job)
    except InputsUnavailable as error:
        print(f"  layers not compared: {error}")
        return
    counted = f"{len(done.made)} pairs of models computed, {len(done.hits)} stored already"
    print(f"  layers on {job.images:,} images of {job.dataset}: {counted}")
    for model, reason in done.missing.items():
        print(f"  layers not compared: {model}: {reason}")
