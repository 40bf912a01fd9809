"""Section 3 in words."""

from __future__ import annotations

import pandas as pd

from helpers.plots.style import label
from helpers.rows import select
from helpers.words.numbers import ahead, shown

CROSSED = "shape exemplar x texture exemplar"
PAIRS = (
    "convnext_clip - convnext_sup", "vit_clip - vit_sup", "vit_sup - convnext_sup", "vit_clip - convnext_clip",
)  # fmt: skip


def answer(rows: pd.DataFrame, models: tuple[str, ...]) -> str:
    """The section's answer as Markdown: pooled shape bias of each model, then the contrasts, resolvable or not.

    `rows`: result rows of the section. Intervals are those of new shape and texture exemplars.
    """
    pooled = select(rows, metric="shape_bias", group="overall")
    crossed = select(pooled, resampled=CROSSED).set_index("model", drop=False)
    people = select(pooled, model="humans", resampled=f"{CROSSED} x subject").to_dict("records")
    levels = [f"{label(model)} {shown(crossed.loc[model])}" for model in models if model in crossed.index]
    if not levels:
        return "**Answer.** Not run: no decisions were available."
    lines = ["**Answer.** Share of shape decisions, pooled: " + "; ".join(levels) + "."]
    if people:
        lines += [f"People: {shown(people[0])}."]
    elif not crossed.dataset.str.startswith("demo_").any():  # nobody was asked about the drawings
        lines += ["People: not run."]
    among = [pair for pair in crossed.index if " - " in pair and set(pair.split(" - ")) <= set(models)]
    pairs = [pair for pair in PAIRS if pair in crossed.index] or among
    bullets = [f"- {ahead(crossed.loc[pair], 'shape bias')}" for pair in pairs]
    resolved = sum("; resolved" in bullet for bullet in bullets)
    closing = (
        f"Of these {len(bullets)} differences {resolved} would hold on other shapes and textures by these intervals, "
        "which resample the shape exemplars and the texture exemplars and not the pictures."
    )
    return " ".join(lines) + "\n\n" + "\n".join(bullets) + ("\n\n" + closing if bullets else "")


def agreement(rows: pd.DataFrame, first: str, second: str) -> str:
    """One sentence on the error consistency of two observers, with the range that their accuracies allow.

    Source: Geirhos et al. 2020, "Beyond accuracy".
    """
    pair = rows[rows.model.isin([f"{first} ~ {second}", f"{second} ~ {first}"]) & (rows.group == "conflict")]
    kappa = select(pair, metric="kappa", resampled=CROSSED).to_dict("records")
    if not kappa:
        return ""
    low, high = (select(pair, metric=name).value.iloc[0] for name in ("kappa_min", "kappa_max"))
    names = ["people" if key == "humans" else label(key) for key in (first, second)]
    return (
        f"{names[0]} and {names[1]} err together with kappa {shown(kappa[0])}; "
        f"their accuracies allow {low:.2f} to {high:.2f}."
    )


def agreements(rows: pd.DataFrame, models: tuple[str, ...]) -> str:
    """Error consistency in words: of the last two models, and of the last one with people, where both are there."""
    pairs = [tuple(models[-2:])] if len(models) > 1 else []
    said = [agreement(rows, *pair) for pair in [*pairs, (models[-1], "humans")]]
    return "\n\n".join(filter(None, said))


def present(rows: pd.DataFrame, order: tuple[str, ...]) -> list[str]:
    """Those of `order` that have an error consistency with another one."""
    seen = {name for pair in select(rows, metric="kappa").model for name in pair.split(" ~ ")}
    return [name for name in order if name in seen]
