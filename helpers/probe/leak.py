"""What happens to a probe's number when it is trained on the images that it is tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from helpers.probe.clip_benchmark import clip_benchmark
from helpers.probe.result import ProbeResult, mean_per_class
from helpers.probe.splits import Task, joined


@dataclass(frozen=True)
class Leak:
    """The same probe with and without the leak.

    `proper`: trained on the training split, tested on the test split. `leaked`: trained on all images of all splits,
    tested on the same test images. `everything`: the leaked probe's accuracy (fraction) on all images that it was
    trained on, which is the number that such a run would print.
    """

    proper: ProbeResult
    leaked: ProbeResult
    everything: float

    @property
    def gain(self) -> float:
        """Leaked minus proper on the same test images, in points."""
        return 100 * (self.leaked.accuracy - self.proper.accuracy)


def leak(task: Task, probe: Callable[[Task], ProbeResult] = clip_benchmark) -> Leak:
    """Run a probe properly, and again trained and tested on all images of a task, as happens where splits are ignored.

    torchvision's SUN397 has no splits, and CLIP_benchmark's reader through it asks for none: training and test images
    are then the same 108,754. That the paper's SUN397 numbers came about so is a probable cause, not a known one.
    A part of the gain is due to the larger number of training images.
    """
    whole = joined(task.train, task.val, task.test)
    found = probe(Task(task.name, whole, whole, whole))
    mine = found.predictions.iloc[-len(task.test) :].reset_index(drop=True)
    answers = mine["pred"].to_numpy()
    leaked = replace(
        found, predictions=mine, accuracy=float((answers == task.test.labels).mean()), n_test=len(task.test),
        mean_per_class=mean_per_class(task.test.labels, answers),
        notes=(*found.notes, "trained on the images that it is tested on"),
    )  # fmt: skip
    return Leak(probe(task), leaked, found.accuracy)
