"""Figures of section 6: accuracies of probes beside the majority share, and what a leak adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.general import dots, shared_legend
from helpers.plots.style import FAINT, figure
from helpers.rows import select

PROBE = "lbfgs.eval"  # the view whose accuracies are drawn


def accuracies(
    rows: pd.DataFrame, models: Sequence[str], order: Sequence[str], names: Mapping[str, str], view: str = PROBE
) -> Axes:
    """One line a task, one mark with its interval a model; a grey bar where always answering one class would be.

    `rows`: result rows of the section; of averages that over all tasks is drawn.
    """
    ax = _lines(_overall(select(rows, view=view, metric="accuracy")), models, order, names, None)
    ax.set_xlabel("accuracy of a linear probe (%)")
    shares = select(rows, view=view, metric="majority_share", dataset=list(order)).drop_duplicates("dataset")
    height = {name: len(order) - 1 - at for at, name in enumerate(order)}
    y = shares.dataset.map(height).to_numpy(dtype=float)
    ax.vlines(shares.value, y - 0.36, y + 0.36, color=FAINT, linewidth=4, zorder=1, label="majority share")
    shared_legend(ax, 2)
    return ax


def leak(rows: pd.DataFrame, models: Sequence[str], order: Sequence[str], names: Mapping[str, str]) -> Axes:
    """What training on the test images adds (points), one line a task, one mark with its interval a model."""
    ax = _lines(select(rows, metric="leak_gain"), models, order, names, 0.0)
    ax.set_xlabel("points gained by training on the test images")
    shared_legend(ax, 2)
    return ax


def _lines(rows: pd.DataFrame, models, order, names: Mapping[str, str], reference: float | None) -> Axes:
    ax = figure(6.2, 0.42 * len(order) + 1.8)[1]
    return dots(rows, models, order, "dataset", dict(names), reference=reference, ax=ax)


def _overall(rows: pd.DataFrame) -> pd.DataFrame:
    group = rows.group.fillna("overall")
    return rows[group.eq("overall") | group.str.startswith("mean_of_")]
