"""Parameters and multiply-accumulates of the image towers, from the architecture alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.models.names import ready, runnable
from helpers.models.networks import clip_network, quiet, timm_network

if TYPE_CHECKING:
    from torch import nn


def image_tower(name: str, image_size: int | None = None) -> nn.Module:
    """The image tower of a model on the meta device, in evaluation mode: shapes without weights."""
    spec = runnable(name)
    ready(spec)
    size = image_size or spec.image_size
    with quiet():
        tower = timm_network(spec, None, size) if spec.backend == "timm" else clip_network(spec, None, size).visual
    return tower.eval().to("meta")


def count_macs(tower: nn.Module, image_size: int) -> int:
    """Multiply-accumulates of one image (3, s, s): torch's FlopCounterMode halved, attention's products included.

    Fused attention hides its matrix products from the counter, so the plain path is taken while counting.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    images = torch.empty(1, 3, image_size, image_size, device="meta")
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            tower(images)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return counter.get_total_flops() // 2


def count_parameters_and_macs(name: str, image_size: int | None = None) -> list[dict]:
    """Two result rows of an image tower: parameters in millions and MACs of one image in units of 1e9.

    The text tower is left out; the classifier (supervised) or projection (CLIP) is counted.
    """
    spec = runnable(name)
    size = image_size or spec.image_size
    view = "paper.eval" if size == spec.image_size else f"paper.resolution-{size}"
    tower = image_tower(name, size)
    values = (
        ("parameters", sum(p.numel() for p in tower.parameters()) / 1e6, "millions"),
        ("macs", count_macs(tower, size) / 1e9, "gmacs"),
    )
    return [
        {"model": spec.key, "dataset": None, "view": view, "metric": metric, "group": None,
         "value": value, "ci_low": None, "ci_high": None, "n": None, "unit": unit, "resampled": "none"}
        for metric, value, unit in values
    ]  # fmt: skip
