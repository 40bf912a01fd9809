"""Figures: they draw what the rows say, empty rows draw nothing, and no model is told apart by colour alone."""

import itertools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from helpers import paper
from helpers.models import MODEL_SETS, MODELS
from helpers.plots import calibration, mistakes, models, style
from helpers.rows import empty_rows, rows_frame

FOUR, OBSERVERS = MODEL_SETS["paper"], MODEL_SETS["released_imagenet_x"]


@pytest.fixture(autouse=True)
def _no_screen():
    import matplotlib.pyplot as plt

    mpl.use("agg")
    yield
    plt.close("all")


def row(model, metric, value, unit, group="overall", dataset="imagenet1k_val", half=0.1, n=100):
    return {
        "model": model, "dataset": dataset, "view": "released.eval", "metric": metric, "group": group, "value": value,
        "ci_low": value - half, "ci_high": value + half, "n": n, "unit": unit, "resampled": "image",
    }  # fmt: skip


def mistakes_rows(shift=0.0):
    factors = (("pose", 0.7, 15064), ("texture", 2.1, 282), ("mean_of_16", 1.4, 46110))
    rows = [
        row(model, "error_ratio", value + shift + 0.01 * i, "ratio", group, "imagenet_x", n=n)
        for i, model in enumerate(OBSERVERS)
        for group, value, n in factors
    ]
    rows += [row(model, "accuracy", 76.0, "percent", dataset="imagenet_x") for model in OBSERVERS]
    rows += [row(model, "expected_error_ratio", 1.45, "ratio", "mean_of_16", "imagenet_x") for model in OBSERVERS]
    rows += [row("testbed", "accuracy", 60.0 + i, "percent", f"net {i}", "imagenet_x_testbed") for i in range(5)]
    rows += [row("testbed", "error_ratio", 1.3, "ratio", f"net {i}", "imagenet_x_testbed") for i in range(5)]
    curve = [
        row("testbed", "expected_error_ratio", 1.3, "ratio", f"accuracy:{at}", "imagenet_x_testbed") for at in (50, 80)
    ]
    return rows_frame(rows + curve)


def calibration_rows():
    rows = []
    for model in OBSERVERS:
        rows += [
            row(model, "ece", 0.03, "fraction", half=0.005),
            row(model, "signed_gap", -0.02, "fraction", half=0.005),
        ]
        rows += [row(model, "adaptive_ece", 0.03, "fraction", half=0.005)]
        for i, (confidence, accuracy, share) in enumerate(((0.2, 0.3, 0.1), (0.5, 0.5, 0.0), (0.9, 0.8, 0.9)), start=1):
            group = f"bin:{i:02d}"
            rows += [row(model, "bin_confidence", confidence, "fraction", group)]
            rows += [row(model, "bin_accuracy", accuracy, "fraction", group)]
            rows += [row(model, "bin_share", share, "fraction", group)]
    return rows_frame(rows)


def marks_of(ax):
    return [line for line in ax.lines if line.get_linestyle() in ("None", "") and line.get_marker() not in ("None", "")]


# --- style ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*MODEL_SETS, "other observers of the cue-conflict set"])
def test_models_of_a_set_differ_in_mark_or_filling_not_only_in_colour(name):
    others = [key for key in MODEL_SETS["released_cue_conflict"] if MODELS[key].family != "human" and key not in FOUR]
    keys = [key for key in MODEL_SETS.get(name, others) if MODELS[key].family != "human"]
    looks = [(style.mark(key)["marker"], style.mark(key)["markerfacecolor"] == "white") for key in keys]
    assert len(set(looks)) == len(keys)


def test_colour_is_the_architecture_and_filling_the_training():
    for key in (*FOUR, *OBSERVERS):
        spec, hollow = MODELS[key], style.mark(key)["markerfacecolor"] == "white"
        assert hollow == (spec.paradigm != "sup")
        assert bool(style.bar(key)["hatch"]) == hollow
    colours = {
        family: {MODELS[key].colour for key in OBSERVERS if MODELS[key].family == family}
        for family in ("resnet", "vit")
    }
    assert [len(found) for found in colours.values()] == [1, 1]
    assert not set.union(*colours.values()) & {MODELS[key].colour for key in FOUR}


def test_colours_of_the_observers_differ_in_lightness_or_hue_enough_to_be_told_apart():
    rgb = [np.array(mpl.colors.to_rgb(colour)) for colour in {MODELS[key].colour for key in (*FOUR, *OBSERVERS)}]
    assert min(np.abs(a - b).sum() for a, b in itertools.combinations(rgb, 2)) > 0.4


# --- section 1 --------------------------------------------------------------------------------------------------------


def test_bars_are_as_long_as_what_was_measured():
    rows = rows_frame([row(model, "parameters", 80.0 + i, "millions") for i, model in enumerate(FOUR)])
    left, right = models.size_and_cost(rows, paper.as_rows("01_models"), FOUR)
    assert sorted(patch.get_width() for patch in left.patches) == [80.0, 81.0, 82.0, 83.0]
    assert not right.patches
    assert [label.get_text() for label in left.get_yticklabels()][-1] == "ConvNeXt-sup"


# --- section 2 --------------------------------------------------------------------------------------------------------


def test_factors_are_sorted_hardest_first_with_their_n_and_the_mean_last():
    ax = mistakes.factors_by_model(mistakes_rows(), OBSERVERS)
    shown = [label.get_text() for label in sorted(ax.get_yticklabels(), key=lambda label: -label.get_position()[1])]
    assert shown == ["texture  (282)", "pose  (15,064)", "mean of 16"]
    assert [len(line.get_xdata()) for line in marks_of(ax)] == [3] * len(OBSERVERS)
    assert sorted(marks_of(ax)[0].get_xdata()) == [0.7, 1.4, 2.1]


def test_the_papers_figure_is_drawn_for_all_factors_and_models():
    ax = mistakes.factors_by_model(paper.as_rows("02_mistakes"), FOUR)
    assert len(ax.get_yticklabels()) == 17
    assert {len(line.get_xdata()) for line in marks_of(ax)} == {17}


def test_gaps_have_one_panel_per_unit():
    rows = rows_frame(
        [
            row(OBSERVERS[0], metric, 5.0, unit, "pose")
            for metric, unit in (("accuracy_gap", "points"), ("log_odds_gap", "log_odds"))
        ]
    )
    axes = mistakes.both_gaps(rows, OBSERVERS)
    assert len({ax.get_xlabel() for ax in axes}) == 2


def test_models_of_equal_accuracy_stand_side_by_side_over_the_testbed():
    ax = mistakes.ratio_against_accuracy(mistakes_rows(), OBSERVERS)
    at = sorted(float(line.get_xdata()[0]) for line in marks_of(ax))
    assert at == [76.0, 76.5, 77.0, 77.5]
    assert len(ax.collections[0].get_offsets()) == 5


def test_seen_and_expected_are_both_drawn():
    ax = mistakes.seen_and_expected(mistakes_rows(), OBSERVERS)
    drawn = sorted({round(float(x), 2) for line in ax.lines for x in line.get_xdata()})
    assert drawn == [1.4, 1.41, 1.42, 1.43, 1.45]


# --- section 4 --------------------------------------------------------------------------------------------------------


def test_a_reliability_diagram_marks_filled_bins_only_at_their_confidence_and_accuracy():
    ax = calibration.reliability(calibration_rows(), "vit", "imagenet1k_val")
    points = ax.collections[-1].get_offsets()
    np.testing.assert_allclose(points, [[0.2, 0.3], [0.9, 0.8]])
    assert "ECE 0.030" in ax.texts[0].get_text()
    assert "gap -0.020" in ax.texts[0].get_text()


def test_the_papers_panels_stand_at_the_middles_of_their_bins():
    table = calibration.bins(paper.as_rows("04_calibration"), "vit_clip", "imagenet_r")
    assert len(table) == 15
    assert table.confidence.iloc[7] == pytest.approx(0.5)
    assert table.share.sum() == pytest.approx(1.0, abs=0.002)


def test_the_histogram_adds_up_to_all_images_and_keeps_the_hatching():
    ax = calibration.confidence_histogram(calibration_rows(), "dino", "imagenet1k_val")
    assert sum(patch.get_height() for patch in ax.patches) == pytest.approx(100.0)
    assert {patch.get_hatch() for patch in ax.patches} == {MODELS["dino"].hatch}


@pytest.mark.parametrize("count", [1, 3, 4])
def test_panels_fit_any_number_of_models(count):
    axes = calibration.panels(calibration_rows(), OBSERVERS[:count], "imagenet1k_val", "title")
    assert axes.shape == (2 * ((count + 1) // 2), 2)
    assert sum(ax.axison for ax in axes.ravel()) == 2 * count


def test_zero_is_in_the_middle_of_the_signed_gaps():
    ax = calibration.signed_gaps(calibration_rows(), OBSERVERS)
    low, high = ax.get_xlim()
    assert low == -high
    assert low < -0.025
    assert {float(line.get_xdata()[0]) for line in marks_of(ax)} == {-0.02}


def test_every_reading_of_the_ece_that_has_rows_is_drawn():
    ax = calibration.ece_readings(calibration_rows(), OBSERVERS)
    drawn = [line for line in marks_of(ax) if len(line.get_xdata())]
    assert len(drawn) == 2 * len(OBSERVERS)


# --- without rows -----------------------------------------------------------------------------------------------------

WITHOUT_ROWS = {
    "size and cost": lambda rows: models.size_and_cost(rows, rows, FOUR)[0],
    "factors": lambda rows: mistakes.factors_by_model(rows, OBSERVERS),
    "gaps": lambda rows: mistakes.both_gaps(rows, OBSERVERS)[0],
    "ratio against accuracy": lambda rows: mistakes.ratio_against_accuracy(rows, OBSERVERS),
    "seen and expected": lambda rows: mistakes.seen_and_expected(rows, OBSERVERS),
    "reliability": lambda rows: calibration.reliability(rows, "vit", "imagenet1k_val"),
    "histogram": lambda rows: calibration.confidence_histogram(rows, "vit", "imagenet1k_val"),
    "panels": lambda rows: calibration.panels(rows, OBSERVERS, "imagenet1k_val")[0, 0],
    "signed gaps": lambda rows: calibration.signed_gaps(rows, OBSERVERS),
    "ece": lambda rows: calibration.ece_readings(rows, OBSERVERS),
}


@pytest.mark.parametrize("name", WITHOUT_ROWS)
def test_without_rows_a_figure_has_axes_and_no_data(name):
    ax = WITHOUT_ROWS[name](empty_rows())
    ax.figure.draw_without_rendering()
    assert not [x for line in marks_of(ax) for x in line.get_xdata()]
    assert not ax.patches


def test_missing_numbers_leave_a_gap_and_not_a_zero():
    rows = mistakes_rows()
    rows.loc[(rows.model == "vit") & (rows.group == "texture"), ["value", "ci_low", "ci_high"]] = np.nan
    ax = mistakes.factors_by_model(rows, OBSERVERS)
    assert sorted(len(line.get_xdata()) for line in marks_of(ax)) == [2, 3, 3, 3]


def test_frames_given_to_figures_are_left_as_they_were():
    rows = mistakes_rows()
    before = rows.copy()
    mistakes.factors_by_model(rows, OBSERVERS)
    mistakes.ratio_against_accuracy(rows, OBSERVERS)
    pd.testing.assert_frame_equal(rows, before)
