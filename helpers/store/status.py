"""Is it stored? Hit, miss (and which field changed), or how much of an interrupted run is there."""

from __future__ import annotations

from pathlib import Path

from helpers.store.keys import PredictionKey
from helpers.store.predictions import locate, whole
from helpers.store.shards import unfinished


def status(key: PredictionKey, root: Path | None = None, kind: str = "predictions") -> str:
    """ "hit", "partial k of n" (an interrupted run of this key), or "miss: <first changed field, or what is wrong>".

    `kind` is "predictions" or "embeddings". The table is checked by its checksum, matrices and shards by their size.

    >>> status(PredictionKey("nobody", "imagenet_a", "paper.eval"), root="/nowhere")
    'miss: nothing stored'
    """
    problem = whole(locate(key.model, key.dataset, key.view, root, kind), key, checksum=True)
    if problem is None:
        return "hit"
    # The shards of a pass that makes both lie beside its predictions.
    for place in ("predictions", "embeddings"):
        run = unfinished(locate(key.model, key.dataset, key.view, root, place), kind, key)
        if run:
            done, planned = run
            return f"partial {done} of {planned if planned is not None else 'unknown'}"
    return f"miss: {problem}"
