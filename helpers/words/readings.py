"""Several numbers of several models as one table of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.plots.style import label
from helpers.rows import select
from helpers.words.numbers import shown


def readings(
    rows: pd.DataFrame, models: Sequence[str], columns: Mapping[str, Mapping[str, object]], signed: bool = False
) -> pd.DataFrame:
    """One line per model (index: its label), one column per reading, each with its unit and interval.

    columns: title -> what to `select` (metric, group, dataset, ...). "not run" where there is no row; `signed` writes
    the sign of positive numbers too.

    >>> row = dict(model="vit", metric="ece", group="overall", value=0.014, ci_low=None, ci_high=None, unit="fraction")
    >>> readings(pd.DataFrame([row]), ["vit", "dino"], {"ECE": {"metric": "ece"}})["ECE"].tolist()
    ['0.014', 'not run']
    """
    lines = {}
    for model in models:
        found = {title: select(rows, model=model, **dict(what)) for title, what in columns.items()}
        lines[label(model)] = {
            title: _kept_together(shown(part.iloc[0].to_dict(), signed)) if len(part) else "not run"
            for title, part in found.items()
        }
    return pd.DataFrame.from_dict(lines, orient="index", columns=list(columns))


def _kept_together(text: str) -> str:
    """No line break inside the number with its unit, nor inside the interval."""
    number, bracket, interval = text.partition(" [")
    return number.replace(" ", "\u00a0") + bracket + interval.replace(" ", "\u00a0")
