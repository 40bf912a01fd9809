"""From a dataset id to images: fetched, opened, and with the facts about them that go into a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers import datasets, fetch, labels, models, paths
from helpers.errors import BookError, InputsUnavailable
from helpers.manifest import load_manifest

OTHER_COPIES: dict[str, tuple[str, ...]] = {
    "imagenet1k_val": ("imagenet1k_val_hub", "imagenet1k_val_wds"),
    "imagenet_v2_mf": ("imagenet_v2_mf_wds",),
    "imagenet_a": ("imagenet_a_wds",),
    "imagenet_r": ("imagenet_r_wds",),
    "imagenet_sketch": ("imagenet_sketch_wds",),
    "pug_imagenet": ("pug_imagenet_hub",),
    "sun397_unsplit": ("sun397_images",),
    "vtab_caltech101": ("caltech101_official",),
    "vtab_cifar100": ("cifar100_official",),
    "vtab_dtd": ("dtd_official",),
    "vtab_flowers": ("flowers_official",),
    "vtab_pets": ("pets_official",),
    "vtab_svhn": ("svhn_official",),
    "vtab_eurosat": ("eurosat_official",),
    "vtab_resisc45": ("resisc45_official",),
    "vtab_clevr_count_all": ("clevr_official",),
    "vtab_clevr_closest_object_distance": ("clevr_official",),
    "vtab_kitti_closest_vehicle_distance": ("kitti_official",),
    "vtab_smallnorb_label_azimuth": ("smallnorb_official",),
    "vtab_smallnorb_label_elevation": ("smallnorb_official",),
}
"""Entry of DATASETS -> manifest ids of other copies of its first artifact, tried in turn where that cannot be had."""
SUBSET_SEED = 0
CLASS_MAP = "pug_class_map"
VALIDATION = "val"
SHARDS = "clip-benchmark/"  # hub repositories with a training and a test split only
NOT_TO_BE_HAD = ("gated", "manual", "not installed", "offline")

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

    Tasks of the demo that ask about the same pictures share them too.

    >>> pictures_of("imagenet_real"), pictures_of("imagenet_r")
    ('imagenet1k_val', 'imagenet_r')
    """
    return datasets.PICTURES.get(dataset_id) or datasets.pictures_of_task(dataset_id)


def has_own_classes(dataset_id: str) -> bool:
    """Whether a dataset is a task with classes of its own, which no classifier here predicts: its features are kept.

    >>> has_own_classes("vtab_dtd/train"), has_own_classes("imagenet_r"), has_own_classes("pug_imagenet")
    (True, False, False)
    """
    spec = datasets.dataset_spec(pictures_of(dataset_id))
    return spec.label_space not in labels.LABEL_SPACES and CLASS_MAP not in spec.artifacts


def published_n(dataset_id: str) -> int:
    """Published number of images of the split that an id names.

    >>> published_n("cue_conflict"), published_n("vtab_dtd/train")
    (1280, 1880)
    """
    return datasets.dataset_spec(dataset_id).expected(datasets.address(dataset_id)[1])[0]


def has_validation(dataset_id: str, local: Local = None) -> bool:
    """Whether the copy of a task that would be read has the validation split: CLIP_benchmark's shards have none.

    A stand-in has an unknown layout: it may have one, and its reader tells.

    >>> has_validation("demo_task_colour"), has_validation("vtab_dtd", {"vtab_dtd": "dtd-r1.0.1.tar.gz"})
    (False, True)
    """
    if VALIDATION not in datasets.dataset_spec(dataset_id).splits:
        return False
    manifest = load_manifest()
    for artifact, *_ in _copies(dataset_id, local):
        if artifact in (local or ()):
            return True
        if fetch.where_is(artifact, manifest=manifest) not in NOT_TO_BE_HAD:
            hub = manifest[artifact].hub
            return hub is None or not hub.repo_id.startswith(SHARDS)
    return False


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

    >>> stored_name("vit_sup", "imagenet1k_val", 5000), stored_name("vit_sup", "vtab_dtd/train", 5000)
    ('imagenet1k_val@5000', 'vtab_dtd/train')
    """
    name = datasets.canonical_id(dataset_id) + ("@local" if replaced_files(model, dataset_id, local) else "")
    return f"{name}@{max_images}" if subset_facts(dataset_id, max_images) else name


def replaced_files(model: str, dataset_id: str, local: Local) -> list[str]:
    """Ids of the files of a model and a dataset for which `local` gives something other than what was published."""
    weights = models.resolve(model).weights
    return fetch.stand_ins([*_copies(pictures_of(dataset_id), local)[0], *([weights] if weights else [])], local)


def hashes(dataset_id: str, local: Local = None) -> dict[str, str] | None:
    """{artifact id: sha256} of the copy of a dataset that would be read, None where none is here."""
    made = _made_here(dataset_id)
    for ids in _copies(dataset_id, local):
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
    class_map = found.pop() if CLASS_MAP in ids else None
    stand_ins = fetch.stand_ins(ids, local)
    dataset = datasets.open_dataset(
        dataset_id, found, max_images=max_images, seed=SUBSET_SEED, stand_in=bool(stand_ins), class_map=class_map,
        scratch=paths.data_dir() / datasets.address(dataset_id)[0],
    )  # fmt: skip
    facts = {
        "artifacts": fetch.provenance(ids, local=local) | _made_here(dataset_id),
        **subset_facts(dataset_id, max_images),
    }
    if dataset.own_cut:
        facts["split"] = "cut by this book's rule"
    return Source(dataset, _space(dataset, class_map), facts)


def _made_here(dataset_id: str) -> dict[str, str]:
    """{"drawn world": hash} for a set that is drawn here, nothing for one that is read from files."""
    made_from = datasets.dataset_spec(dataset_id).made_from
    return {"drawn world": made_from()} if made_from else {}


def _space(dataset: datasets.Dataset, class_map: Path | None) -> labels.LabelSpace:
    if class_map:
        return labels.pug_label_space(class_map)
    if dataset.label_space in labels.LABEL_SPACES:
        return labels.label_space(dataset.label_space)
    return datasets.task_space(dataset.dataset_id)


def _copies(dataset_id: str, local: Local) -> list[tuple[str, ...]]:
    """The artifacts of each copy of a dataset, in the order in which they are tried; first one that `local` names."""
    official = datasets.dataset_spec(dataset_id).artifacts
    others = OTHER_COPIES.get(datasets.address(dataset_id)[0], ())
    copies = [official, *((other, *official[1:]) for other in others)]
    return sorted(copies, key=lambda ids: not set(ids[:1]) & set(local or ()))


def _fetched(dataset_id: str, local: Local, progress: bool) -> tuple[tuple[str, ...], list[Path]]:
    first: InputsUnavailable | None = None
    for ids in _copies(dataset_id, local):
        try:
            return ids, [fetch.fetch(each, local=local, progress=progress) for each in ids]
        except InputsUnavailable as error:
            first = first or error
    raise first
