"""What a run will cost, told before it starts: downloads, forward passes, minutes on named machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from helpers import fetch, models, paths, similarity
from helpers.datasets import address, dataset_spec
from helpers.manifest import load_manifest
from helpers.predict import Job
from helpers.predict.compute import merged
from helpers.predict.keys import view_of
from helpers.predict.sources import Local, published_n
from helpers.profiles.needs import AT_HAND, artifacts, jobs, needed, similarity_job
from helpers.profiles.table import Profile

DECODE_MS, VIEW_MS = 1.5, 2.0  # core time of a photograph of 500 x 400, as `bench` measures it on one x86-64 core
FREE_T4_GB, FREE_T4_FORWARDS = 20, 1_000_000
PASSES = {"imagenet_c": " (75 passes over the validation images)"}
SHOWN_GB = {
    "convnext_base_sup_in22k_ft_in1k": 0.354, "deit3_base_sup_in22k_ft_in1k": 0.346, "cue_conflict": 0.14,
    "convnext_base_clip_laion400m": 0.606, "convnext_base_in1k": 0.354, "deit3_base_in1k": 0.346, "pug_imagenet": 27.0,
    "imagenet_hard": 6.77, "vtab_caltech101": 0.63, "vtab_dtd": 0.93, "vtab_pets": 1.5, "vtab_svhn": 0.46,
    "vtab_pcam": 5.9, "vtab_eurosat": 0.19, "vtab_resisc45": 1.7, "vtab_diabetic_retinopathy": 22.0,
    "vtab_clevr_count_all": 7.9, "vtab_clevr_closest_object_distance": 7.9, "vtab_dmlab": 8.2,
    "vtab_dsprites_label_x_position": 2.7, "vtab_dsprites_label_orientation": 2.7,
    "vtab_smallnorb_label_azimuth": 0.22, "vtab_smallnorb_label_elevation": 0.22,
}  # fmt: skip
"""Sizes of files of which no exact size is published, as their pages show them (cue-conflict: of its images).

Of a VTAB task whose page shows the shards of one split only, the other is added in proportion to its images;
Retinopathy's are counted from the viewer, which shows 17,300 images of about 5 GB.
"""

NOTES = (
    "Minutes are forward passes alone, from throughputs published for 224 pixels and scaled by the number of pixels; "
    "mixed precision (amp) is faster than the fp32 of this book. `decode` is minutes of one processor core: divide by "
    "the cores. Predictions that an earlier line makes are not counted again."
)


def throughputs() -> pd.DataFrame:
    """Published forward passes per second at 224 pixels: machine, architecture, images_per_second, precision, source.

    >>> table = throughputs()
    >>> float(table[(table.machine == "RTX 4090") & (table.architecture == "convnext_base")].images_per_second.iloc[0])
    2096.16
    """
    return pd.read_csv(paths.reference("gpu_throughput.csv"))


def plan_table(
    profile: str | Profile, sections: Sequence[str] = (), max_images: int | None = None, local: Local = None
) -> pd.DataFrame:
    """One row a section (index) and a total: what a run of it would cost now, on top of the sections above it.

    Columns: download_gb (files not here; `unknown` names those of unstated size), images, forwards (images x views x
    models), petamacs (their multiply-accumulates in units of 1e15), decode (core minutes), minutes per machine (NaN
    where nothing is published for a model), note. What is in the store already is counted all the same.
    """
    table = throughputs()
    machines = list(dict.fromkeys(table.machine))
    seen: set[tuple] = set()
    known: set[str] = set()
    rows = {}
    for section in needed(profile, sections):
        todo = [_without(job, seen) for job in merged(jobs(profile, [section], max_images=max_images, local=local))]
        todo = [job for job in todo if job.views]
        seen |= {(job.model, job.dataset, view) for job in todo for view in job.views}
        todo += _watched(similarity_job(profile, [section], max_images=max_images, local=local))
        fresh = [name for name in artifacts(profile, [section]) if name not in known]
        known |= set(fresh)
        sizes = _sizes(fresh, local)
        rows[section] = _row(todo, table, machines) | _downloads(sizes)
        rows[section]["note"] = _note(todo, sizes)
    plan = pd.DataFrame.from_dict(rows, orient="index")
    columns = ["download_gb", "unknown", "images", "forwards", "petamacs", "decode", *machines, "note"]
    return plan.reindex(columns=columns)


def _without(job: Job, seen: set[tuple]) -> Job:
    return replace(job, views=tuple(v for v in job.views if (job.model, job.dataset, v) not in seen))


def _watched(job: similarity.Job | None) -> list[Job]:
    """The forward passes of a comparison of layers: one of each model over its images, whatever else is stored."""
    if job is None:
        return []
    return [Job(model, job.dataset, (job.view,), job.settings, job.images, job.local) for model in job.models]


def _images(job: Job) -> int:
    n = published_n(job.dataset)
    return min(n, job.max_images or n)


def _row(todo: list[Job], table: pd.DataFrame, machines: list[str]) -> dict:
    forwards = sum(_images(job) * len(job.views) for job in todo)
    decode = sum(_images(job) * (DECODE_MS + VIEW_MS * len(job.views)) for job in todo) / 60_000
    datasets = {job.dataset: _images(job) for job in todo}
    row = {"images": sum(datasets.values()), "forwards": forwards, "decode": decode}
    row["petamacs"] = _sum(todo, dict(zip(table.architecture, table.gmacs / 1e6, strict=True)))
    for machine in machines:
        published = table[table.machine == machine]
        row[machine] = _sum(todo, dict(zip(published.architecture, 1 / published.images_per_second / 60, strict=True)))
    return row


def _sum(todo: list[Job], each: dict[str, float]) -> float:
    """What all forward passes cost if one of an architecture costs `each`; NaN where that is not known for one."""
    return sum(_at_224(job) * each.get(models.resolve(job.model).architecture, float("nan")) for job in todo)


def _at_224(job: Job) -> float:
    """Forward passes of a job in units of one at 224 pixels: the work grows with the pixels."""
    return _images(job) * sum((view_of(job.model, view).size / 224) ** 2 for view in job.views)


def _sizes(names: Sequence[str], local: Local) -> dict[str, float | None]:
    """GB of each file that is not here, None where its size is not known."""
    manifest = load_manifest()
    todo = [n for n in names if not (local and n in local) and fetch.where_is(n, manifest=manifest) not in AT_HAND]
    return {name: manifest[name].bytes / 1e9 if manifest[name].bytes else SHOWN_GB.get(name) for name in todo}


def _downloads(sizes: dict[str, float | None]) -> dict:
    known = [size for size in sizes.values() if size is not None]
    return {"download_gb": sum(known), "unknown": ", ".join(name for name, size in sizes.items() if size is None)}


def _note(todo: list[Job], sizes: dict[str, float | None]) -> str:
    """What a free T4 (its disk, its hours) does not hold: single sets by name, and the others if they are too many."""
    forwards = {entry: max(each.values()) for entry, each in _by_entry(todo).items()}
    gb = {entry: sum(sizes.get(name) or 0 for name in dataset_spec(entry).artifacts) for entry in forwards}
    heavy = {entry: words for entry in forwards if (words := _too_much(gb[entry], forwards[entry]))}
    rest = [entry for entry in forwards if entry not in heavy]
    others = _too_much(sum(gb[entry] for entry in rest), sum(forwards[entry] for entry in rest))
    found = [f"{entry} with {words}{PASSES.get(entry, '')}" for entry, words in heavy.items()]
    found += [f"{'the others' if heavy else 'all sets'} together with {others}"] * bool(others)
    return f"not for a free T4: {'; '.join(found)}" if found else ""


def _by_entry(todo: list[Job]) -> dict[str, dict[str, int]]:
    """Forward passes of each model on each data set, its splits together."""
    found: dict[str, dict[str, int]] = {}
    for job in todo:
        mine = found.setdefault(address(job.dataset)[0], {})
        mine[job.model] = mine.get(job.model, 0) + _images(job) * len(job.views)
    return found


def _too_much(gb: float, forwards: int) -> str:
    words = [f"{gb:.0f} GB"] * (gb > FREE_T4_GB)
    return ", ".join(words + [f"{forwards / 1e6:.1f} million forward passes a model"] * (forwards > FREE_T4_FORWARDS))
