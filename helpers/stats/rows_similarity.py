"""Result rows of CKA: how alike early, middle and late layers are, within and between models, by batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.similarity import Similarity, jackknife_interval
from helpers.stats.contrasts import pairs_among
from helpers.stats.estimates import finished

PARTS = ("early", "middle", "late")
SAME_DEPTH = "same depth"
CONTRASTED = ("early ~ late",)
DECIMALS = 9  # Gram matrices are made in single precision: what is behind is noise, and 1 is 1


def similarity_rows(
    pairs: Mapping[tuple[str, str], Similarity],
    dataset: str,
    view: str = "paper.eval",
    contrasts: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Mean CKA of thirds of the layers of each panel, and of layers at the same depth; `layers` counts them.

    Group "panel: early ~ late" is the mean over every first-third and last-third layer, of one model with itself
    (a layer with itself left out) or of the first of "a ~ b" with the second; "panel: same depth" the mean of layers at
    the same relative depth. "a - b" are differences of two models (of `contrasts`, else those of the 2x2) in
    "early ~ late", paired over batches. Intervals: jackknife over batches. No value where a layer's own HSIC is not
    positive.

    >>> rng = np.random.default_rng(0); hsic = np.stack([np.eye(6) + 0.5 + 0.1 * k for k in range(3)])
    >>> from helpers.similarity import within
    >>> one = within("vit_sup", "vit", {f"blocks.{i}.attn": "attention" for i in range(6)}, hsic, 8)
    >>> rows = similarity_rows({("vit_sup", "vit_sup"): one}, "toy")
    >>> found = rows[rows.group == "attention: early ~ late"].iloc[0]; round(float(found.value), 3), int(found.n)
    (0.375, 24)
    """
    rows: list[dict] = []
    summaries: dict[tuple[str, str], dict[str, tuple]] = {}
    for similarity in pairs.values():
        for panel in _shown_panels(similarity):
            part = similarity.panel(panel)
            values = _summaries(part)
            base = _base(part, dataset, view)
            rows += [_row(base, f"{panel}: {group}", *found) for group, found in values.items()]
            if part.models[0] == part.models[1]:
                summaries[part.name, panel] = values
                rows.append(_count(base, panel, len(part.kinds[0])))
    models = [a for a, b in pairs if a == b]
    sizes = {similarity.name: similarity for similarity in pairs.values()}
    for first, second in pairs_among(models, contrasts):
        rows += _contrasts(sizes[first], sizes[second], summaries, dataset, view)
    return finished(rows)


def _shown_panels(similarity: Similarity) -> list[str]:
    """Panels in which both models have layers ("linear" of a network may be empty)."""
    return [name for name in similarity.panels if all(similarity.panel(name).cross.shape[1:])]


def _summaries(similarity: Similarity) -> dict[str, tuple[float, np.ndarray]]:
    """{group: (value, values with one batch left out)}."""
    value, left_out = similarity.matrix(), similarity.left_out()
    return {name: (float(mean(value[None])[0]), mean(left_out)) for name, mean in _means(similarity).items()}


def _means(similarity: Similarity) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Group -> mean of some entries of matrices (..., layers a, layers b)."""
    rows, columns = similarity.cross.shape[1:]
    alone = similarity.models[0] == similarity.models[1]
    masks = {}
    for i, (first, of_rows) in enumerate(thirds(rows).items()):
        for j, (second, of_columns) in enumerate(thirds(columns).items()):
            mask = np.zeros((rows, columns), dtype=bool)
            mask[np.ix_(of_rows, of_columns)] = True
            masks[f"{first} ~ {second}"] = np.triu(mask, 1) if alone else mask
            if alone and j < i:
                del masks[f"{first} ~ {second}"]
    if not alone:
        masks[SAME_DEPTH] = same_depth(rows, columns)
    return {name: _mean_over(mask) for name, mask in masks.items() if mask.any()}


def _mean_over(mask: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda matrices: (matrices[:, mask]).mean(axis=1)


def thirds(layers: int) -> dict[str, np.ndarray]:
    """Positions of the early, middle and late layers, as equal in number as can be.

    >>> {name: part.tolist() for name, part in thirds(7).items()}
    {'early': [0, 1, 2], 'middle': [3, 4], 'late': [5, 6]}
    """
    return dict(zip(PARTS, np.array_split(np.arange(layers), len(PARTS)), strict=True))


def same_depth(rows: int, columns: int) -> np.ndarray:
    """Which layers of two networks stand at the same relative depth: bool (rows, columns), each layer at least once.

    >>> same_depth(2, 4).astype(int).tolist()
    [[1, 1, 0, 0], [0, 0, 1, 1]]
    """
    most = max(rows, columns)
    middle = (np.arange(most) + 0.5) / most
    mask = np.zeros((rows, columns), dtype=bool)
    mask[(middle * rows).astype(int), (middle * columns).astype(int)] = True
    return mask


def _contrasts(first: Similarity, second: Similarity, summaries: Mapping, dataset: str, view: str) -> list[dict]:
    rows = []
    for panel in first.panels:
        found, other = (summaries.get((each.name, panel), {}) for each in (first, second))
        for group in CONTRASTED:
            if group in found and group in other:
                (a, left_a), (b, left_b) = found[group], other[group]
                base = _base(first, dataset, view) | {"model": f"{first.name} - {second.name}"}
                rows.append(_row(base, f"{panel}: {group}", a - b, left_a - left_b))
    return rows


def _base(similarity: Similarity, dataset: str, view: str) -> dict:
    return {"model": similarity.name, "dataset": dataset, "view": view, "n": similarity.n}


def _row(base: dict, group: str, value: float, left_out: np.ndarray) -> dict:
    low, high = jackknife_interval(value, left_out)
    value, low, high = (round(float(each), DECIMALS) if np.isfinite(each) else None for each in (value, low, high))
    if value is None or low is None:
        low = high = None
    return {
        **base, "metric": "cka", "group": group, "value": value, "ci_low": low, "ci_high": high, "unit": "fraction",
        "resampled": "batch",
    }  # fmt: skip


def _count(base: dict, panel: str, layers: int) -> dict:
    return {
        **base, "metric": "layers", "group": panel, "value": float(layers), "ci_low": None, "ci_high": None,
        "n": None, "unit": "count", "resampled": "none",
    }  # fmt: skip
