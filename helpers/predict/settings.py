"""How a run uses the machine. Nothing here may change a prediction but `precision`, which is part of the key."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from helpers.errors import BookError

PRECISIONS = ("fp32", "fp16", "bf16")


@dataclass(frozen=True)
class Settings:
    """Device, precision and sizes of a run.

    `batch_size` is where the search starts (it is halved when memory runs out); 0 chooses by device. `workers` are
    decoding processes; -1 chooses by the number of cores. `skip_undecodable` records images that cannot be read
    and goes on without them; else the run ends with an error that names them, after all others are stored.
    """

    device: str = "auto"
    precision: str = "fp32"
    batch_size: int = 0
    workers: int = -1
    compile: bool = False
    skip_undecodable: bool = False
    shard_rows: int = 2048
    progress: bool = True


def resolved(settings: Settings) -> Settings:
    """The same settings with every automatic choice made for this machine.

    Raises BookError for an unknown precision, a device that is not there, or bf16 where it would only be emulated.

    >>> resolved(Settings(device="cpu", workers=0)).batch_size
    8
    """
    from dataclasses import replace

    import torch

    if settings.precision not in PRECISIONS:
        raise BookError(f"precision {settings.precision!r}", f"one of {', '.join(PRECISIONS)}", "choose one of them")
    cuda = torch.cuda.is_available()
    device = settings.device if settings.device != "auto" else ("cuda" if cuda else "cpu")
    if device.startswith("cuda") and not cuda:
        raise BookError(f"device {device!r}", "a CUDA device, found none", "use --device cpu, or a machine with a GPU")
    # A T4 emulates bf16: it works, slowly, and by other roundings; torch's own check says so only if asked.
    if cuda and settings.precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise BookError("precision bf16", "a GPU that computes in bf16, found emulation only", "use fp16 or fp32")
    cores = os.cpu_count() or 1
    workers = settings.workers if settings.workers >= 0 else (min(8, cores) if device != "cpu" else max(1, cores // 2))
    batch = settings.batch_size or (256 if device.startswith("cuda") else 8)
    return replace(settings, device=device, workers=workers, batch_size=batch)


def autocast(settings: Settings) -> AbstractContextManager:
    """The autocast context of a precision; nothing for fp32, where TF32 is switched off as well.

    Source: the paper's run is fp32, PUG fp16 autocast.
    """
    import torch

    if settings.precision == "fp32":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
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
