"""The linear probe of CLIP_benchmark, which the paper's README names as its protocol, in numpy.

Known from CLIP_benchmark 1.5.0: L2-normalised features, one linear layer, AdamW at learning rate 0.1, 10 epochs,
batches of 64, a cosine schedule whose warm-up has length 0, no weight decay where no validation split is given, and
else a search of it. Guessed, for the paper does not say: that it kept these defaults, that it gave no validation
split, and that features of supervised models were normalised as well. Other than there: fp32 throughout (there,
automatic mixed precision), the layer has rows only for classes that occur, and random numbers are numpy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.errors import BookError
from helpers.predict.features import Features
from helpers.probe.result import ProbeResult, majority_share, mean_per_class, predictions_of, unseen_note
from helpers.probe.splits import Task, joined

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
DECAYS = np.logspace(-6, 2, num=97)
FIRST_STEP, STEPS = 16, (8, 4, 2, 1)


@dataclass(frozen=True)
class Recipe:
    """How one layer is trained; the defaults are those of CLIP_benchmark."""

    learning_rate: float = 0.1
    epochs: int = 10
    batch_size: int = 64
    weight_decay: float = 0.0
    seed: int = 0


def clip_benchmark(task: Task, recipe: Recipe | None = None, normalise: bool = True) -> ProbeResult:
    """One training on the training split and its accuracy on the test split (CLIP_benchmark without validation).

    Where the task has no validation split, the images held out for one are trained on too. `normalise`: L2-normalise
    features first. Raises BookError if the training diverges.

    >>> rng = np.random.default_rng(0)
    >>> import pandas as pd
    >>> from helpers.probe.splits import task_of
    >>> def some(n, seed):
    ...     labels = np.arange(n) % 2
    ...     matrix = np.random.default_rng(seed).normal(size=(n, 8)) + 3 * np.eye(8)[labels]
    ...     ids = pd.DataFrame({"image_id": [f"{seed}-{i}" for i in range(n)], "label": [[k] for k in labels]})
    ...     return Features(matrix.astype("f4"), labels, ids)
    >>> clip_benchmark(task_of("toy", some(400, 1), some(100, 2))).accuracy > 0.9
    True
    """
    train = joined(task.train, task.val) if task.held_out else task.train
    return _finished(task, train, recipe or Recipe(), normalise, "clip_benchmark")


def clip_benchmark_sweep(task: Task, recipe: Recipe | None = None, normalise: bool = True) -> ProbeResult:
    """Weight decay chosen on the validation split as CLIP_benchmark does, then one training on both splits.

    Of 97 decays from 1e-6 to 1e2 every 16th is tried, then both neighbours at a distance of 8, 4, 2 and 1 of the best
    so far: 7 + 12 trainings and a last one (the best is not trained again here; its accuracy is known). From a decay
    of 20 on AdamW diverges at this learning rate; such a training counts as 0 right.
    """
    recipe = recipe or Recipe()
    best, accuracy = search(lambda decay: _val_accuracy(task, recipe, decay, normalise))
    chosen = Recipe(recipe.learning_rate, recipe.epochs, recipe.batch_size, float(DECAYS[best]), recipe.seed)
    both = joined(task.train, task.val)
    return _finished(
        task, both, chosen, normalise, "clip_benchmark_sweep", best in (0, len(DECAYS) - 1), accuracy
    )  # fmt: skip


def search(accuracy_of: Callable[[float], float]) -> tuple[int, float]:
    """Position of the best of `DECAYS` by CLIP_benchmark's search, and its accuracy; of a tie the first tried wins.

    >>> search(lambda decay: 1 / (1 + abs(np.log10(decay))))[0]
    72
    """
    known: dict[int, float] = {}

    def best_of(places: list[int]) -> int:
        for place in places:
            if place not in known:
                known[place] = accuracy_of(float(DECAYS[place]))
        return max(places, key=lambda place: known[place])

    best = best_of(list(range(0, len(DECAYS), FIRST_STEP)))
    for step in STEPS:
        best = best_of([max(best - step, 0), best, min(best + step, len(DECAYS) - 1)])
    return best, float(known[best])


def schedule(recipe: Recipe, n: int) -> np.ndarray:
    """Learning rate of every step on n images: half a cosine from `learning_rate` towards 0, no warm-up.

    >>> schedule(Recipe(epochs=2, batch_size=4), 8).round(4).tolist()
    [0.1, 0.0854, 0.05, 0.0146]
    """
    steps = recipe.epochs * -(-n // recipe.batch_size)
    return recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))


def train_layer(
    matrix: np.ndarray, codes: np.ndarray, n_classes: int, recipe: Recipe, start: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """One linear layer by AdamW on the cross-entropy: weights float32 [d + 1, classes], and the number of steps.

    The last row of the weights is the bias. matrix: float32 [n, d]; codes: class positions [n]. `start` replaces the
    random start, which is uniform in +-1/sqrt(d) as in torch's linear layer. Source: Loshchilov & Hutter 2019.
    """
    rng = np.random.default_rng(recipe.seed)
    n, width = matrix.shape
    bound = 1 / np.sqrt(width)
    weights = rng.uniform(-bound, bound, (width + 1, n_classes)) if start is None else start
    weights = weights.astype(np.float32)
    with_one = np.concatenate([matrix, np.ones((n, 1), np.float32)], axis=1)
    moments = Moments(np.zeros_like(weights), np.zeros_like(weights), np.empty_like(weights))
    rates, step = schedule(recipe, n), 0
    for _ in range(recipe.epochs):
        order = rng.permutation(n)
        for first in range(0, n, recipe.batch_size):
            rows = order[first : first + recipe.batch_size]
            batch = with_one[rows]
            gradient = batch.T @ (softmax(batch @ weights, codes[rows]) / len(rows))
            adamw(weights, gradient, moments, float(rates[step]), recipe.weight_decay, step + 1)
            step += 1
    return weights, step


def softmax(logits: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Probabilities of the rows, less 1 at the right class: the gradient of the cross-entropy by the logits."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    logits[np.arange(len(codes)), codes] -= 1
    return logits


@dataclass(frozen=True)
class Moments:
    """Running means of the gradient and of its square, and room for one more array; changed in place."""

    first: np.ndarray
    second: np.ndarray
    room: np.ndarray


def adamw(
    weights: np.ndarray, gradient: np.ndarray, moments: Moments, rate: float, decay: float, step: int
) -> None:  # fmt: skip
    """One step of AdamW, in place; `step` counts from 1."""
    if decay:
        weights *= 1 - rate * decay
    first, second, room = moments.first, moments.second, moments.room
    first *= BETA_1
    first += np.multiply(gradient, 1 - BETA_1, out=room)
    np.multiply(gradient, gradient, out=room)
    room *= 1 - BETA_2
    second *= BETA_2
    second += room
    np.sqrt(second, out=room)
    room /= np.sqrt(1 - BETA_2**step)
    room += EPSILON
    np.divide(first, room, out=room)
    room *= rate / (1 - BETA_1**step)
    weights -= room


def _val_accuracy(task: Task, recipe: Recipe, decay: float, normalise: bool) -> float:
    tried = Recipe(recipe.learning_rate, recipe.epochs, recipe.batch_size, decay, recipe.seed)
    classes, weights, _ = _fitted(task.train, tried, normalise)
    if not np.isfinite(weights).all():
        return 0.0
    return float((_answers(task.val, classes, weights, normalise) == task.val.labels).mean())


def _finished(task, train, recipe, normalise, name, at_edge=False, val_accuracy=None) -> ProbeResult:
    classes, weights, steps = _fitted(train, recipe, normalise)
    if not np.isfinite(weights).all():
        raise BookError(f"probe {name} on {task.name}", "finite weights, found NaN or infinity", "look at the features")
    answers = _answers(task.test, classes, weights, normalise)
    return ProbeResult(
        task.name, name, predictions_of(task.test, answers), float((answers == task.test.labels).mean()),
        mean_per_class(task.test.labels, answers), majority_share(train.labels, task.test.labels), len(train),
        len(task.test), len(classes), recipe.weight_decay, at_edge, steps, None,
        _loss(train, classes, weights, normalise), val_accuracy,
        notes=(*task.notes, *unseen_note(classes, task.test)),
    )  # fmt: skip


def _fitted(train: Features, recipe: Recipe, normalise: bool) -> tuple[np.ndarray, np.ndarray, int]:
    classes, codes = np.unique(train.labels, return_inverse=True)
    with np.errstate(over="ignore", invalid="ignore"):  # who calls looks whether the weights are finite
        return classes, *train_layer(_input(train, normalise), codes, len(classes), recipe)


def _input(each: Features, normalise: bool) -> np.ndarray:
    matrix = np.ascontiguousarray(each.matrix, dtype=np.float32)
    if not normalise:
        return matrix
    # As torch's normalize: a row of zeros stays one.
    return matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)


def _answers(each: Features, classes: np.ndarray, weights: np.ndarray, normalise: bool) -> np.ndarray:
    return classes[(_input(each, normalise) @ weights[:-1] + weights[-1]).argmax(axis=1)]


def _loss(train: Features, classes: np.ndarray, weights: np.ndarray, normalise: bool) -> float:
    from scipy.special import logsumexp

    logits = _input(train, normalise) @ weights[:-1] + weights[-1]
    right = logits[np.arange(len(train)), np.searchsorted(classes, train.labels)]
    return float((logsumexp(logits, axis=1) - right).mean())
