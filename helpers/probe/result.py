"""What every probe hands back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.predict.features import Features


@dataclass(frozen=True)
class ProbeResult:
    """One probe of one model on one task; shares are fractions of the test images.

    `predictions`: image_id, label, pred, group of each test image. `majority`: share of the class that is most
    frequent in training. `strength`: the chosen inverse strength C of L2 regularisation (L-BFGS) or weight decay
    (CLIP_benchmark). `at_edge`: it lies at an end of the grid. `converged`: None where nothing is iterated to
    convergence. `loss`: mean cross-entropy on the images that the last fit saw; `objective`: with the penalty, what was
    minimised. `held_out`: the strength was chosen on images held out of training, else on the task's own validation
    split; None where none is chosen. `notes`: what a reader must be told.
    """

    task: str
    probe: str
    predictions: pd.DataFrame
    accuracy: float
    mean_per_class: float
    majority: float
    n_train: int
    n_test: int
    n_classes: int
    strength: float | None = None
    at_edge: bool = False
    iterations: int | None = None
    converged: bool | None = None
    loss: float | None = None
    val_accuracy: float | None = None
    objective: float | None = None
    held_out: bool | None = None
    notes: tuple[str, ...] = ()


def majority_share(train_labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Share of the test images that always answering training's most frequent class gets right (ties: the lowest).

    >>> majority_share(np.array([0, 1, 1]), np.array([1, 0, 0, 0]))
    0.25
    """
    values, counts = np.unique(train_labels, return_counts=True)
    return float((test_labels == values[counts.argmax()]).mean())


def mean_per_class(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Mean over the classes of `labels` of the share that is right (balanced accuracy).

    >>> mean_per_class(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])) == (2 / 3 + 1) / 2
    True
    """
    right = pd.Series(labels == predictions).groupby(labels).mean()
    return float(right.mean())


def predictions_of(test: Features, predictions: np.ndarray) -> pd.DataFrame:
    """The frame of test images with the class that a probe answered."""
    frame = test.frame[[name for name in ("image_id", "group") if name in test.frame]].reset_index(drop=True)
    # The labels of the features, which may be those of the frame under another rule.
    return frame.assign(label=test.labels[:, None].tolist(), pred=np.asarray(predictions, dtype=np.int64))


def unseen_note(classes: np.ndarray, test: Features) -> tuple[str, ...]:
    """A note where test images have a class that no training image has."""
    count = int((~np.isin(test.labels, classes)).sum())
    return (f"{count:,} test images are of classes without a training image, and count as wrong",) if count else ()
