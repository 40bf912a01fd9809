"""What is known about the checkpoints: data, recipe, preparation, licence, each with its source."""

from __future__ import annotations

import pandas as pd

from helpers import paths
from helpers.models.table import MODEL_SETS


def model_facts(models: tuple[str, ...] = MODEL_SETS["paper"]) -> pd.DataFrame:
    """Facts (rows) of the paper's checkpoints (columns); the source of each stands in `model_fact_sources`.

    >>> model_facts().loc["pretraining data", "vit_clip"]
    'LAION-400M'
    """
    table = model_fact_sources()
    return table.pivot(index="fact", columns="model", values="value").loc[table["fact"].unique(), list(models)]


def model_fact_sources() -> pd.DataFrame:
    """The facts in tidy form: model, fact, value, source.

    >>> list(model_fact_sources().columns)
    ['model', 'fact', 'value', 'source']
    """
    return pd.read_csv(paths.reference("model_facts.csv"), dtype=str)
