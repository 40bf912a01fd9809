"""Text heads of CLIP models for the class names of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from helpers import fetch, labels
from helpers.errors import BookError
from helpers.models.checkpoints import weights_path
from helpers.models.heads import cached_head, zero_shot_digest, zero_shot_head
from helpers.models.names import ready, runnable
from helpers.models.networks import build_clip
from helpers.models.table import ModelSpec

Prompts = Mapping[str, tuple[Sequence[str], Sequence[str]]]


def text_heads(
    name: str, prompts: Prompts, weights: Path | None = None, device: str = "cpu", cache: Path | None = None
) -> dict[str, np.ndarray]:  # fmt: skip
    """Text embeddings [classes, d] of every task: per class the normalised mean over its prompts.

    prompts: class names and templates (with `{}` for the name) by task. What `cache` holds is read without torch; the
    text tower is built once for the rest. `weights` is a local file, else the published one is fetched. Raises
    BookError for a model that is no CLIP, InputsUnavailable where weights or libraries cannot be had.
    """
    spec = runnable(name)
    if spec.paradigm != "clip":
        raise BookError(f"text heads of {name}", "a CLIP model, found none", "ask for a CLIP model")
    path = weights or _published(spec)
    stated, built = fetch.sha256_of(path), []

    def clip():
        ready(spec)
        built[:] = built or [build_clip(spec, path, spec.image_size, 0).eval().to(device)]
        return built[0]

    found = {}
    for task, (names, templates) in prompts.items():
        digest = zero_shot_digest(str(spec.architecture), stated, labels.prompt_digest(names, templates))
        head = cached_head(
            cache, digest, lambda n=names, t=templates: zero_shot_head(clip(), _tokenizer(spec), n, t, device, False)
        )
        found[task] = np.asarray(head.weight, dtype=np.float32)
    return found


def _published(spec: ModelSpec) -> Path:
    if spec.packaged is None:
        return weights_path(spec)
    from helpers.models import twins

    return twins.weights_path(spec)


def _tokenizer(spec: ModelSpec):
    if spec.packaged is not None:
        from helpers.models import twins

        return twins.tokenizer(spec.architecture)
    import open_clip

    return open_clip.get_tokenizer(spec.architecture)
