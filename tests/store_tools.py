"""Rows to store: what the tests of the store share."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from helpers import store

KEY = store.PredictionKey(
    "vit_sup",
    "imagenet_a",
    "paper.eval",
    {"weights": "ab" * 32, "artifacts": {"imagenet_a": "cd"}, "precision": "fp32"},
)
WHERE = (KEY.model, KEY.dataset, KEY.view)


def frame_of(n: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, n)
    return pd.DataFrame(
        {
            "image_id": [f"img_{i:06d}.png" for i in range(n)],
            "label": [[i % 1000] if i % 3 else [i % 1000, 7] for i in range(n)],
            "pred": rng.integers(0, 1000, n),
            "confidence": confidence,
            "p_true": np.where(rng.random(n) < 0.5, confidence / 2, np.nan),
        }
    )


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


# ---------------------------------------------------------------- a long run

RUN_PLACE = ("convnext_clip", "imagenet_r", "paper.eval")
RUN_KEY = store.PredictionKey(*RUN_PLACE, {"weights": "ab", "prompts": "cd"})
RUN_EMBEDDING_KEY = store.PredictionKey(*RUN_PLACE, {"weights": "ab", "dtype": "float32"})
OTHER_RUN_KEY = store.PredictionKey(*RUN_PLACE, {"weights": "ab", "prompts": "changed"})
N, WIDTH = 60, 8


def rows_of(numbers) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """What a model makes of images: a function of the image alone, so that any run gives the same rows."""
    numbers = np.asarray(list(numbers))
    confidence = 1 / (1 + numbers % 7)
    frame = pd.DataFrame(
        {
            "image_id": [f"{i * 7919 % 100_003:06d}.png" for i in numbers],  # not in the order of computation
            "label": [[int(i) % 1000] * (1 + int(i) % 2) for i in numbers],
            "pred": numbers * 31 % 1000,
            "confidence": confidence,
            "p_true": np.where(numbers % 5 == 0, np.nan, confidence / 3),
            "group": [f"fog:{i % 5}" for i in numbers],
        }
    )
    return frame, {"embedding": np.sin(numbers[:, None] + np.arange(WIDTH)).astype("f4")}


def writer_of(root, **options) -> store.ShardWriter:
    return store.ShardWriter(
        RUN_KEY, **{"embedding_key": RUN_EMBEDDING_KEY, "n": N, "shard_rows": 10, "root": root, **options}
    )


def compute(writer: store.ShardWriter, numbers=range(N), batch: int = 4) -> int:
    """Append what is not finished, in batches; how many images were computed."""
    done = writer.finished_ids()
    left = [i for i in numbers if rows_of([i])[0]["image_id"][0] not in done]
    for start in range(0, len(left), batch):
        writer.append(*rows_of(left[start : start + batch]))
    return len(left)


def stored_bytes(root) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def compute_slowly(root) -> None:
    writer = writer_of(root)
    for i in range(N):
        writer.append(*rows_of([i]))
        print(i, flush=True)
        time.sleep(0.01)
