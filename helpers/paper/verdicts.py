"""From estimates to verdicts: holds, contradicted, within noise, not decidable, not run.

A claim about several comparisons is an intersection-union test: each must pass at alpha = 0.05, without correction
inside. "Close" is an equivalence test (two one-sided tests). Differences are tested two-sided, because a claim can be
contradicted as well as supported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from helpers.errors import BookError
from helpers.paper.estimates import Estimate, bounds

ALPHA = 0.05
PASS, OPPOSITE, NOISE, ABSENT = "pass", "opposite", "noise", "absent"
HOLDS, CONTRADICTED, WITHIN_NOISE = "holds", "contradicted", "within noise"
NOT_DECIDABLE, NOT_RUN = "not decidable", "not run"
VERDICTS = (HOLDS, CONTRADICTED, WITHIN_NOISE, NOT_DECIDABLE, NOT_RUN)
GREATER, EQUIVALENT = "greater", "equivalent"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Component:
    """One comparison of a claim: is the effect above zero ("greater"), or within -+margin ("equivalent")?

    effect in `unit`; ci_low, ci_high: 95 % interval with the largest error that fits what is known (None where nothing
    is). `possible`: the outcomes ("pass", "opposite", "noise") that the unknowns leave open, or "absent" without a row.
    p: two-sided for "greater", of the two one-sided tests for "equivalent", with the largest error. `flips_at`: the
    smallest margin at which an equivalence passes. `missing`: what would have to be known; `source`: where it stands.
    """

    name: str
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    unit: str | None
    relation: str
    possible: frozenset[str]
    margin: float | None = None
    strict: bool = True
    p: float | None = None
    flips_at: float | None = None
    missing: tuple[str, ...] = ()
    source: str = ""
    resampled: str | None = None
    family: str = ""

    @property
    def decision(self) -> str:
        """The one outcome that is possible, or "undecided"."""
        return next(iter(self.possible)) if len(self.possible) == 1 else "undecided"


def greater(
    name: str,
    estimate: Estimate | None,
    strict: bool = True,
    family: str = "",
    levels: tuple[float, float] | None = None,
) -> Component:
    """The comparison "effect > 0" (>= 0 at face value where not `strict`).

    levels: two-sided levels for passing and for the opposite, ALPHA by default. Without an estimate: "absent".

    >>> found = greater("A minus B", Estimate(1.9, 1.9, 1.9, 1.0, 1.0, 0.5, 0.5, "points"))
    >>> sorted(found.possible), round(found.ci_low, 2)
    (['noise', 'pass'], -0.06)
    """
    if estimate is None:
        return _absent(name, GREATER, strict=strict, family=family)
    for_pass, for_opposite = levels or (ALPHA, ALPHA)
    low, _, best_low, _ = bounds(estimate, _two_sided(for_pass))
    _, high, _, best_high = bounds(estimate, _two_sided(for_opposite))
    possible = {PASS} if best_low > 0 else set()
    possible |= {OPPOSITE} if best_high < 0 else set()
    possible |= {NOISE} if low <= 0 <= high else set()
    return Component(
        name, *_shown(estimate), estimate.unit, GREATER, frozenset(possible), strict=strict, p=_p_greater(estimate),
        missing=estimate.missing if len(possible) > 1 else (), source=", ".join(estimate.sources),
        resampled=_unit_shown(estimate), family=family,
    )  # fmt: skip


def equivalent(name: str, estimate: Estimate | None, margin: float) -> Component:
    """The comparison "-margin < effect < margin" by two one-sided tests at ALPHA; opposite: beyond it at 95 %.

    Raises BookError unless the margin is above zero. Source: Schuirmann 1987.

    >>> found = equivalent("A minus B", Estimate(0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, "points"), 1.0)
    >>> found.decision, round(found.p, 3), round(found.flips_at, 2)
    ('pass', 0.048, 0.99)
    """
    if not margin > 0:
        raise BookError("equivalence margin", f"a number above zero, found {margin!r}", "state a margin")
    if estimate is None:
        return _absent(name, EQUIVALENT, margin=margin)
    low, high, best_low, best_high = bounds(estimate, _quantile(1 - ALPHA))
    reach = max(high, -low)
    ceiling, floor = margin - (best_high - estimate.low), (estimate.high - best_low) - margin
    within = floor < ceiling and estimate.low < ceiling and estimate.high > floor
    far_low, far_high, far_best_low, far_best_high = bounds(estimate)
    possible = {PASS} if within else set()
    possible |= {OPPOSITE} if far_best_low > margin or far_best_high < -margin else set()
    possible |= set() if reach < margin or far_low > margin or far_high < -margin else {NOISE}
    return Component(
        name, *_shown(estimate), estimate.unit, EQUIVALENT, frozenset(possible), margin=margin,
        p=tost(estimate, margin), flips_at=reach if math.isfinite(reach) else None,
        missing=estimate.missing if len(possible) > 1 else (), source=", ".join(estimate.sources),
        resampled=_unit_shown(estimate),
    )  # fmt: skip


def tost(estimate: Estimate, margin: float) -> float:
    """p of the two one-sided tests that the effect lies within -+margin, with the largest error that is possible.

    >>> round(tost(Estimate(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, "points"), 1.96), 3)
    0.025
    """
    if estimate.understated or not math.isfinite(max(estimate.se_down, estimate.se_up)):
        return 1.0
    upper, lower = margin - estimate.high, estimate.low + margin
    tails = [_tail(upper, estimate.se_up), _tail(lower, estimate.se_down)]
    return max(tails)


def at_face_value(component: Component) -> bool | None:
    """Whether the comparison holds between the numbers as they stand; None without them.

    >>> at_face_value(greater("tie", Estimate(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, "points"), strict=False))
    True
    """
    if component.effect is None:
        return None
    if component.relation == EQUIVALENT:
        return abs(component.effect) <= component.margin + _ROUNDING
    return component.effect > _ROUNDING or (not component.strict and component.effect >= -_ROUNDING)


def combine_verdicts(components: Sequence[Component], at_least: int | None = None) -> str:
    """Verdict of a claim from its comparisons: all must pass, or `at_least` of each family.

    contradicted: one comparison (for `at_least`: too many of a family) is surely opposite. not run: a row is missing
    and the claim is not contradicted already. not decidable: what is unknown decides. Else holds, or within noise.

    >>> sure = Estimate(2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5, "points")
    >>> combine_verdicts([greater("A", sure), greater("B", None)])
    'not run'
    """
    outcomes = [part.possible for part in components] if at_least is None else _families(components, at_least)
    if any(found == {OPPOSITE} for found in outcomes):
        return CONTRADICTED
    if not outcomes or any(ABSENT in found for found in outcomes):
        return NOT_RUN
    if all(found == {PASS} for found in outcomes):
        return HOLDS
    # What may still turn out opposite could contradict the claim; what is surely noise keeps it from holding.
    if any(OPPOSITE in found for found in outcomes) or not any(found == {NOISE} for found in outcomes):
        return NOT_DECIDABLE
    return WITHIN_NOISE


def partial_levels(of: int, at_least: int) -> tuple[float, float]:
    """Levels at which single comparisons count, so that "at least k of n" and its opposite keep ALPHA.

    k of n pass at ALPHA / (n - k + 1); the opposite needs n - k + 1 of n at ALPHA / k. Source: Benjamini & Heller 2008.

    >>> partial_levels(10, 8)
    (0.016666666666666666, 0.00625)
    """
    return ALPHA / (of - at_least + 1), ALPHA / at_least


def _families(components: Sequence[Component], at_least: int) -> list[frozenset[str]]:
    """Possible outcomes of each family of comparisons under "at least k of them"."""
    outcomes = []
    for family in dict.fromkeys(part.family for part in components):
        parts = [part.possible for part in components if part.family == family]
        if any(ABSENT in part for part in parts):
            outcomes.append(frozenset({ABSENT}))
            continue
        too_many = len(parts) - at_least + 1
        sure_pass, sure_opposite = (sum(part == {end} for part in parts) for end in (PASS, OPPOSITE))
        may_pass, may_opposite = (sum(end in part for part in parts) for end in (PASS, OPPOSITE))
        found = {PASS} if may_pass >= at_least else set()
        found |= {OPPOSITE} if may_opposite >= too_many else set()
        found |= {NOISE} if sure_pass < at_least and sure_opposite < too_many else set()
        outcomes.append(frozenset(found))
    return outcomes


def _absent(name: str, relation: str, **rest) -> Component:
    return Component(name, None, None, None, None, relation, frozenset({ABSENT}), missing=(f"rows for {name}",), **rest)


def _shown(estimate: Estimate) -> tuple[float, float | None, float | None]:
    """Effect and its interval; one that is known to be too short is shown, and named so by `_unit_shown`."""
    low, high, *_ = bounds(replace(estimate, understated=False))
    finite = math.isfinite(low) and math.isfinite(high)
    return estimate.value, (low if finite else None), (high if finite else None)


def _unit_shown(estimate: Estimate) -> str | None:
    """The unit of resampling, and whether the interval is too short for certain, or the widest that is possible."""
    if estimate.understated:
        return f"{estimate.resampled} only"
    bounded = math.isfinite(estimate.se_down) and estimate.least_down < estimate.se_down
    return f"{estimate.resampled}, widest possible" if bounded else estimate.resampled


def _two_sided(level: float) -> float:
    return _quantile(1 - level / 2)


def _quantile(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _p_greater(estimate: Estimate) -> float:
    if estimate.understated:
        return 1.0
    nearest = max(estimate.low, -estimate.high)  # distance of the range of the value from zero, if above it
    error = estimate.se_down if estimate.low > 0 else estimate.se_up
    return min(1.0, 2 * _tail(nearest, error)) if nearest > 0 else 1.0


def _tail(distance: float, error: float) -> float:
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return math.erfc(distance / error / math.sqrt(2)) / 2 if math.isfinite(error) else 0.5
