"""Predictions for a section: what is a hit, what a miss says, what is missing, and what one run makes for all."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pandas as pd
import pytest
from predict_tools import contents, fake_inputs, fake_validation, official_names, tiny_paper

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")

from fixtures_layouts import write_folder  # noqa: E402

from helpers import datasets, fetch, labels, models, paths, predict, store  # noqa: E402
from helpers.errors import BookError, InputsUnavailable  # noqa: E402
from helpers.predict import Inputs, Job, Settings, compute, sources  # noqa: E402
from helpers.predict.collect import partial_notes  # noqa: E402

QUIET = Settings(device="cpu", threads=2, batch_size=4, progress=False)
SUP = ("convnext_sup", "vit_sup")
VAL = Inputs("imagenet1k_val", "paper.eval", SUP)


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        tiny_paper(patch)
        return fake_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    tiny_paper(monkeypatch)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def computed(local):
    """Validation predictions of two models in the store of this test."""
    return predict.collect(VAL, QUIET, local=local)


def test_the_first_time_computes_and_the_second_reads(local, computed, monkeypatch):
    assert computed.sources == dict.fromkeys(SUP, "computed (nothing stored)")
    assert [len(frame) for frame in computed.frames.values()] == [8, 8]
    monkeypatch.setattr(compute, "run", lambda *_, **__: pytest.fail("ran again"))
    again = predict.collect(VAL, QUIET, local=local)
    assert again.sources == dict.fromkeys(SUP, "store hit")
    for model in SUP:
        assert again.frames[model].equals(computed.frames[model])
    assert again.table()["source"].tolist() == ["store hit"] * 2


def test_a_hit_imports_no_network_library(local, computed):
    """What a notebook reads again costs no seconds of imports; here in a new process, without the small networks."""
    code = (
        "import sys, dataclasses; from helpers import models, predict; from helpers.predict import Inputs, Settings\n"
        f"models.MODELS['convnext_sup'] = dataclasses.replace(models.MODELS['convnext_sup'], "
        f"architecture='test_convnext', checkpoint='test_convnext.r160_in1k')\n"
        f"local = {{k: str(v) for k, v in { ({k: str(v) for k, v in local.items()})!r}.items()}}\n"
        "found = predict.collect(Inputs('imagenet1k_val', 'paper.eval', ('convnext_sup',)), local=local)\n"
        "print(found.sources, [name for name in ('torch', 'timm', 'open_clip') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "{'convnext_sup': 'store hit'} []", done.stderr


def test_rows_carry_what_made_them(local, computed):
    facts = store.read_predictions("vit_sup", "imagenet1k_val@local", "paper.eval")[1]["facts"]
    weights = models.MODELS["vit_sup"].weights
    assert facts["weights"] == fetch.sha256_of(local[weights]) == computed.artifacts[weights]
    assert facts["artifacts"] == {"imagenet1k_val": fetch.sha256_of(local["imagenet1k_val"])}
    assert facts["stand_ins"] == ["imagenet1k_val", weights]
    assert facts["checkpoint"] == "timm:test_vit/test_vit.r160_in1k"
    assert computed.partial == [
        "a stand-in was used for imagenet1k_val",
        "a stand-in was used for convnext_base_sup_in22k_ft_in1k",
        "8 of the 50,000 images of imagenet1k_val",
        "a stand-in was used for deit3_base_sup_in22k_ft_in1k",
    ]


@pytest.mark.parametrize(("precision", "images", "field"), [
    ("bf16", 8, "facts.precision: stored 'fp32', asked for 'bf16'"), ("fp32", 5, "facts.artifacts.imagenet1k_val"),
])  # fmt: skip
def test_a_miss_names_the_field_that_differs(local, computed, tmp_path, precision, images, field):
    other = {"imagenet1k_val": fake_validation(tmp_path / "val.tar", images)}
    inputs = dataclasses.replace(VAL, models=("convnext_sup",))
    found = predict.collect(inputs, dataclasses.replace(QUIET, precision=precision), local=local | other)
    assert found.sources["convnext_sup"].startswith(f"computed ({field}")


def test_other_weights_are_a_miss(local, computed, tmp_path):
    path = tmp_path / "other.pth"
    tensors = torch.load(local[models.MODELS["convnext_sup"].weights], weights_only=True)
    torch.save({name: tensor + 0.01 for name, tensor in tensors.items()}, path)
    found = predict.collect(
        dataclasses.replace(VAL, models=("convnext_sup",)), QUIET,
        local=local | {models.MODELS["convnext_sup"].weights: path},
    )  # fmt: skip
    assert found.sources["convnext_sup"].startswith("computed (facts.weights: stored")
    assert not found.frames["convnext_sup"].equals(computed.frames["convnext_sup"])


def test_what_is_not_here_is_not_compared(local, computed, tmp_path):
    """The store alone, on another machine: no weights, no images, the same rows."""
    job = Job("vit_sup", "imagenet1k_val", ("paper.eval",), QUIET)
    frame, document = store.read_predictions("vit_sup", "imagenet1k_val@local", "paper.eval")
    key = store.PredictionKey("vit_sup", "imagenet1k_val", "paper.eval", document["facts"])
    store.write_predictions(frame, key)
    found, _ = compute.stored(job, "paper.eval")
    assert found.equals(frame)
    assert compute.miss(job, "paper.eval") is None
    assert compute.miss(dataclasses.replace(job, max_images=5), "paper.eval") == "nothing stored"


def test_a_part_has_a_name_of_its_own(local, computed, tmp_path):
    before = contents(paths.store_dir())
    found = predict.collect(VAL, QUIET, max_images=3, local=local)
    assert {len(frame) for frame in found.frames.values()} == {3}
    assert "3 of the 50,000 images of imagenet1k_val" in found.partial
    facts = store.read_predictions("vit_sup", "imagenet1k_val@local@3", "paper.eval")[1]["facts"]
    assert facts["subset"] == {"images": 3, "seed": 0, "rule": "stratified"}
    after = contents(paths.store_dir())
    assert {name: after[name] for name in before} == before
    whole = computed.frames["vit_sup"].set_index("image_id")
    assert whole.loc[found.frames["vit_sup"].image_id, "pred"].tolist() == found.frames["vit_sup"].pred.tolist()


def test_absent_data_is_missing_and_says_how_to_get_it(local):
    weights = {name: path for name, path in local.items() if name not in sources.image_artifacts("imagenet1k_val")}
    found = predict.collect(VAL, QUIET, local=weights)
    assert list(found.missing) == list(SUP)
    assert "register at https://image-net.org" in found.missing["vit_sup"]
    assert found.table()["source"].str.startswith("not run: imagenet1k_val").all()


def test_absent_weights_of_one_model_leave_the_other(local):
    some = {name: path for name, path in local.items() if name != models.MODELS["vit_sup"].weights}
    found = predict.collect(VAL, QUIET, local=some)
    assert list(found.frames) == ["convnext_sup"]
    assert "deit3_base_sup_in22k_ft_in1k" in found.missing["vit_sup"]


def test_without_torch_it_is_missing_not_a_crash(local, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    found = predict.collect(VAL, QUIET, local=local)
    assert "pip install 'beyond-imagenet-book[models]'" in found.missing["convnext_sup"]


def test_a_stale_entry_that_cannot_be_made_again_says_so(local, computed, monkeypatch):
    def refuse(*_):
        raise InputsUnavailable("weights of vit_sup", "a download", "connect")

    monkeypatch.setattr(compute, "network_of", refuse)
    inputs = dataclasses.replace(VAL, models=("vit_sup",), precision="bf16")
    found = predict.collect(inputs, QUIET, local=local)
    assert "vit_sup on imagenet1k_val (facts.precision: stored 'fp32'" in found.missing["vit_sup"]


# Labels over the validation images


def test_real_and_imagenet_x_read_the_validation_run(local, computed, monkeypatch):
    monkeypatch.setattr(compute, "run", lambda *_, **__: pytest.fail("ran again"))
    for dataset in ("imagenet_real", "imagenet_x"):
        found = predict.collect(dataclasses.replace(VAL, dataset=dataset), QUIET, local=local)
        expected = datasets.OVERLAYS[dataset](computed.frames["vit_sup"])
        assert found.frames["vit_sup"].equals(expected)
        assert set(found.artifacts) > {"imagenet1k_val"}


def test_other_file_names_are_refused_with_the_reason(local, tmp_path):
    from fixtures_layouts import small_image

    folder = write_folder(tmp_path / "val", {f"{labels.wnids()[i]}/cat_{i}.JPEG": small_image(i) for i in range(3)})
    given = local | {"imagenet1k_val": folder}
    assert len(predict.collect(VAL, QUIET, local=given).frames) == 2
    found = predict.collect(dataclasses.replace(VAL, dataset="imagenet_x"), QUIET, local=given)
    assert "image ids like ILSVRC2012_val_XXXXXXXX.JPEG" in found.missing["vit_sup"]


# Everything in one run


def jobs(*asked: tuple[str, str, str], local=None) -> list[Job]:
    return [Job(model, dataset, (view,), QUIET, None, local) for model, dataset, view in asked]


def test_jobs_of_one_model_and_dataset_share_a_pass():
    asked = [("vit_sup", "imagenet1k_val", view) for view in ("paper.eval", "paper.scale-2", "paper.scale-1")]
    asked += [("vit_clip", "imagenet1k_val", view) for view in ("paper.eval", "paper.scale-1")]
    found = compute.merged(jobs(*asked, asked[0]))
    assert [(job.model, job.views) for job in found] == [
        ("vit_sup", ("paper.eval", "paper.scale-2")), ("vit_clip", ("paper.eval", "paper.scale-1")),
    ]  # fmt: skip


def test_one_run_makes_the_union_and_the_second_finds_it(local):
    asked = jobs(
        ("convnext_sup", "imagenet1k_val", "paper.eval"), ("convnext_sup", "imagenet_r", "paper.eval"),
        ("vit_clip", "imagenet1k_val", "paper.eval"), ("convnext_sup", "imagenet1k_val", "paper.scale-2"), local=local,
    )  # fmt: skip
    done = predict.compute_all(asked)
    assert [(report.model, report.dataset, report.views) for report in done.reports] == [
        ("convnext_sup", "imagenet1k_val@local", ("paper.eval", "paper.scale-2")),
        ("convnext_sup", "imagenet_r@local", ("paper.eval",)),
        ("vit_clip", "imagenet1k_val@local", ("paper.eval",)),
    ]
    again = predict.compute_all(asked)
    assert (again.reports, len(again.hits), again.missing) == ((), 3, {})


def test_shards_that_a_kill_left_behind_are_removed(local, monkeypatch):
    """Between merging and tidying up a run can be killed: the next one finds a hit, and tidies up."""
    asked = jobs(("vit_sup", "imagenet1k_val", "paper.eval"), local=local)
    with monkeypatch.context() as patch:
        patch.setattr(store.ShardWriter, "_remove_parts", lambda self: None)
        predict.compute_all(asked)
    assert list(paths.store_dir().rglob("*.parts"))
    assert predict.compute_all(asked).hits == ("vit_sup on imagenet1k_val@local",)
    assert not list(paths.store_dir().rglob("*.parts"))


def test_what_is_missing_or_fails_stops_nothing_else(local, tmp_path):
    some = {name: path for name, path in local.items() if name != "imagenet_r"}
    some["imagenet1k_val"] = fake_validation(tmp_path / "val.tar", 6, broken=(2,))
    asked = jobs(
        ("convnext_sup", "imagenet1k_val", "paper.eval"), ("convnext_sup", "imagenet_r", "paper.eval"),
        ("vit_sup", "cue_conflict", "paper.asis"), local=some,
    )  # fmt: skip
    with pytest.raises(BookError, match=rf"1 of 6 images of imagenet1k_val.*{official_names(3)[2]}"):
        predict.compute_all(asked)
    assert store.has_predictions("vit_sup", "cue_conflict@local", "paper.asis")
    skipping = dataclasses.replace(QUIET, skip_undecodable=True)
    done = predict.compute_all([dataclasses.replace(job, settings=skipping) for job in asked])
    assert list(done.missing) == [("convnext_sup", "imagenet_r")]
    (report,) = done.reports
    assert report.unreadable[0].startswith(f"{tmp_path}/val.tar::{official_names(3)[2]}: an image that can be decoded")


@pytest.mark.parametrize(("facts", "dataset", "count"), [
    ({}, "imagenet_a", "2"),
    ({"subset": {"images": 7_499}}, "imagenet_a", "1"),
    ({"subset": {"images": 7_498}}, "imagenet_a", None),
    ({"stand_ins": ["imagenet_a"]}, "imagenet_a", None),
    ({"subset": {"images": 8_000}}, "imagenet_c", None),
])  # fmt: skip
def test_skipped_images_are_told_where_their_number_is_known(facts, dataset, count):
    frame = pd.DataFrame({"image_id": range(7_498)})  # of 7,500 in ImageNet-A
    found = partial_notes(Job("vit_sup", dataset, ("paper.eval",), QUIET), facts, frame)
    told = f"images of {dataset} that could not be decoded and were skipped: {count}"
    assert [each for each in found if "skipped" in each] == ([told] if count else [])
