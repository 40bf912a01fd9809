"""Time of the statistics of sections 2, 3 and 4: `python tests/benchmarks/bench_statistics.py`.

Four files of 50,000 predictions (the released ones under BOOK_MIRROR, else made up), 16 factors, 2,000 resamples:
the target is under 5 seconds of CPU, reading included.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from released_frames import FILES, OBSERVERS, PREDICTIONS, TESTBED, decisions

from helpers import metrics, stats
from helpers.labels import real_labels, validation_labels

TARGET_S, RESAMPLES = 5.0, 2000


def made_up_files(folder: Path) -> Path:
    """Four files of 50,000 rows whose models are right on 76 % of the images."""
    labels, rng = validation_labels(), np.random.default_rng(0)
    for name in FILES.values():
        right = rng.random(len(labels)) < 0.76
        columns = {
            "file_name": labels.index, "predicted_class": np.where(right, labels, (labels + 1) % 1000),
            "predicted_probability": np.where(right, rng.beta(3, 1, len(labels)), rng.beta(1.5, 1.5, len(labels))),
        }  # fmt: skip
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", index=False)
    return folder


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The four files as predictions frames."""
    labels, frames = validation_labels(), {}
    for key, name in FILES.items():
        table = pd.read_csv(folder / f"{name}.csv")
        right = [[label] for label in labels.reindex(table.file_name).tolist()]
        columns = {"image_id": table.file_name, "label": right, "pred": table.predicted_class}
        frames[key] = pd.DataFrame({**columns, "confidence": table.predicted_probability})
    return frames


def timed(name: str, work: Callable):
    """Run it, print one line, return (seconds of CPU, what it gave): other processes do not count."""
    start, wall = time.process_time(), time.perf_counter()
    found = work()
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    print(f"  {name:<40} {seconds:6.2f} s of CPU  {wall:6.2f} s wall   {len(found):>6} rows or files")
    return seconds, found


def main() -> None:
    """Print the seconds of each part and whether the target is met."""
    mirror = Path(os.environ["BOOK_MIRROR"]) if os.environ.get("BOOK_MIRROR") else None
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        where = mirror / PREDICTIONS if mirror else made_up_files(Path(folder))
        print(f"four files of 50,000 rows ({'released' if mirror else 'made up'}), {RESAMPLES} resamples")
        total, frames = timed("read the files", lambda: read(where))
    pairs = stats.all_pairs(frames)
    testbed = metrics.read_testbed(mirror / TESTBED) if mirror else None
    parts = {
        "factors of 46,110 images": metrics.imagenet_x_factors,
        "mistakes_rows, 16 factors, 6 pairs": lambda: stats.mistakes_rows(
            frames, rng, RESAMPLES, pairs=pairs, testbed=testbed
        ),
        "accuracy_rows": lambda: stats.accuracy_rows(frames, rng, RESAMPLES, pairs=pairs),
        "accuracy_rows under ReaL labels": lambda: stats.accuracy_rows(relabelled(frames), rng, RESAMPLES, pairs=pairs),
        "calibration_rows, 15 bins": lambda: stats.calibration_rows(frames, rng, RESAMPLES, pairs=pairs),
    }
    seconds = {name: timed(name, work)[0] for name, work in parts.items()}
    total += sum(seconds.values()) - seconds["factors of 46,110 images"]  # mistakes_rows reads them itself
    verdict = "met" if total < TARGET_S else "MISSED"
    print(f"  {'together':<40} {total:6.2f} s of CPU  target {TARGET_S:.0f} s: {verdict}")
    if mirror:
        print(f"cue-conflict, {len(OBSERVERS)} observers x 1,280 images, {RESAMPLES} resamples")
        _, decided = timed("read the files", lambda: decisions(mirror))
        for builder in (stats.shape_rows, stats.category_accuracy_rows, stats.agreement_rows):
            timed(builder.__name__, lambda builder=builder: builder(decided, rng, RESAMPLES))


def relabelled(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The frames under ReaL labels."""
    labels = real_labels()
    return {key: metrics.with_labels(frame, labels) for key, frame in frames.items()}


if __name__ == "__main__":
    main()
