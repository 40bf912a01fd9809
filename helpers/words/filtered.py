"""Section 5 in words: what the network that chose an adversarial set does to a contrast (drawn world)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from helpers import paths
from helpers.plots.style import label
from helpers.rows import select
from helpers.stats.rows_filters import METRIC
from helpers.words.numbers import shown
from helpers.words.shifted import turned

FILTERS = {"demo_a_convnet": "filtered by a ConvNet", "demo_a_vit": "filtered by a ViT"}


def in_form(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Accuracies and ConvNeXt minus ViT on the sets of both filters, data sets by the filter's name, in its order.

    >>> len(in_form(pd.DataFrame(columns=["model", "dataset", "metric", "group", "unit", "value"]), []))
    0
    """
    kept = select(rows, dataset=list(FILTERS), metric="accuracy", group="overall")
    kept = kept.sort_values("dataset", kind="stable")  # in the order of FILTERS
    found = pd.concat([kept[kept.model.isin(list(models))], turned(kept, models)], ignore_index=True)
    return found.assign(dataset=found.dataset.map(FILTERS))


def tilt(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """One sentence per pair, as Markdown: the contrast under either filter, and how far the filter alone moves it."""
    gaps, moved = in_form(rows, models), turned(select(rows, metric=METRIC), models)
    lines = [_sentence(gaps[gaps.model == row["model"]], row) for row in moved.to_dict("records")]
    return "\n".join(lines) if lines else "The two filters: not run."


def _sentence(gaps: pd.DataFrame, moved: Mapping) -> str:
    first, second = (label(part) for part in moved["model"].split(" - "))
    parts = [f"{row['dataset']} {shown(row, signed=True)}" for row in gaps.to_dict("records")]
    resolved = not moved["ci_low"] <= 0 <= moved["ci_high"]
    by = shown(moved, signed=True) + ("" if resolved else "; not resolved: the interval includes zero")
    return f"- {first} minus {second}: {', '.join(parts)}. The filter alone moves it by {by}."


def about() -> str:
    """What the two filters are and how many scenes both chose, from their record, as Markdown."""
    record = json.loads(paths.reference("demo_filters.json").read_text(encoding="utf-8"))
    table = pd.read_csv(paths.reference("demo_adversarial.csv"))
    both = int(table.pool_index.duplicated().sum())
    said = " and ".join(
        f"the {title} ({found['parameters']:,} parameters, {found['val_accuracy']:.1f} % right on the validation "
        "drawings)"
        for title, found in zip(("ConvNet", "ViT"), (record["convnet"], record["vit"]), strict=True)
    )
    kept, pool = record["vit"]["kept"], record["vit"]["pool"]
    return (
        f"The filters are {said}. Each set holds the {kept} scenes of {pool:,} that its filter got wrong with the "
        f"highest confidence; {both} scenes are in both. n = {kept} images a set, paired 95 % intervals."
    )
