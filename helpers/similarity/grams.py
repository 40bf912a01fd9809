"""Gram matrices of every layer of a network for one batch of images, taken by forward hooks as the layers finish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from helpers.errors import BookError
from helpers.similarity.hsic import CHUNK

if TYPE_CHECKING:
    from torch import Tensor, nn


def layer_grams(network: nn.Module, layers: Sequence[str], images: Tensor) -> np.ndarray:
    """Linear Gram matrices of the outputs of these modules on a batch: (layers, n, n) float64.

    No activation is kept: each hook leaves n x n numbers. Attention of open_clip gives a tuple, whose first part
    counts. Raises BookError for training mode, and for a layer that does not run exactly once or whose first axis is
    not the images'.
    """
    import torch

    if network.training:
        raise BookError("a network", "evaluation mode, found training mode", "call network.eval()")
    found: dict[str, np.ndarray] = {}
    modules = dict(network.named_modules())
    hooks = [modules[name].register_forward_hook(_into(found, name, len(images))) for name in layers]
    try:
        with torch.inference_mode():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    missing = [name for name in layers if name not in found]
    if missing:
        raise BookError(f"layer {missing[0]}", "one output in a forward pass, found none", "leave it out of the table")
    return np.stack([found[name] for name in layers])


def _into(found: dict[str, np.ndarray], name: str, n: int):
    def hook(module, inputs, output) -> None:
        output = output[0] if isinstance(output, tuple) else output
        if name in found:
            raise BookError(f"layer {name}", "one output in a forward pass, found several", "leave it out of the table")
        if len(output) != n:
            # Some versions put tokens first: a Gram matrix of tokens would look like a result.
            raise BookError(f"layer {name}", f"{n} images on the first axis, found {tuple(output.shape)}", "")
        found[name] = tensor_gram(output).cpu().numpy()

    return hook


def tensor_gram(features: Tensor) -> Tensor:
    """As `hsic.gram` for a tensor on its device: (n, n) float64, from single-precision products of 65,536 features.

    Raises BookError for outputs that are not finite.
    """
    import torch

    flat = features.flatten(1)
    total = torch.zeros(len(flat), len(flat), dtype=torch.float64, device=flat.device)
    for start in range(0, flat.shape[1], CHUNK):
        part = flat[:, start : start + CHUNK].float()
        part = part - part.mean(dim=0)
        total += (part @ part.T).double()
    if not bool(torch.isfinite(total).all()):
        raise BookError("activations of a layer", "finite numbers, found others", "run in fp32, look at the weights")
    return total
