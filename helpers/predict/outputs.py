"""Logits to rows of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from helpers.labels import category_decision

if TYPE_CHECKING:
    import torch

    from helpers.labels import LabelSpace

CARRIED = ("group", "shape", "texture", "asset", "background", "level")


def carried_facts(table: pa.Table) -> pa.Table:
    """What the rows of a dataset keep of its table: ids, labels, and the further columns that say anything at all.

    Decided for the whole dataset: a batch in which a column is empty by chance has it all the same.

    >>> table = pa.table({"image_id": ["a"], "label": [[1]], "group": pa.array([None], pa.string()), "level": ["45"]})
    >>> carried_facts(table).column_names
    ['image_id', 'label', 'level']
    """
    known = [name for name in CARRIED if name in table.column_names]
    told = [name for name in known if table.column(name).null_count < table.num_rows]
    return table.select(["image_id", "label", *told])


def feature_rows(facts: pa.Table) -> pd.DataFrame:
    """The frame beside features that are kept without predictions: image_id, label and, where there are any, group."""
    frame = pd.DataFrame({name: facts.column(name).to_pylist() for name in ("image_id", "label")})
    there = "group" in facts.column_names and facts.column("group").null_count < len(facts)
    return frame.assign(group=facts.column("group").to_pylist()) if there else frame


def prediction_rows(logits: torch.Tensor, facts: pa.Table, space: LabelSpace) -> pd.DataFrame:
    """The predictions frame of these images: softmax over the candidate classes, its argmax, p_true, top-5.

    `logits` (n, classes); `facts` has image_id and label, for cue-conflict shape and texture too. Labels and
    predictions are indices of the whole head, also where the candidates are 200 of 1,000: the mask comes before the
    softmax. p_true is the largest over the labels. Where the space groups classes into categories of one image set
    with shape and texture, all classes compete and the category decision is added (paper, sections 4.1 to 4.3).
    """
    decides = {"shape", "texture"} <= set(facts.column_names)
    candidates = np.arange(logits.shape[1]) if decides else np.asarray(space.indices)
    probabilities = logits[:, candidates].float().softmax(-1).cpu().numpy()
    truth = facts.column("label").to_pylist()
    place = np.full(logits.shape[1], -1)
    place[candidates] = np.arange(len(candidates))
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    p_true = [probabilities[row, place[mine]].max() if mine else None for row, mine in enumerate(truth)]
    frame = pd.DataFrame(
        {
            "image_id": facts.column("image_id").to_pylist(),
            "label": truth,
            # A stable order takes the first of a tie on every device: two CLIP classes share their name and tie.
            "pred": candidates[top[:, 0]],
            "confidence": probabilities.max(axis=1).astype("float64"),
            "p_true": pd.Series(p_true, dtype="float64"),
            "top5": candidates[top].tolist(),
        }
    )
    for name in CARRIED:
        if name in facts.column_names:
            frame[name] = facts.column(name).to_pylist()
    if decides:
        frame["decision"] = category_decision(probabilities, dict(zip(space.folders, space.labels, strict=True)))
    return frame
