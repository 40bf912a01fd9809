"""Building the two kinds of networks, with the weights that timm and open_clip themselves would load."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import BookError
from helpers.models.checkpoints import state_dict
from helpers.models.table import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

Embed = Callable[["Tensor"], "tuple[Tensor, Tensor | None]"]


def build_timm(spec: ModelSpec, path: Path | None, image_size: int, seed: int = 0) -> nn.Module:
    """A timm network for square images of that side: weights from a file, or random from a seed if path is None.

    The file goes through timm's own filter: original names are mapped, position embeddings resized bicubic with
    antialias. Raises BookError if the tensors do not fit.
    """
    if path is None:
        with _seeded(seed):
            tensors = timm_network(spec, None, spec.image_size).state_dict()
    else:
        tensors = state_dict(path)
    try:
        return timm_network(spec, tensors, image_size)
    except (RuntimeError, KeyError, AttributeError) as error:
        raise _misfit(spec, path, error) from error


def timm_network(spec: ModelSpec, tensors: dict[str, Tensor] | None, image_size: int) -> nn.Module:
    """timm's own builder: with these tensors, through timm's filter for the architecture, or random if None."""
    import timm

    name, options = spec.checkpoint or spec.architecture, dict(spec.options)
    config = timm.get_pretrained_cfg(name)
    # Networks with a position per patch must know the side; convolutional ones take any.
    if config is not None and config.fixed_input_size:
        options["img_size"] = image_size
    if tensors is None:
        return timm.create_model(name, **options)
    network = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"state_dict": tensors}, **options)
    network.pretrained_cfg.pop("state_dict", None)  # timm keeps it there: a second copy of the weights
    return network


def build_clip(spec: ModelSpec, path: Path | None, image_size: int, seed: int = 0) -> nn.Module:
    """An open_clip model (both towers) for square images of that side, from a file or random from a seed.

    open_clip reads .pt, .bin and .safetensors itself and resizes position embeddings bicubic with antialias.
    Raises BookError if the tensors do not fit.
    """
    if path is None:
        return _random_clip(spec, image_size, seed)
    try:
        with quiet():
            return clip_network(spec, str(path), image_size)
    except Exception as error:  # the reader of untrusted files raises a dozen kinds
        raise _misfit(spec, path, error) from error


def clip_network(spec: ModelSpec, pretrained: str | None, image_size: int) -> nn.Module:
    """open_clip's own builder, in fp32 on the CPU: with the weights of a file, or random if None."""
    import open_clip

    return open_clip.create_model(
        spec.architecture, pretrained=pretrained, precision="fp32", device="cpu", force_image_size=image_size
    )


def _random_clip(spec: ModelSpec, image_size: int, seed: int) -> nn.Module:
    from open_clip.model import resize_pos_embed

    with quiet(), _seeded(seed):
        native = clip_network(spec, None, spec.image_size)
        if image_size == spec.image_size:
            return native
        resized = clip_network(spec, None, image_size)
    tensors = native.state_dict()
    resize_pos_embed(tensors, resized)
    resized.load_state_dict(tensors)
    return resized


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence open_clip's warning of random weights, which goes through the root logger, where they are wanted."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(previous)


def _misfit(spec: ModelSpec, path: Path | None, error: Exception) -> BookError:
    if isinstance(error, BookError):
        return error
    first = " ".join(str(error).split())[:300]
    expected = f"weights of {spec.checkpoint or spec.architecture} ({spec.backend}), found: {first}"
    return BookError(str(path), expected, "use the file published for this model, or load it under its own name")


def timm_embed(network: nn.Module) -> tuple[Embed, nn.Module | None]:
    """images -> (pre-logits, None) and the linear classifier behind them.

    A network whose classifier is not one linear layer gives (logits, pre-logits) and None.
    """
    from torch import nn

    classifier = network.get_classifier()

    def pre_logits(images: Tensor) -> tuple[Tensor, None]:
        return network.forward_head(network.forward_features(images), pre_logits=True).float(), None

    def logits(images: Tensor) -> tuple[Tensor, Tensor]:
        features = network.forward_features(images)
        pre = network.forward_head(features, pre_logits=True)
        return network.forward_head(features).float(), pre.flatten(1).float()

    return (pre_logits, classifier) if isinstance(classifier, nn.Linear) else (logits, None)


def clip_embed(clip: nn.Module) -> Embed:
    """images -> (L2-normalised projected embedding, the features before the projection or None).

    The vision transformer keeps its projection as a bare parameter; it is taken out of the tower so that one pass
    gives both. Towers of other kinds give no pre-projection.
    """
    from torch.nn import functional

    visual = clip.visual
    if hasattr(visual, "trunk") and hasattr(visual, "head"):
        trunk, project = visual.trunk, visual.head
    elif getattr(visual, "proj", None) is not None and not getattr(visual, "output_tokens", False):
        matrix, visual.proj = visual.proj.detach(), None
        trunk, project = visual, lambda features: features @ matrix.to(features)
    else:
        return lambda images: (functional.normalize(clip.encode_image(images).float(), dim=-1), None)

    def embed(images: Tensor) -> tuple[Tensor, Tensor]:
        features = trunk(images)
        return functional.normalize(project(features).float(), dim=-1), features.float()

    return embed
