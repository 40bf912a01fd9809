"""The record of the twins, `helpers/data/demo_twins.json`: one entry a model and seed, which pages read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from helpers import paths
from helpers.models.twins import RECORD


def read_record(path: Path | None = None) -> dict[str, dict]:
    """Entries by `<model>/seed<n>`; empty where nothing was recorded yet.

    >>> isinstance(read_record(), dict)
    True
    """
    path = paths.reference(RECORD) if path is None else Path(path)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def add_entry(entry: dict, path: Path | None = None) -> None:
    """Put one entry into the record in place of an older one of the same model and seed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "record.json"
    ...     add_entry({"model": "twin_vit_sup", "seed": 1, "shape_bias": 0.5}, file)
    ...     list(read_record(file))
    ['twin_vit_sup/seed1']
    """
    path = paths.reference(RECORD) if path is None else Path(path)
    entries = read_record(path)
    entries[f"{entry['model']}/seed{entry['seed']}"] = entry
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(dict(sorted(entries.items())), indent=1) + "\n", encoding="utf-8")
    part.replace(path)
