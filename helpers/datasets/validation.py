"""ImageNet-1k validation in every form people have it: official tar, flat or per-class folder, hub copy."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from helpers import labels
from helpers.datasets.folders import found_images
from helpers.datasets.parquet import label_lists, parquet_files, read_parquet
from helpers.datasets.shards import has_shards, read_shards
from helpers.datasets.spec import Listing, Request, refuse_empty
from helpers.errors import BookError

_OFFICIAL = re.compile(r"(ILSVRC2012_val_\d{8})(?:_(n\d{8}))?\.JPEG")
_WNID = re.compile(r"n\d{8}")
LAYOUT = "ILSVRC2012_val_XXXXXXXX.JPEG"


def official_name(file_name: str) -> str | None:
    """The official name of a validation image; the hub's copies add the wnid to it. None for other names.

    >>> official_name("ILSVRC2012_val_00000001_n01751748.JPEG"), official_name("cat.jpg")
    ('ILSVRC2012_val_00000001.JPEG', None)
    """
    found = _OFFICIAL.fullmatch(file_name)
    return f"{found[1]}.JPEG" if found else None


def read_validation(request: Request) -> Listing:
    """Validation images with the labels that the `imagenet-x` package lists; no development kit is needed.

    Official names decide the label; a wnid in the path, in the name, or a label column must agree with it. Copies
    with other names are read only from class folders or with a label column, and `official_names` is then False.
    Raises BookError for labels that disagree and for images without a label.
    """
    if has_shards(request):
        return read_shards(replace(request, split="test"))  # as the copy calls the validation images
    files = parquet_files(request.paths, "validation")
    if files:
        return _from_parquet(request, files)
    members = found_images(request, LAYOUT)
    paths = [PurePosixPath(name) for name in members.names.to_pylist()]
    layout = f"{'/'.join(sorted(set(members.forms)))}, {_shape(paths)}"
    wnids = [_stated_wnid(path) for path in paths]
    index = {wnid: i for i, wnid in enumerate(labels.wnids())}
    unknown = next((i for i, wnid in enumerate(wnids) if wnid and wnid not in index), None)
    if unknown is not None:
        raise BookError(
            members.where(unknown), f"one of the 1000 ILSVRC2012 wnids, found {wnids[unknown]}", "use the official set"
        )
    stated = [index[wnid] if wnid else None for wnid in wnids]
    return _listed(request, [path.name for path in paths], stated, members, layout)


def _from_parquet(request: Request, files) -> Listing:
    table, images = read_parquet(files, ["image.path", "label"])
    names = table.column("image").combine_chunks().field("path").to_pylist()
    stated = [each[0] for each in label_lists(table.column("label"), 1000, request.name)]
    return _listed(request, [PurePosixPath(name or "").name for name in names], stated, images, "hub copy (Parquet)")


def _listed(request: Request, file_names: list[str], stated: list[int | None], images, layout: str) -> Listing:
    official = [official_name(name) for name in file_names]
    if not any(official):
        return _unofficial(request, file_names, stated, images, layout)
    if not all(official):
        other = file_names[official.index(None)]
        raise BookError(request.name, f"only names like {LAYOUT}, found {other!r} among them", "take the others out")
    known = labels.validation_labels().to_dict()
    for i, name in enumerate(official):
        if name not in known:
            raise BookError(images.where(i), "a validation image from 1 to 50,000, found another", "take it out")
        if stated[i] is not None and stated[i] != known[name]:
            right, wrong = labels.wnids()[known[name]], labels.wnids()[stated[i]]
            raise BookError(
                images.where(i), f"class {right} (index {known[name]}) as in the official labels, found {wrong}",
                "class folders are permuted or labels are of another order: use the official archive",
            )  # fmt: skip
    order = sorted(range(len(official)), key=official.__getitem__)
    columns = {
        "image_id": [official[i] for i in order],
        "label": [[known[official[i]]] for i in order],
        "group": [None] * len(order),
    }
    return Listing(columns, images.take(order), layout)


def _unofficial(request: Request, file_names: list[str], stated: list[int | None], images, layout: str) -> Listing:
    refuse_empty(request, len(file_names), LAYOUT)
    if None in stated:
        raise BookError(
            request.name, f"official names like {LAYOUT} or wnid folders, found {file_names[stated.index(None)]!r}",
            "labels cannot be guessed: use the official tar, or class folders named by wnid",
        )  # fmt: skip
    wnids, parquet = labels.wnids(), "Parquet" in layout
    ids = [f"row-{i:05d}" if parquet else f"{wnids[stated[i]]}/{file_names[i]}" for i in range(len(stated))]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    columns = {
        "image_id": [ids[i] for i in order], "label": [[stated[i]] for i in order], "group": [None] * len(order),
    }  # fmt: skip
    return Listing(columns, images.take(order), f"{layout}, not the official names", official_names=False)


def _stated_wnid(path: PurePosixPath) -> str | None:
    """The wnid that the folder states, else the one in the name."""
    if _WNID.fullmatch(path.parent.name):
        return path.parent.name
    found = _OFFICIAL.fullmatch(path.name)
    return found[2] if found else None


def _shape(paths: list[PurePosixPath]) -> str:
    return "class folders" if any(_WNID.fullmatch(path.parent.name) for path in paths) else "flat"
