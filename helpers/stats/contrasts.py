"""Contrasts between models: pairs, and the 2x2 of architecture and training paradigm.

"Paradigm" bundles objective, data, recipe, fine-tuning and the text head: these are contrasts between four
checkpoints, not causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from scipy.special import logit

from helpers.models import MODELS

TWO_BY_TWO = ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip")
PAIRS_2X2 = (
    ("vit_sup", "convnext_sup"),
    ("vit_clip", "convnext_clip"),
    ("convnext_clip", "convnext_sup"),
    ("vit_clip", "vit_sup"),
)
EFFECTS = {
    "architecture": (-0.5, 0.5, -0.5, 0.5),
    "paradigm": (-0.5, -0.5, 0.5, 0.5),
    "interaction": (1.0, -1.0, -1.0, 1.0),
}


def pairs_among(models: Iterable[str], pairs: Sequence[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
    """The asked pairs (first minus second) whose two models are there; without `pairs`, those of the 2x2.

    >>> pairs_among(["vit_sup", "convnext_sup", "mae"])
    [('vit_sup', 'convnext_sup')]
    """
    there = set(models)
    return [pair for pair in (PAIRS_2X2 if pairs is None else pairs) if there.issuperset(pair)]


def all_pairs(models: Iterable[str]) -> list[tuple[str, str]]:
    """Every two models once, the later minus the earlier.

    >>> all_pairs(["resnet50", "vit", "dino"])
    [('vit', 'resnet50'), ('dino', 'resnet50'), ('dino', 'vit')]
    """
    return [(second, first) for first, second in combinations(models, 2)]


def four_of(models: Iterable[str]) -> tuple[str, ...] | None:
    """The four models of a 2x2 in `TWO_BY_TWO` order: a ConvNeXt and a ViT of each paradigm; None where it is not one.

    The paper's four where all of them are there. Else family and paradigm of the table of models decide, and a place
    that two models could take makes it None: which of them is meant cannot be told.

    >>> four_of(["twin_vit_sup", "twin_convnext_sup", "twin_vit_clip", "twin_convnext_clip"])[:2]
    ('twin_convnext_sup', 'twin_vit_sup')
    >>> four_of(["resnet50", "vit", "simclr", "dino"]) is None
    True
    """
    found = list(dict.fromkeys(models))
    if set(TWO_BY_TWO) <= set(found):
        return TWO_BY_TWO
    places = [(MODELS[key].family, MODELS[key].paradigm) for key in TWO_BY_TWO]
    known = [key for key in found if key in MODELS]
    takers = [[key for key in known if (MODELS[key].family, MODELS[key].paradigm) == place] for place in places]
    return tuple(keys[0] for keys in takers) if all(len(keys) == 1 for keys in takers) else None


def pairs_of(models: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of the 2x2 where the models are a ConvNeXt and a ViT of each paradigm, else every two of them.

    >>> pairs_of(["twin_convnext_sup", "twin_vit_sup", "twin_convnext_clip", "twin_vit_clip"])[0]
    ('twin_vit_sup', 'twin_convnext_sup')
    >>> pairs_of(["resnet50", "vit"])
    [('vit', 'resnet50')]
    """
    four = four_of(models)
    if four is None or len(models) > len(four):
        return all_pairs(models)
    taker = dict(zip(TWO_BY_TWO, four, strict=True))
    return [(taker[first], taker[second]) for first, second in PAIRS_2X2]


def factorial_effects(values: np.ndarray) -> dict[str, np.ndarray]:
    """Architecture (ViT - ConvNeXt), paradigm (CLIP - sup) and interaction of four models in `TWO_BY_TWO` order.

    values: (4, ...). Main effects are means of two differences; the interaction is the difference of the two
    architecture differences (under CLIP minus under supervision). Same unit as the values.

    >>> {name: float(effect) for name, effect in factorial_effects(np.array([10.0, 12.0, 20.0, 25.0])).items()}
    {'architecture': 3.5, 'paradigm': 11.5, 'interaction': 3.0}
    """
    values = np.asarray(values, dtype=float)
    return {name: np.tensordot(weights, values, axes=1) for name, weights in EFFECTS.items()}


def log_odds(share):
    """log(p / (1 - p)) of shares (fractions); NaN at 0 and 1, where it is not finite. Shapes are kept.

    >>> float(log_odds(0.5)), bool(np.isnan(log_odds(1.0)))
    (0.0, True)
    """
    share = np.asarray(share, dtype=float)
    inside = (share > 0) & (share < 1)
    return np.where(inside, logit(np.where(inside, share, 0.5)), np.nan)


def interaction_depends_on_scale(shares: np.ndarray) -> bool:
    """Whether the interaction of four shares (fractions, `TWO_BY_TWO` order) changes sign from points to log-odds.

    >>> interaction_depends_on_scale(np.array([0.50, 0.60, 0.90, 0.97]))
    True
    """
    plain = factorial_effects(shares)["interaction"]
    scaled = factorial_effects(log_odds(shares))["interaction"]
    return bool(np.sign(plain) * np.sign(scaled) < 0)


def wins(values: np.ndarray, larger_is_better: bool = True) -> np.ndarray:
    """In how many tasks (columns) each model (row) is best; a tie is shared. (models, tasks) -> (models,).

    >>> wins(np.array([[1.0, 2.0, 3.0], [0.0, 2.0, 4.0]])).tolist()
    [1.5, 1.5]
    """
    values = np.asarray(values, dtype=float) * (1 if larger_is_better else -1)
    best = values == values.max(axis=0)
    return (best / best.sum(axis=0)).sum(axis=1)
