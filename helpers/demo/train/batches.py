"""Training batches: which images step s sees and how they are varied, a function of (seed, s) alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from helpers.demo.train.rendered import Rendered
from helpers.demo.world import PROMPT_TEMPLATES, Scene, caption, class_names, one_of, prompts, spawn
from helpers.models import ModelSpec, preparation
from helpers.models.twins import tokenizer

if TYPE_CHECKING:
    import torch

MARGIN = 4  # pixels by which the crop may leave the middle, up and down
REACH = 6  # the same to the sides
PLAIN = 0.4  # share of captions that name the class and nothing else
PLAIN_TEMPLATES = tuple(each for each in PROMPT_TEMPLATES if each.endswith("{}") and "watercolour" not in each)


@dataclass(frozen=True)
class Source:
    """What batches are cut from: resized pixels uint8 (n, h, w, 3), classes (n,), caption tokens (n, k, length)."""

    pixels: np.ndarray
    labels: np.ndarray
    tokens: np.ndarray | None

    def __len__(self) -> int:
        return len(self.labels)


def source(images: Rendered, spec: ModelSpec, captions: int = 0, shuffle_labels: int | None = None) -> Source:
    """Images at the size that the model's own preparation resizes to, with a margin for moving the crop.

    `captions` an image are written and tokenised for a CLIP; with `shuffle_labels` (a seed) the classes or captions
    are dealt out at random, which leaves nothing to learn.
    """
    order = np.arange(len(images))
    if shuffle_labels is not None:
        order = np.random.default_rng(shuffle_labels).permutation(order)
    tokens = caption_tokens(images, spec.architecture, captions)[order] if captions else None
    return Source(_resized(images.pixels, spec), images.labels[order], tokens)


def _resized(pixels: np.ndarray, spec: ModelSpec) -> np.ndarray:
    wanted = preparation(spec)
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    height, width = pixels.shape[1:3]
    size = (int(wanted.resize * width / height), wanted.resize)  # the shorter side is the height
    margin = max(0, MARGIN - (wanted.resize - wanted.crop) // 2)
    found = np.empty((len(pixels), size[1] + 2 * margin, size[0], 3), np.uint8)
    for index, image in enumerate(pixels):
        small = np.asarray(Image.fromarray(image).resize(size, filters[wanted.interpolation]))
        found[index] = np.pad(small, ((margin, margin), (0, 0), (0, 0)), mode="edge") if margin else small
    return found


def caption_tokens(images: Rendered, architecture: str, number: int) -> np.ndarray:
    """Tokens of `number` captions of every image, int16 (n, number, length)."""
    encode = tokenizer(architecture)
    items = images.items
    texts = []
    for index in range(len(images)):
        scene, rng = items.scene(index), spawn(items.seed, "captions", index)
        texts += [plain_caption(scene, rng) if rng.random() < PLAIN else caption(scene, rng) for _ in range(number)]
    return encode(texts).numpy().astype(np.int16).reshape(len(images), number, -1)


def plain_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption with nothing but the class's name in it, as many texts of the web are.

    >>> from helpers.demo.world import sample_scene
    >>> plain_caption(sample_scene(spawn(0, "x", 0), fine=14), spawn(0, "x", 1)).endswith("an owl")
    True
    """
    (texts,) = prompts([class_names()[scene.fine]], PLAIN_TEMPLATES)
    return one_of(rng, texts)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, n: int) -> np.ndarray:
    return spawn(seed, "order", epoch).permutation(n)


def positions(seed: int, step: int, n: int, batch: int) -> np.ndarray:
    """Images of a step: every epoch goes through all n in an order of its own; the rest of an epoch is dropped.

    >>> sorted(np.concatenate([positions(0, step, 6, 2) for step in range(3)]).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    per_epoch = n // batch
    epoch, within = divmod(step, per_epoch)
    return _order(seed, epoch, n)[within * batch : (within + 1) * batch]


def make_batch(source: Source, spec: ModelSpec, seed: int, step: int, batch: int):
    """(images float32 (b, 3, s, s) normalised and varied, classes (b,), tokens (b, length) or None) of a step.

    Varied: crop moved by up to MARGIN and REACH pixels, mirrored in half of the images, light by 0.8 to 1.2.
    """
    import torch

    rng = spawn(seed, "batch", step)
    rows = positions(seed, step, len(source), min(batch, len(source)))
    pixels = _cropped(source.pixels, rows, spec.image_size, rng)
    images = _normalised(torch.from_numpy(pixels), spec)
    tokens = None
    if source.tokens is not None:
        which = rng.integers(source.tokens.shape[1], size=len(rows))
        tokens = torch.from_numpy(source.tokens[rows, which].astype(np.int64))
    return images, torch.from_numpy(source.labels[rows]), tokens


def _cropped(pixels: np.ndarray, rows: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    height, width = pixels.shape[1:3]
    middle = round((height - side) / 2), round((width - side) / 2)  # as torchvision's CenterCrop
    top = middle[0] + rng.integers(-min(MARGIN, middle[0]), min(MARGIN, middle[0]) + 1, len(rows))
    left = middle[1] + rng.integers(-min(REACH, middle[1]), min(REACH, middle[1]) + 1, len(rows))
    mirror, light = rng.random(len(rows)) < 0.5, rng.uniform(0.8, 1.2, len(rows))
    cut = np.empty((len(rows), side, side, 3), np.float32)
    for place, row in enumerate(rows):
        image = pixels[row, top[place] : top[place] + side, left[place] : left[place] + side]
        cut[place] = image[:, ::-1] if mirror[place] else image
    return np.clip(cut * light[:, None, None, None].astype(np.float32), 0, 255)


def _normalised(pixels: torch.Tensor, spec: ModelSpec) -> torch.Tensor:
    import torch

    mean, std = torch.tensor(spec.mean), torch.tensor(spec.std)
    return pixels.div_(255).sub_(mean).div_(std).permute(0, 3, 1, 2)
