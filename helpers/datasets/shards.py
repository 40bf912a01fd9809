"""Webdataset shards of the clip-benchmark collection: `<split>/{0..N-1}.tar` and `<split>/nshards.txt`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from helpers import labels
from helpers.datasets.cuts import units_of
from helpers.datasets.members import IMAGE_SUFFIXES, Members, list_members
from helpers.datasets.official import read_official
from helpers.datasets.parquet import class_names, label_lists, parquet_files, read_parquet
from helpers.datasets.spec import Listing, Request
from helpers.errors import BookError, InputsUnavailable

_KEY = re.compile(r"s(\d{7})")


def has_shards(request: Request) -> bool:
    """Whether one of the paths holds webdataset shards of any split."""
    return any(next(Path(path).glob("*/nshards.txt"), None) for path in request.paths if Path(path).is_dir())


def shard_paths(folder: Path, split: str) -> list[Path]:
    """The shards of a split in numeric order, as `nshards.txt` counts them.

    Raises BookError for a missing, surplus or renamed (zero-padded) shard, InputsUnavailable for a missing split.
    """
    below = Path(folder) / split
    if not (below / "nshards.txt").is_file():
        found = ", ".join(sorted(path.parent.name for path in Path(folder).glob("*/nshards.txt"))) or "nothing"
        raise InputsUnavailable(str(below), f"the split {split!r} with its nshards.txt, found {found}", "fetch it")
    text = (below / "nshards.txt").read_text().strip()
    found = {path.name for path in below.glob("*.tar")}
    wanted = [f"{i}.tar" for i in range(int(text))] if text.isdigit() else []
    odd = sorted(found.symmetric_difference(wanted))
    if odd or not wanted:
        raise BookError(
            str(below), f"shards 0.tar to N-1.tar with N in nshards.txt (it says {text!r}), found {len(found)} shards"
            + (f"; {odd[0]} is {'missing' if odd[0] in wanted else 'not one of them'}" if odd else ""),
            "fetch the missing shards, keep their names",
        )  # fmt: skip
    return [below / name for name in wanted]


def read_shards(request: Request) -> Listing:
    """Samples `s%07d.webp` + `s%07d.cls` of all shards of the request's split, in order, read in place.

    `.cls` holds the position of the class: of its folder in the label space for ImageNet sets, of the task for
    VTAB. Raises BookError for a sample without its label or image, for keys that do not count up from s0000000
    over the shards, and for a class out of range.
    """
    folder = next(Path(path) for path in request.paths if next(Path(path).glob("*/nshards.txt"), None))
    shards = shard_paths(folder, request.split)
    members = list_members(shards)
    keys, images, positions = _samples(members)
    numbers = [int(found[1]) if (found := _KEY.fullmatch(key)) else -1 for key in keys]
    wrong = next((i for i, number in enumerate(numbers) if number != i), None)
    if wrong is not None:
        raise BookError(
            members.where(images[wrong]), f"the key s{wrong:07d}, found {keys[wrong]!r}",
            "shards are missing, renamed or of another collection: fetch them again",
        )  # fmt: skip
    classes = [_class_of(members, position) for position in positions]
    if request.spec.classes == 1000:
        space = labels.label_space(request.spec.label_space).labels
    else:
        space = tuple((i,) for i in range(request.spec.classes))
    _check_classes(request, folder, classes, len(space))
    columns = {"image_id": keys, "label": [list(space[i]) for i in classes], "group": [None] * len(keys)}
    layout = f"webdataset shards ({request.split}, {len(shards)})"
    names, templates = (_lines(folder / name) for name in ("classnames.txt", "zeroshot_classification_templates.txt"))
    return Listing(
        columns, members.take(np.array(images)), layout, official_names=False, class_names=names, templates=templates
    )


def read_task(request: Request) -> Listing:
    """A VTAB task: webdataset shards, Parquet files `<split>-i-of-N` with image and label, or the official files.

    `group` is the video of KITTI (null where shards do not say it) and the scene of CLEVR: what is resampled.
    """
    found = _task(request)
    if request.spec.unit:
        found.columns["group"] = units_of(request.spec.unit, found.columns["image_id"])
    return found


def _task(request: Request) -> Listing:
    split = "validation" if request.split == "val" else request.split  # as the hub calls it
    files = [] if has_shards(request) else parquet_files(request.paths, split)
    if has_shards(request):
        return read_shards(request)
    if not files:
        return read_official(request)
    table, images = read_parquet(files, ["label"])
    columns = {
        "image_id": [f"{i:07d}" for i in range(len(images))],
        "label": label_lists(table.column("label"), request.spec.classes, str(files[0])),
        "group": [None] * len(images),
    }
    layout, names = f"Parquet ({request.split}, {len(files)} files)", class_names(files[0])
    return Listing(columns, images, layout, official_names=False, class_names=names)


def read_unsplit(request: Request) -> Listing:
    """A set that CLIP_benchmark reads through torchvision, which does not split it: every split is the whole set."""
    return read_shards(replace(request, split="test")) if has_shards(request) else read_official(request)


def _samples(members: Members) -> tuple[list[str], list[int], list[int]]:
    """Keys in order of appearance, with the positions of each one's image and label."""
    found: dict[str, dict[str, int]] = {}
    for position, name in enumerate(members.names.to_pylist()):
        path = PurePosixPath(name)
        kind = "image" if path.suffix.lower() in IMAGE_SUFFIXES else path.suffix.lower()
        sample = found.setdefault(path.name.split(".")[0], {})
        if kind in sample:
            raise BookError(members.where(position), "each key once, found it twice", "fetch the shards again")
        sample[kind] = position
    for key, sample in found.items():
        for kind in ("image", ".cls"):
            if kind not in sample:
                there = members.where(next(iter(sample.values())))
                raise BookError(there, f"image and label (.cls) of {key}, found no {kind}", "fetch the shard again")
    return list(found), [sample["image"] for sample in found.values()], [sample[".cls"] for sample in found.values()]


def _class_of(members: Members, position: int) -> int:
    text = members.read(position).decode("ascii", "replace").strip()
    if text.isdigit():
        return int(text)
    raise BookError(members.where(position), f"the number of a class, found {text[:20]!r}", "fetch the shard again")


def _check_classes(request: Request, folder: Path, classes: list[int], n: int) -> None:
    if classes and max(classes) >= n:
        raise BookError(
            request.name, f"classes 0 to {n - 1}, found {max(classes)}", "this is another dataset or another version"
        )
    names = folder / "classnames.txt"
    if names.is_file() and (found := len(_lines(names))) != n:
        raise BookError(str(names), f"{n} class names, found {found}", "this is another dataset or another version")


def _lines(file: Path) -> tuple[str, ...]:
    return tuple(file.read_text(encoding="utf-8").splitlines()) if file.is_file() else ()
