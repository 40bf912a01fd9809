"""Dataset id and path -> a dataset whose classes map and whose number of images is the published one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from helpers.datasets.core import Dataset, make_table, stratified
from helpers.datasets.overlays import PICTURES
from helpers.datasets.spec import DatasetSpec, Request
from helpers.datasets.table import DATASETS
from helpers.errors import BookError


def address(dataset_id: str) -> tuple[str, str]:
    """The entry of DATASETS and the split that an id names: `<entry>` for its usual split, or `<entry>/<split>`.

    Raises BookError for an unknown entry or split.

    >>> address("vtab_dtd"), address("vtab_dtd/train")
    (('vtab_dtd', 'test'), ('vtab_dtd', 'train'))
    """
    name, _, split = dataset_id.partition("/")
    if name not in DATASETS:
        raise BookError(f"dataset {dataset_id!r}", f"one of {', '.join(DATASETS)}", "choose one of them")
    split = split or DATASETS[name].split
    DATASETS[name].expected(split)
    return name, split


def canonical_id(dataset_id: str) -> str:
    """The one id of a split: without the split where it is the usual one.

    >>> canonical_id("vtab_dtd/test"), canonical_id("vtab_dtd/train")
    ('vtab_dtd', 'vtab_dtd/train')
    """
    name, split = address(dataset_id)
    return name if split == DATASETS[name].split else f"{name}/{split}"


def dataset_spec(dataset_id: str) -> DatasetSpec:
    """The entry of DATASETS, whichever split the id names. Raises BookError for an unknown id.

    >>> dataset_spec("imagenet_v2_mf").n, dataset_spec("vtab_dtd/train").classes
    (10000, 47)
    """
    return DATASETS[address(dataset_id)[0]]


def open_dataset(
    dataset_id: str,
    path: Path | Sequence[Path],
    *,
    split: str | None = None,
    max_images: int | None = None,
    seed: int = 0,
    stand_in: bool = False,
    class_map: Path | None = None,
    scratch: Path | None = None,
) -> Dataset:
    """Open a dataset from its official archive, a hub copy or a folder; nothing is unpacked, no image is decoded.

    `dataset_id` may name a split (`vtab_dtd/train`), `split` replaces it.
    `path` may be several archives (ImageNet-C's four). A smaller or larger set than the published one is an error,
    unless it is a `stand_in` or `max_images` asks for a class-stratified part (with `seed`): then
    `Dataset.partial` says so. `class_map` is PUG's class map where it does not lie beside the images; `scratch` is
    where a compressed tar is decompressed to (default: beside itself). Raises BookError for classes that do not map,
    labels that disagree, damaged archives and wrong counts; InputsUnavailable where nothing is there.
    """
    dataset_id = canonical_id(f"{dataset_id.partition('/')[0]}/{split}" if split else dataset_id)
    split, spec = address(dataset_id)[1], dataset_spec(dataset_id)
    if spec.reader is None:
        raise BookError(
            f"dataset {dataset_id}", f"a set with images of its own, found labels over {PICTURES[dataset_id]}",
            f"open {PICTURES[dataset_id]} and use datasets.OVERLAYS on its predictions",
        )  # fmt: skip
    paths = (Path(path),) if isinstance(path, str | Path) else tuple(map(Path, path))
    accepted = spec.expected(split)
    whole = not stand_in and max_images is None
    request = Request(dataset_id, spec, paths, split, whole, class_map, scratch)
    found = spec.reader(request)
    dataset = Dataset(
        dataset_id, make_table(found.columns), found.images, spec.label_space, found.layout,
        expected=len(found.images) if len(found.images) in accepted else accepted[0],
        official_names=found.official_names, keep_mode=found.keep_mode, own_cut=found.own_cut,
        class_names=found.class_names, templates=found.templates,
    )  # fmt: skip
    if dataset.partial and whole:
        raise BookError(
            request.name, f"{' or '.join(f'{n:,}' for n in accepted)} images, found {dataset.n:,} ({found.layout})",
            "get the rest of the files; to use them as they are, declare a stand-in or give max_images",
        )  # fmt: skip
    return dataset if max_images is None or max_images >= dataset.n else stratified(dataset, max_images, seed)
