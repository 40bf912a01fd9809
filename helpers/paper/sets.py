"""The paper's claims asked of other sets of four models: who stands in for whom, and in how many sets a claim holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from helpers.errors import BookError
from helpers.models import MODEL_SETS
from helpers.paper.claims_table import OUR_READINGS
from helpers.paper.ledger import ledger_rows
from helpers.paper.names import PAPER_MODELS, role_of
from helpers.paper.verdicts import CONTRADICTED, HOLDS, NOT_DECIDABLE, NOT_RUN, WITHIN_NOISE
from helpers.stats import four_of

FACTORIAL = ("architecture", "paradigm", "interaction")
BY_FACTOR = ("error_ratio", "accuracy_gap", "log_odds_gap")
NO_COUNTERPART = "the drawn world has no counterpart of {}"


@dataclass(frozen=True)
class NamedSet:
    """A set of four: its name in MODEL_SETS, what it is called, how it differs, and whether its world is drawn."""

    name: str
    title: str
    differs: str
    drawn: bool = False

    @property
    def models(self) -> dict[str, str]:
        """{key of the paper's model: key of the model in its place of the 2x2}.

        >>> SETS["in1k"].models["vit_sup"]
        'vit_in1k'
        """
        return dict(zip(PAPER_MODELS, MODEL_SETS[self.name], strict=True))


SETS: dict[str, NamedSet] = {
    each.name: each
    for each in (
        NamedSet("paper", "the paper's four", "the paper's checkpoints"),
        NamedSet("in1k", "ImageNet-1k only", "supervised models without ImageNet-22k; the same CLIP models"),
        NamedSet("laion2b", "CLIP on LAION-2B", "CLIP models of more images, one of them wider and at 256 px; the same "
                 "supervised models"),
        NamedSet("demo", "twins, drawn world", "small networks trained and tested on drawings", drawn=True),
    )
}  # fmt: skip


def as_paper(rows: pd.DataFrame, which: NamedSet) -> pd.DataFrame:
    """Result rows of a set under the paper's keys: by place in the 2x2; roles of data sets stay for the index.

    Rows of other models are dropped. Factorial rows do not say of which four they are: they are kept where this set's
    four are the 2x2 of all models with rows of the same data set and view. In the drawn world every image of `val` has
    one factor, so its error ratios are those of ImageNet-X's place. Raises BookError for a set without four models.

    >>> row = dict(model="twin_vit_clip - twin_vit_sup", dataset="demo_val", view="v", metric="accuracy", value=1.0)
    >>> as_paper(pd.DataFrame([row]), SETS["demo"]).model.tolist()
    ['vit_clip - vit_sup']
    """
    if len(set(which.models.values())) != len(PAPER_MODELS):
        raise BookError(f"set {which.name!r}", "four different models", "correct MODEL_SETS")
    back = {other: key for key, other in which.models.items()}
    parts = rows.model.map(lambda name: name.split(" - "))
    own = _of_its_four(rows, parts, tuple(which.models.values()))
    told = [set(each) <= set(back) or (mine and each[0] in FACTORIAL) for each, mine in zip(parts, own, strict=True)]
    kept = pd.Series(told, index=rows.index, dtype=bool)  # a plain empty list would drop the columns
    found = rows[kept]
    found = found.assign(model=[" - ".join(back.get(name, name) for name in each) for each in parts[kept]])
    if which.drawn:
        factor = found.metric.isin(BY_FACTOR) & found.dataset.map(role_of).eq("val")
        found = found.assign(dataset=found.dataset.mask(factor, "demo_x"))
    return found.reset_index(drop=True)


def _of_its_four(rows: pd.DataFrame, parts: pd.Series, four: tuple[str, ...]) -> list[bool]:
    """Whether the models seen with each row, on the same data set and view, have these four as their 2x2."""
    places = list(zip(rows.dataset, rows["view"], strict=True))
    seen: dict[object, set[str]] = {}
    for place, each in zip(places, parts, strict=True):
        seen.setdefault(place, set()).update(each)
    mine = {place: four_of(models) == four for place, models in seen.items()}
    return [mine[place] for place in places]


def ledger_of_sets(rows_by_set: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One ledger row per claim and set (`source` is the set's name), from result rows under the sets' own keys.

    In the drawn world a comparison without rows is "not decidable" where its section was run: there is no counterpart.
    Raises BookError for an unknown set.

    >>> from helpers.results import empty_rows
    >>> ledger_of_sets({"laion2b": empty_rows()}).verdict.unique().tolist()
    ['not run']
    """
    unknown = sorted(set(rows_by_set) - set(SETS))
    if unknown:
        raise BookError(f"sets {unknown}", f"names among {', '.join(SETS)}", "correct the name")
    tables = []
    for name, rows in rows_by_set.items():
        which = SETS[name]
        table = ledger_rows(name, as_paper(rows, which))
        tables.append(_without_counterpart(table) if which.drawn and len(rows) else table)
    return pd.concat(tables, ignore_index=True)


def _without_counterpart(table: pd.DataFrame) -> pd.DataFrame:
    absent = table.verdict == NOT_RUN
    reason = [NO_COUNTERPART.format(str(missing).removeprefix("rows for ")) for missing in table.missing]
    return table.assign(
        verdict=table.verdict.mask(absent, NOT_DECIDABLE), reason=table.reason.where(~absent, pd.Series(reason)),
    )  # fmt: skip


def held(table: pd.DataFrame, ours: bool = False) -> pd.DataFrame:
    """Per claim: in how many of the real sets it holds, is opposed, within noise or open; the drawn world is no part.

    `table`: of `ledger_of_sets`; `ours`: our own readings too. Columns claim, section, statement, holds, contradicted,
    within_noise, open, asked (sets in which it was run).

    >>> from helpers.results import empty_rows
    >>> held(ledger_of_sets({"paper": empty_rows(), "demo": empty_rows()})).asked.max()
    np.int64(0)
    """
    real = table[~table.source.map(lambda name: SETS[name].drawn)]
    real = real if ours else real[real.strict_of.isna() & ~real.claim.isin(OUR_READINGS)]
    count = real.assign(
        holds=real.verdict.eq(HOLDS), contradicted=real.verdict.eq(CONTRADICTED),
        within_noise=real.verdict.eq(WITHIN_NOISE), open=real.verdict.eq(NOT_DECIDABLE), asked=real.verdict.ne(NOT_RUN),
    )  # fmt: skip
    names = ["holds", "contradicted", "within_noise", "open", "asked"]
    return count.groupby(["claim", "section", "statement"], sort=False)[names].sum().reset_index()
