"""Section 7 in words: PUG-ImageNet, read off the paper's two figures, and what a run found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.paper.audit import CHANCE_PUG, equal_bars, scene_light
from helpers.paper.names import PAPER_MODELS, PUG_FACTORS, group_of
from helpers.paper.values import values
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected, oriented, resolved
from helpers.words.numbers import shown
from helpers.words.readings import readings as readings_table
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


# --- what a run found -------------------------------------------------------------------------------------------------

AMONG, MAPPED = "accuracy_among_classes", "mapped_predictions"
FAIR = (AMONG, MAPPED)
"""Metrics of the second reading, in which only the classes of the set compete."""


def by_factor(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with PUG's folders under the names of the paper's figure ("Camera_Yaw:45" becomes "cam_yaw:45").

    >>> rows = pd.DataFrame({"dataset": ["demo_pug"], "group": ["Camera_Yaw:45"]})
    >>> by_factor(rows).group.tolist()
    ['cam_yaw:45']
    """
    names = [_named(dataset, group) for dataset, group in zip(rows.dataset, rows.group, strict=True)]
    return rows.assign(group=pd.Series(names, index=rows.index, dtype=object))


def _named(dataset: str, group: str) -> str:
    factor, colon, level = group.partition(":")
    return group_of(dataset, factor) + colon + level


def mean_of(rows: pd.DataFrame) -> str:
    """The group of the mean over factors ("mean_of_10"), "overall" where the rows have one factor only."""
    means = [group for group in rows.group.dropna().unique() if group.startswith("mean_of_")]
    return means[0] if means else "overall"


def found(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """What a run found, as Markdown: the average of every model, then ConvNeXt minus ViT, by how many factors."""
    mean, mine = mean_of(rows), select(rows, metric="accuracy")
    levels = [f"{label(row.model)} {shown(row._asdict())}" for row in _of(mine, models, mean)]
    if not levels:
        return "**Found.** Not run."
    unit = select(mine, model=list(models), group=mean).resampled.iloc[0]
    bullets = [f"- {_run_sentence(oriented(mine, pair), pair, mean)}" for pair in _pairs(models)]
    said = (
        f"**Found.** Average over the factors: {'; '.join(levels)} (95 % intervals over new {UNITS.get(unit, unit)})."
    )
    return "\n\n".join(filter(None, [said, "\n".join(filter(lambda text: text != "- ", bullets))]))


UNITS = {
    "asset": "assets",
    "class": "classes, because the data name no asset",
    "asset x background": "assets and worlds",
}


def _of(rows: pd.DataFrame, models: Sequence[str], group: str) -> list:
    one = select(rows, group=group).drop_duplicates(["model"])
    return [row for model in models for row in one[one.model == model].itertuples(index=False)]


def _pairs(models: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(models[::2], models[1::2], strict=False))


def _run_sentence(gaps: pd.DataFrame, pair: tuple[str, str], mean: str) -> str:
    whole = select(gaps, group=mean)
    if whole.empty:
        return ""
    parts = gaps[~gaps.group.isin([mean, "overall"]) & ~gaps.group.str.contains(":", regex=False)]
    parts = _widest(parts)
    clear, kept = parts[resolved(parts)], parts[corrected(parts)]
    ahead, behind = int((clear.value > 0).sum()), int((clear.value < 0).sum())
    row = whole.iloc[0].to_dict()
    return (
        f"{label(pair[0])} minus {label(pair[1])}: {shown(row, signed=True)} on average; of {len(parts)} factors "
        f"{ahead} with {label(pair[0])} clearly ahead, {behind} with {label(pair[1])}, "
        f"{len(parts) - ahead - behind} within noise; after Holm's correction {int((kept.value > 0).sum())} and "
        f"{int((kept.value < 0).sum())} are clear."
    )


def _widest(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per group: the one with the wider interval, where a factor has two."""
    width = (rows.ci_high - rows.ci_low).rename("width")
    return rows.assign(width=width).sort_values("width", kind="stable").drop_duplicates("group", keep="last")


def both_rules(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Average over the factors by the paper's rule and among the classes alone; share of answers in any class."""
    mean = mean_of(rows)
    columns = {
        "paper's rule": {"metric": "accuracy", "group": mean},
        "among the classes": {"metric": AMONG, "group": mean},
        "answers in any class": {"metric": MAPPED, "group": mean},
    }
    return readings_table(rows, models, columns)


RULES = (
    "By the paper's rule a network answers with any of its classes; an answer that no class of the set has is wrong; "
    "so is every image of a class whose only index belongs to another class as well. Among the classes alone only "
    "indices of the class map compete, made from stored embeddings without running a network again, and a shared index "
    "is right for both classes. The last column says how many answers belong to any class at all."
)


def layout(frames: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> str:
    """In which layout the images were found and what it names (Markdown); of recorded rows only what they name.

    >>> frame = pd.DataFrame({"image_id": ["Worlds/Cat/a.png"], "group": ["Worlds"]})
    >>> layout({"vit_sup": frame}, frame.iloc[:0])
    'Layout found: ten factor folders. Assets and levels are not named.'
    """
    if not frames:
        named = bool(len(rows)) and rows.group.str.contains(":", regex=False, na=False).any()
        return f"Recorded rows; their images' assets and levels were {'named' if named else 'not named'}."
    frame = next(iter(frames.values()))
    parts = frame.image_id.str.split("/")
    folders = all(len(path) > 2 and path[-3] == group for path, group in zip(parts, frame.group, strict=True))
    named = "level" in frame and frame["level"].notna().any()
    text = "ten factor folders" if folders else "a label table without factor folders"
    text = f"Layout found: {text}. Assets and levels are {'named' if named else 'not named'}."
    unclear = int(frame.group.isna().sum())
    return text + (f" {unclear:,} images depart in several columns at once and count for no factor." if unclear else "")
