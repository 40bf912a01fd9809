"""Transfer tasks of the demo as datasets: pictures in memory, drawn or cut from packages when asked for."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version

import pandas as pd

from helpers import paths
from helpers.datasets.core import Pixels
from helpers.datasets.drawn import world_fingerprint
from helpers.datasets.spec import DatasetSpec, Listing, Request
from helpers.demo import tasks

PREFIX = "demo_task_"
OWN = "CC BY-SA 4.0 (OpenMoji)"
LICENCES = {"drawn here from OpenMoji": OWN, "scikit-learn": "BSD-3 (UCI digits: CC BY 4.0)"}


def read_demo_task(request: Request) -> Listing:
    """The pictures of a split; `group` is what is resampled together where that is not the image."""
    name = request.spec.label_space.removeprefix(PREFIX)
    found, kind = tasks.pictures(tasks.task(name).pictures, request.split), tasks.PICTURES[tasks.task(name).pictures]
    columns = {
        "image_id": found.image_ids,
        "label": [[label] for label in found.labels[name]],
        "group": [None] * len(found.image_ids) if kind.unit == "image" else found.units,
    }
    named = tasks.task(name)
    return Listing(columns, Pixels(found.pixels), "made in memory", class_names=named.words, templates=named.templates)


def demo_task_specs() -> dict[str, DatasetSpec]:
    """An entry of the table of datasets for each task.

    >>> demo_task_specs()["demo_task_count"].classes
    5
    """
    found = {}
    for name, task in tasks.TASKS.items():
        kind = tasks.PICTURES[task.pictures]
        found[f"{PREFIX}{name}"] = DatasetSpec(
            task.title, (), read_demo_task, f"{PREFIX}{name}", {split: (n,) for split, n in kind.n.items()},
            LICENCES.get(kind.source, "as stated by scikit-image"), classes=len(task.classes), unit=kind.unit,
            note=f"{task.question}; {kind.source}", made_from=tasks_fingerprint,
        )  # fmt: skip
    return found


@cache
def tasks_fingerprint() -> str:
    """SHA-256 over everything that the pictures of tasks depend on: the drawn world, the tasks, scikit-learn.

    >>> len(tasks_fingerprint())
    64
    """
    hashed = hashlib.sha256(f"{world_fingerprint()} scikit-learn {version('scikit-learn')}".encode())
    for path in sorted((paths.PACKAGE / "demo" / "tasks").glob("*.py")):
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()


def pictures_of_task(dataset_id: str) -> str:
    """The task through which the pictures of a task are run: tasks about the same pictures share one run.

    Another dataset stays as it is.

    >>> pictures_of_task("demo_task_position/train"), pictures_of_task("demo_task_count")
    ('demo_task_background/train', 'demo_task_count')
    """
    entry, slash, split = dataset_id.partition("/")
    if not entry.startswith(PREFIX):
        return dataset_id
    return f"{PREFIX}{tasks.shared(entry.removeprefix(PREFIX))[0]}{slash}{split}"


def with_own_labels(dataset_id: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of pictures that tasks share (column image_id) with the labels of this task; other rows stay as they are.

    >>> with_own_labels("demo_task_count", pd.DataFrame({"image_id": ["x"], "label": [[3]]})).label.tolist()
    [[3]]
    """
    if pictures_of_task(dataset_id) == dataset_id:
        return frame
    classes = tasks.classes_of_images(dataset_id.partition("/")[0].removeprefix(PREFIX))
    return frame.assign(label=[[classes[image]] for image in frame["image_id"]])
