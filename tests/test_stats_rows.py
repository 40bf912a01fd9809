"""The builders of result rows: conventions, known intervals on the released files, plain recomputation."""

import numpy as np
import pandas as pd
import pytest
from released_frames import decisions

from helpers import metrics, stats
from helpers.results import COLUMNS, select

IMAGE, CROSSED = "image", "shape exemplar x texture exemplar"


def rng():
    return np.random.default_rng(0)


def one(rows, **equal):
    found = select(rows, **equal)
    assert len(found) == 1, found
    return found.iloc[0]


@pytest.fixture(scope="module")
def all_decisions(mirror):
    return decisions(mirror)


@pytest.fixture(scope="module")
def shape(all_decisions):
    return stats.shape_rows(all_decisions, rng())


BUILDERS = (
    stats.shape_rows, stats.category_accuracy_rows, stats.agreement_rows, stats.mistakes_rows, stats.calibration_rows,
    stats.accuracy_rows, stats.recalibrated_rows,
)  # fmt: skip


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__)
def test_nothing_in_gives_no_rows_with_the_right_columns(builder):
    rows = builder({}, rng())
    assert len(rows) == 0
    assert tuple(rows.columns) == COLUMNS


def test_counts_without_input():
    assert tuple(stats.shape_count_rows({}).columns) == COLUMNS


def test_shape_rows_equal_the_metrics(all_decisions, shape):
    for key in ("vit_clip", "human_03"):
        counts = metrics.shape_counts(all_decisions[key])
        row = one(shape, model=key, group="overall", metric="shape_bias", resampled=IMAGE)
        assert row.value == pytest.approx(metrics.pooled_shape_bias(counts))
        assert row.n == counts[["n_shape", "n_texture"]].to_numpy().sum()
        assert one(shape, model=key, group="mean_of_16", resampled=CROSSED).value == pytest.approx(
            metrics.mean_shape_bias(counts)
        )
        boat = one(shape, model=key, group="boat", resampled=IMAGE)
        assert (boat.value, boat.n) == (
            pytest.approx(metrics.shape_bias(*counts.loc["boat"][:2])), counts.loc["boat"][:2].sum()
        )  # fmt: skip


def test_both_standard_errors_of_shape_bias(shape):
    pooled = select(shape, model=list(stats.TWO_BY_TWO), group="overall", metric="shape_bias")
    error = (pooled.ci_high - pooled.ci_low).groupby(pooled.resampled).mean() / 3.92
    assert error[CROSSED] == pytest.approx(0.049, abs=0.003)
    assert error[IMAGE] == pytest.approx(0.017, abs=0.001)
    image = select(pooled, resampled=IMAGE)  # image by image it is the error of a share
    expected = np.sqrt(image.value * (1 - image.value) / image.n.astype(float))
    assert ((image.ci_high - image.ci_low) / 3.92).to_numpy() == pytest.approx(expected.to_numpy(), rel=0.08)


def test_the_clip_pair_is_resolved_per_image_only(shape):
    pair = {"model": "vit_clip - convnext_clip", "group": "overall", "metric": "shape_bias"}
    image, crossed = one(shape, **pair, resampled=IMAGE), one(shape, **pair, resampled=CROSSED)
    assert image.value == crossed.value == pytest.approx(0.0406, abs=1e-4)
    assert (image.ci_low, image.ci_high) == pytest.approx((0.006, 0.075), abs=0.005)
    assert (crossed.ci_low, crossed.ci_high) == pytest.approx((-0.026, 0.106), abs=0.008)
    assert image.n == 1200


def test_the_crossed_interval_is_that_of_a_plain_loop(all_decisions, shape):
    """Draw exemplars with replacement and count an image once per pair of draws: slow, and not our code."""
    table = all_decisions["vit_clip"].query("shape != texture")
    parts = table.image_id.str.removesuffix(".png").str.split("-", expand=True)
    hit = (table.decision == table["shape"]).to_numpy()
    cue = hit | (table.decision == table.texture).to_numpy()
    generator, samples = np.random.default_rng(5), []
    shapes, textures = parts[0].unique(), parts[1].unique()
    for _ in range(600):
        s = pd.Series(generator.choice(shapes, len(shapes))).value_counts()
        t = pd.Series(generator.choice(textures, len(textures))).value_counts()
        weight = parts[0].map(s).fillna(0).to_numpy() * parts[1].map(t).fillna(0).to_numpy()
        samples.append((weight * hit).sum() / (weight * cue).sum())
    ours = one(shape, model="vit_clip", group="overall", resampled=CROSSED, metric="shape_bias")
    assert (ours.ci_low, ours.ci_high) == pytest.approx(np.percentile(samples, [2.5, 97.5]), abs=0.02)


def test_people_are_pooled_and_drawn_themselves(shape):
    crossed = one(shape, model="humans", group="overall", resampled=f"{CROSSED} x subject")
    image = one(shape, model="humans", group="overall", resampled=IMAGE)
    assert image.value == crossed.value == pytest.approx(9236 / 9634)
    assert image.n == 9634
    assert crossed.ci_low < image.ci_low < image.ci_high < crossed.ci_high
    assert select(shape, model="humans", resampled=CROSSED).empty


def test_effects_of_the_2x2(shape):
    value = {key: one(shape, model=key, group="overall", resampled=IMAGE).value for key in stats.TWO_BY_TWO}
    interaction = one(shape, model="interaction", metric="shape_bias", resampled=IMAGE)
    plain = value["vit_clip"] - value["convnext_clip"] - value["vit_sup"] + value["convnext_sup"]
    assert interaction.value == pytest.approx(plain)
    assert one(shape, metric="shape_bias_scale_dependent").value == 0.0
    assert set(select(shape, metric="shape_bias_log_odds").unit) == {"log_odds"}


def test_a_model_alone_has_no_contrasts(all_decisions):
    rows = stats.shape_rows({"mae": all_decisions["mae"]}, rng(), n_resamples=50)
    assert set(rows.model) == {"mae"}
    assert set(rows.resampled) == {IMAGE, CROSSED}


def test_count_rows(all_decisions):
    rows = stats.shape_count_rows(all_decisions)
    assert one(rows, model="humans", metric="n_other", group="overall").value == 2366
    assert one(rows, model="vit_sup", metric="n_texture", group="oven").value == 27
    assert one(rows, model="vit_sup", metric="n_texture", group="overall").n == 1280


def test_category_accuracy_rows(all_decisions):
    rows = stats.category_accuracy_rows(all_decisions, rng(), n_resamples=200)
    row = one(rows, model="vit_clip", group="conflict", resampled=CROSSED)
    assert (row.value, row.n, row.unit) == (pytest.approx(100 * 421 / 1200), 1200, "percent")
    pair = one(rows, model="vit_clip - vit_sup", group="all", resampled=IMAGE, metric="accuracy")
    expected = metrics.category_accuracy(all_decisions["vit_clip"], False) - metrics.category_accuracy(
        all_decisions["vit_sup"], False
    )
    assert (pair.value, pair.unit) == (pytest.approx(expected), "points")


def test_agreement_rows(all_decisions):
    rows = stats.agreement_rows(all_decisions, rng(), n_resamples=300)
    pair = one(rows, model="convnext_clip ~ vit_clip", metric="kappa", group="conflict", resampled=IMAGE)
    assert (pair.value, pair.n) == (pytest.approx(0.483, abs=5e-4), 1200)
    assert one(rows, model=pair.model, metric="kappa", group="all", resampled=IMAGE).value == pytest.approx(
        0.515, abs=5e-4
    )
    crossed = one(rows, model=pair.model, metric="kappa", group="conflict", resampled=CROSSED)
    assert crossed.ci_high - crossed.ci_low > pair.ci_high - pair.ci_low
    matrix = metrics.kappa_matrix(metrics.correct_table(all_decisions))
    people = [key for key in all_decisions if key.startswith("human")]
    with_model = one(rows, model="vit_clip ~ humans", metric="kappa", group="conflict", resampled=IMAGE)
    assert with_model.value == pytest.approx(matrix.loc["vit_clip", people].mean())
    among = matrix.loc[people, people].to_numpy()[np.triu_indices(10, 1)]
    assert one(rows, model="humans ~ humans", metric="kappa", group="conflict", resampled=IMAGE).value == pytest.approx(
        among.mean()
    )
    low, high = (one(rows, model=pair.model, metric=f"kappa_{end}", group="conflict").value for end in ("min", "max"))
    assert low < pair.value < high
    assert not rows.model.str.contains("human_").any()


def test_agreement_rows_with_single_people(all_decisions):
    few = {key: all_decisions[key] for key in ("vit_clip", "human_01", "human_02")}
    rows = stats.agreement_rows(few, rng(), n_resamples=20, each_person=True)
    assert set(rows.model) == {
        "vit_clip ~ human_01", "vit_clip ~ human_02", "human_01 ~ human_02", "vit_clip ~ humans", "humans ~ humans",
    }  # fmt: skip


def test_rows_are_the_same_for_the_same_seed(all_decisions):
    few = {key: all_decisions[key] for key in ("vit_clip", "convnext_clip")}
    first, second = (stats.shape_rows(few, rng(), n_resamples=50) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    other = stats.shape_rows(few, np.random.default_rng(1), n_resamples=50)
    assert not first.ci_low.equals(other.ci_low)
