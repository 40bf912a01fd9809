"""Section 4 in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import paths
from helpers.paper.names import title_of
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.numbers import shown

OVER, UNDER, OPEN = "over-confident", "under-confident", "neither, as far as these images tell"
USED = (("ece", "basic"), ("ece_debiased", "normal"), ("signed_gap", "percentile"))  # intervals of this section
CASES = {"ece": "ECE", "ece_debiased": "ECE without its bias", "signed_gap": "signed gap"}
SHORT = 0.93  # what coverage falls short of nominal 0.95 by more than simulation error


def direction(row: dict) -> str:
    """Over- or under-confident, by the interval of a signed gap row; open where it includes zero or is not known.

    >>> direction({"ci_low": 0.01, "ci_high": 0.02})
    'over-confident'
    """
    low, high = row.get("ci_low"), row.get("ci_high")
    if low is None or low != low or low <= 0 <= high:
        return OPEN
    return OVER if low > 0 else UNDER


def answer(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """The section's answer as Markdown: direction by the signed gap, then ECE beside what chance alone would give."""
    lines = []
    for model in models:
        gap, ece, chance, debiased = (
            select(rows, model=model, metric=metric, group="overall").to_dict("records")
            for metric in ("signed_gap", "ece", "ece_if_calibrated", "ece_debiased")
        )
        if not gap or not ece:
            continue
        rest = f", {shown(debiased[0])} without its bias" if debiased else ""
        floor = f"; a perfectly calibrated model would show {shown(chance[0])}" if chance else ""
        lines.append(
            f"- {label(model)} is **{direction(gap[0])}**: mean confidence minus accuracy "
            f"{shown(gap[0], signed=True)}. ECE {shown(ece[0])}{rest}{floor}."
        )
    if not lines:
        return "**Answer.** Not run: no predictions were available."
    return "**Answer.** By the signed gap, which decides the direction:\n\n" + "\n".join(lines)


def of_the_paper(table: pd.DataFrame) -> str:
    """What the paper's eight panels settle about over- and under-confidence, as Markdown.

    `table`: `paper.calibration_panels()`, with the range of the signed gap that each panel and its ECE allow.
    """
    names = {"over": "over-confident", "under": "under-confident", "open": "not settled"}
    lines = [
        f"- {label(row.model)} on {title_of(row.dataset)}: **{names[row.direction]}**; the panel and its ECE allow a "
        f"signed gap from {row.gap_low:+.3f} to {row.gap_high:+.3f}."
        for row in table.itertuples()
    ]
    settled = int((table.direction != "open").sum())
    head = f"Without the mean confidence of each bin, {settled} of {len(table)} panels settle the direction:"
    return f"{head}\n\n" + "\n".join(lines) + "\n\n" + _consistent(table)


def _consistent(table: pd.DataFrame) -> str:
    apart = (table.accuracy - table.accuracy_from_bins).abs().max()
    possible = int(((table.ece_low <= table.ece) & (table.ece <= table.ece_high)).sum())
    return (
        f"The panels agree with themselves: accuracy from the bins is within {apart:.2f} points of the printed one in "
        f"every panel, and {possible} of {len(table)} printed ECEs lie in the range that their bins allow."
    )


def recalibration(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """What a monotone recalibration leaves of each ECE, beside what chance alone gives, as Markdown bullets."""
    lines = []
    for model in models:
        before, after, chance = (
            select(rows, model=model, metric=metric, group="overall").to_dict("records")
            for metric in ("ece", "ece_after_isotonic", "ece_if_calibrated")
        )
        if before and after and chance:
            inside = after[0]["value"] <= chance[0]["ci_high"]
            said = (
                "no more than perfect calibration would leave"
                if inside
                else "more than perfect calibration would leave"
            )
            lines.append(
                f"- {label(model)}: ECE {before[0]['value']:.4f} before, {after[0]['value']:.4f} after; {said} "
                f"({shown(chance[0])})."
            )
    return "\n".join(lines) or "Not run."


def recorded_coverage() -> pd.DataFrame:
    """The coverage simulation of `stats.coverage_table` that ships with the book.

    Made by `python tests/benchmarks/coverage.py 400 400 helpers/data/coverage.csv` (seed 0, under a minute).

    >>> int(recorded_coverage().n_simulations[0])
    400
    """
    return pd.read_csv(paths.reference("coverage.csv"))


def coverage(table: pd.DataFrame) -> str:
    """What the intervals of this section cover in simulation, those that fall short named, as Markdown.

    `table`: `stats.coverage_table` or its recorded copy.
    """
    mine = of_this_section(table)
    used = mine[[(metric.removesuffix("_well_calibrated"), kind) in USED for metric, kind in _kinds(mine)]]
    short = used[used.coverage + 2 * used.standard_error < SHORT]
    size = int(mine.n_simulations.iloc[0])
    plain = mine[(mine.metric == "ece") & (mine.interval == "percentile")].sort_values("n").iloc[0]
    head = (
        f"In {size} simulated samples per case, the intervals of this page, meant to cover 95 %, covered between "
        f"{100 * used.coverage.min():.0f} and {100 * used.coverage.max():.0f} %. The plain percentile interval of the "
        f"ECE would have covered {100 * plain.coverage:.0f} % at n = {plain.n:,}: it is not used here."
    )
    lines = [
        f"- {_case_name(row.metric, row.interval)}: {100 * row.coverage:.0f} % at n = {row.n:,} (true value "
        f"{row.truth:.3f})."
        for row in short.itertuples()
    ]
    closing = "Short of 93 % by more than the error of the simulation:" if lines else "None falls short."
    return f"{head} {closing}\n\n" + "\n".join(lines)


def of_this_section(table: pd.DataFrame) -> pd.DataFrame:
    """The cases of the coverage simulation that concern ECE and the signed gap."""
    return table[table.metric.str.startswith(("ece", "signed_gap"))].reset_index(drop=True)


def _case_name(metric: str, interval: str) -> str:
    plain = metric.removesuffix("_well_calibrated")
    nearly = ", nearly calibrated model" if plain != metric else ""
    return f"{CASES[plain]}, {interval} interval{nearly}"


def _kinds(table: pd.DataFrame):
    return zip(table.metric, table.interval, strict=True)


def coverage_by_n(table: pd.DataFrame) -> pd.DataFrame:
    """Seen coverage (percent): one line per metric and kind of interval, one column per n.

    The well calibrated population is simulated at the largest n only, and has lines of its own.
    """
    mine = of_this_section(table)
    name = pd.Series([_case_name(*case) for case in _kinds(mine)], index=mine.index)
    wide = mine.assign(name=name, percent=100 * mine.coverage).pivot(index="name", columns="n", values="percent")
    wide.columns = [f"n = {n:,}" for n in wide.columns]
    return wide.loc[name.drop_duplicates()].rename_axis(None)
