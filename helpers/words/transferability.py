"""Section 6 in words: linear probes on VTAB, from the numbers that the paper prints."""

from __future__ import annotations

import pandas as pd

from helpers.paper.audit_outside import plausible_ranges
from helpers.paper.names import PAPER_MODELS, TRANSFER_MEAN, VTAB
from helpers.paper.third_party import third_party
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected, resolved
from helpers.words.numbers import shown
from helpers.words.robustness import readings
from helpers.words.titles import name_of

ORDER = (*VTAB, TRANSFER_MEAN)


def answer(published: pd.DataFrame, gaps: pd.DataFrame) -> str:
    """The section's answer as Markdown, from the paper's rows and `differences` of ConvNeXt and ViT."""
    means = select(published, dataset=TRANSFER_MEAN, metric="accuracy").set_index("model", drop=False)
    levels = "; ".join(f"{label(model)} {shown(means.loc[model])}" for model in PAPER_MODELS)
    bullets = "\n".join(f"- {_pair_sentence(gaps, pair)}" for pair in dict.fromkeys(gaps.model))
    return f"**Answer, from the paper's numbers.** Average over 19 tasks: {levels}.\n\n{bullets}"


def _pair_sentence(gaps: pd.DataFrame, pair: str) -> str:
    mine = select(gaps, model=pair)
    tasks, mean = mine[mine.dataset.isin(VTAB)], mine[mine.dataset == TRANSFER_MEAN].iloc[0]
    clear, kept = tasks[resolved(tasks)], tasks[corrected(tasks)]
    wins, losses = int((tasks.value > 0).sum()), int((tasks.value < 0).sum())
    first, second = (label(part) for part in pair.split(" - "))
    return (
        f"{label(pair)}: {shown(mean, signed=True)} on average; {first} is ahead on {wins} tasks and {second} on "
        f"{losses}. Of these, {int((clear.value > 0).sum())} and {int((clear.value < 0).sum())} exceed sampling error "
        f"even if the errors of the two models overlapped as little as they can; after Holm's correction "
        f"{int((kept.value > 0).sum())} and {int((kept.value < 0).sum())} do."
    )


def averages() -> pd.DataFrame:
    """The average of the paper, and what it would be without the two tasks in doubt (percent).

    >>> averages().shape
    (4, 5)
    """
    return readings("06_transferability")


def remarks() -> pd.DataFrame:
    """SUN397 and Retinopathy (lines "the paper") above numbers that say what to expect of them (percent).

    >>> remarks().columns[:2].tolist()
    ['task', 'number']
    """
    found = plausible_ranges()
    own = found.drop_duplicates(["dataset", "model"]).assign(what="the paper", expected=lambda part: part.paper)
    own = own.assign(source="vtab_robust_*_abs.png", confirmed=True)
    every = pd.concat([own, found])
    keys = ["dataset", "what", "source", "confirmed"]
    table = every.pivot(index=keys, columns="model", values="expected")[list(PAPER_MODELS)].rename(columns=label)
    table = table.reset_index().rename_axis(columns=None)
    table = table.assign(first=table.what != "the paper").sort_values(["dataset", "first"], kind="stable")
    return pd.DataFrame(
        {
            "task": table.dataset.map(name_of), "number": table.what,
            **{label(model): table[label(model)] for model in PAPER_MODELS},
            "read in a file": table.confirmed.map({True: "yes", False: "no"}), "source": table.source,
        }
    )  # fmt: skip


def remark_sentence() -> str:
    """Why two of the nineteen tasks are looked at twice, as Markdown."""
    found = plausible_ranges()
    sun, eyes = (found[found.dataset == name] for name in ("vtab_sun397", "vtab_diabetic_retinopathy"))
    zero = sun[sun.what.str.startswith("zero-shot")]
    easier = sun[sun.what.str.contains("same model")]
    floor = eyes[~eyes.what.str.contains("probe")]
    below = floor[floor.difference < 0].model.map(label)
    share = "" if floor.empty else f" (about {floor.expected.iloc[0]:.1f} %, {_confirmed(floor.confirmed.iloc[0])})"
    return (
        f"**SUN397.** The paper shows {sun.paper.min():.1f} to {sun.paper.max():.1f} % for a task of 397 classes. The "
        f"same CLIP checkpoints reach {zero.expected.min():.1f} to {zero.expected.max():.1f} % there without a probe, "
        f"and in {int((easier.difference > 0).sum())} of {len(easier)} comparisons the same model does worse on Pets "
        "or Caltech101, which have fewer classes. Training on the test images would explain such numbers: "
        "CLIP_benchmark reads the set through torchvision, which does not split it. Whether the paper did so is not "
        "known.\n\n"
        f"**Retinopathy.** {' and '.join(below) or 'No model'} lie below what always answering the most frequent "
        f"class would give{share}. A probe can do that if its classes were weighted or its training stopped early; "
        "the settings are not published."
    )


def _confirmed(found: bool) -> str:
    return "read in a file" if found else "general knowledge of the set, no file of it was read"


def probes_of_others() -> pd.DataFrame:
    """ViT-CLIP's tasks beside CLIP_benchmark's linear probes of a neighbouring checkpoint (percent, points).

    >>> probes_of_others().columns.tolist()
    ['task', 'paper', 'CLIP_benchmark', 'difference']
    """
    from helpers.paper.values import values

    own = values("06_transferability")
    own = own[(own.model == "vit_clip") & (own.metric == "accuracy")].set_index("dataset").value
    others = third_party("vit_clip", metric="probe_accuracy").set_index("dataset").value
    shared = [task for task in VTAB if task in others.index]
    table = pd.DataFrame({"paper": own[shared], "CLIP_benchmark": others[shared]})
    table = table.assign(difference=table.paper - table.CLIP_benchmark)
    return table.rename(index=name_of).rename_axis("task").reset_index()
