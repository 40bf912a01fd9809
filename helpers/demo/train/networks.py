"""What a training optimises: the network of a twin, its loss, and its parameters in two groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers.demo.train.recipes import Recipe
from helpers.models import MODELS
from helpers.models.names import ready
from helpers.models.networks import clip_network, quiet, timm_network

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

HOTTEST = 4.6052  # log 100: CLIP's upper limit of the logit scale


def new_network(recipe: Recipe, seed: int) -> nn.Module:
    """The twin's network with weights drawn from the seed: a timm classifier, or an open_clip model of both towers."""
    import torch

    spec = MODELS[recipe.model]
    ready(spec)
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return clip_network(spec, None, spec.image_size) if recipe.contrastive else timm_network(spec, None, 64)


def loss_of(recipe: Recipe, network: nn.Module, images: Tensor, labels: Tensor, tokens: Tensor | None) -> Tensor:
    """Cross-entropy over the classes with label smoothing, or the symmetric contrastive loss of open_clip."""
    import torch
    from torch.nn import functional

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=recipe.precision == "bf16"):
        if not recipe.contrastive:
            logits = network(images)
        else:
            image_features, text_features, scale = network(images, tokens)
    if not recipe.contrastive:
        return functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.smoothing)
    from open_clip import ClipLoss

    return ClipLoss()(image_features.float(), text_features.float(), scale)


def optimiser(recipe: Recipe, network: nn.Module) -> torch.optim.Optimizer:
    """AdamW; matrices and filters decay, biases, gains, position embeddings and the logit scale do not."""
    import torch

    decayed, free = [], []
    for name, parameter in network.named_parameters():
        plain = parameter.ndim < 2 or "pos" in name or name.endswith("gamma")
        (free if plain else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))


def limit_scale(network: nn.Module) -> None:
    """Keep a CLIP's learned logit scale between 1 and 100, as CLIP's authors do; nothing for a classifier."""
    import torch

    if hasattr(network, "logit_scale"):
        with torch.no_grad():
            network.logit_scale.clamp_(0, HOTTEST)
