"""Head or representation? Linear heads on stored embeddings: fitted in closed form, read out with any temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.errors import BookError

CHUNK = 2048


def fitted_half(image_ids: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Which images a head is fitted on: of every class each second one in the order of the ids; bool (images,).

    >>> fitted_half(["a", "b", "c", "d"], np.array([0, 0, 1, 1])).tolist()
    [True, False, True, False]
    """
    labels = np.asarray(labels)
    order = np.lexsort((np.asarray(image_ids, dtype=str), labels))
    counts = np.bincount(labels[order])
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order] = place % 2 == 0
    return chosen


def every_second(image_ids: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Each second image in the order of classes, then ids, across classes; bool (images,). For one image a class.

    Raises BookError for fewer than two images, which have no halves.

    >>> every_second(["a", "b", "c"], np.array([0, 1, 2])).tolist()
    [True, False, True]
    """
    if len(labels) < 2:
        raise BookError("halves of the images", f"two images at least, found {len(labels)}", "use more images")
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[np.lexsort((np.asarray(image_ids, dtype=str), np.asarray(labels)))[::2]] = True
    return chosen


def tells_spread(labels: np.ndarray) -> bool:
    """Whether a class has two images, without which nothing is known of the spread within classes.

    >>> tells_spread(np.array([0, 1, 2])), tells_spread(np.array([0, 1, 1]))
    (False, True)
    """
    return bool(np.bincount(labels).max(initial=0) > 1)


def linear_discriminant(features: np.ndarray, labels: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Weight (classes, d) and bias (classes,) of Fisher's linear discriminant with equal priors: a linear head.

    One covariance within classes, shrunk towards a multiple of the identity by Ledoit and Wolf's rule: closed form, no
    setting to choose, the same for every model. Classes without images get a bias of minus infinity. Raises BookError
    where no class has two images, or images of a class do not differ. Source: Fisher 1936; Ledoit & Wolf 2004;
    scikit-learn's LinearDiscriminantAnalysis.

    >>> x = np.array([[0.0, 1.0], [0.2, 0.8], [1.0, 0.1], [0.9, 0.0]])
    >>> weight, bias = linear_discriminant(x, np.array([0, 0, 1, 1]), 2)
    >>> (x @ weight.T + bias).argmax(axis=1).tolist()
    [0, 0, 1, 1]
    """
    features, labels = np.asarray(features, dtype=np.float32), np.asarray(labels)
    counts = np.bincount(labels, minlength=n_classes)
    if not tells_spread(labels):
        raise BookError("linear head", "a class with two images, found none", "use more images")
    order = np.argsort(labels, kind="stable")
    there = np.flatnonzero(counts)
    starts = np.cumsum(counts[there]) - counts[there]
    means = np.zeros((n_classes, features.shape[1]), dtype=np.float64)
    means[there] = np.add.reduceat(features[order].astype(np.float64), starts, axis=0) / counts[there, None]
    covariance = shrunk_covariance(features - means[labels].astype(np.float32))
    try:
        weight = np.linalg.solve(covariance, means.T).T
    except np.linalg.LinAlgError:
        found = "features that differ within classes, found none in some direction"
        raise BookError("linear head", found, "use more images, or other features") from None
    bias = np.where(counts > 0, -0.5 * np.einsum("cd,cd->c", weight, means), -np.inf)
    return weight.astype(np.float32), bias.astype(np.float32)


def shrunk_covariance(centred: np.ndarray) -> np.ndarray:
    """Ledoit and Wolf's covariance of centred features (images, d): float64 (d, d). Source: Ledoit & Wolf 2004.

    >>> shrunk_covariance(np.array([[1.0, 0.0], [-1.0, 0.0]])).round(2).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    n, d = centred.shape
    plain = (centred.T @ centred).astype(np.float64) / n
    mean = np.trace(plain) / d
    apart = np.sum((plain - mean * np.eye(d)) ** 2) / d
    fourth = np.mean(np.einsum("nd,nd->n", centred, centred, dtype=np.float64) ** 2)
    noise = min((fourth - np.sum(plain**2)) / (n * d), apart)
    share = noise / apart if apart > 0 else 0.0
    return (1 - share) * plain + share * mean * np.eye(d)


def read_out(
    features: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    classes: np.ndarray,
    scales: Sequence[float] = (1.0,),
) -> tuple[np.ndarray, np.ndarray]:
    """Top class of every image (images,), and its confidence under each factor on the logits (scales, images).

    `classes`: the indices that compete, as in `prediction_rows`. Computed in pieces, so that memory stays flat.

    >>> pred, stated = read_out(np.eye(2, dtype="f4"), np.eye(2, dtype="f4"), None, np.arange(2), (1.0, 100.0))
    >>> pred.tolist(), stated.round(2).tolist()
    ([0, 1], [[0.73, 0.73], [1.0, 1.0]])
    """
    classes = np.asarray(classes)
    pred, stated = np.empty(len(features), dtype=np.int64), np.empty((len(scales), len(features)))
    for start in range(0, len(features), CHUNK):
        here = slice(start, start + CHUNK)
        logits = logits_of(features[here], weight, bias, classes)
        pred[here] = classes[logits.argmax(axis=1)]
        logits -= logits.max(axis=1, keepdims=True)
        for at, scale in enumerate(scales):
            stated[at, here] = 1 / np.exp(scale * logits).sum(axis=1)
    return pred, stated


def logits_of(features: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, classes: np.ndarray) -> np.ndarray:
    """Logits of the classes that compete: float32 (images, len(classes)).

    >>> logits_of(np.eye(2), np.eye(3, 2), np.array([0, 0, 9.0]), np.array([0, 2])).tolist()
    [[1.0, 9.0], [0.0, 9.0]]
    """
    found = np.asarray(features, dtype=np.float32) @ weight[classes].T.astype(np.float32)
    return found if bias is None else found + bias[classes].astype(np.float32)


def probabilities(features: np.ndarray, weight: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """Softmax over all classes: (images, classes), float32, for sets of a thousand images or so.

    >>> probabilities(np.eye(2), np.eye(2), None).sum(axis=1).tolist()
    [1.0, 1.0]
    """
    logits = logits_of(features, weight, bias, np.arange(len(weight)))
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)
