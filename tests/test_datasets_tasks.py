"""VTAB tasks: splits by address, label rules, and the part of `train` that a probe's strength is chosen on."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures_layouts import small_image, write_shards

from helpers import datasets
from helpers.errors import BookError

TASKS = [name for name in datasets.DATASETS if name.startswith("vtab_")]


def shards(folder, split: str, n: int, classes: int):
    return write_shards(folder, split, [(small_image(i, "WEBP"), (i * 7) % classes) for i in range(n)], 3)


def test_an_address_names_entry_and_split():
    assert datasets.address("imagenet1k_val") == ("imagenet1k_val", "validation")
    assert datasets.canonical_id("imagenet1k_val/validation") == "imagenet1k_val"
    assert datasets.dataset_spec("vtab_pets/val") is datasets.DATASETS["vtab_pets"]
    for wrong in ("vtab_pets/dev", "imagenet_a/train", "vtab_cats/train", "vtab_pets/train/x"):
        with pytest.raises(BookError, match="one of"):
            datasets.address(wrong)


def test_an_address_opens_its_split(tmp_path):
    for split, n in (("train", 5), ("test", 2)):
        shards(tmp_path, split, n, 37)
    by_address = datasets.open_dataset("vtab_pets/train", tmp_path, stand_in=True)
    by_split = datasets.open_dataset("vtab_pets", tmp_path, split="train", stand_in=True)
    assert (by_address.dataset_id, by_address.n, by_address.expected) == ("vtab_pets/train", 5, 2944)
    assert by_split.digest == by_address.digest
    test = datasets.open_dataset("vtab_pets/test", tmp_path, stand_in=True)
    assert (test.dataset_id, test.n) == ("vtab_pets", 2)


def test_splits_are_stored_apart_by_the_engine(tmp_path, monkeypatch):
    pytest.importorskip("timm", reason="needs the extra `models`")
    from predict_tools import tiny_paper, tiny_weights

    from helpers import predict, store
    from helpers.predict import Inputs, Settings

    tiny_paper(monkeypatch)
    for split, n in (("train", 5), ("test", 2)):
        shards(tmp_path / "pets", split, n, 37)
    local = {**tiny_weights(tmp_path / "weights", ("vit_sup",)), "vtab_pets": tmp_path / "pets"}
    quiet = Settings(device="cpu", threads=1, batch_size=4, progress=False)
    for address, n in (("vtab_pets/train", 5), ("vtab_pets", 2), ("vtab_pets/test", 2)):
        found = predict.collect(Inputs(address, "paper.eval", ("vit_sup",)), quiet, local=local)
        assert len(found.frames["vit_sup"]) == n
        assert f"{n} of the {datasets.dataset_spec(address).n[datasets.address(address)[1]][0]:,} images" in str(
            found.partial
        )
        again = "store hit" if address.endswith("/test") else "computed (nothing stored)"
        assert found.sources["vit_sup"] == again
    frame, features, key = store.read_embeddings("vit_sup", "vtab_pets/train@local", "paper.eval")
    assert (len(frame), features.shape, features.dtype) == (5, (5, 64), np.float16)
    assert key["dataset"] == "vtab_pets/train@local"


# Label rules


def test_the_bins_are_vtabs_and_the_other_rule_leaves_classes_alone():
    binned = [name for name in TASKS if datasets.rules_differ(name)]
    assert set(binned) < set(datasets.DIFFERENCES) < set(TASKS)
    assert binned == ["vtab_dsprites_label_x_position", "vtab_dsprites_label_orientation"]
    for name in TASKS:
        spec = datasets.DATASETS[name]
        every = np.arange(spec.classes)
        assert (datasets.under_rule(name, every, "clip_benchmark") == every).all()
        assert datasets.n_classes(name) == (16 if name in binned else spec.classes)
    position, angle = (datasets.under_rule(name, np.arange(datasets.DATASETS[name].classes)) for name in binned)
    assert (position == np.floor(np.arange(32) / 2.0)).all()
    assert (angle == np.floor(np.arange(40) / 2.5)).all()
    assert np.bincount(position).tolist() == [2] * 16
    assert np.bincount(angle).tolist() == [3, 2] * 8
    with pytest.raises(BookError, match="one of vtab, clip_benchmark"):
        datasets.under_rule("vtab_dtd", [0], "mine")
    with pytest.raises(BookError, match="0 to 31, found 0 to 32"):
        datasets.under_rule("vtab_dsprites_label_x_position", [0, 32])


# A part of train to choose on


def test_a_validation_part_is_seeded_and_of_the_share_asked_for():
    part = datasets.validation_part(1000, 0.2, seed=3)
    assert len(part) == 200
    assert (np.diff(part) > 0).all()
    assert (part == datasets.validation_part(1000, 0.2, seed=3)).all()
    assert (part != datasets.validation_part(1000, 0.2, seed=4)).any()
    for share in (0.0, 1.0):
        with pytest.raises(BookError, match="two parts"):
            datasets.validation_part(10, share)


def test_a_validation_part_keeps_units_whole():
    units = np.repeat(np.arange(20), np.arange(1, 21))
    part = datasets.validation_part(units, 0.3, seed=0)
    inside = set(units[part])
    assert not inside & set(np.delete(units, part))
    assert 0.3 * len(units) - 0.5 <= len(part) < 0.3 * len(units) + 20
    kitti, pixels, labels = "vtab_kitti_closest_vehicle_distance", np.zeros((6, 4, 4, 3), np.uint8), [[0]] * 6
    known = datasets.in_memory(kitti, pixels, labels, [f"{video}/{i}.png" for i, video in enumerate("uuuvvv")])
    assert datasets.validation_part(known, 0.5).tolist() in ([0, 1, 2], [3, 4, 5])
    unknown = datasets.in_memory(kitti, pixels, labels, [f"s{i:07d}" for i in range(6)])
    assert datasets.units(kitti, ["s0000000"]) is None
    assert len(datasets.validation_part(unknown, 0.5)) == 3
    assert datasets.units("vtab_clevr_count_all", ["s0000000"]).tolist() == ["s0000000"]
