"""Runs a model over a dataset under views, and writes what it says shard by shard."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from helpers import labels
from helpers.datasets import Dataset
from helpers.errors import BookError
from helpers.predict.batches import Batch, Reader, chunks, loaded
from helpers.predict.forward import Answer, Block, forward, settle
from helpers.predict.passes import Network, Pass, open_passes
from helpers.predict.settings import Settings, machine, resolved

BATCH_BYTES = 256 << 20


@dataclass(frozen=True)
class Report:
    """What a run did: images seen now and found finished, seconds, what could not be read, and whether it is merged."""

    model: str
    dataset: str
    views: tuple[str, ...]
    computed: int
    reused: int
    seconds: float
    unreadable: tuple[str, ...] = ()
    complete: bool = True


def run(
    network: Network, dataset: Dataset, view_ids: Sequence[str], settings: Settings | None = None,
    space: labels.LabelSpace | None = None, extra: Mapping | None = None, root: Path | None = None,
    features: bool = False,
) -> Report:  # fmt: skip
    """Predictions of one model on one dataset under every view asked for; finished images are not seen again.

    Views that compute the same are computed once, under the id that `views.canonical_view` gives. `extra` facts
    (artifacts, subset) go into the key. The base view keeps embeddings and the model's head too. With `features`
    embeddings alone are kept, in fp16 and without a head: for tasks of other classes. With `settings.shard` the store
    is left unmerged. Raises BookError for NaN or constant logits (or features), for images that cannot be read (after
    all others are stored), for an unfinished run of another key, and where not even one image fits into memory.
    """
    settings = resolved(settings or Settings())
    space = None if features else space or labels.label_space(dataset.label_space)
    with machine(settings):
        passes = open_passes(network, dataset, space, view_ids, settings, extra, root)
        open_ones = [each for each in passes if not each.writer.complete]
        pending = sum((each.todo for each in passes), start=False) > 0
        size = images_at_once([each.view.size for each in passes], settings.batch_size)
        batches = chunks(pending, size, settings.shard) if open_ones else []
        started = time.perf_counter()
        unreadable = _see(dataset, space, batches, open_ones, settings) if batches else []
    n, seen = len(dataset), sum(map(len, batches))
    if not open_ones and pending.any():  # merged without some: they were skipped then
        unreadable = [dataset.images.where(int(i)) for i in pending.nonzero()[0]]
    if unreadable and not settings.skip_undecodable:
        raise _undecodable(dataset, unreadable)
    whole = settings.shard[1] == 1
    for each in passes if whole else ():
        each.writer.n = n - len(unreadable)
        each.writer.finish()
    names = tuple(each.view.id for each in passes)
    seconds = time.perf_counter() - started
    return Report(
        network.name, dataset.dataset_id, names, seen - len(unreadable), n - int(pending.sum()), seconds,
        tuple(unreadable), whole,
    )  # fmt: skip


def _undecodable(dataset: Dataset, unreadable: list[str]) -> BookError:
    shown = "; ".join(unreadable[:5]) + ("; ..." if len(unreadable) > 5 else "")
    return BookError(
        f"{len(unreadable):,} of {len(dataset):,} images of {dataset.dataset_id}",
        f"images that can be decoded. {shown}",
        "all others are kept: run with --skip-undecodable to go on without these (the result is then partial), "
        "or replace them and start anew",
    )  # fmt: skip


def _see(
    dataset: Dataset, space: labels.LabelSpace | None, batches: list[list[int]], passes: list[Pass], settings: Settings
) -> list[str]:
    """Run all batches and hand their rows to the store; returns the images that could not be read."""
    from tqdm import tqdm

    unreadable: list[str] = []
    title = f"{passes[0].model.key} on {dataset.dataset_id} ({len(passes)} view{'s' * (len(passes) > 1)})"
    with tqdm(total=sum(map(len, batches)), desc=title, unit="image", disable=not settings.progress) as bar:
        block = Block(dataset, space, passes, settings)
        try:
            for batch, answers in _answers(dataset, batches, passes, settings):
                for answer in answers:
                    block.add(settle(answer, dataset, settings))
                block.write_if_due()
                unreadable += [reason for _, reason in batch.unreadable]
                bar.update(len(batch.positions) + len(batch.unreadable))
        except BaseException:
            with contextlib.suppress(BookError):  # what was computed before an interruption is kept, if it can be
                block.write()
            raise
        block.write()
    return unreadable


def _answers(
    dataset: Dataset, batches: list[list[int]], passes: list[Pass], settings: Settings
) -> Iterator[tuple[Batch, list[Answer]]]:
    """Each batch, decoded by worker processes or by the thread that runs it, with what all passes say of it."""
    reader = Reader(dataset, tuple(each.view for each in passes))
    sizes = {each.view.id: first_size(each.view.size, settings.batch_size) for each in passes}
    for each in passes:
        if "predictions" in each.writer.keys:
            _ = each.model.device_head  # built here once, not by several threads at a time

    def work(item: Batch | list[int]) -> tuple[Batch, list[Answer]]:
        batch = item if isinstance(item, Batch) else reader.batch(item)
        return batch, [answer for each in passes for answer in forward(each, batch, settings, sizes)]

    return _in_order(work, loaded(reader, batches, settings) if settings.workers else batches, settings.threads)


def images_at_once(sides: Sequence[int], batch_size: int) -> int:
    """Images decoded together: `batch_size`, or fewer where all their views would need more than 256 MiB.

    Several such batches wait in the memory that processes share, which is small on many machines.

    >>> images_at_once([224], 256), images_at_once([224] * 10 + [112, 336, 512, 640], 256)
    (256, 68)
    """
    return max(1, min(batch_size, BATCH_BYTES // sum(3 * side * side for side in sides)))


def first_size(side: int, batch_size: int) -> int:
    """Images at once under a view: fewer of larger ones, so that the activations need the memory of 224 px.

    >>> [first_size(side, 8) for side in (112, 224, 336, 640)]
    [8, 8, 3, 1]
    """
    return max(1, int(batch_size * min(1.0, (224 / side) ** 2)))


def _in_order(work: Callable, items: Iterable, threads: int) -> Iterator:
    """work(item) of each item, in order, `threads` at a time.

    With one thread an answer is given after the next was begun: a GPU computes while the processor reads the last.
    """
    if threads == 1:
        last = None
        for item in items:
            now = work(item)
            if last is not None:
                yield last
            last = now
        if last is not None:
            yield last
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
