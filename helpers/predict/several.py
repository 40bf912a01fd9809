"""Predictions for several roles at once: what is missing of them, what they rest on, where they came from."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from helpers.predict.collect import Collected


def shortfalls(found: Mapping[str, Collected]) -> dict[str, str]:
    """Why the results of several roles are not complete, {"data set" or "model on data set": reason}.

    A reason that all models of a data set share is told once.

    >>> from helpers.predict import Inputs
    >>> one = Collected(Inputs("imagenet_a", "paper.eval", ("a", "b")), missing={"a": "no file", "b": "no file"})
    >>> shortfalls({"a": one})
    {'imagenet_a': 'no file'}
    """
    reasons: dict[str, str] = {}
    for each in found.values():
        dataset, told = each.inputs.dataset, dict(each.missing)
        if len(told) == len(each.inputs.models) and len(set(told.values())) == 1:
            reasons[dataset] = next(iter(told.values()))
        else:
            reasons |= {f"{model} on {dataset}": reason for model, reason in told.items()}
        if each.partial:
            reasons[dataset] = "; ".join(each.partial)
    return reasons


def artifacts(found: Mapping[str, Collected]) -> dict[str, str]:
    """{artifact id: sha256} behind the predictions of several roles.

    >>> artifacts({})
    {}
    """
    return {name: digest for each in found.values() for name, digest in each.artifacts.items()}


def table(found: Mapping[str, Collected]) -> pd.DataFrame:
    """The tables of `Collected` below each other, with the role in front.

    >>> table({}).empty
    True
    """
    parts = [each.table().reset_index().assign(role=role) for role, each in found.items()]
    return pd.concat(parts).set_index(["role", "observer"]) if parts else pd.DataFrame()
