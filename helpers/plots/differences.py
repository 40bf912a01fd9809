"""Figures of paired differences ConvNeXt minus ViT: per data set, and along a sweep."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from helpers.models import MODELS
from helpers.plots.style import FAINT, INK, figure, label
from helpers.rows import select

AHEAD = {True: MODELS["convnext_sup"].colour, False: MODELS["vit_sup"].colour}
STYLES = (("o", True, "-"), ("s", False, "--"))  # marker, filled, line: of the first and of the second pair


def differences(
    rows: pd.DataFrame,
    order: Sequence[str],
    by: str = "dataset",
    names: dict[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One line per entry of `order`, one mark with its interval per pair "A - B"; purple right of zero, orange left.

    The first pair is filled, the second hollow.
    """
    ax = figure(6.4, 0.46 * len(order) + 1.6)[1] if ax is None else ax
    height = {name: len(order) - 1 - at for at, name in enumerate(order)}
    ax.axvline(0, color=INK, linewidth=1)
    for step, (pair, style) in enumerate(zip(dict.fromkeys(rows.model), STYLES, strict=False)):
        mine = rows[(rows.model == pair) & rows[by].isin(height)]
        ax.plot([], [], style[0], color=INK, markerfacecolor=INK if style[1] else "white", label=label(pair))
        for row in mine.itertuples():
            y, colour = height[getattr(row, by)] + (0.17, -0.17)[step], AHEAD[row.value >= 0]
            ax.hlines(y, row.ci_low, row.ci_high, color=colour, linewidth=1.8, alpha=0.8)
            ax.plot(row.value, y, style[0], color=colour, markerfacecolor=colour if style[1] else "white", zorder=3)
    for y in range(len(order) - 1):
        ax.axhline(y + 0.5, color=FAINT, linewidth=0.6, zorder=0)
    shown = [(names or {}).get(name, name.replace("_", " ")) for name in order]
    ax.set(yticks=list(height.values()), yticklabels=shown, ylim=(-0.6, len(order) - 0.4))
    ax.set_xlabel("← ViT ahead      points of accuracy      ConvNeXt ahead →")
    ax.grid(axis="y", visible=False)
    if len(rows):
        ax.figure.legend(loc="outside lower center", ncols=2)
    return ax


def along(rows: pd.DataFrame, transform: str, ax: Axes | None = None) -> Axes:
    """Paired differences at each setting of one transform, with their intervals; settings at equal distances.

    `rows`: as `words.invariance.settings` gives them (columns transform and setting).
    """
    ax = figure(4, 3.4)[1] if ax is None else ax
    mine = select(rows, transform=transform)
    settings = sorted(mine.setting.unique())
    ax.axhline(0, color=INK, linewidth=1)
    for step, (pair, (shape, filled, dashes)) in enumerate(zip(dict.fromkeys(mine.model), STYLES, strict=False)):
        part = select(mine, model=pair).sort_values("setting")
        x = [settings.index(value) + (-0.08, 0.08)[step] for value in part.setting]
        ax.vlines(x, part.ci_low, part.ci_high, color=INK, linewidth=1.4, alpha=0.6)
        ax.plot(x, part.value, color=INK, linestyle=dashes, linewidth=1, marker=shape,
                markerfacecolor=INK if filled else "white", label=label(pair))  # fmt: skip
    ax.set(xticks=range(len(settings)), xticklabels=[f"{value:g}" for value in settings])
    unit = {"scale": "scale factor", "shift": "shift (pixels of the original)", "resolution": "resolution (px)"}
    ax.set_xlabel(unit[transform])
    return ax
