"""What all planted observers share: the pair of frame and truth, drawing right answers, filling wrong ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.demo.world.classes import N_FINE
from helpers.errors import BookError

KEY = ["model", "dataset", "view", "metric", "group", "unit"]


@dataclass(frozen=True)
class Planted:
    """An observer: its key, its predictions or decisions frame, the view, and its truth as result rows (dicts)."""

    model: str
    view: str
    frame: pd.DataFrame
    truth: tuple[dict, ...]


def truth_rows(observers: Iterable[Planted]) -> list[dict]:
    """The truth of several observers as one list of result rows, each row once.

    >>> truth_rows([])
    []
    """
    found = {tuple(row[k] for k in KEY): row for observer in observers for row in observer.truth}
    return list(found.values())


def row(model, dataset, view, metric, value, unit, n, group="overall") -> dict:
    """A result row of the truth: no interval, nothing resampled."""
    return {
        "model": model, "dataset": dataset, "view": view, "metric": metric, "group": group, "value": float(value),
        "ci_low": None, "ci_high": None, "n": int(n), "unit": unit, "resampled": "none",
    }  # fmt: skip


def against(truth: Iterable[dict], measured: pd.DataFrame) -> pd.DataFrame:
    """Planted beside measured: one row per measured row whose key has a planted truth.

    Adds `planted`, `difference` (measured minus planted) and `inside`: whether the interval holds the truth (None
    without an interval).

    >>> planted = [row("m", "d", "v", "accuracy", 80, "percent", 100)]
    >>> seen = pd.DataFrame([{**planted[0], "value": 81.0, "ci_low": 78.0, "ci_high": 84.0, "resampled": "image"}])
    >>> against(planted, seen)[["planted", "difference", "inside"]].values.tolist()
    [[80.0, 1.0, True]]
    """
    known = pd.DataFrame(list(truth))[[*KEY, "value"]].rename(columns={"value": "planted"})
    both = measured.merge(known, on=KEY, how="inner")
    low, high = both["ci_low"].astype(float), both["ci_high"].astype(float)
    rounding = 1e-9 * both["planted"].abs()  # an interval that ends at the truth holds it
    inside = ((low <= both["planted"] + rounding) & (both["planted"] - rounding <= high)).astype(object)
    return both.assign(difference=both["value"] - both["planted"], inside=inside.where(low.notna(), None))


def draw(probability: float, n: int, rng: np.random.Generator, exact: bool) -> np.ndarray:
    """Boolean array (n,): independent draws, or exactly round(probability x n) True in random places.

    Raises BookError for a probability outside [0, 1].

    >>> int(draw(0.25, 8, np.random.default_rng(0), exact=True).sum())
    2
    """
    if not 0 <= probability <= 1:
        raise BookError(f"planted probability {probability:g}", "a number in 0 to 1", "change the planted behaviour")
    if not exact:
        return rng.random(n) < probability
    chosen = np.zeros(n, dtype=bool)
    chosen[rng.permutation(n)[: round(probability * n)]] = True
    return chosen


def wrong_classes(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each label another fine class, uniformly: ints (n,)."""
    return (labels + rng.integers(1, N_FINE, len(labels))) % N_FINE


def predictions(images: pd.DataFrame, right: np.ndarray, confidence, wrong: np.ndarray) -> pd.DataFrame:
    """Predictions frame: the label where `right`, else `wrong`; what confidence leaves is shared by the other classes.

    >>> images = pd.DataFrame({"image_id": ["a"], "label": [3]})
    >>> predictions(images, np.array([True]), 0.9, np.array([5])).to_dict("list")["p_true"]
    [0.9]
    """
    labels = images["label"].to_numpy()
    confidence = np.broadcast_to(np.asarray(confidence, dtype=float), labels.shape)
    return pd.DataFrame(
        {
            "image_id": images["image_id"].to_numpy(),
            "label": [[int(label)] for label in labels],
            "pred": np.where(right, labels, wrong).astype(int),
            "confidence": confidence,
            "p_true": np.where(right, confidence, (1 - confidence) / (N_FINE - 1)),
        }
    )


def share(right: np.ndarray, probability: float, exact: bool) -> float:
    """The truth about a share: what was counted where counts are placed exactly, else the parameter."""
    return float(np.mean(right)) if exact else probability
