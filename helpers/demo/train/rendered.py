"""Sets of the drawn world rendered once, so that a training does not wait for the renderer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from helpers import paths
from helpers.demo.world import HEIGHT, WIDTH, DemoSet, render

CHUNK = 500  # images a process renders before it reports
CHECKED = 6  # images that are rendered again to see whether a stored set is still this world's


@dataclass(frozen=True)
class Rendered:
    """A rendered set: the set itself, pixels uint8 (n, 80, 96, 3) (a memory map), fine classes (n,)."""

    items: DemoSet
    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def labels_of(items: DemoSet) -> np.ndarray:
    """Fine class of every image, int64 (n,); nothing is rendered.

    >>> from helpers.demo.world import demo_set
    >>> labels_of(demo_set("val", n=2)).shape
    (2,)
    """
    return np.array([items.scene(index).fine for index in range(len(items))], dtype=np.int64)


def rendered(items: DemoSet, folder: Path | None = None, workers: int = 2, progress: bool = True) -> Rendered:
    """The set's pixels from `folder` (default: `artifacts/demo`), rendered first if they are not there.

    A stored set of another world (its first pixels differ) is rendered anew.

    >>> import tempfile
    >>> from helpers.demo.world import demo_set
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rendered(demo_set("val", n=2), Path(folder), workers=1, progress=False).pixels.shape
    (2, 80, 96, 3)
    """
    folder = paths.artifacts() / "demo" if folder is None else Path(folder)
    file = folder / f"{items.name}_seed{items.seed}_n{len(items)}.npy"
    if not (file.is_file() and _is_current(items, np.load(file, mmap_mode="r"))):
        _render(items, file, workers, progress)
    return Rendered(items, np.load(file, mmap_mode="r"), labels_of(items))


def _is_current(items: DemoSet, pixels: np.ndarray) -> bool:
    if pixels.shape != (len(items), HEIGHT, WIDTH, 3):
        return False
    some = np.unique(np.linspace(0, len(items) - 1, CHECKED).astype(int))
    return all(np.array_equal(items[int(index)].image, pixels[index]) for index in some)


def _render(items: DemoSet, file: Path, workers: int, progress: bool) -> None:
    from tqdm import tqdm

    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.stem}.{os.getpid()}.part.npy")
    pixels = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(len(items), HEIGHT, WIDTH, 3))
    with tqdm(total=len(items), desc=f"rendering {items.name}", unit="image", disable=not progress) as bar:
        for start, images in _chunks(items, workers):
            pixels[start : start + len(images)] = images
            bar.update(len(images))
    pixels.flush()
    del pixels
    part.replace(file)  # a set that was interrupted never looks finished


def _chunks(items: DemoSet, workers: int) -> Iterator[tuple[int, np.ndarray]]:
    starts = range(0, len(items), CHUNK)
    if workers <= 1 or len(items) <= CHUNK:
        for start in starts:
            yield start, _some(items, start)
        return
    # Fresh processes: a fork would copy the threads of whoever renders.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_be_nice) as pool:
        futures = [(start, pool.submit(_some, items, start)) for start in starts]
        for start, future in futures:
            yield start, future.result()


def _be_nice() -> None:
    if hasattr(os, "nice"):
        os.nice(10)


def _some(items: DemoSet, start: int) -> np.ndarray:
    stop = min(start + CHUNK, len(items))
    return np.stack([render(items.scene(index)) for index in range(start, stop)])
