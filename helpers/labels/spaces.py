"""Label spaces: which ILSVRC indices compete, and what the class folders of a dataset are called."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from helpers import paths
from helpers.errors import BookError
from helpers.labels.validation import wnids

UNMAPPED = -1


@dataclass(frozen=True)
class LabelSpace:
    """The classes of a dataset.

    `indices` are the competing ILSVRC indices in folder order (logits are cut to them before softmax and
    argmax); `folders` are the class folders as the dataset spells them and `labels[i]` the ILSVRC indices that
    are right for folder i; `n` is the number of classes; `digest` identifies what decides a prediction.
    """

    name: str
    indices: tuple[int, ...]
    folders: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    n: int
    digest: str


def make_label_space(
    name: str, indices: Iterable[int], folders: Iterable[str], labels: Iterable[Iterable[int]]
) -> LabelSpace:
    """A label space with its digest: sha256 of the indices and of what is right per class.

    >>> make_label_space("two", [3, 5], ["a", "b"], [[3], [5]]).n
    2
    """
    indices, folders, labels = tuple(indices), tuple(folders), tuple(tuple(each) for each in labels)
    text = json.dumps([indices, labels], separators=(",", ":"))
    return LabelSpace(name, indices, folders, labels, len(folders), hashlib.sha256(text.encode()).hexdigest())


def index_map(classes: Mapping[str, Sequence[int]], n: int) -> np.ndarray:
    """Class position (sorted names) of each of n indices, shape (n,); -1 where no class has it.

    Of classes that share an index the later one has it, as in the paper's code.

    >>> index_map({"Shirt": [2], "Sweatshirt": [2, 3]}, 4).tolist()
    [-1, -1, 1, 1]
    """
    positions = np.full(n, UNMAPPED)
    for position, name in enumerate(sorted(classes)):
        positions[list(classes[name])] = position
    return positions


def mapped_space(name: str, classes: Mapping[str, Sequence[int]], n: int) -> LabelSpace:
    """Label space of the paper's rule: all n logits compete, an argmax that no class has is wrong.

    A class whose every index belongs to a later one has no labels: its images cannot be right.

    >>> mapped_space("toy", {"Shirt": [2], "Sweatshirt": [2, 3]}, 4).labels
    ((), (2, 3))
    """
    positions, names = index_map(classes, n), sorted(classes)
    return make_label_space(name, range(n), names, [np.flatnonzero(positions == i).tolist() for i in range(len(names))])


def candidate_space(name: str, classes: Mapping[str, Sequence[int]]) -> LabelSpace:
    """Label space of a fair reading: only indices of the classes compete; a shared one is right for each.

    >>> space = candidate_space("toy", {"Shirt": [2], "Sweatshirt": [2, 3]})
    >>> space.indices, space.labels
    ((2, 3), ((2,), (2, 3)))
    """
    names = sorted(classes)
    indices = sorted({index for each in classes.values() for index in each})
    return make_label_space(name, indices, names, [sorted(classes[each]) for each in names])


def sixteen_categories() -> dict[str, tuple[int, ...]]:
    """ILSVRC indices of the 16 cue-conflict categories, 207 in all (source: model-vs-human).

    >>> categories = sixteen_categories()
    >>> len(categories), categories["airplane"], sum(map(len, categories.values()))
    (16, (404,), 207)
    """
    table = json.loads(paths.reference("sixteen_categories.json").read_text(encoding="utf-8"))
    return {name: tuple(indices) for name, indices in table.items()}


def _full() -> LabelSpace:
    return make_label_space("imagenet1k", range(1000), wnids(), ([i] for i in range(1000)))


def _v2() -> LabelSpace:
    # Sorted as strings these folders permute the labels: the name is the index.
    return make_label_space("imagenet_v2", range(1000), map(str, range(1000)), ([i] for i in range(1000)))


def _subset(name: str) -> LabelSpace:
    table = json.loads(paths.reference("label_subsets.json").read_text(encoding="utf-8"))
    indices, ids = table[name], wnids()
    return make_label_space(name, indices, (ids[i] for i in indices), ([i] for i in indices))


def _sixteen() -> LabelSpace:
    groups = sixteen_categories()
    return make_label_space("sixteen_categories", sorted(sum(groups.values(), ())), groups, groups.values())


def _drawn(name: str) -> LabelSpace:
    # The drawn world stands to the right of this room; its classes are a table.
    with paths.reference("demo_drawings.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    fine, names = [int(row["fine"]) for row in rows], [row["name"] for row in rows]
    if name == "demo_categories":
        groups = {row["category"]: [] for row in rows}
        for index, row in zip(fine, rows, strict=True):
            groups[row["category"]].append(index)
        return make_label_space(name, fine, groups, groups.values())
    left_out = {"demo_fine": None, "demo_r": 3, "demo_a": 0}[name]  # which of the four drawings of every category
    shown = [index for index in fine if index % 4 != left_out]
    return make_label_space(name, shown, (names[i] for i in shown), ([i] for i in shown))


def _class_map() -> dict[str, list[int]]:
    """The classes of the drawn counterpart of PUG: ImageNet, with their fine classes."""
    with paths.reference("demo_class_map.csv").open(encoding="utf-8", newline="") as lines:
        return {row["class"]: [int(index) for index in row["indices"].split()] for row in csv.DictReader(lines)}


LABEL_SPACES: dict[str, Callable[[], LabelSpace]] = {
    "imagenet1k": _full,
    "imagenet_v2": _v2,
    "imagenet_a": lambda: _subset("imagenet_a"),
    "imagenet_r": lambda: _subset("imagenet_r"),
    "sixteen_categories": _sixteen,
    "demo_fine": lambda: _drawn("demo_fine"),
    "demo_r": lambda: _drawn("demo_r"),
    "demo_a": lambda: _drawn("demo_a"),
    "demo_categories": lambda: _drawn("demo_categories"),
    "demo_pug": lambda: mapped_space("demo_pug", _class_map(), 64),
    "demo_pug_candidates": lambda: candidate_space("demo_pug_candidates", _class_map()),
}
"""The label spaces by name; the last six are those of the drawn world, with its fine classes as indices."""


def label_space(name: str) -> LabelSpace:
    """The label space of that name. Raises BookError for an unknown one.

    >>> space = label_space("imagenet_a")
    >>> space.n, space.indices[:3], space.folders[0]
    (200, (6, 11, 13), 'n01498041')
    """
    if name not in LABEL_SPACES:
        raise BookError(f"label space {name!r}", f"one of {', '.join(LABEL_SPACES)}", "choose one of them")
    return LABEL_SPACES[name]()


def folder_labels(folders: Iterable[str], space: LabelSpace, complete: bool = True) -> dict[str, tuple[int, ...]]:
    """The right ILSVRC indices of each class folder; folders that do not map are refused, not guessed.

    Raises BookError naming the folders that are unknown, or missing where `complete` is asked for.

    >>> folder_labels(["10", "2"], label_space("imagenet_v2"), complete=False)
    {'10': (10,), '2': (2,)}
    """
    known, found = dict(zip(space.folders, space.labels, strict=True)), list(folders)
    unknown = sorted(set(found) - set(known))
    if unknown:
        expected = f"class folders named like {space.folders[0]!r}, found {len(unknown)} others such as {unknown[0]!r}"
        raise BookError(f"folders for {space.name}", expected, "point at the folder that holds the official layout")
    missing = [name for name in space.folders if name not in set(found)] if complete else []
    if missing:
        expected = f"all {space.n} class folders, found {space.n - len(missing)} (no {missing[0]!r})"
        raise BookError(f"folders for {space.name}", expected, "unpack the whole archive")
    return {name: known[name] for name in found}
