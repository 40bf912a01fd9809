"""Time of linear probes on made-up features: CLIP_benchmark's search, scikit-learn's path, and ours, in one run."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.predict.features import Features
from helpers.probe.clip_benchmark import DECAYS, FIRST_STEP, STEPS, clip_benchmark_sweep
from helpers.probe.lbfgs import STRENGTHS, lbfgs
from helpers.probe.splits import Task, joined, task_of

N, WIDTH, CLASSES = 10_000, 768, 50
PARTS = (0.6, 0.2, 0.2)
SIGNAL = 3.0  # how far classes are apart: a probe reaches some 50 %
TARGET = 10.0


def main(n: int = N) -> None:
    """Print seconds, accuracy and ratios on n images of width 768 and 50 classes, on one thread."""
    import torch

    torch.set_num_threads(1)
    task = made_up(n)
    sizes = " / ".join(f"{len(each):,}" for each in (task.train, task.val, task.test))
    print(f"{n:,} x {WIDTH} features, {CLASSES} classes, {sizes} to train, choose and test")
    print(
        f"  load {os.getloadavg()[0]:.1f}, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}", flush=True
    )
    lbfgs(made_up(500), STRENGTHS[:1])  # libraries are imported before the clock starts
    ours = _told("lbfgs: 7 strengths, warm starts, refit", lambda: lbfgs(task).accuracy)
    plain = _told("scikit-learn: 7 strengths and refit, cold", lambda: scikit_learn(task))
    swept = _told("clip_benchmark_sweep: 20 trainings less repeats", lambda: clip_benchmark_sweep(task).accuracy)
    loop = _told("torch loop as in CLIP_benchmark, 20 trainings", lambda: torch_sweep(task))
    for name, other in (("lbfgs", ours), ("scikit-learn", plain), ("clip_benchmark_sweep", swept)):
        apart = 100 * (other[1] - loop[1])
        print(f"  torch loop / {name} = {loop[0] / other[0]:.1f} at {apart:+.1f} points of accuracy")
    floor, evaluations = one_evaluation(task)
    most = plain[0] / (floor * evaluations)
    print(f"  scikit-learn / lbfgs = {plain[0] / ours[0]:.2f}")
    print(f"  one loss and gradient: {1e3 * floor:.1f} ms; 8 cold fits of {evaluations} iterations need one in each")
    print(f"  a solver of our own with as many iterations: {most:.1f} times as fast as scikit-learn at most; "
          f"{TARGET:.0f} times would have been worth one")  # fmt: skip


def made_up(n: int = N, seed: int = 0) -> Task:
    """A task of normal clusters: features float32 [n, 768] of 50 classes in three splits."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(CLASSES, WIDTH)) * SIGNAL / np.sqrt(WIDTH)
    labels = rng.integers(0, CLASSES, n)
    matrix = (centres[labels] + rng.normal(size=(n, WIDTH))).astype(np.float32)
    ids = pd.DataFrame({"image_id": [f"{i:06d}" for i in range(n)], "label": labels[:, None].tolist()})
    whole = Features(matrix, labels, ids)
    ends = np.split(np.arange(n), [int(PARTS[0] * n), int((PARTS[0] + PARTS[1]) * n)])
    train, val, test = (whole.take(rows) for rows in ends)
    return task_of("made up", train, test, val)


def scikit_learn(task: Task) -> float:
    """Accuracy of scikit-learn's LogisticRegression, each strength from the start, refit on both splits."""
    from sklearn.linear_model import LogisticRegression

    def fitted(each: Features, strength: float) -> LogisticRegression:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return LogisticRegression(C=strength, max_iter=2000).fit(each.matrix, each.labels)

    scores = [fitted(task.train, each).score(task.val.matrix, task.val.labels) for each in STRENGTHS]
    best = STRENGTHS[int(np.argmax(scores))]
    return fitted(joined(task.train, task.val), best).score(task.test.matrix, task.test.labels)


def one_evaluation(task: Task) -> tuple[float, int]:
    """Seconds of one loss and gradient (the two products and a softmax), and how many the 8 cold fits need at least."""
    from sklearn.linear_model import LogisticRegression

    matrix, codes = task.train.matrix, np.searchsorted(task.classes, task.train.labels)
    weights = np.zeros((WIDTH, CLASSES), np.float32)
    truth = np.eye(CLASSES, dtype=np.float32)[codes]

    def evaluate() -> None:
        logits = matrix @ weights
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        logits -= truth
        _ = matrix.T @ logits

    evaluate()
    seconds = min(_seconds(evaluate)[0] for _ in range(5))
    fits = [LogisticRegression(C=each, max_iter=2000).fit(matrix, codes) for each in (*STRENGTHS, STRENGTHS[-3])]
    return seconds, int(sum(fit.n_iter_.max() for fit in fits))


def torch_sweep(task: Task) -> float:
    """CLIP_benchmark's search as it is run there: torch's layer, loader and AdamW, 20 trainings; test accuracy."""

    def tried(decay: float, train: Features, other: Features) -> float:
        return _torch_accuracy(_torch_layer(train, decay), other)

    places = list(range(0, len(DECAYS), FIRST_STEP))
    scores = [tried(DECAYS[place], task.train, task.val) for place in places]
    best = places[int(np.argmax(scores))]
    for step in STEPS:
        near = [max(best - step, 0), best, min(best + step, len(DECAYS) - 1)]
        best = near[int(np.argmax([tried(DECAYS[place], task.train, task.val) for place in near]))]
    return tried(DECAYS[best], joined(task.train, task.val), task.test)


def _torch_layer(train: Features, decay: float):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    layer = torch.nn.Linear(train.matrix.shape[1], int(train.labels.max()) + 1)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, weight_decay=float(decay))
    images = torch.nn.functional.normalize(torch.from_numpy(train.matrix), dim=-1)
    loader = DataLoader(TensorDataset(images, torch.from_numpy(train.labels)), batch_size=64, shuffle=True)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10 * len(loader))
    for _ in range(10):
        for batch, truth in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(layer(batch), truth).backward()
            optimizer.step()
            cosine.step()
    return layer


def _torch_accuracy(layer, other: Features) -> float:
    import torch

    with torch.no_grad():
        images = torch.nn.functional.normalize(torch.from_numpy(other.matrix), dim=-1)
        return float((layer(images).argmax(dim=1).numpy() == other.labels).mean())


def _seconds(work: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def _told(name: str, work: Callable[[], float]) -> tuple[float, float]:
    """Run it and print seconds of a core (other processes do not count) and test accuracy."""
    seconds, accuracy = _seconds(work)
    print(f"  {name:<50} {seconds:6.2f} s   accuracy {accuracy:.4f}", flush=True)
    return seconds, accuracy


if __name__ == "__main__":
    main()
