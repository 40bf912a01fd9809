"""Section 5 in words: shifted sets, from the numbers that the paper prints."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.paper.audit import averages as audited_averages
from helpers.paper.audit_outside import agreement_with_others
from helpers.paper.names import PAPER_MODELS, SHIFTED, SHIFTED_MEAN
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected, resolved
from helpers.words.numbers import shown
from helpers.words.titles import name_of

RENDITIONS = ("imagenet_r", "imagenet_sketch")
ORDER = ("imagenet1k_val", *SHIFTED, SHIFTED_MEAN)


def answer(published: pd.DataFrame, gaps: pd.DataFrame) -> str:
    """The section's answer as Markdown, from the paper's rows and `differences` of ConvNeXt and ViT."""
    means = select(published, dataset=SHIFTED_MEAN, metric="accuracy").set_index("model", drop=False)
    levels = "; ".join(f"{label(model)} {shown(means.loc[model])}" for model in PAPER_MODELS)
    values = select(published, metric="accuracy").set_index(["model", "dataset"]).value
    ahead = [name_of(d) for d in SHIFTED if _clip_ahead(values, d)]
    bullets = "\n".join(f"- {_pair_sentence(gaps, pair)}" for pair in dict.fromkeys(gaps.model))
    return (
        f"**Answer, from the paper's numbers.** Average over seven sets: {levels}. Under both architectures CLIP is "
        f"ahead of the supervised model on {' and '.join(ahead) or 'no set'} only.\n\n{bullets}"
    )


def _clip_ahead(values: pd.Series, dataset: str) -> bool:
    pairs = (("convnext_clip", "convnext_sup"), ("vit_clip", "vit_sup"))
    return all(values[clip, dataset] > values[sup, dataset] for clip, sup in pairs)


def _pair_sentence(gaps: pd.DataFrame, pair: str) -> str:
    mine = select(gaps, model=pair)
    sets = mine[mine.dataset.isin(SHIFTED)]
    clear = sets[resolved(sets)]
    names = ", ".join(f"{name_of(row.dataset)} ({row.value:+.1f})" for row in clear.itertuples())
    mean = mine[mine.dataset == SHIFTED_MEAN].iloc[0]
    return (
        f"{label(pair)}: {shown(mean, signed=True)} on average. Even if the errors of the two models overlapped "
        f"as little as they can, {len(clear)} of {len(sets)} differences exceed sampling error: {names or 'none'}. "
        f"After Holm's correction {int(corrected(sets).sum())} do."
    )


def averages() -> pd.DataFrame:
    """The average of the paper, and what it would be without ReaL (a relabelling) or with ImageNet itself (percent).

    >>> averages().loc["ViT-sup", "without ReaL"].round(1).item()
    55.4
    """
    return readings("05_robustness")


def readings(section: str) -> pd.DataFrame:
    """One row per model: the printed average, then the mean over each choice of parts.

    >>> readings("07_synthetic").loc["ViT-sup", "printed"].item()
    29.5
    """
    found = audited_averages()
    found = found[found.section == section]
    table = found.pivot(index="model", columns="reading", values="value")[list(dict.fromkeys(found.reading))]
    table.insert(0, "printed", found.groupby("model").printed.first())
    table = table.loc[list(PAPER_MODELS)].rename(index=label)
    return table.rename_axis(index=None, columns=None)


def beside_others() -> pd.DataFrame:
    """The paper's accuracies beside those of timm, OpenCLIP and others for the same checkpoints (percent, points).

    >>> beside_others().columns[:5].tolist()
    ['data set', 'model', 'paper', 'theirs', 'difference']
    """
    found = agreement_with_others()
    named = found.preparation_theirs.fillna("not stated")
    prepared = [f"{how}, {size:.0f} px" for how, size in zip(named, found.image_size, strict=True)]
    found = found.assign(prepared=prepared)
    order = {dataset: at for at, dataset in enumerate(ORDER)}
    found = found.sort_values("dataset", key=lambda part: part.map(order), kind="stable")
    same = found.same_preparation.map({True: "yes", False: "no"})
    return pd.DataFrame(
        {
            "data set": found.dataset.map(name_of), "model": found.model.map(label), "paper": found.paper,
            "theirs": found.theirs, "difference": found.difference, "same preparation": same,
            "they prepare": found.prepared, "their source": found.source,
        }
    ).reset_index(drop=True)  # fmt: skip


def agreement() -> str:
    """How well the paper agrees with others, as Markdown: with the same preparation of images, and with another."""
    found = agreement_with_others()
    found = found[found.dataset.isin(ORDER)]
    parts = []
    for same, what in ((True, "the same preparation of images"), (False, "another preparation or another version")):
        part = found[found.same_preparation == same]
        far = part.loc[part.difference.abs().idxmax()]
        parts.append(
            f"With {what}, {int((part.difference.abs() <= 0.1).sum())} of {len(part)} numbers lie within 0.1 points "
            f"of the paper's; the largest difference is {far.difference:+.1f} ({label(far.model)} on "
            f"{name_of(far.dataset)}, {far.image_size:.0f} pixels, "
            f"{far.preparation_theirs or 'preparation not stated'})."
        )
    return " ".join(parts)


def order_of(datasets: Sequence[str]) -> list[str]:
    """Data sets in the order of the paper's figure.

    >>> order_of({"imagenet_a", "imagenet1k_val"})
    ['imagenet1k_val', 'imagenet_a']
    """
    return [name for name in ORDER if name in set(datasets)]
