"""Error consistency: two observers that share errors so that Cohen's kappa is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.demo.planted.common import Planted, row
from helpers.demo.planted.cues import decisions, third_category
from helpers.demo.world.exemplars import exemplar_columns
from helpers.errors import BookError

OUTCOMES = ((True, True), (True, False), (False, True), (False, False))


def joint_shares(first: float, second: float, kappa: float) -> np.ndarray:
    """Shares (4,) of images on which both, only the first, only the second, none is right.

    With accuracies a and b: c_exp = a b + (1 - a)(1 - b), c_obs = c_exp + kappa (1 - c_exp), and both are right on
    (c_obs + a + b - 1) / 2.
    Raises BookError where no such pair of observers exists, naming the attainable range.

    >>> joint_shares(0.6, 0.5, 0.4).round(3).tolist()
    [0.4, 0.2, 0.1, 0.3]
    """
    expected = first * second + (1 - first) * (1 - second)
    observed = expected + kappa * (1 - expected)
    both = (observed + first + second - 1) / 2
    shares = np.array([both, first - both, second - both, 1 - first - second + both])
    if shares.min() < -1e-12:
        low, high = ((c - expected) / (1 - expected) for c in (abs(first + second - 1), 1 - abs(first - second)))
        found = f"{low:.2f} to {high:.2f} at accuracies {first:g} and {second:g}"
        raise BookError(f"planted kappa {kappa:g}", f"a value in {found}", "plant an attainable one")
    return np.clip(shares, 0, 1)


def copied_errors(
    images: pd.DataFrame,
    kappa: float,
    rng: np.random.Generator,
    accuracies: tuple[float, float] = (0.6, 0.5),
    exact: bool = False,
    models: tuple[str, str] = ("planted_original", "planted_copy"),
    dataset: str = "demo_cue_conflict",
    view: str = "planted.eval",
) -> tuple[Planted, Planted]:
    """Two observers on cue-conflict images with these accuracies (shape category) and this Cohen's kappa.

    Wrong answers name the texture (a third category where both cues agree). Truth: accuracy of each, and kappa of
    "first ~ second", for group "conflict" (1,200 images) and "all". Raises BookError for an unattainable kappa.

    >>> from helpers.demo.world import demo_set, factor_table
    >>> images = factor_table(demo_set("cue_conflict", 320))
    >>> first, second = copied_errors(images, 1.0, np.random.default_rng(0), accuracies=(0.5, 0.5))
    >>> (first.frame.decision == second.frame.decision).mean() > 0.9
    np.True_
    """
    cues = pd.DataFrame(exemplar_columns(images["image_id"]))
    conflict = (cues["shape"] != cues["texture"]).to_numpy()
    shares = joint_shares(*accuracies, kappa)
    outcome = np.empty(len(cues), dtype=int)
    for members in (np.flatnonzero(conflict), np.flatnonzero(~conflict)):
        outcome[members] = _outcomes(shares, len(members), rng, exact)
    right = np.array(OUTCOMES)[outcome]
    wrong = np.where(conflict, cues["texture"], third_category(cues, rng))
    truth = _truth(right, conflict, accuracies, kappa, exact, (models, dataset, view))
    frames = (_frame(images, cues, right[:, i], wrong) for i in range(2))
    return tuple(
        Planted(model, view, frame, tuple(r for r in truth if r["model"] == model or " ~ " in r["model"]))
        for model, frame in zip(models, frames, strict=True)
    )


def _outcomes(shares: np.ndarray, n: int, rng: np.random.Generator, exact: bool) -> np.ndarray:
    if not exact:
        return rng.choice(4, size=n, p=shares / shares.sum())
    ends = np.rint(np.cumsum(shares) / shares.sum() * n).astype(int)
    placed = np.empty(n, dtype=int)
    placed[rng.permutation(n)] = np.searchsorted(ends, np.arange(n), side="right")
    return placed


def _frame(images: pd.DataFrame, cues: pd.DataFrame, right: np.ndarray, wrong: np.ndarray) -> pd.DataFrame:
    decision = np.where(right, cues["shape"], wrong)
    return decisions(images, cues, decision)


def _truth(right, conflict, accuracies, kappa, exact, where) -> list[dict]:
    models, dataset, view = where
    rows = []
    for group, kept in (("conflict", conflict), ("all", np.ones(len(conflict), bool))):
        seen = right[kept]
        a, b = seen.mean(axis=0) if exact else accuracies
        agree = float((seen[:, 0] == seen[:, 1]).mean())
        expected = a * b + (1 - a) * (1 - b)
        value = (agree - expected) / (1 - expected) if exact else kappa
        rows += [
            row(model, dataset, view, "accuracy", 100 * accuracy, "percent", len(seen), group)
            for model, accuracy in zip(models, (a, b), strict=True)
        ]
        rows.append(row(" ~ ".join(models), dataset, view, "kappa", value, "fraction", len(seen), group))
    return rows
