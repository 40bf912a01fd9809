"""`python -m helpers.demo.train.seeds 1 2`: run the whole demo with the twins of other seeds and record its rows."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from helpers import fetch, paths, results
from helpers.demo.train.twins import packaged_weights, world_digest
from helpers.errors import BookError
from helpers.models import MODEL_SETS
from helpers.paper import SECTIONS
from helpers.paper.sets import FACTORIAL
from helpers.results.records import read

PROFILE, LAST = "demo", "10_synthesis"
DETAILS = ("bin_", "probe_", "leak_gain", "projection_gap")  # what no page compares over seeds


def weights_of(seed: int) -> dict[str, Path]:
    """{twin: its weights of a seed other than 0}. Raises BookError where a training is missing."""
    found = {model: packaged_weights(model, seed) for model in MODEL_SETS[PROFILE]}
    missing = [model for model, path in found.items() if not path.is_file()]
    if seed == 0 or missing:
        raise BookError(
            f"seed {seed}", "a seed other than 0 with weights of all four twins; missing: " + ", ".join(missing or "-"),
            f"python -m helpers.demo.train --seed {seed or 1}",
        )  # fmt: skip
    return found


def run_demo(seed: int, home: Path) -> None:
    """Run all sections with the twins of a seed, everything it makes under `home`."""
    pattern = str(next(iter(weights_of(seed).values()))).replace(MODEL_SETS[PROFILE][0], "{model}")
    environment = {**os.environ, "BOOK_HOME": str(home), "BOOK_TWINS": pattern}
    subprocess.run([sys.executable, "-m", "helpers", "run", "--profile", PROFILE], env=environment, check=True)


def rows_under(home: Path) -> pd.DataFrame:
    """Rows of the twins in all sections that were run under `home`, with a column `section`."""
    twins, tables = set(MODEL_SETS[PROFILE]), []
    for section in SECTIONS:
        path = home / "artifacts" / "results" / PROFILE / f"{section}.json"
        if section != LAST and path.is_file():
            rows = read(path).rows
            of_twins = rows.model.map(lambda name: set(name.split(" - ")) <= twins or name in FACTORIAL).astype(bool)
            kept = rows[of_twins & ~rows.metric.str.startswith(DETAILS)]
            tables.append(kept.assign(section=section))
    return pd.concat(tables, ignore_index=True)


def record(seed: int, home: Path) -> Path:
    """Record the rows under `home` as those of a seed."""
    facts = {
        "seed": seed, "world": world_digest(), "weights": {m: fetch.sha256_of(p) for m, p in weights_of(seed).items()},
        "versions": {name: version(name) for name in ("torch", "timm", "open_clip_torch")},
    }  # fmt: skip
    return results.write_seed(seed, rows_under(home), facts)


def main(argv: list[str] | None = None) -> int:
    """Run and record every seed that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m helpers.demo.train.seeds", description=__doc__)
    parser.add_argument("seeds", type=int, nargs="+", help="trained before: python -m helpers.demo.train --seed N")
    for seed in parser.parse_args(argv).seeds:
        home = paths.artifacts() / "demo" / f"seed{seed}"
        try:
            run_demo(seed, home)
            path = record(seed, home)
        except (BookError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
        print(f"seed {seed}: {len(results.other_seeds()[seed]):,} rows in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
