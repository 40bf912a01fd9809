"""How a run uses the machine. Nothing here may change a prediction but `precision`, which is part of the key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

from helpers.errors import BookError

PRECISIONS = ("fp32", "fp16", "bf16")
MOST_THREADS = 16


@dataclass(frozen=True)
class Settings:
    """Device, precision and sizes of a run.

    `batch_size` is where the search starts at 224 px (it is halved when memory runs out); 0 chooses by device.
    `workers` are decoding processes, `threads` networks at once on a CPU, which then decode too; -1 and 0 choose.
    `compile` runs the network through torch.compile on a GPU. `skip_undecodable` goes on without images that cannot
    be read; else the run ends with an error that names them, after all others are stored. `restart` discards an
    unfinished run of another key (other weights, files or libraries), which is an error otherwise. `shard` (i, n) does
    the i-th of n parts and leaves merging to others. A shard of the store is written after `shard_rows` images or
    `shard_seconds`: what a killed run loses at most.
    """

    device: str = "auto"
    precision: str = "fp32"
    batch_size: int = 0
    workers: int = -1
    threads: int = 0
    compile: bool = False
    skip_undecodable: bool = False
    restart: bool = False
    shard: tuple[int, int] = (1, 1)
    shard_rows: int = 2048
    shard_seconds: float = 300.0
    progress: bool = True


def cores() -> int:
    """Processor cores that this process may use.

    >>> cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolved(settings: Settings) -> Settings:
    """The same settings with every automatic choice made for this machine.

    Raises BookError for an unknown precision, a device that is not there, bf16 where it would only be emulated, or a
    shard that does not exist.

    >>> resolved(Settings(device="cpu", threads=2)).batch_size
    4
    """
    import torch

    if settings.precision not in PRECISIONS:
        raise BookError(f"precision {settings.precision!r}", f"one of {', '.join(PRECISIONS)}", "choose one of them")
    part, parts = settings.shard
    if not 1 <= part <= parts:
        raise BookError(f"shard {part}/{parts}", "i/n with i from 1 to n", "correct it")
    there = torch.cuda.is_available()
    device = settings.device if settings.device != "auto" else ("cuda" if there else "cpu")
    cuda = device.startswith("cuda")
    if cuda and not there:
        raise BookError(f"device {device!r}", "a CUDA device, found none", "use --device cpu, or a machine with a GPU")
    # A T4 emulates bf16: it works, slowly, and by other roundings; torch's own check says so only if asked.
    if cuda and settings.precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise BookError("precision bf16", "a GPU that computes in bf16, found emulation only", "use fp16 or fp32")
    # On a CPU the networks decode for themselves: no process to start, nothing to copy, every core busy.
    workers = settings.workers if settings.workers >= 0 else (min(8, cores()) if cuda else 0)
    threads = 1 if cuda else settings.threads or min(MOST_THREADS, cores())
    if settings.compile and not cuda:
        raise BookError("torch.compile", f"a GPU, found {device}", "leave --compile out")
    batch_size = settings.batch_size or (256 if cuda else 4)
    return replace(settings, device=device, workers=workers, threads=threads, batch_size=batch_size)


@contextmanager
def machine(settings: Settings) -> Iterator[None]:
    """TF32 off, and on a CPU one core to each of the threads; as before afterwards.

    Cores that share a layer wait for each other at its end, spinning: on a machine that does anything else besides,
    two of them cost up to six times the core time of one.
    """
    import torch

    keep_freed_memory()
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [each.allow_tf32 for each in backends], torch.get_num_threads()
    try:
        for each in backends:
            each.allow_tf32 = False
        if settings.device == "cpu":
            torch.set_num_threads(1)
        yield
    finally:
        for each, allowed in zip(backends, before[0], strict=True):
            each.allow_tf32 = allowed
        torch.set_num_threads(before[1])


def autocast(settings: Settings) -> AbstractContextManager:
    """The autocast context of a precision; nothing for fp32. Source: the paper's run is fp32, PUG fp16 autocast."""
    import torch

    if settings.precision == "fp32":
        return nullcontext()
    kind = {"fp16": torch.float16, "bf16": torch.bfloat16}[settings.precision]
    return torch.autocast(settings.device.split(":")[0], dtype=kind)


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory instead of giving it back; True where that worked.

    Activations are freed and asked for again at every batch: on a CPU the page faults took up to two thirds of a
    forward pass. Has no effect on results.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3
    gib = 1 << 30
    return all(
        mallopt(name, value) for name, value in ((mmap_threshold, gib), (trim_threshold, gib), (top_pad, gib // 4))
    )
