"""Published tables, and published predictions under other labels, that sections need besides per-image predictions."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers import fetch
from helpers.datasets import real_relabelled
from helpers.errors import InputsUnavailable

TESTBED = "imagenet_x_testbed"


def testbed() -> tuple[pd.DataFrame | None, dict[str, str], dict[str, str]]:
    """Accuracies by ImageNet-X factor of the 335 models of the ImageNet testbed: (table, {id: sha256}, {id: why not}).

    The table has one row a model, a column per factor and `average`, all fractions; it is None where the file cannot be
    had. Source: imagenetx repository.
    """
    try:
        path = fetch.fetch(TESTBED, progress=False)
    except InputsUnavailable as error:
        return None, {}, {TESTBED: str(error)}
    return pd.read_csv(path).set_index("model"), fetch.provenance([TESTBED]), {}


def drawn_factors(frames: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """What `mistakes_rows` needs for a drawn set, whose predictions carry the factor of every image as their group.

    >>> frame = pd.DataFrame({"image_id": ["a"], "group": ["pose"]})
    >>> drawn_factors({"vit": frame})["factor_of"].to_dict()
    {'a': 'pose'}
    """
    first = next(iter(frames.values()), pd.DataFrame({"image_id": [], "group": []}))
    return {"dataset": "demo_x", "factor_of": first.set_index("image_id")["group"]}


def under_real(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Validation predictions of every model under ReaL's labels (46,837 of 50,000 images have any).

    >>> frame = pd.DataFrame({"image_id": ["ILSVRC2012_val_00000002.JPEG"], "label": [[970]], "pred": [795]})
    >>> under_real({"vit": frame})["vit"]["label"].tolist()
    [[970, 795]]
    """
    return {model: real_relabelled(frame) for model, frame in frames.items()}
