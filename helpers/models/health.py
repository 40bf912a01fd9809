"""Outputs that cannot be predictions: which layer or input they come from."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from helpers.errors import BookError

if TYPE_CHECKING:
    from torch import Tensor

    from helpers.models.loading import LoadedModel


def is_sound(logits: Tensor) -> bool:
    """Whether logits (n, classes) are finite and no row is constant.

    >>> import torch
    >>> is_sound(torch.tensor([[0.0, 1.0]])), is_sound(torch.tensor([[2.0, 2.0]]))
    (True, False)
    """
    return bool(logits.isfinite().all() and (logits.amax(-1) > logits.amin(-1)).all())


def first_bad_layer(model: LoadedModel, images: Tensor) -> str | None:
    """Name of the first layer whose output is non-finite or the same number everywhere; "input" for the images.

    Runs the images once more with a hook on every layer without children. None if all layers are sound.
    """
    if not _varied(images):
        return "input"
    found: list[str] = []
    own = threading.get_ident()  # other threads may be running the same network on other images

    def watch(name: str):
        def hook(_module, _inputs, output) -> None:
            tensor = output[0] if isinstance(output, tuple) else output
            if threading.get_ident() == own and not found and hasattr(tensor, "isfinite") and not _varied(tensor):
                found.append(name)

        return hook

    layers = [(name, module) for name, module in model.network.named_modules() if not any(module.children())]
    handles = [module.register_forward_hook(watch(name)) for name, module in layers]
    try:
        model.features(images)
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


def _varied(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all() and tensor.amax() > tensor.amin())


def check_logits(model: LoadedModel, images: Tensor, logits: Tensor) -> None:
    """Raises BookError naming the layer or input behind NaN, infinite or constant logits; else does nothing."""
    if is_sound(logits):
        return
    rows = (~logits.isfinite().all(-1) | (logits.amax(-1) == logits.amin(-1))).nonzero().flatten().tolist()
    layer = first_bad_layer(model, images[rows])
    where = f"first in layer {layer}" if layer not in (None, "input") else "in the input" if layer else "in the head"
    raise BookError(
        f"logits of {model.key}", f"finite, varied numbers, found NaN or constants for {len(rows)} of {len(logits)} "
        f"images (rows {rows[:5]}), {where}", "check the images, the weights and the precision (try fp32)"
    )  # fmt: skip
