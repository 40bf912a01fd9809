"""Figures of section 2: error ratios, and how much of them accuracy alone explains."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from helpers.models import MODELS
from helpers.plots.general import dots, shared_legend
from helpers.plots.style import FAINT, INK, figure, label, mark
from helpers.rows import select

AXES = {
    "error_ratio": ("error ratio", 1.0),
    "accuracy_gap": ("points below overall accuracy", 0.0),
    "log_odds_gap": ("log-odds below overall", 0.0),
}
BAND, CLOUD = "#dbe7f1", "#aab2bd"


def factors_by_model(
    rows: pd.DataFrame, models: Sequence[str], metric: str = "error_ratio", ax: Axes | None = None
) -> Axes:
    """One metric per factor, hardest on top, and its mean: a dot with its interval per model; n beside each name.

    metric: one of `AXES`, whose second entry is "no harder than usual".
    """
    kept = select(rows, metric=metric, model=list(models))
    kept = kept[kept.value.notna()]
    means = sorted({group for group in kept.group if str(group).startswith("mean_of_")})
    order = kept[~kept.group.isin(means)].groupby("group").value.mean().sort_values(ascending=False).index
    n = kept.drop_duplicates("group").set_index("group").n
    names = {group: f"{group.replace('_', ' ')}  ({int(n[group]):,})" for group in order if pd.notna(n[group])}
    names |= {mean: mean.replace("_", " ") for mean in means}
    xlabel, reference = AXES[metric]
    ax = figure(6.6, 0.42 * (len(order) + len(means)) + 1.6)[1] if ax is None else ax
    ax = dots(kept, models, [*order, *means], names=names, xlabel=xlabel, reference=reference, ax=ax)
    if len(order) and means:
        ax.axhline(len(means) - 0.5, color=INK, linewidth=0.9)
    return ax


def both_gaps(rows: pd.DataFrame, models: Sequence[str]) -> tuple[Axes, Axes]:
    """The same factors in points and in log-odds: one panel per unit, each sorted by its own scale."""
    _, axes = figure(6.6, 14.5, rows=2)
    for ax, metric in zip(axes, ("accuracy_gap", "log_odds_gap"), strict=True):
        factors_by_model(rows, models, metric, ax)
    shared_legend(axes, columns=2)
    return tuple(axes)


def ratio_against_accuracy(rows: pd.DataFrame, models: Sequence[str], ax: Axes | None = None) -> Axes:
    """Mean error ratio against accuracy: models with intervals over the testbed's cloud, its curve and its band.

    Marks at the same accuracy stand side by side, half a point apart. `rows`: those of the observers, of the testbed
    (model "testbed") and, with accuracies, of the paper.
    """
    ax = figure(6.6, 5.2)[1] if ax is None else ax
    bed = select(rows, model="testbed")
    cloud = bed.pivot_table(index="group", columns="metric", values="value") if len(bed) else bed
    if {"accuracy", "error_ratio"} <= set(cloud.columns):
        points = cloud.dropna(subset=["accuracy", "error_ratio"])
        ax.scatter(points.accuracy, points.error_ratio, s=11, color=CLOUD, label=f"{len(points)} models of the testbed")
        clip = points[points.index.str.contains("clip")]
        ax.scatter(clip.accuracy, clip.error_ratio, s=80, marker="h", facecolor="none", edgecolor="#6b7280",
                   label="of these, zero-shot CLIP" if len(clip) else None)  # fmt: skip
    _expected_curve(ax, select(bed, metric="expected_error_ratio"))
    taken: list[float] = []
    for model in models:
        _one_model(ax, rows, model, taken)
    ax.set(xlabel="accuracy on the annotated images (%)", ylabel="mean error ratio of 16 factors")
    ax.set(xlim=(40, 90), ylim=(1.0, 1.7))
    shared_legend(ax, columns=2)
    return ax


def _expected_curve(ax: Axes, curve: pd.DataFrame) -> None:
    if curve.empty:
        return
    at = curve.group.str.removeprefix("accuracy:").astype(float)
    order = at.sort_values().index
    ax.fill_between(at[order], curve.ci_low[order], curve.ci_high[order], color=BAND, zorder=0,
                    label="95 % of such models")  # fmt: skip
    ax.plot(at[order], curve.value[order], color="#3a7ca5", linewidth=1.8, label="expected from accuracy", zorder=1)


def _one_model(ax: Axes, rows: pd.DataFrame, model: str, taken: list[float]) -> None:
    ratio = select(rows, model=model, metric="error_ratio", group="mean_of_16", dataset="imagenet_x")
    accuracy = select(rows, model=model, metric="accuracy", group="overall", dataset="imagenet_x")
    if ratio.empty or accuracy.empty:
        return
    x, part = float(accuracy.value.iloc[0]), ratio.iloc[0]
    while any(abs(x - other) < 0.4 for other in taken):
        x += 0.5
    taken.append(x)
    ax.vlines(x, part.ci_low, part.ci_high, color=mark(model)["color"], linewidth=1.8, zorder=2)
    ax.plot(x, part.value, **mark(model), linestyle="", label=label(model), zorder=3)


def seen_and_expected(
    rows: pd.DataFrame, models: Sequence[str], group: str = "mean_of_16", ax: Axes | None = None
) -> Axes:
    """Error ratio of each model (mark) beside what models of its accuracy show (band: 95 % of such models)."""
    ax = figure(6.6, 0.55 * len(models) + 1.6)[1] if ax is None else ax
    known = [model for model in models if model in MODELS]
    for height, model in enumerate(reversed(known)):
        expected = select(rows, model=model, metric="expected_error_ratio", group=group)
        seen = select(rows, model=model, metric="error_ratio", group=group)
        first = height == 0
        ax.hlines([height] * len(expected), expected.ci_low, expected.ci_high, color=FAINT, linewidth=11,
                  label="95 % of models of this accuracy" if first and len(expected) else None)  # fmt: skip
        ax.plot(expected.value, [height] * len(expected), "|", color=INK, markersize=14, markeredgewidth=2)
        ax.hlines([height] * len(seen), seen.ci_low, seen.ci_high, color=mark(model)["color"], linewidth=2)
        ax.plot(seen.value, [height] * len(seen), **mark(model), linestyle="", zorder=3)
    ax.set(yticks=range(len(known)), yticklabels=[label(model) for model in reversed(known)])
    ax.set(xlabel="mean error ratio of 16 factors", ylim=(-0.6, len(known) - 0.4))
    shared_legend(ax)
    return ax
