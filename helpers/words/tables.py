"""Tables for the page: everything escaped, wide ones scroll, nothing cut off."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import pandas as pd
from IPython.display import HTML

from helpers import paper
from helpers.plots.style import label, metric_name
from helpers.words.numbers import shown

CLASSES = {
    "holds": "holds", "contradicted": "contradicted", "within noise": "noise", "not decidable": "undecidable",
    "not run": "not-run",
}  # fmt: skip
_LONG = re.compile(r"<(td|th)>([^<]{40,})<")  # cells that may break into lines; short ones stay on one
FACE = {True: "yes", False: "no", None: "–"}


def table(frame: pd.DataFrame, digits: int = 3, index: bool = True) -> HTML:
    """A frame as an HTML table; floats to `digits`, missing as a dash. Nothing in it is taken as HTML.

    >>> "&lt;b&gt;" in table(pd.DataFrame({"a": ["<b>"]})).data
    True
    """
    text = frame.to_html(
        escape=True, index=index, border=0, na_rep="–", classes="table book-table plain-table",
        float_format=lambda value: f"{value:.{digits}f}",
    )  # fmt: skip
    text = _LONG.sub(r'<\1 class="long">\2<', text)
    return HTML(f'<div class="table-scroll">{text}</div>')


def claims(section: str | None, rows_by_source: Mapping[str, pd.DataFrame], strict: bool = True) -> HTML:
    """The paper's claims of a section (None: of all), a verdict per source; each opens to the comparison that decides.

    `rows_by_source`: result rows by what the column is called, beside the paper's own numbers. `strict`: show our
    stricter readings too, marked as ours.
    """
    ledger = paper.ledger(rows_by_source)
    if section is not None:
        ledger = ledger[ledger.section == section]
    if not strict:
        ledger = ledger[ledger.strict_of.isna()]
    sources = ["paper", *rows_by_source]
    names = ["the paper's numbers", *rows_by_source]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ["claim", "face value", *names])
    lines = [_claim_line(part, sources) for _, part in ledger.groupby("claim", sort=False)]
    return HTML(
        f'<div class="table-scroll"><table class="dataframe table book-table claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _claim_line(part: pd.DataFrame, sources: list[str]) -> str:
    rows = part.set_index("source")
    first = rows.iloc[0]
    ours = ' <span class="ours">our stricter reading</span>' if isinstance(first.strict_of, str) else ""
    margin = ' <span class="ours">margin chosen here</span>' if first.threshold_ours else ""
    cells = [f"<td>{html.escape(first.statement)}{ours}{margin}</td>", f"<td>{FACE[rows.face_value['paper']]}</td>"]
    cells += [verdict_cell(rows.loc[source]) for source in sources]
    return f"<tr>{''.join(cells)}</tr>"


def _known(value: object) -> bool:
    return value is not None and value == value


def verdict_cell(row: pd.Series, drawn: bool = False) -> str:
    """One cell of a table of claims: the verdict, opening to the comparison that decides it.

    `row`: of the ledger; `drawn`: set apart, because it speaks of the drawn world.
    """
    kind = CLASSES[row.verdict]
    said = [str(row.reason)]
    if _known(row.effect):
        said.append(f"effect {shown({**row, 'value': row.effect}, signed=True)}")
    said += [f"resampling: {row.resampled}"] if _known(row.resampled) else []
    said += [f"holds from a margin of {row.flips_at:.2f}"] if _known(row.flips_at) else []
    said += [f"source: {row.figure}"] if _known(row.figure) else []
    said += [str(row.caution)] if _known(row.caution) else []
    body = "<br>".join(html.escape(part) for part in said)
    summary = f"<summary>{html.escape(row.verdict)}</summary>"
    apart = ' class="drawn"' if drawn else ""
    return f'<td{apart}><details class="verdict verdict-{kind}">{summary}{body}</details></td>'


def _observer(model: str) -> str:
    if model == "humans":
        return "people, pooled"
    return "people, one by one" if label(model).startswith("person ") else label(model)


def _quantity(metric: str) -> str:
    return "counts of decisions" if metric.startswith("n_") else metric_name(metric)


def reproduced(comparison: pd.DataFrame) -> HTML:
    """How many numbers of the paper are reproduced, per model and kind of source, and the largest difference.

    `comparison`: what `paper.compare` gives. Reproduced means equal within the rounding or reading precision of the
    paper's number plus a numeric tolerance; it says nothing about new images.
    """
    if comparison.empty:
        return HTML("<p>Nothing to compare: not run under the paper's protocol and n.</p>")
    judged = comparison[comparison.reproduced.notna()]
    judged = judged.assign(model=judged.model.map(_observer), metric=judged.metric.map(_quantity))
    parts = judged.assign(
        reproduced=judged.reproduced.astype(bool), apart=judged.difference.abs()
    ).groupby(["model", "source_figure", "metric"], sort=False)  # fmt: skip
    summary = parts.agg(
        numbers=("reproduced", "size"), reproduced=("reproduced", "sum"), largest_difference=("apart", "max"),
        tolerance=("tolerance", "max"),
    ).reset_index()  # fmt: skip
    return table(summary.rename(columns=lambda name: name.replace("_", " ")), digits=4, index=False)
