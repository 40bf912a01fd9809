"""Figure of section 1: size, cost and accuracy side by side, one panel per unit."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from helpers.models import MODELS
from helpers.plots.general import shared_legend
from helpers.plots.style import FAINT, INK, bar, figure, label
from helpers.rows import select

PANELS = {"parameters": "parameters (millions)", "macs": "MACs of one image (10⁹)"}


def size_and_cost(rows: pd.DataFrame, stated: pd.DataFrame, models: Sequence[str]) -> tuple[Axes, ...]:
    """Measured parameters and MACs (bars) with what the paper's table prints (ticks), one panel per unit.

    rows: measured rows; stated: the paper's rows of the same metrics.
    """
    _, axes = figure(6.6, 0.5 * len(models) + 1.7, columns=len(PANELS), sharey=True)
    for ax, (metric, xlabel) in zip(axes, PANELS.items(), strict=True):
        _bars(ax, select(rows, metric=metric), select(stated, metric=metric), models)
        ax.set_xlabel(xlabel)
    names = [label(model) if model in MODELS else model for model in reversed(models)]
    axes[0].set(yticks=range(len(models)), yticklabels=names)
    if axes[0].get_legend_handles_labels()[1]:
        shared_legend(axes)
    return tuple(axes)


def _bars(ax: Axes, rows: pd.DataFrame, stated: pd.DataFrame, models: Sequence[str]) -> None:
    for height, model in enumerate(reversed(models)):
        for value in select(rows, model=model).value:
            ax.barh(height, value, height=0.6, **bar(model))
            ax.text(value, height, f" {value:.2f}", va="center", fontsize=9.5)
        for value in select(stated, model=model).value:
            ax.plot(value, height, "|", color=INK, markersize=18, markeredgewidth=1.6,
                    label="the paper's table" if height == 0 else None)  # fmt: skip
    ax.set_xlim(0, 1.22 * max([1.0, *rows.value.dropna(), *stated.value.dropna()]))
    ax.grid(axis="y", visible=False)
    ax.axvline(0, color=FAINT)
