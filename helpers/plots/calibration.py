"""Figures of section 4: reliability diagrams with their histograms of confidence (paper, section 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.general import shared_legend
from helpers.plots.style import INK, bar, figure, label, mark
from helpers.rows import select

BIN_METRICS = ("bin_accuracy", "bin_confidence", "bin_share")
READINGS = (
    ("ece", "ECE, 15 bins", INK, "o"),
    ("adaptive_ece", "equal-mass bins", "#3a7ca5", "s"),
    ("ece_debiased", "bias removed", "#c08552", "D"),
    ("ece_if_calibrated", "if perfectly calibrated", "#6b7280", "v"),
)


def bins(rows: pd.DataFrame, model: str, dataset: str) -> pd.DataFrame:
    """The bins of one model in order: columns accuracy, ci_low, ci_high, confidence, share (fractions), NaN if empty.

    Where the mean confidence of a bin is not known (the paper's panels) its mid-point stands in. No rows: no bins.
    """
    mine = select(rows, model=model, dataset=dataset, metric=list(BIN_METRICS))
    parts = {name: part.set_index("group") for name, part in mine.groupby("metric")}
    if not {"bin_accuracy", "bin_share"} <= set(parts):
        return pd.DataFrame(columns=["accuracy", "ci_low", "ci_high", "share", "confidence"], dtype=float)
    share = parts["bin_share"].sort_index()
    table = parts["bin_accuracy"][["value", "ci_low", "ci_high"]].rename(columns={"value": "accuracy"})
    in_percent = parts["bin_accuracy"].unit.eq("percent").any()
    table = (table / (100 if in_percent else 1)).reindex(share.index)
    table["share"] = share.value / (100 if share.unit.eq("percent").any() else 1)
    middle = pd.Series((np.arange(len(table)) + 0.5) / len(table), index=table.index)
    known = parts.get("bin_confidence")
    table["confidence"] = middle if known is None else known.value.reindex(table.index)
    return table


def reliability(rows: pd.DataFrame, model: str, dataset: str, ax: Axes | None = None) -> Axes:
    """Accuracy against confidence, one mark per bin, area by its share of images; the diagonal is perfect calibration.

    Below the diagonal the model is over-confident, above it under-confident.
    """
    ax = figure(4, 4.2)[1] if ax is None else ax
    table = bins(rows, model, dataset)
    table = table[(table.share > 0) & table.accuracy.notna()]
    colour = mark(model)["color"]
    ax.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":")
    ax.vlines(table.confidence, table.confidence, table.accuracy, color=colour, linewidth=5, alpha=0.18)
    ax.vlines(table.confidence, table.ci_low, table.ci_high, color=colour, linewidth=1.4)
    look = mark(model)
    ax.scatter(table.confidence, table.accuracy, s=14 + 200 * table.share, marker=look["marker"], zorder=3,
               facecolor=look["markerfacecolor"], edgecolor=colour, linewidth=1.4, clip_on=False)  # fmt: skip
    card = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}  # readable over an interval, too
    above = {"transform": ax.transAxes, "bbox": card, "zorder": 4}
    ax.text(0.03, 0.97, _errors(rows, model, dataset), va="top", fontsize=9.5, **above)
    ax.text(0.97, 0.06, "over-confident", ha="right", fontsize=8.5, style="italic", **above)
    ax.set_title(label(model), fontsize=10.5)
    ax.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy", xticks=np.linspace(0, 1, 6), yticks=np.linspace(0, 1, 6))
    return ax


def confidence_histogram(rows: pd.DataFrame, model: str, dataset: str, ax: Axes | None = None) -> Axes:
    """Share of images (percent) in each bin of confidence."""
    ax = figure(4, 1.6)[1] if ax is None else ax
    percent = 100 * bins(rows, model, dataset).share
    edges = np.linspace(0, 1, len(percent) + 1)
    ax.bar(edges[:-1], percent, width=np.diff(edges) if len(percent) else 0.1, align="edge", **bar(model))
    ax.set(xlim=(0, 1), xlabel="confidence", ylabel="% of images", xticks=np.linspace(0, 1, 6))
    return ax


def panels(rows: pd.DataFrame, models: Sequence[str], dataset: str, title: str = "") -> np.ndarray:
    """Reliability diagram over histogram for every model, two models side by side; returns the axes (rows, 2)."""
    deep = max(1, (len(models) + 1) // 2)
    fig, axes = figure(6.6, 5.0 * deep + 0.3, columns=2, rows=2 * deep, height_ratios=[3.2, 1] * deep, squeeze=False)
    for i, model in enumerate(models):
        row, column = 2 * (i // 2), i % 2
        reliability(rows, model, dataset, axes[row, column])
        confidence_histogram(rows, model, dataset, axes[row + 1, column])
    for ax in axes[-2:, 1] if len(models) % 2 else ():
        ax.set_axis_off()
    if title:
        fig.suptitle(title, fontsize=12, fontweight="bold", x=0.02, ha="left")
    return axes


def signed_gaps(rows: pd.DataFrame, models: Sequence[str], ax: Axes | None = None) -> Axes:
    """Mean confidence minus accuracy with its interval: right of zero over-confident, left under-confident."""
    gaps = select(rows, metric="signed_gap", group="overall", model=list(models))
    ax = figure(6.6, 0.5 * len(models) + 1.2)[1] if ax is None else ax
    ax.axvline(0, color=INK, linewidth=1.2)
    for height, model in enumerate(reversed(models)):
        part, look = select(gaps, model=model), mark(model)
        ax.hlines([height] * len(part), part.ci_low, part.ci_high, color=look["color"], linewidth=2.4)
        ax.plot(part.value, [height] * len(part), **look, linestyle="", zorder=3)
    ax.set(yticks=range(len(models)), yticklabels=[label(model) for model in reversed(models)])
    ends = [0.02, *gaps.ci_low.abs().dropna(), *gaps.ci_high.abs().dropna()]
    ax.set(xlim=(-1.1 * max(ends), 1.1 * max(ends)), ylim=(-0.6, len(models) - 0.4))
    ax.set_xlabel("under-confident  ←  confidence − accuracy (fraction)  →  over-confident")
    return ax


def ece_readings(rows: pd.DataFrame, models: Sequence[str], ax: Axes | None = None) -> Axes:
    """ECE as it is usually given, without its bias, and what a perfectly calibrated model would show at this n."""
    ax = figure(6.6, 0.75 * len(models) + 1.7)[1] if ax is None else ax
    for step, (metric, name, colour, shape) in enumerate(READINGS):
        for height, model in enumerate(reversed(models)):
            part = select(rows, model=model, metric=metric, group="overall")
            y = height + 0.18 * (1.5 - step)
            ax.hlines([y] * len(part), part.ci_low, part.ci_high, color=colour, linewidth=2)
            ax.plot(part.value, [y] * len(part), shape, color=colour, label=name if height == 0 else None)
    ax.set(yticks=range(len(models)), yticklabels=[label(model) for model in reversed(models)], xlabel="ECE (fraction)")
    ax.set_xlim(left=0)
    shared_legend(ax, columns=2)
    return ax


def _errors(rows: pd.DataFrame, model: str, dataset: str) -> str:
    """Two short lines: ECE and signed gap, as far as there are rows."""
    lines = []
    for metric, name, form in (("ece", "ECE", "{:.3f}"), ("signed_gap", "gap", "{:+.3f}")):
        part = select(rows, model=model, dataset=dataset, metric=metric, group="overall")
        lines += [f"{name} {form.format(part.value.iloc[0])}"] if len(part) else []
    return "\n".join(lines)
