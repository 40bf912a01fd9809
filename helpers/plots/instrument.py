"""Instrument checks: planted truth against what was measured, one panel per metric."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.style import INK, figure, metric_name

INSIDE, OUTSIDE, NO_INTERVAL = "#2f7d55", "#b42318", "#6b7280"
DEMO = "(demo: drawn world)"
WIDEST = 2  # panels in a row: readable at phone width


def planted(frame: pd.DataFrame, title: str = "Planted against measured") -> np.ndarray:
    """One panel per metric and unit: planted value across, measured value with its interval up, the line of equality.

    `frame`: of `instrument.check`. A filled green mark holds the truth in its interval, a hollow red one does not; grey
    marks have no interval. Returns the axes.
    """
    metrics = list(dict.fromkeys(zip(frame.metric, frame.unit, strict=True)))
    columns = min(WIDEST, len(metrics))
    rows = -(-len(metrics) // columns)
    drawn, axes = figure(3.5 * columns, 3.3 * rows + 0.7, columns=columns, rows=rows, squeeze=False)
    for ax, (metric, unit) in zip(axes.ravel(), metrics, strict=False):
        _panel(frame[(frame.metric == metric) & (frame.unit == unit)], metric, ax)
    for ax in axes.ravel()[len(metrics) :]:
        ax.set_axis_off()
    drawn.suptitle(f"{title} {DEMO}", x=0.01, ha="left", fontsize=12, fontweight="bold")
    handles = {
        name: handle for ax in axes.ravel() for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    return axes


def _panel(part: pd.DataFrame, metric: str, ax: Axes) -> None:
    low, high = np.nanmin([part.planted, part.value]), np.nanmax([part.planted, part.value])
    margin = 0.06 * (high - low or 1)
    ends = low - margin, high + margin
    ax.plot(ends, ends, color=INK, linewidth=1, zorder=1)
    kinds = (
        ("interval holds the truth", part[part.inside == True], INSIDE, "o", INSIDE),  # noqa: E712 (None too)
        ("interval misses the truth", part[part.inside == False], OUTSIDE, "D", "white"),  # noqa: E712
        ("no interval", part[part.inside.isna()], NO_INTERVAL, "x", NO_INTERVAL),
    )
    for name, kind, colour, shape, fill in kinds:
        has = kind[kind.ci_low.notna()]
        ax.vlines(has.planted, has.ci_low.astype(float), has.ci_high.astype(float), color=colour, linewidth=1.6)
        if len(kind):
            ax.plot(kind.planted, kind.value, shape, color=colour, markerfacecolor=fill, markersize=6, label=name)
    unit = part.unit.iloc[0]
    suffix = {"percent": " (%)", "points": " (points)"}.get(unit, "")
    ax.set(xlabel="planted", ylabel="measured", xlim=ends, title=metric_name(metric) + suffix)
