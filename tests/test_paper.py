"""The paper's values, their intervals, bars decoded to counts, and ours beside them."""

import numpy as np
import pandas as pd
import pytest
from released_frames import decisions as released_decisions
from scipy.stats import binomtest

from helpers import paper
from helpers.errors import BookError
from helpers.models import MODELS
from helpers.paper import decode, names, panels
from helpers.paper.rows import detailed_rows, wilson
from helpers.rows import COLUMNS, rows_frame

FOUR = names.PAPER_MODELS
SECTIONS = [section for section in names.SECTIONS if section != "10_synthesis"]


def one(table, **equal):
    for column, wanted in equal.items():
        table = table[table[column] == wanted]
    assert len(table) == 1, table
    return table.iloc[0]


# Values


@pytest.mark.parametrize(
    ("equal", "value"),
    [
        (dict(section="01_models", model="vit_sup", metric="accuracy"), 83.7),
        (dict(section="02_mistakes", model="vit_sup", group="subcategory"), 2.393),
        (dict(section="03_shape_texture", model="convnext_clip", group="overall", kind="digitised"), 0.4468),
        (dict(section="04_calibration", model="vit_clip", dataset="imagenet_r", metric="ece"), 0.073),
        (dict(section="05_robustness", model="vit_sup", dataset="imagenet_a"), 60.0),
        (dict(section="06_transferability", model="convnext_sup", dataset="vtab_sun397"), 98.5),
        (dict(section="07_synthetic", model="vit_clip", group="scene_light"), 0.6),
        (dict(section="08_invariance", model="vit_sup", view="paper.shift-5"), 85.49),
        (dict(section="09_similarity", model="convnext_clip", group="all"), 434),
    ],
)
def test_values_are_those_of_the_figures(equal, value):
    assert one(paper.values(), **equal).value == pytest.approx(value)


def test_every_section_has_its_models_groups_and_known_n():
    table = paper.values()
    assert set(table.section) == set(SECTIONS)
    assert set(table.model[~table.model.str.contains(" - ")]) <= {*MODELS, "humans"}
    mistakes = table[(table.section == "02_mistakes") & (table.group != "mean_of_16")]
    assert sorted(mistakes.group.unique()) == sorted(names.FACTORS)
    per_model = mistakes.groupby("model").n.sum()
    assert per_model.tolist() == [46_108] * 4  # two of the 46,110 images have no factor
    assert table[table.section == "07_synthetic"].n.isna().all()
    transfer = table[(table.section == "06_transferability") & (table.group == "overall")]
    assert set(transfer.dataset) == set(names.VTAB)
    assert transfer.n.notna().all()
    assert (table.precision[table.value.notna()] >= 0).all()


def test_units_and_keys_are_those_of_result_rows():
    rows = paper.as_rows()
    assert list(rows.columns) == list(COLUMNS)
    assert len(rows_frame(rows)) == len(rows)
    with pytest.raises(BookError, match="section"):
        paper.values("11_nothing")


def test_printed_differences_are_bar_lengths_and_differences_of_the_values():
    for section in ("05_robustness", "06_transferability"):
        table = paper.values(section)
        pairs = table[table.model.str.contains(" - ")]
        printed, bars = (pairs[pairs.kind == kind].set_index(["model", "dataset"]) for kind in ("printed", "digitised"))
        assert (printed.value - bars.value).abs().max() <= 0.055
        single = table[~table.model.str.contains(" - ")].set_index(["model", "dataset"]).value
        for (pair, dataset), bar in bars.value.items():
            first, second = pair.split(" - ")
            assert single[first, dataset] - single[second, dataset] == pytest.approx(bar, abs=0.06)


def test_decisions_equal_the_released_files(mirror):
    counts = paper.decisions().set_index(["model", "category"])
    for model, frame in released_decisions(mirror).items():
        conflict = frame[frame["shape"] != frame.texture]
        for category, part in conflict.groupby("shape"):
            seen = counts.loc[model, category]
            assert seen.n_shape == (part.decision == part["shape"]).sum()
            assert seen.n_texture == (part.decision == part.texture).sum()
            assert seen[["n_shape", "n_texture", "n_other"]].sum() == len(part)
    people = counts.filter(like="human_", axis=0).groupby("category").sum()
    people = counts.loc[[f"human_{i:02d}" for i in range(1, 11)]].groupby("category").sum()
    assert people.equals(counts.loc["humans"].sort_index())


# Intervals


def test_wilson_agrees_with_scipy():
    for k, n in ((0, 10), (3, 40), (10, 43), (25, 25), (42_755, 50_000)):
        theirs = binomtest(k, n).proportion_ci(method="wilson")
        assert np.allclose(wilson(k / n, n), (theirs.low, theirs.high), atol=1e-9)


def test_rows_with_known_n_have_an_interval_around_the_value_and_others_none():
    rows = detailed_rows()
    shares = rows[rows.metric.isin(["accuracy", "shape_bias", "error_ratio", "bin_accuracy"])]
    shares = shares[~shares.model.str.contains(" - ") & (shares.model != "humans")]
    known = shares.n.notna() | shares.n_least.notna() | shares.group.str.startswith("mean_of_")
    pug = shares.dataset == "pug_imagenet"
    assert shares[pug].ci_low.isna().all()
    assert shares[known & ~pug].ci_low.notna().all()
    inside = shares[known & ~pug]
    assert (inside.ci_low <= inside.value + 0.006).all()  # a decoded count may differ from the bar by its reading
    assert (inside.ci_high >= inside.value - 0.006).all()
    assert (rows[rows.ci_low.isna()].resampled == "none").all()


def test_average_intervals_are_those_of_independent_sets_or_wider():
    rows = paper.as_rows("06_transferability")
    mean = one(rows, model="vit_sup", dataset="vtab")
    parts = rows[(rows.model == "vit_sup") & (rows.dataset != "vtab")]
    share, n = parts.value.to_numpy() / 100, parts.n.to_numpy(dtype=float)
    independent = 100 * np.sqrt((share * (1 - share) / n).sum()) / len(parts)
    half = (mean.ci_high - mean.ci_low) / 2
    assert 1.96 * independent < half < 1.96 * independent * np.sqrt(2)


# Bars decoded to counts


@pytest.mark.parametrize("model", FOUR)
def test_rare_bars_of_every_model_are_whole_numbers_at_one_overall_error_only(model):
    ((low, high),) = decode.error_range(model)
    assert low < paper.overall_error(model) < high
    assert high - low < 0.003
    bars = paper.decoded_bars(model).set_index("group")
    rare = bars[bars.n <= 78]
    assert rare["count"].notna().all()
    assert (rare.off_by <= 0.2).all()
    assert bars["count"][["pose", "background", "color"]].isna().all()


def test_decoded_counts_are_the_known_ones():
    bars = paper.decoded_bars("convnext_sup").set_index("group")
    assert (bars["count"]["style"], bars.n["style"]) == (10, 43)
    assert (bars["count"]["multiple_objects"], bars.n["multiple_objects"]) == (11, 40)
    ratios = bars["count"].dropna().astype(float) / bars.n[bars["count"].notna()] / paper.overall_error("convnext_sup")
    assert (ratios - bars.value[ratios.index]).abs().max() <= 0.006


def test_a_wrong_overall_error_does_not_decode():
    rare = [bar for bar in decode.factor_bars("vit_sup").itertuples() if bar.n <= 78]
    assert len(rare) == 5
    wrong = [paper.decode_counts(bar.value, 0.145, int(bar.n), bar.precision).count for bar in rare]
    assert None in wrong
    with pytest.raises(BookError, match="fraction"):
        paper.decode_counts(1.0, 15.3, 40, 0.006)
    with pytest.raises(BookError, match="decoded"):
        paper.overall_error("resnet50")


def test_several_numbers_that_fit_give_no_count():
    found = paper.decode_counts(1.0, 0.35, 1000, 0.006)
    assert found.count is None
    assert len(found.candidates) == 5


# Panels


def synthetic_panel(rng, n=20_000):
    confidence = rng.beta(3, 1, n)
    correct = rng.random(n) < np.clip(confidence - 0.15 * confidence**2, 0, 1)
    edges = np.linspace(0, 1, 16)
    index = np.clip(np.ceil(confidence * 15).astype(int) - 1, 0, 14)
    count = np.bincount(index, minlength=15)
    safe = np.where(count, count, 1)
    accuracy = np.bincount(index, correct, 15) / safe
    stated = np.bincount(index, confidence, 15) / safe
    ece = float((count / n) @ np.abs(stated - accuracy))
    return panels.Panel(edges, count / n, accuracy, ece, 0.0005, n), float((confidence - correct).mean())


def test_the_true_gap_and_ece_lie_within_what_a_panel_allows():
    for seed in range(20):
        panel, gap = synthetic_panel(np.random.default_rng(seed))
        low, high = panels.gap_bounds(panel)
        assert low <= gap <= high
        assert high - low < 0.07
        assert panels.ece_bounds(panel)[0] <= panel.ece <= panels.ece_bounds(panel)[1]


@pytest.mark.parametrize(("accuracy", "gap"), [([0.6, 1.0], -0.2), ([0.0, 0.4], 0.2)])
def test_where_all_bins_lean_one_way_the_gap_is_the_ece(accuracy, gap):
    panel = panels.Panel(np.array([0.0, 0.5, 1.0]), np.array([0.5, 0.5]), np.array(accuracy), 0.2, 0.0, 1000)
    low, high = panels.gap_bounds(panel)
    assert (low, high) == pytest.approx((gap - panels.DIGITISED, gap + panels.DIGITISED))


def test_a_bin_that_may_lean_either_way_leaves_the_gap_open_as_far_as_it_reaches():
    # Only the second bin can be over-confident, by 0.45 at most: 0.045 of the ECE of 0.1, so that 0.055 are under.
    panel = panels.Panel(np.array([0.0, 0.5, 1.0]), np.array([0.9, 0.1]), np.array([0.5, 0.55]), 0.1, 0.0, 1000)
    low, high = panels.gap_bounds(panel)
    assert (low, high) == pytest.approx((-0.1 - panels.DIGITISED, 0.045 - 0.055 + panels.DIGITISED))


def test_standard_errors_from_a_panel_are_those_of_fresh_samples():
    rng = np.random.default_rng(0)
    drawn = [synthetic_panel(rng) for _ in range(300)]
    panel = drawn[0][0]
    assert panels.gap_standard_error(panel) == pytest.approx(np.std([gap for _, gap in drawn]), rel=0.2)
    simulated = panels.ece_samples(panel, rng, 2000).std()
    assert simulated == pytest.approx(np.std([each.ece for each, _ in drawn]), rel=0.25)


def test_printed_panels_agree_with_their_own_bins():
    found = paper.calibration_panels()
    assert len(found) == 8
    assert (found.accuracy - found.accuracy_from_bins).abs().max() <= 0.06
    assert ((found.ece_low <= found.ece) & (found.ece <= found.ece_high)).all()
    with pytest.raises(BookError, match="panel"):
        panels.read_panel("imagenet_a", "vit_sup")


# Ours beside the paper's


def row(**changes):
    base = dict(
        model="vit_sup", dataset="imagenet_a", view="paper.eval", metric="accuracy", group="overall", value=60.0,
        ci_low=None, ci_high=None, n=7500, unit="percent", resampled="image",
    )  # fmt: skip
    return {**base, **changes}


@pytest.mark.parametrize(
    ("changes", "reproduced", "reason"),
    [
        (dict(value=60.07), True, None),  # 0.05 of rounding and 0.02 of our own
        (dict(value=60.08), False, None),
        (dict(n=500), None, "n = 500"),
        (dict(view="timm.eval"), None, "protocol timm"),
        (dict(dataset="imagenet_hard", value=28.5, n=13_925), None, "not known"),
    ],
)
def test_reproduced_within_rounding_and_tolerance_only_for_the_same_protocol_and_n(changes, reproduced, reason):
    found = paper.compare(pd.DataFrame([row(**changes)]), "05_robustness").iloc[0]
    assert found.reproduced is reproduced or found.reproduced == reproduced
    assert (reason or "") in (found.reason or "")


def test_differences_are_also_given_in_images():
    found = paper.compare(pd.DataFrame([row(value=60.4)]), "05_robustness").iloc[0]
    assert found.images == pytest.approx(30)
    ratio = row(dataset="imagenet_x", metric="error_ratio", group="style", unit="ratio", model="convnext_sup",
                value=9 / 43 / paper.overall_error("convnext_sup"), n=43)  # fmt: skip
    found = paper.compare(pd.DataFrame([ratio]), "02_mistakes").iloc[0]
    assert found.images == pytest.approx(-1, abs=0.01)
    assert not found.reproduced


def test_groups_named_after_the_folders_of_pug_are_found():
    pug = row(dataset="pug_imagenet", group="Camera_Pitch", value=34.2, n=4000)
    assert paper.compare(pd.DataFrame([pug]), "07_synthetic").group.tolist() == ["cam_pitch"]


def test_a_run_that_is_not_comparable_gives_no_rows_and_says_why():
    found = paper.compare(pd.DataFrame([row()]), "05_robustness", comparable=False, reason="a demo")
    assert len(found) == 0
    assert found.attrs["reason"] == "a demo"
    with pytest.raises(BookError, match="reason"):
        paper.compare(pd.DataFrame([row()]), "05_robustness", comparable=False)


def test_the_paper_reproduces_itself_except_where_n_or_protocol_is_unknown():
    for section in SECTIONS:
        found = paper.compare(paper.as_rows(section), section)
        assert len(found) > 0
        wrong = found[found.reproduced.isin([False])]
        # The one figure that the released decisions do not reproduce.
        assert set(wrong.model) == ({"convnext_clip"} if section == "03_shape_texture" else set())
        assert found[found.reproduced.isna()].reason.notna().all()
