"""Ours beside the paper's: is a number reproduced, and how many images would the difference be?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.errors import BookError
from helpers.paper.decode import overall_error
from helpers.paper.lookup import other_reading
from helpers.paper.names import PAPER_MODELS, group_of, role_of
from helpers.paper.values import values

JOIN = ("model", "dataset", "transform", "metric", "group", "unit")
COMPARE_COLUMNS = (
    "model", "dataset", "view", "metric", "group", "unit", "ours", "paper", "difference", "tolerance", "reproduced",
    "images", "n", "kind", "source_figure", "reason",
)  # fmt: skip
NUMERIC_TOLERANCE = {
    "percent": 0.02, "points": 0.02, "fraction": 0.0005, "ratio": 0.005, "millions": 0.0, "gmacs": 0.0, "count": 0.0,
}  # fmt: skip
OUR_PROTOCOLS = ("paper", "released")
SAME_N = ("accuracy", "ece", "signed_gap", "error_ratio", "bin_share")  # n is given, not an outcome


def compare(
    rows: pd.DataFrame,
    section: str,
    comparable: bool = True,
    reason: str | None = None,
    tolerance: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Result rows joined to the paper's values: ours, paper, difference, tolerance, reproduced, difference in images.

    Reproduced means |difference| <= tolerance = the paper's half-width + a numeric one per unit (`tolerance`, default
    0.02 points: 10 of 50,000 images). `reproduced` is None, with a `reason`, where protocol or n are not the paper's.
    `comparable=False` (a demo, another set of models) gives no rows at all, and `attrs["reason"]`. One number of ours
    may stand beside two of the paper's (a figure and released counts: column `kind`).
    Raises BookError for `comparable=False` without a reason.

    >>> row = dict(model="vit_sup", dataset="imagenet_a", view="paper.eval", metric="accuracy", group="overall",
    ...            value=60.04, ci_low=None, ci_high=None, n=7500, unit="percent", resampled="image")
    >>> found = compare(pd.DataFrame([row]), "05_robustness").iloc[0]
    >>> bool(found.reproduced), round(float(found.difference), 2), round(float(found.images), 1)
    (True, 0.04, 3.0)
    """
    if not comparable and not reason:
        raise BookError("a run that cannot be compared", "the reason beside it", "say why in `reason`")
    if not comparable:
        return _empty(reason)
    joined = _ours(rows).merge(_theirs(section), on=list(JOIN), how="inner", validate="one_to_many")
    if joined.empty:
        return _empty(reason)
    limits = {**NUMERIC_TOLERANCE, **(tolerance or {})}
    difference = joined.ours - joined.paper
    allowed = joined.precision + joined.unit.map(limits).astype(float)
    why = [_why_not(row) for row in joined.to_dict("records")]
    within = (difference.abs() <= allowed + 1e-9).astype(object)
    known = pd.Series([each is None for each in why], index=joined.index)
    joined = joined.assign(
        difference=difference, tolerance=allowed, reproduced=within.where(known, None), reason=why,
        images=_in_images(joined, difference), n=joined.n_paper.fillna(joined.n_ours),
    )  # fmt: skip
    return joined[list(COMPARE_COLUMNS)].reset_index(drop=True)


def _ours(rows: pd.DataFrame) -> pd.DataFrame:
    kept = rows[rows.value.notna()].assign(transform=rows["view"].map(_transform), n=pd.to_numeric(rows.n))
    pug = kept.dataset.map(role_of) == "pug"
    kept = kept.assign(group=kept.group.where(~pug, [group_of("pug_imagenet", group) for group in kept.group]))
    kept = kept.drop_duplicates([*JOIN, "view"])  # one value under several units of resampling
    other = [other_reading(row) for row in kept[["dataset", "view"]].to_dict("records")]
    kept = kept[~np.array(other, dtype=bool)]
    order = kept["view"].map(lambda view: _protocol(view) not in OUR_PROTOCOLS)
    kept = kept.assign(other=order).sort_values("other", kind="stable").drop_duplicates(list(JOIN))
    kept = kept.sort_index()
    return kept.rename(columns={"value": "ours", "n": "n_ours"})[[*JOIN, "view", "ours", "n_ours"]]


def _theirs(section: str) -> pd.DataFrame:
    table = values(section)
    table = table[table.value.notna()].assign(transform=table["view"].map(_transform))
    table = table.rename(columns={"value": "paper", "n": "n_paper"})
    return table[[*JOIN, "paper", "precision", "n_paper", "n_least", "kind", "source_figure"]]


def _why_not(row: Mapping) -> str | None:
    """Why a difference does not tell whether the number is reproduced; None if it does."""
    protocol = _protocol(row["view"])
    if protocol not in (*OUR_PROTOCOLS, None):
        return f"protocol {protocol}, not the paper's"
    if row["metric"] not in SAME_N or " - " in row["model"]:
        return None
    if np.isnan(row["n_paper"]):
        return None if np.isnan(row["n_least"]) else "how many images the paper used is not known"
    if not np.isnan(row["n_ours"]) and row["n_ours"] != row["n_paper"]:
        return f"n = {row['n_ours']:,.0f}, not the paper's {row['n_paper']:,.0f}"
    return None


def _in_images(joined: pd.DataFrame, difference: pd.Series) -> pd.Series:
    """The difference as a number of images (of decided images for a shape bias); NaN where it is no share."""
    n = joined.n_paper.fillna(joined.n_ours)
    share = joined.unit.map({"percent": 0.01, "points": 0.01}).astype(float)
    share = share.mask(joined.metric == "shape_bias", 1.0)
    single = ~joined.group.fillna("").str.startswith("mean_of_")
    for model in PAPER_MODELS:
        mine = (joined.metric == "error_ratio") & (joined.model == model)
        if mine.any():
            share = share.mask(mine, overall_error(model))
    return (difference * share * n).where(single)


def _empty(reason: str | None) -> pd.DataFrame:
    table = pd.DataFrame({name: pd.Series(dtype="object") for name in COMPARE_COLUMNS})
    table.attrs["reason"] = reason
    return table


def _protocol(view: str | None) -> str | None:
    return view.partition(".")[0] if isinstance(view, str) else None


def _transform(view: str | None) -> str:
    """What is done to the image; the cue-conflict pixels as they are count as an evaluation."""
    name = view.partition(".")[2] if isinstance(view, str) else ""
    return "eval" if name in ("", "asis") else name
