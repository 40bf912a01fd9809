"""Section 2 in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import paper
from helpers.paper.expected import explained_by_accuracy, seen_rows
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected
from helpers.words.numbers import shown
from helpers.words.readings import readings

MEAN, X = "mean_of_16", "imagenet_x"
HARDEST = 3
SCALES = {
    "error ratio": {"metric": "error_ratio", "group": MEAN},
    "points": {"metric": "accuracy_gap", "group": MEAN},
    "log-odds": {"metric": "log_odds_gap", "group": MEAN},
}
ACCURACIES = {
    "top-1": {"metric": "accuracy", "group": "overall", "dataset": "imagenet1k_val"},
    "ReaL": {"metric": "accuracy", "group": "overall", "dataset": "imagenet_real"},
    "ImageNet-X": {"metric": "accuracy", "group": "overall", "dataset": X},
}


def answer(rows: pd.DataFrame, observers: Sequence[str]) -> str:
    """The section's answer as Markdown: how much accuracy alone explains, then the hardest factors of each observer.

    `rows`: result rows of the section, with the expected rows of the paper's models where the testbed is here.
    """
    there = [model for model in observers if len(select(rows, model=model, metric="error_ratio", group=MEAN))]
    head = "**Answer.** " + explained(rows)
    if not there:
        return head + "\n\nThe released observers: not run."
    return (
        head
        + "\n\nHardest factors by error ratio, for each released observer:\n\n"
        + "\n".join(f"- {_hardest(rows, model)}" for model in there)
    )


def explained(rows: pd.DataFrame) -> str:
    """How much of CLIP's lower error ratio does accuracy alone explain, as Markdown: a bullet per architecture."""
    found = explained_by_accuracy(rows)
    if found.empty:
        return "How much accuracy alone explains: not run, the table of the testbed was not available."
    bullets = [f"- {_share(row)}" for row in found.itertuples()]
    low, high = found.share.min(), found.share.max()
    head = (
        f"Accuracy alone explains between {100 * low:.0f} and {100 * high:.0f} % of the lower mean error ratios that "
        "the paper reports for its CLIP models:"
    )
    return f"{head}\n\n" + "\n".join(bullets)


def against_expected(rows: pd.DataFrame, models: Sequence[str], seen: pd.DataFrame | None = None) -> str:
    """For each model: does the mean error ratio lie where models of its accuracy lie? Markdown bullets.

    `seen`: the rows with the ratios, by default `rows` itself (for the paper's models: `seen_rows`).
    """
    seen = rows if seen is None else seen
    lines = []
    for model in models:
        ratio = select(seen, model=model, metric="error_ratio", group=MEAN).to_dict("records")
        expected = select(rows, model=model, metric="expected_error_ratio", group=MEAN).to_dict("records")
        if ratio and expected:
            said = f"seen {shown(ratio[0])}, expected {shown(expected[0])}; {_side(ratio[0], expected[0])}"
            overall = select(seen, model=model, metric="accuracy", group="overall", dataset=X).value.tolist()
            said += f"; at most {100 / (100 - overall[0]):.1f} is possible at its error" if overall else ""
            lines.append(f"- {label(model)}: {said}.")
    return "\n".join(lines) or "Not run."


def other_clip(rows: pd.DataFrame) -> str:
    """Where the testbed's own zero-shot CLIP models lie against what their accuracy leads one to expect; "" without."""
    bed = select(rows, model="testbed")
    curve = select(bed, metric="expected_error_ratio")
    points = bed[bed.metric.ne("expected_error_ratio")].pivot(index="group", columns="metric", values="value")
    points = points[points.index.str.contains("clip")]
    if curve.empty or points.empty:
        return ""
    at = curve.group.str.removeprefix("accuracy:").astype(float).to_numpy()
    low, middle, high = (np.interp(points.accuracy, at, curve[name]) for name in ("ci_low", "value", "ci_high"))
    said = [
        f"{name} {ratio:.2f}, expected {centre:.2f} [{start:.2f}, {end:.2f}]"
        for name, ratio, centre, start, end in zip(points.index, points.error_ratio, middle, low, high, strict=True)
    ]
    return (
        f"The testbed has {len(points)} zero-shot CLIP models of its own: {'; '.join(said)}. "
        f"{int((points.error_ratio < low).sum())} of them lie below the range of models of their accuracy."
    )


def of_the_paper(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """`against_expected` for the paper's models, from the bars of its figure."""
    return against_expected(rows, models, seen_rows())


def decoded(models: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Wrong images behind the bars of the rare factors ("10 of 43"), and the overall errors that they force.

    >>> decoded(["convnext_sup"])[0].loc["style", "ConvNeXt-sup"]
    '10 of 43'
    """
    columns = {}
    for model in models:
        bars = paper.decoded_bars(model)
        rare = bars[bars["count"].notna()].to_dict("records")
        columns[label(model)] = {bar["group"].replace("_", " "): f"{bar['count']} of {int(bar['n'])}" for bar in rare}
    errors = "; ".join(f"{label(model)} {100 * paper.overall_error(model):.1f} %" for model in models)
    table = pd.DataFrame(columns).dropna(how="all").fillna("read too coarsely")
    return table, f"Overall errors on the 46,110 images at which these bars are whole numbers of images: {errors}."


def contrasts(rows: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> tuple[pd.DataFrame, str]:
    """Paired differences of the mean over factors on the three scales, and how many of them each scale resolves."""
    names = [f"{first} - {second}" for first, second in pairs]
    table = readings(rows, names, SCALES, signed=True)
    resolved, kept = {}, []
    for title, what in SCALES.items():
        part = select(rows, model=names, **what).set_index("model").dropna(subset=["ci_low"])
        clear = part[part.ci_low * part.ci_high > 0]
        resolved[title] = np.sign(clear.value).to_dict()
        kept.append(str(int(corrected(part).sum())))
    if not any(len(select(rows, model=names, **what)) for what in SCALES.values()):
        return table, "Not run."
    shared = set.intersection(*(set(found) for found in resolved.values()))
    alike = all(len({found[name] for found in resolved.values()}) == 1 for name in shared)
    counts = ", ".join(f"{len(found)} by {title}" for title, found in resolved.items())
    return table, (
        f"Of {len(names)} pairs these images resolve {counts} (after Holm's correction {', '.join(kept)}); "
        f"{len(shared)} on all three scales, "
        f"{'with the same sign' if alike else 'not all with the same sign'}. A statement about who suffers more has to "
        "name its scale."
    )


def agreement(comparison: pd.DataFrame) -> str:
    """One sentence on `published_ratios`: how many ratios of the imagenetx authors come out the same."""
    if comparison.empty:
        return "Nothing to compare: the released observers were not run."
    apart = comparison.difference.abs()
    return (
        f"{int((apart < 5e-6).sum())} of {len(comparison)} error ratios that the authors of ImageNet-X publish for "
        f"these observers come out equal to five decimals; the largest difference is {apart.max():.1g}."
    )


def published_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Our error ratios beside those published with the predictions: model, group, ours, published, difference."""
    theirs = paper.third_party(dataset=X, metric="error_ratio")[["model", "group", "value"]]
    ours = select(rows, metric="error_ratio", dataset=X)[["model", "group", "value"]]
    found = ours.merge(theirs, on=["model", "group"], suffixes=("_ours", "_published"))
    found = found.rename(columns={"value_ours": "ours", "value_published": "published"})
    return found.assign(difference=found.ours - found.published)


def _hardest(rows: pd.DataFrame, model: str) -> str:
    ratios = select(rows, model=model, metric="error_ratio", dataset=X)
    ratios = ratios[ratios.group.ne(MEAN) & ratios.value.notna()].sort_values("value", ascending=False)
    parts = [
        f"{row['group'].replace('_', ' ')} {shown(row)}, n = {row['n']:,.0f}"
        for row in ratios[:HARDEST].to_dict("records")
    ]
    mean = select(rows, model=model, metric="error_ratio", group=MEAN).to_dict("records")[0]
    return f"{label(model)}: {'; '.join(parts)}. Mean over factors {shown(mean)}."


def _share(row) -> str:
    ends = "more than all of it" if pd.isna(row.share_high) or row.share_high > 1 else f"{100 * row.share_high:.0f} %"
    return (
        f"{label(row.first)} against {label(row.second)}: the paper's bars lie {row.seen:.2f} apart, and "
        f"{row.expected:.2f} of that is what two models of these accuracies show anyway: {100 * row.share:.0f} %. The "
        f"widest interval that the bars allow for their distance, [{_signed(row.seen_low)}, {_signed(row.seen_high)}], "
        f"puts the share between {100 * row.share_low:.0f} % and {ends}."
    )


def _signed(value: float) -> str:
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text


def _side(ratio: dict, expected: dict) -> str:
    low, high = expected["ci_low"], expected["ci_high"]
    if low <= ratio["value"] <= high:
        return "inside the range of such models"
    side, end = ("below", low) if ratio["value"] < low else ("above", high)
    reaches = ratio["ci_low"] <= end <= ratio["ci_high"]
    return f"{side} that range, {'but its own interval reaches into it' if reaches else 'and so is its whole interval'}"
