"""Calibration: hand-worked bins, torchmetrics, scikit-learn, imagenet-x, and simulation where nothing else exists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import foldnorm
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from helpers import metrics
from helpers.errors import BookError
from helpers.metrics.calibration import bin_index, folded_normal_mean


def simulated(n=4000, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    confidence = rng.beta(2.5, 1, n)
    return confidence, rng.random(n) < np.clip(confidence - shift, 0, 1)


def test_bins_by_hand():
    confidence = np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 0.5, 1.0])
    index = bin_index(confidence, metrics.equal_width_edges())
    assert index.tolist() == [-1, 0, 1, 7, 14]
    table = metrics.reliability_table(confidence, np.array([True, False, True, True, True]))
    assert table["n"].sum() == 4  # the confidence of 0 lies in no bin, and is not hidden: shares say so
    assert table["share"].sum() == pytest.approx(0.8)


def test_a_confidence_of_zero_adds_nothing_to_ece_and_one_counts():
    assert metrics.ece(np.array([0.0, 1.0]), np.array([True, True])) == 0.0
    assert metrics.ece(np.array([0.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)


def test_ece_by_hand():
    confidence = np.array([0.62, 0.65, 0.91, 0.92])
    correct = np.array([True, False, True, True])
    expected = (abs(1 - 1.27) + abs(2 - 1.83)) / 4
    assert metrics.ece(confidence, correct) == pytest.approx(expected)


@pytest.mark.parametrize("n_bins", [1, 10, 15, 40])
@pytest.mark.parametrize("n", [7, 500])
def test_ece_agrees_with_torchmetrics(n_bins, n):
    torch = pytest.importorskip("torch")
    from torchmetrics.functional.classification import multiclass_calibration_error

    rng = np.random.default_rng(n + n_bins)
    probabilities, target = rng.dirichlet(np.full(5, 0.4), n), rng.integers(0, 5, n)
    theirs = multiclass_calibration_error(torch.tensor(probabilities), torch.tensor(target), 5, n_bins, "l1")
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == target
    ours = metrics.ece(confidence, correct, metrics.equal_width_edges(n_bins))
    assert ours == pytest.approx(float(theirs), abs=1e-6)


def test_ece_agrees_with_imagenet_x():
    from imagenet_x.aggregate import estimated_calibration_error

    confidence, correct = simulated()
    confidence[:30] = np.linspace(0, 1, 31)[1:]  # on edges of both kinds
    assert metrics.ece(confidence, correct) == pytest.approx(estimated_calibration_error(correct, confidence))


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_reliability_agrees_with_sklearn(strategy):
    confidence, correct = simulated(seed=3)
    edges = metrics.equal_width_edges() if strategy == "uniform" else metrics.equal_mass_edges(confidence)
    table = metrics.reliability_table(confidence, correct, edges).dropna()
    accuracy, mean = calibration_curve(correct, confidence, n_bins=15, strategy=strategy)
    assert table.accuracy.to_numpy() == pytest.approx(accuracy)
    assert table.confidence.to_numpy() == pytest.approx(mean)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=80), st.integers(1, 20))
def test_bounds(images, n_bins):
    confidence, correct = np.array([c for c, _ in images]), np.array([r for _, r in images])
    edges = metrics.equal_mass_edges(confidence, n_bins)
    assert (bin_index(confidence, edges) >= 0).all()
    gap = metrics.signed_gap(confidence, correct)
    adaptive = metrics.adaptive_ece(confidence, correct, n_bins)
    assert abs(gap) - 1e-9 <= adaptive <= 1
    assert metrics.debiased_ece(confidence, correct) <= metrics.ece(confidence, correct) + 1e-9


@pytest.mark.parametrize("bad", [1.2, -0.1, np.nan])
def test_confidences_that_are_none_are_refused(bad):
    with pytest.raises(BookError, match="between 0 and 1"):
        metrics.ece(np.array([0.5, bad]), np.array([True, True]))


def test_no_images_are_refused():
    with pytest.raises(BookError, match="at least one"):
        metrics.ece(np.array([]), np.array([], bool))


def test_folded_normal_agrees_with_scipy():
    means = np.array([0.0, 0.3, -0.3, 2.0])
    expected = foldnorm.mean(np.abs(means) / 0.4, scale=0.4)
    assert folded_normal_mean(means, 0.4) == pytest.approx(expected)
    assert folded_normal_mean(-0.3, 0.0) == pytest.approx(0.3)


def test_debiased_ece_agrees_with_the_drawn_version():
    """Kumar et al. draw each bin's accuracy from a normal; with constant confidences the variances are the same."""
    rng = np.random.default_rng(0)
    confidence = np.repeat([0.3, 0.6, 0.9], 50)
    correct = rng.random(150) < confidence - 0.05
    k, n = correct.reshape(3, 50).sum(axis=1), 50
    spread = np.sqrt((k / n) * (1 - k / n) / (n - 1))
    drawn = rng.normal(k / n, spread, (200_000, 3))
    raw = np.abs(k / n - [0.3, 0.6, 0.9]).mean()
    expected = raw - (np.abs(drawn - [0.3, 0.6, 0.9]).mean() - raw)
    assert metrics.debiased_ece(confidence, correct) == pytest.approx(max(expected, 0), abs=2e-4)


def test_debiasing_brings_the_estimate_nearer_to_the_truth():
    truth = 0.05
    raw, debiased, squared = [], [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        confidence = rng.uniform(0.4, 1, 500)
        correct = rng.random(500) < confidence - truth
        raw.append(metrics.ece(confidence, correct))
        debiased.append(metrics.debiased_ece(confidence, correct))
        squared.append(metrics.squared_calibration_error(confidence, correct))
    assert np.mean(raw) - truth > 0.008
    assert abs(np.mean(debiased) - truth) < 0.5 * (np.mean(raw) - truth)
    assert np.mean(squared) == pytest.approx(truth**2, abs=3 * np.std(squared) / np.sqrt(150))


def test_ece_of_a_calibrated_model_is_that_of_drawn_labels():
    rng = np.random.default_rng(1)
    confidence = np.concatenate([rng.beta(2, 1, 400), [0.0, 1.0]])
    ours = metrics.ece_if_calibrated(confidence, rng, n_draws=4000)
    plain = [metrics.ece(confidence, rng.random(402) < confidence) for _ in range(2000)]
    assert ours.mean() == pytest.approx(np.mean(plain), abs=4 * np.std(plain) / np.sqrt(2000))
    assert ours.std() == pytest.approx(np.std(plain), rel=0.1)


def test_ece_of_a_calibrated_model_near_its_closed_form():
    confidence = np.full(10_000, 0.8)
    expected = np.sqrt(2 / np.pi * 0.8 * 0.2 / 10_000)
    assert metrics.ece_if_calibrated(confidence, np.random.default_rng(0), 4000).mean() == pytest.approx(
        expected, rel=0.05
    )


def test_brier_and_likelihood_agree_with_sklearn():
    confidence, correct = simulated()
    assert metrics.brier_top1(confidence, correct) == pytest.approx(brier_score_loss(correct, confidence))
    assert metrics.nll_top1(confidence, correct) == pytest.approx(log_loss(correct, confidence), rel=1e-6)
    assert metrics.nll_top1(np.array([1.0]), np.array([False])) == np.inf


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered_and_agrees_with_another_minimiser(true_temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 8))
    labels = np.array([rng.choice(8, p=row) for row in softmax(logits, axis=1)])
    stated = logits * true_temperature
    ours = metrics.fit_temperature(stated, labels)
    assert ours == pytest.approx(true_temperature, rel=0.06)

    def loss(t):
        return -log_softmax(stated / np.exp(t[0]), axis=1)[np.arange(4000), labels].mean()

    theirs = np.exp(minimize(loss, [0.0], method="BFGS").x[0])
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert metrics.scaled_confidence(stated, ours) == pytest.approx(softmax(stated / ours, axis=1).max(axis=1))


def test_no_images_give_no_temperature():
    with pytest.raises(BookError, match="temperature: expected at least one image"):
        metrics.fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=int))


def test_cross_fitting_repairs_overconfidence_on_images_it_has_not_seen():
    confidence, correct = simulated(n=6000, shift=0.15)
    mapped = metrics.cross_fitted(confidence, correct, np.random.default_rng(0))
    assert metrics.ece(confidence, correct) > 0.1
    assert metrics.ece(mapped, correct) < 0.03
    with pytest.raises(BookError, match="at least 5"):
        metrics.cross_fitted(confidence[:3], correct[:3], np.random.default_rng(0))
