"""The profile `paper` end to end: fake archives in the official layouts, small networks under the paper's keys."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from predict_tools import contents, fake_inputs, fake_validation, official_names, pictures, rows_of, tiny_paper

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import labels, models, paths, profiles, store, views  # noqa: E402
from helpers.errors import BookError  # noqa: E402
from helpers.predict import Network, Settings, collect, run  # noqa: E402

FOUR = models.MODEL_SETS["paper"]
SECTIONS = ["02", "03", "04"]
QUIET = Settings(device="cpu", threads=2, batch_size=4, shard_rows=4, progress=False)
FIRST_RUN = """
import dataclasses, json, os, signal, sys
sys.path.insert(0, sys.argv[1])
import pytest, torch
from predict_tools import tiny_paper
from helpers import profiles
from helpers.predict import Settings
torch.set_num_threads(1)
tiny_paper(pytest.MonkeyPatch())
replace, left = os.replace, int(sys.argv[5])

def step(*paths):  # each step that the store takes ends with one of these
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

os.replace = step
settings = Settings(device="cpu", threads=1, batch_size=4, shard_rows=4, progress=False)
asked = dataclasses.replace(profiles.with_models("paper", sys.argv[3]), sweep=tuple(sys.argv[4].split(",")))
profiles.compute_all(asked, ["08"], settings, local=json.loads(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        tiny_paper(patch)
        return fake_inputs(tmp_path_factory.mktemp("inputs"), n=12)


@pytest.fixture(autouse=True)
def _one_core():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny(monkeypatch):
    tiny_paper(monkeypatch)


def home(monkeypatch, folder: Path) -> Path:
    """Another machine's home; its store."""
    monkeypatch.setenv("BOOK_HOME", str(folder))
    return paths.store_dir()


def test_sections_2_to_4_from_archives_to_predictions(local, tiny):
    done = profiles.compute_all("paper", SECTIONS, QUIET, local=local)
    assert done.missing == {}
    assert [(each.model, each.dataset, each.computed) for each in done.reports] == [
        (model, f"{dataset}@local", n)
        for model in FOUR
        for dataset, n in (("imagenet1k_val", 12), ("cue_conflict", 4), ("imagenet_r", 6))
    ]
    val, r, cue = (collect(profiles.inputs("paper", role), QUIET, local=local) for role in ("val", "r", "cue_conflict"))
    assert {source for found in (val, r, cue) for source in found.sources.values()} == {"store hit"}
    truth = labels.validation_labels()
    space = set(labels.label_space("imagenet_r").indices)
    for model in FOUR:
        assert val.frames[model].image_id.tolist() == official_names(12)
        assert [label for (label,) in val.frames[model].label] == truth[official_names(12)].tolist()
        assert set(r.frames[model].pred) <= space
        assert set(cue.frames[model].decision) <= set(labels.sixteen_categories())
        assert cue.frames[model]["shape"].tolist() == ["airplane", "bear", "cat", "dog"]
    assert store.has_predictions("vit_sup", "cue_conflict@local", "paper.asis")
    assert store.has_predictions("vit_clip", "cue_conflict@local", "paper.eval")
    assert "12 of the 50,000 images of imagenet1k_val" in val.partial
    assert set(val.artifacts) == {"imagenet1k_val", *(models.MODELS[key].weights for key in FOUR)}


def test_base_views_keep_embeddings_from_which_everything_follows(local, tiny):
    """The 16-category decision and masked accuracy without a second run, from the store alone."""
    profiles.compute_all(profiles.with_models("paper", ["convnext_clip"]), ["03", "04"], QUIET, local=local)
    for dataset, view in (("cue_conflict@local", "paper.eval"), ("imagenet_r@local", "paper.eval")):
        rows, key = store.read_predictions("convnext_clip", dataset, view)
        _, embedding, facts = store.read_embeddings("convnext_clip", dataset, view)
        weight, _ = store.read_head("convnext_clip", key["facts"]["head"])
        logits = embedding @ weight.T
        assert facts["facts"]["kind"] == "projected"
        assert np.linalg.norm(embedding, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        if dataset.startswith("cue"):
            decided = labels.category_decision(shifted / shifted.sum(1, keepdims=True), labels.sixteen_categories())
            assert decided.tolist() == rows.decision.tolist()
        else:
            candidates = np.array(labels.label_space("imagenet_r").indices)
            assert candidates[logits[:, candidates].argmax(1)].tolist() == rows.pred.tolist()


def test_gated_sets_are_not_run_and_the_rest_is(local, tiny):
    some = {name: path for name, path in local.items() if name != "imagenet1k_val"}
    before = profiles.missing_inputs("paper", SECTIONS, some).set_index("artifact")
    assert list(before.index) == ["imagenet1k_val"]
    done = profiles.compute_all("paper", SECTIONS, QUIET, local=some)
    assert set(done.missing) == {(model, "imagenet1k_val") for model in FOUR}
    assert len(done.reports) == 8
    found = collect(profiles.inputs("paper", "val"), QUIET, local=some)
    assert found.frames == {}
    assert all("register at https://image-net.org" in reason for reason in found.missing.values())


def test_the_whole_invariance_set_is_one_pass_a_model(local, tiny, monkeypatch):
    decoded = []
    real = views.decode
    monkeypatch.setattr("helpers.datasets.core.decode", lambda *rest: decoded.append(rest[1]) or real(*rest))
    two = profiles.with_models("paper", ["convnext_sup", "vit_clip"])
    done = profiles.compute_all(two, ["02", "04", "08"], QUIET, local={**local, "imagenet_r": local["imagenet_r"]})
    counts = {(each.model, each.dataset): len(each.views) for each in done.reports}
    assert counts[("convnext_sup", "imagenet1k_val@local")] == 14
    assert counts[("vit_clip", "imagenet1k_val@local")] == 15
    assert len(decoded) == 2 * (12 + 6)
    for view in ("paper.resolution-640", "paper.scale-3", "paper.shift-100"):
        assert len(rows_of("vit_clip", "imagenet1k_val@local", view)) == 12


def test_two_cold_runs_are_identical(local, tiny, monkeypatch, tmp_path):
    stores = []
    for name in ("one", "two"):
        folder = home(monkeypatch, tmp_path / name)
        profiles.compute_all("paper", ["03"], QUIET, local=local)
        stores.append(contents(folder))
    assert stores[0] == stores[1]
    assert len(stores[0]) > 20


@pytest.mark.slow
@pytest.mark.parametrize("steps", [11, 19, 23], ids=["among the shards", "while merging", "between two views"])
def test_killed_then_gone_on_with_on_another_machine(local, tiny, monkeypatch, tmp_path, steps):
    """kill -9 in the middle; then only the store is left, as on a mounted drive; the end is that of a run at one go."""
    two, some = ("vit_sup", "convnext_clip"), ("paper.scale-2", "paper.resolution-112")
    asked = dataclasses.replace(profiles.with_models("paper", two), sweep=some)
    given = [json.dumps({name: str(path) for name, path in local.items()}), ",".join(two), ",".join(some), str(steps)]
    environment = os.environ | {"BOOK_HOME": str(tmp_path / "drive"), "BOOK_DATA": str(tmp_path / "disk")}
    command = [sys.executable, "-c", FIRST_RUN, str(Path(__file__).parent), *given]
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    kept = list((tmp_path / "drive").rglob("part-*.parquet"))
    assert kept
    shutil.rmtree(tmp_path / "disk", ignore_errors=True)

    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "other disk"))
    resumed = home(monkeypatch, tmp_path / "drive")
    done = profiles.compute_all(asked, ["08"], QUIET, local=local)
    assert sum(report.computed for report in done.reports if report.model == "vit_sup") < 12
    whole = home(monkeypatch, tmp_path / "at one go")
    profiles.compute_all(asked, ["08"], QUIET, local=local)
    assert contents(resumed) == contents(whole)


def test_a_cut_off_image_is_named_with_its_archive(local, tiny, tmp_path):
    some = local | {"imagenet1k_val": fake_validation(tmp_path / "val.tar", 6, broken=(1, 4))}
    one = profiles.with_models("paper", ["vit_sup"])
    with pytest.raises(BookError, match=rf"2 of 6 images.*val\.tar::{official_names(2)[1]}"):
        profiles.compute_all(one, ["02"], QUIET, local=some)
    skipping = dataclasses.replace(QUIET, skip_undecodable=True)
    profiles.compute_all(one, ["02"], skipping, local=some)
    found = collect(profiles.inputs(one, "val"), QUIET, local=some)
    assert "4 of the 50,000 images of imagenet1k_val" in found.partial
    assert found.frames["vit_sup"].image_id.tolist() == [official_names(6)[i] for i in (0, 2, 3, 5)]


def test_weights_with_nan_are_named_by_model_and_layer(local, tiny, tmp_path):
    weights = models.MODELS["convnext_sup"].weights
    tensors = torch.load(local[weights], weights_only=True)
    tensors["stages.2.blocks.0.mlp.fc2.weight"][3] = float("nan")
    torch.save(tensors, tmp_path / "nan.pth")
    one = profiles.with_models("paper", ["convnext_sup"])
    with pytest.raises(BookError, match=r"logits of convnext_sup .*first in layer stages\.2\.blocks\.0\.mlp\.fc2"):
        profiles.compute_all(one, ["02"], QUIET, local=local | {weights: tmp_path / "nan.pth"})


@pytest.mark.slow
@pytest.mark.parametrize("key", FOUR)
def test_the_real_architectures_run_with_random_weights(key, tmp_path, monkeypatch):
    """The paper's four at full size: a stored row is what the library's own network says of the image."""
    monkeypatch.setattr(labels, "prompt_templates", lambda: ("{}",))
    drawn = np.random.default_rng(0).normal(size=(1000, 512)).astype("float32")
    for room in ("loading", "prompt_heads"):
        head = models.Head(drawn / 25, None, 100.0)
        monkeypatch.setattr(f"helpers.models.{room}.zero_shot_head", lambda *_, head=head: head)
    dataset, network = pictures(2), Network(key, seed=0)
    run(network, dataset, ["paper.eval", "paper.resolution-112"], QUIET, root=tmp_path)
    model, view = network.loaded[224], views.make_view("paper.eval", models.preparation(models.MODELS[key]))
    pixels = torch.stack([torch.from_numpy(view.apply(sample.image)) for sample in dataset])
    images = views.normalise(pixels, view.preprocessing)
    with torch.inference_mode():
        logits = model.network(images) if model.spec.backend == "timm" else model.logits(images)
    rows = rows_of(key, "toy", "paper.eval", tmp_path)
    assert rows.pred.tolist() == logits.argmax(-1).tolist()
    assert rows.confidence.to_numpy() == pytest.approx(logits.softmax(-1).amax(-1).numpy(), abs=1e-5)
    assert len(rows_of(key, "toy", "paper.resolution-112", tmp_path)) == 2
