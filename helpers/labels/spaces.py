"""Label spaces: which ILSVRC indices compete, and what the class folders of a dataset are called."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from helpers import paths
from helpers.errors import BookError
from helpers.labels.validation import wnids


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
}
"""The label spaces by name; the last four are those of the drawn world, with its fine classes as indices."""


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
