"""Parameters and MACs of several models, or why they could not be measured."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.errors import InputsUnavailable
from helpers.models.counting import count_parameters_and_macs


def measured(models: Sequence[str]) -> tuple[list[dict], dict[str, str]]:
    """Result rows of every model's image tower, and {model: why not} where a library is missing.

    Measured on architectures without weights: seconds a model, no download. Raises BookError for an unknown model.
    """
    rows, missing = [], {}
    for model in models:
        try:
            rows += count_parameters_and_macs(model)
        except InputsUnavailable as error:
            missing[model] = str(error)
    return rows, missing
