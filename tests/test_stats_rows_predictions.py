"""Rows made from predictions: mistakes, calibration and accuracy, against plain recomputation and published numbers."""

import numpy as np
import pandas as pd
import pytest
from released_frames import TESTBED, predictions
from statsmodels.stats.proportion import confint_proportions_2indep

from helpers import metrics, stats
from helpers.errors import BookError
from helpers.results import select


def rng():
    return np.random.default_rng(0)


def one(rows, **equal):
    found = select(rows, **equal)
    assert len(found) == 1, found
    return found.iloc[0]


@pytest.fixture(scope="module")
def released(mirror):
    return predictions(mirror)


def test_mistakes_rows(released, mirror):
    pairs = stats.all_pairs(released)
    rows = stats.mistakes_rows(released, rng(), pairs=pairs, testbed=metrics.read_testbed(mirror / TESTBED))
    table = metrics.factor_table(released["dino"], metrics.imagenet_x_factors())
    for metric in ("accuracy", "error_ratio", "accuracy_gap", "log_odds_gap"):
        mine = select(rows, model="dino", metric=metric).set_index("group")
        expected = table[metric].drop(index="mean_of_16" if metric == "accuracy" else "overall")
        assert mine.value[expected.index].to_numpy() == pytest.approx(expected.to_numpy())
        assert mine.n[expected.index].tolist() == table.n[expected.index].tolist()
        assert ((mine.ci_low <= mine.value) & (mine.value <= mine.ci_high)).all()
    assert set(select(rows, model="dino - resnet50").metric) == {
        "accuracy", "accuracy_log_odds", "error_ratio", "accuracy_gap", "log_odds_gap",
    }  # fmt: skip
    assert "interaction" not in set(rows.model)  # four observers, not a factorial
    expected = one(rows, model="dino", metric="expected_error_ratio", group="mean_of_16")
    assert expected.ci_low < one(rows, model="dino", metric="error_ratio", group="mean_of_16").value < expected.ci_high
    assert (expected.n, expected.resampled) == (335, "testbed model")


def test_the_interval_of_an_error_ratio_is_that_of_resampled_images(released):
    factor_of = metrics.imagenet_x_factors()
    rows = stats.mistakes_rows({"vit": released["vit"]}, rng(), n_resamples=3000)
    frame = released["vit"][released["vit"].image_id.isin(factor_of.index)]
    wrong = ~metrics.correct(frame)
    style = (factor_of[frame.image_id] == "style").to_numpy()
    generator, samples = np.random.default_rng(3), []
    for _ in range(800):
        drawn = generator.integers(0, len(frame), len(frame))
        samples.append(wrong[drawn][style[drawn]].mean() / wrong[drawn].mean())
    ours = one(rows, metric="error_ratio", group="style")
    assert (ours.ci_low, ours.ci_high) == pytest.approx(np.percentile(samples, [2.5, 97.5]), abs=0.09)


def test_predictions_without_any_factor_are_refused():
    frame = pd.DataFrame({"image_id": ["x"], "label": [[1]], "pred": [1]})
    with pytest.raises(BookError, match="none"):
        stats.mistakes_rows({"vit": frame}, rng())


def test_calibration_rows(released):
    rows = stats.calibration_rows(released, rng(), n_resamples=400, pairs=[("dino", "vit")])
    confidence, correct = released["vit"].confidence.to_numpy(), metrics.correct(released["vit"])
    ece = one(rows, model="vit", metric="ece")
    assert ece.value == pytest.approx(metrics.ece(confidence, correct))
    assert ece.ci_high < ece.value + 0.004  # the basic interval leans towards smaller values
    assert one(rows, model="vit", metric="adaptive_ece").value == pytest.approx(
        metrics.adaptive_ece(confidence, correct)
    )
    assert one(rows, model="vit", metric="signed_gap").value == pytest.approx(metrics.signed_gap(confidence, correct))
    debiased = one(rows, model="vit", metric="ece_debiased")
    assert debiased.value == pytest.approx(metrics.debiased_ece(confidence, correct))
    floor = one(rows, model="vit", metric="ece_if_calibrated")
    assert floor.ci_low < floor.value < floor.ci_high < ece.value
    assert one(rows, model="vit", metric="confidence_zero").value == 0
    assert one(rows, model="vit", metric="accuracy").value == pytest.approx(78.006)
    bins = select(rows, model="vit", metric="bin_accuracy")
    assert bins.group.tolist() == [f"bin:{i:02d}" for i in range(1, 16)]
    assert bins.n.sum() == 50_000
    pair = one(rows, model="dino - vit", metric="ece")
    assert pair.value == pytest.approx(one(rows, model="dino", metric="ece").value - ece.value)


def test_signed_gap_interval_is_that_of_a_mean(released):
    rows = stats.calibration_rows({"vit": released["vit"]}, rng(), n_resamples=2000)
    gap = released["vit"].confidence.to_numpy() - metrics.correct(released["vit"])
    row = one(rows, metric="signed_gap")
    half = 1.96 * gap.std() / np.sqrt(50_000)
    assert (row.ci_low, row.ci_high) == pytest.approx((gap.mean() - half, gap.mean() + half), abs=0.1 * half)


def test_empty_bins_are_missing_not_zero():
    frame = pd.DataFrame(
        {"image_id": list("abcd"), "label": [[1]] * 4, "pred": [1, 1, 1, 2], "confidence": [0.9, 0.95, 1.0, 0.0]}
    )
    rows = stats.calibration_rows({"vit": frame}, rng(), n_resamples=20)
    first = one(rows, metric="bin_accuracy", group="bin:01")
    assert np.isnan(first.value)
    assert first.n == 0
    assert one(rows, metric="bin_share", group="bin:01").value == 0.0
    assert one(rows, metric="confidence_zero").value == 1.0


def test_recalibration_leaves_noise(released):
    rows = stats.recalibrated_rows({"simclr": released["simclr"]}, rng(), n_resamples=50)
    assert one(rows, metric="ece_after_isotonic").value < 0.006


def test_accuracy_rows(released):
    rows = stats.accuracy_rows(released, rng(), pairs=[("vit", "dino")])
    assert one(rows, model="resnet50").value == pytest.approx(76.13)
    pair = one(rows, model="vit - dino", metric="accuracy")
    right = {key: metrics.correct(released[key]) for key in ("vit", "dino")}
    spread = (right["vit"].astype(float) - right["dino"]).std() / np.sqrt(50_000)
    assert pair.value == pytest.approx(1.252)
    assert pair.ci_high - pair.ci_low == pytest.approx(2 * 196 * spread, rel=0.1)
    p = one(rows, model="vit - dino", metric="mcnemar_p")
    assert p.value == pytest.approx(
        stats.mcnemar((right["vit"] & ~right["dino"]).sum(), (right["dino"] & ~right["vit"]).sum())
    )


def test_accuracy_rows_by_group_and_cluster():
    generator = rng()
    right = np.repeat(generator.random(400) < 0.6, 5)  # five views of each source image fall together
    frame = pd.DataFrame(
        {
            "image_id": [f"{i}" for i in range(2000)], "label": [[1]] * 2000, "pred": np.where(right, 1, 2),
            "group": np.tile(list("vwxyz"), 400),
        }
    )  # fmt: skip
    source = pd.Series(np.repeat(np.arange(400), 5), index=frame.image_id)
    plain = stats.accuracy_rows({"vit_sup": frame}, rng())
    clustered = stats.accuracy_rows({"vit_sup": frame}, rng(), clusters=source, resampled="source image")
    assert sorted(plain.group) == ["overall", "v", "w", "x", "y", "z"]
    wide, narrow = (one(rows, group="overall") for rows in (clustered, plain))
    assert wide.value == narrow.value == pytest.approx(100 * right.mean())
    ratio = (wide.ci_high - wide.ci_low) / (narrow.ci_high - narrow.ci_low)
    assert ratio == pytest.approx(np.sqrt(5), rel=0.1)
    group = one(clustered, group="v")
    assert (group.ci_high - group.ci_low) == pytest.approx(wide.ci_high - wide.ci_low, rel=0.1)
    assert wide.resampled == "source image"


def test_top5_rows():
    frame = pd.DataFrame(
        {"image_id": ["a", "b"], "label": [[1], [2]], "pred": [9, 9], "top5": [[9, 1, 3, 4, 5], [9, 8, 7, 6, 5]]}
    )
    assert (
        one(stats.accuracy_rows({"vit_sup": frame}, rng(), metric="top5_accuracy"), metric="top5_accuracy").value
        == 50.0
    )


def test_a_perfect_model_has_no_log_odds_but_all_else():
    frame = pd.DataFrame({"image_id": ["a", "b"], "label": [[1], [2]], "pred": [1, 2]})
    four = {key: frame.assign(pred=[1, 2 if i else 3]) for i, key in enumerate(stats.TWO_BY_TWO)}
    rows = stats.accuracy_rows(four, rng(), n_resamples=50)
    assert np.isnan(one(rows, model="interaction", metric="accuracy_log_odds").value)
    assert one(rows, model="interaction", metric="accuracy").value == -50.0
    assert select(rows, metric="accuracy_scale_dependent").empty


# Few images on which two models differ


def answers(both: int, only_1: int, only_2: int, neither: int) -> dict[str, pd.DataFrame]:
    """Two models that are right on the same images so often, and on others alone."""
    first, second = ([*a, *b, *c, *d] for a, b, c, d in (
        ([1] * both, [1] * only_1, [0] * only_2, [0] * neither), ([1] * both, [0] * only_1, [1] * only_2, [0] * neither)
    ))  # fmt: skip
    ids = [f"i{k:04d}" for k in range(len(first))]
    return {
        model: pd.DataFrame({"image_id": ids, "label": [[1]] * len(ids), "pred": pred})
        for model, pred in (("vit_sup", first), ("convnext_sup", second))
    }


@pytest.mark.parametrize("cells", [(200, 0, 0, 0), (199, 1, 0, 0), (150, 6, 0, 44), (150, 4, 5, 41)])
def test_few_images_that_differ_have_newcombes_interval(cells):
    """Wherever accuracies of two models are set against each other; log-odds have none then."""
    frames = answers(*cells)
    expected = [100 * end for end in stats.newcombe_paired_interval(*cells)]
    factor = pd.Series(np.where(np.arange(sum(cells)) % 2, "pose", "style"), index=frames["vit_sup"].image_id)
    for rows in (
        stats.accuracy_rows(frames, rng(), 500),
        stats.transfer_rows({"vtab_dtd": frames}, rng(), 500),
        stats.mistakes_rows(frames, rng(), 500, factor_of=factor),
    ):
        pair = select(rows, model="vit_sup - convnext_sup", metric="accuracy", group="overall").iloc[0]
        assert [pair.ci_low, pair.ci_high] == pytest.approx(expected)
        odds = select(rows, model="vit_sup - convnext_sup", metric="accuracy_log_odds")
        assert len(odds)
        assert odds[odds.group == "overall"].ci_low.isna().all()


def test_images_that_differ_are_counted_group_by_group():
    frames = answers(150, 12, 9, 29)
    frames = {model: frame.assign(group=["a"] * 155 + ["b"] * 45) for model, frame in frames.items()}
    rows = select(stats.accuracy_rows(frames, rng(), 2000), model="vit_sup - convnext_sup", metric="accuracy")
    few = rows.set_index("group").loc["a"]
    assert [few.ci_low, few.ci_high] == pytest.approx([100 * x for x in stats.newcombe_paired_interval(150, 5, 0, 0)])
    many = rows.set_index("group").loc["overall"]
    spread = 100 * np.sqrt(21 - 9 / 200) / 200
    assert (many.ci_high - many.ci_low) / 3.92 == pytest.approx(spread, rel=0.08)


def test_newcombes_paired_interval_of_a_published_table_and_of_statsmodels():
    """Examples of Newcombe 1998 (method 10); with nothing shared it is that of independent shares."""
    for cells, expected in (((36, 12, 2, 0), (0.0569, 0.3404)), ((20, 12, 2, 16), (0.0562, 0.3292))):
        assert stats.newcombe_paired_interval(*cells) == pytest.approx(expected, abs=6e-5), cells
    apart = stats.newcombe_paired_interval(25, 25, 25, 25)
    theirs = confint_proportions_2indep(50, 100, 50, 100, method="newcomb", compare="diff")
    assert apart == pytest.approx(theirs, abs=1e-6)


def test_clusters_that_do_not_vary_have_no_interval():
    frames = answers(40, 0, 0, 0)
    clusters = pd.Series([f"c{k % 8}" for k in range(40)], index=frames["vit_sup"].image_id)
    rows = stats.accuracy_rows(frames, rng(), 200, clusters=clusters, resampled="video")
    assert rows.value[rows.unit != "log_odds"].notna().all()
    assert rows.ci_low.isna().all()


def test_few_clusters_widen_the_interval_and_leave_a_percentage_below_100():
    right = np.repeat(rng().random((2, 14)) < [[0.7], [0.95]], 10, axis=1) | (rng().random((2, 140)) < 0.5)
    ids = [f"i{k:04d}" for k in range(140)]
    frames = {
        model: pd.DataFrame({"image_id": ids, "label": [[1]] * 140, "pred": part.astype(int)})
        for model, part in zip(("vit_sup", "convnext_sup"), right, strict=True)
    }
    video = pd.Series(np.repeat(np.arange(14), 10), index=ids)
    rows = stats.accuracy_rows(frames, rng(), 2000, clusters=video, resampled="video")
    drawn = stats.cluster_weights(video.to_numpy(), 2000, rng()) @ right.T / 140
    factor = stats.few_units_factor(14)
    for model, value, samples in (("vit_sup", right[0].mean(), drawn[:, 0]),
                                  ("vit_sup - convnext_sup", np.subtract(*right.mean(axis=1)),
                                   drawn[:, 0] - drawn[:, 1])):  # fmt: skip
        row = one(rows, model=model, metric="accuracy")
        low, high = np.percentile(samples, [2.5, 97.5])
        expected = [100 * (value + factor * (end - value)) for end in (low, high)]
        assert [row.ci_low, row.ci_high] == pytest.approx(expected, abs=1e-3)
    assert rows.ci_high[rows.unit == "percent"].max() <= 100
