"""Rows of section 5: against plain recomputation, statsmodels, published numbers, and truths that were planted."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from planted_sets import NAMES, images, rng, whole_section
from scipy.special import ndtr, ndtri
from scipy.stats import binomtest

from helpers import datasets, instrument, metrics, paper, stats
from helpers.demo import planted
from helpers.errors import BookError
from helpers.metrics import effective
from helpers.paper.names import SHIFTED, VIT_SUP
from helpers.results import COLUMNS, select
from helpers.stats.rows_corruption import corrupted
from helpers.stats.rows_robustness import SHIFTED_ROLES


def one(rows, **equal):
    found = select(rows, **equal)
    assert len(found) == 1, found
    return found.iloc[0]


def corrupted_frames(n=40, seed=0, slopes=(0.05, 0.1), correlation=0.5):
    accuracies = {
        model: planted.falling(dict.fromkeys(NAMES, 0.8), slope)
        for model, slope in zip(("convnext_sup", "vit_sup"), slopes, strict=True)
    }
    seen = planted.corruption_response(images("c", n), accuracies, rng(seed), correlation)
    return {each.model: each.frame for each in seen}, seen


def right_of(frame):
    return np.array([pred in label for pred, label in zip(frame.pred, frame.label, strict=True)])


# ImageNet-C


def test_corruption_rows_equal_plain_means_and_n_counts_sources():
    frames, _ = corrupted_frames()
    rows = stats.corruption_rows(frames, rng(), 50)
    frame = frames["vit_sup"].assign(right=right_of(frames["vit_sup"]))
    parts = frame.group.str.split(":", expand=True)
    mine = select(rows, model="vit_sup", metric="accuracy").set_index("group")
    assert mine.value[frame.group.unique()].to_numpy() == pytest.approx(
        100 * frame.groupby("group", sort=False).right.mean().to_numpy()
    )
    assert mine.value["fog"] == pytest.approx(100 * frame.right[parts[0] == "fog"].mean())
    assert mine.value["severity_3"] == pytest.approx(100 * frame.right[parts[1] == "3"].mean())
    assert mine.value["overall"] == pytest.approx(100 * frame.right.mean())
    assert set(mine.n) == {40}
    assert set(rows.resampled) <= {"source image", "none"}
    low, high = binomtest(int(frame.right[frame.group == "fog:1"].sum()), 40).proportion_ci(method="wilson")
    assert (mine.ci_low["fog:1"], mine.ci_high["fog:1"]) == pytest.approx((100 * low, 100 * high))


def test_the_mean_is_over_conditions_even_where_their_sizes_differ():
    frames, _ = corrupted_frames(10)
    frame = frames["vit_sup"]
    fewer = frame[~((frame.group == "fog:1") & (frame.image_id.str[-1].isin(list("01234"))))]
    rows = stats.corruption_rows({"vit_sup": fewer}, rng(), 10)
    by_condition = fewer.assign(right=right_of(fewer)).groupby("group").right.mean()
    assert one(rows, metric="accuracy", group="overall").value == pytest.approx(100 * by_condition.mean())


def test_alexnet_has_an_mce_of_100_and_a_perfect_model_of_0():
    accuracy = pd.DataFrame({s: 100 - metrics.alexnet_errors() for s in range(1, 6)})
    assert metrics.mean_corruption_error(accuracy) == pytest.approx(100)
    assert metrics.mean_corruption_error(0 * accuracy + 100) == 0
    assert metrics.mean_corruption_error(0 * accuracy) == pytest.approx(100 * (100 / metrics.alexnet_errors()).mean())


def test_mce_by_hand_and_unlike_mean_error():
    """Two corruptions, errors .2 and .6 against .4 and .8: (50 + 75) / 2, not .4 / .6 = 67."""
    table = pd.DataFrame({1: [90.0, 50.0], 2: [70.0, 30.0]}, index=["fog", "snow"])
    baseline = pd.Series({"snow": 80.0, "fog": 40.0})
    assert metrics.mean_corruption_error(table, baseline) == pytest.approx(62.5)
    with pytest.raises(BookError, match="fog"):
        metrics.mean_corruption_error(table, baseline[["snow"]])


def test_mce_and_slope_rows_are_those_of_the_metrics():
    frames, _ = corrupted_frames()
    rows = stats.corruption_rows(frames, rng(), 50)
    mine = select(rows, model="convnext_sup", metric="accuracy").set_index("group").value
    table = pd.DataFrame({s: [mine[f"{name}:{s}"] for name in NAMES] for s in range(1, 6)}, index=NAMES)
    assert one(rows, model="convnext_sup", metric="mce", group="overall").value == pytest.approx(
        metrics.mean_corruption_error(table)
    )
    slope = np.polyfit(range(1, 6), table.to_numpy().T, 1)[0]
    found = select(rows, model="convnext_sup", metric="severity_slope").set_index("group").value
    assert found[NAMES].to_numpy() == pytest.approx(slope)
    assert found["overall"] == pytest.approx(slope.mean())
    drawn = stats.corruption_rows(frames, rng(), 10, dataset="demo_c")
    assert "mce" not in set(drawn.metric)  # AlexNet never saw the drawn world


def test_alexnets_errors_are_of_the_corruptions_that_are_read():
    assert tuple(NAMES) == datasets.CORRUPTIONS
    assert metrics.alexnet_errors().between(50, 95).all()


def test_sources_are_drawn_whole():
    """With versions of one source alike, the interval is that of 40 sources, not of 3,000 images."""
    wide, _ = corrupted_frames(correlation=1.0, slopes=(0.0, 0.0))
    loose, _ = corrupted_frames(correlation=0.0, slopes=(0.0, 0.0))
    half = []
    for frames in (wide, loose):
        row = one(stats.corruption_rows(frames, rng(), 400), model="vit_sup", metric="accuracy", group="overall")
        half.append((row.ci_high - row.ci_low) / 2)
    share = right_of(wide["vit_sup"]).mean()
    assert half[0] == pytest.approx(196 * np.sqrt(share * (1 - share) / 40), rel=0.15)
    assert half[1] == pytest.approx(196 * np.sqrt(0.16 / 3000), rel=0.4)


def test_rows_do_not_depend_on_the_order_of_images():
    frames, _ = corrupted_frames(20)
    mixed = {model: frame.sample(frac=1, random_state=i) for i, (model, frame) in enumerate(frames.items())}
    one_way, other = (stats.corruption_rows(each, rng(), 10) for each in (frames, mixed))
    pd.testing.assert_series_equal(one_way.value, other.value)


def test_ids_of_another_form_are_refused():
    frame = pd.DataFrame({"image_id": ["fog/2/x"], "group": ["fog:3"], "label": [[1]], "pred": [1]})
    with pytest.raises(BookError, match="fog/3/"):
        corrupted({"vit_sup": frame})
    with pytest.raises(BookError, match="corruption"):
        corrupted({"vit_sup": frame.assign(group="fog")})


# Averages and whole sections


@pytest.fixture(scope="module")
def section():
    sets, ids = whole_section()
    return sets, ids, stats.robustness_rows(sets, ids, rng(), 200)


def test_nothing_in_gives_no_rows():
    assert tuple(stats.robustness_rows({}, {}, rng()).columns) == COLUMNS
    assert stats.robustness_rows({"v2": {}}, {"v2": "imagenet_v2_mf"}, rng()).empty
    assert stats.corruption_rows({}, rng()).empty


def test_averages_are_the_means_of_the_sets(section):
    _, ids, rows = section
    overall = select(rows, metric="accuracy", group="overall", model=VIT_SUP).set_index("dataset").value
    seven = [overall[ids[role]] for role in SHIFTED_ROLES]
    assert one(rows, dataset="shifted_sets", model=VIT_SUP).value == pytest.approx(np.mean(seven))
    assert one(rows, dataset="shifted_sets_without_real", model=VIT_SUP).value == pytest.approx(np.mean(seven[:-1]))


def test_an_average_needs_all_its_sets():
    sets, ids = whole_section(n=20)
    without_real = {role: frames for role, frames in sets.items() if role not in ("real", "val")}
    rows = stats.robustness_rows(without_real, ids, rng(), 10)
    assert {name for name in rows.dataset if name.startswith("shifted")} == {"shifted_sets_without_real"}
    found = stats.drawn_sets({**sets, "a": {VIT_SUP: sets["a"][VIT_SUP]}}, rng(), 10)
    assert set(stats.average_rows(found).model) == {VIT_SUP}  # models that have every set


def test_the_interval_of_an_average_is_that_of_independent_sets(section):
    """Against the normal interval from the sets' own errors, ReaL and C apart from the rest."""
    sets, _, rows = section
    shares = {role: right_of(frames[VIT_SUP]) for role, frames in sets.items() if role not in ("val", "c")}
    variance = sum(x.var() / len(x) for x in shares.values()) / 49
    c = sets["c"][VIT_SUP].assign(right=right_of(sets["c"][VIT_SUP]))
    by_source = c.groupby(c.image_id.str.rpartition("/")[2]).right.mean()
    variance += by_source.var(ddof=0) / len(by_source) / 49
    row = one(rows, dataset="shifted_sets", model=VIT_SUP)
    assert (row.ci_high - row.ci_low) / 2 == pytest.approx(196 * np.sqrt(variance), rel=0.2)
    assert (row.n, row.resampled) == (6 * 200 + 30, "image within set")


def test_real_and_c_are_drawn_together_where_they_show_the_same_images():
    """One difficulty an image in both: their resamples go together; under other names they do not."""
    n = 60
    easy = np.arange(n) < n // 2
    ids = [f"ILSVRC2012_val_{i:08d}.JPEG" for i in range(n)]
    real = pd.DataFrame({"image_id": ids, "label": [[1]] * n, "pred": np.where(easy, 1, 0)})
    c = real.assign(image_id=[f"fog/1/n01440764/{name}" for name in ids], group="fog:1")
    together = stats.drawn_sets({"c": {"m": c}, "real": {"m": real}}, rng(), 300)
    assert np.corrcoef(together["c"].samples[:, 0], together["real"].samples[:, 0])[0, 1] > 0.999
    other = real.assign(image_id=[f"x{i}" for i in range(n)])
    apart = stats.drawn_sets({"c": {"m": c}, "real": {"m": other}}, rng(), 300)
    assert abs(np.corrcoef(apart["c"].samples[:, 0], apart["real"].samples[:, 0])[0, 1]) < 0.2
    assert together["real"].values.tolist() == apart["real"].values.tolist() == [0.5]


def test_any_label_of_hard_is_right_and_n_is_that_of_scored_images():
    frame = pd.DataFrame({"image_id": list("abc"), "label": [[1, 2, 3], [4], [5, 6]], "pred": [3, 1, 6]})
    rows = stats.robustness_rows({"hard": {VIT_SUP: frame}}, {"hard": "imagenet_hard"}, rng(), 10)
    row = one(rows, metric="accuracy")
    assert (round(row.value, 4), row.n) == (66.6667, 3)


def test_the_claims_are_decided_by_paired_rows(section):
    _, _, rows = section
    table = paper.ledger({"this run": rows})
    mine = table[(table.section == "05_robustness") & (table.source == "this run")]
    assert set(mine.claim) == {claim.id for claim in paper.claims_of("05_robustness")}
    assert not mine.verdict.isin(["not run", "not decidable"]).any()
    assert not mine.resampled.str.contains("widest").any()
    assert (mine.resampled == "image within set").any()
    compared = paper.compare(rows, "05_robustness")
    assert {"shifted_sets", "imagenet_c", "imagenet_real"} <= set(compared.dataset)


def test_pictures_as_they_are_never_pass_for_the_papers_view(section):
    _, _, rows = section
    c = (rows.dataset == "imagenet_c") & (rows.metric == "accuracy") & (rows.group == "overall")
    other = rows[c].assign(view="paper.asis", value=1.0, ci_low=0.5, ci_high=1.5)
    both = pd.concat([other, rows], ignore_index=True)
    ours, theirs = (
        paper.compare(each, "05_robustness").set_index(["model", "dataset", "kind"]).ours for each in (both, rows)
    )
    pd.testing.assert_series_equal(ours.sort_index(), theirs.sort_index())
    verdicts = [paper.ledger({"x": each}).query("source == 'x'").verdict.tolist() for each in (both, rows)]
    assert verdicts[0] == verdicts[1]


def test_every_row_has_n_and_contrasts_have_both_scales(section):
    rows = section[2]
    assert rows.n.notna().all()
    pairs = rows[rows.model == "vit_sup - convnext_sup"]
    for dataset in (*SHIFTED, "shifted_sets"):
        units = set(pairs.unit[(pairs.dataset == dataset) & pairs.metric.str.startswith("accuracy")])
        assert units >= {"points", "log_odds"}, dataset


# The baseline


@pytest.mark.parametrize("dataset", list(effective.CLEAN))
def test_the_line_and_its_interval_are_those_of_statsmodels(dataset):
    networks = metrics.baseline_networks()
    kept = networks[networks.imagenet1k_val >= effective.LOWEST]
    x, y = (ndtri(kept[name].to_numpy() / 100) for name in (effective.CLEAN[dataset], dataset))
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    line = metrics.baseline_line(dataset)
    assert (line.intercept, line.slope) == pytest.approx(tuple(fit.params), rel=1e-9)
    assert (line.r2, line.n) == pytest.approx((fit.rsquared, fit.nobs))
    at = np.array([66.3, 85.5])
    frame = fit.get_prediction(sm.add_constant(ndtri(at / 100), has_constant="add")).summary_frame(alpha=0.05)
    low, high = metrics.prediction_interval(line, at)
    assert low == pytest.approx(100 * ndtr(frame.obs_ci_lower.to_numpy()), rel=1e-9)
    assert high == pytest.approx(100 * ndtr(frame.obs_ci_upper.to_numpy()), rel=1e-9)
    assert metrics.expected_accuracy(line, at) == pytest.approx(100 * ndtr(frame["mean"].to_numpy()), rel=1e-9)


def test_a_network_of_the_baseline_is_predicted_by_the_others():
    """Leave one out: about 95 % of the networks lie inside the interval that the others give."""
    networks = metrics.baseline_networks()
    networks = networks[networks.imagenet1k_val >= effective.LOWEST].iloc[::9].reset_index(drop=True)
    inside = []
    for at, row in networks.iterrows():
        low, high = metrics.prediction_interval(
            metrics.baseline_line("imagenet_v2_mf", networks.drop(index=at)), row.imagenet1k_val
        )
        inside.append(low <= row.imagenet_v2_mf <= high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.04)


def test_the_networks_are_those_of_timms_files(mirror):
    """The committed table is what the published files give; spot checks against the files read otherwise."""
    folder = next((mirror / "raw.githubusercontent.com/huggingface/pytorch-image-models").iterdir()) / "results"
    files = {name: folder / file for name, file in effective.FILES.items()}
    made = effective.derived(files, folder / effective.METADATA)
    pd.testing.assert_frame_equal(made, metrics.baseline_networks())
    lines = (folder / "results-sketch.csv").read_text().splitlines()
    lines = [line for line in lines if line.startswith("resnet18.tv_")]
    value = made.set_index("model").imagenet_sketch["resnet18.tv_in1k"]
    assert any(f",{value:.3f}," in line for line in lines)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("convnext_base.fb_in1k", True), ("vit_base_patch16_224.augreg_in1k", True),
        ("hiera_base_224.mae_in1k_ft_in1k", True),
        ("convnext_base.fb_in22k_ft_in1k", False), ("resnet50.fb_swsl_ig1b_ft_in1k", False),
        ("vit_base_patch16_clip_224.laion2b_ft_in1k", False), ("deit_base_distilled_patch16_224.fb_in1k", False),
        ("tf_efficientnet_b0.ns_jft_in1k", False), ("beitv2_base_patch16_224.in1k_ft_in1k", False),
        ("eva02_large_patch14_448.mim_m38m_ft_in22k_in1k", False), ("resnet50.tv_in1k_other", False),
    ],
)  # fmt: skip
def test_networks_that_saw_more_are_no_baseline(name, there):
    assert effective.in1k_only(name, {}) is there


def test_timms_metadata_overrules_a_name():
    assert not effective.in1k_only("some_net.in1k", {"some_net": "in1k-dist"})
    assert effective.in1k_only("some_net.in1k", {"some_net": "in1k"})


def test_effective_robustness_of_checkpoints_whose_numbers_are_published():
    found = paper.published_effective().set_index(["dataset", "model", "source"])
    supervised = found.xs("the paper, figures", level="source").loc["imagenet_v2_mf"]
    assert supervised.beyond[["convnext_sup", "vit_sup"]].abs().max() < 1  # V2 follows the line
    assert (found.loc["imagenet_sketch"].beyond > 5).all()
    assert set(found[~found.like_for_like].index.get_level_values("model")) == {"convnext_clip", "vit_clip"}
    row = found.loc[("imagenet_a", "vit_sup", "timm, 224 px")]
    assert (row.clean, row.found) == (97.49, 57.147)
    assert "convnext_clip" not in found.loc["imagenet_a"].index  # its clean accuracy on 200 classes is not published


def test_effective_rows_need_the_same_classes():
    sets, ids = whole_section(n=100)
    rows = stats.robustness_rows(sets, ids, rng(), 50)
    assert set(rows.dataset[rows.metric == "effective_robustness"]) == {"imagenet_v2_mf", "imagenet_sketch"}
    same = {"a": {"masked": sets["val"], "unmasked": sets["val"]}}
    more = stats.robustness_rows(sets, ids, rng(), 50, same_classes=same)
    beyond = {"imagenet_v2_mf", "imagenet_sketch", "imagenet_a"}
    assert set(more.dataset[more.metric == "effective_robustness"]) == beyond
    row = one(more, metric="effective_robustness", dataset="imagenet_a", model=VIT_SUP)
    clean = one(more, group="classes_of_imagenet_a", model=VIT_SUP, metric="accuracy").value
    shifted = one(more, dataset="imagenet_a", group="overall", model=VIT_SUP, metric="accuracy").value
    line = metrics.baseline_line("imagenet_a")
    assert row.value == pytest.approx(shifted - metrics.expected_accuracy(line, clean))


# One pool, two filters


def answered(ids, right):
    return pd.DataFrame({"image_id": ids, "label": [[1]] * len(ids), "pred": np.where(right, 1, 2)})


def chosen_twice(n=120):
    """Two models on two sets of n that share a quarter of their images, where they answer the same."""
    pool = {m: rng(seed).random(2 * n) < share for seed, (m, share) in enumerate(PAIR_SHARES.items())}
    first, second = np.arange(n), np.arange(3 * n // 4, 7 * n // 4)
    return [{m: answered([f"p{i}" for i in at], right[at]) for m, right in pool.items()} for at in (first, second)]


PAIR_SHARES = {"vit_sup": 0.7, "convnext_sup": 0.5}


def test_how_far_a_filter_moves_a_contrast_is_the_difference_of_two_differences():
    one_set, other = chosen_twice()
    rows = stats.filter_rows(one_set, other, rng(), 4_000)
    gaps = [
        100 * (right_of(part["vit_sup"]).mean() - right_of(part["convnext_sup"]).mean()) for part in (one_set, other)
    ]
    row = one(rows)
    assert (row.model, row.unit, row.n, row.dataset) == ("vit_sup - convnext_sup", "points", 210, "demo_a_vit")
    assert row.value == pytest.approx(gaps[1] - gaps[0])
    assert one(stats.filter_rows(other, one_set, rng(), 10)).value == pytest.approx(gaps[0] - gaps[1])


def test_images_of_both_sets_count_once_in_the_interval_of_a_filter_s_effect():
    """Against a bootstrap written out image by image; two sets of the same images have nothing to tell apart."""
    one_set, other = chosen_twice()
    row = one(stats.filter_rows(one_set, other, rng(), 4_000))
    gap = [part["vit_sup"].assign(d=right_of(part["vit_sup"]) * 1.0 - right_of(part["convnext_sup"]))
           .set_index("image_id").d for part in (one_set, other)]  # fmt: skip
    table, drawn = pd.concat(gap, axis=1).to_numpy(), rng(5)
    moved = []
    for _ in range(2_000):
        picked = table[drawn.integers(0, len(table), len(table))]
        moved.append(100 * float(np.nanmean(picked[:, 1]) - np.nanmean(picked[:, 0])))
    assert [row.ci_low, row.ci_high] == pytest.approx(np.percentile(moved, [2.5, 97.5]), abs=1.2)
    same = one(stats.filter_rows(one_set, one_set, rng(), 50))
    assert same.value == 0
    assert np.isnan(same.ci_low)
    assert stats.filter_rows(one_set, {}, rng(), 5).empty


def test_the_set_of_the_other_filter_enters_no_average(section):
    sets, ids, rows = section
    more = stats.robustness_rows({**sets, "a_vit": sets["v2"]}, {**ids, "a_vit": "demo_a_vit"}, rng(), 200)
    own = more.dataset.eq("demo_a_vit")
    averages = more.dataset.str.endswith(("shifted_sets", "shifted_sets_without_real"))
    assert more[averages].value.tolist() == rows[rows.dataset.str.startswith("shifted_sets")].value.tolist()
    assert more[averages].n.tolist() == rows[rows.dataset.str.startswith("shifted_sets")].n.tolist()
    assert {"accuracy", "contrast_moved"} <= set(more[own].metric)
    assert "contrast_moved" not in set(rows.metric)


# Planted truths


def test_the_instrument_finds_what_was_planted():
    frame = pd.concat([instrument.check("05_robustness", rng(seed), 100) for seed in range(3)])
    assert frame.inside.notna().all()
    for metric, part in frame.groupby("metric"):
        assert part.inside.astype(bool).mean() > (0.9 if len(part) > 50 else 0.7), metric
    assert set(frame.metric) == {"accuracy", "mce", "severity_slope", "effective_robustness"}
    assert {"demo_shifted_sets", "demo_shifted_sets_without_real", "demo_c", "demo_hard"} <= set(frame.dataset)
    assert frame.model.str.startswith("planted_").all()


def test_intervals_of_the_corruption_summaries_cover():
    """95 % intervals of mean accuracy, slope and mCE over repeated draws of 60 sources."""
    hits = []
    for seed in range(40):
        accuracies = {"m": planted.falling(dict.fromkeys(NAMES[:3], 0.8), 0.08)}
        baseline = metrics.alexnet_errors()[NAMES[:3]]
        seen = planted.corruption_response(images("c", 60), accuracies, rng(seed), baseline=baseline.to_dict())
        rows = stats.corruption_rows({"m": seen[0].frame}, rng(seed), 100, "demo_c", "planted.eval", baseline=baseline)
        frame = planted.against(seen[0].truth, rows)
        hits.append(frame[frame.group == "overall"].set_index("metric").inside.astype(bool))
    seen = pd.DataFrame(hits).mean()
    assert set(seen.index) == {"accuracy", "severity_slope", "mce"}
    assert (seen > 0.84).all(), seen
