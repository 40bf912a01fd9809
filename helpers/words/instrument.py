"""Instrument checks in words."""

from __future__ import annotations

import html

import pandas as pd
from IPython.display import HTML

from helpers.demo.world import ATTRIBUTION
from helpers.plots.style import metric_name
from helpers.words.tables import table

SAID = {True: "yes", False: "no", None: "no interval"}


def answer(frame: pd.DataFrame) -> str:
    """How many planted truths lie inside the intervals of their measurements, as Markdown.

    `frame`: of `instrument.check`.

    >>> row = {"metric": "ece", "planted": 0.1, "value": 0.11, "difference": 0.01, "inside": True, "unit": "fraction"}
    >>> answer(pd.DataFrame([row]))
    '**1 of 1 intervals hold the planted truth** (95 % are meant to). Largest difference: ECE 0.01.'
    """
    with_interval = frame[frame.inside.notna()]
    held = int(sum(with_interval.inside.astype(bool)))
    by_metric = frame.assign(size=frame.difference.abs()).sort_values("size", ascending=False).groupby("metric").first()
    largest = ", ".join(f"{metric_name(name)} {row['size']:.2g}" for name, row in by_metric.iterrows())
    return (
        f"**{held} of {len(with_interval)} intervals hold the planted truth** (95 % are meant to). "
        f"Largest difference: {largest}."
    )


def details(frame: pd.DataFrame) -> HTML:
    """The same row by row, folded: observer, metric, group, planted, measured, interval, n, resampled."""
    numbers = {
        name: frame[column].astype(float)
        for name, column in {"planted": "planted", "measured": "value", "low": "ci_low", "high": "ci_high"}.items()
    }
    held = [SAID[None if value is None or value != value else bool(value)] for value in frame.inside]
    shown = frame[["model", "metric", "group"]].assign(**numbers, held=held)
    shown = shown.join(frame[["n", "unit", "resampled"]]).rename(columns={"model": "observer"})
    inner = table(shown, 3, index=False).data
    return HTML(f"<details><summary>All {len(shown)} planted truths, row by row</summary>{inner}</details>")


def attribution() -> HTML:
    """Whose drawings these are, as the licence asks."""
    return HTML(f'<p class="attribution">{html.escape(ATTRIBUTION)}</p>')
