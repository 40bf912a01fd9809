"""Section 5 end to end: archives of the true layouts, a real network, the command line, the record, the store."""

from __future__ import annotations

import numpy as np
import pytest
from predict_tools import fake_validation, official_names, tiny_paper
from robust_archives import corrupted_tars, shifted_archives

pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import cli, labels, metrics, predict, profiles, results, stats, store
from helpers.predict import Collected, Inputs, Settings

MODEL, N = "efficientnet_lite0", 24
QUIET = Settings(device="cpu", threads=1, batch_size=8, progress=False)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    return shifted_archives(tmp_path_factory.mktemp("archives"), N)


@pytest.mark.slow
def test_a_network_goes_through_every_set_and_its_rows_are_recorded(archives):
    local = [f"{name}={path}" for name, path in archives.items()]
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--profile", "report", "--models", MODEL, "--only", "05", "--local", *local])
    assert end.value.code == 0
    record = results.load("05_robustness", "report")
    assert record.status == "partial"
    assert "stand-in was used for imagenet_sketch" in record.reason
    mine = results.select(record.rows, model=MODEL, metric="accuracy")
    n = mine[mine.group.isin(["overall", "mean_of_7"])].set_index("dataset").n
    assert n.to_dict() == {
        "imagenet1k_val": N, "imagenet_v2_mf": 5, "imagenet_a": 4, "imagenet_r": 6, "imagenet_sketch": 4,
        "imagenet_c": 2, "imagenet_hard": 2, "imagenet_real": n["imagenet_real"], "shifted_sets": n["shifted_sets"],
    }  # fmt: skip
    real = labels.real_labels()[official_names(N)]
    assert n["imagenet_real"] == sum(len(each) > 0 for each in real)
    conditions = mine[(mine.dataset == "imagenet_c") & mine.group.str.contains(":")]
    assert len(conditions) == 75
    groups = set(mine.group[mine.dataset == "imagenet1k_val"])
    assert {"classes_of_imagenet_r", "classes_of_imagenet_r_unmasked"} <= groups
    found = {"mce", "severity_slope", "expected_accuracy", "effective_robustness"}
    assert found <= set(record.rows.metric)
    assert set(archives) <= set(record.provenance["artifacts"])


def test_where_nothing_is_published_nothing_is_collected():
    assert profiles.ask("released").collect_all("05_robustness") == {}


@pytest.fixture
def four(monkeypatch, tmp_path):
    """The paper's profile with small networks, validation images and a corrupted set."""
    from predict_tools import tiny_weights

    tiny_paper(monkeypatch)
    keys = ("vit_sup", "convnext_clip")
    local = {"imagenet1k_val": fake_validation(tmp_path / "val.tar", 12), **corrupted_tars(tmp_path, 1)}
    local |= tiny_weights(tmp_path / "weights", keys)
    return profiles.ask("paper", ",".join(keys), local=",".join(f"{k}={v}" for k, v in local.items()), settings=QUIET)


@pytest.mark.slow
def test_corrupted_images_as_they_are_show_up_once_they_are_stored(four):
    assert four.stored("c", "paper.asis").frames == {}
    resized = four.collect("c")
    assert {len(frame) for frame in resized.frames.values()} == {75}
    assert set(resized.frames["vit_sup"].columns) == {"image_id", "label", "pred", "group"}
    four.collect("c", "paper.asis")
    found = four.stored("c", "paper.asis")
    assert set(found.frames) == {"vit_sup"}  # CLIP sees the same pixels under either name
    assert not store.has_predictions("convnext_clip", "imagenet_c@local", "paper.asis")
    rows = stats.corruption_rows(found.frames, np.random.default_rng(0), 10, view="paper.asis")
    assert set(rows["view"]) == {"paper.asis"}


def test_clean_accuracy_on_the_same_classes_masks_the_others(four):
    val = four.collect("val")
    space = labels.label_space("imagenet_r")
    found = predict.same_classes(val, "imagenet_r")
    for model in ("vit_sup", "convnext_clip"):
        frame = val.frames[model]
        kept = frame[[label[0] in space.indices for label in frame.label]]
        assert found["unmasked"][model].pred.tolist() == kept.pred.tolist()
        masked = found["masked"][model]
        assert masked.image_id.tolist() == kept.image_id.tolist()
        assert set(masked.pred) <= set(space.indices)
        same = kept.pred.isin(space.indices).to_numpy()  # the largest of all, where it is among the 200, stays
        assert masked.pred[same].tolist() == kept.pred[same].tolist()
        assert metrics.accuracy(masked) >= metrics.accuracy(found["unmasked"][model])
    assert predict.same_classes(val, "imagenet_sketch") == {}
    assert set(predict.clean_on({"val": val, "r": Collected(Inputs("imagenet_r", "paper.eval", ()))})) == {"r"}
    assert predict.clean_on({}) == {}


def test_without_stored_embeddings_only_the_unmasked_reading_is_given(four):
    val = four.collect("val")
    val.places.clear()
    assert set(predict.same_classes(val, "imagenet_a")) <= {"unmasked"}
