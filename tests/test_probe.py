"""Linear probes against scikit-learn, torch and hand-worked cases; leaks, damaged features, and what must be said."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets as bundled
from sklearn.linear_model import LogisticRegression

from helpers import probe
from helpers.errors import BookError
from helpers.predict import Features
from helpers.probe.clip_benchmark import DECAYS, Recipe, schedule, search, train_layer
from helpers.probe.lbfgs import STRENGTHS
from helpers.probe.result import majority_share, mean_per_class
from helpers.probe.solvers import Limits, fit_sklearn, fit_torch
from helpers.probe.splits import joined


def given(matrix, labels, name: str = "i", group=None) -> Features:
    labels = np.asarray(labels, dtype=np.int64)
    ids = pd.DataFrame({"image_id": [f"{name}{i:05d}" for i in range(len(labels))], "label": labels[:, None].tolist()})
    frame = ids if group is None else ids.assign(group=group)
    return Features(np.asarray(matrix, dtype=np.float32), labels, frame)


def cut(matrix, labels, seed: int = 0) -> probe.Task:
    """A task from one table: half for training, a quarter each for validation and test."""
    order = np.random.default_rng(seed).permutation(len(labels))
    ends = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    train, val, test = (given(matrix[rows], labels[rows], name) for rows, name in zip(ends, "abc", strict=True))
    return probe.task_of("table", train, test, val)


def synthetic(seed: int = 0, n: int = 1200, width: int = 40, classes: int = 7):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, width)) * np.geomspace(3, 0.05, width)
    logits = matrix @ rng.normal(size=(width, classes))
    labels = (logits + 2 * rng.gumbel(size=logits.shape)).argmax(axis=1)
    return matrix + 5, labels  # far from centred, unevenly scaled


SETS = {
    "digits": lambda: bundled.load_digits(return_X_y=True),
    "breast cancer": lambda: bundled.load_breast_cancer(return_X_y=True),  # two classes, scales from .01 to 1,000
    "synthetic": synthetic,
}


# Agreement with scikit-learn


def reference(task: probe.Task, result: probe.ProbeResult, tolerance: float = 1e-8) -> tuple[float, float, float]:
    """Objective and loss of scikit-learn on the features as they are (fp64, cold), and its accuracy on the test images.

    The strength of the probe is that of features of unit size: scaling features by s scales C by s^2.
    """
    centre = task.train.matrix.mean(axis=0)
    size = np.sqrt(np.square(task.train.matrix - centre).mean(dtype=np.float64))
    both = joined(task.train, task.val)
    matrix = (both.matrix.astype(np.float64) - centre) / size
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LogisticRegression(C=result.strength, tol=tolerance, max_iter=20000).fit(matrix, both.labels)
    loss = -np.log(model.predict_proba(matrix)[np.arange(len(both)), np.searchsorted(model.classes_, both.labels)])
    penalty = np.square(model.coef_).sum() / (2 * result.strength * len(both))
    test = (task.test.matrix.astype(np.float64) - centre) / size
    return loss.mean() + penalty, loss.mean(), (model.predict(test) == task.test.labels).mean()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("solver", ["sklearn", "torch"])
def test_lbfgs_agrees_with_scikit_learn(name, solver):
    if solver == "torch":
        pytest.importorskip("torch")
    task = cut(*SETS[name]())
    result = probe.lbfgs(task, solver=solver, device="cpu")
    objective, loss, accuracy = reference(task, result)
    assert result.converged
    assert result.objective == pytest.approx(objective, rel=5e-5)
    assert result.loss == pytest.approx(loss, rel=1e-4 if solver == "sklearn" else 2e-4)
    assert abs(result.accuracy - accuracy) <= 0.002
    assert result.accuracy == (result.predictions.pred.to_numpy() == task.test.labels).mean()


def test_the_agreement_would_fail_for_another_strength_or_a_fit_that_stopped():
    task = cut(*synthetic())
    result = probe.lbfgs(task)
    wrong = dataclasses.replace(result, strength=1.05 * result.strength)
    assert abs(reference(task, wrong)[0] / result.objective - 1) > 1e-3
    short = probe.lbfgs(task, [result.strength], limits=Limits(1e-5, 4))
    assert abs(short.objective / result.objective - 1) > 1e-3


def test_warm_starts_change_the_path_and_not_the_end():
    matrix, labels = synthetic(1)
    matrix = ((matrix - matrix.mean(axis=0)) / matrix.std()).astype(np.float32)
    limits = Limits(1e-6)
    start = fit_sklearn(matrix, labels, 0.1, limits)
    warm, cold = fit_sklearn(matrix, labels, 1.0, limits, start), fit_sklearn(matrix, labels, 1.0, limits)
    objectives = [fit.objective(matrix, labels, 1.0) for fit in (warm, cold)]
    assert objectives[0] == pytest.approx(objectives[1], rel=1e-6)
    assert warm.iterations < cold.iterations
    other = fit_sklearn(matrix, np.minimum(labels, 3), 1.0, limits, start)  # of other classes: it starts anew
    assert other.classes.tolist() == [0, 1, 2, 3]


def test_torch_and_scikit_learn_minimise_the_same_thing():
    pytest.importorskip("torch")
    matrix, labels = synthetic(2, n=400)
    matrix = ((matrix - matrix.mean(axis=0)) / matrix.std()).astype(np.float32)
    for truth in (labels, np.minimum(labels, 1)):
        ours = fit_torch(matrix, truth, 0.3, Limits(1e-6), device="cpu")
        theirs = fit_sklearn(matrix.astype(np.float64), truth, 0.3, Limits(1e-8))
        assert ours.objective(matrix, truth, 0.3) == pytest.approx(theirs.objective(matrix, truth, 0.3), rel=1e-5)
        np.testing.assert_allclose(ours.weight, theirs.weight, atol=2e-3)
        assert (ours.answer(matrix) == theirs.answer(matrix)).mean() > 0.995


def test_a_scale_of_features_changes_nothing():
    """Supervised pre-logits and unit embeddings get the same grid: a factor and a shift leave the answers alone."""
    matrix, labels = synthetic(3)
    first, second = cut(matrix, labels), cut(0.01 * matrix - 7, labels)
    one, two = probe.lbfgs(first, limits=Limits(1e-5)), probe.lbfgs(second, limits=Limits(1e-5))
    assert one.strength == two.strength
    assert (one.predictions.pred == two.predictions.pred).mean() > 0.995


# What must be said


def test_a_fit_that_did_not_converge_is_said():
    result = probe.lbfgs(cut(*synthetic()), limits=Limits(1e-7, 5))
    assert result.converged is False
    assert any("before it converged" in note for note in result.notes)
    assert any("not converged within 5 iterations at strength" in note for note in result.notes)
    pytest.importorskip("torch")
    assert probe.lbfgs(cut(*synthetic()), limits=Limits(1e-7, 5), solver="torch", device="cpu").converged is False


def test_a_strength_at_the_edge_is_said_and_ties_go_to_the_stronger_regularisation():
    matrix, labels = SETS["digits"]()
    task = cut(matrix, labels)
    assert probe.lbfgs(task, [1e-9, 1e-8]).at_edge
    easy = cut(np.eye(3)[np.arange(300) % 3] * 10, np.arange(300) % 3)
    assert probe.lbfgs(easy, [1e-1, 1.0, 10.0]).strength == 1e-1


def test_what_always_the_same_answer_would_give():
    assert majority_share(np.array([2, 2, 1]), np.array([2, 1, 1, 2])) == 0.5
    assert majority_share(np.array([1, 0, 1, 0]), np.array([0])) == 1.0  # of a tie the lowest
    labels, answers = np.array([0, 0, 0, 0, 1, 2]), np.array([0, 0, 0, 0, 0, 2])
    assert mean_per_class(labels, answers) == pytest.approx((1 + 0 + 1) / 3)
    from sklearn.metrics import balanced_accuracy_score

    assert mean_per_class(labels, answers) == pytest.approx(balanced_accuracy_score(labels, answers))
    noise = np.random.default_rng(0).normal(size=(600, 5))
    skewed = (np.random.default_rng(1).random(600) < 0.25).astype(int)
    found = probe.lbfgs(cut(noise, skewed))
    assert found.accuracy == pytest.approx(found.majority, abs=0.02)
    assert found.mean_per_class == pytest.approx(0.5, abs=0.02)


def test_classes_without_a_training_image_count_as_wrong_and_are_told():
    matrix, labels = SETS["digits"]()
    train, test = given(matrix[:500] + 0.0, labels[:500] % 9, "a"), given(matrix[500:], labels[500:], "b")
    found = probe.lbfgs(probe.task_of("digits", train, test), [1e-2])
    missing = (labels[500:] == 9).sum()
    assert found.notes[-1].startswith(f"{missing} test images are of classes without a training image")
    assert (found.predictions.pred < 9).all()


# Nothing leaks from the test images


def test_a_probe_knows_nothing_of_the_test_images():
    """Other test images, features and labels, leave strength, loss and the answers to the same images as they were."""
    task = cut(*synthetic())
    rng = np.random.default_rng(5)
    odd = given(100 * rng.normal(size=task.test.matrix.shape), rng.permutation(task.test.labels), "x")
    both = probe.task_of("table", task.train, joined(task.test, odd), task.val)
    for run in (probe.lbfgs, probe.clip_benchmark, lambda t: probe.clip_benchmark_sweep(t, Recipe(epochs=1))):
        alone, beside = run(task), run(both)
        assert (alone.strength, alone.loss, alone.val_accuracy) == (beside.strength, beside.loss, beside.val_accuracy)
        assert beside.predictions.pred[: len(task.test)].tolist() == alone.predictions.pred.tolist()


def test_test_images_that_were_trained_on_are_refused():
    matrix, labels = synthetic()
    train, test = given(matrix[:100], labels[:100]), given(matrix[90:140], labels[90:140])
    again = dataclasses.replace(test, frame=test.frame.assign(image_id=[f"i{i:05d}" for i in range(90, 140)]))
    with pytest.raises(BookError, match=r"splits of toy: expected test images .* found 10 again \(image 'i00090'\)"):
        probe.task_of("toy", train, again)
    # Splits that both count from zero are no leak; the same picture under two names is told.
    apart = given(matrix[100:150], labels[100:150])
    assert probe.task_of("toy", train, apart).notes == ()
    twins = dataclasses.replace(again, frame=again.frame.assign(image_id=[f"x{i}" for i in range(50)]))
    assert "10 of 50 test images have the very features" in probe.task_of("toy", train, twins).notes[0]


def test_whole_clusters_are_held_out_and_shared_ones_are_told():
    matrix, labels = synthetic(n=400)
    videos = np.repeat([f"v{i}" for i in range(40)], 10)
    train = given(matrix[:300], labels[:300], "a", videos[:300])
    task = probe.task_of("toy", train, given(matrix[300:], labels[300:], "b", videos[300:]))
    assert task.held_out
    assert not set(task.train.frame["group"]) & set(task.val.frame["group"])
    assert len(task.val) == 60
    assert task.notes == ()
    mixed = probe.task_of("toy", train, given(matrix[300:], labels[300:], "b", videos[250:350]))
    assert "5 pictures, scenes or videos are in training and test" in mixed.notes[0]
    chosen = probe.task_of("toy", train, given(matrix[300:], labels[300:], "b"), part=np.arange(7))
    assert chosen.val.frame.image_id.tolist() == [f"a{i:05d}" for i in range(7)]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_held_out_has_every_class_where_clusters_are_of_one_class(seed):
    """Neighbouring cells of a photograph share their class: held out at random they would hold one class only."""
    labels = np.repeat(np.arange(10) % 2, 12)
    matrix = np.random.default_rng(0).normal(size=(160, 3)).astype("f4")
    train = given(matrix[:120], labels, "a", np.repeat([f"cell {i}" for i in range(10)], 12))
    task = probe.task_of("tissue", train, given(matrix[120:], np.arange(40) % 2, "b"), seed=seed)
    assert set(task.val.labels) == {0, 1}
    assert not set(task.val.frame.group) & set(task.train.frame.group)
    assert len(task.val) == 24


@pytest.mark.parametrize(("sizes", "held"), [
    ([95, 5], {5}), ([50, 50], {50}), ([40, 30, 30], {30}), ([70, 10, 10, 10], {10, 20}), ([100], set()),
])  # fmt: skip
def test_a_large_cluster_is_not_held_out_where_there_is_another_choice(sizes, held):
    matrix, labels = synthetic(n=150)
    clusters = np.repeat([f"v{i}" for i in range(len(sizes))], sizes)
    train, test = given(matrix[:100], labels[:100], "a", clusters), given(matrix[100:], labels[100:], "b")
    for seed in range(6):
        if not held:
            with pytest.raises(BookError, match="enough to hold some out"):
                probe.task_of("toy", train, test, seed=seed)
            continue
        task = probe.task_of("toy", train, test, seed=seed)
        assert len(task.val) in held
        assert len(task.train) == 100 - len(task.val)


def test_a_strength_is_chosen_on_the_validation_split_that_is_given():
    matrix, labels = synthetic(n=400)
    splits = [given(matrix[at], labels[at], name) for at, name in (
        (slice(200), "a"), (slice(300, 400), "b"), (slice(200, 300), "c"))]  # fmt: skip
    train, test, val = splits
    own, cut = probe.lbfgs(probe.task_of("toy", train, test, val)), probe.lbfgs(probe.task_of("toy", train, test))
    assert (own.held_out, cut.held_out) == (False, True)
    assert (own.n_train, cut.n_train) == (300, 200)
    # Labels that say nothing on the validation images turn the choice alone.
    noise = dataclasses.replace(val, labels=np.random.default_rng(1).permutation(val.labels))
    other = probe.lbfgs(probe.task_of("toy", train, test, noise))
    assert other.val_accuracy < own.val_accuracy
    recipe = probe.clip_benchmark(probe.task_of("toy", train, test, val))
    assert (recipe.n_train, recipe.held_out) == (200, None)


def test_a_leak_on_purpose_raises_the_number():
    """Training and testing on the same images of hard noise: far above what new images give."""
    rng = np.random.default_rng(0)
    task = cut(rng.normal(size=(400, 120)), rng.integers(0, 8, 400))
    found = probe.leak(task)
    assert found.proper.accuracy < 0.3
    assert found.leaked.accuracy > 0.6
    assert found.gain == pytest.approx(100 * (found.leaked.accuracy - found.proper.accuracy))
    assert found.everything > 0.6
    assert found.leaked.predictions.image_id.tolist() == found.proper.predictions.image_id.tolist()
    assert "trained on the images that it is tested on" in found.leaked.notes
    assert (found.proper.n_train, found.leaked.n_train) == (200, 400)


# Features that cannot be probed


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_nan_features_are_named(bad, split):
    task = cut(*synthetic(n=80))
    parts = {name: getattr(task, name) for name in ("train", "val", "test")}
    broken = parts[split].matrix.copy()
    broken[3, 2] = bad
    parts[split] = dataclasses.replace(parts[split], matrix=broken)
    image = parts[split].frame.image_id[3]
    with pytest.raises(BookError, match=rf"{split} features of table: .*NaN or infinity in 1 rows \(image '{image}'\)"):
        probe.task_of("table", parts["train"], parts["test"], parts["val"])


def test_one_class_no_images_and_other_widths_are_refused():
    matrix, labels = synthetic(n=80)
    train, test = given(matrix[:40], labels[:40], "a"), given(matrix[40:], labels[40:], "b")
    with pytest.raises(BookError, match="training labels of toy: expected at least two classes, found 4 only"):
        probe.task_of("toy", given(matrix[:40], np.full(40, 4), "a"), test)
    with pytest.raises(BookError, match="test features of toy"):
        probe.task_of("toy", train, given(matrix[40:, :9], labels[40:], "b"))
    with pytest.raises(BookError, match="test features of toy"):
        probe.task_of("toy", train, given(matrix[:0], labels[:0], "b"))
    with pytest.raises(BookError, match="positive strengths"):
        probe.lbfgs(cut(matrix, labels), [0.0, 1.0])


# The recipe of CLIP_benchmark


def test_adamw_is_torchs():
    """The same start and order of images: the weights of torch's AdamW under torch's own cosine schedule."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    matrix, codes = rng.normal(size=(150, 6)).astype("f4"), rng.integers(0, 4, 150)
    start = rng.normal(size=(7, 4)).astype("f4")
    for decay in (0.0, 0.3):
        recipe = Recipe(epochs=3, batch_size=64, weight_decay=decay, seed=4)
        ours, steps = train_layer(matrix, codes, 4, recipe, start.copy())
        layer = torch.nn.Linear(6, 4)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(start[:-1].T))
            layer.bias.copy_(torch.tensor(start[-1]))
        optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1, weight_decay=decay)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=9)
        again = np.random.default_rng(4)
        for _ in range(3):
            for rows in np.split(again.permutation(150), [64, 128]):
                optimizer.zero_grad()
                logits = layer(torch.tensor(matrix[rows]))
                torch.nn.functional.cross_entropy(logits, torch.tensor(codes[rows])).backward()
                optimizer.step()
                cosine.step()
        assert steps == 9
        np.testing.assert_allclose(ours[:-1], layer.weight.detach().numpy().T, atol=2e-4)
        np.testing.assert_allclose(ours[-1], layer.bias.detach().numpy(), atol=2e-4)


def test_the_schedule_has_no_warmup_and_the_start_is_torchs():
    rates = schedule(Recipe(), 640)
    assert (len(rates), rates[0]) == (100, 0.1)
    assert (np.diff(rates) < 0).all()
    weights, _ = train_layer(np.zeros((4, 100), "f4"), np.arange(4), 4, Recipe(epochs=0))
    assert 0.09 < np.abs(weights).max() <= 0.1


def test_the_search_tries_nineteen_decays_at_most_and_finds_a_single_peak():
    for peak in (0, 5, 48, 77, 96):
        tried = []
        best, value = search(lambda decay, peak=peak, tried=tried: tried.append(decay) or -abs(
            np.log10(decay) - np.log10(DECAYS[peak])))  # fmt: skip
        assert best == peak
        assert value == 0
        assert len(tried) == len(set(tried)) <= 15  # of 19 in the original, the best of each step is known already


def test_the_recipe_trains_on_training_images_alone_and_reaches_what_logistic_regression_does():
    task = cut(*SETS["digits"]())
    found, other = probe.clip_benchmark(task), probe.lbfgs(task)
    assert found.n_train == len(task.train)
    assert abs(found.accuracy - other.accuracy) < 0.04
    assert (found.strength, found.converged, found.iterations) == (0.0, None, 10 * -(-len(task.train) // 64))
    assert probe.clip_benchmark(task).loss == found.loss  # the same seed, the same numbers
    assert probe.clip_benchmark(task, Recipe(seed=1)).loss != found.loss
    held = probe.task_of("digits", joined(task.train, task.val), task.test)
    assert probe.clip_benchmark(held).n_train == len(task.train) + len(task.val)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # decays at which AdamW diverges are tried as well
        swept = probe.clip_benchmark_sweep(task, Recipe(epochs=2))
    assert swept.n_train == len(task.train) + len(task.val)
    assert DECAYS[0] <= swept.strength <= DECAYS[-1]


def test_a_training_that_diverges_is_refused():
    task = cut(*SETS["digits"]())
    with pytest.raises(BookError, match="clip_benchmark on table: expected finite weights"):
        probe.clip_benchmark(task, Recipe(learning_rate=1e38, weight_decay=1e38))


# Without training


def test_zero_shot_is_the_largest_cosine():
    text = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], "f4")
    test = given([[0.9, 0.1], [0.1, 0.9], [0.2, 0.8]], [0, 2, 1])
    found = probe.zero_shot("toy", test, text, np.array([1, 1, 0]))
    assert found.predictions.pred.tolist() == [0, 1, 1]  # of a tie the first
    assert (found.accuracy, found.majority, found.n_train) == (2 / 3, 1 / 3, 0)
    with pytest.raises(BookError, match="width 2 as the names have, found 3"):
        probe.zero_shot("toy", given(np.eye(3), [0, 1, 2]), text)
    with pytest.raises(BookError, match="found label 2 and 2 names"):
        probe.zero_shot("toy", test, text[:2])
    with pytest.raises(BookError, match="found NaN or infinity"):
        probe.zero_shot("toy", given([[np.nan, 0]], [0]), text)


def test_names_of_a_task_become_the_text_side(small_clip, tmp_path, monkeypatch):
    """The same prompts as the model's own head give the head's own weights, kept for the next time."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("open_clip")
    from helpers import labels, models
    from helpers.models import text
    from helpers.models.networks import build_clip

    spec = models.MODELS[small_clip]
    torch.save(build_clip(spec, None, spec.image_size, 0).state_dict(), tmp_path / "clip.pt")
    given = {"weights": tmp_path / "clip.pt", "cache": tmp_path / "heads"}
    prompts = {"own": (labels.prompt_names(), labels.prompt_templates()), "other": (("cat", "dog"), ("a {}.",))}
    found = models.text_heads(small_clip, prompts, **given)
    head = models.load(small_clip, weights=tmp_path / "clip.pt", progress=False).head
    np.testing.assert_allclose(found["own"], head.weight, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found["other"], axis=1), 1, rtol=1e-5)
    monkeypatch.setattr(text, "build_clip", lambda *_: pytest.fail("built again"))
    again = models.text_heads(small_clip, prompts, **given)
    assert (again["own"] == found["own"]).all()
    with pytest.raises(BookError, match="a CLIP model, found none"):
        models.text_heads("vit_sup", prompts)


def test_the_grid_holds_seven_strengths():
    assert len(STRENGTHS) == 7
    assert len(DECAYS) == 97
