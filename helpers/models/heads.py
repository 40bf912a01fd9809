"""Classifier heads: what turns stored embeddings into logits, with or without torch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers.errors import BookError

if TYPE_CHECKING:
    from torch import Tensor, nn

ZERO_SHOT_SCALE = 100.0  # the paper's constant; the checkpoint's own logit_scale is not read


class Head(NamedTuple):
    """logits = (scale * embedding) @ weight.T + bias; weight (classes, d) and bias (classes,) are float32.

    Both None: the embedding is the logits (networks whose classifier is not one linear layer).
    """

    weight: np.ndarray | Tensor | None
    bias: np.ndarray | Tensor | None
    scale: float

    def to(self, device: str) -> Head:
        """The same head as torch tensors on a device."""
        import torch

        tensors = [None if part is None else torch.as_tensor(part).to(device) for part in self[:2]]
        return Head(*tensors, self.scale)


def logits_from_features(features, head: Head):
    """Logits (n, classes) of embeddings (n, d): (scale * features) @ weight.T + bias, for numpy or torch alike.

    >>> head = Head(np.eye(2, dtype="float32"), np.float32([0, 1]), 2.0)
    >>> logits_from_features(np.float32([[1, 3]]), head).tolist()
    [[2.0, 7.0]]
    """
    if head.weight is None:
        return features
    # Scaled before the product, as the reference does: the last bits depend on the order.
    logits = (features if head.scale == 1.0 else head.scale * features) @ head.weight.T
    return logits if head.bias is None else logits + head.bias


def linear_head(classifier: nn.Linear) -> Head:
    """Head of a supervised network from its last linear layer."""
    weight = classifier.weight.detach().float().cpu().numpy()
    bias = None if classifier.bias is None else classifier.bias.detach().float().cpu().numpy()
    return Head(weight, bias, 1.0)


def zero_shot_digest(architecture: str, weights_hash: str, prompts_digest: str) -> str:
    """sha256 over what decides a zero-shot head: architecture, weights, class names and templates in order.

    >>> zero_shot_digest("a", "b", "c") == zero_shot_digest("a", "b", "d")
    False
    """
    return hashlib.sha256("\n".join((architecture, weights_hash, prompts_digest)).encode()).hexdigest()


def zero_shot_head(
    clip: nn.Module, tokenizer, names: Sequence[str], templates: Sequence[str], device: str = "cpu",
    progress: bool = True,
) -> Head:  # fmt: skip
    """Head of a CLIP model: per class the normalised mean of the normalised text embeddings of its prompts.

    `templates` hold `{}` in the place of the name; logits are 100 x cosine. Uses open_clip's own builder with 10
    classes a batch, as the paper's code does; the bar shows the time left (80,000 prompts: minutes on a GPU, hours
    on a CPU).
    """
    from open_clip import build_zero_shot_classifier

    weight = build_zero_shot_classifier(
        clip, tokenizer, list(names), list(templates), num_classes_per_batch=10, device=device, use_tqdm=progress
    )
    return Head(weight.T.float().cpu().numpy(), None, ZERO_SHOT_SCALE)


def cached_head(folder: Path | None, digest: str, build) -> Head:
    """The head stored under its digest in `folder`, else the one that `build()` makes, stored there first.

    Raises BookError for a stored file that is not a head.
    """
    if folder is None:
        return build()
    path = Path(folder) / f"zero_shot_{digest[:16]}.npz"
    if path.is_file():
        return _read(path, digest)
    head = build()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(part, "wb") as stream:
        np.savez(stream, weight=head.weight, scale=np.float64(head.scale), digest=np.array(digest))
    part.replace(path)
    return head


def _read(path: Path, digest: str) -> Head:
    try:
        with np.load(path, allow_pickle=False) as stored:
            found, head = str(stored["digest"]), Head(stored["weight"], None, float(stored["scale"]))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise BookError(str(path), "a stored zero-shot head, found something else", "delete it") from error
    if found != digest:
        raise BookError(str(path), f"the head {digest[:16]}, found {found[:16]}", "delete it")
    return head
