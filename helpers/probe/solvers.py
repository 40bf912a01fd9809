"""Logistic regression by L-BFGS: scikit-learn's, and the same problem on a GPU by torch's."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

BLOCK = 65_536  # images at a time where logits of all would need much memory


@dataclass(frozen=True)
class Limits:
    """When a fit stops: the largest entry of the mean loss's gradient below `tolerance`, or after `iterations`.

    Fits that only choose a strength stop at `choosing`, which is scikit-learn's usual tolerance.
    """

    tolerance: float = 1e-5
    iterations: int = 2000
    choosing: float = 1e-4


@dataclass(frozen=True)
class Fit:
    """A fitted layer: `weight` [classes, d] and `bias` [classes] (of two classes one row, that of the second)."""

    classes: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    iterations: int
    converged: bool

    def logits(self, matrix: np.ndarray) -> np.ndarray:
        """Logits [n, classes]."""
        found = matrix @ self.weight.T + self.bias
        return np.concatenate([np.zeros_like(found), found], axis=1) if len(self.weight) == 1 else found

    def answer(self, matrix: np.ndarray) -> np.ndarray:
        """The likeliest class of each row [n]."""
        starts = range(0, len(matrix), BLOCK)
        best = [self.logits(matrix[start : start + BLOCK]).argmax(axis=1) for start in starts]
        return self.classes[np.concatenate(best)]

    def loss(self, matrix: np.ndarray, labels: np.ndarray) -> float:
        """Mean cross-entropy of these images, without the penalty."""
        total = 0.0
        for start in range(0, len(matrix), BLOCK):
            logits = self.logits(matrix[start : start + BLOCK]).astype(np.float64)
            right = np.searchsorted(self.classes, labels[start : start + BLOCK])
            total += float((logsumexp(logits, axis=1) - logits[np.arange(len(logits)), right]).sum())
        return total / len(matrix)

    def objective(self, matrix: np.ndarray, labels: np.ndarray, strength: float) -> float:
        """What is minimised, per image: mean cross-entropy + squared weights / (2 x strength x images)."""
        penalty = float((self.weight.astype(np.float64) ** 2).sum()) / (2 * strength * len(matrix))
        return self.loss(matrix, labels) + penalty


def _start(classes: np.ndarray, width: int, start: Fit | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Weight and bias to start from, if they are of the same classes."""
    same = start is not None and np.array_equal(start.classes, classes) and start.weight.shape[1] == width
    return (start.weight, start.bias) if same else None


def fit_sklearn(
    matrix: np.ndarray, labels: np.ndarray, strength: float, limits: Limits, start: Fit | None = None,
    device: str = "cpu",
) -> Fit:  # fmt: skip
    """scikit-learn's LogisticRegression(C=strength) by its L-BFGS, started from `start`; `device` is not used."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, tol=limits.tolerance, max_iter=limits.iterations, warm_start=True)
    begin = _start(np.unique(labels), matrix.shape[1], start)
    if begin:
        model.coef_, model.intercept_ = begin[0].copy(), begin[1].copy()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(matrix, labels)
    stopped = any(issubclass(each.category, ConvergenceWarning) for each in said)
    iterations = int(model.n_iter_.max())
    return Fit(
        model.classes_, model.coef_, model.intercept_, iterations, not stopped and iterations < limits.iterations
    )


def fit_torch(
    matrix: np.ndarray, labels: np.ndarray, strength: float, limits: Limits, start: Fit | None = None,
    device: str = "cuda",
) -> Fit:  # fmt: skip
    """The problem of `fit_sklearn` by torch's L-BFGS with strong Wolfe conditions, on a device.

    Computed in fp64, a block of images at a time: in fp32 the line search ends in rounding before the gradient is
    small. It goes on to a tenth of the tolerance, which costs few steps more.
    """
    import torch

    classes, codes = np.unique(labels, return_inverse=True)
    rows = 1 if len(classes) == 2 else len(classes)
    begin = _start(classes, matrix.shape[1], start)
    weight, bias = begin or (np.zeros((rows, matrix.shape[1])), np.zeros(rows))
    layer = torch.tensor(np.column_stack([weight, bias]), dtype=torch.float64, device=device, requires_grad=True)
    images = torch.as_tensor(np.ascontiguousarray(matrix, dtype=np.float32)).to(device)
    truth = torch.as_tensor(codes).to(device)
    optimizer = torch.optim.LBFGS(
        [layer], max_iter=limits.iterations, max_eval=2 * limits.iterations, history_size=10,
        tolerance_grad=0.1 * limits.tolerance, tolerance_change=0.0, line_search_fn="strong_wolfe",
    )  # fmt: skip
    optimizer.step(lambda: _objective(layer, images, truth, strength))
    _objective(layer, images, truth, strength)
    # The flag comes from the gradient itself: L-BFGS also ends where the line search can go no further.
    converged = bool(layer.grad.abs().max() <= limits.tolerance)
    found = layer.detach().float().cpu().numpy()
    iterations = int(optimizer.state[layer]["n_iter"])
    return Fit(classes, found[:, :-1], found[:, -1], iterations, converged)


def _objective(layer, images, truth, strength: float):
    """Mean cross-entropy + squared weights / (2 strength n), with its gradient in `layer.grad`."""
    import torch
    from torch.nn.functional import cross_entropy, softplus

    n = len(truth)
    layer.grad = None
    loss = (layer[:, :-1] ** 2).sum() / (2 * strength * n)
    loss.backward()
    total = loss.detach()
    for start in range(0, n, BLOCK):
        logits = images[start : start + BLOCK].double() @ layer[:, :-1].T + layer[:, -1]
        right = truth[start : start + BLOCK]
        if layer.shape[0] == 1:
            part = softplus(torch.where(right == 1, -logits[:, 0], logits[:, 0])).sum() / n
        else:
            part = cross_entropy(logits, right, reduction="sum") / n
        part.backward()
        total = total + part.detach()
    return total
