"""Shape or texture: an observer that follows the material with a known probability."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from helpers.demo.planted.common import Planted, draw, row
from helpers.demo.world.classes import categories
from helpers.demo.world.exemplars import exemplar_columns


def texture_share(
    images: pd.DataFrame,
    share: float,
    rng: np.random.Generator,
    other: float = 0.1,
    exemplar_spread: float = 0.0,
    exact: bool = False,
    model: str = "planted_texture_share",
    dataset: str = "demo_cue_conflict",
    view: str = "planted.eval",
) -> Planted:
    """An observer on cue-conflict images whose shape bias is 1 - `share`, in every category.

    `share`: probability of the texture category among decisions for either cue; `other`: of a third category;
    `exemplar_spread`: standard deviation (probit units) of effects shared by all images of one shape or texture
    exemplar, at the same mean share: it makes the crossed interval the right one. `exact` ignores the spread.

    >>> images = pd.DataFrame({"image_id": ["cat1-dog2.png", "cat2-car1.png"], "label": [28, 29]})
    >>> texture_share(images, 1.0, np.random.default_rng(0), other=0.0).frame.decision.tolist()
    ['dog', 'car']
    """
    cues = pd.DataFrame(exemplar_columns(images["image_id"]))
    conflict = (cues["shape"] != cues["texture"]).to_numpy()
    third, texture = np.zeros(len(cues), dtype=bool), np.zeros(len(cues), dtype=bool)
    for each in _parts(cues, conflict):
        third[each] = draw(other, len(each), rng, exact)
        decided = each[~third[each]]
        texture[decided] = draw(share, len(decided), rng, exact)
    if exemplar_spread and not exact:
        texture = rng.random(len(cues)) < _shared(cues, share, exemplar_spread, rng)
    decision = np.where(texture, cues["texture"], cues["shape"])
    decision = np.where(third, third_category(cues, rng), decision)
    frame = decisions(images, cues, decision)
    truth = _truth(frame, conflict, share, other, exact, (model, dataset, view))
    return Planted(model, view, frame, tuple(truth))


def _parts(cues: pd.DataFrame, conflict: np.ndarray) -> list[np.ndarray]:
    """Positions of the conflict images of each shape category, then of the "same" images."""
    shapes = cues["shape"].to_numpy()
    parts = [np.flatnonzero(conflict & (shapes == name)) for name in sorted(set(shapes))]
    return [*parts, np.flatnonzero(~conflict)]


def _shared(cues: pd.DataFrame, share: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Probability of texture per image: Phi of a mean plus two exemplar effects, with mean `share` over exemplars."""
    latent = ndtri(share) * np.sqrt(1 + 2 * spread**2)
    for column in ("shape_exemplar", "texture_exemplar"):
        codes, names = pd.factorize(cues[column])
        latent = latent + spread * rng.standard_normal(len(names))[codes]
    return ndtr(latent)


def decisions(images: pd.DataFrame, cues: pd.DataFrame, decision: np.ndarray) -> pd.DataFrame:
    """Decisions frame: image_id, shape, texture, decision."""
    columns = {"image_id": images["image_id"].to_numpy(), "shape": cues["shape"], "texture": cues["texture"]}
    return pd.DataFrame({**columns, "decision": decision})


def third_category(cues: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """A category that is neither cue's, uniformly."""
    names = categories()
    pools = ([n for n in names if n not in pair] for pair in zip(cues["shape"], cues["texture"], strict=True))
    return np.array([pool[int(rng.integers(len(pool)))] for pool in pools], dtype=object)


def _truth(frame, conflict, share, other, exact, where) -> list[dict]:
    shape, texture, decision = (frame[c].to_numpy() for c in ("shape", "texture", "decision"))
    for_shape, for_texture = conflict & (decision == shape), conflict & (decision == texture)
    rows, biases = [], []
    for name in sorted(set(shape)):
        mine = conflict & (shape == name)
        decided = int((for_shape | for_texture)[mine].sum())
        biases.append(for_shape[mine].sum() / decided if exact and decided else 1 - share)
        rows.append(row(*where, "shape_bias", biases[-1], "fraction", decided, name))
    decided = int((for_shape | for_texture).sum())
    pooled = for_shape.sum() / decided if exact and decided else 1 - share
    rows.append(row(*where, "shape_bias", pooled, "fraction", decided))
    rows.append(row(*where, "shape_bias", np.mean(biases), "fraction", decided, f"mean_of_{len(biases)}"))
    right = (1 - other) * (1 - share)
    expected = np.where(conflict, right, 1 - other)
    for group, kept in (("conflict", conflict), ("all", np.ones(len(frame), bool))):
        value = (decision == shape)[kept].mean() if exact else expected[kept].mean()
        rows.append(row(*where, "accuracy", 100 * value, "percent", kept.sum(), group))
    return rows
