"""The ledger of claims in words: which of the paper's statements its data resolve, and what is missing for the "
"rest."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd
from IPython.display import HTML

from helpers import results
from helpers.paper.claims_table import OUR_READINGS
from helpers.paper.ledger import ledger
from helpers.paper.names import SECTIONS
from helpers.paper.sets import SETS, as_paper
from helpers.paper.verdicts import CONTRADICTED, HOLDS, NOT_DECIDABLE, NOT_RUN, WITHIN_NOISE
from helpers.words.numbers import shown
from helpers.words.sets import TWINS, drawn_ledger, rows_of
from helpers.words.tables import FACE, verdict_cell

RELEASED, RUN = "released data", "the real models, run"
HEADINGS = {
    HOLDS: "Supported: every comparison passes, with the sampling error of the paper's own numbers",
    CONTRADICTED: "Opposed: an interval supports the opposite",
    WITHIN_NOISE: "Within noise: the numbers are known well enough to say that the data do not decide",
    NOT_DECIDABLE: "Not decidable: it depends on something that is not published",
    NOT_RUN: "Not run",
}
SAID = {HOLDS: "are supported", CONTRADICTED: "are opposed", WITHIN_NOISE: "are within noise",
        NOT_DECIDABLE: "are not decidable"}  # fmt: skip


def sources(profile: str) -> dict[str, pd.DataFrame]:
    """Result rows of all sections about the paper's four: of the released data, and of the real models where run.

    Raises nothing: a section without a record gives no rows. Other models of a report have a ledger of their own.
    """
    found = {RELEASED: rows_of("released")}
    real = as_paper(rows_of("report" if profile == "report" else "paper"), SETS["paper"])
    return {**found, RUN: real} if len(real) or profile in ("paper", "report") else found


def full_ledger(profile: str) -> pd.DataFrame:
    """The ledger by every source that there is: printed numbers, released data, runs; in `demo` the twins as the last.

    The twins are a source of their own, never counted with the others.
    """
    parts = [ledger(sources(profile)), *([drawn_ledger()] if profile == "demo" else [])]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def own_claims(ledger: pd.DataFrame, source: str = "paper") -> pd.DataFrame:
    """The lines of one source that are statements of the paper: our own stricter and weaker readings left out.

    >>> from helpers.paper import ledger
    >>> len(own_claims(ledger()))
    25
    """
    ours = ledger.strict_of.notna() | ledger.claim.isin(OUR_READINGS)
    return ledger[(ledger.source == source) & ~ours].reset_index(drop=True)


def answer(ledger: pd.DataFrame) -> str:
    """Which statements the paper's own numbers can resolve, as Markdown, grouped by verdict."""
    claims = own_claims(ledger)
    face = int(claims.face_value.eq(True).sum())
    counts = claims.verdict.value_counts()
    said = ", ".join(f"{counts[verdict]} {SAID.get(verdict, verdict)}" for verdict in HEADINGS if verdict in counts)
    head = (
        f"**Answer.** We count {len(claims)} statements. Between the numbers as printed {face} of them are true. With "
        f"the sampling error that these numbers have themselves: {said}. *Not decidable* is no fault of a statement: "
        "the figures print too little to tell, and the table below says what would."
    )
    groups = [_group(claims, verdict) for verdict in HEADINGS if verdict in counts]
    return "\n\n".join([head, *groups])


def beyond_the_paper(ledger: pd.DataFrame) -> str:
    """What other sources than the paper's printed numbers say about its statements, as Markdown."""
    parts = []
    for source in [name for name in ledger.source.drop_duplicates() if name not in ("paper", TWINS)]:
        claims = own_claims(ledger, source)
        claims = claims[claims.verdict != NOT_RUN]
        lines = [
            f"- {row['statement']} *{row['verdict'].capitalize()}*: {row['reason']}; "
            f"effect {shown({**row, 'value': row['effect']}, signed=True)}."
            for row in claims.to_dict("records")
        ]
        said = f"{len(lines)} of the statements can be looked at" + (":" if lines else ".")
        parts.append("\n\n".join([f"**{source.capitalize()}**: {said}", "\n".join(lines)]).strip())
    return "\n\n".join(parts)


def _group(claims: pd.DataFrame, verdict: str) -> str:
    lines = [f"- {row.statement}" for row in claims[claims.verdict == verdict].itertuples()]
    return f"**{HEADINGS[verdict]}.**\n\n" + "\n".join(lines)


def claims_table(ledger: pd.DataFrame, names: Mapping[str, str], ours: bool = False) -> HTML:
    """All claims with one verdict per source, each opening to the comparison that decides it.

    `names`: {source: heading of its column}; `ours`: our own readings instead of the paper's statements.
    """
    chosen = own_claims(ledger).claim
    kept = ledger[ledger.claim.isin(chosen) != ours]
    drawn = ["drawn" if source == TWINS else "" for source in names]
    heads = zip(["claim", "face value", *names.values()], ["", "", *drawn], strict=True)
    head = "".join(f'<th class="{kind}">{html.escape(name)}</th>' for name, kind in heads)
    lines = [_line(part.set_index("source"), list(names)) for _, part in kept.groupby("claim", sort=False)]
    return HTML(
        f'<div class="table-scroll"><table class="dataframe table book-table claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _line(rows: pd.DataFrame, names: list[str]) -> str:
    first = rows.iloc[0]
    margin = ' <span class="ours">margin chosen here</span>' if first.threshold_ours else ""
    section = f"<br><small>{html.escape(SECTIONS[first.section])}</small>"
    cells = [html.escape(first.statement) + margin + section, FACE[rows.face_value["paper"]]]
    texts = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr>{texts}{''.join(verdict_cell(rows.loc[name], name == TWINS) for name in names)}</tr>"


def missing(ledger: pd.DataFrame) -> pd.DataFrame:
    """What would have to be published or run, and how many of the paper's statements wait for it.

    >>> from helpers.paper import ledger
    >>> missing(ledger()).columns.tolist()
    ['what is missing', 'statements', 'sections']
    """
    claims = own_claims(ledger)
    claims = claims[claims.missing.notna()].assign(what=lambda part: part.missing.str.split("; ")).explode("what")
    claims = claims.assign(title=claims.section.map(SECTIONS))
    table = claims.groupby("what", sort=False).agg(
        statements=("claim", "nunique"), sections=("title", lambda part: ", ".join(dict.fromkeys(part)))
    )
    table = table.sort_values("statements", ascending=False, kind="stable").rename_axis("what is missing").reset_index()
    return table


def count_rows(ledger: pd.DataFrame) -> pd.DataFrame:
    """Result rows: how many of the paper's statements have which verdict, per source.

    >>> from helpers.paper import ledger
    >>> rows = count_rows(ledger())
    >>> int(rows.value.sum()), rows.metric.unique().tolist()
    (25, ['statements'])
    """
    rows = []
    for source in ledger.source.drop_duplicates():
        counts = own_claims(ledger, source).verdict.value_counts()
        rows += [
            {"model": source, "metric": "statements", "group": verdict, "value": float(counts.get(verdict, 0)),
             "n": int(counts.sum()), "unit": "count", "resampled": "none"}
            for verdict in HEADINGS
        ]  # fmt: skip
    return results.rows_frame(rows)
