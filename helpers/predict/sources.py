"""From a dataset id to images: fetched, opened, and with the facts about them that go into a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers import datasets, fetch, labels, models, paths
from helpers.errors import BookError, InputsUnavailable

OTHER_COPIES = {"imagenet1k_val": "imagenet1k_val_hub", "pug_imagenet": "pug_imagenet_hub"}
SUBSET_SEED = 0

Local = Mapping[str, str | Path] | None


@dataclass(frozen=True)
class Source:
    """An opened dataset, its label space, and `facts` (artifacts, subset) for its key."""

    dataset: datasets.Dataset
    space: labels.LabelSpace
    facts: dict


def image_artifacts(dataset_id: str) -> tuple[str, ...]:
    """Manifest ids of the files that a dataset is read from; for labels over other images, of those images.

    >>> image_artifacts("imagenet_x"), image_artifacts("cue_conflict")
    (('imagenet1k_val',), ('cue_conflict',))
    """
    return datasets.dataset_spec(pictures_of(dataset_id)).artifacts


def pictures_of(dataset_id: str) -> str:
    """The dataset whose images a dataset shows: ImageNet-X and ReaL are other labels over the validation images.

    >>> pictures_of("imagenet_real"), pictures_of("imagenet_r")
    ('imagenet1k_val', 'imagenet_r')
    """
    return "imagenet1k_val" if dataset_id in datasets.OVERLAYS else dataset_id


def published_n(dataset_id: str) -> int:
    """Published number of images.

    >>> published_n("cue_conflict")
    1280
    """
    spec = datasets.dataset_spec(dataset_id)
    return spec.expected(spec.split)[0]


def subset_facts(dataset_id: str, max_images: int | None) -> dict:
    """What a key says about a part of a dataset; nothing where the whole is asked for.

    >>> subset_facts("cue_conflict", 5000), subset_facts("imagenet1k_val", 5000)["subset"]["images"]
    ({}, 5000)
    """
    if max_images is None or max_images >= published_n(dataset_id):
        return {}
    return {"subset": {"images": max_images, "seed": SUBSET_SEED, "rule": "stratified"}}


def stored_name(model: str, dataset_id: str, max_images: int | None = None, local: Local = None) -> str:
    """The store's name for a dataset: a part of it or a stand-in never takes the place of the published set.

    >>> stored_name("vit_sup", "imagenet1k_val", 5000), stored_name("vit_sup", "cue_conflict", 5000)
    ('imagenet1k_val@5000', 'cue_conflict')
    """
    name = f"{dataset_id}@local" if replaced_files(model, dataset_id, local) else dataset_id
    return f"{name}@{max_images}" if subset_facts(dataset_id, max_images) else name


def replaced_files(model: str, dataset_id: str, local: Local) -> list[str]:
    """Ids of the files of a model and a dataset for which `local` gives something other than what was published."""
    weights = models.resolve(model).weights
    return fetch.stand_ins([*image_artifacts(dataset_id), *([weights] if weights else [])], local)


def hashes(dataset_id: str, local: Local = None) -> dict[str, str] | None:
    """{artifact id: sha256} of the copy of a dataset that would be read, None where none is here."""
    made = _made_here(dataset_id)
    for ids in _copies(dataset_id):
        try:
            return fetch.provenance(ids, local=local) | made
        except BookError:
            continue
    return None


def open_source(dataset_id: str, max_images: int | None = None, local: Local = None, progress: bool = True) -> Source:
    """Fetch and open a dataset, or about `max_images` of it spread evenly over the classes.

    Raises InputsUnavailable where it cannot be had, saying how to get it.
    """
    ids, found = _fetched(dataset_id, local, progress)
    class_map = found.pop() if "pug_class_map" in ids else None
    stand_ins = fetch.stand_ins(ids, local)
    dataset = datasets.open_dataset(
        dataset_id, found, max_images=max_images, seed=SUBSET_SEED, stand_in=bool(stand_ins), class_map=class_map,
        scratch=paths.data_dir() / dataset_id,
    )  # fmt: skip
    space = labels.pug_label_space(class_map) if class_map else labels.label_space(dataset.label_space)
    return Source(
        dataset, space,
        {"artifacts": fetch.provenance(ids, local=local) | _made_here(dataset_id),
         **subset_facts(dataset_id, max_images)},
    )  # fmt: skip


def _made_here(dataset_id: str) -> dict[str, str]:
    """{"drawn world": hash} for a set that is drawn here, nothing for one that is read from files."""
    made_from = datasets.dataset_spec(dataset_id).made_from
    return {"drawn world": made_from()} if made_from else {}


def _copies(dataset_id: str) -> list[tuple[str, ...]]:
    """The artifacts of each copy of a dataset, the official one first."""
    official = datasets.dataset_spec(dataset_id).artifacts
    other = OTHER_COPIES.get(dataset_id)
    return [official, *([(other, *official[1:])] if other else [])]


def _fetched(dataset_id: str, local: Local, progress: bool) -> tuple[tuple[str, ...], list[Path]]:
    first: InputsUnavailable | None = None
    for ids in _copies(dataset_id):
        try:
            return ids, [fetch.fetch(each, local=local, progress=progress) for each in ids]
        except InputsUnavailable as error:
            first = first or error
    raise first
