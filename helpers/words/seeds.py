"""How far the training seed alone moves what a page says of the twins: the recorded seeds beside the shown one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from helpers.paper.names import group_of
from helpers.plots.seeds import seed_columns
from helpers.rows import select
from helpers.words.differences import resolved
from helpers.words.titles import FACTORS, name_of


@dataclass(frozen=True)
class Headline:
    """The property of a section whose differences are followed over the seeds.

    `groups`: the groups kept (None: all without levels); `by`: whether data sets or groups tell its lines apart.
    """

    metric: str
    title: str
    by: str = "dataset"
    groups: tuple[str, ...] | None = ("overall", "mean_of_6", "mean_of_7", "mean_of_14")
    view: str | None = None


HEADLINES = {
    "02_mistakes": Headline("error_ratio", "error ratio", by="group", groups=None),
    "03_shape_texture": Headline("shape_bias", "shape bias", by="group", groups=None),
    "04_calibration": Headline("ece", "expected calibration error"),
    "05_robustness": Headline("accuracy", "accuracy (points)"),
    "06_transferability": Headline("accuracy", "accuracy of L-BFGS probes (points)", view="lbfgs.eval"),
    "07_synthetic": Headline("accuracy", "accuracy (points)", by="group", groups=None),
    "08_invariance": Headline("largest_drop", "largest drop of accuracy (points)", by="group",
                              groups=("scale", "shift", "resolution")),
    "09_similarity": Headline("cka", "CKA of early with late layers", by="group", groups=("all: early ~ late",)),
}  # fmt: skip
PAIRS = (("twin_vit_sup", "twin_convnext_sup"), ("twin_vit_clip", "twin_convnext_clip"))
KEY = ["dataset", "group"]


def contrasts(section: str, rows: pd.DataFrame, others: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """ConvNeXt minus ViT of a section's headline with the shown twins, and with every other recorded seed.

    `rows`: of the run (seed 0); `others`: of `results.other_seeds`. Columns: model ("A - B"), dataset, group, item (how
    a line is called), value with ci_low and ci_high (NaN where the section gives no interval of a difference), and
    "seed n" for every other seed.

    >>> def row(model, value):
    ...     return dict(model=model, dataset="demo_v2", view="paper.eval", metric="accuracy", group="overall",
    ...                 value=value, ci_low=None, ci_high=None, n=500, unit="percent", resampled="image")
    >>> convnext, vit = "twin_convnext_sup", "twin_vit_sup"
    >>> shown, other = (pd.DataFrame([row(convnext, a), row(vit, b)]) for a, b in ((70, 68), (71, 72)))
    >>> contrasts("05_robustness", shown, {1: other})[["item", "value", "seed 1"]].values.tolist()
    [['V2, drawn', 2.0, -1.0]]
    """
    headline = HEADLINES[section]
    tables = []
    for second, first in PAIRS:
        table = _difference(_kept(rows, headline), first, second)
        for seed, other in others.items():
            theirs = _difference(_kept(other, headline), first, second)[[*KEY, "value"]]
            table = table.merge(theirs.rename(columns={"value": f"seed {seed}"}), on=KEY, how="left")
        tables.append(table.assign(model=f"{first} - {second}"))
    found = pd.concat(tables, ignore_index=True)
    return found.assign(item=[_called(headline, row.dataset, row.group) for row in found.itertuples()])


def _kept(rows: pd.DataFrame, headline: Headline) -> pd.DataFrame:
    found = select(rows, metric=headline.metric)
    found = found if headline.view is None else select(found, view=headline.view)
    if headline.groups is None:
        return found[~found.group.astype(str).str.contains(":")]
    return found[found.group.isin(headline.groups)]


def _difference(rows: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """First minus second from the models' own rows, with the interval of the difference where the rows have one."""
    one, two = (select(rows, model=key).drop_duplicates(KEY)[[*KEY, "value"]] for key in (first, second))
    found = one.merge(two, on=KEY, suffixes=("", "_2"))
    found = found.assign(value=found.value.astype(float) - found.value_2.astype(float)).drop(columns="value_2")
    known = select(rows, model=f"{second} - {first}").drop_duplicates(KEY)
    turned = known.assign(ci_low=-known.ci_high.astype(float), ci_high=-known.ci_low.astype(float))
    straight = select(rows, model=f"{first} - {second}").drop_duplicates(KEY)
    return found.merge(pd.concat([turned, straight])[[*KEY, "ci_low", "ci_high"]], on=KEY, how="left")


def _called(headline: Headline, dataset: str, group: str) -> str:
    if headline.by == "dataset":
        return name_of(dataset)
    factor = group_of(dataset, group)
    return FACTORS.get(factor) or factor.replace("mean_of_", "average of ").replace("_", " ")


def spread(table: pd.DataFrame) -> str:
    """What the other seeds say of the differences in a table of `contrasts`, as Markdown.

    >>> line = dict(model="a - b", item="V2", value=2.0, ci_low=0.5, ci_high=3.5)
    >>> print(spread(pd.DataFrame([line | {"seed 1": -1.0}])))
    **Seeds.** Compared are 2 trainings of each twin. The sign is the same with every seed in 0 of 1 difference ...
    """
    seeds = seed_columns(table)
    if table.empty:
        return "**Seeds.** Nothing to compare: a ConvNeXt and a ViT of one paradigm are needed."
    if not seeds:
        return (
            "**Seeds.** One training of each twin is recorded: how far a difference moves with the seed is not known "
            "here. The paper, too, has one training per model."
        )
    every = table[["value", *seeds]]
    range_ = (every.max(axis=1) - every.min(axis=1))[every.notna().all(axis=1)]
    clear = table[resolved(table)]
    same = int((clear[seeds].mul(clear.value, axis=0) > 0).all(axis=1).sum())
    noun = "difference" if len(clear) == 1 else "differences"
    width = (table.ci_high - table.ci_low) / 2
    told = f"The sign is the same with every seed in {same} of {len(clear)} {noun} whose interval leaves out zero. "
    told = told if len(clear) else "No interval leaves out zero. " if table.ci_low.notna().any() else ""
    beside = f"; the interval over images reaches {width.median():.2g} to either side" if width.notna().any() else ""
    return (
        f"**Seeds.** Compared are {len(seeds) + 1} trainings of each twin. {told}Between its lowest and its highest "
        f"seed a difference moves by {range_.median():.2g} in the median{beside}. Where a hollow mark lies outside "
        "the bar, another training moves the difference further than new images would. Intervals on this page leave "
        "the variance of training out, and the paper has one training per model."
    )
