"""Sentences say what the rows say, and nothing where there are none."""

import numpy as np
import pandas as pd
import pytest

from helpers import paper, words
from helpers.metrics.factors import FACTORS
from helpers.models import MODEL_SETS
from helpers.paper import expected
from helpers.rows import empty_rows, rows_frame

FOUR, OBSERVERS = MODEL_SETS["paper"], MODEL_SETS["released_imagenet_x"]


def row(model, metric, value, unit, group="overall", dataset="imagenet1k_val", ends=None, n=100, **rest):
    low, high = ends or (None, None)
    return {
        "model": model, "dataset": dataset, "view": "released.eval", "metric": metric, "group": group, "value": value,
        "ci_low": low, "ci_high": high, "n": n, "unit": unit, "resampled": "image", **rest,
    }  # fmt: skip


@pytest.fixture(scope="module")
def testbed():
    """Sixty models whose factors are all equally hard: a ratio of 1 at every accuracy, with a little spread."""
    rng, average = np.random.default_rng(0), np.linspace(0.45, 0.88, 60)
    table = {name: average + rng.normal(0, 0.002, len(average)) for name in FACTORS}
    return pd.DataFrame({**table, "average": average}, index=[f"net {i}" for i in range(len(average))])


# --- section 1 --------------------------------------------------------------------------------------------------------


def towers(changed=None):
    counts = dict(zip(FOUR, (88.59, 86.59, 88.09, 86.19), strict=True)) | (changed or {})
    return rows_frame(
        [row(m, "parameters", v, "millions", None, None, view="paper.eval", n=None) for m, v in counts.items()]
    )


def test_the_answer_of_section_1_names_the_difference_within_each_paradigm():
    said = words.models.answer(towers(), FOUR)
    assert "ConvNeXt-sup 88.59 M parameters" in said
    assert "ViT-sup against ConvNeXt-sup: -2.3 % parameters, +0.0 points" in said
    assert "ViT-CLIP against ConvNeXt-CLIP: -2.2 % parameters, +0.7 points" in said


def test_without_measured_towers_section_1_says_so_and_still_gives_the_papers_accuracies():
    said = words.models.answer(empty_rows(), FOUR)
    assert said.startswith("**Answer.** Not run")
    assert "+0.7 points" in said
    assert words.models.compared(empty_rows())[1].startswith("Nothing to compare")


def test_a_number_is_reproduced_only_within_the_rounding_of_the_table():
    table, said = words.models.compared(towers({"vit_sup": 87.49}))
    assert table.reproduced.tolist() == ["yes", "yes", "no", "no"]
    assert "2 of 4 numbers" in said
    assert "0.50 M (ConvNeXt-CLIP) and 1.30 M (ViT-CLIP)" in said
    assert words.models.compared(towers({"vit_sup": 87.51}))[0].reproduced.tolist()[1] == "no"


def test_the_table_of_models_disagrees_with_the_figures_for_the_supervised_models_only():
    said = words.models.table_and_figures()
    assert said.startswith("2 of 4 accuracies")
    assert said.count("83.7 % in the table, 85.5 % in the figures, 1.8 points or 900 of 50,000 images") == 2
    assert "ConvNeXt-CLIP (66.3 %), ViT-CLIP (67.0 %)" in said


def test_published_accuracies_are_those_of_timm_and_openclip_row_by_row():
    table = words.models.published_accuracy(FOUR)
    timm = table[table.source.str.startswith("timm") & ~table.note.str.contains("withdrawn")]
    assert timm.accuracy.tolist() == [86.302, 85.814, 85.728]
    assert timm.preparation.tolist() == ["crop 1, bicubic", "crop 0.875, bicubic", "crop 1, bicubic"]
    assert table[table.source.str.startswith("OpenCLIP")].accuracy.tolist() == [66.27, 66.98]
    assert (table[table.source.str.startswith("paper, its")]["points from the figures"] == 0).all()


# --- section 2 --------------------------------------------------------------------------------------------------------


def test_accuracy_explains_nothing_where_the_testbed_has_the_same_ratio_everywhere(testbed):
    found = expected.explained_by_accuracy(expected.expected_rows(testbed))
    assert found["first"].tolist() == ["convnext_sup", "vit_sup"]
    np.testing.assert_allclose(found.seen, [1.434 - 1.239, 1.456 - 1.196])
    np.testing.assert_allclose(found.share, 0, atol=0.05)


def test_accuracy_explains_all_where_the_testbed_falls_as_the_papers_models_do():
    """A testbed made so that the mean ratio at the two accuracies is the one of the paper's ConvNeXts."""
    average = np.linspace(0.55, 0.88, 80)
    ratio = 1.239 + (average - 0.64819) * (1.434 - 1.239) / (0.84656 - 0.64819)
    made = pd.DataFrame({**dict.fromkeys(FACTORS, 1 - ratio * (1 - average)), "average": average})
    found = expected.explained_by_accuracy(expected.expected_rows(made))
    assert found.share[0] == pytest.approx(1.0, abs=0.03)


def test_the_interval_of_the_share_follows_that_of_the_bars(testbed):
    rows = expected.expected_rows(testbed)
    mean = rows.metric.eq("expected_error_ratio") & rows.group.eq("mean_of_16") & rows.model.isin(FOUR)
    rows.loc[mean, "value"] = [1.5, 1.5, 1.4, 1.4]
    found = expected.explained_by_accuracy(rows).iloc[1]
    assert found.share == pytest.approx(0.1 / 0.26)
    assert found.share_low == pytest.approx(0.1 / found.seen_high)
    assert found.share_high == pytest.approx(0.1 / found.seen_low)
    said = words.mistakes.explained(rows)
    assert "between 38 and 51 %" in said
    assert "puts the share between 26 % and more than all of it" in said


def test_rare_factors_of_the_paper_are_shown_as_counts():
    table, said = words.mistakes.decoded(FOUR)
    assert table.loc["style", "ConvNeXt-sup"] == "10 of 43"
    assert table.loc["multiple objects", "ConvNeXt-sup"] == "11 of 40"
    assert "pose" not in table.index
    assert "ConvNeXt-sup 15.3 %; ViT-sup 15.3 %; ConvNeXt-CLIP 35.2 %; ViT-CLIP 34.3 %" in said


def test_the_testbeds_own_clip_models_are_set_against_their_accuracy(testbed):
    low = testbed.iloc[[30]].rename(index={"net 30": "vit_b_32_clip_zeroshot"})
    low[list(FACTORS)] = 1 - 0.7 * (1 - low.average.iloc[0])
    said = words.mistakes.other_clip(expected.expected_rows(pd.concat([testbed, low])))
    assert "1 zero-shot CLIP models of its own: vit_b_32_clip_zeroshot 0.70, expected " in said
    assert said.endswith("1 of them lie below the range of models of their accuracy.")
    assert words.mistakes.other_clip(empty_rows()) == ""


def test_without_the_testbed_the_question_is_not_answered():
    assert "not run" in words.mistakes.explained(empty_rows())
    assert words.mistakes.answer(empty_rows(), OBSERVERS).endswith("not run.")


@pytest.mark.parametrize(
    ("value", "ends", "said"),
    [
        (1.40, (1.3, 1.5), "inside the range"),
        (1.20, (1.1, 1.35), "below that range, but its own interval reaches into it"),
        (1.20, (1.1, 1.25), "below that range, and so is its whole interval"),
        (1.60, (1.45, 1.7), "above that range, but its own interval reaches into it"),
    ],
)
def test_seen_against_expected(value, ends, said):
    x = {"group": "mean_of_16", "dataset": "imagenet_x"}
    rows = rows_frame([
        row("vit", "error_ratio", value, "ratio", ends=ends, **x),
        row("vit", "expected_error_ratio", 1.4, "ratio", ends=(1.3, 1.5), **x),
        row("vit", "accuracy", 75.0, "percent", dataset="imagenet_x"),
    ])  # fmt: skip
    sentence = words.mistakes.against_expected(rows, OBSERVERS)
    assert said in sentence
    assert "at most 4.0 is possible" in sentence
    assert sentence.count("\n") == 0


def test_the_hardest_factors_come_first_with_their_n():
    rows = rows_frame([
        row("vit", "error_ratio", value, "ratio", group, "imagenet_x", (value - 0.1, value + 0.1), n)
        for group, value, n in (("pose", 0.7, 15064), ("texture", 2.0, 282), ("style", 1.6, 43), ("shape", 1.5, 679),
                                ("mean_of_16", 1.4, 46110))
    ])  # fmt: skip
    said = words.mistakes.answer(rows, ["vit"])
    assert "- ViT: texture 2.00 [1.90, 2.10], n = 282; style 1.60 [1.50, 1.70], n = 43; shape" in said
    assert "pose" not in said


def test_contrasts_count_what_each_scale_resolves_and_whether_the_signs_agree():
    def rows(points):
        kinds = (("error_ratio", "ratio", -0.2), ("accuracy_gap", "points", points), ("log_odds_gap", "log_odds", -0.3))
        return rows_frame([
            row("vit - resnet50", metric, value, unit, "mean_of_16", "imagenet_x", (value - 0.1, value + 0.1))
            for metric, unit, value in kinds
        ])  # fmt: skip

    table, said = words.mistakes.contrasts(rows(-4.0), [("vit", "resnet50")])
    assert table.loc["ViT − ResNet-50", "points"].replace("\u00a0", " ") == "-4.0 points [-4.1, -3.9]"
    assert "1 on all three scales, with the same sign" in said
    assert "not all with the same sign" in words.mistakes.contrasts(rows(4.0), [("vit", "resnet50")])[1]
    assert "0 by points" in words.mistakes.contrasts(rows(0.05), [("vit", "resnet50")])[1]
    assert words.mistakes.contrasts(empty_rows(), [("vit", "resnet50")])[1] == "Not run."


# --- section 4 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.01, 0.03), "over-confident"),
        ((-0.03, -0.01), "under-confident"),
        ((-0.01, 0.01), "neither"),
        (None, "neither"),
    ],
)
def test_the_direction_follows_the_interval_of_the_signed_gap_alone(ends, said):
    rows = rows_frame([row("vit", "signed_gap", 0.0, "fraction", ends=ends), row("vit", "ece", 0.05, "fraction")])
    assert f"ViT is **{said}" in words.calibration.answer(rows, OBSERVERS)


def test_without_predictions_section_4_says_so():
    assert words.calibration.answer(empty_rows(), OBSERVERS).endswith("no predictions were available.")
    assert words.calibration.recalibration(empty_rows(), OBSERVERS) == "Not run."


def test_the_papers_panels_settle_what_their_bounds_settle():
    table = paper.calibration_panels()
    said = words.calibration.of_the_paper(table)
    assert said.startswith("Without the mean confidence of each bin, 5 of 8 panels settle the direction")
    assert said.count("**over-confident**") == 4
    assert said.count("**under-confident**") == 1
    assert "8 of 8 printed ECEs lie in the range" in said
    assert "7 of 8" in words.calibration.of_the_paper(table.assign(ece=table.ece.where(table.index != 0, 0.9)))
    narrowed = table.assign(direction="open")
    assert "0 of 8" in words.calibration.of_the_paper(narrowed)


def test_recalibration_is_judged_against_perfect_calibration():
    chance = row("vit", "ece_if_calibrated", 0.004, "fraction", ends=(0.002, 0.006))
    before = row("vit", "ece", 0.03, "fraction")
    for after, said in ((0.005, "no more than"), (0.007, "; more than")):
        rows = rows_frame([chance, before, row("vit", "ece_after_isotonic", after, "fraction")])
        assert said in words.calibration.recalibration(rows, ["vit"])


def test_the_recorded_coverage_is_complete_and_names_what_falls_short():
    table = words.calibration.recorded_coverage()
    assert set(table.nominal) == {0.95}
    wide = words.calibration.coverage_by_n(table)
    assert list(wide.columns) == ["n = 500", "n = 2,000", "n = 10,000", "n = 50,000"]
    assert wide.loc["ECE, percentile interval", "n = 500"] < 50
    assert wide.loc["signed gap, percentile interval"].min() > 92
    said = words.calibration.coverage(table)
    assert "signed gap" not in said
    assert "ECE, basic interval, nearly calibrated model: 85 % at n = 50,000" in said
    assert "None falls short" in words.calibration.coverage(table.assign(coverage=0.95))


# --- shared -----------------------------------------------------------------------------------------------------------


def test_readings_keep_number_and_interval_together_and_say_not_run():
    rows = rows_frame([row("vit", "accuracy", 78.0, "percent", ends=(77.6, 78.4))])
    table = words.readings(rows, ["vit", "dino"], {"top-1": {"metric": "accuracy"}})
    assert table["top-1"].tolist() == ["78.0\u00a0% [77.6,\u00a078.4]", "not run"]


@pytest.mark.parametrize("section", ["01_models", "02_mistakes", "04_calibration"])
def test_claims_of_a_section_that_was_not_run_say_so_beside_the_papers_verdict(section):
    page = words.claims(section, {"released": empty_rows()}).data
    claims = paper.claims_of(section)
    assert page.count(">not run</summary>") == len(claims)
    assert page.count("our stricter reading") == sum(claim.strict_of is not None for claim in claims)
