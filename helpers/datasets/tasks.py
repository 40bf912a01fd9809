"""What a probe needs to know of a VTAB task: its classes under each label rule, and a part of `train` to choose on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers import labels
from helpers.datasets.core import Dataset
from helpers.datasets.cuts import units_of
from helpers.datasets.opening import dataset_spec
from helpers.datasets.table import DATASETS
from helpers.errors import BookError

RULES = ("vtab", "clip_benchmark")
"""Whose classes: VTAB's, or those of CLIP_benchmark, which keep dSprites' 32 positions and 40 angles unbinned."""


DIFFERENCES: dict[str, tuple[str, str]] = {
    "vtab_dsprites_label_x_position": ("16 bins of two positions", "32 positions"),
    "vtab_dsprites_label_orientation": ("16 bins of two or three angles", "40 angles"),
    "vtab_sun397": (
        "76,128 training, 10,875 validation and 21,750 test images, split at random by TensorFlow Datasets",
        "torchvision's 108,754 images, unsplit: training and test images are the same",
    ),
    "vtab_kitti_closest_vehicle_distance": (
        "build 3.1.0 of TensorFlow Datasets, split by video", "build 3.3.0, with a newer development kit",
    ),
}  # fmt: skip
"""Task -> (VTAB's, CLIP_benchmark's) labels or split, where they differ; in all other tasks they are the same."""


def under_rule(dataset_id: str, label: Sequence[int] | np.ndarray, rule: str = "vtab") -> np.ndarray:
    """Classes (n,) of images by a label rule, from the classes that a dataset has (`clip_benchmark`'s).

    The two rules differ for dSprites only. Raises BookError for an unknown rule or a class out of range.
    Source: VTAB, floor(label / 2) of 32 positions and floor(label / 2.5) of 40 angles, 16 bins each.

    >>> under_rule("vtab_dsprites_label_orientation", [0, 2, 3, 5, 39]).tolist()
    [0, 0, 1, 2, 15]
    >>> under_rule("vtab_dsprites_label_orientation", [0, 2, 3, 5, 39], "clip_benchmark").tolist()
    [0, 2, 3, 5, 39]
    """
    spec, label = dataset_spec(dataset_id), np.asarray(label, dtype=np.int64)
    if rule not in RULES:
        raise BookError(f"label rule {rule!r}", f"one of {', '.join(RULES)}", "choose one of them")
    if len(label) and not 0 <= label.min() <= label.max() < spec.classes:
        raise BookError(
            f"classes of {dataset_id}", f"0 to {spec.classes - 1}, found {label.min()} to {label.max()}",
            "give the labels of the dataset itself, not those under a rule",
        )  # fmt: skip
    return np.asarray(spec.vtab_bins)[label] if rule == "vtab" and spec.vtab_bins else label


def rules_differ(dataset_id: str) -> bool:
    """Whether the two label rules give this task other classes (splits differ too: see DIFFERENCES).

    >>> rules_differ("vtab_dsprites_label_x_position"), rules_differ("vtab_dtd")
    (True, False)
    """
    return bool(dataset_spec(dataset_id).vtab_bins)


def n_classes(dataset_id: str, rule: str = "vtab") -> int:
    """Number of classes of a task under a label rule.

    >>> n_classes("vtab_dsprites_label_x_position"), n_classes("vtab_dsprites_label_x_position", "clip_benchmark")
    (16, 32)
    """
    classes = np.arange(dataset_spec(dataset_id).classes)
    return int(under_rule(dataset_id, classes, rule).max()) + 1


def task_space(dataset_id: str) -> labels.LabelSpace:
    """The label space of a task: its own classes from 0, which say nothing of ImageNet.

    >>> task_space("vtab_eurosat/train").n
    10
    """
    spec = dataset_spec(dataset_id)
    own = range(spec.classes)
    return labels.make_label_space(spec.label_space, own, map(str, own), ([i] for i in own))


def units(dataset_id: str, image_ids: Sequence[str]) -> np.ndarray | None:
    """What is resampled together, by image: the video of KITTI (the first part of an id), else the image itself.

    None where a copy does not say it (KITTI's shards). CLEVR has one image a scene. Source: VTAB splits KITTI by video.

    >>> units("vtab_kitti_closest_vehicle_distance", ["2011_09_26_drive_0001_sync/000003.png"]).tolist()
    ['2011_09_26_drive_0001_sync']
    >>> units("vtab_kitti_closest_vehicle_distance", ["s0000000"]) is None
    True
    """
    spec = DATASETS.get(dataset_id.split("@")[0].split("/")[0])  # a stored part or stand-in has its name with an @
    if spec is None or spec.unit != "video":
        return np.asarray(image_ids)
    videos = units_of(spec.unit, image_ids)
    return np.asarray(videos) if all(videos) else None


def validation_part(of: Dataset | Sequence | int, share: float = 0.2, seed: int = 0) -> np.ndarray:
    """Positions (sorted) of the part of a training set on which a probe's strength is chosen.

    Units are drawn in the order of a seeded permutation until `share` of the images is reached. `of`: the number of
    images; a dataset, whose videos stay whole where it knows them; or the unit of each image. Raises BookError where
    the share leaves one part empty.

    >>> validation_part(10, 0.2, seed=1).tolist()
    [4, 8]
    >>> validation_part(["a", "a", "b", "b"], 0.5).tolist() in ([0, 1], [2, 3])
    True
    """
    units = _units(of)
    n, (_, unit) = len(units), np.unique(units, return_inverse=True)
    sizes = np.bincount(unit)
    order = np.random.default_rng(seed).permutation(len(sizes))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.flatnonzero(np.isin(unit, order[before < share * n - 0.5]))
    if not 0 < len(chosen) < n:
        raise BookError(
            f"a validation part of {share:.0%} of {n} images", "two parts that are not empty", "choose another share"
        )
    return chosen


def _units(of: Dataset | Sequence | int) -> np.ndarray:
    if isinstance(of, int | np.integer):
        return np.arange(of)
    if not isinstance(of, Dataset):
        return np.asarray(of)
    found = units(of.dataset_id, of.table.column("image_id").to_pylist())
    return np.arange(len(of)) if found is None else found
