"""Connections between properties: what rests on the same images, and what rests on four models only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.plots.style import FAINT, INK, figure, label, mark

RANGE, WEAK = "#c9ced6", "#8a5a00"
PEOPLE = "humans"


def connections(found: Mapping[str, pd.DataFrame], scatters: Sequence[tuple[str, str, str, str]]) -> Figure:
    """Kappa with its attainable range; gaps on two sets; scatters of four models. Each panel says what it can carry.

    `found`: tables "kappas", "gaps" and "across"; `scatters`: (column, title, column, title) of "across". A scatter
    without all four models is left out.
    """
    table = found["across"]
    drawable = [each for each in scatters if len(table[[each[0], each[2]]].dropna()) == len(table)]
    kappas = found["kappas"]
    heights = [0.36 * len(kappas) + 1.2, 2.6, *[2.9] * len(drawable)]
    drawn, axes = figure(6.4, sum(heights) + 0.9, rows=len(heights), squeeze=False, height_ratios=heights)
    same_images(kappas, axes[0, 0])
    two_sets(found["gaps"], axes[1, 0])
    for ax, each in zip(axes[2:, 0], drawable, strict=True):
        four_models(table, *each, ax)
    handles = {name: handle for ax in axes[1:, 0] for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=2)
    return drawn


def same_images(kappas: pd.DataFrame, ax: Axes) -> Axes:
    """Kappa of every pair with its interval, on the bar of what was attainable; 0 is chance."""
    ax.axvline(0, color=INK, linewidth=1)
    for y, row in enumerate(reversed(list(kappas.itertuples()))):
        ax.barh(y, row.kappa_max - row.kappa_min, left=row.kappa_min, height=0.5, color=RANGE)
        ax.hlines(y, row.ci_low, row.ci_high, color=INK, linewidth=2)
        ax.plot(row.value, y, "o", color=INK, markersize=5)
    names = [
        " ~ ".join("people" if part == PEOPLE else label(part) for part in name.split(" ~ ")) for name in kappas.model
    ]
    ax.set(yticks=range(len(kappas)), yticklabels=names[::-1], xlabel="kappa; grey: attainable given the accuracies")
    ax.set_title("Within images (strong): wrong on the same ones?")
    ax.tick_params(axis="y", labelsize=9)
    ax.grid(axis="y", visible=False)
    return ax


def two_sets(gaps: pd.DataFrame, ax: Axes) -> Axes:
    """Confidence minus accuracy on ImageNet and on ImageNet-R, a line per model."""
    ax.axhline(0, color=INK, linewidth=1)
    for row in gaps.itertuples():
        look = mark(row.model)
        dashes = "--" if look["markerfacecolor"] == "white" else "-"
        ax.plot([0, 1], [row.val, row.r], **look, linestyle=dashes, label=label(row.model))
    ax.set(xticks=[0, 1], xticklabels=["ImageNet", "ImageNet-R"], xlim=(-0.3, 1.3), ylabel="confidence − accuracy")
    ax.set_title("Within each model, between two sets")
    return ax


def four_models(table: pd.DataFrame, x: str, x_title: str, y: str, y_title: str, ax: Axes) -> Axes:
    """Four models in two properties; the panel says that they cannot carry a statement."""
    for model, row in table.iterrows():
        ax.plot(row[x], row[y], **mark(model), linestyle="", label=label(model))
    ax.set(xlabel=x_title, ylabel=y_title.replace(" / ", "\n/ "))
    ax.margins(0.15)
    ax.set_title("Across four models (weak)")
    note = "four models: no order of four is\nunlikely enough by chance"
    ax.text(0.02, 0.97, note, transform=ax.transAxes, ha="left", va="top", fontsize=8.5, color=WEAK, style="italic")
    ax.grid(color=FAINT, linewidth=0.6)
    return ax
