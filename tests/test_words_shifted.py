"""Section 5 in words and figures: a run beside the paper, with all of its rows and with none."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from planted_sets import FOUR, NAMES, rng, whole_section
from statsmodels.stats.multitest import multipletests

from helpers import paper, plots, results, stats, words
from helpers.metrics import effective

NONE = results.empty_rows()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def rows():
    sets, ids = whole_section()
    same = {role: {"masked": sets["val"], "unmasked": sets["val"]} for role in ("a", "r")}
    found = stats.robustness_rows(sets, ids, rng(), 50, same_classes=same)
    more = stats.corruption_rows(sets["c"], rng(), 20, view="paper.asis")
    return results.rows_frame(pd.concat([found, more]))


def row(**changes):
    pair = {"model": "vit_sup - convnext_sup", "dataset": "imagenet_v2_mf", "group": "overall", "n": 10_000}
    return {**pair, "value": 2.85, "ci_low": 1.1, "ci_high": 4.6, **changes}


def test_a_difference_is_told_as_points_and_images():
    said = words.shifted.ahead_by(row())
    assert said == "ImageNet-V2: ViT-sup is ahead of ConvNeXt-sup by 2.9 points [1.1, 4.6], 285 images of 10,000"
    turned = words.shifted.ahead_by(row(value=-2.85, ci_low=-4.6, ci_high=-1.1))
    assert "ConvNeXt-sup is ahead of ViT-sup by 2.9 points [1.1, 4.6], 285 images" in turned
    open_one = words.shifted.ahead_by(row(value=-0.5, ci_low=-1.5, ci_high=0.5))
    assert "ConvNeXt-sup and ViT-sup are not told apart: +0.5 points [-0.5, +1.5], 50 images" in open_one
    assert "images" not in words.shifted.ahead_by(row(group="mean_of_7", dataset="shifted_sets"))
    assert "images" not in words.shifted.ahead_by(row(dataset="imagenet_c"))  # its n are sources, with 75 versions each
    assert "[" not in words.shifted.ahead_by(row(ci_low=None, ci_high=None))
    nothing = words.shifted.ahead_by(row(value=0.0, ci_low=None, ci_high=None))
    assert "are not told apart: +0.0 points, 0 images" in nothing


def test_holms_correction_over_the_differences_that_are_counted():
    """By hand: p of 2, 2.2 and 4 standard errors are .0455, .0278 and .00006; times 1, 2 and 3 only the last stays."""
    value = np.array([2.0, 2.2, 4.0])
    gaps = pd.DataFrame({"value": value, "ci_low": value - 1.96, "ci_high": value + 1.96})
    assert words.differences.resolved(gaps).all()
    assert words.differences.corrected(gaps).tolist() == [False, False, True]
    assert words.differences.corrected(gaps[1:]).tolist() == [True, True]
    p_values = stats.p_of_interval(gaps.value, gaps.ci_low, gaps.ci_high)
    assert words.differences.corrected(gaps).tolist() == multipletests(p_values, 0.05, "holm")[0].tolist()
    assert words.differences.corrected(gaps.assign(ci_low=np.nan, ci_high=np.nan)).sum() == 0
    assert words.differences.corrected(gaps.iloc[:0]).empty


def test_the_answer_counts_what_is_told_apart(rows):
    said = words.shifted.answer(rows, "paper", FOUR)
    gaps = words.shifted.pairs_of(rows, FOUR)
    mine = gaps[(gaps.model == "convnext_sup - vit_sup") & ~gaps.dataset.str.startswith(("shifted", "imagenet1k"))]
    clear = int(words.differences.resolved(mine).sum())
    kept = int(words.differences.corrected(mine).sum())
    assert kept <= clear
    assert f"told apart on {clear} of 7 sets, on {kept} after Holm's correction" in said
    assert said.count("- ") >= 2
    assert words.shifted.answer(NONE, "paper", FOUR).startswith("**Image by image: not run.**")


def test_the_same_pool_under_two_filters(rows):
    filtered = {"demo_a_convnet": "imagenet_a", "demo_a_vit": "imagenet_v2_mf"}
    parts = [rows[rows.dataset == real].assign(dataset=drawn) for drawn, real in filtered.items()]
    pairs = {"vit_sup - convnext_sup": (5.0, 1.0, 9.0), "vit_clip - convnext_clip": (-1.0, -4.0, 2.0)}
    moved = [
        {"model": pair, "dataset": "demo_a_vit", "view": "paper.eval", "metric": "contrast_moved", "n": 300,
         "group": "minus_demo_a_convnet", "value": v, "ci_low": low, "ci_high": high, "unit": "points"}
        for pair, (v, low, high) in pairs.items()
    ]  # fmt: skip
    frame = results.rows_frame(pd.concat([*parts, pd.DataFrame(moved)]))
    said = words.filtered.tilt(frame, FOUR).splitlines()
    assert len(said) == 2
    assert said[0].startswith("- ConvNeXt-sup minus ViT-sup: filtered by a ConvNet ")
    assert "The filter alone moves it by -5.0 points [-9.0, -1.0]." in said[0]
    assert "by +1.0 points [-2.0, +4.0]; not resolved" in said[1]
    gaps = words.shifted.pairs_of(rows, FOUR).set_index(["model", "dataset"]).value
    for real in filtered.values():
        assert f"{gaps['convnext_sup - vit_sup', real]:+.1f} points" in said[0]
    shown = words.filtered.in_form(frame, FOUR)
    assert list(dict.fromkeys(shown.dataset)) == ["filtered by a ConvNet", "filtered by a ViT"]
    axes = plots.robustness.filters(shown, FOUR, "two filters (demo: drawn world)")
    assert len(axes) == 2
    assert len(axes[0].figure.legends) == 1
    assert plots.robustness.filters(words.filtered.in_form(NONE, FOUR), FOUR, "none") is None
    assert "not run" in words.filtered.tilt(NONE, FOUR)


def test_the_form_of_the_papers_figure(rows):
    shown = words.shifted.in_form(rows, FOUR)
    names = list(dict.fromkeys(shown.dataset))
    assert names[0] == "ImageNet"
    assert names[-2:] == ["average of 7", "average of 6, without ReaL"]
    assert len(names) == 10
    assert not shown.duplicated(["model", "dataset"]).any()  # one view only
    pair = rows[(rows.model == "vit_sup - convnext_sup") & (rows.dataset == "imagenet_a") & (rows.unit == "points")]
    pair = pair[pair.metric == "accuracy"].iloc[0]
    ours = shown[(shown.model == "convnext_sup - vit_sup") & (shown.dataset == "ImageNet-A")].iloc[0]
    assert (ours.value, ours.ci_low, ours.ci_high) == (-pair.value, -pair.ci_high, -pair.ci_low)
    ax = plots.robustness.accuracies(shown, FOUR, "This run")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == names
    assert plots.robustness.gaps(shown, "This run") is not None


def test_every_corruption_has_a_panel_and_both_views_a_line(rows):
    axes = plots.robustness.severity_curves(rows, FOUR, "This run")
    titles = [ax.get_title(loc="left") for ax in axes.ravel() if ax.get_visible()]
    assert titles == [*(name.replace("_", " ") for name in NAMES), "mean of all"]
    line = axes[0, 0].get_lines()[0]
    mine = results.select(rows, model=FOUR[0], metric="accuracy", view="paper.eval").set_index("group").value
    assert line.get_ydata() == pytest.approx([mine[f"gaussian_noise:{k}"] for k in range(1, 6)])
    table = words.shifted.corruptions(rows, FOUR).data
    assert table.count("resized to 256") == table.count("as they are") == 4
    assert "mCE" in table


def test_averages_and_same_classes_as_tables(rows):
    assert "average of 7" in words.shifted.averages(rows, FOUR).data
    table = words.shifted.same_classes(rows, FOUR).data
    assert table.count("all classes compete") == 2
    fewer = rows[~rows.dataset.str.startswith("shifted") & (rows.dataset != "imagenet_a")]
    assert words.shifted.averages(fewer, FOUR).data == "No average of this run: ImageNet-A not run."


def test_points_of_a_run_join_the_published_ones(rows):
    points = words.shifted.effective_points(rows, "paper")
    mine = points[points.source == "a run here (paper)"]
    assert set(mine.dataset) == set(effective.CLEAN)
    assert np.allclose(mine.found - mine.expected, mine.beyond)
    assert len(words.shifted.effective_points(NONE, "paper")) == len(paper.published_effective())
    table = words.shifted.effective_table(points)
    assert (table["like for like"] == "no").sum() == points.model.isin(["convnext_clip", "vit_clip"]).sum()
    axes = plots.robustness.beyond_all(points)
    assert [len(ax.collections) > 0 for ax in axes.ravel()] == [True] * 4
    assert str(effective.baseline_line("imagenet_a").n) in words.shifted.baseline()


def test_without_a_run_the_page_says_so():
    assert plots.robustness.severity_curves(NONE, FOUR) is None
    assert words.shifted.corruptions(NONE, FOUR).data == "ImageNet-C: not run."
    assert words.shifted.averages(NONE, FOUR).data == "No average of this run."
    assert words.shifted.in_form(NONE, FOUR).empty
    said = words.absent.of_real("05_robustness", "released", 0, ("complete", None), {"paper": None, "demo": None})
    assert said.startswith("**Not run here.**")
    assert "python -m helpers run --profile paper --only 05" in said
