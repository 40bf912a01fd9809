"""`python -m helpers bench`: the engine against what its parts must cost, and against a plain loop, in one run."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from helpers import models, paths, views
from helpers.datasets import Dataset
from helpers.datasets.core import make_table
from helpers.datasets.members import images_only, list_members
from helpers.errors import BookError, InputsUnavailable
from helpers.predict.batches import Reader
from helpers.predict.engine import run
from helpers.predict.forward import forward_images
from helpers.predict.keys import view_of
from helpers.predict.passes import Network, at_size
from helpers.predict.settings import Settings, cores, machine, resolved

MODEL = "efficientnet_lite0"
VIEWS = ("paper.eval", "paper.scale-2", "paper.shift-30", "paper.resolution-112")
WALL_TARGET, SPEED_TARGET = 1.15, 3.0
QUIET = Settings(device="cpu", progress=False)


def main(n: int = 256, sizes: Sequence[int] = (500, 1000, 2000)) -> None:
    """Print the measurements: parts against the whole, plain loop against engine, k views, time and memory by n.

    `n` photographs (the mirror's 50 repeated, else drawn ones); the network is EfficientNet-Lite0 at 224 pixels.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = photographs(Path(scratch))
        print(f"{MODEL}, {n} images from {folder}, {cores()} cores, load {os.getloadavg()[0]:.1f} at the start")
        _parts_and_whole(folder, n)
        _views_together(folder, min(n, 128))
        _sizes(folder, sizes)


def photographs(scratch: Path) -> Path:
    """A folder of JPEG photographs: the mirror's, else 50 drawn ones of 500 x 400 pixels."""
    mirror = Path(paths.mirror() or "/nowhere") / "raw.githubusercontent.com/EliSchwartz/imagenet-sample-images"
    if mirror.is_dir():
        return mirror
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(50):
        coarse = Image.fromarray(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
        coarse.resize((500, 400), Image.Resampling.BICUBIC).save(scratch / f"{i:02d}.JPEG", quality=90)
    return scratch


def repeated(folder: Path, n: int) -> Dataset:
    """The photographs of a folder, repeated to `n` images with ids of their own."""
    found = images_only(list_members([folder]))
    rows = np.arange(n) % len(found)
    columns = {"image_id": [f"{i:06d}" for i in range(n)], "label": [[0]] * n, "group": [None] * n}
    return Dataset("bench", make_table(columns), found.take(rows), "imagenet1k", "photographs")


def network() -> Network:
    """The network with its real weights where their package is installed, else with random ones."""
    try:
        models.checkpoints.weights_path(models.MODELS[MODEL])
    except (InputsUnavailable, BookError):
        return Network(MODEL, seed=0)
    return Network(MODEL)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and core seconds of this process."""
    wall, core = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - core


def _engine(net: Network, dataset: Dataset, view_ids: Sequence[str], settings: Settings = QUIET) -> tuple[float, float]:
    at_size(net, 224, resolved(settings))  # loading is told apart from running
    with tempfile.TemporaryDirectory() as root:
        return _timed(lambda: run(net, dataset, view_ids, settings, root=Path(root)))


def _parts_and_whole(folder: Path, n: int) -> None:
    import torch

    settings, net, dataset = resolved(QUIET), network(), repeated(folder, n)
    model, view = at_size(net, 224, settings), view_of(MODEL, VIEWS[0])
    reader, size = Reader(dataset, (view,)), settings.batch_size
    starts = range(0, min(n, 128), size)
    with machine(settings), torch.inference_mode():
        batches = [reader.batch(range(start, start + size)) for start in starts]
        decode = _timed(lambda: [reader.batch(range(at, at + size)) for at in starts])[1] / len(starts) / size
        pixels = [batch.pixels[view.id] for batch in batches]
        forward_images(model, view, pixels[0], settings)
        alone = _timed(lambda: [forward_images(model, view, each, settings) for each in pixels])
    forward = alone[1] / len(starts) / size
    _engine(net, repeated(folder, 4 * size), VIEWS[:1])  # memory is asked for once, libraries are warm
    before = _machine_seconds()
    wall, core = _engine(net, dataset, VIEWS[:1])
    others = max(0.0, (_machine_seconds() - before - core) / wall)
    floor = (forward + decode) * n
    print(f"forward alone, preloaded tensors: {1e3 * forward:.1f} ms of a core an image")
    print(f"decode + view:                    {1e3 * decode:.1f} ms of a core an image")
    print(f"engine, all of it:                {1e3 * core / n:.1f} ms of a core, {1e3 * wall / n:.1f} ms wall an image")
    print(f"core time / (forward + decode) = {core / floor:.2f}")
    print(f"wall / ((forward + decode) / cores) = {wall * cores() / floor:.2f} (target {WALL_TARGET})")
    print(f"  meanwhile other processes took {others:.1f} of {cores()} cores; "
          f"against the cores that they left: {wall * max(0.1, cores() - others) / floor:.2f}")  # fmt: skip
    plain = _elsewhere("plain", folder, n)["wall"]
    print(f"plain loop, batch 32, default allocator: {n / plain:.1f} images/s; engine: {n / wall:.1f} images/s; "
          f"{plain / wall:.1f} times as many (target {SPEED_TARGET:.0f})")  # fmt: skip


def _machine_seconds() -> float:
    """Core seconds that all processes of this machine have used; 0 where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.is_file():
        return 0.0
    user, nice, system, _idle, _wait, *more = map(int, stat.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")


def _views_together(folder: Path, n: int) -> None:
    net, dataset = network(), repeated(folder, n)
    together = _engine(net, dataset, VIEWS)
    apart = [_engine(net, dataset, [view]) for view in VIEWS]
    wall, core = (sum(each[i] for each in apart) for i in (0, 1))
    print(f"{len(VIEWS)} views of {n} images in one pass: {together[0]:.1f} s ({together[1]:.1f} core s); "
          f"in {len(VIEWS)} passes: {wall:.1f} s ({core:.1f} core s), {core / together[1]:.2f} times the core time",
    )  # fmt: skip


def _sizes(folder: Path, sizes: Sequence[int]) -> None:
    for n in sizes:
        found = _elsewhere("engine", folder, n)
        print(f"{n:5,} images: {n / found['wall']:6.1f} images/s, {1e3 * found['core'] / n:.1f} ms of a core an image, "
              f"peak memory {found['peak_mb']:.0f} MB")  # fmt: skip


def _elsewhere(what: str, folder: Path, n: int) -> dict:
    """Measure in a process of its own, with an allocator that nobody has touched."""
    command = [sys.executable, "-m", "helpers.predict.bench", what, str(folder), str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError("bench", f"a measurement, found: {done.stderr.strip()[-300:]}", "run it alone to see more")
    return json.loads(done.stdout.splitlines()[-1])


def plain_loop(net: Network, dataset: Dataset, batch_size: int = 32) -> list[int]:
    """The loop that everybody writes: decode a batch, run it, next."""
    import torch

    model = models.load(net.name, weights=net.weights, random_init=net.seed is not None, progress=False)
    view = view_of(net.name, VIEWS[0])
    predictions: list[int] = []
    with torch.inference_mode():
        for start in range(0, len(dataset), batch_size):
            rows = range(start, min(start + batch_size, len(dataset)))
            pixels = torch.stack([torch.from_numpy(view.apply(dataset[i].image)) for i in rows])
            logits = model.network(views.normalise(pixels, view.preprocessing))
            predictions += logits.softmax(-1).argmax(-1).tolist()
    return predictions


def _measure(what: str, folder: Path, n: int) -> dict:
    net, dataset = network(), repeated(folder, n)
    if what == "plain":
        plain_loop(net, repeated(folder, 32))
        wall, core = _timed(lambda: plain_loop(net, dataset))
    else:
        wall, core = _engine(net, dataset, VIEWS[:1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {"wall": wall, "core": core, "peak_mb": peak}


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
