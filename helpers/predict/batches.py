"""Images to batches: one decode per image for all views, here or in worker processes."""

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

Decoded = tuple[int, dict[str, np.ndarray] | str]


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
class Reader:
    """Images of a dataset by position, each under all views; made for torch's DataLoader."""

    dataset: Dataset
    views: tuple[View, ...]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, position: int) -> Decoded:
        try:
            return position, apply_views(self.dataset[position].image, self.views)
        except BookError as error:
            where = self.dataset.images.where(position)
            return position, f"{where}: {'' if error.thing == where else error.thing + ': '}{error.expected}"

    def batch(self, positions: Sequence[int]) -> Batch:
        """These images, decoded now."""
        return collate([self[position] for position in positions])


def collate(items: Sequence[Decoded]) -> Batch:
    """Stack the views of the images that could be read."""
    import torch

    good = [(position, views) for position, views in items if not isinstance(views, str)]
    names = good[0][1] if good else ()
    pixels = {name: torch.from_numpy(np.stack([views[name] for _, views in good])) for name in names}
    unreadable = [(position, reason) for position, reason in items if isinstance(reason, str)]
    return Batch([position for position, _ in good], pixels, unreadable)


def chunks(pending: np.ndarray, size: int, shard: tuple[int, int] = (1, 1)) -> list[list[int]]:
    """Positions of pending images in batches of at most `size`; of `shard` (i, n) every n-th batch from the i-th.

    Batches are cut from the whole dataset, so that an image meets the same others before and after an interruption:
    the last bits of a network's output can depend on them. `pending` is one bool an image.

    >>> chunks(np.array([False, False, True, True, True]), 2)
    [[2, 3], [4]]
    >>> chunks(np.ones(5, bool), 2, shard=(2, 2))
    [[2, 3]]
    """
    part, parts = shard
    starts = range(0, len(pending), size)[part - 1 :: parts]
    found = ((np.flatnonzero(pending[start : start + size]) + start).tolist() for start in starts)
    return [positions for positions in found if positions]


def loaded(reader: Reader, batches: list[list[int]], settings: Settings) -> Iterator[Batch]:
    """The batches in order, decoded ahead of the network by worker processes, in page-locked memory for a GPU."""
    import multiprocessing

    from torch.utils.data import DataLoader

    workers = min(settings.workers, len(batches))
    # Forked workers could hang on locks that threads of this process hold; a fork server has no threads.
    server = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if server else "spawn") if workers else None
    if server and workers:
        context.set_forkserver_preload(["torch", __name__])
    return iter(
        DataLoader(
            reader, batch_sampler=batches, collate_fn=collate, num_workers=workers,
            prefetch_factor=2 if workers else None, pin_memory=settings.device.startswith("cuda"),
            multiprocessing_context=context,
        )
    )  # fmt: skip
