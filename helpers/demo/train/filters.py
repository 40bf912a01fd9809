"""Two small independent networks, a ConvNet and a ViT, that decide which scenes are adversarial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from helpers.demo.world import N_FINE, spawn
from helpers.errors import BookError

if TYPE_CHECKING:
    from torch import nn

SIDE, RESIZE = 32, 36  # pixels; the same part of the picture as the twins see
BATCH, RATE, DECAY = 128, 2e-3, 0.05
SEEDS = {"convnet": 101, "vit": 102}
EPOCHS = {"convnet": 10, "vit": 10}


def reduced(pixels: np.ndarray) -> np.ndarray:
    """Pictures uint8 (n, 80, 96, 3) as the filters see them: uint8 (n, 36, 43, 3), for a middle crop of 32.

    >>> reduced(np.zeros((2, 80, 96, 3), np.uint8)).shape
    (2, 36, 43, 3)
    """
    size = int(RESIZE * pixels.shape[2] / pixels.shape[1]), RESIZE
    return np.stack([np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR)) for each in pixels])


def new_filter(name: str) -> nn.Module:
    """An untrained filter: "convnet" (four layers of 3 x 3, 16 to 96 channels) or "vit" (two blocks, patches of 4)."""
    import torch

    if name not in SEEDS:
        raise BookError(f"filter {name!r}", f"one of {', '.join(SEEDS)}", "correct the name")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEEDS[name])
        return _convnet() if name == "convnet" else _vit()


def _convnet() -> nn.Module:
    from torch import nn

    layers: list[nn.Module] = []
    for inner, outer in ((3, 16), (16, 32), (32, 64), (64, 96)):
        layers += [nn.Conv2d(inner, outer, 3, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, N_FINE))


def _vit() -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=SIDE, patch_size=4, embed_dim=96, depth=2, num_heads=3, mlp_ratio=3, num_classes=N_FINE,
        class_token=False, global_pool="avg",
    )  # fmt: skip


def trained_filter(name: str, pixels: np.ndarray, labels: np.ndarray, epochs: int | None = None) -> nn.Module:
    """A filter trained on reduced pictures (n, 36, 43, 3) with classes (n,); in evaluation mode.

    Cross-entropy, AdamW, one cycle; the crop moves by up to 2 pixels and half of the pictures are mirrored.
    """
    import torch

    network, rng = new_filter(name), spawn(SEEDS[name], "filter", 0)
    steps = (EPOCHS[name] if epochs is None else epochs) * (len(labels) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    network.train()
    for step in range(steps):
        if step % (len(labels) // BATCH) == 0:
            order = rng.permutation(len(labels))
        rows = order[step % (len(labels) // BATCH) * BATCH :][:BATCH]
        images = _varied(pixels[rows], rng)
        loss = torch.nn.functional.cross_entropy(network(images), torch.from_numpy(labels[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def _varied(pixels: np.ndarray, rng: np.random.Generator):
    top, left = _middle(pixels)
    top, left = top + int(rng.integers(-2, 3)), left + int(rng.integers(-2, 3))
    cut = pixels[:, top : top + SIDE, left : left + SIDE].copy()
    mirrored = rng.random(len(cut)) < 0.5
    cut[mirrored] = cut[mirrored, :, ::-1]
    return _tensor(cut)


def _middle(pixels: np.ndarray) -> tuple[int, int]:
    return (pixels.shape[1] - SIDE) // 2, (pixels.shape[2] - SIDE) // 2


def _tensor(pixels: np.ndarray):
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def answers(network: nn.Module, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(fine class, its probability) that a filter answers for reduced pictures, arrays (n,)."""
    import torch

    top, left = _middle(pixels)
    found = []
    with torch.inference_mode():
        for start in range(0, len(pixels), 500):
            batch = pixels[start : start + 500, top : top + SIDE, left : left + SIDE]
            found.append(network(_tensor(batch)).softmax(-1))
    best = torch.cat(found).max(-1)
    return best.indices.numpy(), best.values.numpy()
