"""Claims against rows: one verdict per claim and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from helpers.errors import BookError
from helpers.paper.claims_table import CLAIMS, Claim
from helpers.paper.lookup import Index, index_rows
from helpers.paper.names import PAPER_MODELS
from helpers.paper.rows import detailed_rows
from helpers.paper.verdicts import (
    ABSENT,
    CONTRADICTED,
    HOLDS,
    NOISE,
    NOT_DECIDABLE,
    NOT_RUN,
    OPPOSITE,
    PASS,
    WITHIN_NOISE,
    Component,
    at_face_value,
    combine_verdicts,
)
from helpers.stats import four_of

PAPER = "paper"
LEDGER_COLUMNS = (
    "source", "section", "claim", "statement", "strict_of", "threshold_ours", "face_value", "verdict", "reason",
    "deciding", "effect", "ci_low", "ci_high", "unit", "resampled", "p", "margin", "flips_at", "figure", "missing",
    "caution", "n_comparisons",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What the numbers say about one claim: `face_value` between the numbers as they stand, `verdict` with their error.

    `deciding` is the comparison that decides: the worst one, or where all pass the weakest. `reason` is a sentence;
    `missing` names what would have to be known or run; `flips_at`: the smallest margin at which a "close" claim holds.
    """

    claim: Claim
    face_value: bool | None
    verdict: str
    reason: str
    components: tuple[Component, ...]
    deciding: Component | None
    missing: tuple[str, ...]
    flips_at: float | None


def components(claim: Claim, rows: pd.DataFrame) -> list[Component]:
    """The comparisons of a claim, from a frame of result rows (or of `detailed_rows`, whose precision is used too).

    >>> [part.decision for part in components(claims_of("01_models")[0], detailed_rows("05_robustness"))]
    ['pass', 'undecided']
    """
    return claim.comparisons(index_rows(rows))


def evaluate(claim: Claim, rows: pd.DataFrame, models: Mapping[str, str] | None = None) -> Verdict:
    """The verdict on one claim. `models`: another set of four, as {key of the paper's model: key in the rows}.

    Raises BookError where `models` names a model that is none of the paper's.

    >>> found = evaluate(claims_of("07_synthetic")[1], detailed_rows("07_synthetic"))
    >>> found.face_value, found.verdict, found.missing[0]
    (True, 'not decidable', 'the number of images on PUG')
    """
    return _judge(claim, index_rows(_renamed(rows, models)))


def ledger(rows_by_source: Mapping[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """One row per claim and source, the paper's own numbers first (source "paper"): columns `LEDGER_COLUMNS`.

    `rows_by_source`: result rows by the name of where they come from, e.g. {"released": rows of all sections}.

    >>> table = ledger()
    >>> len(table), table.verdict[table.claim == "robust_clip_r_sketch"].tolist()
    (30, ['holds'])
    """
    sources = {PAPER: detailed_rows(), **(rows_by_source or {})}
    return pd.concat([ledger_rows(source, rows) for source, rows in sources.items()], ignore_index=True)


def ledger_rows(source: str, rows: pd.DataFrame) -> pd.DataFrame:
    """One row per claim for one source of result rows: columns `LEDGER_COLUMNS`.

    >>> ledger_rows("mine", detailed_rows("03_shape_texture")).verdict.value_counts()["not run"]
    np.int64(28)
    """
    index = index_rows(rows)
    found = [_ledger_row(source, _judge(claim, index)) for claim in CLAIMS]
    table = pd.DataFrame(found, columns=list(LEDGER_COLUMNS))
    return table.astype(dict.fromkeys(("face_value", "threshold_ours"), object))


def claims_of(section: str) -> tuple[Claim, ...]:
    """The claims of one section, in the paper's order.

    >>> [claim.id for claim in claims_of("03_shape_texture")]
    ['shape_clip_higher', 'shape_vit_higher']
    """
    return tuple(claim for claim in CLAIMS if claim.section == section)


def claim_of(claim_id: str) -> Claim:
    """The claim with this id. Raises BookError for an unknown one.

    >>> claim_of("shape_vit_higher").section
    '03_shape_texture'
    """
    found = [claim for claim in CLAIMS if claim.id == claim_id]
    if not found:
        raise BookError(f"claim {claim_id!r}", f"one of {', '.join(claim.id for claim in CLAIMS)}", "correct the id")
    return found[0]


def _judge(claim: Claim, index: Index) -> Verdict:
    parts = tuple(claim.comparisons(index))
    verdict = combine_verdicts(parts, claim.at_least)
    deciding = _deciding(claim, parts, verdict)
    missing = _missing(parts, verdict)
    equivalences = [part for part in parts if part.margin is not None]
    flips = [part.flips_at for part in equivalences]
    flips_at = max(flips) if flips and None not in flips else None
    reason = _reason(verdict, deciding, parts, missing)
    return Verdict(claim, _face_value(claim, parts), verdict, reason, parts, deciding, missing, flips_at)


def _face_value(claim: Claim, parts: tuple[Component, ...]) -> bool | None:
    found = [at_face_value(part) for part in parts]
    if None in found or not found:
        return None
    if claim.at_least is None:
        return all(found)
    families = dict.fromkeys(part.family for part in parts)
    in_family = {name: [f for f, part in zip(found, parts, strict=True) if part.family == name] for name in families}
    return all(sum(each) >= claim.at_least for each in in_family.values())


def _deciding(claim: Claim, parts: tuple[Component, ...], verdict: str) -> Component | None:
    """The comparison that decides: of those that stand in the way the clearest, where all pass the weakest."""
    wanted = {
        HOLDS: lambda part: part.possible == {PASS}, CONTRADICTED: lambda part: part.possible == {OPPOSITE},
        WITHIN_NOISE: lambda part: part.possible == {NOISE}, NOT_DECIDABLE: lambda part: len(part.possible) > 1,
        NOT_RUN: lambda part: ABSENT in part.possible,
    }[verdict]  # fmt: skip
    if claim.at_least is not None and verdict not in (NOT_RUN, CONTRADICTED):
        parts = tuple(_last_needed(parts, family, claim.at_least) for family in dict.fromkeys(p.family for p in parts))
    found = [part for part in parts if wanted(part)] or list(parts)
    if not found:
        return None
    if verdict == CONTRADICTED:
        return min(found, key=lambda part: part.p)
    return found[0] if verdict == NOT_RUN else max(found, key=_weakness)


def _last_needed(parts: tuple[Component, ...], family: str, at_least: int) -> Component:
    """Of a family of which k must pass, the k-th strongest."""
    return sorted((part for part in parts if part.family == family), key=_weakness)[at_least - 1]


def _weakness(part: Component) -> tuple[float, float]:
    """Large where a comparison speaks little for the claim: one-sided p, then minus the effect."""
    supports = part.effect > 0 or part.margin is not None
    one_sided = part.p if part.margin is not None else part.p / 2 if supports else 1 - part.p / 2
    return one_sided, -part.effect


def _missing(parts: tuple[Component, ...], verdict: str) -> tuple[str, ...]:
    if verdict not in (NOT_DECIDABLE, NOT_RUN):
        return ()
    wanted = [part for part in parts if (ABSENT in part.possible) == (verdict == NOT_RUN)]
    reasons = tuple(dict.fromkeys(reason for part in wanted for reason in part.missing))
    if verdict == NOT_RUN and len(reasons) > 1:
        return reasons[0], f"and for {len(reasons) - 1} more comparisons"
    return reasons or ("more digits than are printed",)


def _reason(verdict: str, deciding: Component | None, parts: tuple[Component, ...], missing: tuple[str, ...]) -> str:
    many = f" ({len(parts)} comparisons)" if len(parts) > 1 else ""
    if deciding is None or verdict == NOT_RUN:
        return f"no {' '.join(missing)}"
    if verdict == NOT_DECIDABLE:
        return f"open is {deciding.name}; one would need {'; '.join(missing)}{many}"
    said = {
        HOLDS: "every comparison passes; the weakest is", CONTRADICTED: "the interval supports the opposite in",
        WITHIN_NOISE: "the interval does not decide",
    }[verdict]  # fmt: skip
    return f"{said} {deciding.name}{many}"


def _renamed(rows: pd.DataFrame, models: Mapping[str, str] | None) -> pd.DataFrame:
    """Rows of another set of four under the keys of the paper's models; the paper's own are dropped where replaced."""
    if models is None:
        return rows
    unknown = sorted(set(models) - set(PAPER_MODELS))
    if unknown:
        raise BookError(f"models {unknown}", f"keys among {', '.join(PAPER_MODELS)}", "give {paper's key: other key}")
    back = {other: key for key, other in models.items()}
    parts = [name.split(" - ") for name in rows.model]
    own = four_of(part for each in parts for part in each) == tuple(models.get(key) for key in PAPER_MODELS)
    kept = rows[[set(each) <= set(back) or (own and each == ["interaction"]) for each in parts]]
    return kept.assign(model=[" - ".join(back.get(part, part) for part in name.split(" - ")) for name in kept.model])


def _ledger_row(source: str, found: Verdict) -> tuple:
    claim, part = found.claim, found.deciding
    facts = ("effect", "ci_low", "ci_high", "unit", "resampled", "p", "margin")
    return (
        source, claim.section, claim.id, claim.statement, claim.strict_of, claim.threshold_ours, found.face_value,
        found.verdict, found.reason, part.name if part else None,
        *(getattr(part, name) if part else None for name in facts), found.flips_at,
        part.source if part else None, "; ".join(found.missing) or None, claim.caution,
        len(found.components),
    )  # fmt: skip
