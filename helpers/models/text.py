"""The text side of a CLIP model for a task's own class names: what zero-shot answers are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers import fetch, labels
from helpers.errors import BookError
from helpers.models import networks
from helpers.models.checkpoints import weights_path
from helpers.models.heads import Head, cached_head, zero_shot_digest, zero_shot_head
from helpers.models.names import ready, runnable
from helpers.models.table import ModelSpec


def text_head(
    name: str, class_names: Sequence[str], templates: Sequence[str], *, weights: str | Path | None = None,
    device: str = "cpu", cache: str | Path | None = None, progress: bool = False,
) -> np.ndarray:  # fmt: skip
    """L2-normalised text embeddings float32 [classes, d]: per class the mean over its prompts, in the names' order.

    `templates` hold `{}` (or CLIP_benchmark's `{c}`) in the place of the name. `weights` is a local file instead of the
    published one; `cache` a folder that keeps what was built, so that no network is loaded the next time. Raises
    BookError for a model without a text tower or a template without a place for the name, InputsUnavailable where
    weights cannot be had.
    """
    spec = runnable(name)
    if spec.backend != "open_clip":
        found = f"a CLIP model, found backend {spec.backend}"
        raise BookError(f"class names for {name}", found, "use a linear probe for models without a text tower")
    templates = [each.replace("{c}", "{}") for each in templates]
    if not class_names or not templates or any("{}" not in each for each in templates):
        raise BookError(f"class names for {name}", "names, and templates with {} in each", "correct the prompts")
    path = Path(weights) if weights else _published(spec)
    digest = zero_shot_digest(
        spec.architecture, fetch.sha256_of(path), labels.prompt_digest(class_names, templates)
    )  # fmt: skip

    def build() -> Head:
        ready(spec)
        clip = networks.build_clip(spec, path, spec.image_size)
        clip.eval().requires_grad_(False).to(device)
        return zero_shot_head(clip, _tokenizer(spec), class_names, templates, device, progress)

    return cached_head(None if cache is None else Path(cache), digest, build).weight


def _published(spec: ModelSpec) -> Path:
    if spec.packaged is None:
        return weights_path(spec)
    from helpers.models import twins  # brings the drawn world with it: only where a twin is asked for

    return twins.weights_path(spec)


def _tokenizer(spec: ModelSpec):
    if spec.packaged is None:
        import open_clip

        return open_clip.get_tokenizer(spec.architecture)
    from helpers.models import twins

    return twins.tokenizer(spec.architecture)
