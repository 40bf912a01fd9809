"""Sets of the drawn world as tables and as hashes."""

from __future__ import annotations

import hashlib

import pandas as pd

from helpers.demo.world.sets import DemoSet, factors


def factor_table(items: DemoSet) -> pd.DataFrame:
    """One row per image with `image_id`, `label` and every factor; nothing is rendered.

    >>> from helpers.demo.world import demo_set
    >>> factor_table(demo_set("val", n=3)).image_id.tolist()[-1]
    'val_00002.png'
    """
    scenes = [items.scene(i) for i in range(len(items))]
    rows = [{"image_id": items.image_id(i), "label": s.fine, **factors(s)} for i, s in enumerate(scenes)]
    return pd.DataFrame(rows)


def set_hash(items: DemoSet, every: int = 1) -> str:
    """SHA-256 over ids, labels and rendered pixels of every `every`-th image, for the key of stored predictions.

    >>> from helpers.demo.world import demo_set
    >>> len(set_hash(demo_set("val", n=2)))
    64
    """
    digest = hashlib.sha256(f"{items.name} {items.n} {items.seed} {every}".encode())
    for index in range(0, len(items), every):
        item = items[index]
        digest.update(f"{item.image_id} {item.label}".encode())
        digest.update(item.image.tobytes())
    return digest.hexdigest()
