"""Figures over all sections: the four models at a glance, and the verdicts by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots.style import FAINT, INK, figure, label, mark

VERDICT_MARKS = {
    "holds": ("o", "#2f7d55", "#2f7d55"), "contradicted": ("X", "#b3261e", "#b3261e"),
    "within noise": ("o", "white", "#8a5a00"), "not decidable": ("D", "white", "#5b6472"),
    "not run": ("_", "#8b9099", "#8b9099"),
}  # fmt: skip


def at_a_glance(panels: Mapping[str, pd.DataFrame], models: Sequence[str], columns: int = 2) -> Figure:
    """One small panel per property, each with its own axis: the four models with their intervals.

    `panels`: {title with unit: frame with columns model, value, ci_low, ci_high}. No two panels share a unit.
    """
    lines = -(-len(panels) // columns)
    drawn, axes = figure(5.8, 1.28 * lines + 0.7, columns=columns, rows=lines, squeeze=False)
    for ax, (title, rows) in zip(axes.ravel(), panels.items(), strict=False):
        for y, model in enumerate(reversed(models)):
            part = rows[rows.model == model]
            look = {**mark(model), "markersize": 6.5}
            ax.axhline(y, color=FAINT, linewidth=0.5, zorder=0)
            ax.hlines([y] * len(part), part.ci_low, part.ci_high, color=look["color"], linewidth=2)
            ax.plot(part.value, [y] * len(part), **look, linestyle="", label=label(model), zorder=3)
        ax.set_title(title, fontsize=10)
        ax.set(yticks=[], ylim=(-0.7, len(models) - 0.3))
        ax.margins(x=0.1)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="x", labelsize=9.5)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    handles = dict(zip(*reversed(axes[0, 0].get_legend_handles_labels()), strict=True))
    names = [label(model) for model in models]
    drawn.legend([handles[name] for name in names], names, loc="outside lower center", ncols=2)
    return drawn


def verdicts(ledger: pd.DataFrame, sections: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """One mark per claim in the line of its section; shape and filling tell the verdict.

    `ledger`: rows of one source; `sections`: {section: title} in the order of the lines.
    """
    lines = [name for name in sections if (ledger.section == name).any()]
    ax = figure(6.4, 0.42 * len(lines) + 1.5)[1] if ax is None else ax
    for y, name in enumerate(reversed(lines)):
        found = ledger[ledger.section == name].verdict
        order = sorted(found, key=list(VERDICT_MARKS).index)
        for x, verdict in enumerate(order):
            shape, face, edge = VERDICT_MARKS[verdict]
            ax.plot(x, y, shape, markersize=11, markerfacecolor=face, markeredgecolor=edge, markeredgewidth=2)
    for verdict in [name for name in VERDICT_MARKS if (ledger.verdict == name).any()]:
        shape, face, edge = VERDICT_MARKS[verdict]
        ax.plot([], [], shape, markersize=9, markerfacecolor=face, markeredgecolor=edge, markeredgewidth=2,
                linestyle="", label=f"{verdict} ({(ledger.verdict == verdict).sum()})")  # fmt: skip
    most = max((ledger.section == name).sum() for name in lines)
    ax.set(yticks=range(len(lines)), yticklabels=[sections[name] for name in reversed(lines)], xticks=[])
    ax.set(xlim=(-0.6, most - 0.4), ylim=(-0.6, len(lines) - 0.4))
    ax.grid(visible=False)
    ax.spines[["bottom", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0, colors=INK)
    ax.figure.legend(loc="outside lower center", ncols=2)
    return ax
