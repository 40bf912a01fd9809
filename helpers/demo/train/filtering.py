"""Choose the scenes of the adversarial sets: `python -m helpers.demo.train.filtering` (about ten minutes on one core).

As ImageNet-A holds what a ResNet-50 got wrong, `a_convnet` holds what a small ConvNet gets wrong and `a_vit` what a
small ViT does: of a pool of fresh scenes the 500 answered wrongly with the highest confidence. Scenes in which a
second look finds nothing to judge, or other things only, are left out. Neither network is one of the twins.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np

from helpers import paths
from helpers.demo.train.filters import EPOCHS, SEEDS, answers, reduced, trained_filter
from helpers.demo.train.rendered import Rendered, rendered
from helpers.demo.world import Scene, demo_set, second_look

KEPT = 500  # scenes of each set


def recognisable(scene: Scene) -> bool:
    """Whether a second look gives a scene its label: enough of the thing shows, and it is neither dark nor washed out.

    >>> recognisable(Scene(fine=13, material="feathers"))
    True
    >>> recognisable(Scene(fine=13, material="feathers", brightness=0.05))
    False
    """
    return scene.fine in second_look(scene)


def hardest(pool: Rendered, answer: np.ndarray, confidence: np.ndarray, kept: int = KEPT) -> tuple[list[int], int]:
    """(pool indices in ascending order, number of scenes dropped as unrecognisable on the way).

    Wrong answers by falling confidence, ties by index; those that are not `recognisable` are skipped.
    """
    wrong = np.flatnonzero(answer != pool.labels)
    by_confidence = wrong[np.argsort(-confidence[wrong], kind="stable")]
    found, dropped = [], 0
    for index in by_confidence:
        if len(found) == kept:
            break
        if recognisable(pool.items.scene(int(index))):
            found.append(int(index))
        else:
            dropped += 1
    return sorted(found), dropped


def filtered(name: str, train: tuple[np.ndarray, np.ndarray], val: tuple[np.ndarray, np.ndarray], pool: Rendered):
    """(rows of the table, facts for the record) of one filter; pictures are reduced ones with their classes."""
    start = time.process_time()  # of all cores together: others may work on the machine
    network = trained_filter(name, *train)
    seconds = time.process_time() - start
    answer, confidence = answers(network, reduced(pool.pixels))
    indices, dropped = hardest(pool, answer, confidence)
    rows = [(name, index, int(answer[index]), f"{confidence[index]:.3f}") for index in indices]
    facts = {
        "seed": SEEDS[name], "epochs": EPOCHS[name], "parameters": sum(p.numel() for p in network.parameters()),
        "training_core_seconds": round(seconds), "training_images": len(train[1]),
        "val_accuracy": _percent(answers(network, val[0])[0] == val[1]), "pool": len(pool),
        "pool_accuracy": _percent(answer == pool.labels), "dropped": dropped, "kept": len(indices),
        "least_confidence": round(float(confidence[indices].min()), 3),
    }  # fmt: skip
    return rows, facts


def _percent(right: np.ndarray) -> float:
    return round(100 * float(np.mean(right)), 2)


COLUMNS = ("filtered_by", "pool_index", "answer", "confidence")


def store(found: dict[str, tuple[list[tuple], dict]]) -> None:
    """Write rows and facts of filters into `demo_adversarial.csv` and `demo_filters.json`; those of others stay."""
    table, record = paths.reference("demo_adversarial.csv"), paths.reference("demo_filters.json")
    rows: list[tuple] = []
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            rows = [row for row in list(csv.reader(file))[1:] if row[0] not in found]
    facts = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    rows += [row for more, _ in found.values() for row in more]
    facts |= {name: about for name, (_, about) in found.items()}
    rows.sort(key=lambda row: tuple(SEEDS).index(row[0]))  # whichever was chosen first, the files are the same
    facts = {name: facts[name] for name in SEEDS if name in facts}
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    record.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Train the filters that are asked for, choose their scenes and store the choice."""
    parser = argparse.ArgumentParser(prog="python -m helpers.demo.train.filtering", description=__doc__)
    parser.add_argument("--filter", action="append", choices=list(SEEDS), help="which filter (default: both)")
    parser.add_argument("--folder", type=Path, help="for rendered images (default: artifacts/demo)")
    asked = parser.parse_args(argv)
    drawn = {name: rendered(demo_set(name), asked.folder) for name in ("train", "val", "pool")}
    train, val = ((reduced(drawn[name].pixels), drawn[name].labels) for name in ("train", "val"))
    for name in asked.filter or SEEDS:
        found = filtered(name, train, val, drawn["pool"])
        store({name: found})
        print(name, found[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
