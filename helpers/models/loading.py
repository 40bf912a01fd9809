"""One interface over all models: images to embeddings and logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import fetch, labels
from helpers.errors import BookError
from helpers.models import prompt_heads
from helpers.models.checkpoints import weights_path
from helpers.models.heads import Head, cached_head, linear_head, logits_from_features, zero_shot_digest, zero_shot_head
from helpers.models.names import ready, runnable
from helpers.models.networks import Embed, build_clip, build_timm, clip_embed, timm_embed
from helpers.models.table import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network in evaluation mode on a device, for square images of one side.

    `embed(images)` runs it without any guard (for compiling or autocast); `features` and `logits` are the safe
    ways in. `embedding` says what `features` returns: "pre-logits", "projected" (L2-normalised) or "logits".
    `weights_hash` is the sha256 of the weight file, or "random:<seed>". `network` is the image tower.
    """

    key: str
    spec: ModelSpec
    network: nn.Module
    embed: Embed
    make_head: Callable[[], Head]
    embedding: str
    image_size: int
    weights_hash: str
    device: str

    @cached_property
    def head(self) -> Head:
        """The classifier as numpy arrays; a zero-shot head is built or read from the cache on first use."""
        return self.make_head()

    @cached_property
    def device_head(self) -> Head:
        """The classifier as tensors on the model's device."""
        return self.head.to(self.device)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """(embedding (n, d), pre-projection (n, d') or None) of prepared images (n, 3, s, s), in float32.

        Raises BookError for images of another side or a network that was put into training mode.
        """
        import torch

        size = (self.image_size, self.image_size)
        if tuple(images.shape[-2:]) != size:
            raise BookError(f"images for {self.key}", f"{size[0]} x {size[1]} pixels, found {tuple(images.shape)}",
                            "load the model with image_size of the view")  # fmt: skip
        if self.network.training:
            # Stochastic depth of the ConvNeXt CLIP tower would be active and change every prediction.
            raise BookError(f"model {self.key}", "evaluation mode, found training mode", "call network.eval()")
        with torch.inference_mode():
            return self.embed(images.to(self.device))

    def logits(self, images: Tensor) -> Tensor:
        """Logits (n, 1000) of prepared images (n, 3, s, s); for CLIP 100 x cosine to the zero-shot head."""
        import torch

        embedding, _ = self.features(images)
        with torch.inference_mode():
            return logits_from_features(embedding, self.device_head)


def head(model: LoadedModel) -> Head:
    """(weight, bias, scale) with which `logits_from_features` recomputes logits from stored embeddings."""
    return model.head


def load(
    name: str, *, weights: str | Path | None = None, device: str = "cpu", random_init: bool = False, seed: int = 0,
    image_size: int | None = None, head_cache: str | Path | None = None, progress: bool = True,
) -> LoadedModel:  # fmt: skip
    """A model of the table, `timm:NAME` or `open_clip:ARCH/TAG`, ready to run.

    `weights` is a local file (published or in the authors' original format), else the published weights are
    fetched; `random_init` draws them from `seed` instead. `image_size` other than the native one resizes position
    embeddings as timm and open_clip do. `head_cache` is a folder for zero-shot heads. Raises BookError for an
    unknown name or weights that do not fit, InputsUnavailable where weights or libraries cannot be had.
    """
    spec = runnable(name)
    ready(spec)
    if random_init and weights is not None:
        raise BookError(f"model {name!r}", "either weights or random_init, found both", "leave one of them out")
    path = None if random_init else _existing(weights) if weights is not None else _published(spec)
    weights_hash = f"random:{seed}" if path is None else fetch.sha256_of(path)
    size = image_size or spec.image_size
    if spec.backend == "timm":
        return _load_timm(spec, build_timm(spec, path, size, seed), size, weights_hash, device)
    clip = build_clip(spec, path, size, seed)
    make_head = partial(_clip_head, clip, spec, weights_hash, device, head_cache, progress)
    return _finish(spec, clip, clip.visual, clip_embed, make_head, "projected", size, weights_hash, device)


def _published(spec: ModelSpec) -> Path:
    if spec.packaged is None:
        return weights_path(spec)
    from helpers.models import twins

    return twins.weights_path(spec)


def _existing(path: str | Path) -> Path:
    if not Path(path).is_file():
        raise BookError(str(path), "a weight file, found none", "check the path")
    return Path(path)


def _load_timm(spec, network, size, weights_hash, device) -> LoadedModel:
    embed, classifier = timm_embed(network)
    make_head = (lambda: linear_head(classifier)) if classifier is not None else (lambda: Head(None, None, 1.0))
    kind = "logits" if classifier is None else "pre-logits"
    return _finish(spec, network, network, lambda _: embed, make_head, kind, size, weights_hash, device)


def _finish(spec, whole, tower, make_embed, make_head, kind, size, weights_hash, device) -> LoadedModel:
    whole.eval().requires_grad_(False).to(device)
    return LoadedModel(spec.key, spec, tower, make_embed(whole), make_head, kind, size, weights_hash, device)


def _clip_head(clip, spec, weights_hash, device, cache, progress) -> Head:
    import open_clip

    if spec.packaged is not None:
        prompt_heads.keep(cache, clip, partial(_twin_tokenizer, spec), spec, weights_hash, device)
        return _twin_head(clip, spec, device)
    names, templates = labels.prompt_names(), labels.prompt_templates()
    digest = zero_shot_digest(spec.architecture, weights_hash, labels.prompt_digest(names, templates))

    def build() -> Head:
        tokenizer = open_clip.get_tokenizer(spec.architecture)
        return zero_shot_head(clip, tokenizer, names, templates, device, progress)

    built = cached_head(cache, digest, build)
    tokens = partial(open_clip.get_tokenizer, spec.architecture)
    prompt_heads.keep(cache, clip, tokens, spec, weights_hash, device, progress)
    return built


def _twin_tokenizer(spec):
    from helpers.models import twins

    return twins.tokenizer(spec.architecture)


def _twin_head(clip, spec, device) -> Head:
    """A twin's head: 64 names in nine templates take a second, so it is never kept."""
    from helpers.models import twins

    names, templates = twins.prompt_parts()
    return zero_shot_head(clip, _twin_tokenizer(spec), names, templates, device, progress=False)
