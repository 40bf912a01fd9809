"""Section 7 in words: PUG-ImageNet, read off the paper's two figures."""

from __future__ import annotations

import pandas as pd

from helpers.paper.audit import CHANCE_PUG, equal_bars, scene_light
from helpers.paper.names import PAPER_MODELS, PUG_FACTORS
from helpers.paper.values import values
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.robustness import readings
from helpers.words.titles import FACTORS

MEAN = "mean_of_10"
ORDER = (*PUG_FACTORS, MEAN)
CHANCE = CHANCE_PUG


def answer(published: pd.DataFrame) -> str:
    """The section's answer as Markdown, from the paper's rows; no interval, because n is not published."""
    accuracy = select(published, metric="accuracy").set_index(["model", "group"]).value
    levels = "; ".join(f"{label(model)} {accuracy[model, MEAN]:.1f} %" for model in PAPER_MODELS)
    bullets = [_pair_sentence(accuracy, *pair) for pair in (("convnext_sup", "vit_sup"), ("convnext_clip", "vit_clip"))]
    half = values("07_synthetic").precision.max()
    return (
        f"**Answer, from the paper's figures** (read with a precision of ±{half:.2f} points). Average over ten "
        f"factors: {levels}.\n\n- {bullets[0]}\n- {bullets[1]}\n\nHow many images each factor has is not published, "
        "so no interval can be given and none of these differences can be set against sampling error."
    )


def _pair_sentence(accuracy: pd.Series, first: str, second: str) -> str:
    gaps = {factor: accuracy[first, factor] - accuracy[second, factor] for factor in PUG_FACTORS}
    lost = [f"{FACTORS[factor]} ({gap:+.1f})" for factor, gap in gaps.items() if gap <= 0]
    mean = accuracy[first, MEAN] - accuracy[second, MEAN]
    return (
        f"{label(first)} minus {label(second)}: {mean:+.1f} points on average; ahead on {len(gaps) - len(lost)} of "
        f"{len(gaps)} factors" + (f", not on {' and '.join(lost)}." if lost else ".")
    )


def averages() -> pd.DataFrame:
    """The average of the paper, recomputed with and without scene light (percent).

    >>> averages().loc["ViT-CLIP"].round(1).tolist()
    [25.2, 25.3, 28.0]
    """
    return readings("07_synthetic")


def remarks() -> str:
    """Scene light at chance, and bars of the same height, as Markdown."""
    light, bars = scene_light().set_index("model"), equal_bars()
    levels = "; ".join(f"{label(model)} {light.value[model]:.1f} %" for model in PAPER_MODELS)
    near = [label(model) for model in PAPER_MODELS if light.near_chance[model]]
    yaw = bars[bars.section == "07_synthetic"].assign(model=lambda part: part.first_bar.str.split().str[0])
    same = [f"{label(row.model)} ({row.first:.1f} %)" for row in yaw.itertuples() if row.equal]
    return (
        f"**Scene light** is near chance for every model: {levels}. A guess among the 151 classes is right in "
        f"{CHANCE:.2f} % of cases, and {' and '.join(near) or 'no model'} cannot be told from that within the "
        "precision of reading. Whether the scenes are that dark or the labels were matched wrongly for this factor "
        f"cannot be seen from the figure.\n\n**Camera yaw and object yaw** have bars of exactly the same height for "
        f"{' and '.join(same) or 'none'}, and nearly so for the others. In a scene with one object, turning the "
        "camera and turning the object can show the same picture; whether that is why the bars end on the same pixel "
        "in both figures cannot be seen from them."
    )
