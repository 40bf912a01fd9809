"""Zero-shot heads of fewer templates, and the scale that a CLIP checkpoint learned: kept when the model runs.

With them and stored embeddings, prompts and temperatures are compared on a laptop without a text tower.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers import labels
from helpers.errors import BookError
from helpers.models.heads import zero_shot_digest, zero_shot_head
from helpers.models.table import ModelSpec

if TYPE_CHECKING:
    from torch import nn


class PromptHeads(NamedTuple):
    """`weights`: {number of templates: normalised class embeddings (classes, d)}; `learned_scale`: the checkpoint's."""

    weights: dict[int, np.ndarray]
    learned_scale: float


def prompt_sets(spec: ModelSpec) -> tuple[tuple[str, ...], dict[int, tuple[str, ...]]]:
    """Class names, and {number: templates} of the sets smaller than the one that the model's head is made of.

    One template ("a photo of a {}.") and open_clip's seven for the real models; the first and the first three of nine
    for a twin. Raises InputsUnavailable without open_clip.
    """
    if spec.packaged is not None:
        from helpers.models import twins

        names, templates = twins.prompt_parts()
        return names, {n: templates[:n] for n in (1, 3)}
    simple = labels.simple_templates()
    return labels.prompt_names(), {1: (labels.PLAIN_TEMPLATE,), len(simple): simple}


def keep(
    folder: Path | None, clip: nn.Module, make_tokenizer: Callable, spec, weights_hash: str, device: str,
    progress: bool = False,
) -> None:  # fmt: skip
    """Store the text heads of a CLIP model in `folder`, if they are not there yet; `progress` shows the time left."""
    if folder is None:
        return
    names, sets = prompt_sets(spec)
    path = _path(folder, spec, weights_hash, names, sets)
    if path.is_file():
        return
    tokenizer = make_tokenizer()
    heads = {
        n: zero_shot_head(clip, tokenizer, names, templates, device, progress) for n, templates in sets.items()
    }
    arrays = {f"templates_{n}": head.weight for n, head in heads.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(part, "wb") as stream:
        np.savez(stream, learned_scale=np.float64(clip.logit_scale.detach().exp().item()), **arrays)
    part.replace(path)


def stored(folder: Path, spec: ModelSpec, weights_hash: str) -> PromptHeads | None:
    """The text heads that were kept for a checkpoint; None where none were. Raises BookError for a damaged file."""
    names, sets = prompt_sets(spec)
    path = _path(folder, spec, weights_hash, names, sets)
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            weights = {n: found[f"templates_{n}"] for n in sets}
            return PromptHeads(weights, float(found["learned_scale"]))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BookError(str(path), "stored text heads, found something else", "delete it and run the model") from error


def _path(folder: Path, spec: ModelSpec, weights_hash: str, names, sets) -> Path:
    templates = [template for n in sorted(sets) for template in (str(n), *sets[n])]
    digest = zero_shot_digest(str(spec.architecture), weights_hash, labels.prompt_digest(names, templates))
    return Path(folder) / f"prompt_heads_{digest[:16]}.npz"
