"""Each finding beside the earlier one that it repeats or contradicts, with what becomes of it here."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers import results
from helpers.paper.ledger import ledger
from helpers.paper.verdicts import NOT_RUN
from helpers.rows import select
from helpers.words.numbers import shown
from helpers.words.synthesis import RELEASED, RUN, sources


@dataclass(frozen=True)
class Finding:
    """A finding of the paper, in our words; the earlier one with its citation; the claim that asks for it here."""

    finding: str
    earlier: str
    claim: str | None
    relation: str


FINDINGS = (
    Finding("ViT decides by shape more often than ConvNeXt",
            "{cite:t}`naseer2021intriguing` and {cite:t}`tuli2021convolutional` found ViTs less bound to texture, and "
            "nearer to people in shape bias or in errors, than the ConvNets of their time",
            "shape_vit_higher", "repeats, against a modern ConvNet"),
    Finding("CLIP models decide by shape more often than supervised ones",
            "{cite:t}`geirhos2021partial` found models of more data and other objectives, CLIP among them, to come "
            "closest to people on such images", "shape_clip_higher", "repeats, at equal size"),
    Finding("supervised ConvNeXt is calibrated better than supervised ViT",
            "{cite:t}`minderer2021revisiting` found recent models, above all those without convolutions, among the "
            "best calibrated, and the family to matter beyond size and pretraining", "calib_convnext_better",
            "runs the other way for these two; agrees that the family matters"),
    Finding("CLIP models are ahead on renditions and sketches",
            "{cite:t}`radford2021clip` found zero-shot CLIP to keep more accuracy under natural shifts; "
            "{cite:t}`taori2020measuring` say how this should be measured against accuracy", "robust_clip_r_sketch",
            "repeats"),
    Finding("CLIP features serve linear probes better",
            "{cite:t}`radford2021clip` found linear probes on CLIP's features ahead of those on supervised ones",
            "transfer_clip_better", "repeats, at equal size, on VTAB's tasks"),
    Finding("layers of ViT are more alike than those of ConvNeXt",
            "{cite:t}`raghu2021vision` found early and late layers of ViTs more alike than those of ResNets", None,
            "repeats, against a modern ConvNet; the paper's panels print no numbers"),
    Finding("which factors of a photograph make models fail",
            "{cite:t}`idrissi2022imagenetx` found texture, subcategory and occlusion hard for more than two thousand "
            "models", "mistakes_texture_hardest", "asks the same of four models"),
)  # fmt: skip
SIMILARITY = ("cka", "all: early ~ late")  # metric and group of the rows of section 9


def beside() -> str:
    """A Markdown table: finding, the earlier one, how they relate, and the verdicts here."""
    lines = ["| finding | earlier | relation | here |", "| --- | --- | --- | --- |"]
    table = ledger(sources("released"))
    lines += [f"| {each.finding} | {each.earlier} | {each.relation} | {_here(each, table)} |" for each in FINDINGS]
    return "\n".join(lines)


def _here(each: Finding, table: pd.DataFrame) -> str:
    if each.claim is None:
        return _similarity()
    mine = table[table.claim == each.claim].set_index("source").verdict
    names = {"paper": "printed numbers", RELEASED: "released answers", RUN: "recorded runs"}
    parts = [f"{names[source]}: *{verdict}*" for source, verdict in mine.items() if verdict != NOT_RUN]
    return "; ".join(parts)


def _similarity() -> str:
    """Early-late similarity of the four where a run of the real models is recorded."""
    record = results.newest("09_similarity", "paper")
    rows = results.empty_rows() if record is None else select(record.rows, metric=SIMILARITY[0], group=SIMILARITY[1])
    rows = rows[~rows.model.str.contains("[-~]", regex=True)] if len(rows) else rows
    if rows.empty:
        return "not run"
    return "; ".join(f"{row['model'].replace('_', ' ')}: {shown(row)}" for row in rows.to_dict("records"))
