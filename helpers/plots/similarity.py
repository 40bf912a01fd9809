"""Figures of section 9: CKA of every two layers as heat maps on one colour scale, and their summary by thirds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from helpers.plots.general import dots, shared_legend
from helpers.plots.style import figure, label, spec_of
from helpers.similarity import Similarity, stage_of

COLOURS, UNDEFINED = "viridis", "#b9bec6"
EVERY = 4  # of more than six blocks one in four is named
SIDE = 3.1  # inches of a panel
PANELS = ("all", "conv", "attention", "linear", "norm")
FAMILIES = {"convnext": "ConvNeXt", "vit": "ViT"}


def figures(pairs: Mapping[tuple[str, str], Similarity], note: str) -> list[Figure]:
    """Each model with itself, a figure a family; models of one architecture; of one paradigm in two architectures.

    `note` ends each title: the profile, or that it is the demo.
    """
    alone = [one for (first, second), one in pairs.items() if first == second]
    others = [one for (first, second), one in pairs.items() if first != second]
    families = list(dict.fromkeys(one.families[0] for one in alone))
    wanted = {
        f"{FAMILIES.get(family, family)}: layers of one model": [one for one in alone if one.families[0] == family]
        for family in families
    }
    wanted["One architecture, two models"] = [one for one in others if len(set(one.families)) == 1]
    wanted["One paradigm, two architectures"] = [
        one for one in others if len(set(one.families)) == 2 and _one_paradigm(one)
    ]
    return [grid(some, f"{title} {note}") for title, some in wanted.items() if some]


def _one_paradigm(one: Similarity) -> bool:
    first, second = (spec_of(model).paradigm for model in one.models)
    return first == second


def grid(pairs: Sequence[Similarity], title: str) -> Figure:
    """CKA of every two layers from the lower left, a column a pair (or a model with itself), a row a panel."""
    columns, rows = len(pairs), max(len(one.panels) for one in pairs)
    drawn, axes = figure(SIDE * columns + 0.7, SIDE * rows + 1.0, columns=columns, rows=rows, squeeze=False)
    for ax in axes.ravel():
        ax.set_axis_off()
    for column, one in zip(axes.T, pairs, strict=True):
        for ax, panel in zip(column, one.panels, strict=False):
            part = one.panel(panel)
            heat_map(part, ax)
            ax.set_title(f"{panel}: {' × '.join(map(str, part.cross.shape[1:]))}", fontsize=10)
            if one.models[0] != one.models[1]:
                ax.set_ylabel(label(one.models[0]), fontsize=9)
                ax.set_xlabel(label(one.models[1]), fontsize=9)
        if one.models[0] == one.models[1]:
            column[0].set_title(f"{label(one.models[0])}\n{column[0].get_title(loc='left')}", fontsize=10)
    drawn.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    scale = ScalarMappable(Normalize(0, 1), COLOURS)
    drawn.colorbar(scale, ax=axes, label="CKA", location="bottom", fraction=0.015, pad=0.01, aspect=45)
    return drawn


def heat_map(similarity: Similarity, ax: Axes) -> Axes:
    """CKA from 0 (dark) to 1 (bright), layers named by their stage or block; grey where a layer has no CKA."""
    import matplotlib as mpl

    colours = mpl.colormaps[COLOURS].with_extremes(bad=UNDEFINED)
    # The estimator is unbiased: values below 0 occur, and take the colour of 0.
    ax.imshow(similarity.matrix(), origin="lower", vmin=0, vmax=1, cmap=colours, interpolation="nearest", aspect="auto")
    ax.set_axis_on()
    ax.set_box_aspect(1)
    ax.grid(visible=False)
    for axis, family, kinds in zip((ax.yaxis, ax.xaxis), similarity.families, similarity.kinds, strict=True):
        places, names = stages(family, list(kinds))
        axis.set_ticks(places, names, fontsize=8.5)
    ax.tick_params(axis="x", rotation=90, length=2)
    ax.tick_params(axis="y", length=2)
    return ax


def stages(family: str, layers: Sequence[str]) -> tuple[list[float], list[str]]:
    """Middle of each stage (or of some of the blocks) among the layers, and what it is called.

    >>> stages("convnext", ["stem.0", "stages.0.blocks.0.conv_dw", "stages.0.blocks.1.conv_dw"])
    ([0.0, 1.5], ['stem', 'stage 1'])
    """
    names = [stage_of(family, layer) for layer in layers]
    edges = [0, *(i for i, (a, b) in enumerate(pairwise(names), start=1) if a != b), len(names)]
    found = [(names[start], (start + stop - 1) / 2) for start, stop in pairwise(edges)]
    blocks = [name for name, _ in found if name.startswith("block")]
    if len(blocks) > EVERY + 2:
        kept = {name for i, name in enumerate(blocks, start=1) if i == 1 or i % EVERY == 0}
        found = [(name, place) for name, place in found if name in kept]
    else:
        found = _apart(found, len(names))
    return [place for _, place in found], [name for name, _ in found]


def _apart(found: list[tuple[str, float]], layers: int) -> list[tuple[str, float]]:
    """Without names that would stand on another: the stem and the head of a network with many layers."""
    least = layers / 18
    kept = list(found)
    if len(kept) > 1 and kept[1][1] - kept[0][1] < least:
        kept = kept[1:]
    return kept[:-1] if len(kept) > 1 and kept[-1][1] - kept[-2][1] < least else kept


def early_late(rows: pd.DataFrame, models: Sequence[str], ax: Axes | None = None) -> Axes:
    """Mean CKA of the first third of the layers with the last, a line a panel, a mark a model with its interval."""
    groups = {f"{panel}: early ~ late": panel for panel in PANELS}
    there = [group for group in groups if group in set(rows.group[rows.model.isin(models)])]
    ax = figure(6.8, 0.62 * max(1, len(there)) + 1.6)[1] if ax is None else ax
    dots(rows[rows.metric == "cka"], models, there, names=groups, xlabel="mean CKA of early with late layers", ax=ax)
    values = rows[rows.group.isin(there) & rows.model.isin(models)]
    low = np.nanmin([0.0, *values.ci_low.dropna(), *values.value.dropna()])
    ax.set_xlim(low - 0.02, 1.02)
    shared_legend(ax)
    return ax
