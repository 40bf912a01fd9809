"""L2-regularised multinomial logistic regression whose strength is chosen on validation images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from helpers.errors import BookError
from helpers.predict.features import Features
from helpers.probe.result import ProbeResult, majority_share, mean_per_class, predictions_of, unseen_note
from helpers.probe.solvers import Fit, Limits, fit_sklearn, fit_torch
from helpers.probe.splits import Task, joined

STRENGTHS = tuple(10.0**power for power in range(-5, 2))
LARGE = 2e9  # images x width x classes from which a GPU is used where there is one
SOLVERS: dict[str, Callable[..., Fit]] = {"sklearn": fit_sklearn, "torch": fit_torch}


def lbfgs(
    task: Task, strengths: Sequence[float] = STRENGTHS, limits: Limits | None = None, solver: str = "auto",
    device: str = "cuda",
) -> ProbeResult:  # fmt: skip
    """The probe: a path of fits from the strongest regularisation on, the best on validation, a refit on both splits.

    The validation images are those of the task's own split, or were held out of training (`task.held_out`).

    Minimised is strength x sum of cross-entropies + half the squared weights (the bias is free), as scikit-learn's C.
    Features are centred and divided by one number, their root mean square on the training split, so that a strength
    and a tolerance mean the same for all models; centring changes no solution. Each fit starts from the one before;
    of equal validation accuracies the stronger regularisation wins. `solver`: "sklearn", "torch" (on `device`), or
    "auto", which takes torch where the problem is large and a GPU is there. Fits that stopped before convergence are
    told in `converged` and `notes`. Raises BookError for strengths that are not positive or an unknown solver.

    >>> import pandas as pd
    >>> from helpers.probe.splits import task_of
    >>> def some(n, seed):
    ...     labels = np.arange(n) % 3
    ...     matrix = np.random.default_rng(seed).normal(size=(n, 8)) + 4 * np.eye(8)[labels]
    ...     ids = pd.DataFrame({"image_id": [f"{seed}-{i}" for i in range(n)], "label": [[k] for k in labels]})
    ...     return Features(matrix.astype("f4"), labels, ids)
    >>> found = lbfgs(task_of("toy", some(300, 1), some(90, 2)))
    >>> found.accuracy > 0.95, found.converged, found.n_train
    (True, True, 300)
    """
    limits, path = limits or Limits(), sorted(strengths)
    if not path or path[0] <= 0 or solver not in (*SOLVERS, "auto"):
        found = f"positive strengths and solver auto, {' or '.join(SOLVERS)}, found {path} and {solver!r}"
        raise BookError("probe lbfgs", found, "correct the call")
    solve = SOLVERS[_chosen(task) if solver == "auto" else solver]
    centre, size = _scale(task.train)
    splits = (task.train, task.val, task.test)
    train, val, test = (replace(each, matrix=(each.matrix - centre) / size) for each in splits)
    fits, scores = _path(train, val, path, replace(limits, tolerance=limits.choosing), solve, device)
    best = int(np.argmax(scores))
    both = joined(train, val)
    fitted_on = (both.matrix, both.labels)
    final = solve(*fitted_on, path[best], limits, fits[best], device)
    answers = final.answer(test.matrix)
    stopped = [value for value, fit in zip(path, fits, strict=True) if not fit.converged]
    return ProbeResult(
        task.name, "lbfgs", predictions_of(task.test, answers), float((answers == test.labels).mean()),
        mean_per_class(test.labels, answers), majority_share(both.labels, test.labels), len(both), len(test),
        len(final.classes), path[best], best in (0, len(path) - 1), final.iterations,
        final.converged and not stopped, final.loss(*fitted_on), float(scores[best]),
        final.objective(*fitted_on, path[best]), task.held_out,
        (*task.notes, *_stops(final, stopped, limits), *unseen_note(final.classes, task.test)),
    )  # fmt: skip


def _path(
    train: Features, val: Features, path: Sequence[float], limits: Limits, solve: Callable[..., Fit], device: str
) -> tuple[list[Fit], list[float]]:  # fmt: skip
    """A fit for each strength, each started from the one before, and its accuracy on the validation split."""
    fits: list[Fit] = []
    for strength in path:
        fits.append(solve(train.matrix, train.labels, strength, limits, fits[-1] if fits else None, device))
    return fits, [float((fit.answer(val.matrix) == val.labels).mean()) for fit in fits]


def _stops(final: Fit, stopped: list[float], limits: Limits) -> tuple[str, ...]:
    notes = []
    if not final.converged:
        notes.append(f"the last fit stopped after {final.iterations:,} iterations before it converged")
    if stopped:
        shown = ", ".join(f"{value:g}" for value in stopped)
        notes.append(f"not converged within {limits.iterations:,} iterations at strength {shown}")
    return tuple(notes)


def _chosen(task: Task) -> str:
    size = (len(task.train) + len(task.val)) * task.train.matrix.shape[1] * len(task.classes)
    if size < LARGE:
        return "sklearn"
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return "sklearn"
    import torch

    return "torch" if torch.cuda.is_available() else "sklearn"


def _scale(train: Features) -> tuple[np.ndarray, np.float32]:
    """Centre and size of the training features, to be applied to every split."""
    centre = train.matrix.mean(axis=0, dtype=np.float64).astype(np.float32)
    size = np.sqrt(np.mean(np.square(train.matrix - centre), dtype=np.float64))
    return centre, np.float32(size or 1.0)
