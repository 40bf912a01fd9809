"""What the picker and the worked users choose by: properties of the paper's four, from runs or printed numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from helpers import results
from helpers.paper.estimates import bounds
from helpers.paper.lookup import Index, find, index_rows, levels, start_of
from helpers.paper.names import PAPER_MODELS, SECTIONS, SHIFTED_MEAN, TRANSFER_MEAN
from helpers.paper.rows import detailed_rows
from helpers.paper.two_by_two import LOSS, difference
from helpers.words.differences import interval

RUN, PRINTED = "recorded runs of the real models", "the paper's printed numbers"


@dataclass(frozen=True)
class Choice:
    """A property that a choice may rest on: where it stands, which way is better, its unit and digits in words."""

    id: str
    title: str
    section: str
    dataset: str
    metric: str
    group: str
    better: str
    unit: str = ""
    digits: int = 1


def _accuracy(name: str, title: str, section: str, dataset: str, group: str = "overall") -> Choice:
    return Choice(name, f"accuracy, {title} (%)", section, dataset, "accuracy", group, "high", " points")


def _lost(name: str) -> Choice:
    title = f"points lost, worst {name}"
    return Choice(f"lost-{name}", title, "08_invariance", "imagenet1k_val", LOSS, name, "low", " points")


CHOICES: tuple[Choice, ...] = (
    _accuracy("val", "ImageNet", "05_robustness", "imagenet1k_val"),
    _accuracy("shifted", "mean of 7 shifted sets", "05_robustness", SHIFTED_MEAN, "mean_of_7"),
    _accuracy("c", "corrupted images (ImageNet-C)", "05_robustness", "imagenet_c"),
    _accuracy("r", "renditions (ImageNet-R)", "05_robustness", "imagenet_r"),
    _accuracy("sketch", "sketches (ImageNet-Sketch)", "05_robustness", "imagenet_sketch"),
    _accuracy("transfer", "mean of 19 transfer tasks", "06_transferability", TRANSFER_MEAN, "mean_of_19"),
    _accuracy("pug", "mean of PUG's 10 factors", "07_synthetic", "pug_imagenet", "mean_of_10"),
    Choice("ece", "calibration error (ECE), ImageNet", "04_calibration", "imagenet1k_val", "ece", "overall", "low",
           digits=3),
    Choice("ece-r", "calibration error (ECE), ImageNet-R", "04_calibration", "imagenet_r", "ece", "overall", "low",
           digits=3),
    Choice("shape", "shape bias", "03_shape_texture", "cue_conflict", "shape_bias", "overall", "none", digits=3),
    _lost("scale"), _lost("shift"), _lost("resolution"),
)  # fmt: skip


def sources() -> dict[str, tuple[str, Index]]:
    """{section: (what its numbers are, index of its rows)}: a whole recorded run of the paper's four, else printed.

    A run of a part of the images, or of other models, is no basis for a choice; neither are the drawn world and the
    other released observers.
    """
    found = {}
    for section in dict.fromkeys(choice.section for choice in CHOICES):
        rows = whole_run(section)
        printed = rows is None
        found[section] = (PRINTED, index_rows(detailed_rows(section))) if printed else (RUN, index_rows(rows))
    return found


def whole_run(section: str) -> pd.DataFrame | None:
    """Rows of the recorded run of the paper's four models on all images of a section; None where there is none.

    >>> whole_run("08_invariance") is None
    True
    """
    record = results.newest(section, "paper")
    return record.rows if record is not None and _is_whole(record) else None


def _is_whole(record: results.Record) -> bool:
    four = set(PAPER_MODELS) <= set(record.rows.model)
    asked = str(record.parameters.get("models") or ",".join(PAPER_MODELS)).split(",")
    return four and set(asked) == set(PAPER_MODELS) and results.published(record)


def table(found: dict[str, tuple[str, Index]] | None = None) -> pd.DataFrame:
    """One row per choice, and model or pair "A - B": value, low, high (None without an interval), source.

    Columns choice, model, value, low, high, source. Percent and points, fractions as they are.

    >>> rows = table()
    >>> len(rows) == 10 * len(CHOICES), rows.source.unique().tolist()
    (True, ["the paper's printed numbers"])
    """
    found = sources() if found is None else found
    lines = []
    for choice in CHOICES:
        source, index = found[choice.section]
        parts = {model: _value(index, choice, model) for model in PAPER_MODELS}
        parts |= {f"{a} - {b}": _difference(index, choice, a, b) for a, b in combinations(PAPER_MODELS, 2)}
        if any(part is None for part in parts.values()):
            if source == PRINTED:
                continue
            printed = {**found, choice.section: (PRINTED, index_rows(detailed_rows(choice.section)))}
            lines += table(printed).query("choice == @choice.id").to_dict("records")
            continue
        lines += [{"choice": choice.id, "model": model, **part, "source": source} for model, part in parts.items()]
    return pd.DataFrame(lines)


def _value(index: Index, choice: Choice, model: str) -> dict | None:
    if choice.metric == LOSS:
        found = levels(index, model, choice.group)
        start = start_of(found, choice.group)
        if start is None or len(found) < 2:
            return None
        return {"value": found[start]["value"] - min(row["value"] for row in found.values()), "low": None, "high": None}
    row = find(index, model, choice.dataset, choice.metric, choice.group)
    return None if row is None else {"value": row["value"], "low": row["ci_low"], "high": row["ci_high"]}


def _difference(index: Index, choice: Choice, first: str, second: str) -> dict | None:
    estimate = difference(index, choice.dataset, choice.metric, choice.group, first, second)
    if estimate is None:
        return None
    ends = interval(estimate)
    if bounds(estimate)[0] == -float("inf"):
        return {"value": estimate.value, "low": None, "high": None}
    return {"value": ends["value"], "low": ends["ci_low"], "high": ends["ci_high"]}


def said_sources(rows: pd.DataFrame) -> str:
    """One sentence on where the numbers come from, by section.

    >>> said_sources(table())
    "Numbers: the paper's printed numbers. No complete run of its four models is recorded with this book."
    """
    runs = {choice.section for choice in CHOICES if (rows[rows.choice == choice.id].source == RUN).any()}
    if not runs:
        return f"Numbers: {PRINTED}. No complete run of its four models is recorded with this book."
    titles = ", ".join(SECTIONS[section] for section in SECTIONS if section in runs)
    return f"Numbers: {RUN} for {titles}; {PRINTED} for the rest."
