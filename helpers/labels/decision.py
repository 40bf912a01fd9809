"""From probabilities over 1,000 classes to one of a few categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.errors import BookError


def category_decision(probabilities: np.ndarray, indices: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Category with the largest mean probability over its ILSVRC indices; a tie goes to the later category.

    probabilities: (images, classes); indices: category -> class indices, in the order that breaks ties.
    Returns names, (images,). Raises BookError for NaN.
    Source: model-vs-human `ImageNetProbabilitiesTo16ClassesMapping`.

    >>> category_decision(np.array([[0.2, 0.2, 0.6], [0.2, 0.5, 0.1]]), {"cat": [0], "dog": [1]}).tolist()
    ['dog', 'dog']
    """
    probabilities = np.asarray(probabilities)
    if np.isnan(probabilities).any():
        raise BookError("category decision", "probabilities without NaN, found NaN", "look at the model's logits")
    names = np.array(list(indices), dtype=object)
    means = np.stack([probabilities[:, list(group)].mean(axis=1) for group in indices.values()], axis=1)
    return names[len(names) - 1 - np.argmax(means[:, ::-1], axis=1)]
