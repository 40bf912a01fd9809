"""Similarity of the layers of two models (or of one with itself): HSICs by batch, and the CKA made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from helpers.errors import BookError
from helpers.similarity.hsic import cka, leave_one_out, packed
from helpers.similarity.layers import chosen, common_panels


@dataclass(frozen=True)
class Similarity:
    """HSICs of the layers of `models` (a, b), batch by batch.

    kinds: for each model its layers' names with their panels, in the order of a forward pass; families: of each.
    cross (batches, layers a, layers b); own: for each model (batches, layers), every layer with itself.
    `batch_size` images a batch.
    """

    models: tuple[str, str]
    families: tuple[str, str]
    kinds: tuple[dict[str, str], dict[str, str]]
    cross: np.ndarray
    own: tuple[np.ndarray, np.ndarray]
    batch_size: int

    @property
    def n(self) -> int:
        """Number of images."""
        return self.batch_size * len(self.cross)

    @property
    def name(self) -> str:
        """The model's key, or "a ~ b"."""
        first, second = self.models
        return first if first == second else f"{first} ~ {second}"

    @property
    def panels(self) -> tuple[str, ...]:
        """The panels that both models have, "all" first."""
        return common_panels(*self.families)

    def panel(self, name: str) -> Similarity:
        """The layers of one panel. Raises BookError for a panel that one of the models has not."""
        if name not in self.panels:
            raise BookError(f"panel {name!r} of {self.name}", f"one of {', '.join(self.panels)}", "choose one of them")
        rows, columns = (chosen(kinds, name) for kinds in self.kinds)
        kinds = tuple(
            {layer: kind for i, (layer, kind) in enumerate(each.items()) if i in set(keep)}
            for each, keep in zip(self.kinds, (rows, columns), strict=True)
        )
        cross = self.cross[:, rows][:, :, columns]
        return replace(self, kinds=kinds, cross=cross, own=(self.own[0][:, rows], self.own[1][:, columns]))

    def matrix(self) -> np.ndarray:
        """CKA (layers a, layers b) from the HSICs averaged over batches; NaN where `undefined` says why."""
        return cka(self.cross.mean(axis=0), *(each.mean(axis=0) for each in self.own))

    def left_out(self) -> np.ndarray:
        """CKA with one batch left out each: (batches, layers a, layers b), for the jackknife."""
        return cka(leave_one_out(self.cross), *map(leave_one_out, self.own))

    def undefined(self) -> dict[str, str]:
        """{"model: layer": why it has no CKA}, empty where every layer has one."""
        return {
            f"{model}: {layer}": f"unbiased HSIC with itself {value:.3g}, not positive"
            for model, kinds, own in zip(self.models, self.kinds, self.own, strict=True)
            for layer, value in zip(kinds, own.mean(axis=0), strict=True)
            if not value > 0
        }

    def swapped(self) -> Similarity:
        """The same with a and b the other way round."""
        return replace(
            self, models=self.models[::-1], families=self.families[::-1], kinds=self.kinds[::-1],
            cross=self.cross.swapaxes(1, 2), own=self.own[::-1],
        )  # fmt: skip


def between(first: Similarity, second: Similarity, cross: np.ndarray) -> Similarity:
    """Two models from each with itself and the HSICs between them (batches, layers a, layers b)."""
    return Similarity(
        (first.models[0], second.models[0]), (first.families[0], second.families[0]),
        (first.kinds[0], second.kinds[0]), cross, (first.own[0], second.own[0]), first.batch_size,
    )  # fmt: skip


def within(model: str, family: str, kinds: dict[str, str], hsic: np.ndarray, batch_size: int) -> Similarity:
    """One model with itself, from HSICs (batches, layers, layers)."""
    own = np.diagonal(hsic, axis1=1, axis2=2)
    return Similarity((model, model), (family, family), (kinds, kinds), hsic, (own, own), batch_size)


def all_hsics(grams: np.ndarray) -> np.ndarray:
    """Unbiased HSIC of every two layers of one batch: Gram matrices (layers, n, n) -> (layers, layers).

    >>> rng = np.random.default_rng(0); one = rng.normal(size=(2, 8, 3)); all_hsics(one @ one.swapaxes(1, 2)).shape
    (2, 2)
    """
    vectors = packed(grams)
    return vectors @ vectors.T
