"""A number with everything that is unknown about it: rounding, sampling, and how two models' errors overlap.

Where the paper gives too little to know a standard error, there is a largest and a smallest one that the published
numbers allow. A decision that comes out the same for both needs nothing more; otherwise it is not decidable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from helpers.paper.names import title_of

Z = NormalDist().inv_cdf(0.975)
IMAGE = "image"
EXEMPLARS = "decisions image by image, so that shape and texture exemplars can be resampled"
BIN_CONFIDENCES = "the mean confidence in each bin"
CROSSED_SETS = ("cue_conflict",)  # images that share exemplars: taking each on its own understates the error


@dataclass(frozen=True)
class Estimate:
    """A value, the range [low, high] that its unrounded value lies in, and its standard errors on either side.

    `se_down`, `se_up`: the largest standard errors that fit what is known (inf where nothing is); `least_down`,
    `least_up`: the smallest. `understated`: the interval is known to be too short (its unit of resampling is not the
    independent one). `missing`: what would have to be known. `sources`: where the numbers stand.
    """

    value: float
    low: float
    high: float
    se_down: float
    se_up: float
    least_down: float
    least_up: float
    unit: str
    resampled: str | None = None
    understated: bool = False
    missing: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def from_row(row: Mapping) -> Estimate:
    """The estimate that a result row states; without an interval nothing is known of its error.

    Rows of the paper also have low, high, n_least and source_figure. An interval need not be symmetric.

    >>> row = dict(value=10.0, ci_low=8.04, ci_high=11.96, unit="percent", resampled="image", n=100,
    ...            dataset="imagenet_a", metric="accuracy")
    >>> found = from_row(row); round(found.se_down, 2), found.least_down == found.se_down
    (1.0, True)
    """
    value = float(row["value"])
    low, high = (_number(row.get(name), value) for name in ("low", "high"))
    facts = {"unit": row["unit"], "sources": (_source(row),), "resampled": row.get("resampled")}
    if _absent(row.get("ci_low")):
        return Estimate(value, low, high, math.inf, math.inf, 0.0, 0.0, **facts, missing=(_n_of(row),))
    down, up = (value - row["ci_low"]) / Z, (row["ci_high"] - value) / Z
    if _absent(row.get("n")) and not _absent(row.get("n_least")):
        return Estimate(value, low, high, down, up, 0.0, 0.0, **facts, missing=(_n_of(row),))
    crossed = row["dataset"] in CROSSED_SETS and row.get("resampled") == IMAGE
    missing = (EXEMPLARS,) if crossed else (BIN_CONFIDENCES,) if row["metric"] == "signed_gap" and low < high else ()
    return Estimate(value, low, high, down, up, down, up, **facts, understated=crossed, missing=missing)


def combine(terms: Sequence[tuple[float, Estimate]], same_images: bool, missing: str | None = None) -> Estimate:
    """Weighted sum of estimates: sum of coefficient x value.

    On separate images errors add in squares. On the same images nothing is known of how they go together: the largest
    standard error is the sum (all against each other), the smallest what one term exceeds all others by. `missing`
    names what would tell.

    >>> a, b = (Estimate(value, value, value, *[error] * 4, "points") for value, error in ((3.0, 0.3), (1.0, 0.4)))
    >>> apart = combine([(1, a), (-1, b)], same_images=False); round(apart.se_down, 2)
    0.5
    >>> paired = combine([(1, a), (-1, b)], same_images=True); round(paired.se_down, 2), round(paired.least_down, 2)
    (0.7, 0.1)
    """
    parts = [_scaled(weight, estimate) for weight, estimate in terms]
    down, least_down = _together([(part.se_down, part.least_down, part.understated) for part in parts], same_images)
    up, least_up = _together([(part.se_up, part.least_up, part.understated) for part in parts], same_images)
    reasons = [reason for part in parts for reason in part.missing]
    if missing and same_images and len(parts) > 1:
        reasons.append(missing)
    return Estimate(
        *(sum(getattr(part, name) for part in parts) for name in ("value", "low", "high")),
        down, up, least_down, least_up, parts[0].unit,
        resampled=_common([part.resampled for part in parts]), understated=any(part.understated for part in parts),
        missing=tuple(dict.fromkeys(reasons)), sources=tuple(dict.fromkeys(s for part in parts for s in part.sources)),
    )  # fmt: skip


def paired_accuracy(first: Mapping, second: Mapping) -> Estimate:
    """Accuracy of the first minus the second model on the same n images, in points, from the two accuracies alone.

    With shares p and q, d = p - q, the share of discordant images lies between |d| and 2 min(p, 1 - q) - d, and the
    variance of d is (discordant share - d^2) / n. Holds for means over views of the same image too.

    >>> a = dict(value=60.0, unit="percent", n=7500, dataset="imagenet_a", metric="accuracy", model="vit_sup")
    >>> found = paired_accuracy(a, {**a, "value": 52.9, "model": "convnext_sup"})
    >>> round(found.value, 1), round(found.se_down, 2), round(found.least_down, 2)
    (7.1, 1.07, 0.3)
    """
    p, q = float(first["value"]) / 100, float(second["value"]) / 100
    n = min(_images(row) for row in (first, second))
    d = p - q
    most = max(2 * min(p, 1 - q) - d, abs(d))
    widest, least = (100 * math.sqrt(max(share - d * d, 0.0) / n) for share in (most, abs(d)))
    which = f"which images each model got right on {title_of(first['dataset'])}"
    shown = combine([(1, from_row(_bare(first))), (-1, from_row(_bare(second)))], same_images=True)
    unknown = [_n_of(row) for row in (first, second) if _absent(row.get("n"))]
    return replace(
        shown, se_down=widest, se_up=widest, least_down=0.0 if unknown else least, least_up=0.0 if unknown else least,
        unit="points", resampled=first.get("resampled"), missing=(which,),
    )  # fmt: skip


def bounds(estimate: Estimate, z: float = Z) -> tuple[float, float, float, float]:
    """(low, high, best_low, best_high): the interval with the largest error, and the extremes with the smallest.

    `best_low` is the highest lower end that the unknowns allow, `best_high` the lowest upper end.

    >>> bounds(Estimate(1.0, 0.9, 1.1, 2.0, 2.0, 0.5, 0.5, "points"), z=1.0)
    (-1.1, 3.1, 0.6000000000000001, 1.4)
    """
    widest = math.inf if estimate.understated else 1.0
    low, high = (
        end if error == 0 else end + sign * z * error * widest
        for end, sign, error in ((estimate.low, -1, estimate.se_down), (estimate.high, 1, estimate.se_up))
    )
    return low, high, estimate.high - z * estimate.least_down, estimate.low + z * estimate.least_up


def _scaled(weight: float, part: Estimate) -> Estimate:
    ends = sorted((weight * part.low, weight * part.high))
    down, up, least_down, least_up = (
        abs(weight) * max(error, 0.0)  # a bias-corrected interval may lie to one side of its value
        for error in (part.se_down, part.se_up, part.least_down, part.least_up)
    )
    if weight < 0:
        down, up, least_down, least_up = up, down, least_up, least_down
    return replace(
        part, value=weight * part.value, low=ends[0], high=ends[1], se_down=down, se_up=up,
        least_down=least_down, least_up=least_up,
    )  # fmt: skip


def _together(errors: Sequence[tuple[float, float, bool]], same_images: bool) -> tuple[float, float]:
    """Largest and smallest standard error of a sum, from (largest, smallest, understated) of its terms."""
    widest, least = [each[0] for each in errors], [each[1] for each in errors]
    if not same_images:
        return math.hypot(*widest), math.hypot(*least)
    reach = [math.inf if understated else largest for largest, _, understated in errors]
    excess = [least[i] - sum(reach[:i] + reach[i + 1 :]) for i in range(len(errors))]
    return sum(widest), max(0.0, *excess) if len(errors) > 1 else least[0]


def _common(names: Sequence[str | None]) -> str | None:
    known = list(dict.fromkeys(name for name in names if name not in (None, "none")))
    return " / ".join(known) if known else None


def _absent(value) -> bool:
    return value is None or value != value


def _number(value, default: float) -> float:
    return default if _absent(value) else float(value)


def _images(row: Mapping) -> float:
    return float(row["n_least"] if _absent(row.get("n")) else row["n"])


def _bare(row: Mapping) -> dict:
    return {**row, "ci_low": None, "ci_high": None}


def _n_of(row: Mapping) -> str:
    what = "decided images" if row.get("metric") == "shape_bias" else "images"
    return f"the number of {what} on {title_of(row['dataset'])}"


def _source(row: Mapping) -> str:
    figure = row.get("source_figure")
    return figure if not _absent(figure) else f"{row.get('metric')} on {row.get('dataset')} ({row.get('view')})"
