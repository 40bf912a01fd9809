"""What the table of datasets says about each, what a reader is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers import labels
from helpers.datasets.core import Images
from helpers.errors import BookError


@dataclass(frozen=True)
class Request:
    """One call of a reader: which dataset, from which files. `complete`: every class folder must be there."""

    dataset_id: str
    spec: DatasetSpec
    paths: tuple[Path, ...]
    split: str
    complete: bool = True
    class_map: Path | None = None
    scratch: Path | None = None

    @property
    def name(self) -> str:
        """Dataset and place, for messages."""
        return f"{self.dataset_id} in {', '.join(map(str, self.paths))}"


@dataclass(frozen=True)
class Listing:
    """What a reader found: columns (one entry an image, canonical order), where the images lie, the layout."""

    columns: dict[str, Sequence]
    images: Images
    layout: str
    official_names: bool = True
    keep_mode: bool = False
    own_cut: bool = False
    class_names: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatasetSpec:
    """One dataset. `n` is the published number of images, by split where there are splits (each with the accepted
    counts); `label_space` is a name of `helpers.labels`, or the task's own name where `classes` is given.
    `vtab_bins` is VTAB's class of each class where it bins them. `unit` is what is resampled where that is not the
    image ("video", "scene"); `datasets.units` tells it from image ids. `made_from` gives the hash of what the images
    are made from, for sets that no file holds.
    """

    title: str
    artifacts: tuple[str, ...]
    reader: Callable[[Request], Listing] | None
    label_space: str
    n: int | Mapping[str, tuple[int, ...]]
    licence: str
    split: str = "test"
    classes: int = 1000
    vtab_bins: tuple[int, ...] = ()
    unit: str | None = None
    note: str = ""
    made_from: Callable[[], str] | None = None

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that can be asked for."""
        return (self.split,) if isinstance(self.n, int) else tuple(self.n)

    def expected(self, split: str) -> tuple[int, ...]:
        """Accepted numbers of images of a split. Raises BookError for a split that the dataset has not."""
        known = {self.split: (self.n,)} if isinstance(self.n, int) else self.n
        if split not in known:
            raise BookError(f"{self.title}, split {split!r}", f"one of {', '.join(known)}", "choose one of them")
        return tuple(known[split])


def space_of(request: Request) -> labels.LabelSpace:
    """The label space of an ILSVRC dataset. Raises BookError for a name that labels does not know."""
    return labels.label_space(request.spec.label_space)


def refuse_empty(request: Request, count: int, layout: str) -> None:
    """BookError where a reader found no image of its layout."""
    if count == 0:
        raise BookError(request.name, f"images as {layout}, found none", "point at the official archive or its folder")
