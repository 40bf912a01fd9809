"""Differences of the twins over the seeds of their training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.plots.instrument import DEMO
from helpers.plots.style import FAINT, INK, figure, label

SHOWN = "#0f6f78"
OTHERS = ("D", "^", "v", "s", "P")  # marks of the other seeds, hollow


def seed_columns(table: pd.DataFrame) -> list[str]:
    """Columns of the other seeds in a table of `words.seeds.contrasts`.

    >>> seed_columns(pd.DataFrame(columns=["value", "seed 1", "seed 2"]))
    ['seed 1', 'seed 2']
    """
    return [name for name in table.columns if name.startswith("seed ")]


def spread(table: pd.DataFrame, title: str) -> np.ndarray | None:
    """One panel per pair "A - B", one line per item: the shown seed with its interval, other seeds as hollow marks.

    `table`: of `words.seeds.contrasts`; `title`: the property with its unit. Returns the axes;
    None, and no figure, for a table without rows.
    """
    if table.empty:
        return None
    pairs, items = list(dict.fromkeys(table.model)), list(dict.fromkeys(table.item))
    drawn, axes = figure(6.6, (0.3 * len(items) + 0.9) * len(pairs) + 1, rows=len(pairs), squeeze=False)
    axes = axes.T  # one above the other, readable on a phone
    seeds = seed_columns(table)
    height = {name: len(items) - 1 - at for at, name in enumerate(items)}
    for ax, pair in zip(axes[0], pairs, strict=True):
        mine = table[table.model == pair]
        y = mine.item.map(height).to_numpy()
        ax.axvline(0, color=INK, linewidth=1)
        ax.hlines(y, mine.ci_low.astype(float), mine.ci_high.astype(float), color=SHOWN, linewidth=2, alpha=0.6)
        ax.scatter(mine.value, y, color=SHOWN, s=34, zorder=3)
        for mark, seed in zip(OTHERS, seeds, strict=False):
            ax.scatter(mine[seed], y, marker=mark, facecolors="white", edgecolors=INK, s=26, zorder=4, label=seed)
        for line in range(len(items) - 1):
            ax.axhline(line + 0.5, color=FAINT, linewidth=0.6, zorder=0)
        ax.set(yticks=list(height.values()), yticklabels=list(height), ylim=(-0.6, len(items) - 0.4), xlabel=title)
        ax.set_title(label(pair).replace(" twin", ""), fontsize=10.5)
        ax.grid(axis="y", visible=False)
    axes[0][0].scatter([], [], color=SHOWN, s=34, label="shown seed, interval over images")
    handles, names = axes[0][0].get_legend_handles_labels()
    drawn.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=2)
    drawn.suptitle(f"Seeds of training {DEMO}", x=0.01, ha="left", fontsize=12, fontweight="bold")
    return axes
