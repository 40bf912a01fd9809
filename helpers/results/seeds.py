"""Recorded result rows of the twins' other trainings: the whole demo, run with the weights of another seed."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from helpers import paths
from helpers.errors import BookError
from helpers.rows import COLUMNS

FOLDER = "demo_seeds"  # below helpers/data: one Parquet file a seed
FACTS = b"book"  # where a file's facts lie in its metadata


def _path(seed: int, folder: Path | None) -> Path:
    return (paths.reference(FOLDER) if folder is None else Path(folder)) / f"seed{seed}.parquet"


def write_seed(seed: int, rows: pd.DataFrame, facts: dict, folder: Path | None = None) -> Path:
    """Record the rows of all sections with the twins of a seed, and the facts they hang on (weights, world, versions).

    `rows`: result rows with a column `section` besides.

    >>> import tempfile
    >>> row = dict.fromkeys(COLUMNS) | {"section": "05_robustness", "model": "twin_vit_sup", "value": 70.0}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_seed(1, pd.DataFrame([row]), {"weights": {}}, Path(folder))
    ...     other_seeds("05_robustness", Path(folder))[1].value.tolist(), seed_facts(1, Path(folder))
    ([70.0], {'weights': {}})
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = _path(seed, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {name: pd.to_numeric(rows[name]) for name in ("value", "ci_low", "ci_high", "n")}
    table = pa.Table.from_pandas(rows[["section", *COLUMNS]].assign(**numbers), preserve_index=False)
    part = path.with_name(f"{path.name}.part")
    pq.write_table(table.replace_schema_metadata({FACTS: json.dumps(facts, sort_keys=True)}), part, compression="zstd")
    part.replace(path)
    return path


def other_seeds(section: str | None = None, folder: Path | None = None) -> dict[int, pd.DataFrame]:
    """{seed: result rows of a section (default: of all)}; empty where no other seed is recorded.

    >>> 0 in other_seeds("05_robustness")
    False
    """
    files = sorted(_path(0, folder).parent.glob("seed*.parquet"))
    found = {int(path.stem.removeprefix("seed")): pd.read_parquet(path) for path in files}
    kept = {seed: rows if section is None else rows[rows.section == section] for seed, rows in found.items()}
    return {seed: rows[list(COLUMNS)].reset_index(drop=True) for seed, rows in kept.items() if len(rows)}


def seed_facts(seed: int, folder: Path | None = None) -> dict:
    """What the recorded rows of a seed hang on. Raises BookError where the seed is not recorded."""
    import pyarrow.parquet as pq

    path = _path(seed, folder)
    if not path.is_file():
        raise BookError(f"rows of seed {seed}", f"{path}, found none", f"python -m helpers.demo.train.seeds {seed}")
    return json.loads(pq.read_schema(path).metadata[FACTS])
