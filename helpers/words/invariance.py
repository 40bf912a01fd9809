"""Section 8 in words: scale, shift and resolution, read off the paper's figure, and what a run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.paper.audit import base_points
from helpers.paper.lookup import START
from helpers.paper.names import PAPER_MODELS
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected, oriented, resolved
from helpers.words.numbers import shown
from helpers.words.readings import readings

TRANSFORMS = ("scale", "shift", "resolution")
_SETTING = r"\.(?P<transform>scale|shift|resolution)-(?P<setting>[0-9.]+)$"


def settings(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the three sweeps with columns transform and setting, made from views such as `paper.scale-1.25`.

    >>> rows = pd.DataFrame({"view": ["paper.scale-1.25", "paper.eval"], "value": [64.1, 66.3]})
    >>> settings(rows)[["transform", "setting", "value"]].values.tolist()
    [['scale', 1.25, 64.1]]
    """
    found = rows["view"].str.extract(_SETTING)
    found = rows.assign(transform=found["transform"], setting=found.setting.astype(float))
    return found[found["transform"].notna()].reset_index(drop=True)


def drops(published: pd.DataFrame) -> pd.DataFrame:
    """Largest loss of accuracy under each transform (points), one row per model, with the setting where it occurs.

    >>> rows = pd.DataFrame({"model": "vit_sup", "metric": "accuracy", "view": ["paper.shift-0", "paper.shift-5"],
    ...                      "value": [80.0, 78.5]})
    >>> drops(rows).loc["ViT-sup", "shift"].item()
    1.5
    """
    sweeps = settings(select(published, metric="accuracy"))
    table = {}
    for (model, transform), part in sweeps.groupby(["model", "transform"], sort=False):
        start = part[part.setting.isin(START[transform])]
        others = part.drop(start.index)
        table[label(model), transform] = float(start.value.iloc[0] - others.value.min())
    found = pd.Series(table).unstack()
    return found[[name for name in TRANSFORMS if name in found]].rename_axis(index=None, columns=None)


def answer(published: pd.DataFrame) -> str:
    """The section's answer as Markdown: the largest loss of every model under each transform."""
    table = drops(published).loc[[label(model) for model in PAPER_MODELS]]
    bullets = []
    for transform in table.columns:
        ordered = table[transform].sort_values()
        shown = "; ".join(f"{name} {loss:.1f}" for name, loss in ordered.items())
        bullets.append(f"- {transform}: {shown} points.")
    least = set(table.idxmin())
    first = (
        f"{least.pop()} loses the least under each of the three transforms"
        if len(least) == 1
        else "No model loses the least under all three transforms"
    )
    easiest = table.idxmin(axis=1).eq("shift").all()
    second = "shift costs every model the least" if easiest else "shift is not the easiest transform for every model"
    return (
        f"**Answer, from the paper's figure.** {first}, and {second}. Largest loss from the undistorted image:\n\n"
        + "\n".join(bullets)
    )


def bases() -> pd.DataFrame:
    """Starts of the sweeps (percent) and, in brackets, minus the printed validation accuracy; "*": beyond precision.

    >>> bases().loc["shift", "ViT-sup"]
    '85.42 (-0.08) *'
    """
    found = base_points()
    text = [f"{row.base:.2f} ({row.difference:+.2f}){'' if row.agrees else ' *'}" for row in found.itertuples()]
    table = found.assign(text=text, name=found.model.map(label)).pivot(index="sweep", columns="name", values="text")
    table = table.loc[list(TRANSFORMS), [label(model) for model in PAPER_MODELS]]
    return table.rename_axis(index=None, columns=None)


def bases_sentence() -> str:
    """How many of the twelve starts agree with the printed accuracy, and what the published code does (Markdown)."""
    found = base_points()
    apart = found[~found.agrees]
    named = "; ".join(f"{row.sweep}, {label(row.model)} ({row.difference:+.2f})" for row in apart.itertuples())
    return (
        f"{int(found.agrees.sum())} of {len(found)} starts equal the printed validation accuracy within the precision "
        f"of reading; not so: {named or 'none'}. By the published code not all of them should: {_views(found)}."
    )


def _views(found: pd.DataFrame) -> str:
    """What the published code shows at the start of each sweep, where that is not the evaluation view."""
    other = found[found["view"].str.startswith("another view")]
    parts = []
    for (sweep, view), part in other.groupby(["sweep", "view"], sort=False):
        whose = "all models" if len(part) == len(PAPER_MODELS) else " and ".join(part.model.map(label))
        parts.append(f"{sweep} for {whose} starts from {view.replace('another view: ', 'another view, ')}")
    return "; ".join(parts) or "each starts from the evaluation view"


# --- what a run found -------------------------------------------------------------------------------------------------

DROP = "largest_drop"


def found(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """What a run found, as Markdown: the largest losses with intervals, then who loses less of every two models."""
    losses = select(rows, metric=DROP)
    bullets = []
    for transform in [name for name in TRANSFORMS if name in set(losses.group)]:
        mine = select(losses, group=transform, model=list(models)).sort_values("value")
        shown_ = "; ".join(f"{label(row['model'])} {_plain(row)}" for row in mine.to_dict("records"))
        bullets.append(f"- {transform}: {shown_} points.")
    if not bullets:
        return "**Found.** Not run."
    said = "**Found.** Largest loss of accuracy from the undistorted image (95 % intervals over new images):"
    return f"{said}\n\n" + "\n".join([*bullets, *_comparisons(losses, models)])


def _plain(row: Mapping) -> str:
    low, high = row["ci_low"], row["ci_high"]
    return f"{row['value']:.1f}" + (f" [{low:.1f}, {high:.1f}]" if low == low and low is not None else "")


def _comparisons(losses: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """For every two consecutive models whether the first loses less than the second under each transform."""
    lines = []
    for pair in zip(models[::2], models[1::2], strict=False):
        differences = oriented(losses, pair)
        parts = [
            f"{row['group']} {shown(row, signed=True)}"
            for row in differences.to_dict("records")
            if row["group"] in TRANSFORMS
        ]
        if parts:
            mine = differences[differences.group.isin(TRANSFORMS)]
            clear, kept = int(resolved(mine).sum()), int(corrected(mine).sum())
            lines.append(
                f"- Loss of {label(pair[0])} minus loss of {label(pair[1])}: {'; '.join(parts)}. "
                f"{clear} of {len(parts)} exclude zero, {kept} after Holm's correction."
            )
    return lines


def gaps(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Accuracy of the first minus the second of every two consecutive models at each setting (points, intervals)."""
    return settings(oriented(select(rows, metric="accuracy"), models))


def kept(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """At the setting of each transform that costs accuracy most: answers kept (fraction) of every model."""
    accuracy = settings(select(rows, metric="accuracy", model=list(models)))
    columns = {}
    for transform in [name for name in TRANSFORMS if name in set(accuracy["transform"])]:
        part = select(accuracy, transform=transform)
        worst = part.groupby("view").value.mean().idxmin()
        columns[worst.partition(".")[2].replace("-", " ")] = {"metric": "consistency", "view": worst}
    return readings(rows, models, columns)
