"""Parts of the prose pages that are made from records and reference values, by the name that a page asks for."""

from __future__ import annotations

from collections.abc import Callable

from helpers import paper
from helpers.words import audit, connections, front, literature, synthesis, two_by_two
from helpers.words.tables import table


def _counts() -> str:
    """How many of the paper's statements have which verdict, by its own numbers and by the released data."""
    ledger = paper.ledger(synthesis.sources("released"))
    rows = synthesis.count_rows(ledger)
    counts = rows.pivot(index="group", columns="model", values="value").astype(int)
    counts = counts.loc[list(synthesis.HEADINGS), ["paper", synthesis.RELEASED]]
    counts = counts.rename(columns={"paper": "the paper's printed numbers"}).rename_axis(index=None, columns=None)
    return table(counts, 0).data


def _missing() -> str:
    return table(synthesis.missing(paper.ledger()), index=False).data


def _contrasts() -> str:
    return two_by_two.answer(two_by_two.effects())


def _connections() -> str:
    return connections.answer(connections.of_real())


PARTS: dict[str, Callable[[], str]] = {
    "front-answer": front.answer,
    "front-figure": front.figure,
    "verdict-counts": _counts,
    "missing-inputs": _missing,
    "earlier-work": literature.beside,
    "contrast-counts": _contrasts,
    "connection-lines": _connections,
    "audit-accuracy": audit.accuracy,
    "audit-bases": audit.bases,
    "audit-averages": audit.averages,
    "audit-shape": audit.shape_bias,
    "audit-bars": audit.bars,
    "audit-light": audit.light,
    "audit-calibration": audit.calibration,
    "audit-ranges": audit.ranges,
    "audit-others": audit.others,
    "audit-probes": audit.probes,
    "audit-layers": audit.layers,
    "audit-code": audit.code,
}
