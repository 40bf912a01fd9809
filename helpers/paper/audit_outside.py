"""The paper against others: timm's and OpenCLIP's numbers, plausible ranges, and the released code as published."""

from __future__ import annotations

import pandas as pd

from helpers import paths
from helpers.paper.names import CLIP, PAPER_MODELS
from helpers.paper.third_party import third_party
from helpers.paper.values import values

SUPERVISED_PREPARATION, CLIP_PREPARATION = "crop 0.875, bilinear", "as open_clip"


def agreement_with_others() -> pd.DataFrame:
    """The paper's accuracies (percent) beside those that others published for the same checkpoints, row by row.

    Columns model, dataset, paper, precision, theirs, difference (paper - theirs), images (of the set's n; NaN where n
    is unknown), preparation_paper, preparation_theirs, image_size, same_preparation, agrees (within the paper's
    rounding), source, note. Where the preparation differs, a difference says nothing about either number.

    >>> found = agreement_with_others()
    >>> same = found[found.same_preparation]; len(same), round(float(same.difference.abs().max()), 2)
    (10, 0.07)
    """
    paper = values("05_robustness")
    paper = paper[paper.model.isin(PAPER_MODELS) & (paper.group == "overall")]
    others = third_party(metric="accuracy")
    others = others[others.same_checkpoint & (others.group == "overall")]
    found = paper.merge(others, on=["model", "dataset"], suffixes=("", "_theirs"))
    own = found.model.map(lambda model: CLIP_PREPARATION if model in CLIP else SUPERVISED_PREPARATION)
    same = (own == found.preparation) & (found.image_size == 224) & (found.dataset != "imagenet_hard")
    difference = found.value - found.value_theirs
    return pd.DataFrame({
        "model": found.model, "dataset": found.dataset, "paper": found.value, "precision": found.precision,
        "theirs": found.value_theirs, "difference": difference, "images": difference / 100 * found.n,
        "preparation_paper": own, "preparation_theirs": found.preparation, "image_size": found.image_size,
        "same_preparation": same, "agrees": difference.abs() <= found.precision + 1e-9, "source": found.source,
        "note": found.note,
    })  # fmt: skip


def plausible_ranges() -> pd.DataFrame:
    """SUN397 and Retinopathy (percent) beside numbers that say what to expect of them.

    Columns dataset, model, paper, what, expected, difference, source, confirmed (whether the expected number was read
    in a file). For SUN397 also the same model's Pets and Caltech101: SUN397 has more classes than either.

    >>> found = plausible_ranges()
    >>> found[found.what.str.startswith("zero-shot")].difference.round(1).tolist()
    [29.2, 27.8]
    """
    accuracy = values("06_transferability")
    accuracy = accuracy[accuracy.model.isin(PAPER_MODELS)].set_index(["dataset", "model"]).value
    known = pd.read_csv(paths.reference("audit_plausible.csv"))
    rows = []
    for each in known.itertuples():
        models = PAPER_MODELS if pd.isna(each.model) else (each.model,)
        rows += [(each.dataset, model, each.what, each.value, each.source, bool(each.confirmed)) for model in models]
    for model in PAPER_MODELS:
        for easier, name in (("vtab_pets", "Pets (37 classes)"), ("vtab_caltech101", "Caltech101 (102 classes)")):
            what = f"the same model on {name}; SUN397 has 397"
            rows.append(("vtab_sun397", model, what, accuracy[easier, model], "vtab_robust_*_abs.png", True))
    found = pd.DataFrame(rows, columns=["dataset", "model", "what", "expected", "source", "confirmed"])
    paper = pd.Series([accuracy[row.dataset, row.model] for row in found.itertuples()], index=found.index)
    found = found.assign(paper=paper, difference=paper - found.expected)
    order = ["dataset", "model", "paper", "what", "expected", "difference", "source", "confirmed"]
    return found[order].sort_values("dataset", kind="stable").reset_index(drop=True)


def released_code() -> pd.DataFrame:
    """What of the released code does not run as published, or decides a number: topic, fact, consequence, source.

    `place` names the file, `checked` says whether the fact was found by running or by reading it.

    >>> sorted(set(released_code().checked))
    ['read', 'run']
    """
    return pd.read_csv(paths.reference("audit_released_code.csv"))
