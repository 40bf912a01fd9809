"""Rows of sections 7 and 8: hand-worked cases, other libraries' standard errors, what planted observers show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from helpers import stats, words
from helpers.paper.comparisons import drop_in, drop_smaller, pug_factors, pug_gap_shrinks
from helpers.paper.lookup import index_rows
from helpers.results import select
from helpers.rows import KEY
from helpers.stats.rows_synthetic import cells_of

Z = 1.959964


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def one(rows, **equal):
    found = select(rows, **equal)
    assert len(found) == 1, found
    return found.iloc[0]


def spread(row) -> float:
    return (row.ci_high - row.ci_low) / 2 / Z


def pug_frame(seed: int, assets: int = 60, shift: float = 0.0) -> pd.DataFrame:
    """Images of assets whose difficulty is shared; a factor with backgrounds, and one with an angle."""
    draw = rng(seed)
    levels = [("Worlds", world, world) for world in ("sky", "sand", "snow", "town")]
    levels += [("Camera_Yaw", angle, "sky") for angle in ("-45", "90", "180")]
    asset, background = draw.normal(size=assets), {name: draw.normal() for name in ("sky", "sand", "snow", "town")}
    rows = []
    for number in range(assets):
        for factor, level, world in levels:
            latent = asset[number] + 0.6 * background[world] + draw.normal() + shift
            rows.append((f"{factor}/{number}/{level}", factor, level, f"asset {number}", world, latent > 0))
    frame = pd.DataFrame(rows, columns=["image_id", "group", "level", "asset", "background", "hit"])
    return frame.assign(label=[[1]] * len(frame), pred=np.where(frame.hit, 1, 2))


def test_a_case_by_hand():
    frame = pd.DataFrame(
        {
            "image_id": list("abcdefg"), "label": [[1], [1], [], [2], [2], [3], [3]], "pred": [1, 5, 1, 2, 2, 9, 3],
            "group": ["Worlds"] * 3 + ["Camera_Yaw"] * 3 + [None],
            "level": ["sky", "sand", "sand", "90", "-45", "90", None], "asset": list("xyxyxyx"),
        }
    )  # fmt: skip
    rows = stats.synthetic_rows({"vit_sup": frame}, rng(), 50).set_index("group")
    expected = {
        "Worlds": 100 / 3, "Camera_Yaw": 200 / 3, "mean_of_2": 50.0, "overall": 400 / 7, "Worlds:sand": 0.0,
        "Worlds:sky": 100.0, "Camera_Yaw:-45": 100.0, "Camera_Yaw:90": 50.0,
    }  # fmt: skip
    assert rows.value.to_dict() == pytest.approx(expected)
    assert rows.n.to_dict() == {
        "Worlds": 3, "Camera_Yaw": 3, "mean_of_2": 6, "overall": 7, "Worlds:sand": 2, "Worlds:sky": 1,
        "Camera_Yaw:-45": 1, "Camera_Yaw:90": 2,
    }  # fmt: skip
    assert set(rows.resampled) == {"asset"}


def test_levels_are_in_the_order_of_their_numbers():
    about = pd.DataFrame({"group": ["Object_Scale"] * 4, "level": ["1.3", "0.7", "10", "2"]})
    assert [level for _, level in cells_of(about).attrs["names"]] == ["0.7", "1.3", "2", "10"]


def test_assets_are_the_unit_as_in_cluster_robust_errors():
    """The interval is that of statsmodels' cluster-robust error of a mean, and wider than that of single images."""
    frame = pug_frame(1, assets=150)
    rows = stats.synthetic_rows({"vit_sup": frame}, rng(), 4000)
    yaw = frame[frame.group == "Camera_Yaw"]
    codes = pd.factorize(yaw.asset)[0]
    model = sm.OLS(yaw.hit.to_numpy(dtype=float), np.ones(len(yaw)))
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": codes}).bse[0]
    single = model.fit().bse[0]
    mine = spread(one(rows, group="Camera_Yaw", metric="accuracy")) / 100
    assert mine == pytest.approx(clustered, rel=0.06)
    assert mine > 1.15 * single


def test_backgrounds_are_drawn_too_where_there_are_several():
    """Pigeonhole variance: the two one-way variances and that of cells, all from statsmodels' sums of squares."""
    frame = pug_frame(2, assets=80)
    rows = stats.synthetic_rows({"vit_sup": frame}, rng(), 6000)
    worlds = frame[frame.group == "Worlds"]
    grid = worlds.pivot(index="asset", columns="background", values="hit").to_numpy(dtype=float)
    centred, (a, b) = grid - grid.mean(), grid.shape
    variance = (centred.mean(1) ** 2).sum() / a**2 + (centred.mean(0) ** 2).sum() / b**2
    variance += (centred**2).sum() / (a * b) ** 2
    both = one(rows, group="Worlds", resampled="asset x background")
    assert spread(both) / 100 == pytest.approx(np.sqrt(variance), rel=0.12)
    assert spread(both) > 1.2 * spread(one(rows, group="Worlds", resampled="asset"))
    assert not len(select(rows, group="Camera_Yaw", resampled="asset x background"))  # against one background only


def test_pairs_are_drawn_together():
    """Two models with the same answers differ by nothing in every resample: which is no interval for new assets."""
    frame = pug_frame(3)
    rows = stats.synthetic_rows({"vit_sup": frame, "convnext_sup": frame}, rng(), 200)
    pair = select(rows, model="vit_sup - convnext_sup", unit="points")
    assert len(pair)
    assert (pair.value == 0).all()
    assert pair[["ci_low", "ci_high"]].isna().all(axis=None)
    assert spread(one(rows, model="vit_sup", group="overall", metric="accuracy")) > 1


def test_without_asset_names_the_images_of_a_class_are_drawn_together():
    frame = pug_frame(4).drop(columns=["asset", "background", "level"])
    labels = [[number % 5] for number in range(len(frame))]
    rows = stats.synthetic_rows({"vit_sup": frame.assign(label=labels)}, rng(), 50)
    assert set(rows.resampled) == {"class"}
    assert not rows.group.str.contains(":").any()


def test_more_wrong_answers_cannot_raise_a_share():
    frame, draw = pug_frame(5), rng(5)
    worse = frame.assign(pred=np.where(draw.random(len(frame)) < 0.3, 99, frame.pred))
    before, after = (stats.synthetic_rows({"m": each}, rng(), 20).set_index("group").value for each in (frame, worse))
    assert (after <= before + 1e-9).all()
    assert after["overall"] < before["overall"]


def test_claims_about_pug_take_these_rows():
    four = {
        "convnext_sup": 0.9, "vit_sup": 0.0, "convnext_clip": 0.3, "vit_clip": 0.1,
    }  # fmt: skip
    frames = {model: pug_frame(6, assets=150, shift=shift) for model, shift in four.items()}
    index = index_rows(stats.synthetic_rows(frames, rng(), 500))
    gap = pug_gap_shrinks(index, ("convnext_sup", "vit_sup"), ("convnext_clip", "vit_clip"))
    assert gap.decision == "pass"
    assert gap.resampled == "asset"
    yaw = next(c for c in pug_factors(index, "convnext_sup", "vit_sup", 8) if c.name.endswith("cam yaw"))
    assert yaw.decision == "pass"
    (worlds,) = [c for c in pug_factors(index, "convnext_sup", "vit_sup", 8) if c.name.endswith("worlds")]
    assert worlds.resampled == "asset x background"  # the wider of the two intervals


# Invariance


def views_of(seed: int, n: int = 600, models=("convnext_sup", "vit_sup")) -> dict:
    """Two models under six views; what is lost differs between the models and the views."""
    draw = rng(seed)
    difficulty = draw.random(n)
    level = {"paper.eval": 0.9, "paper.scale-1": 0.9, "paper.scale-3": 0.5, "paper.shift-0": 0.9, "paper.shift-30": 0.8}
    level |= {"paper.resolution-112": 0.6, "paper.resolution-224": 0.9}
    found = {}
    for view, accuracy in level.items():
        found[view] = {}
        for step, model in enumerate(models):
            right = difficulty + draw.normal(0, 0.05, n) < accuracy - 0.1 * step * (0.9 - accuracy)
            stated = np.where(right, accuracy, 1 - accuracy)
            ids, pred = [f"{i:04d}" for i in range(n)], np.where(right, 1, 2)
            frame = {"image_id": ids, "label": [[1]] * n, "pred": pred, "p_true": stated}
            found[view][model] = pd.DataFrame(frame)
    return found


def test_invariance_by_hand():
    first = pd.DataFrame({"image_id": list("wxyz"), "label": [[1], [2], [3], [4]], "pred": [1, 2, 8, 9]})
    first = first.assign(p_true=[0.5, 0.75, 0.25, 0.5])
    moved = first.assign(pred=[1, 7, 8, 4], p_true=[0.25, 0.25, 0.5, 1.0])
    far = first.assign(pred=[5, 5, 5, 4])
    views = {"paper.eval": first, "paper.scale-1": first, "paper.scale-2": moved, "paper.scale-3": far}
    views |= {"paper.shift-0": first, "paper.shift-5": far.iloc[::-1]}  # another order of rows
    rows = stats.invariance_rows({view: {"vit_sup": frame} for view, frame in views.items()}, rng(), 20)
    seen = rows.set_index(["view", "metric", "group"]).value
    assert seen["paper.scale-2", "accuracy", "overall"] == 50
    assert seen["paper.scale-2", "probability", "overall"] == 0.5
    assert seen["paper.scale-2", "consistency", "overall"] == 0.5  # w and y: right once, wrong in the same way once
    assert seen["paper.scale-3", "consistency", "overall"] == 0
    assert seen["paper.shift-5", "accuracy", "overall"] == 25
    assert ("paper.eval", "consistency", "overall") not in seen
    assert seen["paper.eval", "largest_drop", "scale"] == 25
    assert seen["paper.eval", "largest_drop", "shift"] == 25
    assert seen["paper.eval", "largest_drop", "scale - shift"] == 0
    assert ("paper.eval", "largest_drop", "resolution") not in seen
    assert set(rows.resampled) == {"source image"}


def test_differences_have_the_error_of_paired_differences():
    views = views_of(1)
    rows = stats.invariance_rows(views, rng(), 4000)
    for metric, of in (("accuracy", lambda f: 100 * (f.pred == 1)), ("probability", lambda f: f.p_true)):
        vit, convnext = (of(views["paper.scale-3"][model]).to_numpy() for model in ("vit_sup", "convnext_sup"))
        paired = sm.stats.DescrStatsW(vit - convnext)
        unit = {"accuracy": "points", "probability": "fraction"}[metric]
        mine = one(rows, model="vit_sup - convnext_sup", view="paper.scale-3", metric=metric, unit=unit)
        assert mine.value == pytest.approx(paired.mean)
        if paired.std_mean > 0:
            assert spread(mine) == pytest.approx(paired.std_mean, rel=0.06)
        else:
            assert np.isnan(mine.ci_low)


def test_accuracy_has_wilsons_interval_and_consistency_one_over_images():
    views = views_of(2)
    rows = stats.invariance_rows(views, rng(), 2000)
    row = one(rows, model="vit_sup", view="paper.scale-3", metric="accuracy")
    k = int((views["paper.scale-3"]["vit_sup"].pred == 1).sum())
    low, high = sm.stats.proportion_confint(k, 600, method="wilson")
    assert (row.ci_low, row.ci_high) == pytest.approx((100 * low, 100 * high))
    same = (views["paper.scale-3"]["vit_sup"].pred == views["paper.eval"]["vit_sup"].pred).to_numpy(dtype=float)
    kept = one(rows, model="vit_sup", view="paper.scale-3", metric="consistency")
    assert spread(kept) == pytest.approx(sm.stats.DescrStatsW(same).std_mean, rel=0.06)


def test_claims_about_drops_use_the_paired_drops():
    views = views_of(3, n=4000)
    rows = stats.invariance_rows(views, rng(), 1000)
    index = index_rows(rows)
    smaller = drop_smaller(index, "convnext_sup", "vit_sup", "scale")
    row = one(rows, model="vit_sup - convnext_sup", metric="largest_drop", group="scale")
    assert smaller.effect == pytest.approx(row.value)
    assert (smaller.ci_low, smaller.ci_high) == pytest.approx((row.ci_low, row.ci_high))
    assert smaller.decision == "pass"
    easier = drop_in(index, "vit_sup", "scale", "shift")
    assert easier.decision == "pass"
    assert easier.resampled == "source image"
    # Without the rows of drops the same comparison rests on bounds and is wider.
    bounded = drop_in(index_rows(rows[rows.metric != "largest_drop"]), "vit_sup", "scale", "shift")
    assert bounded.effect == pytest.approx(easier.effect)
    assert bounded.ci_high - bounded.ci_low > 1.5 * (easier.ci_high - easier.ci_low)


def test_a_model_that_lacks_a_view_lacks_its_sweep_and_keeps_the_others():
    whole, views = stats.invariance_rows(views_of(4), rng(), 60), views_of(4)
    del views["paper.shift-30"]["vit_sup"]
    rows = stats.invariance_rows(views, rng(), 60)
    of_vit = rows[rows.model.str.contains("vit_sup")]
    assert not of_vit["view"].str.contains("shift").any()
    assert not of_vit.group.str.contains("shift").any()
    assert set(rows[rows.model == "convnext_sup"].group) == set(whole.group)
    shifted = whole.group.str.contains("shift") | whole["view"].str.contains("shift")
    kept = whole[whole.model.eq("convnext_sup") | ~shifted]
    both = kept.merge(rows, how="outer", on=list(KEY), suffixes=("", "_here"), indicator=True)
    assert set(both["_merge"]) == {"both"}
    assert both.value.tolist() == pytest.approx(both.value_here.tolist())
    assert len(words.invariance.kept(rows, ["convnext_sup", "vit_sup"])) == 2
    assert "shift: ConvNeXt-sup" in words.invariance.found(rows, ["convnext_sup", "vit_sup"])
    del views["paper.eval"]["vit_sup"]
    assert set(stats.invariance_rows(views, rng(), 20).model) == {"convnext_sup"}


def test_invariance_without_views_or_the_untouched_image_has_no_rows():
    assert stats.invariance_rows({}, rng()).empty
    assert stats.invariance_rows({"paper.scale-2": views_of(4)["paper.scale-3"]}, rng()).empty
