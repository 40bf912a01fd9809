"""Four worked users: what each must have, which model the numbers point to, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers.paper.names import CLIP, PAPER_MODELS
from helpers.plots.style import label
from helpers.words.choices import CHOICES


@dataclass(frozen=True)
class User:
    """Somebody who chooses: a name, the need in a sentence, the choice that decides (`by`) and those to look at too.

    `open_words`: classes are given in words, which leaves the CLIP models.
    """

    name: str
    need: str
    by: str
    open_words: bool = False
    also: tuple[str, ...] = ()


USERS = (
    User("An inspector of photographs", "sorts photographs into the known classes and must be able to trust the stated "
         "confidence", "ece", also=("val", "c")),
    User("A museum", "looks for drawings, prints and sketches by words that nobody trained for", "r", open_words=True,
         also=("sketch",)),
    User("A laboratory with few labels", "trains a linear layer on features for its own small tasks", "transfer",
         also=("pug",)),
    User("A maker of cameras", "sees the same things nearer, farther and at other resolutions", "lost-scale",
         also=("lost-resolution", "lost-shift")),
)  # fmt: skip
_BY_ID = {choice.id: choice for choice in CHOICES}


def worked(rows: pd.DataFrame) -> str:
    """The four users as Markdown; `rows`: of `choices.table`. Who leads, by how much, and whether that is resolvable.

    >>> from helpers.words.choices import table
    >>> text = worked(table())
    >>> text.count("**"), "Only the CLIP models take classes in words" in text
    (8, True)
    """
    return "\n\n".join(_one(user, rows) for user in USERS)


def _one(user: User, rows: pd.DataFrame) -> str:
    models = [model for model in PAPER_MODELS if model in CLIP or not user.open_words]
    there = [choice for choice in (user.by, *user.also) if (rows.choice == choice).any()]
    left = " Only the CLIP models take classes in words." if user.open_words else ""
    lines = [f"- {_BY_ID[choice].title.removesuffix(' (%)')}: {_said(rows, choice, models)}" for choice in there]
    return f"**{user.name}** {user.need}.{left}\n\n" + "\n".join(lines)


def _said(rows: pd.DataFrame, choice: str, models: list[str]) -> str:
    """Who leads in a property among some models, the runner-up, and whether the two can be told apart."""
    what = _BY_ID[choice]
    mine = rows[rows.choice == choice].set_index("model")
    order = sorted(models, key=lambda model: mine.value[model], reverse=what.better == "high")
    first, second = order[:2]
    shown = [f"{mine.value[model]:.{what.digits}f}" for model in (first, second)]
    values = f"{shown[0]} against {shown[1]}"
    head = f"{label(first)} leads, {label(second)} is second ({values})"
    head = f"{label(first)} and {label(second)} are level ({values})" if shown[0] == shown[1] else head
    low, high = _ahead(mine, first, second, what.better)
    if low is None:
        return f"{head}; whether this would hold on other images cannot be told."
    resolved = "resolved" if low > 0 else "not resolved"
    return f"{head}; ahead by [{low:+.{what.digits}f}, {high:+.{what.digits}f}]{what.unit}, {resolved}."


def _ahead(mine: pd.DataFrame, first: str, second: str, better: str) -> tuple[float | None, float | None]:
    """The interval of how far the first is ahead of the second; None without one."""
    straight = f"{first} - {second}" in mine.index
    row = mine.loc[f"{first} - {second}" if straight else f"{second} - {first}"]
    if pd.isna(row.low):
        return None, None
    positive = straight == (better == "high")  # a larger difference of the pair is a larger lead
    return (row.low, row.high) if positive else (-row.high, -row.low)
