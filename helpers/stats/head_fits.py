"""What is fitted on one half of the validation images, and which images of several models are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from helpers.errors import BookError
from helpers.metrics.basics import align_predictions
from helpers.metrics.heads import every_second, fitted_half, linear_discriminant, logits_of, tells_spread
from helpers.metrics.recalibration import fit_temperature
from helpers.predict import Embedded

FOR_TEMPERATURE = 2_000  # images: one parameter needs no more


@dataclass(frozen=True)
class Fit:
    """What was fitted for one model on half of the validation images: a temperature, and a linear head with its own.

    Without a linear head `weight`, `bias` and `linear_temperature` are None.
    """

    temperature: float
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    linear_temperature: float | None = None


def fit_heads(val: Mapping[str, Embedded]) -> tuple[dict[str, Fit], dict[str, np.ndarray]]:
    """({model: what is fitted on one half of its validation images}, {model: mask of those that are judged}).

    A linear head needs a class with two images in the fitted half, three in all; without one there is none, and halves
    go across classes. Raises BookError where a model's images have several labels, and for fewer than two images.
    """
    fits, tested = {}, {}
    for model, each in val.items():
        labels, features = _labels(each), np.asarray(each.features)
        half = fitted_half(each.frame.image_id, labels)
        linear = tells_spread(labels[half]) and (~half).sum() > 1
        half = half if linear else every_second(each.frame.image_id, labels)
        own, other = (_some(mask) for mask in (half, ~half))
        temperature = _temperature(features[own], labels[own], each.weight, each.bias, each.classes)
        fits[model], tested[model] = Fit(temperature), ~half
        if linear:
            seen = other[::2]
            weight, bias = linear_discriminant(features[half], labels[half], len(each.weight))
            second = _temperature(features[seen], labels[seen], weight, bias, each.classes)
            fits[model] = Fit(temperature, weight, bias, second)
            tested[model][seen] = False  # what the linear head's temperature has seen is not judged
    return fits, tested


def same_images(sets: Mapping[str, Embedded]) -> dict[str, Embedded]:
    """The images that all models have, each once, in the order of the first model.

    Raises BookError for an image that a model has twice and where no image is common to all.
    """
    if not sets:
        return {}
    place = {m: each.frame[["image_id"]].assign(row=np.arange(len(each.frame))) for m, each in sets.items()}
    rows = align_predictions(place, "row")
    return {model: kept(each, rows[model].to_numpy()) for model, each in sets.items()}


def kept(each: Embedded, rows: np.ndarray) -> Embedded:
    """The images of a mask, or of these rows in this order."""
    if rows.dtype != bool and np.array_equal(rows, np.arange(len(each.frame))):
        return each  # nothing to leave out: 50,000 embeddings need not be copied
    return replace(each, frame=each.frame.iloc[rows].reset_index(drop=True), features=np.asarray(each.features)[rows])


def _labels(each: Embedded) -> np.ndarray:
    if any(len(label) != 1 for label in each.frame["label"]):
        raise BookError(f"labels of {each.dataset}", "one label an image, found several", "fit heads on another set")
    return np.array([label[0] for label in each.frame["label"]])


def _some(mask: np.ndarray) -> np.ndarray:
    """Positions in a mask: every k-th, so that there are about 1 to 2 x FOR_TEMPERATURE; all of few."""
    found = np.flatnonzero(mask)
    return found[:: max(1, len(found) // FOR_TEMPERATURE)]


def _temperature(features, labels, weight, bias, classes) -> float:
    place = np.full(len(weight), -1)
    place[classes] = np.arange(len(classes))
    return fit_temperature(logits_of(features, weight, bias, classes), place[labels])
