"""Head or representation? Differences CLIP minus supervised under one head and another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots.style import FAINT, INK, figure, label, spec_of
from helpers.rows import select

PANELS = {
    "accuracy": "accuracy (points)", "ece": "ECE", "signed_gap": "confidence − accuracy", "shape_bias": "shape bias",
    "error_ratio": "mean error ratio",
}  # fmt: skip


def differences(rows: pd.DataFrame, heads: Sequence[str], note: str = "") -> Figure:
    """One panel per metric: CLIP minus supervised of each architecture, a line per head, with 95 % intervals.

    `rows`: of `stats.head_rows`, one data set a metric; `note` ends the titles. Without two models of one architecture
    an empty panel says so.
    """
    mine = rows[rows.model.str.contains(" - ", regex=False) & rows.group.isin(heads)]
    metrics = [metric for metric in PANELS if (mine.metric == metric).any()]
    drawn, axes = figure(6.4, 1.9 * len(metrics) + 0.8, rows=max(len(metrics), 1), squeeze=False)
    if not metrics:
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, "no architecture here has both models", ha="center")
        return drawn
    for ax, metric in zip(axes[:, 0], metrics, strict=True):
        _panel(
            select(mine, metric=metric),
            [head for head in heads if ((mine.metric == metric) & (mine.group == head)).any()],
            ax,
        )
        ax.set_title(f"CLIP − supervised: {PANELS[metric]}{note}")
    handles = axes[0, 0].get_legend_handles_labels()
    drawn.legend(*handles, loc="outside lower center", ncols=1)
    return drawn


def _panel(rows: pd.DataFrame, heads: Sequence[str], ax: Axes) -> None:
    ax.axvline(0, color=INK, linewidth=1)
    for step, pair in enumerate(dict.fromkeys(rows.model)):
        spec = spec_of(pair.split(" - ")[0])
        part = rows[rows.model == pair].set_index("group")
        ax.plot([], [], spec.marker, color=spec.colour, label=label(pair))
        for at, head in enumerate(reversed(heads)):
            if head in part.index:
                row, y = part.loc[head], at + (0.14, -0.14)[step % 2]
                ax.hlines(y, row.ci_low, row.ci_high, color=spec.colour, linewidth=1.8)
                ax.plot(row.value, y, spec.marker, color=spec.colour, markersize=6, zorder=3)
    for y in range(len(heads) - 1):
        ax.axhline(y + 0.5, color=FAINT, linewidth=0.6, zorder=0)
    ax.set(yticks=range(len(heads)), yticklabels=list(reversed(heads)), ylim=(-0.6, len(heads) - 0.4))
    ax.grid(axis="y", visible=False)
    ax.locator_params(axis="x", nbins=6)
