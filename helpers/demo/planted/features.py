"""Similarity: sets of features whose linear CKA is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.demo.planted.common import row

WIDTH = 96  # features of a set, as wide as the twins' transformer
DATASET, VIEW = "planted_features", "planted.eval"


@dataclass(frozen=True)
class FeaturePair:
    """Two feature sets of the same images, (n, p) and (n, q), and the CKA of the populations that they come from."""

    name: str
    first: np.ndarray
    second: np.ndarray
    cka: float

    def truth(self) -> dict:
        """The CKA as a result row of layers at the same depth."""
        group, n = "all: same depth", len(self.first)
        return row(f"features ~ {self.name}", DATASET, VIEW, "cka", self.cka, "fraction", n, group)


def feature_pairs(n: int, rng: np.random.Generator, width: int = WIDTH) -> list[FeaturePair]:
    """Standard normal features beside copies, rotations, rescalings, mixtures and strangers of them.

    For normal features with cross-covariance S and covariances A, B the linear CKA is |S|^2 / (|A| |B|) (Frobenius
    norms). With a share s of the variance from the first set it is s; where k of w features are shared, k / w; with
    as many strange features appended, sqrt(1 / 2).

    >>> {pair.name: round(pair.cka, 3) for pair in feature_pairs(8, np.random.default_rng(0), width=4)}
    {'the same': 1.0, 'rotated': 1.0, 'scaled': 1.0, 'mixed, 1/4': 0.25, 'mixed, 3/4': 0.75, 'half shared': 0.5, \
'strangers appended': 0.707, 'independent': 0.0}
    """
    first, strange = rng.standard_normal((2, n, width))
    rotation = np.linalg.qr(rng.standard_normal((width, width)))[0]
    half = width // 2
    others = {
        "the same": (first, 1.0),
        "rotated": (first @ rotation, 1.0),
        "scaled": (1e-3 * first + 5.0, 1.0),
        "mixed, 1/4": (np.sqrt(0.25) * first @ rotation + np.sqrt(0.75) * strange, 0.25),
        "mixed, 3/4": (np.sqrt(0.75) * first @ rotation + np.sqrt(0.25) * strange, 0.75),
        "half shared": (np.hstack([first[:, :half], strange[:, half:]]), half / width),
        "strangers appended": (np.hstack([first, strange]), np.sqrt(0.5)),
        "independent": (strange, 0.0),
    }
    return [FeaturePair(name, first, second, float(cka)) for name, (second, cka) in others.items()]
