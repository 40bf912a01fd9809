"""The 2 x 2 as a figure: architecture, paradigm and interaction of every property, one panel per unit."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots.style import FAINT, INK, figure

UNITS = {
    "points": "points of accuracy", "log_odds": "log-odds of accuracy", "ratio": "ratio", "fraction": "plain number",
}  # fmt: skip
LOOKS = {
    "architecture": ("o", INK, "architecture: ViT − ConvNeXt"),
    "paradigm": ("s", "#3a7ca5", "paradigm: CLIP − supervised"),
    "interaction": ("D", "#b5651d", "interaction: architecture under CLIP − under supervision"),
}
FLAG = "accuracy_scale_dependent"


def panels(rows: pd.DataFrame, name: Callable[[object], str], note: str = "") -> Figure:
    """One panel per unit, one line per property, three marks a line with their intervals; "†" flags an interaction.

    `rows`: of `paper.two_by_two.effect_rows`; `name(row)` says what a property is called; `note` ends the title.
    """
    units = [unit for unit in UNITS if ((rows.unit == unit) & rows.model.isin(LOOKS)).any()]
    lines = {unit: _lines(rows, unit) for unit in units}
    heights = [len(lines[unit]) + 1.2 for unit in units]
    drawn, axes = figure(6.6, 0.37 * sum(heights) + 1.2, rows=len(units), squeeze=False, height_ratios=heights)
    for ax, unit in zip(axes[:, 0], units, strict=True):
        _panel(rows[rows.unit == unit], lines[unit], name, ax)
        ax.set_title(f"In {UNITS[unit]}{note}" if unit != "fraction" else f"As plain numbers{note}")
    flagged = ((rows.metric == FLAG) & (rows.value == 1)).any()
    handles = axes[0, 0].get_legend_handles_labels()
    title = "† the interaction has another sign on the other scale" if flagged else None
    drawn.legend(*handles, loc="outside lower center", ncols=1, title=title)
    return drawn


def _lines(rows: pd.DataFrame, unit: str) -> list[tuple]:
    mine = rows[(rows.unit == unit) & rows.model.isin(LOOKS)]
    return list(dict.fromkeys(zip(mine.dataset, mine.metric, mine.group, strict=True)))


def _panel(rows: pd.DataFrame, lines: list[tuple], name: Callable, ax: Axes) -> None:
    ax.axvline(0, color=INK, linewidth=1)
    for step, (effect, (shape, colour, text)) in enumerate(LOOKS.items()):
        mine = rows[rows.model == effect].set_index(["dataset", "metric", "group"])
        for at, key in enumerate(reversed(lines)):
            if key not in mine.index:
                continue
            row, y = mine.loc[key], at + 0.26 * (1 - step)
            ax.hlines(y, row.ci_low, row.ci_high, color=colour, linewidth=1.6)
            hollow = "white" if pd.isna(row.ci_low) else colour
            ax.plot(row.value, y, shape, color=colour, markersize=5, markerfacecolor=hollow, zorder=3)
        ax.plot([], [], shape, color=colour, label=text)
    first = rows.drop_duplicates(["dataset", "metric", "group"]).set_index(["dataset", "metric", "group"], drop=False)
    ax.set(yticks=range(len(lines)), yticklabels=[name(first.loc[key]) for key in reversed(lines)])
    ax.set_ylim(-0.6, len(lines) - 0.4)
    for y in range(len(lines) - 1):
        ax.axhline(y + 0.5, color=FAINT, linewidth=0.6, zorder=0)
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="both", labelsize=9.5)
    ax.locator_params(axis="x", nbins=7)
