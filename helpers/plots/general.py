"""Figures that several sections share: dots with intervals, paired contrasts, sweeps, bars from a total."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.style import FAINT, INK, figure, label, line, mark
from helpers.rows import select

INTERVAL_COLOURS = (INK, "#3a7ca5", "#c08552")


def dots(
    rows: pd.DataFrame,
    models: Sequence[str],
    order: Sequence[str],
    by: str = "group",
    names: dict[str, str] | None = None,
    xlabel: str = "",
    reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One line per entry of `order` (values of column `by`), one dot with its interval per model.

    `reference`: a value marked by a vertical line (chance, 1 for an error ratio).
    """
    ax = figure(7.5, 0.42 * len(order) + 1.4)[1] if ax is None else ax
    height = {name: len(order) - 1 - i for i, name in enumerate(order)}
    if reference is not None:
        ax.axvline(reference, color=INK, linewidth=1, zorder=1)
    for step, model in enumerate(models):
        mine = rows[(rows.model == model) & rows[by].isin(height) & rows.value.notna()]
        y = mine[by].map(height).to_numpy(dtype=float) + 0.15 * ((len(models) - 1) / 2 - step)
        look = mark(model)
        ax.hlines(y, mine.ci_low, mine.ci_high, color=look["color"], linewidth=1.6, alpha=0.8, zorder=2)
        ax.plot(mine.value, y, **look, linestyle="", label=label(model), zorder=3)
    for y in range(len(order) - 1):
        ax.axhline(y + 0.5, color=FAINT, linewidth=0.6, zorder=0)
    shown = [(names or {}).get(name, name.replace("_", " ")) for name in order]
    ax.set(yticks=list(height.values()), yticklabels=shown, ylim=(-0.6, len(order) - 0.4), xlabel=xlabel)
    ax.grid(axis="y", visible=False)
    return ax


def contrasts(
    rows: pd.DataFrame, metric: str, order: Sequence[str] | None = None, by: str = "model", ax: Axes | None = None
) -> Axes:
    """Paired differences "A - B" of one metric against the line of no difference; every interval given is drawn.

    `by`: the column whose values are the lines of the figure ("model" for pairs, "group" or "dataset" for one pair).
    """
    parts = select(rows[rows.model.str.contains(" - ", regex=False)], metric=metric)
    order = list(dict.fromkeys(parts[by])) if order is None else list(order)
    units = list(dict.fromkeys(parts.resampled))
    ax = figure(8, 0.3 * len(order) * len(units) + 1.5)[1] if ax is None else ax
    ax.axvline(0, color=INK, linewidth=1)
    for height, entry in enumerate(reversed(order)):
        for step, unit in enumerate(units):
            part = select(parts, **{by: entry, "resampled": unit})
            y = height + 0.22 * ((len(units) - 1) / 2 - step)
            colour = INTERVAL_COLOURS[step % len(INTERVAL_COLOURS)]
            ax.hlines([y] * len(part), part.ci_low, part.ci_high, color=colour, linewidth=2.4)
            ax.plot(
                part.value, [y] * len(part), "o", color=colour, label=f"resampling: {unit}" if height == 0 else None
            )
    shown = [label(name) if " - " in str(name) else str(name).replace("_", " ") for name in reversed(order)]
    ax.set(yticks=range(len(order)), yticklabels=shown, ylim=(-0.6, len(order) - 0.4))
    ax.figure.legend(loc="outside lower center", ncols=1)
    return ax


def sweep(
    rows: pd.DataFrame, models: Sequence[str], transform: str, metric: str = "accuracy", ax: Axes | None = None
) -> Axes:
    """A metric against the strength of one transform, from views such as `paper.scale-1.25`."""
    ax = figure(5, 4)[1] if ax is None else ax
    pattern = rf"\.{transform}-([0-9.]+)$"
    for model in models:
        mine = select(rows, model=model, metric=metric)
        mine = mine.assign(x=mine.view.str.extract(pattern, expand=False).astype(float)).dropna(subset=["x", "value"])
        mine = mine.sort_values("x")
        has = mine.ci_low.notna()
        ax.fill_between(mine.x[has], mine.ci_low[has], mine.ci_high[has], color=line(model)["color"], alpha=0.13, lw=0)
        ax.plot(mine.x, mine.value, **{**mark(model), **line(model)}, label=label(model))
    ax.set(
        xlabel={"scale": "scale factor", "shift": "shift (pixels of the original)"}.get(transform, f"{transform} (px)")
    )
    return ax


def shared_legend(axes, columns: int = 4) -> None:
    """One legend below all panels, each entry once."""
    axes = np.atleast_1d(axes).ravel()
    entries = {name: handle for ax in axes for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    axes[0].figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns)
