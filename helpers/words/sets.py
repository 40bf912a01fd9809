"""The claims over several sets of four models: where their rows lie, and in how many sets a claim holds."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

import pandas as pd
from IPython.display import HTML

from helpers import results
from helpers.paper.ledger import PAPER, ledger
from helpers.paper.names import SECTIONS
from helpers.paper.sets import SETS, held, ledger_of_sets
from helpers.paper.verdicts import NOT_DECIDABLE, NOT_RUN
from helpers.plots.style import label
from helpers.stats import PAIRS_2X2
from helpers.words.tables import verdict_cell

TWINS = "twins, drawn world"
CONCLUSIONS = "10_synthesis"
PLACES = {
    "paper": ("paper", "released"), "in1k": ("in1k", "paper", "released"), "laion2b": ("laion2b", "paper"),
    "demo": ("demo",),
}  # fmt: skip
OVERLAP = (
    "The sets are not independent of each other: *{in1k}* has the paper's CLIP models and *{laion2b}* its supervised "
    "ones. Three sets of four are eight checkpoints, not twelve."
)


def rows_of(profiles: str | Iterable[str]) -> pd.DataFrame:
    """Rows of the newest records of all sections but this one, profile by profile; keys may repeat over profiles."""
    profiles = [profiles] if isinstance(profiles, str) else list(profiles)
    records = [results.newest(section, name) for name in profiles for section in SECTIONS if section != CONCLUSIONS]
    tables = [record.rows for record in records if record is not None and len(record.rows)]
    return pd.concat(tables, ignore_index=True) if tables else results.empty_rows()


def real_ledger() -> pd.DataFrame:
    """Verdicts on the paper's claims for every real set, from what is recorded of it.

    The paper's four count once: by recorded answers where these decide, else by the printed numbers.

    >>> sorted(set(real_ledger().source))
    ['in1k', 'laion2b', 'paper']
    """
    found = ledger_of_sets({name: rows_of(PLACES[name]) for name, which in SETS.items() if not which.drawn})
    mine = found[found.source == PAPER].set_index("claim")
    printed = ledger().set_index("claim")
    merged = mine.where(mine.verdict != NOT_RUN, printed).reset_index()[found.columns]
    return pd.concat([merged, found[found.source != PAPER]], ignore_index=True).astype({"threshold_ours": object})


def drawn_ledger() -> pd.DataFrame:
    """Verdicts for the twins of the drawn world, as source `TWINS`; empty where the demo was not run."""
    rows = rows_of(PLACES["demo"])
    return ledger_of_sets({"demo": rows}).assign(source=TWINS) if len(rows) else ledger().iloc[:0]


def answer(table: pd.DataFrame) -> str:
    """In how many real sets the claims could be asked, and what came out, as Markdown. `table`: of `real_ledger`."""
    counts = held(table)
    several = counts[counts.asked > 1]
    said = [f"{len(several)} of {len(counts)} statements can be asked of more than one real set with what is recorded."]
    for row in several.itertuples():
        found = (("holds", row.holds), ("is opposed", row.contradicted), ("is within noise", row.within_noise),
                 ("is open", row.open))  # fmt: skip
        parts = [f"{word} in {number}" for word, number in found if number]
        said.append(f"- {row.statement} It {' and '.join(parts)} of {row.asked} sets.")
    titles = {name: which.title for name, which in SETS.items()}
    return said[0] + "\n\n" + "\n".join(said[1:]) + "\n\n" + OVERLAP.format(**titles)


def table(ledger: pd.DataFrame) -> HTML:
    """One line per claim: in how many real sets it holds, and its verdict in each. The drawn world has no column."""
    counts = held(ledger).set_index("claim")
    names = [name for name, which in SETS.items() if not which.drawn]
    head = "".join(f"<th>{html.escape(text)}</th>" for text in ("claim", "holds in", *(SETS[n].title for n in names)))
    kept = ledger[ledger.claim.isin(counts.index)]
    lines = []
    for claim, part in kept.groupby("claim", sort=False):
        rows, count = part.set_index("source"), counts.loc[claim]
        section = f"<br><small>{html.escape(SECTIONS[rows.section.iloc[0]])}</small>"
        where = f"{count.holds} of {count.asked}" if count.asked else "–"
        cells = "".join(verdict_cell(rows.loc[name]) for name in names)
        lines.append(f"<tr><td>{html.escape(rows.statement.iloc[0])}{section}</td><td>{where}</td>{cells}</tr>")
    return HTML(
        f'<div class="table-scroll"><table class="dataframe table book-table claims"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def seeds(entries: dict[str, dict]) -> pd.DataFrame:
    """Contrasts between the twins for every training seed that is recorded, and how far the seeds lie apart.

    `entries`: the record of the twins by `<model>/seed<n>`. One line per contrast with accuracy (points) and shape
    bias, a column a seed; seeds without all four models are left out. The paper has one seed of each model.

    >>> entry = {"val": {"accuracy": 80.0, "shape_bias": 0.5}}
    >>> names = ("twin_convnext_sup", "twin_vit_sup", "twin_convnext_clip", "twin_vit_clip")
    >>> seeds({f"{name}/seed0": entry for name in names}).columns.tolist()
    ['contrast', 'seed 0', 'largest minus smallest']
    """
    found = {int(key.rpartition("seed")[2]) for key in entries}
    whole = [seed for seed in sorted(found) if all(f"{m}/seed{seed}" in entries for m in SETS["demo"].models.values())]
    lines = []
    for title, metric, digits in (("accuracy (points)", "accuracy", 1), ("shape bias", "shape_bias", 3)):
        for first, second in PAIRS_2X2:
            of = {seed: _difference(entries, seed, first, second, metric) for seed in whole}
            line = {"contrast": f"{title}, {label(f'{first} - {second}')} twins"}
            line |= {f"seed {seed}": f"{value:+.{digits}f}" for seed, value in of.items()}
            apart = f"{max(of.values()) - min(of.values()):.{digits}f}" if len(of) > 1 else "one seed: not known"
            lines.append(line | {"largest minus smallest": apart})
    return pd.DataFrame(lines)


def claims_over_seeds(drawn: pd.DataFrame, others: Mapping[int, pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """Verdicts of the drawn world for every recorded seed, one line a claim, and how many are the same in all.

    `drawn`: of `drawn_ledger` (seed 0); `others`: of `results.other_seeds`. Claims that the drawn world cannot decide
    with any seed are left out.

    >>> claims_over_seeds(drawn_ledger().iloc[:0], {})[1]
    'No claim can be asked of the drawn world here.'
    """
    found = {"seed 0": drawn} | {f"seed {n}": ledger_of_sets({"demo": rows}) for n, rows in others.items()}
    columns = [each.set_index("claim").verdict.rename(name) for name, each in found.items()]
    verdicts = pd.concat(columns, axis=1) if len(drawn) else pd.DataFrame(columns=list(found))
    decided = verdicts[~verdicts.isin([NOT_RUN, NOT_DECIDABLE]).all(axis=1)]
    if decided.empty:
        return decided, "No claim can be asked of the drawn world here."
    same = int(decided.nunique(axis=1).eq(1).sum())
    statements = drawn.set_index("claim").statement.reindex(decided.index)
    said = (
        f"{same} of {len(decided)} statements that the drawn world decides get the same verdict with each of "
        f"the {len(found)} seeds of training." if others else "One seed is recorded: verdicts may differ with another."
    )  # fmt: skip
    return decided.set_axis(pd.Index(statements, name=None)), said


def _difference(entries: dict, seed: int, first: str, second: str, metric: str) -> float:
    values = [entries[f"{SETS['demo'].models[model]}/seed{seed}"]["val"][metric] for model in (first, second)]
    return values[0] - values[1]
