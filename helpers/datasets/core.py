"""A dataset: images that are read when asked for, and one row of facts for each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from helpers.errors import BookError
from helpers.views import decode

COLUMNS = ("image_id", "label", "group")


class Sample(NamedTuple):
    """One image with what is known about it: label holds ILSVRC indices (a task's own classes for VTAB)."""

    image: Image.Image
    label: list[int]
    image_id: str
    group: str | None


class Images(Protocol):
    """Where images come from: `Members` (files and archives), `ParquetImages`, `Pixels` (memory) or `Drawn`.

    The last two also give `pixels(position)` (uint8, nothing to decode) and a `digest()` of them.
    """

    def __len__(self) -> int: ...
    def read(self, position: int) -> bytes: ...
    def where(self, position: int) -> str: ...
    def take(self, rows: Sequence[int]) -> Images: ...


@dataclass(frozen=True)
class Pixels:
    """Images that are in memory, uint8 [n, H, W, 3], or [n, H, W] where they are grey."""

    array: np.ndarray

    def __len__(self) -> int:
        return len(self.array)

    def where(self, position: int) -> str:
        return f"image {position} in memory"

    def pixels(self, position: int) -> np.ndarray:
        return self.array[position]

    def digest(self) -> str:
        return hashlib.sha256(np.ascontiguousarray(self.array)).hexdigest()

    def read(self, position: int) -> bytes:
        return np.ascontiguousarray(self.array[position]).tobytes()

    def take(self, rows: Sequence[int]) -> Pixels:
        return Pixels(self.array[np.asarray(rows)])


@dataclass(frozen=True)
class Dataset:
    """An ordered, indexable set of images; it can be sent to worker processes.

    `table` has the columns image_id, label, group and, by dataset, further ones (asset, level, source ...), one
    row an image in canonical order. `expected` is the published number of images, None where none is.
    `layout` says which layout was found. `official_names` is False where image ids are not the names that
    ImageNet-X and ReaL join on. With `keep_mode` images are not converted to RGB when decoded. `own_cut`: a split of
    this book's in place of one that cannot be had from official files. `class_names` and
    `templates` (with "{c}" for the class) are those of the copy, for zero-shot; empty where it has none.
    """

    dataset_id: str
    table: pa.Table
    images: Images
    label_space: str
    layout: str
    expected: int | None = None
    official_names: bool = True
    keep_mode: bool = False
    own_cut: bool = False
    class_names: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.table.num_rows

    def __getitem__(self, position: int) -> Sample:
        """The decoded image and its facts. Raises BookError naming archive and member if it cannot be decoded."""
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        position = int(position) % len(self)
        image_id, label, group = (self.table.column(name)[position].as_py() for name in COLUMNS)
        return Sample(self._image(position), label, image_id, group)

    def __iter__(self) -> Iterator[Sample]:
        return (self[position] for position in range(len(self)))

    def _image(self, position: int) -> Image.Image:
        pixels = getattr(self.images, "pixels", None)
        if pixels is not None:
            return Image.fromarray(pixels(position)).convert("RGB")
        return decode(self.images.read(position), self.images.where(position), self.keep_mode)

    @property
    def n(self) -> int:
        """Number of images."""
        return len(self)

    @property
    def partial(self) -> bool:
        """Whether this is less (or other) than the published set."""
        return self.expected is not None and self.expected != len(self)

    @property
    def digest(self) -> str:
        """SHA-256 over ids, labels, groups and byte lengths in order: the same for every layout of the same files.

        Of a set in memory or drawn here the pixels are hashed too.
        """
        hashed = hashlib.sha256(f"{self.dataset_id}\n{self.keep_mode}\n".encode())
        pixels = getattr(self.images, "digest", None)
        if pixels is not None:
            hashed.update(pixels().encode())
        lengths = getattr(self.images, "length", np.zeros(len(self), np.int64))
        start = 0
        for batch in self.table.select(COLUMNS).to_batches(max_chunksize=65_536):
            rows = zip(*(batch.column(name).to_pylist() for name in COLUMNS), lengths[start:].tolist(), strict=False)
            hashed.update("".join(f"{row}\n" for row in rows).encode())
            start += batch.num_rows
        return hashed.hexdigest()

    def frame(self) -> pd.DataFrame:
        """Everything that is known about the images but their pixels, one row an image."""
        return self.table.to_pandas().assign(label=self.table.column("label").to_pylist())

    def take(self, rows: Sequence[int] | np.ndarray) -> Dataset:
        """The images at these positions, in this order."""
        rows = np.asarray(rows, dtype=np.int64)
        return replace(self, table=self.table.take(pa.array(rows)).combine_chunks(), images=self.images.take(rows))

    def parts(self) -> list[tuple[str, int, int]]:
        """(file, start, stop) of each archive, shard or folder in order: a run can stop and resume between them."""
        numbers = getattr(self.images, "root", np.zeros(len(self), np.int16))
        names = getattr(self.images, "roots", (self.dataset_id,))
        edges = np.flatnonzero(np.diff(numbers)) + 1
        bounds = zip([0, *edges.tolist()], [*edges.tolist(), len(self)], strict=True)
        return [(names[int(numbers[start])], start, stop) for start, stop in bounds if stop > start]


def make_table(columns: dict[str, Sequence]) -> pa.Table:
    """Columns to a table: image_id and further columns as strings, label as lists of int32.

    Raises BookError where an image id occurs twice.

    >>> make_table({"image_id": ["a"], "label": [[3]], "group": [None]}).column_names
    ['image_id', 'label', 'group']
    """
    types = {"label": pa.list_(pa.int32())}
    table = pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()})
    counts = table.column("image_id").value_counts()
    if len(counts) < len(table):
        twice = next(each["values"].as_py() for each in counts if each["counts"].as_py() > 1)
        raise BookError(
            "image ids", f"each once, found {twice!r} more than once", "keep one copy of the images in this place"
        )
    return table


def in_memory(
    dataset_id: str,
    pixels: np.ndarray,
    labels: Sequence[Sequence[int]],
    image_ids: Sequence[str],
    groups: Sequence[str | None] | None = None,
    label_space: str = "imagenet1k",
    attributes: dict[str, Sequence[str]] | None = None,
) -> Dataset:
    """A dataset from pixels uint8 [n, H, W, 3]: what rendered sets and tests use.

    >>> toy = in_memory("toy", np.zeros((2, 8, 8, 3), np.uint8), [[0], [1]], ["a", "b"])
    >>> toy.n, toy[1].label, toy[1].image.size
    (2, [1], (8, 8))
    """
    groups = [None] * len(pixels) if groups is None else groups
    columns = {"image_id": image_ids, "label": labels, "group": groups, **(attributes or {})}
    return Dataset(dataset_id, make_table(columns), Pixels(pixels), label_space, "memory")


def stratified(dataset: Dataset, k: int, seed: int) -> Dataset:
    """About k images, spread evenly over classes, in canonical order; a larger k contains a smaller one.

    Each class gets k / classes images, rounded up or down at random. Where one source image occurs under many
    conditions (a column `source`: ImageNet-C), whole sources are chosen, so that conditions stay paired.

    >>> toy = in_memory("toy", np.zeros((6, 4, 4, 3), np.uint8), [[0], [0], [0], [0], [1], [1]], list("abcdef"))
    >>> [label for _, (label,), _, _ in stratified(toy, 4, seed=0)]
    [0, 0, 1, 1]
    """
    if k < 1:
        raise BookError("the number of images", f"at least 1, found {k}", "ask for more")
    label = pd.Series([labels[0] if labels else -1 for labels in dataset.table.column("label").to_pylist()])
    paired = "source" in dataset.table.column_names
    unit = dataset.table.column("source").to_pandas() if paired else pd.Series(np.arange(len(dataset)))
    units = pd.DataFrame({"unit": unit, "label": label}).drop_duplicates("unit").reset_index(drop=True)
    wanted = max(1, k * len(units) // len(dataset)) if paired else k
    chosen = units["unit"][_spread(units["label"], wanted, np.random.default_rng(seed))]
    return dataset.take(np.flatnonzero(unit.isin(chosen)))


def _spread(label: pd.Series, k: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of k rows: first one of every class, then a second of every class, and so on."""
    order = rng.permutation(len(label))
    rank = label.iloc[order].groupby(label.iloc[order].to_numpy()).cumcount().to_numpy()
    return order[np.argsort(rank, kind="stable")[:k]]
