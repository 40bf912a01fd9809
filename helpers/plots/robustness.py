"""Figures of section 5: accuracy along the severities of each corruption, and accuracy beyond the baseline's line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from scipy.special import ndtr, ndtri

from helpers.metrics import effective
from helpers.metrics.corruption import SEVERITIES, alexnet_errors
from helpers.plots.differences import differences
from helpers.plots.general import dots, shared_legend
from helpers.plots.style import BAND_ALPHA, FAINT, INK, figure, label, line, mark
from helpers.rows import select

COLUMNS = 3
OTHER_VIEW = "paper.asis"
CORRUPTIONS = tuple(alexnet_errors().index)  # in the order of their authors
TICKS = (1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99)


def accuracies(shown: pd.DataFrame, models: Sequence[str], title: str) -> Axes:
    """Accuracy of each model on every set, in the form of the paper's figure.

    `shown`: of `words.shifted.in_form` (data sets by the name that is shown, in order).
    """
    mine = shown[shown.model.isin(list(models))]
    order = list(dict.fromkeys(mine.dataset))
    ax = figure(6.2, 0.48 * len(order) + 1.7)[1]
    dots(mine, models, order, "dataset", xlabel="top-1 accuracy (%)", ax=ax)
    ax.set_title(title)
    shared_legend(ax, 2)
    return ax


def gaps(shown: pd.DataFrame, title: str) -> Axes | None:
    """ConvNeXt minus ViT on every set with paired intervals; None where `shown` has no pair."""
    pairs = shown[shown.model.str.contains(" - ", regex=False)]
    if pairs.empty:
        return None
    ax = differences(pairs, list(dict.fromkeys(pairs.dataset)))
    ax.set_title(f"{title}: differences")
    return ax


def filters(shown: pd.DataFrame, models: Sequence[str], title: str) -> np.ndarray | None:
    """Accuracy and ConvNeXt minus ViT on adversarial sets that different networks chose, side by side.

    `shown`: of `words.filtered.in_form`. Returns the array of two axes, None where `shown` has no pair.
    """
    pairs = shown[shown.model.str.contains(" - ", regex=False)]
    if pairs.empty:
        return None
    order = list(dict.fromkeys(pairs.dataset))
    fig, axes = figure(7.6, 3.2, columns=2, sharey=True)
    dots(shown, models, order, "dataset", xlabel="top-1 accuracy (%)", ax=axes[0])
    differences(pairs, order, ax=axes[1]).set_xlabel("← ViT    points    ConvNeXt →")
    for legend in list(fig.legends):
        legend.remove()  # one for both panels instead
    shared_legend(axes, 3)
    fig.suptitle(title, fontweight="bold", x=0.01, ha="left", fontsize=12)
    return axes


def severity_curves(rows: pd.DataFrame, models: Sequence[str], title: str = "") -> np.ndarray | None:
    """Accuracy against severity, a panel per corruption and a last one for their mean, with 95 % bands.

    rows: of `stats.corruption_rows` (groups `corruption:severity` and `severity_<k>`), of one view: the paper's where
    there are several. Returns the array of axes, None without such rows.
    """
    rows = rows[(rows["view"] != OTHER_VIEW) & rows.group.fillna("").str.contains(r":\d$|severity_")]
    found = {group.rpartition(":")[0] for group in rows.group if ":" in group}
    if not found:
        return None
    panels = [*(name for name in CORRUPTIONS if name in found), "mean of all"]
    n_rows = -(-len(panels) // COLUMNS)
    fig, axes = figure(6.4, 1.55 * n_rows + 1.0, columns=COLUMNS, rows=n_rows, sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.ravel(), panels, strict=False):
        whole = name == panels[-1]
        _curve(ax, rows, models, [f"severity_{k}" if whole else f"{name}:{k}" for k in SEVERITIES])
        ax.set_title(name.replace("_", " "), fontsize=10)
    for ax in axes.ravel()[len(panels) :]:
        ax.set_visible(False)
    axes[0, 0].set(xticks=SEVERITIES, ylim=(0, 100))
    for column in range(COLUMNS):  # the lowest panel of a column has the numbers
        lowest = [ax for ax in axes[:, column] if ax.get_visible()][-1:]
        for ax in lowest:
            ax.tick_params(labelbottom=True)
            ax.set_xlabel("severity")
    fig.supylabel("accuracy (%)", fontsize=10.5)
    if title:
        fig.suptitle(title, fontweight="bold", x=0.01, ha="left", fontsize=12)
    shared_legend(axes, 2)
    return axes


def _curve(ax: Axes, rows: pd.DataFrame, models: Sequence[str], groups: Sequence[str]) -> None:
    place = dict(zip(groups, SEVERITIES, strict=True))
    found = select(rows, metric="accuracy", group=list(groups))
    for model in models:
        mine = found[found.model == model].assign(x=lambda part: part.group.map(place)).sort_values("x")
        ax.fill_between(mine.x, mine.ci_low, mine.ci_high, color=line(model)["color"], alpha=BAND_ALPHA, lw=0)
        ax.plot(mine.x, mine.value, **{**mark(model), **line(model), "markersize": 4.5}, label=label(model))


def beyond_the_line(
    points: pd.DataFrame, dataset: str, networks: pd.DataFrame | None = None, name: str | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Accuracy on a shifted set against clean accuracy on the same classes, on probit axes.

    Grey: networks that saw ImageNet-1k only, with the line through them and the interval for one more. points: as
    `paper.published_effective` gives them; hollow marks are not like for like, small ones come from others.
    """
    ax = figure(4.6, 4.2)[1] if ax is None else ax
    networks = effective.baseline_networks() if networks is None else networks
    fit = effective.baseline_line(dataset, networks)
    kept = networks[(networks.imagenet1k_val >= effective.LOWEST) & (networks[dataset] > 0)]
    mine = points[points.dataset == dataset]
    ax.plot(kept[fit.clean], kept[dataset], ".", color=FAINT, markersize=4, zorder=1, label="ImageNet-1k only")
    x = ndtr(np.linspace(*ndtri(_limits([*kept[fit.clean], *mine.clean]) / 100), 80)) * 100
    low, high = effective.prediction_interval(fit, x)
    ax.fill_between(x, low, high, color=INK, alpha=0.08, lw=0, zorder=0)
    ax.plot(x, effective.expected_accuracy(fit, x), color=INK, linewidth=1.2, zorder=2, label="their line")
    for row in mine.itertuples():
        small = row.source != mine.source.iloc[0]
        ax.plot(row.clean, row.found, **{**mark(row.model), "markersize": 5 if small else 8.5}, linestyle="",
                label=label(row.model), zorder=4)  # fmt: skip
    _probit(ax, _limits([*kept[fit.clean], *mine.clean]), _limits([*kept[dataset], *mine.found]))
    clean = "ImageNet" if fit.clean == "imagenet1k_val" else "ImageNet, same classes"
    ax.set(xlabel=f"on {clean} (%)", ylabel=f"on {name or dataset} (%)")
    return ax


def _limits(values: Sequence[float]) -> np.ndarray:
    """Lowest and highest value (percent) with some room on the probit axis."""
    low, high = ndtri(np.clip([min(values), max(values)], 0.1, 99.9) / 100)
    return 100 * ndtr(np.array([low - 0.1, high + 0.1]))


def _probit(ax: Axes, across: np.ndarray, up: np.ndarray) -> None:
    forward = (lambda v: ndtri(np.clip(v, 1e-4, 100 - 1e-4) / 100), lambda z: 100 * ndtr(z))
    ax.set_xscale("function", functions=forward)
    ax.set_yscale("function", functions=forward)
    for axis, (low, high) in ((ax.xaxis, across), (ax.yaxis, up)):
        ticks = _spaced([tick for tick in TICKS if low <= tick <= high])
        axis.set_ticks(ticks, [f"{tick}" for tick in ticks])
        axis.set_minor_locator(NullLocator())
    ax.set(xlim=across, ylim=up)


def _spaced(ticks: list[int], least: float = 0.2) -> list[int]:
    """Ticks that lie at least so far apart on the probit axis."""
    kept: list[int] = []
    for tick in ticks:
        if not kept or ndtri(tick / 100) - ndtri(kept[-1] / 100) >= least:
            kept.append(tick)
    return kept


def beyond_all(points: pd.DataFrame, names: dict[str, str] | None = None) -> np.ndarray:
    """`beyond_the_line` for the four sets that have a baseline, with one legend. Returns the array of axes."""
    _, axes = figure(7.6, 7.4, columns=2, rows=2)
    networks = effective.baseline_networks()
    for ax, dataset in zip(axes.ravel(), effective.CLEAN, strict=True):
        beyond_the_line(points, dataset, networks, (names or {}).get(dataset), ax)
    shared_legend(axes, 3)
    return axes
