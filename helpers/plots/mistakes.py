"""Figures of section 2: error ratios, and how much of them accuracy alone explains."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.style import FAINT, INK, figure, label, mark
from helpers.rows import select


def ratio_against_accuracy(
    rows: pd.DataFrame,
    testbed: pd.DataFrame,
    models: tuple[str, ...],
    group: str = "mean_of_16",
    ax: Axes | None = None,
) -> Axes:
    """Mean error ratio against accuracy: each model with its interval over the cloud of the testbed's models.

    `testbed`: columns accuracy (percent) and error_ratio, one row a model. The curve of what is possible at most is
    1 / error.
    """
    ax = figure(7, 4.6)[1] if ax is None else ax
    ax.scatter(testbed.accuracy, testbed.error_ratio, s=9, color=FAINT, label=f"{len(testbed)} models of the testbed")
    for model in models:
        ratio = select(rows, model=model, metric="error_ratio", group=group)
        accuracy = select(rows, model=model, metric="accuracy", group="overall")
        if len(ratio) and len(accuracy):
            x, part = accuracy.value.iloc[0], ratio.iloc[0]
            ax.vlines(x, part.ci_low, part.ci_high, color=mark(model)["color"], linewidth=1.8)
            ax.plot(x, part.value, **mark(model), linestyle="", label=label(model), zorder=3)
    ax.set(xlabel="accuracy on the annotated images (%)", ylabel="mean error ratio of 16 factors")
    ax.legend(loc="upper left")
    return ax


def seen_and_expected(
    rows: pd.DataFrame, models: tuple[str, ...], group: str = "mean_of_16", ax: Axes | None = None
) -> Axes:
    """Error ratio of each model (mark) beside what models of its accuracy show (bar: 95 % of such models)."""
    ax = figure(7, 0.6 * len(models) + 1.3)[1] if ax is None else ax
    for height, model in enumerate(reversed(models)):
        expected = select(rows, model=model, metric="expected_error_ratio", group=group)
        seen = select(rows, model=model, metric="error_ratio", group=group)
        first = height == 0
        ax.hlines([height] * len(expected), expected.ci_low, expected.ci_high, color=FAINT, linewidth=9,
                  label="models of this accuracy" if first else None)  # fmt: skip
        ax.plot(expected.value, [height] * len(expected), "|", color=INK, markersize=13, markeredgewidth=2)
        ax.hlines([height] * len(seen), seen.ci_low, seen.ci_high, color=mark(model)["color"], linewidth=2)
        ax.plot(seen.value, [height] * len(seen), **mark(model), linestyle="", zorder=3)
    ax.set(yticks=range(len(models)), yticklabels=[label(model) for model in reversed(models)])
    ax.set(xlabel="mean error ratio of 16 factors", ylim=(-0.6, len(models) - 0.4))
    ax.figure.legend(loc="outside lower center")
    return ax
