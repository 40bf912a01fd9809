"""The statistics behind verdicts: equivalence, intersection-union, and bounds that contain the truth."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from helpers.paper.estimates import Estimate, bounds, combine, paired_accuracy
from helpers.paper.verdicts import combine_verdicts, equivalent, greater, partial_levels, tost


def accuracy(value, n):
    return dict(value=value, n=n, unit="percent", dataset="imagenet1k_val", metric="accuracy", resampled="image")


def exact(value, error, **changes):
    facts = dict(value=value, low=value, high=value, se_down=error, se_up=error, least_down=error, least_up=error)
    return Estimate(**{**facts, "unit": "points", **changes})


@pytest.mark.parametrize(("mean", "margin"), [(0.0, 0.3), (0.2, 0.3), (-0.25, 0.3), (0.4, 0.3)])
def test_equivalence_agrees_with_statsmodels(mean, margin):
    sample = np.random.default_rng(1).normal(mean, 1.0, 200)
    described = DescrStatsW(sample)
    theirs, *_ = described.ztost_mean(-margin, margin)
    ours = tost(exact(described.mean, described.std_mean), margin)
    assert ours == pytest.approx(theirs, abs=1e-9)
    component = equivalent("mean", exact(described.mean, described.std_mean), margin)
    assert (component.decision == "pass") == (theirs < 0.05)
    # At the margin where the verdict flips, p is 0.05.
    assert described.ztost_mean(-component.flips_at, component.flips_at)[0] == pytest.approx(0.05, abs=1e-9)


def rejection_rate(truths, judge, n=4000, seed=0):
    draws = np.random.default_rng(seed).normal(truths, 1.0, size=(n, len(truths)))
    return np.mean([judge(draw) for draw in draws])


def test_an_intersection_union_test_keeps_its_level_at_the_boundary():
    def judge(draw):
        return combine_verdicts([greater("x", exact(value, 1.0)) for value in draw]) == "holds"

    assert rejection_rate([0.0, 8.0, 8.0], judge) == pytest.approx(0.025, abs=0.008)  # its largest size
    assert rejection_rate([0.0, 0.0, 8.0], judge) < 0.005
    assert rejection_rate([8.0, 8.0, 8.0], judge) > 0.99


def test_equivalence_keeps_its_level_at_the_margin():
    def judge(draw):
        return combine_verdicts([equivalent("x", exact(draw[0], 1.0), 5.0)]) == "holds"

    assert rejection_rate([5.0], judge) == pytest.approx(0.05, abs=0.012)
    assert rejection_rate([0.0], judge) > 0.95


def test_nearly_all_keeps_its_level_when_only_seven_are_true():
    levels_ = partial_levels(10, 8)

    def judge(draw):
        parts = [greater("x", exact(value, 1.0), family="one", levels=levels_) for value in draw]
        return combine_verdicts(parts, at_least=8) == "holds"

    assert rejection_rate([9.0] * 7 + [0.0] * 3, judge) <= 0.05
    assert rejection_rate([9.0] * 8 + [0.0] * 2, judge) > 0.95


# What is not known: bounds that contain the truth


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.integers(0, 40)] * 4).filter(lambda cells: sum(cells) > 0))
def test_the_true_error_of_a_paired_difference_lies_within_the_discordance_bounds(cells):
    both, first, second, _ = cells
    n = sum(cells)
    p, q = (both + first) / n, (both + second) / n
    found = paired_accuracy(accuracy(100 * p, n=n), accuracy(100 * q, n=n))
    truth = 100 * math.sqrt(((first + second) / n - (p - q) ** 2) / n)
    assert found.least_down - 1e-6 <= truth <= found.se_down + 1e-6


def test_the_discordance_bounds_are_attained():
    for p, q in itertools.product((2, 5, 9), repeat=2):
        found = paired_accuracy(accuracy(10.0 * p, n=10), accuracy(10.0 * q, n=10))
        errors = []
        for both in range(max(0, p + q - 10), min(p, q) + 1):
            first, second = p - both, q - both
            errors.append(100 * math.sqrt(((first + second) / 10 - ((p - q) / 10) ** 2) / 10))
        assert (found.least_down, found.se_down) == pytest.approx((min(errors), max(errors)))


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 5), st.integers(0, 10_000))
def test_the_error_of_a_sum_on_the_same_images_lies_within_its_bounds(size, seed):
    root = np.random.default_rng(seed).normal(size=(size, size))
    covariance = root @ root.T
    errors = np.sqrt(np.diag(covariance))
    weights = np.random.default_rng(seed + 1).choice([-1, 1, 2], size)
    found = combine([(weight, exact(0.0, error)) for weight, error in zip(weights, errors, strict=True)], True)
    truth = math.sqrt(weights @ covariance @ weights)
    assert found.least_down - 1e-9 <= truth <= found.se_down + 1e-9


def test_unknown_errors_are_unbounded_and_their_least_is_zero():
    unknown = exact(1.0, math.inf, least_down=0.0, least_up=0.0)
    low, high, best_low, best_high = bounds(combine([(1, unknown), (-1, exact(0.5, 0.1))], same_images=True))
    assert (low, high) == (-math.inf, math.inf)
    assert (best_low, best_high) == (0.5, 0.5)
