"""Accuracy, ImageNet-X factors and the testbed: against imagenet-x, statsmodels and published numbers."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from released_frames import PREDICTIONS, TESTBED, predictions
from scipy.special import expit, logit

from helpers import metrics
from helpers.errors import BookError
from helpers.labels import real_labels
from helpers.metrics import testbed as testbed_room
from helpers.metrics.factors import FACTORS

TOP1 = {"dino": 76.754, "resnet50": 76.130, "simclr": 68.142, "vit": 78.006}
REAL = {"dino": 82.800, "resnet50": 82.958, "simclr": 75.652, "vit": 83.987}


@pytest.fixture(scope="module")
def released(mirror):
    return predictions(mirror)


@pytest.fixture(scope="module")
def factors():
    return metrics.imagenet_x_factors()


@pytest.fixture(scope="module")
def testbed(mirror):
    return metrics.read_testbed(mirror / TESTBED)


def test_multi_label_accuracy_by_hand():
    table = pd.DataFrame({"label": [[1], [2, 3], [4, 5, 6], [7]], "pred": [1, 3, 9, 7], "group": list("aabb")})
    assert metrics.correct(table).tolist() == [True, True, False, True]
    assert metrics.accuracy(table) == 75.0
    assert metrics.accuracy_by_group(table).loc["b"].tolist() == [50.0, 2]
    assert np.isnan(metrics.accuracy(table.iloc[:0]))


def test_label_arrays_as_parquet_returns_them_are_accepted():
    labels = pd.Series([np.array([1, 2]), np.array([3])])
    assert metrics.is_correct(np.array([2, 4]), labels).tolist() == [True, False]


def test_images_without_label_are_refused():
    with pytest.raises(BookError, match="1 without"):
        metrics.is_correct([1, 2], [[1], []])


def test_consistency_of_two_views_joins_by_image():
    first = pd.DataFrame({"image_id": list("abc"), "pred": [1, 2, 3]})
    second = pd.DataFrame({"image_id": list("cba"), "pred": [3, 9, 1]})
    assert metrics.consistency(first, second) == pytest.approx(2 / 3)


def test_true_class_probability_leaves_missing_out():
    assert metrics.mean_true_probability(pd.DataFrame({"p_true": [0.2, None, 0.4]})) == pytest.approx(0.3)


@pytest.mark.parametrize("model", TOP1)
def test_published_top1_and_real(released, model):
    assert metrics.accuracy(released[model]) == pytest.approx(TOP1[model], abs=5e-4)
    relabelled = metrics.with_labels(released[model], real_labels())
    assert len(relabelled) == 46_837
    assert metrics.accuracy(relabelled) == pytest.approx(REAL[model], abs=5e-4)


def test_factors_are_those_of_imagenet_x(factors):
    assert factors.value_counts().reindex(list(FACTORS)).to_dict() == FACTORS
    assert sum(FACTORS.values()) == len(factors) - 2


def test_agreement_with_imagenet_x(mirror, released, factors):
    from imagenet_x import get_factor_accuracies

    theirs = get_factor_accuracies(str(mirror / PREDICTIONS))
    for model, name in {"resnet50": "ResNet50", "vit": "ViT", "simclr": "SimCLR", "dino": "DINO"}.items():
        ours = metrics.factor_table(released[model], factors)
        expected = theirs.loc[name]
        assert ours.accuracy[list(FACTORS)].to_numpy() == pytest.approx(100 * expected[list(FACTORS)].to_numpy(float))
        assert ours.accuracy["overall"] == pytest.approx(100 * expected["average"])
        ratio = (1 - expected[list(FACTORS)].astype(float)) / (1 - expected["average"])
        assert ours.error_ratio[list(FACTORS)].to_numpy() == pytest.approx(ratio.to_numpy())
        assert ours.error_ratio["mean_of_16"] == pytest.approx(ratio.mean())


def test_factor_table_by_hand():
    table = pd.DataFrame({"image_id": list("abcdef"), "label": [[1]] * 6, "pred": [1, 2, 1, 1, 1, 9]})
    factor_of = pd.Series({"a": "pose", "b": "pose", "c": "style", "d": "style", "e": "none"})
    found = metrics.factor_table(table, factor_of)  # f has no factor; e counts towards overall only
    assert found.n.tolist() == [2, 2, 5, 5]
    assert found.error_ratio.tolist() == pytest.approx([0.5 / 0.2, 0.0, 1.0, 1.25])
    assert found.accuracy_gap.tolist() == pytest.approx([30.0, -20.0, 0.0, 5.0])
    assert found.log_odds_gap["pose"] == pytest.approx(np.log(4.5 / 1.5) - 0.0)
    assert np.isfinite(found.log_odds_gap).all()


def test_error_ratio_ceiling_and_no_error():
    assert metrics.error_ratio(0.0, 0.846) == pytest.approx(1 / 0.154)
    assert np.isnan(metrics.error_ratio(1.0, 1.0))


def test_testbed_facts(testbed):
    ratios = metrics.error_ratio(testbed[list(FACTORS)].to_numpy(), testbed[["average"]].to_numpy()).mean(axis=1)
    assert len(testbed) == 335
    assert np.corrcoef(ratios, 1 - testbed.average)[0, 1] == pytest.approx(-0.98, abs=0.005)


def test_expected_ratio_agrees_with_statsmodels(testbed):
    kept = testbed[testbed.average > 0.4]
    x = logit(kept.average.to_numpy())
    design = np.vander(x, 3)
    n = FACTORS["texture"]
    fit = sm.OLS(logit((kept.texture * n + 0.5) / (n + 1)).to_numpy(), design).fit()
    predicted = expit(fit.predict(np.vander([logit(0.7)], 3)))[0]
    ours = metrics.expected_error_ratio(0.7, testbed)
    assert ours.expected["texture"] == pytest.approx((1 - predicted) / 0.3, rel=1e-9)
    left_out = metrics.leave_one_out(testbed).residual["texture"]
    assert left_out == pytest.approx(np.sqrt(np.mean(fit.get_influence().resid_press ** 2)), rel=1e-9)


def test_expected_ratio_at_the_accuracy_of_clip_and_its_order(testbed):
    table = metrics.expected_error_ratio(0.65, testbed)
    assert table.expected["mean_of_16"] == pytest.approx(1.35, abs=0.02)
    assert (table.low < table.expected).all()
    assert (table.expected < table.high).all()
    assert table.index[-1] == "mean_of_16"
    assert metrics.expected_error_ratio(0.80, testbed).expected["mean_of_16"] > table.expected["mean_of_16"]


def test_left_out_models_are_covered(testbed):
    table = metrics.leave_one_out(testbed)
    assert table.coverage["mean_of_16"] == pytest.approx(0.95, abs=0.02)
    assert table.coverage.between(0.91, 0.98).all()
    assert table.residual["mean_of_16"] < 0.03  # log ratio: about 3 %


def test_no_extrapolation(testbed):
    assert metrics.expected_error_ratio(0.95, testbed).isna().all(axis=None)
    assert metrics.expected_error_ratio(0.30, testbed).isna().all(axis=None)


def test_a_straight_line_would_do_worse(testbed, monkeypatch):
    quadratic = metrics.leave_one_out(testbed).residual["mean_of_16"]
    monkeypatch.setattr(testbed_room, "DEGREE", 1)
    assert metrics.leave_one_out(testbed).residual["mean_of_16"] > 1.1 * quadratic


@pytest.mark.parametrize(
    ("change", "message"),
    [(lambda t: t.drop(columns="style"), "style"), (lambda t: t.assign(pose=50.0), "between 0 and 1")],
)
def test_a_wrong_testbed_is_refused(testbed, tmp_path, change, message):
    change(testbed).to_csv(tmp_path / "table.csv", index_label="model")
    with pytest.raises(BookError, match=message):
        metrics.read_testbed(tmp_path / "table.csv")
