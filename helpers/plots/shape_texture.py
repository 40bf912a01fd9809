"""Figures of section 3: shape or texture (paper figure 4 and what lies beyond it)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.models import MODELS
from helpers.plots.style import BAND_ALPHA, INK, figure, label, line, mark
from helpers.rows import select

IMAGE, CROSSED = "image", "shape exemplar x texture exemplar"


def shape_bias_by_category(rows: pd.DataFrame, models: tuple[str, ...], ax: Axes | None = None) -> Axes:
    """Shape bias per category (marks) and pooled (lines with their two-way interval); people as stars.

    `rows`: metric shape_bias, group a category or "overall". The paper draws the same axis from right to left.
    """
    ax = figure(6.5, 6.5)[1] if ax is None else ax
    bias = select(rows, metric="shape_bias", resampled=IMAGE)
    categories = sorted({group for group in bias.group if group and group != "overall" and "mean" not in group})
    height = {name: len(categories) - 1 - i for i, name in enumerate(categories)}
    people = select(bias, model="humans")
    if len(people):
        stars = {"marker": "*", "color": INK, "markersize": 9, "alpha": 0.75}
        ax.plot(*_points(people, height), linestyle="", label="people", **stars)
    for model in models:
        mine = select(bias, model=model)
        ax.plot(*_points(mine, height), **mark(model), linestyle="", label=label(model), zorder=3)
        _pooled_line(ax, select(rows, metric="shape_bias", model=model, group="overall"), model)
    pooled = select(people, group="overall")
    if len(pooled):
        ax.axvline(pooled.value[0], color=INK, linestyle=":", linewidth=1.4)
    ax.set(yticks=list(height.values()), yticklabels=list(height), xlim=(-0.02, 1.02), ylim=(-0.6, len(height) - 0.4))
    ax.set_xlabel("shape bias  (0 = always texture, 1 = always shape)")
    return ax


def _points(rows: pd.DataFrame, height: dict[str, int]) -> tuple[list, list]:
    kept = rows[rows.group.isin(height)]
    return kept.value.tolist(), [height[name] for name in kept.group]


def _pooled_line(ax: Axes, pooled: pd.DataFrame, model: str) -> None:
    crossed = select(pooled, resampled=CROSSED)
    if len(pooled):
        ax.axvline(pooled.value[0], **line(model), zorder=2)
    if len(crossed) and crossed.ci_low.notna().all():
        ax.axvspan(crossed.ci_low[0], crossed.ci_high[0], color=mark(model)["color"], alpha=BAND_ALPHA, linewidth=0)


def pooled_shape_bias(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Pooled shape bias of every observer with both intervals: thick over images, thin over crossed exemplars."""
    pooled = select(rows, metric="shape_bias", group="overall", model=[*MODELS, "humans"])
    order = select(pooled, resampled=IMAGE).sort_values("value").model.tolist()
    ax = figure(8, 0.32 * len(order) + 1.2)[1] if ax is None else ax
    for height, model in enumerate(order):
        mine = select(pooled, model=model)
        look = mark(model) if model in MODELS else {"marker": "*", "color": INK, "markersize": 11}
        for resampled, width in ((CROSSED, 1.2), (f"{CROSSED} x subject", 1.2), (IMAGE, 4.0)):
            part = select(mine, resampled=resampled)
            if len(part):
                ax.hlines(height, part.ci_low, part.ci_high, color=look["color"], linewidth=width, alpha=0.75)
        ax.plot(mine.value[0], height, **look, linestyle="", zorder=3)
    names = ["people, pooled" if model == "humans" else label(model) for model in order]
    ax.set(yticks=range(len(order)), yticklabels=names, xlim=(0, 1), xlabel="pooled shape bias (95 % intervals)")
    return ax


def kappa_matrix(rows: pd.DataFrame, order: list[str], dataset_group: str = "conflict", ax: Axes | None = None) -> Axes:
    """Error consistency (Cohen's kappa) between every two observers; the number stands in each cell."""
    kappa = select(rows, metric="kappa", group=dataset_group)
    table = pd.DataFrame(np.nan, index=order, columns=order)
    for row in kappa.itertuples():
        first, second = row.model.split(" ~ ")
        if first in table.index and second in table.index:
            table.loc[first, second] = table.loc[second, first] = row.value
    ax = figure(0.72 * len(order) + 2.5, 0.6 * len(order) + 2)[1] if ax is None else ax
    import seaborn as sns

    names = ["people" if key == "humans" else label(key) for key in order]
    sns.heatmap(table.to_numpy(), annot=True, fmt=".2f", cmap="crest", vmin=0, vmax=1, ax=ax, square=True,
                linewidths=1, mask=table.isna().to_numpy(), xticklabels=names, yticklabels=names,
                annot_kws={"size": 9}, cbar_kws={"label": "Cohen's kappa", "shrink": 0.6})  # fmt: skip
    for text in ax.texts:  # dark on the light end of the scale
        text.set_color(INK if float(text.get_text()) < 0.35 else "white")
    ax.set_xticklabels(names, rotation=40, ha="right")
    ax.grid(False)
    return ax
