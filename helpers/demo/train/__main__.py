"""`python -m helpers.demo.train`: train the demo's twins; an interrupted training goes on where it stopped."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from helpers.demo.train.recipes import RECIPES, recipe
from helpers.errors import BookError


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m helpers.demo.train", description=__doc__)
    parser.add_argument("--model", action="append", choices=list(RECIPES), help="which twin (default: all four)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order; the worlds' seeds are fixed")
    parser.add_argument("--epochs", type=float, help="passes over the training images (default: the recipe's)")
    parser.add_argument("--folder", type=Path, help="for rendered images and checkpoints (default: artifacts/demo)")
    parser.add_argument("--no-record", action="store_true", help="leave helpers/data/demo_twins.json alone")
    parser.add_argument("--measure", action="store_true", help="train nothing: measure the weights of the record again")
    return parser.parse_args(argv)


def _found(asked: argparse.Namespace, name: str) -> dict:
    from helpers.demo.train.twins import make_twin, measure_again

    if asked.measure:
        return measure_again(name, asked.seed, asked.folder)
    chosen = recipe(name) if asked.epochs is None else replace(recipe(name), epochs=asked.epochs)
    return make_twin(chosen, asked.seed, asked.folder)


def main(argv: list[str] | None = None) -> int:
    """Train what the arguments ask for; returns the exit code."""
    from helpers.demo.train.record import add_entry
    from helpers.predict.settings import keep_freed_memory

    asked = _arguments(argv)
    keep_freed_memory()
    for name in asked.model or list(RECIPES):
        try:
            found = _found(asked, name)
        except BookError as error:
            print(error, file=sys.stderr)
            return 1
        if not asked.no_record:
            add_entry(found)
        val = found["val"]
        print(f"{name} seed {asked.seed}: {val['accuracy']:.1f} % of {val['n']} images, "
              f"shape bias {val['shape_bias']:.2f}, {found['training_seconds']} s of training")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
