"""Images to batches: one decode per image for all views, in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from helpers.datasets import Dataset
from helpers.errors import BookError
from helpers.views import View, apply_views

if TYPE_CHECKING:
    import torch

    from helpers.predict.settings import Settings


@dataclass(frozen=True)
class Batch:
    """Decoded images: positions in the dataset, pixels uint8 [n, 3, s, s] per view id, and what could not be read."""

    positions: list[int]
    pixels: dict[str, torch.Tensor]
    unreadable: list[tuple[int, str]]

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory (called by torch's loader)."""
        return Batch(self.positions, {name: each.pin_memory() for name, each in self.pixels.items()}, self.unreadable)


@dataclass(frozen=True)
class PendingImages:
    """The images of a dataset still to be seen, each under all views; made for torch's DataLoader."""

    dataset: Dataset
    positions: np.ndarray
    views: tuple[View, ...]

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> tuple[int, dict[str, np.ndarray] | str]:
        position = int(self.positions[index])
        try:
            return position, apply_views(self.dataset[position].image, self.views)
        except BookError as error:
            return position, str(error)


def collate(items: Sequence[tuple[int, dict[str, np.ndarray] | str]]) -> Batch:
    """Stack the views of the images that could be read."""
    import torch

    good = [(position, views) for position, views in items if not isinstance(views, str)]
    names = good[0][1] if good else ()
    pixels = {name: torch.from_numpy(np.stack([views[name] for _, views in good])) for name in names}
    unreadable = [(position, reason) for position, reason in items if isinstance(reason, str)]
    return Batch([position for position, _ in good], pixels, unreadable)


def batches(dataset: Dataset, positions: np.ndarray, views: Sequence[View], settings: Settings) -> Iterator[Batch]:
    """Batches of pending images, decoded ahead of the model by worker processes."""
    from torch.utils.data import DataLoader

    pending = PendingImages(dataset, np.asarray(positions), tuple(views))
    workers = min(settings.workers, max(1, len(pending) // settings.batch_size)) if settings.workers else 0
    return iter(
        DataLoader(
            pending, batch_size=settings.batch_size, collate_fn=collate, num_workers=workers,
            prefetch_factor=4 if workers else None, pin_memory=settings.device.startswith("cuda"),
            multiprocessing_context="forkserver" if workers else None,
        )
    )  # fmt: skip
