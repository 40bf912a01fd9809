"""CLIP without training: the class whose name is closest to the image."""

from __future__ import annotations

import numpy as np

from helpers.errors import BookError
from helpers.predict.features import Features
from helpers.probe.result import ProbeResult, majority_share, mean_per_class, predictions_of


def zero_shot(name: str, test: Features, text: np.ndarray, train_labels: np.ndarray | None = None) -> ProbeResult:
    """Zero-shot answers on L2-normalised projected embeddings: the largest cosine to `text` [classes, d], by index.

    Row k of `text` is the embedding of class k's name (`models.text_heads`). A tie goes to the first class.
    `train_labels` only decide which class is the most frequent; without them it is that of the test images. Raises
    BookError for other widths, numbers that are not finite, or labels beyond the names.

    >>> import pandas as pd
    >>> ids = pd.DataFrame({"image_id": ["a", "b"], "label": [[0], [1]]})
    >>> test = Features(np.eye(2, dtype="f4"), np.array([0, 1]), ids)
    >>> zero_shot("toy", test, np.eye(2, dtype="f4")).accuracy
    1.0
    """
    if test.matrix.shape[1:] != text.shape[1:]:
        found = f"width {text.shape[1]} as the names have, found {test.matrix.shape[1]}"
        raise BookError(f"test features of {name}", found, "give the projected embeddings of the same CLIP model")
    if not (np.isfinite(test.matrix).all() and np.isfinite(text).all()):
        raise BookError(
            f"zero-shot on {name}", "finite features and names, found NaN or infinity", "extract them again"
        )
    if test.labels.max() >= len(text):
        found = f"a name for each class, found label {test.labels.max()} and {len(text)} names"
        raise BookError(f"zero-shot on {name}", found, "give the names of all classes in the order of their labels")
    answers = (test.matrix @ text.T).argmax(axis=1)
    known = test.labels if train_labels is None else train_labels
    return ProbeResult(
        name, "zero_shot", predictions_of(test, answers), float((answers == test.labels).mean()),
        mean_per_class(test.labels, answers), majority_share(known, test.labels), 0, len(test), len(text),
    )  # fmt: skip
