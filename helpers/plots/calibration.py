"""Figures of section 4: reliability diagrams with their histograms of confidence (paper, section 4.4)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.models import MODELS
from helpers.plots.style import INK, figure, label, mark
from helpers.rows import select

BIN_METRICS = ("bin_accuracy", "bin_confidence", "bin_share")


def bins(rows: pd.DataFrame, model: str, dataset: str) -> pd.DataFrame:
    """The bins of one model in order: columns accuracy, ci_low, ci_high, confidence, share (fractions), NaN if empty.

    Where the mean confidence of a bin is not known (the paper's panels) its mid-point stands in.
    """
    mine = select(rows, model=model, dataset=dataset, metric=list(BIN_METRICS))
    parts = {name: part.set_index("group") for name, part in mine.groupby("metric")}
    table = parts["bin_accuracy"][["value", "ci_low", "ci_high"]].rename(columns={"value": "accuracy"})
    in_percent = parts["bin_accuracy"].unit.eq("percent").any()
    table = (table / (100 if in_percent else 1)).sort_index()
    share = parts["bin_share"]
    table["share"] = share.value / (100 if share.unit.eq("percent").any() else 1)
    middle = (np.arange(len(table)) + 0.5) / len(table)
    known = parts.get("bin_confidence")
    table["confidence"] = middle if known is None else known.value.reindex(table.index)
    return table[table.share > 0]


def reliability(rows: pd.DataFrame, model: str, dataset: str, ax: Axes | None = None) -> Axes:
    """Accuracy against confidence, one dot per bin, area by its share of images; the diagonal is perfect calibration.

    Below the diagonal the model is over-confident, above it under-confident.
    """
    ax = figure(4, 4.2)[1] if ax is None else ax
    table = bins(rows, model, dataset)
    colour = MODELS[model].colour
    ax.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":")
    ax.vlines(table.confidence, table.confidence, table.accuracy, color=colour, linewidth=5, alpha=0.18)
    ax.vlines(table.confidence, table.ci_low, table.ci_high, color=colour, linewidth=1.4)
    look = mark(model)
    ax.scatter(table.confidence, table.accuracy, s=12 + 260 * table.share, marker=look["marker"], zorder=3,
               facecolor=look["markerfacecolor"], edgecolor=colour, linewidth=1.4)  # fmt: skip
    ece = select(rows, model=model, dataset=dataset, metric="ece", group="overall")
    value = f"  ECE {ece.value.iloc[0]:.3f}" if len(ece) else ""
    ax.set_title(f"{label(model)}{value}", fontsize=10.5)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy", aspect="equal")
    return ax


def confidence_histogram(rows: pd.DataFrame, model: str, dataset: str, ax: Axes | None = None) -> Axes:
    """Share of images (percent) in each bin of confidence."""
    ax = figure(4, 1.6)[1] if ax is None else ax
    share = select(rows, model=model, dataset=dataset, metric="bin_share").sort_values("group")
    percent = share.value * (1 if share.unit.eq("percent").any() else 100)
    edges = np.linspace(0, 1, len(share) + 1)
    ax.bar(edges[:-1], percent, width=np.diff(edges), align="edge", color=MODELS[model].colour, edgecolor="white")
    ax.set(xlim=(0, 1), xlabel="confidence", ylabel="% of images")
    return ax


def ece_readings(rows: pd.DataFrame, models: tuple[str, ...], ax: Axes | None = None) -> Axes:
    """ECE as it is usually given, without its bias, and what a perfectly calibrated model would show at this n."""
    ax = figure(7.5, 0.7 * len(models) + 1.6)[1] if ax is None else ax
    readings = (
        ("ece", "ECE, 15 bins", INK, "o"),
        ("adaptive_ece", "equal-mass bins", "#3a7ca5", "s"),
        ("ece_debiased", "bias removed", "#c08552", "D"),
        ("ece_if_calibrated", "if perfectly calibrated", "#8b9099", "v"),
    )
    for step, (metric, name, colour, shape) in enumerate(readings):
        for height, model in enumerate(reversed(models)):
            part = select(rows, model=model, metric=metric, group="overall")
            y = height + 0.18 * (1.5 - step)
            ax.hlines([y] * len(part), part.ci_low, part.ci_high, color=colour, linewidth=2)
            ax.plot(part.value, [y] * len(part), shape, color=colour, label=name if height == 0 else None)
    ax.set(yticks=range(len(models)), yticklabels=[label(model) for model in reversed(models)], xlabel="ECE (fraction)")
    ax.set_xlim(left=0)
    ax.figure.legend(loc="outside lower center", ncols=4)
    return ax
