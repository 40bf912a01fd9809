"""Our logits against timm's and open_clip's own, from files in the authors' original formats, at four sides.

The weights are random but the files are written as their authors published them. The references never go through
our loader: timm resizes positions with `set_input_size` after loading, CLIP's are resized here by hand.
"""

from __future__ import annotations

import copy
import dataclasses
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")
timm = pytest.importorskip("timm", reason="needs the extra `models`")
open_clip = pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import models  # noqa: E402
from helpers.errors import BookError  # noqa: E402
from helpers.models.heads import Head  # noqa: E402

SIZES = (112, 224, 336, 512)
TOLERANCE = 1e-5


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def images(size: int) -> torch.Tensor:
    return torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(size))


def shake(network: torch.nn.Module) -> torch.nn.Module:
    """Initial layer scales of 1e-6 would hide every block: give all small tensors and positions some size."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for name, parameter in network.named_parameters():
            if "gamma" in name:
                parameter.uniform_(0.1, 0.5)
            elif "pos" in name or "class_embedding" in name:
                parameter.normal_(std=0.5)
            elif parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return network.eval().requires_grad_(False)


def original_convnext(tensors: dict) -> dict:
    """timm's names of ConvNeXt back to those of facebookresearch/ConvNeXt."""
    rules = (
        (r"^stem\.", "downsample_layers.0."),
        (r"^stages\.(\d+)\.downsample\.(\d+)", r"downsample_layers.\1.\2"),
        (r"^stages\.(\d+)\.blocks\.(\d+)\.", r"stages.\1.\2."),
        (r"conv_dw", "dwconv"),
        (r"mlp\.fc", "pwconv"),
        (r"^head\.norm", "norm"),
        (r"^head\.fc", "head"),
    )
    return {"model": {_rename(name, rules): value for name, value in tensors.items()}}


def original_deit3(tensors: dict) -> dict:
    return {"model": {_rename(name, ((r"ls(\d)\.gamma", r"gamma_\1"),)): value for name, value in tensors.items()}}


def _rename(name: str, rules) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def supervised(name: str, **options) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return shake(timm.create_model(name, **options))


def clip(architecture: str) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return shake(open_clip.create_model(architecture))


def timm_at(reference: torch.nn.Module, size: int) -> torch.nn.Module:
    resized = copy.deepcopy(reference)
    if hasattr(resized, "pos_embed"):
        resized.set_input_size(img_size=size)
    return resized


def clip_at(reference, size: int, mode: str = "bicubic", antialias: bool = True) -> torch.nn.Module:
    positions = getattr(reference.visual, "positional_embedding", None)
    if positions is None:
        return reference
    patch, old = reference.visual.conv1.stride[0], reference.visual.grid_size[0]
    grid = positions[1:].T.reshape(1, -1, old, old)
    grid = torch.nn.functional.interpolate(grid, (size // patch,) * 2, mode=mode, antialias=antialias)
    resized = copy.deepcopy(reference)
    resized.visual.positional_embedding.data = torch.cat([positions[:1], grid.flatten(2)[0].T])
    return resized


def text_head(reference) -> Head:
    width = reference.text_projection.shape[1]
    rows = np.random.default_rng(0).normal(size=(1000, width)).astype("float32")
    return Head(rows / np.linalg.norm(rows, axis=1, keepdims=True), None, 100.0)


def swap(tensors: dict, first: str, second: str) -> dict:
    return {**tensors, first: tensors[second], second: tensors[first]}


def largest(difference: torch.Tensor) -> float:
    return difference.abs().max().item()


CONVNEXT_PAIR = ("stages.2.3.pwconv1.weight", "stages.2.4.pwconv1.weight")
DEIT_PAIR = ("blocks.3.attn.qkv.weight", "blocks.4.attn.qkv.weight")
slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "to_original", "pair", "sizes"),
    [
        ("timm:convnext_atto.d2_in1k", original_convnext, CONVNEXT_PAIR, (112, 224)),
        ("timm:deit3_small_patch16_224.fb_in1k", original_deit3, DEIT_PAIR, (112, 224)),
        pytest.param("convnext_sup", original_convnext, CONVNEXT_PAIR, SIZES, marks=slow),
        pytest.param("vit_sup", original_deit3, DEIT_PAIR, SIZES, marks=slow),
    ],
)
@torch.no_grad()
def test_supervised_models_equal_timm(tmp_path, name, to_original, pair, sizes):
    reference = supervised(models.resolve(name).checkpoint)
    content = to_original(reference.state_dict())
    torch.save(content, tmp_path / "published.pth")
    for size in sizes:
        model, batch = models.load(name, weights=tmp_path / "published.pth", image_size=size), images(size)
        expected = timm_at(reference, size)(batch)
        assert largest(model.logits(batch) - expected) <= TOLERANCE
        assert expected.std() > 0.1  # else equality would say nothing
    torch.save({"model": swap(content["model"], *pair)}, tmp_path / "scrambled.pth")
    scrambled = models.load(name, weights=tmp_path / "scrambled.pth", image_size=sizes[0])
    assert largest(scrambled.logits(images(sizes[0])) - timm_at(reference, sizes[0])(images(sizes[0]))) > 1e-3


SMALL = {"small_vit_clip": ("vit_clip", "ViT-S-32-alt"), "small_convnext_clip": ("convnext_clip", "convnext_tiny")}


@pytest.mark.parametrize(
    ("key", "sizes"),
    [
        ("small_vit_clip", (96, 224)),
        ("small_convnext_clip", (112, 224)),
        pytest.param("vit_clip", SIZES, marks=slow),
        pytest.param("convnext_clip", SIZES, marks=slow),
    ],
)
@torch.no_grad()
def test_clip_models_equal_open_clip(tmp_path, monkeypatch, key, sizes):
    use_small(monkeypatch)
    reference, path = clip(models.MODELS[key].architecture), tmp_path / "published.pt"
    tensors = {f"module.{name}": value for name, value in reference.state_dict().items()}
    torch.save({"epoch": 31, "name": "run", "state_dict": tensors}, path)
    head = text_head(reference)
    monkeypatch.setattr("helpers.models.loading._clip_head", lambda *_: head)
    for size in sizes:
        model, batch = models.load(key, weights=path, image_size=size), images(size)
        expected = clip_at(reference, size).encode_image(batch, normalize=True)
        embedding, before = model.features(batch)
        assert largest(embedding - expected) <= TOLERANCE
        assert before.shape[0] == 1
        assert before.ndim == 2
        assert largest(model.logits(batch) - 100.0 * expected @ torch.from_numpy(head.weight).T) <= TOLERANCE


def use_small(monkeypatch) -> None:
    for key, (like, architecture) in SMALL.items():
        small = dataclasses.replace(models.MODELS[like], key=key, architecture=architecture)
        monkeypatch.setitem(models.MODELS, key, small)


@torch.no_grad()
def test_another_interpolation_of_the_positions_is_noticed(tmp_path, monkeypatch):
    use_small(monkeypatch)
    reference, batch = clip(SMALL["small_vit_clip"][1]), images(96)
    torch.save(reference.state_dict(), tmp_path / "published.bin")
    ours, _ = models.load("small_vit_clip", weights=tmp_path / "published.bin", image_size=96).features(batch)
    for mode, antialias in (("bicubic", False), ("bilinear", True), ("nearest", False)):
        mutated = clip_at(reference, 96, mode, antialias).encode_image(batch, normalize=True)
        assert largest(ours - mutated) > 1e-3, mode


@torch.no_grad()
def test_training_mode_changes_convnext_clip_and_is_refused(tmp_path, monkeypatch):
    use_small(monkeypatch)
    reference, batch = clip(SMALL["small_convnext_clip"][1]), images(224)
    torch.save(reference.state_dict(), tmp_path / "published.bin")
    model = models.load("small_convnext_clip", weights=tmp_path / "published.bin")
    expected, _ = model.features(batch)
    torch.manual_seed(0)
    model.network.train()
    assert largest(model.embed(batch)[0] - expected) > 1e-3
    with pytest.raises(BookError, match="training mode"):
        model.features(batch)


@pytest.mark.parametrize("suffix", [".bin", ".safetensors"])
@torch.no_grad()
def test_clip_files_of_every_format(tmp_path, monkeypatch, suffix):
    from safetensors.torch import save_file

    use_small(monkeypatch)
    reference, path = clip(SMALL["small_vit_clip"][1]), tmp_path / f"published{suffix}"
    save = save_file if suffix == ".safetensors" else torch.save
    save({name: value.contiguous() for name, value in reference.state_dict().items()}, path)
    ours, _ = models.load("small_vit_clip", weights=path).features(images(224))
    assert largest(ours - reference.encode_image(images(224), normalize=True)) <= TOLERANCE


@pytest.mark.parametrize("fmt", ["safetensors", "mae"])
@torch.no_grad()
def test_other_supervised_files(tmp_path, monkeypatch, fmt):
    from safetensors.torch import save_file

    if fmt == "safetensors":  # the hub's files carry timm's names
        name, reference = "timm:convnext_atto.d2_in1k", supervised("convnext_atto.d2_in1k")
        path = tmp_path / "model.safetensors"
        save_file(reference.state_dict(), path)
    else:  # the fine-tuned MAE: mean pooling and a norm after it, names as timm's
        name = "small_mae"
        small = dataclasses.replace(models.MODELS["mae"], key=name, architecture="vit_tiny_patch16_224")
        monkeypatch.setitem(models.MODELS, name, small)
        reference, path = supervised("vit_tiny_patch16_224", global_pool="avg"), tmp_path / "mae_finetuned.pth"
        assert {"fc_norm.weight", "head.bias"} <= set(reference.state_dict())
        torch.save({"model": reference.state_dict()}, path)
    model = models.load(name, weights=path)
    assert largest(model.logits(images(224)) - reference(images(224))) <= TOLERANCE
