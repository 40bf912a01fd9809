"""Section 1 in words."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import paper
from helpers.models import model_facts
from helpers.paper.audit_outside import CLIP_PREPARATION, SUPERVISED_PREPARATION
from helpers.paper.names import CLIP, SAME_ARCHITECTURE, SAME_PARADIGM
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.numbers import shown

NAMES = {"parameters": "parameters", "macs": "MACs"}
VAL = "imagenet1k_val"
ONLY_1K = ("convnext_in1k", "vit_in1k")
SOURCES = {"01_models": "paper, table of models", "05_robustness": "paper, its other figures"}


def answer(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """The section's answer as Markdown: how far apart size, cost and accuracy are within each paradigm.

    `rows`: measured rows of the section; the accuracies are the paper's.
    """
    bullets = [f"- {_pair(rows, first, second)}" for first, second in SAME_PARADIGM if {first, second} <= set(models)]
    measured = [f"{label(model)} {_both(rows, model)}" for model in models if len(select(rows, model=model))]
    if not measured:
        return "**Answer.** Not run: nothing could be measured here, and no record is kept with the book.\n\n" + (
            "\n".join(bullets)
        )
    return "**Answer.** Measured image towers: " + "; ".join(measured) + ".\n\n" + "\n".join(bullets)


def table_and_figures() -> str:
    """Which accuracies of the paper's table of models its other figures contradict, as Markdown."""
    found = paper.table_against_figures()
    apart, alike = found[~found.agrees.astype(bool)], found[found.agrees.astype(bool)]
    lines = [
        f"- {label(row.model)}: {row.table:.1f} % in the table, {row.figure:.1f} % in the figures, "
        f"{abs(row.difference):.1f} points or {abs(row.images):,.0f} of 50,000 images apart (rounding allows "
        f"{row.tolerance:.1f})."
        for row in apart.itertuples()
    ]
    same = ", ".join(f"{label(row.model)} ({row.table:.1f} %)" for row in alike.itertuples())
    head = f"{len(apart)} of {len(found)} accuracies in the paper's table disagree with its own figures:"
    others = [_of_others(model)[-1] for model in ONLY_1K]
    near = " and ".join(f"{label(model)} {value[1]:.1f} %" for model, value in zip(ONLY_1K, others, strict=True))
    return (
        f"{head}\n\n" + "\n".join(lines) + f"\n\nThe others agree: {same}. For comparison, checkpoints of the same "
        f"architectures that saw ImageNet-1k alone are published with {near}; which models the table lists is not "
        "known."
    )


def compared(rows: pd.DataFrame, section: str = "01_models") -> tuple[pd.DataFrame, str]:
    """Ours beside the paper's table, and a sentence: how many numbers are equal within rounding, and which are not."""
    found = paper.compare(rows, section)
    if found.empty:
        return found, "Nothing to compare: the image towers were not measured."
    found = found.sort_values("metric", kind="stable").reset_index(drop=True)
    names = found.metric.map(lambda metric: NAMES.get(metric, metric)) + ", " + found.model.map(label)
    table = pd.DataFrame({
        "measured": found.ours, "the paper's table": found.paper, "difference": found.difference,
        "rounding allows": found.tolerance, "reproduced": found.reproduced.map({True: "yes", False: "no"}),
    }).set_index(names.rename(None)).astype({"measured": float})  # fmt: skip
    off = names[found.reproduced.eq(False)].tolist()
    sentence = f"{int(found.reproduced.eq(True).sum())} of {len(found)} numbers are equal within the paper's rounding."
    return table, sentence + (f" Not: {'; '.join(off)}." if off else "") + _towers(rows)


def facts(models: Sequence[str]) -> pd.DataFrame:
    """What is known about the checkpoints: one line per fact, one column per model (its label).

    >>> facts(["vit_clip"]).loc["pretraining data", "ViT-CLIP"]
    'LAION-400M'
    """
    return model_facts(tuple(models)).rename(columns=label).rename_axis(index=None, columns=None)


def published_accuracy(models: Sequence[str]) -> pd.DataFrame:
    """Validation accuracy (percent) of every model by the paper, timm, OpenCLIP and the authors, with the preparation.

    Index: the model's label; columns source, accuracy, image size, preparation, points from the paper's figures, note.

    >>> table = published_accuracy(["convnext_clip"])
    >>> table["points from the figures"].round(2).tolist()
    [0.0, 0.0, -0.03]
    """
    lines = []
    for model in models:
        ours = [(source, *_of_paper(model, section)) for section, source in SOURCES.items()]
        reference = next(value for source, value, *_ in ours if source == SOURCES["05_robustness"])
        for source, value, size, preparation, note in ours + _of_others(model):
            lines.append((label(model), source, value, size, preparation, value - reference, note))
    columns = ("model", "source", "accuracy", "image size", "preparation", "points from the figures", "note")
    return pd.DataFrame(lines, columns=list(columns)).set_index("model").rename_axis(None)


def _towers(rows: pd.DataFrame) -> str:
    """How many parameters a CLIP tower has less than the supervised one, as a sentence; nothing where not measured."""
    count = select(rows, metric="parameters").set_index("model").value
    if not {model for pair in SAME_ARCHITECTURE for model in pair} <= set(count.index):
        return ""
    said = " and ".join(f"{count[sup] - count[clip]:.2f} M ({label(clip)})" for sup, clip in SAME_ARCHITECTURE)
    return (
        f" The table prints one number per architecture, but the towers end differently, in a classifier of 1,000 "
        f"classes or in a projection to 512 dimensions: the CLIP towers have {said} parameters less than the "
        "supervised ones."
    )


def _of_paper(model: str, section: str) -> tuple:
    table = paper.values(section)
    row = table[(table.model == model) & (table.dataset == VAL) & (table.metric == "accuracy")].iloc[0]
    known = section != "01_models"
    preparation = CLIP_PREPARATION if model in CLIP else SUPERVISED_PREPARATION
    return float(row.value), 224 if known else "not stated", preparation if known else "not stated", ""


def _of_others(model: str) -> list[tuple]:
    table = paper.third_party(model, VAL, "accuracy")
    table = table[table.same_checkpoint & (table.group == "overall")]
    return [
        (row.source, float(row.value), int(row.image_size), row.preparation or "not stated", row.note or "")
        for row in table.itertuples()
    ]


def _both(rows: pd.DataFrame, model: str) -> str:
    parts = [select(rows, model=model, metric=metric) for metric in NAMES]
    said = [
        f"{shown(part.iloc[0].to_dict())} {name}" for part, name in zip(parts, NAMES.values(), strict=True) if len(part)
    ]
    return " and ".join(said)


def _pair(rows: pd.DataFrame, first: str, second: str) -> str:
    said = []
    for metric, name in NAMES.items():
        a, b = (select(rows, model=model, metric=metric).value.tolist() for model in (first, second))
        if a and b:
            said.append(f"{100 * (b[0] / a[0] - 1):+.1f} % {name}")
    accuracy = paper.table_against_figures().set_index("model").figure
    points = accuracy[second] - accuracy[first]
    said.append(f"{points:+.1f} points of validation accuracy in the paper's figures")
    return f"{label(second)} against {label(first)}: {', '.join(said)}."
