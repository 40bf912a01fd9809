"""VTAB's tasks whose official files are images with lists: what they say of each image."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from scipy.io import loadmat

from helpers.datasets.cuts import few_of_each, of_video
from helpers.datasets.members import Members, files_below, is_image, side_file
from helpers.datasets.spec import Request, refuse_empty
from helpers.errors import BookError, InputsUnavailable

KITTI_BOUNDS = (8.0, 20.0, 999.0)
CLEVR_BOUNDS = (8.0, 8.5, 9.0, 9.5, 10.0)
PER_CLASS = 30


@dataclass(frozen=True)
class Row:
    """One image of an archive: its id, class, the part in which its authors have it, and its place among the files."""

    image_id: str
    label: int
    part: str
    position: int


@dataclass(frozen=True)
class Archive:
    """The images and other files of one request."""

    request: Request
    everything: Members

    @property
    def paths(self) -> list[PurePosixPath]:
        return [PurePosixPath(name) for name in self.everything.names.to_pylist()]

    def text(self, name: str, where: str = "of the official set") -> bytes:
        """A file that says something of the images, in the archive or beside it; InputsUnavailable where it is not."""
        beside = [file for path in self.request.paths for file in files_below(path, (name,)) if file.name == name]
        found = beside[0].read_bytes() if beside else side_file(self.everything, name)
        if found is None:
            raise InputsUnavailable(
                f"{name} for {self.request.name}", f"this file {where}, found none", "put it beside the images"
            )
        return found

    def images(self, folder: str) -> dict[str, int]:
        """{path below the last folder of this name: place} of every image in it."""
        found: dict[str, int] = {}
        for position, path in enumerate(self.paths):
            _, inside, below = f"/{path}".rpartition(f"/{folder}/")
            if not inside or not is_image(below):
                continue
            if below in found:
                raise BookError(self.request.name, f"{folder}/{below} once, found it twice", "keep one copy")
            found[below] = position
        refuse_empty(self.request, len(found), f"{folder}/<image>")
        return found


def _folder_classes(archive: Archive, images: dict[str, int], named: bool = True) -> dict[str, int]:
    """{class folder: class} in alphabetical order; all must be there, or a missing one would shift the others.

    With `named` file names begin with their class, which shows permuted folders.
    """
    folders = sorted({below.split("/")[0] for below in images}, key=str.lower)
    if len(folders) != archive.request.spec.classes:
        raise BookError(
            archive.request.name, f"{archive.request.spec.classes} class folders, found {len(folders)}",
            "unpack the whole archive: the class is the place of its folder among all",
        )  # fmt: skip
    odd = next((b for b in images if not PurePosixPath(b).name.lower().startswith(b.split("/")[0].lower())), None)
    if named and odd:
        raise BookError(
            f"{archive.request.name}: {odd}", "a file name that begins with its class folder, found another",
            "class folders are permuted or renamed: use the official archive",
        )  # fmt: skip
    return {folder: i for i, folder in enumerate(folders)}


def _by_folder(folder: str) -> Callable[[Archive], list[Row]]:
    def read(archive: Archive) -> list[Row]:
        images = archive.images(folder)
        classes = _folder_classes(archive, images)
        return [Row(below, classes[below.split("/")[0]], "all", i) for below, i in images.items()]

    return read


def _caltech101(archive: Archive) -> list[Row]:
    images = archive.images("101_ObjectCategories")
    classes = _folder_classes(archive, images, named=False)
    names = sorted(images)
    labels = [classes[below.split("/")[0]] for below in names]
    chosen = few_of_each(labels, PER_CLASS)
    parts = ["trainval" if each else "remaining" for each in chosen]
    return [Row(b, label, part, images[b]) for b, label, part in zip(names, labels, parts, strict=True)]


def _listed(archive: Archive, images: dict[str, int], lists: dict[str, list[tuple[str, int]]]) -> list[Row]:
    rows = [(below, label, part) for part, entries in lists.items() for below, label in entries]
    lost = [below for below, *_ in rows if below not in images]
    if lost and (archive.request.complete or len(lost) == len(rows)):
        raise BookError(
            archive.request.name, f"every listed image, found {len(lost)} missing such as {lost[0]!r}",
            "unpack the whole archive",
        )  # fmt: skip
    return [Row(below, label, part, images[below]) for below, label, part in rows if below in images]


def _dtd(archive: Archive) -> list[Row]:
    lists = {part: archive.text(f"{part}1.txt").decode().split() for part in ("train", "val", "test")}
    classes = {name: i for i, name in enumerate(sorted({b.split("/")[0] for each in lists.values() for b in each}))}
    if len(classes) != archive.request.spec.classes:
        raise BookError(archive.request.name, f"lists of 47 textures, found {len(classes)}", "use the official lists")
    entries = {part: [(below, classes[below.split("/")[0]]) for below in each] for part, each in lists.items()}
    return _listed(archive, archive.images("images"), entries)


def _flowers(archive: Archive) -> list[Row]:
    labels = loadmat(io.BytesIO(archive.text("imagelabels.mat")), squeeze_me=True)["labels"]
    numbers = loadmat(io.BytesIO(archive.text("setid.mat")))
    entries = {
        part: [(f"image_{i:05d}.jpg", int(labels[i - 1]) - 1) for i in numbers[name].ravel().tolist()]
        for part, name in {"train": "trnid", "val": "valid", "test": "tstid"}.items()
    }
    return _listed(archive, archive.images("jpg"), entries)


def _pets(archive: Archive) -> list[Row]:
    entries = {}
    for part in ("trainval", "test"):
        lines = [line.split() for line in archive.text(f"{part}.txt").decode().splitlines() if line.strip()]
        entries[part] = [(f"{name}.jpg", int(label) - 1) for name, label, *_ in lines]
    return _listed(archive, archive.images("images"), entries)


def _sun397(archive: Archive) -> list[Row]:
    every = {row.image_id: row for row in _sun397_unsplit(archive)}
    entries = {}
    for part, name in {"train": "tr", "val": "va", "test": "te"}.items():
        lines = archive.text(f"sun397_tfds_{name}.txt", "of the package tensorflow-datasets").decode().split()
        entries[part] = [(b, every[b].label if b in every else -1) for b in (line.lstrip("/") for line in lines)]
    return _listed(archive, {b: row.position for b, row in every.items()}, entries)


def _sun397_unsplit(archive: Archive) -> list[Row]:
    names = archive.text("ClassName.txt").decode().split()
    classes = {name.lstrip("/"): i for i, name in enumerate(names)}
    images = archive.images("SUN397")
    odd = next((below for below in images if below.rpartition("/")[0] not in classes), None)
    if odd or len(classes) != archive.request.spec.classes:
        raise BookError(
            archive.request.name, f"397 classes of ClassName.txt, found {len(classes)}{f' and {odd!r}' if odd else ''}",
            "use the official archive",
        )  # fmt: skip
    return [Row(below, classes[below.rpartition("/")[0]], archive.request.split, i) for below, i in images.items()]


def _clevr(label: Callable[[list[dict]], int]) -> Callable[[Archive], list[Row]]:
    def read(archive: Archive) -> list[Row]:
        images, entries = archive.images("images"), {}
        for ours, theirs in {"trainval": "train", "test": "val"}.items():
            scenes = json.loads(archive.text(f"CLEVR_{theirs}_scenes.json"))["scenes"]
            entries[ours] = [(f"{theirs}/{each['image_filename']}", label(each["objects"])) for each in scenes]
        return _listed(archive, images, entries)

    return read


def clevr_distance(objects: list[dict]) -> int:
    """VTAB's class of the distance of the closest object of a CLEVR scene: 6 bins of its pixel depth.

    >>> clevr_distance([{"pixel_coords": [0, 0, 9.2]}, {"pixel_coords": [0, 0, 8.5]}])
    1
    """
    return _bin(min(float(np.float32(each["pixel_coords"][2])) for each in objects), CLEVR_BOUNDS)


def kitti_distance(text: str) -> int:
    """VTAB's class of the closest car, van or truck of a KITTI label file: to 8 m, to 20 m, farther, none.

    >>> kitti_distance("Car 0 0 0 0 0 0 0 1 1 1 0 0 8.01 0")
    1
    """
    lines = [line.split() for line in text.splitlines()]
    return _bin(min((float(each[13]) for each in lines if each and each[0] in ("Car", "Van", "Truck")), default=1000.0),
                KITTI_BOUNDS)  # fmt: skip


def _bin(value: float, bounds: tuple[float, ...]) -> int:
    return sum(bound < value for bound in bounds)


def _kitti(archive: Archive) -> list[Row]:
    order = [int(each) - 1 for each in archive.text("train_rand.txt").decode().split(",") if each.strip()]
    lines = archive.text("train_mapping.txt").decode().splitlines()
    videos = [lines[place].split()[1] for place in order]
    images = archive.images("training/image_2")
    labels = {path.stem: i for i, path in enumerate(archive.paths) if path.parent.name == "label_2"}
    splits: dict[str, list[tuple[str, int]]] = {"train": [], "val": [], "test": []}
    for number, split in enumerate(of_video(videos).tolist()):
        name = f"{number:06d}"
        if name in labels:
            label = kitti_distance(archive.everything.read(labels[name]).decode())
            splits[split].append((f"{name}.png", label))
    rows = _listed(archive, images, splits)
    if len(labels) < len(videos) and archive.request.complete:
        raise BookError(archive.request.name, f"{len(videos)} label files, found {len(labels)}", "give all archives")
    return [Row(f"{videos[int(row.image_id[:6])]}/{row.image_id}", row.label, row.part, row.position) for row in rows]


READERS: dict[str, Callable[[Archive], list[Row]]] = {
    "vtab_caltech101": _caltech101,
    "vtab_dtd": _dtd,
    "vtab_flowers": _flowers,
    "vtab_pets": _pets,
    "vtab_sun397": _sun397,
    "sun397_unsplit": _sun397_unsplit,
    "vtab_eurosat": _by_folder("2750"),
    "vtab_resisc45": _by_folder("NWPU-RESISC45"),
    "vtab_clevr_count_all": _clevr(lambda objects: len(objects) - 3),
    "vtab_clevr_closest_object_distance": _clevr(clevr_distance),
    "vtab_kitti_closest_vehicle_distance": _kitti,
}
"""Task -> what its official files say of each image."""
