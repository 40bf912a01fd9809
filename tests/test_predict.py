"""The engine: what a stored row says, one decode for all views, resuming, running out of memory, unsound outputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from predict_tools import contents, pictures, rows_of, tiny_spec

torch = pytest.importorskip("torch", reason="needs the extra `models`")
timm = pytest.importorskip("timm", reason="needs the extra `models`")

from helpers import labels, models, store, views  # noqa: E402
from helpers.errors import BookError  # noqa: E402
from helpers.predict import Network, Settings, engine, merge_parts, passes, run  # noqa: E402
from helpers.predict.batches import Reader, chunks  # noqa: E402
from helpers.predict.outputs import prediction_rows  # noqa: E402
from helpers.predict.settings import autocast, machine, resolved  # noqa: E402

QUIET = Settings(device="cpu", threads=2, workers=0, batch_size=4, progress=False)


@pytest.fixture(autouse=True)
def _one_core():
    """Cores that share one small layer spend their time waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny(monkeypatch) -> Network:
    """A small convolutional network with random weights."""
    monkeypatch.setitem(models.MODELS, "tiny", tiny_spec("tiny"))
    return Network("tiny", seed=0)


@pytest.fixture
def tiny_vit(monkeypatch) -> Network:
    monkeypatch.setitem(models.MODELS, "tiny_vit", tiny_spec("tiny_vit", "vit_sup"))
    return Network("tiny_vit", seed=0)


def plain_logits(network: Network, dataset, view_id: str = "paper.eval") -> torch.Tensor:
    """One image at a time through the network itself, without any of the machinery under test."""
    spec = models.MODELS[network.name]
    view = views.make_view(view_id, models.preparation(spec))
    model = models.load(network.name, random_init=True, image_size=view.size)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (spec.mean, spec.std))
    pixels = (torch.from_numpy(view.apply(sample.image)).float() / 255 for sample in dataset)
    with torch.no_grad():
        return torch.cat([model.network(((each - mean) / std)[None]) for each in pixels])


# What a row says


@pytest.mark.parametrize(("which", "view_id"), [
    ("tiny", "paper.eval"), ("tiny", "paper.resolution-112"), ("tiny_vit", "paper.resolution-112"),
    ("tiny_vit", "paper.shift-5"),
])  # fmt: skip
def test_rows_are_those_of_the_plain_network(which, view_id, request, tmp_path):
    network, dataset = request.getfixturevalue(which), pictures(7)
    report = run(network, dataset, [view_id], QUIET, root=tmp_path)
    assert (report.computed, report.reused, report.views) == (7, 0, (view_id,))
    rows = rows_of(network.name, "toy", view_id, tmp_path)
    probabilities = plain_logits(network, dataset, view_id).softmax(-1)
    assert rows.pred.tolist() == probabilities.argmax(-1).tolist()
    assert rows.confidence.to_numpy() == pytest.approx(probabilities.amax(-1).numpy(), abs=1e-6)
    truth = torch.tensor([label for (label,) in rows.label])
    assert rows.p_true.to_numpy() == pytest.approx(probabilities[range(7), truth].numpy(), abs=1e-6)
    assert np.array(rows.top5.tolist())[:, 0].tolist() == rows.pred.tolist()
    assert [set(each) for each in rows.top5] == [set(each) for each in probabilities.topk(5).indices.tolist()]
    assert rows.image_id.tolist() == [sample.image_id for sample in dataset]


def test_a_wrong_crop_or_training_mode_would_be_seen(tiny, tmp_path, monkeypatch):
    """The test above can fail: another view gives other rows, and training mode is refused."""
    dataset = pictures(3)
    run(tiny, dataset, ["paper.eval", "paper.shift-0"], QUIET, root=tmp_path)
    confidence = rows_of("tiny", "toy", "paper.shift-0", tmp_path).confidence.to_numpy()
    assert np.abs(confidence - plain_logits(tiny, dataset).softmax(-1).amax(-1).numpy()).max() > 1e-6
    monkeypatch.setattr(torch.nn.Module, "eval", lambda self: self)
    with pytest.raises(BookError, match="training mode"):
        run(Network("tiny", seed=1), dataset, ["paper.eval"], QUIET, root=tmp_path)


def test_stored_embeddings_and_head_give_the_predictions_again(tiny, tmp_path):
    run(tiny, pictures(6), ["paper.eval", "paper.scale-2"], QUIET, root=tmp_path)
    rows, facts = store.read_predictions("tiny", "toy", "paper.eval", tmp_path)
    ids, embedding, _ = store.read_embeddings("tiny", "toy", "paper.eval", root=tmp_path)
    weight, bias = store.read_head("tiny", facts["facts"]["head"], tmp_path)
    logits = embedding @ weight.T + bias
    assert ids.image_id.tolist() == rows.image_id.tolist()
    assert logits.argmax(1).tolist() == rows.pred.tolist()
    with pytest.raises(BookError, match="a stored entry, found none"):
        store.read_embeddings("tiny", "toy", "paper.scale-2", root=tmp_path)


def test_only_the_candidates_compete():
    """On a set with 200 classes another class cannot be predicted, and probabilities are among the 200."""
    logits, space = torch.zeros(1, 1000), labels.label_space("imagenet_r")
    inside, outside = space.indices[7], next(i for i in range(1000) if i not in space.indices)
    logits[0, outside], logits[0, inside] = 9.0, 2.0
    facts = pictures(1, labels_of=[[inside]]).table
    (row,) = prediction_rows(logits, facts, space).to_dict("records")
    expected = np.exp(2) / (np.exp(2) + 199)
    assert (row["pred"], row["p_true"]) == (inside, pytest.approx(expected))
    (free,) = prediction_rows(logits, facts, labels.label_space("imagenet1k")).to_dict("records")
    assert free["pred"] == outside


def test_ties_go_to_the_first_class_and_several_labels_to_the_likeliest():
    logits = torch.zeros(1, 1000)
    logits[0, [744, 657]] = 5.0
    facts = pictures(1, labels_of=[[3, 744]]).table
    (row,) = prediction_rows(logits, facts, labels.label_space("imagenet1k")).to_dict("records")
    assert (row["pred"], row["top5"][:2]) == (657, [657, 744])
    assert row["p_true"] == pytest.approx(np.exp(5) / (2 * np.exp(5) + 998))


# One decode, shared views


def test_an_image_is_decoded_once_whatever_the_number_of_views(tiny, tmp_path, monkeypatch):
    decoded = []
    real = type(pictures(1))._image
    monkeypatch.setattr("helpers.datasets.core.Dataset._image", lambda self, i: decoded.append(i) or real(self, i))
    asked = ["paper.eval", "paper.scale-1", "paper.resolution-224", "paper.scale-2", "paper.shift-5"]
    report = run(tiny, pictures(6), asked, QUIET, root=tmp_path)
    assert sorted(decoded) == list(range(6))
    assert report.views == ("paper.eval", "paper.scale-2", "paper.shift-5")


# Interruptions


VIEWS = ["paper.eval", "paper.scale-2"]


def interrupted(network, dataset, settings, root, after: int, monkeypatch, view_ids=VIEWS) -> None:
    """Run until `after` batches are done, then break off as by Ctrl-C."""
    seen = []
    real = engine.forward

    def breaking(each, batch, *rest):
        seen.append(batch.positions[0])
        if len(set(seen)) > after:
            raise KeyboardInterrupt
        return real(each, batch, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(engine, "forward", breaking)
        with pytest.raises(KeyboardInterrupt):
            run(network, dataset, view_ids, settings, root=root)


def test_an_interrupted_run_goes_on_to_identical_files(tiny, tmp_path, monkeypatch):
    settings, dataset = dataclasses.replace(QUIET, shard_rows=4, threads=1), pictures(21)
    run(tiny, dataset, VIEWS, settings, root=tmp_path / "whole")
    run(tiny, dataset, VIEWS, settings, root=tmp_path / "again")
    assert contents(tmp_path / "whole") == contents(tmp_path / "again")
    interrupted(tiny, dataset, settings, tmp_path / "broken", 3, monkeypatch)
    assert not store.has_predictions("tiny", "toy", "paper.eval", tmp_path / "broken")
    report = run(tiny, dataset, VIEWS, settings, root=tmp_path / "broken")
    assert report.reused >= 8
    assert report.computed == 21 - report.reused
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_view_that_is_asked_for_later_joins_what_is_half_done(tiny, tmp_path, monkeypatch):
    """Images that are finished under one view are run under the other only."""
    settings, dataset = dataclasses.replace(QUIET, shard_rows=4, threads=1), pictures(14)
    interrupted(tiny, dataset, settings, tmp_path / "later", 2, monkeypatch, VIEWS[:1])
    sizes = []
    real = models.LoadedModel.features
    monkeypatch.setattr(models.LoadedModel, "features", lambda self, x: sizes.append(len(x)) or real(self, x))
    run(tiny, dataset, VIEWS, settings, root=tmp_path / "later")
    assert sum(sizes) == 14 + 10  # one batch of the first view was written when it broke off
    run(tiny, dataset, VIEWS, settings, root=tmp_path / "at once")
    assert contents(tmp_path / "later") == contents(tmp_path / "at once")


def test_a_finished_run_is_not_run_again(tiny, tmp_path, monkeypatch):
    run(tiny, pictures(5), VIEWS, QUIET, root=tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(engine, "forward", lambda *_: pytest.fail("ran again"))
    report = run(tiny, pictures(5), VIEWS, QUIET, root=tmp_path)
    assert (report.computed, report.reused) == (0, 5)
    assert contents(tmp_path) == before


def test_an_unfinished_run_of_other_weights_is_not_mixed_in(tiny, tmp_path, monkeypatch):
    settings, dataset = dataclasses.replace(QUIET, shard_rows=4, threads=1), pictures(12)
    interrupted(tiny, dataset, settings, tmp_path, 2, monkeypatch)
    other = Network("tiny", seed=1)
    with pytest.raises(BookError, match=r"facts\.head"):
        run(other, dataset, VIEWS, settings, root=tmp_path)
    run(other, dataset, VIEWS, dataclasses.replace(settings, restart=True), root=tmp_path)
    run(other, dataset, VIEWS, settings, root=tmp_path / "alone")
    assert contents(tmp_path / "alone").items() <= contents(tmp_path).items()


def test_rows_do_not_depend_on_how_the_machine_is_used(tiny, tmp_path):
    """Another number of threads gives the same bytes; the key does not know of it."""
    dataset = pictures(11)
    for threads in (1, 3):
        run(tiny, dataset, VIEWS, dataclasses.replace(QUIET, threads=threads), root=tmp_path / str(threads))
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


@pytest.mark.slow
def test_worker_processes_give_the_same_rows(tiny, tmp_path):
    dataset = pictures(10)
    for workers in (0, 2):
        run(tiny, dataset, VIEWS, dataclasses.replace(QUIET, workers=workers), root=tmp_path / str(workers))
    assert contents(tmp_path / "0") == contents(tmp_path / "2")


def test_shards_are_closed_in_time(tiny, tmp_path, monkeypatch):
    """On a slow machine a shard is written before its rows are many."""
    settings = dataclasses.replace(QUIET, shard_seconds=-1.0, threads=1)
    interrupted(tiny, pictures(20), settings, tmp_path, 4, monkeypatch)
    parts = list(tmp_path.rglob("part-*.parquet"))
    assert len(parts) >= 3 * len(VIEWS)


# Parts of a run


def test_parts_of_a_run_merge_to_the_whole(tiny, tmp_path):
    dataset = pictures(19)
    run(tiny, dataset, VIEWS, QUIET, root=tmp_path / "whole")
    for part in (3, 1, 2):
        report = run(tiny, dataset, VIEWS, dataclasses.replace(QUIET, shard=(part, 3)), root=tmp_path / "parts")
        assert not report.complete
        if part != 2:
            with pytest.raises(BookError, match="run its parts again"):
                merge_parts(tmp_path / "parts")
    assert len(merge_parts(tmp_path / "parts")) == 2
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert merge_parts(tmp_path / "parts") == []


def test_the_whole_run_takes_over_what_parts_have_done(tiny, tmp_path):
    dataset = pictures(19)
    run(tiny, dataset, VIEWS, dataclasses.replace(QUIET, shard=(2, 3)), root=tmp_path / "parts")
    report = run(tiny, dataset, VIEWS, QUIET, root=tmp_path / "parts")
    assert (report.computed, report.reused) == (12, 7)
    run(tiny, dataset, VIEWS, QUIET, root=tmp_path / "whole")
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


@pytest.mark.parametrize("shard", [(0, 2), (3, 2)])
def test_a_part_that_does_not_exist_is_refused(shard):
    with pytest.raises(BookError, match="i from 1 to n"):
        resolved(Settings(device="cpu", shard=shard))


def test_batches_are_cut_from_the_whole_dataset():
    """After any interruption an image meets the same others, as long as whole batches were finished."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        n, size, parts = rng.integers(1, 60), rng.integers(1, 9), rng.integers(1, 5)
        everything = chunks(np.ones(n, bool), size)
        done = [batch for batch in everything if rng.random() < 0.5]
        pending = np.ones(n, bool)
        pending[[i for batch in done for i in batch]] = False
        assert chunks(pending, size) == [batch for batch in everything if batch not in done]
        shared = [batch for part in range(parts) for batch in chunks(pending, size, (part + 1, parts))]
        assert sorted(shared) == chunks(pending, size)


# Memory


def limited(monkeypatch, most: int, error: Exception) -> list[int]:
    """Networks that fail for more than `most` images at once; returns the batch sizes that were tried."""
    tried: list[int] = []
    real = models.LoadedModel.features

    def features(self, images):
        tried.append(len(images))
        if len(images) > most:
            raise error
        return real(self, images)

    monkeypatch.setattr(models.LoadedModel, "features", features)
    return tried


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
])  # fmt: skip
def test_out_of_memory_halves_the_batch(tiny, tmp_path, monkeypatch, error):
    settings, dataset = dataclasses.replace(QUIET, batch_size=8, threads=1), pictures(19)
    run(tiny, dataset, ["paper.eval"], dataclasses.replace(settings, batch_size=2), root=tmp_path / "small")
    tried = limited(monkeypatch, 2, error)
    run(tiny, dataset, ["paper.eval"], settings, root=tmp_path / "halved")
    assert tried[:5] == [8, 4, 2, 2, 2]
    assert max(tried[2:]) == 2
    assert contents(tmp_path / "halved") == contents(tmp_path / "small")


def test_not_even_one_image_fits(tiny, tmp_path, monkeypatch):
    limited(monkeypatch, 0, torch.OutOfMemoryError())
    with pytest.raises(BookError, match="memory for one image"):
        run(tiny, pictures(3), ["paper.eval"], QUIET, root=tmp_path)


def test_another_error_is_not_taken_for_memory(tiny, tmp_path, monkeypatch):
    limited(monkeypatch, 0, RuntimeError("expected scalar type Half"))
    with pytest.raises(RuntimeError, match="scalar type Half"):
        run(tiny, pictures(3), ["paper.eval"], QUIET, root=tmp_path)


def test_few_batches_are_in_flight(monkeypatch):
    """Memory does not grow with the number of images: what is decoded ahead is bounded."""
    drawn = []

    def items():
        for i in range(100):
            drawn.append(i)
            yield i

    for threads in (1, 3):
        drawn.clear()
        for done, result in enumerate(engine._in_order(lambda i: 2 * i, items(), threads)):
            assert result == 2 * done
            assert len(drawn) - done <= 2 * threads + 1
        assert done == 99


# Unsound outputs and unreadable images


def broken_network(network: Network, change) -> Network:
    model = passes.at_size(network, 224, QUIET)
    change(model.network)
    return network


def test_nan_weights_stop_the_run_with_layer_image_and_view(tiny, tmp_path):
    def spoil(network):
        network.stages[1].blocks[0].mlp.fc1.weight.data[0, 0] = float("nan")

    with pytest.raises(BookError) as caught:
        run(broken_network(tiny, spoil), pictures(6), ["paper.eval"], QUIET, root=tmp_path)
    text = str(caught.value)
    assert "first in layer stages.1.blocks.0.mlp.fc1" in text
    assert "under paper.eval on toy (image 0 in memory" in text
    assert not store.has_predictions("tiny", "toy", "paper.eval", tmp_path)


def test_constant_logits_stop_the_run(tiny, tmp_path):
    def spoil(network):
        network.head.fc.weight.data.zero_()
        network.head.fc.bias.data.fill_(1.0)

    with pytest.raises(BookError, match="NaN or constants for 4 of 4 images"):
        run(broken_network(tiny, spoil), pictures(4), ["paper.eval"], QUIET, root=tmp_path)


class Unreadable:
    """Images of which some cannot be decoded, as `Members` would give them."""

    def __init__(self, n: int, broken: tuple[int, ...]) -> None:
        from fixtures_layouts import small_image

        self.files = [small_image(i) for i in range(n)]
        for i in broken:
            self.files[i] = self.files[i][:200]
        self.length = np.array([len(each) for each in self.files])

    def __len__(self) -> int:
        return len(self.files)

    def read(self, position: int) -> bytes:
        return self.files[position]

    def where(self, position: int) -> str:
        return f"set.tar::{position}.jpg"


def test_undecodable_images_are_named_and_counted_after_all_others(tiny, tmp_path):
    dataset = dataclasses.replace(pictures(9), images=Unreadable(9, broken=(2, 7)))
    with pytest.raises(BookError, match=r"2 of 9 images of toy: .* set\.tar::2\.jpg.*set\.tar::7\.jpg"):
        run(tiny, dataset, VIEWS, QUIET, root=tmp_path)
    assert not store.has_predictions("tiny", "toy", "paper.eval", tmp_path)
    skipping = dataclasses.replace(QUIET, skip_undecodable=True)
    report = run(tiny, dataset, VIEWS, skipping, root=tmp_path)
    assert (report.computed, report.reused, len(report.unreadable)) == (0, 7, 2)
    assert rows_of("tiny", "toy", "paper.scale-2", tmp_path).image_id.tolist() == [
        f"image-{i:04d}" for i in (0, 1, 3, 4, 5, 6, 8)
    ]
    assert len(run(tiny, dataset, VIEWS, skipping, root=tmp_path).unreadable) == 2
    with pytest.raises(BookError, match="2 of 9 images"):
        run(tiny, dataset, VIEWS, QUIET, root=tmp_path)


def test_a_view_that_an_image_does_not_allow_names_the_image(tiny):
    reader = Reader(pictures(1), (views.make_view("paper.asis", views.SUPERVISED),))
    batch = reader.batch([0])
    assert batch.positions == []
    assert batch.unreadable[0][1].startswith("image 0 in memory: an image that is to be used as it is: 224 x 224")


# Settings and precision


@pytest.mark.parametrize("allowed", [True, False])
def test_the_machine_is_left_as_it_was(allowed):
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [each.allow_tf32 for each in backends]
    try:
        for each in backends:
            each.allow_tf32 = allowed
        torch.set_num_threads(2)
        with machine(resolved(Settings(device="cpu", threads=1))):
            assert [each.allow_tf32 for each in backends] == [False, False]
            assert torch.get_num_threads() == 1
        assert [each.allow_tf32 for each in backends] == [allowed, allowed]
        assert torch.get_num_threads() == 2
    finally:
        for each, flag in zip(backends, before, strict=True):
            each.allow_tf32 = flag


@pytest.mark.parametrize(("settings", "expected"), [
    (Settings(precision="fp8"), "one of fp32, fp16, bf16"), (Settings(device="cuda:0"), "a CUDA device, found none"),
    (Settings(device="cpu", compile=True), "a GPU"),
])  # fmt: skip
def test_settings_that_cannot_be_kept_are_refused(settings, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BookError, match=expected):
        resolved(settings)


def test_emulated_bf16_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    with pytest.raises(BookError, match="emulation only"):
        resolved(Settings(device="cuda", precision="bf16"))


def test_precision_changes_numbers_and_the_key(tiny, tmp_path):
    dataset = pictures(6)
    for precision in ("fp32", "bf16"):
        run(tiny, dataset, ["paper.eval"], dataclasses.replace(QUIET, precision=precision), root=tmp_path / precision)
    frames = [store.read_predictions("tiny", "toy", "paper.eval", tmp_path / p) for p in ("fp32", "bf16")]
    assert store.explain_difference(frames[0][1], frames[1][1]) == "facts.precision: stored 'fp32', asked for 'bf16'"
    assert frames[0][1]["facts"]["weights"] == "random:0"
    difference = (frames[0][0].confidence - frames[1][0].confidence).abs().max()
    assert 0 < difference < 0.01
    with autocast(QUIET):
        assert not torch.is_autocast_enabled("cpu")


def test_compiled_networks_are_run_and_said_so(tiny, tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda f: compiled.append(f) or f)
    monkeypatch.setattr(engine, "resolved", lambda each: each)
    settings = dataclasses.replace(QUIET, compile=True)
    run(tiny, pictures(2), ["paper.eval"], settings, root=tmp_path)
    assert len(compiled) == 1
    assert store.read_predictions("tiny", "toy", "paper.eval", tmp_path)[1]["facts"]["compiled"] is True


def test_networks_are_loaded_once_per_size_that_needs_it(tiny, tiny_vit, tmp_path, monkeypatch):
    loads = []
    real = models.load
    monkeypatch.setattr(models, "load", lambda name, **rest: loads.append(rest["image_size"]) or real(name, **rest))
    for network in (tiny, tiny_vit):
        loads.clear()
        run(network, pictures(2), ["paper.eval", "paper.resolution-112", "paper.scale-2"], QUIET, root=tmp_path)
        assert loads == ([224] if network is tiny else [224, 112])
