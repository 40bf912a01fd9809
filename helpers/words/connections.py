"""What one property tells of another: strong within images, weak across four models."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pandas as pd
from scipy.stats import kendalltau

from helpers import results
from helpers.paper.estimates import combine
from helpers.paper.lookup import Index, estimate, find, index_rows, levels, start_of
from helpers.paper.names import PAPER_MODELS, SECTIONS
from helpers.paper.rows import detailed_rows
from helpers.paper.sets import SETS, as_paper
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import interval
from helpers.words.numbers import shown

WEAK = (
    "Four models cannot carry statements of the last kind: even one and the same order of all four comes about by "
    "chance in 1 of 24 cases, and so does its opposite."
)
EARLY_LATE = ("cka", "all: early ~ late")  # metric and group
SCATTERS = (
    ("shape", "shape bias", "kept_r", "accuracy on ImageNet-R / on ImageNet"),
    ("shape", "shape bias", "kept_sketch", "accuracy on ImageNet-Sketch / on ImageNet"),
    ("early_late", "similarity of early and late layers", "lost", "points lost under scale"),
)


def kappas(rows: pd.DataFrame) -> pd.DataFrame:
    """Error consistency of every two of the four, and of each with people, with the range that was attainable.

    Columns model ("A ~ B"), value, ci_low, ci_high, kappa_min, kappa_max, n. `rows`: of section 3.
    """
    mine = select(rows, group="conflict", metric=["kappa", "kappa_min", "kappa_max"])
    known = {*PAPER_MODELS, "humans"}
    mine = mine[[set(name.split(" ~ ")) <= known for name in mine.model]]
    if mine.empty:
        return pd.DataFrame(columns=["model", "value", "ci_low", "ci_high", "kappa_min", "kappa_max", "n"])
    kappa = mine[mine.metric == "kappa"].sort_values("resampled").drop_duplicates("model", keep="last")
    ends = mine[mine.metric != "kappa"].pivot_table(index="model", columns="metric", values="value")
    found = kappa.set_index("model")[["value", "ci_low", "ci_high", "n"]].join(ends)
    return found.reset_index()


def gaps(index: Index) -> pd.DataFrame:
    """Confidence minus accuracy of every model on ImageNet and on ImageNet-R, and its change with interval.

    The two sets have separate images. Columns model, val, r, value, ci_low, ci_high.
    """
    lines = []
    for model in PAPER_MODELS:
        parts = [estimate(index, model, dataset, "signed_gap") for dataset in ("imagenet1k_val", "imagenet_r")]
        if None in parts:
            continue
        change = interval(combine([(1, parts[1]), (-1, parts[0])], same_images=False))
        lines.append({"model": model, "val": parts[0].value, "r": parts[1].value,
                      **{name: change[name] for name in ("value", "ci_low", "ci_high")}})  # fmt: skip
    return pd.DataFrame(lines, columns=["model", "val", "r", "value", "ci_low", "ci_high"])


def across(index: Index) -> pd.DataFrame:
    """One line per model: shape bias, share of ImageNet accuracy kept on R and Sketch, points lost, early-late CKA."""
    lines = []
    for model in PAPER_MODELS:
        plain = find(index, model, "imagenet1k_val", "accuracy")
        kept = {
            f"kept_{name}": _ratio(find(index, model, dataset, "accuracy"), plain)
            for name, dataset in (("r", "imagenet_r"), ("sketch", "imagenet_sketch"))
        }
        shape, early = find(index, model, "cue_conflict", "shape_bias"), _early_late(index, model)
        lines.append({"model": model, "shape": shape and shape["value"], "lost": _lost(index, model, "scale"),
                      "early_late": early, **kept})  # fmt: skip
    return pd.DataFrame(lines).set_index("model").astype(float)


def _ratio(row: Mapping | None, plain: Mapping | None) -> float | None:
    return None if row is None or plain is None else row["value"] / plain["value"]


def _lost(index: Index, model: str, transform: str) -> float | None:
    found = levels(index, model, transform)
    start = start_of(found, transform)
    return None if start is None else found[start]["value"] - min(row["value"] for row in found.values())


def _early_late(index: Index, model: str) -> float | None:
    found = [rows[0]["value"] for key, rows in index.items() if key[0] == model and key[3:] == EARLY_LATE]
    return found[0] if found else None


def of_real() -> dict[str, pd.DataFrame]:
    """{name: table} for the paper's four: "kappas", "gaps", "across"; from recorded runs, released or printed data."""
    shape = [results.newest("03_shape_texture", name) for name in ("paper", "released")]
    agreement = pd.concat([results.empty_rows(), *(record.rows for record in shape if record is not None)])
    index = index_rows(pd.concat([_recorded_or_printed(section) for section in SECTIONS], ignore_index=True))
    return {"kappas": kappas(agreement), "gaps": gaps(index), "across": across(index)}


def _recorded_or_printed(section: str) -> pd.DataFrame:
    record = results.newest(section, "paper")
    recorded = results.empty_rows() if record is None else as_paper(record.rows, SETS["paper"])
    return recorded if len(recorded) else detailed_rows(section)


def answer(found: Mapping[str, pd.DataFrame]) -> str:
    """The four connections as Markdown, each with its kind: within images, within models, across four models."""
    said = [_same_images(found["kappas"]), _gaps(found["gaps"])]
    said += [_order(found["across"], *each) for each in SCATTERS]
    return "\n".join(f"- {each}" for each in said if each) + f"\n\n{WEAK}"


def _same_images(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    own = table[~table.model.str.contains("humans")]
    people = table[table.model.str.contains("humans") & (table.model != "humans ~ humans")]
    beyond = int((own.ci_low > 0).sum())
    least, most = own.loc[own.value.idxmin()], own.loc[own.value.idxmax()]
    text = (
        f"**Within images (strong):** {beyond} of {len(own)} pairs of the four err on the same cue-conflict images "
        f"beyond chance; kappa from {_pair(least)} to {_pair(most)}, where up to {most.kappa_max:.2f} was attainable."
    )
    if people.empty:
        return text
    closest = people.loc[people.value.idxmax()]
    return f"{text} With people they share less: at most {_pair(closest)}."


def _pair(row: pd.Series) -> str:
    names = " and ".join("people" if name == "humans" else label(name) for name in row.model.split(" ~ "))
    return f"{shown({**row, 'unit': 'fraction'})} ({names})"


def _gaps(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    up, down = int((table.ci_low > 0).sum()), int((table.ci_high < 0).sum())
    parts = ", ".join(
        f"{label(row['model'])} {shown({**row, 'unit': 'fraction'}, signed=True)}" for _, row in table.iterrows()
    )
    return (
        "**Within each model, between two sets:** does over-confidence grow from photographs to renditions? It grows "
        f"in {up} of {len(table)} models and shrinks in {down}, as far as intervals tell; change of confidence minus "
        f"accuracy: {parts}."
    )


def _order(table: pd.DataFrame, x: str, x_title: str, y: str, y_title: str) -> str:
    part = table[[x, y]].dropna()
    if len(part) < len(PAPER_MODELS):
        return f"**Across four models (weak):** {x_title} and {y_title}: not run for all four."
    alike = [(part[x][a] - part[x][b]) * (part[y][a] - part[y][b]) for a, b in combinations(part.index, 2)]
    pairs, ties = sum(each > 0 for each in alike), sum(each == 0 for each in alike)
    said = f"**Across four models (weak):** {x_title} and {y_title} order {pairs} of 6 pairs of models alike"
    if ties:
        return f"{said}, and {ties} {'is' if ties == 1 else 'are'} tied."
    found = kendalltau(part[x], part[y], method="exact")
    return f"{said} (Kendall's tau {found.statistic:+.2f}, exact p {found.pvalue:.2f})."
