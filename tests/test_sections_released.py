"""Sections 2, 3 and 4 on the released files: rows against values that others published or that can be counted."""

import numpy as np
import pandas as pd
import pytest

from helpers import paper, predict, profiles, stats
from helpers.metrics.factors import FACTORS
from helpers.models import MODEL_SETS
from helpers.paper import expected
from helpers.predict import published
from helpers.rows import rows_frame, select
from helpers.words import mistakes as words

OBSERVERS, FOUR = MODEL_SETS["released_imagenet_x"], MODEL_SETS["paper"]
TOP1 = {"dino": 76.754, "resnet50": 76.130, "simclr": 68.142, "vit": 78.006}
REAL = {"dino": 82.800, "resnet50": 82.958, "simclr": 75.652, "vit": 83.987}
SHAPE_BIAS = {
    "convnext_sup": 0.3330, "vit_sup": 0.3986, "convnext_clip": 0.4241, "vit_clip": 0.4647, "convnext_in1k": 0.3035,
    "vit_in1k": 0.4138, "convnextv2": 0.4340, "mae": 0.3554, "resnet50_tv": 0.2149,
}  # fmt: skip
RESAMPLES = 40


@pytest.fixture(scope="module", autouse=True)
def _home(mirror, tmp_path_factory):
    """One home for the whole file, so that the second reading of a file is a hit in the store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_HOME", str(tmp_path_factory.mktemp("sections")))
        yield


@pytest.fixture(autouse=True)
def _own_home():
    """Instead of a home per test: these tests share what `_home` imports."""


@pytest.fixture(scope="module")
def validation(_home):
    return predict.collect(profiles.inputs("released", "val"))


@pytest.fixture(scope="module")
def testbed(_home):
    return published.testbed()


@pytest.fixture(scope="module")
def section_2(validation, testbed):
    rng, frames = np.random.default_rng(0), validation.frames
    pairs = stats.all_pairs(frames)
    tables = [stats.mistakes_rows(frames, rng, RESAMPLES, pairs=pairs, testbed=testbed[0])]
    tables += [stats.accuracy_rows(frames, rng, RESAMPLES)]
    tables += [stats.accuracy_rows(published.under_real(frames), rng, RESAMPLES, dataset="imagenet_real")]
    return rows_frame(pd.concat([*tables, expected.expected_rows(testbed[0])]))


@pytest.fixture(scope="module")
def section_4(validation):
    return stats.calibration_rows(validation.frames, np.random.default_rng(0), RESAMPLES)


def test_all_four_files_are_imported_and_then_found_in_the_store(validation):
    assert not validation.missing
    assert set(validation.frames) == set(OBSERVERS)
    assert {len(frame) for frame in validation.frames.values()} == {50_000}
    assert len(validation.artifacts) == 4
    again = predict.collect(profiles.inputs("released", "val"))
    assert set(again.sources.values()) == {"published file, store hit"}
    for model, frame in again.frames.items():
        pd.testing.assert_frame_equal(frame, validation.frames[model], check_dtype=False)


# --- section 2 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", OBSERVERS)
def test_top_1_and_real_are_the_published_values_to_the_image(section_2, model):
    for dataset, known, n in (("imagenet1k_val", TOP1, 50_000), ("imagenet_real", REAL, 46_837)):
        row = select(section_2, model=model, dataset=dataset, metric="accuracy", group="overall").iloc[0]
        assert row.n == n
        assert row.value == pytest.approx(known[model], abs=0.0006)
        assert row.ci_low < row.value < row.ci_high


def test_error_ratios_are_those_of_the_imagenetx_authors(section_2):
    found = words.published_ratios(section_2)
    assert len(found) == 64
    assert set(found.model) == set(OBSERVERS)
    np.testing.assert_allclose(found.ours, found.published, atol=1e-6)


def test_every_factor_has_its_n_and_an_interval(section_2):
    ratios = select(section_2, metric="error_ratio", model=list(OBSERVERS), dataset="imagenet_x")
    n = ratios[ratios.model == "vit"].set_index("group").n
    assert {factor: int(n[factor]) for factor in FACTORS} == FACTORS
    assert ratios[["ci_low", "ci_high"]].notna().all(axis=None)


def test_four_observers_are_compared_in_pairs_and_never_as_a_factorial(section_2):
    assert not {"architecture", "paradigm", "interaction"} & set(section_2.model)
    assert len({model for model in section_2.model if " - " in model}) == 6


def test_what_accuracy_leads_one_to_expect_of_the_papers_models(section_2, testbed):
    assert len(testbed[0]) == 335
    kept = select(section_2, metric="expected_error_ratio", group="mean_of_16", model=list(FOUR)).set_index("model")
    assert kept.value.loc[["convnext_clip", "vit_clip"]].to_numpy() == pytest.approx([1.35, 1.36], abs=0.02)
    seen = select(expected.seen_rows(), metric="error_ratio", group="mean_of_16").set_index("model").value
    assert (seen[["convnext_clip", "vit_clip"]] < kept.ci_low[["convnext_clip", "vit_clip"]]).all()
    share = expected.explained_by_accuracy(section_2).set_index("second").share
    assert share.to_numpy() == pytest.approx([0.63, 0.44], abs=0.02)


def test_expected_ratios_agree_with_a_plain_neighbourhood_mean(section_2, testbed):
    """An independent reading of the same table: the mean ratio of testbed models within 4 points of accuracy."""
    table = testbed[0]
    ratio = (1 - table[list(FACTORS)]).div(1 - table.average, axis=0).mean(axis=1)
    for model in FOUR:
        near = ratio[(table.average - (1 - paper.overall_error(model))).abs() < 0.04]
        row = select(section_2, metric="expected_error_ratio", group="mean_of_16", model=model).iloc[0]
        assert row.value == pytest.approx(near.mean(), abs=0.03)
        assert row.ci_low < near.quantile(0.2)
        assert row.ci_high > near.quantile(0.8)


def test_no_row_of_section_2_can_be_taken_for_a_result_of_the_papers_models(section_2):
    assert set(select(section_2, model=list(FOUR)).metric) == {"expected_error_ratio"}
    ledger = paper.ledger({"released": section_2})
    ours = ledger[(ledger.source == "released") & (ledger.section == "02_mistakes")]
    assert set(ours.verdict) == {"not run"}


def test_without_the_testbed_its_absence_is_named_and_nothing_is_expected(monkeypatch):
    monkeypatch.setenv("BOOK_HOME", "/nonexistent")
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    table, hashes, missing = published.testbed()
    assert table is None
    assert not hashes
    assert list(missing) == ["imagenet_x_testbed"]
    assert expected.expected_rows(table).empty


# --- section 3 --------------------------------------------------------------------------------------------------------


def test_shape_bias_of_every_released_model():
    decisions = predict.collect(profiles.inputs("released", "cue_conflict"))
    assert len(decisions.frames) == 19
    counts = stats.shape_count_rows(decisions.frames)
    bias = {}
    for model in SHAPE_BIAS:
        n = select(counts, model=model, group="overall").set_index("metric").value
        assert n[["n_shape", "n_texture", "n_other"]].sum() == 1200
        bias[model] = n["n_shape"] / (n["n_shape"] + n["n_texture"])
    assert bias == pytest.approx(SHAPE_BIAS, abs=0.00006)


# --- section 4 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", OBSERVERS)
def test_ece_and_bins_are_those_of_torchmetrics_and_of_a_plain_count(section_4, validation, model):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    frame = validation.frames[model]
    right = frame.pred.to_numpy() == frame.label.str[0].to_numpy()
    confidence = frame.confidence.to_numpy()
    theirs = functional.binary_calibration_error(torch.tensor(confidence), torch.tensor(right.astype(int)), n_bins=15)
    row = select(section_4, model=model, metric="ece", group="overall").iloc[0]
    assert row.value == pytest.approx(float(theirs), abs=2e-5)
    gap = select(section_4, model=model, metric="signed_gap").iloc[0].value
    assert gap == pytest.approx(confidence.mean() - right.mean(), abs=1e-6)
    counts = np.histogram(confidence, bins=15, range=(0, 1))[0]
    share = select(section_4, model=model, metric="bin_share").sort_values("group").value
    np.testing.assert_allclose(share, counts / 50_000, atol=1e-4)


def test_three_observers_are_over_confident_and_one_is_open(section_4):
    gaps = select(section_4, metric="signed_gap", group="overall", model=list(OBSERVERS)).set_index("model")
    assert set(gaps.index[gaps.ci_low > 0]) == {"resnet50", "simclr", "dino"}
    assert gaps.ci_low["vit"] < 0 < gaps.ci_high["vit"]


def test_every_ece_lies_above_what_perfect_calibration_would_show(section_4):
    table = select(section_4, group="overall", model=list(OBSERVERS)).pivot(
        index="model", columns="metric", values="value"
    )
    assert (table.ece > table.ece_if_calibrated).all()
    assert (table.ece_debiased < table.ece).all()
    assert (table.ece >= table.signed_gap.abs() - 1e-9).all()
