"""ImageNet-X and ReaL laid over validation predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fixtures_layouts import (
    VAL_LABELS,
)

from helpers import datasets, labels
from helpers.errors import BookError


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """A made-up prediction for every validation image: the right class, but for each seventh image the next one."""
    truth = VAL_LABELS.to_numpy()
    pred = np.where(np.arange(50_000) % 7 == 0, (truth + 1) % 1000, truth)
    return pd.DataFrame({
        "image_id": VAL_LABELS.index, "label": [[int(c)] for c in truth], "pred": pred, "confidence": 0.6,
        "p_true": np.where(pred == truth, 0.6, 0.1),
    })  # fmt: skip


def test_imagenet_x_subset_is_the_packages_own(predictions):
    subset = datasets.imagenet_x_subset(predictions)
    assert len(subset) == datasets.DATASETS["imagenet_x"].n == 46_110
    from imagenet_x import load_annotations

    assert set(subset["image_id"]) == set(load_annotations("top", "val", filter_prototypes=True)["file_name"])
    assert list(subset.columns) == list(predictions.columns)


def test_real_relabels_and_knows_what_it_does_not_know(predictions):
    relabelled = datasets.real_relabelled(predictions)
    assert len(relabelled) == datasets.DATASETS["imagenet_real"].n == 46_837
    real = labels.real_labels()
    sample = relabelled.sample(500, random_state=0)
    assert [real[name] for name in sample["image_id"]] == sample["label"].tolist()
    right = np.array([p in each for p, each in zip(relabelled["pred"], relabelled["label"], strict=True)])
    assert (relabelled["p_true"][right] == 0.6).all()
    same = relabelled["label"].map(len).eq(1) & (
        relabelled["label"].str[0] == VAL_LABELS[relabelled["image_id"]].values
    )
    assert (relabelled["p_true"][~right & same] == 0.1).all()
    assert relabelled["p_true"][~right & ~same].isna().all()
    assert (~right & ~same).sum() > 100


def test_overlays_refuse_other_names_with_the_reason():
    frame = pd.DataFrame({"image_id": ["n01440764/x.JPEG"], "label": [[0]], "pred": [0]})
    for overlay in datasets.OVERLAYS.values():
        with pytest.raises(BookError, match=r"found 'n01440764/x\.JPEG'.*joins on the official file names"):
            overlay(frame)
