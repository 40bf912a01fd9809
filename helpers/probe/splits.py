"""What a probe is trained, tuned and tested on: checked features of which no test image was trained on."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import BookError, InputsUnavailable
from helpers.predict.features import Features

HELD_OUT, MOST_HELD_OUT = 0.2, 1 / 3


@dataclass(frozen=True)
class Task:
    """Train, validation and test features of one task by one model.

    `held_out` says that the validation split was cut from the training split because none was given; `notes` what
    test images share with the others.
    """

    name: str
    train: Features
    val: Features
    test: Features
    held_out: bool = False
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> np.ndarray:
        """The classes that a probe can answer: those of the training and validation splits, sorted."""
        return np.union1d(self.train.labels, self.val.labels)


def task_of(
    name: str, train: Features, test: Features, val: Features | None = None, part: np.ndarray | None = None,
    seed: int = 0,
) -> Task:  # fmt: skip
    """A checked task; without a validation split a part of the training images is held out.

    `part` are the rows of the training images to hold out, by default a fifth: whole clusters (column `group`) where
    each image has one, else evenly of each class, by `seed`. Raises BookError, naming the thing, for NaN or
    infinite features, other widths, one class only, and for test images that were trained on.

    >>> rng = np.random.default_rng(0)
    >>> def some(start, n):
    ...     labels = np.arange(n) % 2
    ...     ids = pd.DataFrame({"image_id": [f"i{start + i}" for i in range(n)], "label": [[k] for k in labels]})
    ...     return Features(rng.normal(size=(n, 3)).astype("f4"), labels, ids)
    >>> task = task_of("toy", some(0, 20), some(20, 10))
    >>> len(task.train), len(task.val), len(task.test), task.held_out
    (16, 4, 10, True)
    """
    given = {"train": train, "val": val, "test": test}
    for split, each in given.items():
        if each is not None:
            _check(f"{split} features of {name}", each, train.matrix.shape[1])
    if len(np.unique(train.labels)) < 2:
        found = f"at least two classes, found {train.labels[0]} only"
        raise InputsUnavailable(f"training labels of {name}", found, "use more images, or another task")
    notes = _check_apart(name, [each for each in (train, val) if each is not None], test)
    if val is not None:
        return Task(name, train, val, test, notes=notes)
    held = _held_out(train, seed) if part is None else np.isin(np.arange(len(train)), part)
    kept = train.take(np.flatnonzero(~held))
    if not held.any() or len(np.unique(kept.labels)) < 2:
        raise InputsUnavailable(
            f"training images of {name}", "enough to hold some out for validation", "use more images"
        )
    return Task(name, kept, train.take(np.flatnonzero(held)), test, True, notes)


def joined(*parts: Features) -> Features:
    """The images of several splits as one, in this order."""
    return Features(
        np.concatenate([each.matrix for each in parts]), np.concatenate([each.labels for each in parts]),
        pd.concat([each.frame for each in parts], ignore_index=True), parts[0].source,
    )  # fmt: skip


def _check(thing: str, each: Features, width: int) -> None:
    n = len(each.labels)
    if each.matrix.shape != (n, width) or len(each.frame) != n or not n:
        found = f"{n} x {width} numbers and {n} rows, found {each.matrix.shape} and {len(each.frame)}"
        raise BookError(thing, found, "give the features of one model, a row an image")
    finite = np.isfinite(each.matrix).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        found = f"finite numbers, found NaN or infinity in {(~finite).sum()} rows (image {each.frame.image_id[row]!r})"
        raise BookError(thing, found, "delete the stored features and extract them again")


def _rows_as_keys(matrix: np.ndarray) -> np.ndarray:
    """Each row as one value that compares by its bytes."""
    rows = np.ascontiguousarray(matrix)
    return rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()


def _check_apart(name: str, fitted: list[Features], test: Features) -> tuple[str, ...]:
    """Notes on what the test images share with those of the fit. Raises BookError where it is an image itself.

    Ids may repeat between splits that number their images alike: the same id with the same features is one image.
    """
    notes = []
    keys = np.concatenate([_rows_as_keys(each.matrix) for each in fitted])
    twin = np.isin(_rows_as_keys(test.matrix), keys)
    ids = {image for each in fitted for image in each.frame.image_id}
    again = twin & test.frame.image_id.isin(ids).to_numpy()
    if again.any():
        first = test.frame.image_id.iloc[int(np.flatnonzero(again)[0])]
        expected = f"test images that were not trained on, found {again.sum():,} again (image {first!r})"
        raise BookError(f"splits of {name}", expected, "keep each image in one split")
    if twin.any():
        notes.append(f"{twin.sum():,} of {len(test):,} test images have the very features of a training image")
    if "group" in test.frame:
        groups = {group for each in fitted if "group" in each.frame for group in each.frame["group"].dropna()}
        shared = set(test.frame["group"].dropna()) & groups
        if shared:
            notes.append(f"{len(shared):,} pictures, scenes or videos are in training and test, with different images")
    return tuple(notes)


def _held_out(train: Features, seed: int) -> np.ndarray:
    """Which rows are held out: about a fifth, of every class if possible; whole clusters where images have them.

    Clusters (`group`) are dealt into five parts with classes as even as clusters allow (scikit-learn's
    StratifiedGroupKFold). Taken is the part with most classes of at most a third of the images, the nearest to a fifth.
    """
    group = train.frame["group"] if "group" in train.frame else pd.Series([None] * len(train))
    if group.isna().any():
        return _of_each_class(train.labels, np.random.default_rng(seed))
    parts = _dealt(train.labels, group, seed)

    def preference(part: np.ndarray) -> tuple:
        large = part.mean() > MOST_HELD_OUT
        return large, part.mean() if large else 0, -len(np.unique(train.labels[part])), abs(part.mean() - HELD_OUT)

    return min(parts, key=preference) if parts else np.zeros(len(train), bool)


def _of_each_class(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Every fifth image of each class in random order, as a mask."""
    order = rng.permutation(len(labels))
    rank = pd.Series(order).groupby(labels[order]).cumcount().to_numpy()
    held = np.zeros(len(labels), bool)
    every = round(1 / HELD_OUT)
    held[order[rank % every == every - 1]] = True
    return held


def _dealt(labels: np.ndarray, group: pd.Series, seed: int) -> list[np.ndarray]:
    """Masks of up to five parts of whole clusters; none for a single cluster."""
    from sklearn.model_selection import StratifiedGroupKFold

    n = min(round(1 / HELD_OUT), group.nunique(), int(np.bincount(labels).max()))
    if n < 2:
        return []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # it may lack in a part
        parts = StratifiedGroupKFold(n, shuffle=True, random_state=seed).split(labels, labels, group)
        return [np.isin(np.arange(len(labels)), rows) for _, rows in parts if len(rows)]
