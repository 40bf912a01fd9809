"""The table of models, the names people type, what is refused, heads, and unsound outputs."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")
timm = pytest.importorskip("timm", reason="needs the extra `models`")
open_clip = pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import models  # noqa: E402
from helpers.errors import BookError, InputsUnavailable  # noqa: E402
from helpers.manifest import load_manifest  # noqa: E402

SMALL_TIMM = "timm:convnext_atto.d2_in1k"
# The demo's twins have weights of their own and a test file of their own.
PUBLISHED = [spec for spec in models.MODELS.values() if spec.packaged is None]
RUNNABLE = [spec for spec in PUBLISHED if spec.backend in ("timm", "open_clip")]


def images(n: int = 2, size: int = 224) -> torch.Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(3))


def test_the_room_imports_no_network_library():
    code = "import sys, helpers.models; print([m for m in ('torch', 'timm', 'open_clip') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_weights_of_the_table_stand_in_the_manifest():
    manifest = load_manifest()
    for spec in RUNNABLE:
        assert spec.weights is None or manifest[spec.weights].kind in ("weights", "package"), spec.key


def test_sets_hold_four_models_of_the_table():
    for name in ("paper", "in1k", "laion2b"):
        specs = [models.MODELS[key] for key in models.MODEL_SETS[name]]
        assert [(spec.family, spec.paradigm) for spec in specs] == [
            ("convnext", "sup"), ("vit", "sup"), ("convnext", "clip"), ("vit", "clip"),
        ]  # fmt: skip


@pytest.mark.parametrize("spec", RUNNABLE, ids=lambda spec: spec.key)
def test_checkpoints_exist_under_their_names(spec):
    if spec.backend == "open_clip":
        assert spec.checkpoint in open_clip.list_pretrained_tags_by_model(spec.architecture)
    elif spec.checkpoint:
        assert spec.checkpoint in timm.list_models(pretrained=True)
    else:
        assert timm.is_model(spec.architecture)


@pytest.mark.parametrize("key", [s.key for s in RUNNABLE if s.backend == "timm" and s.checkpoint])
def test_timm_preparation_is_what_timm_builds(key):
    spec = models.MODELS[key]
    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(spec.checkpoint).to_dict())
    resize, crop, *_, normalise = timm.data.create_transform(**config, is_training=False).transforms
    prepared = models.preparation(spec, "timm")
    assert (prepared.resize, prepared.interpolation) == (resize.size, resize.interpolation.value)
    assert (prepared.crop, prepared.crop) == tuple(crop.size)
    assert torch.allclose(torch.as_tensor(prepared.mean), normalise.mean.flatten())
    assert torch.allclose(torch.as_tensor(prepared.std), normalise.std.flatten())


@pytest.mark.parametrize("size", [112, 224, 512])
def test_clip_preparation_is_what_open_clip_builds(size):
    prepared = models.preparation(models.MODELS["vit_clip"], "paper", size)
    transform = open_clip.image_transform(size, is_train=False, mean=prepared.mean, std=prepared.std)
    resize, crop = transform.transforms[:2]
    assert (prepared.resize, prepared.interpolation) == (resize.size, resize.interpolation.value)
    assert (prepared.crop, prepared.crop) == tuple(crop.size)
    published = open_clip.get_pretrained_cfg("ViT-B-16", "laion400m_e31")
    assert (prepared.mean, prepared.std) == (tuple(published["mean"]), tuple(published["std"]))


@pytest.mark.parametrize(("size", "resize"), [(112, 128), (224, 256), (336, 384), (512, 585), (640, 731)])
def test_paper_preparation_of_supervised_models(size, resize):
    prepared = models.preparation(models.MODELS["vit_sup"], "paper", size)
    assert (prepared.resize, prepared.crop, prepared.interpolation) == (resize, size, "bilinear")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("convnext_supp", "did you mean convnext_sup"),
        ("timm:convnext_bse.fb_in1k", "convnext_base.fb_in1k"),
        ("timm:resnet18.no_such_tag", "timm.list_models"),
        ("timm:convnext_base.fb_in22k", "1000 ImageNet classes, found 21841"),
        ("open_clip:ViT-B-16/laion400m_e13", "laion400m_e31"),
        ("open_clip:ViT-B-16/openai", "open_clip:ViT-B-16-quickgelu/openai"),
        ("torchvision:resnet50", "timm:NAME"),
        ("", "timm:NAME"),
        ("human_03", "found a released observer"),
        ("resnet50", "found a released observer"),
    ],
)
def test_names_that_are_refused_say_what_to_do(name, message):
    with pytest.raises(BookError, match=message):
        models.load(name)


def test_any_timm_or_open_clip_name_becomes_a_model():
    resnet = models.resolve("timm:resnet18")
    assert (resnet.key, resnet.family, resnet.resize) == ("timm:resnet18.a1_in1k", "resnet", 256)
    large = models.resolve("timm:vit_base_patch16_384.augreg_in1k")
    assert (large.image_size, large.resize, large.mean) == (384, 438, (0.5, 0.5, 0.5))
    clip = models.resolve("open_clip:ViT-B-16-quickgelu/openai")
    assert (clip.backend, clip.paradigm, clip.interpolation, clip.resize) == ("open_clip", "clip", "bicubic", 224)
    same = models.resolve("open_clip:ViT-B-16/laion400m_e31")
    fields = ("backend", "architecture", "checkpoint", "mean", "std", "resize", "interpolation", "image_size")
    assert all(getattr(same, field) == getattr(models.MODELS["vit_clip"], field) for field in fields)


def test_weights_that_cannot_be_had_are_named(monkeypatch):
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    with pytest.raises(InputsUnavailable, match="BOOK_OFFLINE"):
        models.load(SMALL_TIMM)


class Malicious:
    def __reduce__(self):
        return (print, ("a checkpoint must not run code",))


def test_files_that_are_no_weights_are_refused(tmp_path, capsys):
    (tmp_path / "page.pth").write_text("<html>404</html>")
    torch.save({"model": {}}, tmp_path / "empty.pth")
    (tmp_path / "code.pth").write_bytes(pickle.dumps({"model": Malicious()}))
    other = timm.create_model("resnet10t").state_dict()
    torch.save({"model": other}, tmp_path / "other.pth")
    for name, message in (("page", "weights_only"), ("empty", "found none"), ("code", "weights_only"),
                          ("other", "use the file published"), ("absent", "a weight file, found none")):  # fmt: skip
        with pytest.raises(BookError, match=message):
            models.load(SMALL_TIMM, weights=tmp_path / f"{name}.pth")
    with pytest.raises(BookError, match="use the file published"):
        models.load("open_clip:ViT-B-32/laion2b_s34b_b79k", weights=tmp_path / "other.pth")
    assert "must not run" not in capsys.readouterr().out


def test_random_weights_depend_on_the_seed_alone():
    with pytest.raises(BookError, match="leave one of them out"):
        models.load(SMALL_TIMM, weights="x", random_init=True)
    first, second, third = (models.load(SMALL_TIMM, random_init=True, seed=s) for s in (0, 0, 1))
    assert (first.weights_hash, third.weights_hash) == ("random:0", "random:1")
    before = torch.get_rng_state()
    assert torch.equal(first.logits(images()), second.logits(images()))
    assert not torch.equal(first.logits(images()), third.logits(images()))
    assert torch.equal(torch.get_rng_state(), before)


def test_random_vit_is_the_same_network_at_another_side(small_clip):
    native, large = (models.load(small_clip, random_init=True, image_size=size) for size in (224, 288))
    assert torch.equal(native.network.conv1.weight, large.network.conv1.weight)
    assert large.network.positional_embedding.shape[0] == 1 + 9 * 9
    assert large.features(images(size=288))[0].shape == (2, 256)


def test_images_of_another_side_are_refused():
    with pytest.raises(BookError, match="224 x 224"):
        models.load(SMALL_TIMM, random_init=True).features(images(size=192))


def test_model_facts_cover_the_four_models_with_a_source_each():
    tidy = models.model_fact_sources()
    assert tidy.notna().all().all()
    assert not models.model_facts().isna().any().any()
    assert not tidy.duplicated(["model", "fact"]).any()
