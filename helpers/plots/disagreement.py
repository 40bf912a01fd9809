"""Figure of the shape biases drawn in the paper against those of the released decisions."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.style import INK, figure, label, mark


def figure_against_decisions(table: pd.DataFrame, model: str, ax: Axes | None = None) -> Axes:
    """Per category: the paper's marker (cross) and the released decisions with their Wilson interval (mark).

    `table`: columns category, figure, released, ci_low, ci_high (fractions); "all, pooled" comes last.
    """
    ax = figure(6.4, 0.34 * len(table) + 1.6)[1] if ax is None else ax
    heights = range(len(table) - 1, -1, -1)
    look = mark(model)
    ax.hlines(list(heights), table.ci_low, table.ci_high, color=look["color"], linewidth=1.6)
    ax.plot(table.released, list(heights), **look, linestyle="", label=f"{label(model)}, released decisions")
    ax.plot(table.figure, list(heights), "x", color=INK, markeredgewidth=2, label="the paper's figure")
    ax.set(yticks=list(heights), yticklabels=table.category, xlim=(-0.02, 1.02), xlabel="shape bias")
    ax.figure.legend(loc="outside lower center", ncols=2)
    return ax
