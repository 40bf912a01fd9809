"""Weights, counts, intervals, tests and contrasts: against scipy, statsmodels and plain loops."""

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import ztost

from helpers import stats


def rng():
    return np.random.default_rng(7)


def test_weights_are_counts_of_draws():
    weights = stats.image_weights(50, 4000, rng())
    assert weights.dtype == np.float32
    assert (weights.sum(axis=1) == 50).all()
    assert weights.mean() == pytest.approx(1.0)
    assert weights.var() == pytest.approx(1 - 1 / 50, rel=0.05)
    assert np.array_equal(weights, stats.image_weights(50, 4000, rng()))  # the seed decides


def test_cluster_weights_are_equal_within_a_cluster():
    weights = stats.cluster_weights(["a", "b", "a", "c"], 100, rng())
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert not np.array_equal(weights[:, 0], weights[:, 1])


def test_crossed_weights_have_the_variance_of_a_pigeonhole():
    """For a balanced two-way table of row effects alone, the crossed bootstrap sees the variance of the row mean."""
    rows, columns = np.repeat(np.arange(40), 30), np.tile(np.arange(30), 40)
    effect = rng().normal(0, 1, 40)
    weights = stats.crossed_weights([rows, columns], 4000, rng())
    means = (weights @ effect[rows]) / weights.sum(axis=1)
    assert means.std() == pytest.approx(effect.std() / np.sqrt(40), rel=0.05)
    plain = stats.image_weights(1200, 4000, rng())
    assert (plain @ effect[rows] / 1200).std() < 0.3 * means.std()  # image by image hides it


def test_resampled_counts_are_the_plain_bootstrap():
    """Drawing cell counts at once gives the distribution of drawing images one by one."""
    correct = rng().random((300, 2)) < [0.7, 0.5]
    groups = rng().integers(0, 3, 300)
    cells, patterns = stats.joint_cells(correct, groups, 3)
    assert (cells @ patterns).tolist() == [correct[groups == g].sum(axis=0).tolist() for g in range(3)]
    drawn = stats.resampled_counts(cells, 6000, rng())
    assert (drawn.sum(axis=(1, 2)) == 300).all()
    assert (drawn[:, cells == 0] == 0).all()
    fast = (drawn @ patterns).reshape(6000, -1)
    weights = stats.image_weights(300, 6000, np.random.default_rng(8))
    columns = np.concatenate([correct * (groups == g)[:, None] for g in range(3)], axis=1)
    slow = weights @ columns.astype(np.float32)
    assert fast.mean(axis=0) == pytest.approx(slow.mean(axis=0), rel=0.02)
    assert np.cov(fast.T) == pytest.approx(np.cov(slow.T), abs=0.08 * np.cov(slow.T).max())


def test_percentile_and_basic_intervals_agree_with_scipy():
    data = rng().exponential(1, 80)
    samples = (stats.image_weights(80, 40_000, rng()) @ data) / 80
    for method, ours in (
        ("percentile", stats.percentile_interval(samples)),
        ("basic", stats.basic_interval(data.mean(), samples)),
    ):
        theirs = scipy.stats.bootstrap(
            (data,), np.mean, n_resamples=40_000, method=method, rng=rng()
        ).confidence_interval
        assert ours == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_an_interval_is_withheld_where_too_many_resamples_are_undefined():
    samples = np.arange(400.0).reshape(200, 2)
    samples[:8, 0] = np.nan
    samples[:20, 1] = np.nan
    low, high = stats.percentile_interval(samples)
    assert np.isfinite([low[0], high[0]]).all()
    assert np.isnan([low[1], high[1]]).all()


def test_basic_interval_respects_the_floor():
    low, high = stats.basic_interval(0.01, np.linspace(0.0, 0.04, 101), floor=0.0)
    assert low == 0.0
    assert high >= low


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_statsmodels(counts):
    assert stats.wilson_interval(*counts) == pytest.approx(proportion_confint(*counts, method="wilson"), abs=1e-12)


def test_wilson_of_nothing_is_undefined():
    assert np.isnan(stats.wilson_interval(0, 0)).all()


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 20, 5, 21)])
def test_newcombe_agrees_with_statsmodels(counts):
    theirs = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert stats.newcombe_interval(*counts) == pytest.approx(theirs, abs=1e-12)


def test_paired_newcombe_without_correlation_is_the_independent_one_and_narrows_with_it():
    both, only_1, only_2, neither = 30, 30, 20, 20  # (60 right, 50 right), product difference 0
    paired = stats.newcombe_paired_interval(both, only_1, only_2, neither)
    assert paired == pytest.approx(stats.newcombe_interval(60, 100, 50, 100), abs=1e-12)
    correlated = stats.newcombe_paired_interval(48, 12, 2, 38)
    assert np.diff(correlated) < np.diff(paired)
    assert np.mean(correlated) == pytest.approx(0.1, abs=0.01)


def test_paired_newcombe_covers():
    cells = rng().multinomial(60, [0.6, 0.15, 0.1, 0.15], size=2000)
    hits = [low <= 0.05 <= high for low, high in (stats.newcombe_paired_interval(*map(int, each)) for each in cells)]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(("first", "second"), [(1, 9), (5, 5), (30, 12), (0, 0)])
def test_mcnemar_agrees_with_statsmodels(first, second):
    theirs = their_mcnemar([[10, first], [second, 10]], exact=True).pvalue if first + second else 1.0
    assert stats.mcnemar(first, second) == pytest.approx(theirs)


def test_tost_agrees_with_statsmodels():
    data = rng().normal(0.1, 1.0, 200)
    expected = ztost(data, -0.3, 0.3)[0]
    error = data.std(ddof=1) / np.sqrt(200)
    assert stats.tost(data.mean(), error, 0.3) == pytest.approx(expected)
    assert stats.tost(0.2, 0.0, 0.1) == 1.0
    assert stats.tost(0.05, 0.0, 0.1) == 0.0


def test_bootstrap_tost_flips_at_its_margin():
    samples = rng().normal(0.2, 0.1, 5000)
    margin = stats.equivalence_margin(samples)
    assert margin == pytest.approx(0.2 + 1.645 * 0.1, abs=0.01)
    assert stats.tost_from_samples(samples, margin * 1.01) <= 0.05
    assert stats.tost_from_samples(samples, margin * 0.99) > 0.05


def test_intersection_union_keeps_its_level():
    """One component is false, the other clearly true: "all" is claimed in about 5 % of the cases, no more."""
    z = rng().normal([0.0, 6.0], 1, (20_000, 2))
    p = scipy.stats.norm.sf(z)
    claimed = np.mean([stats.intersection_union(row) <= 0.05 for row in p])
    assert claimed == pytest.approx(0.05, abs=0.005)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(p_values):
    assert stats.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_bootstrap_p_is_about_that_of_a_z_test():
    samples = rng().normal(0.2, 0.1, 20_000)
    assert stats.bootstrap_p(samples) == pytest.approx(2 * scipy.stats.norm.sf(2), rel=0.15)
    assert stats.bootstrap_p(samples + 10) == pytest.approx(2 / 20_001)


@pytest.mark.filterwarnings("ignore")  # a saturated model leaves no residual
def test_interaction_is_the_logistic_regression_coefficient():
    """A saturated logit model of the 2x2 has our effects as coefficients (architecture and paradigm coded +-1/2)."""
    shares, n = np.array([0.33, 0.40, 0.42, 0.46]), 10_000
    architecture, paradigm = np.array([-0.5, 0.5, -0.5, 0.5]), np.array([-0.5, -0.5, 0.5, 0.5])
    design = np.column_stack([np.ones(4), architecture, paradigm, architecture * paradigm])
    counts = np.column_stack([shares * n, (1 - shares) * n])
    fit = sm.GLM(counts, design, family=sm.families.Binomial()).fit()
    effects = stats.factorial_effects(stats.log_odds(shares))
    assert list(effects.values()) == pytest.approx(fit.params[1:], abs=1e-6)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.5, 0.6, 0.9, 0.97), True),
        ((0.3, 0.4, 0.4, 0.6), False),
        ((0.3, 0.4, 0.5, 0.6), False),
        ((0.5, 0.6, 0.9, 1.0), False),
    ],
)
def test_scale_dependence(shares, expected):
    assert stats.interaction_depends_on_scale(np.array(shares)) is expected


def test_wins_share_ties_and_know_the_direction():
    values = np.array([[1.0, 5.0, 2.0], [2.0, 5.0, 1.0]])
    assert stats.wins(values).tolist() == [1.5, 1.5]
    assert stats.wins(values[:, :1], larger_is_better=False).tolist() == [1.0, 0.0]


def test_pairs():
    assert stats.pairs_among(stats.TWO_BY_TWO) == list(stats.PAIRS_2X2)
    assert stats.pairs_among(["mae", "vit_sup"], [("mae", "vit_sup"), ("mae", "dino")]) == [("mae", "vit_sup")]
    assert len(stats.all_pairs("abcd")) == 6


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (("vit_clip", "mae", *stats.TWO_BY_TWO, "vit_in1k"), stats.TWO_BY_TWO),
        (("vit_in1k", "convnext_clip", "human_01", "vit_clip", "convnext_in1k", "timm:resnet18"),
         ("convnext_in1k", "vit_in1k", "convnext_clip", "vit_clip")),
        (("convnext_sup", "convnext_in1k", "vit_in1k", "convnext_clip", "vit_clip"), None),
        (("twin_convnext_sup", "twin_vit_sup", "twin_convnext_clip"), None),
        ((), None),
    ],
)  # fmt: skip
def test_four_of_a_two_by_two(models, expected):
    assert stats.four_of(models) == expected
    assert len(stats.pairs_of(list(models))) == len(stats.all_pairs(models))  # more or fewer than four: every two


@pytest.mark.parametrize("units", [2, 5, 14, 29])
def test_the_factor_of_few_units_makes_a_normal_interval_that_of_a_t_test(units):
    """Percentiles of a bootstrapped mean are about value +- 1.96 s / sqrt(k) with divisor k in s."""
    data = rng().normal(0, 1, units)
    half = scipy.stats.norm.ppf(0.975) * data.std() / np.sqrt(units)
    low, high = scipy.stats.ttest_1samp(data, 0).confidence_interval(0.95)
    assert half * stats.few_units_factor(units) == pytest.approx((high - low) / 2)
    assert stats.few_units_factor([1, 30, 500]).tolist() == [np.inf, 1, 1]


def test_p_of_an_interval_is_that_of_a_z_test_and_below_5_percent_where_zero_is_outside():
    value, error = rng().normal(0, 2, 500), rng().uniform(0.2, 2, 500)
    low, high = value - 1.959964 * error, value + 1.959964 * error
    found = stats.p_of_interval(value, low, high)
    assert found == pytest.approx(2 * scipy.stats.norm.sf(np.abs(value / error)), rel=1e-4)
    skewed = stats.p_of_interval(value, value - 3 * error, high)  # only the end that faces zero decides
    assert ((skewed < 0.05) == ((value - 3 * error > 0) | (high < 0))).all()
    beside = stats.p_of_interval([1.0, -1.0, 1.0], [1.2, -3.0, -0.2], [3.0, -1.2, 0.9])
    assert ((beside < 0.05) == [True, True, False]).all()
    assert stats.p_of_interval([1.0, 1.0], [np.nan, 1.0], [np.nan, 1.0]).tolist() == [1, 1]
