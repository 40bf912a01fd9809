"""Section 6 from probes to words: all tasks at once, rows, planted features, what the page says."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from helpers import datasets, instrument, paper, plots, probe, results, stats, words
from helpers.errors import BookError, InputsUnavailable
from helpers.instrument import transferability as planted
from helpers.models import MODEL_SETS, MODELS
from helpers.paper.lookup import index_rows, mean_contrast
from helpers.paper.names import TRANSFER_MEAN, VTAB
from helpers.predict import Features, Inputs
from helpers.predict.features import READINGS
from helpers.probe import running

FOUR = ("convnext_sup", "vit_sup", "convnext_clip", "vit_clip")


def some_features(name: str, n: int, classes: int, seed: int, apart: float, groups: int = 0) -> Features:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    matrix = rng.standard_normal((n, 12)).astype("f4")
    matrix[:, :classes] += apart * np.eye(classes, dtype="f4")[labels]
    frame = pd.DataFrame({"image_id": [f"{name}_{i}" for i in range(n)], "label": [[int(k)] for k in labels]})
    frame["group"] = [f"{name}/{i % groups}" for i in range(n)] if groups else None
    return Features(matrix, labels, frame, source="given", artifacts={name: "hash"})


APART = {"convnext_sup": 3.0, "vit_sup": 2.0, "convnext_clip": 0.0, "vit_clip": 1.0}


@pytest.fixture
def given(monkeypatch):
    """Features of four models on tasks without running any; the last task's data cannot be had."""

    def features(inputs, model, split=None, settings=None, max_images=None, local=None, reading="probe", opened=None):
        if inputs.dataset == "vtab_pets":
            raise InputsUnavailable("vtab_pets", "files", "fetch them")
        groups = 10 if "instruments" in inputs.dataset else 0
        classes = 32 if "x_position" in inputs.dataset else 3
        n = 192 if split else 96
        name = f"{inputs.dataset}/{split or 'test'}"
        if split == "val" and inputs.dataset == "vtab_svhn":
            raise InputsUnavailable(name, "a validation split, found train and test", "fetch it")
        apart = APART[model] + (4.0 if reading == "before_projection" else 0.0)
        draw = len(model) + {"train": 0, None: 1, "val": 2}[split]
        found = some_features(name, n, min(classes, 12), draw, apart, groups)
        if split == "val":
            found = dataclasses.replace(found, artifacts={f"{inputs.dataset}/train": "hash"})
        return dataclasses.replace(found, readings=READINGS if model.endswith("_clip") else READINGS[:1])

    monkeypatch.setattr(running, "features", features)
    monkeypatch.setattr(running, "are_stored", lambda *_: False)
    monkeypatch.setattr(running, "_texts", lambda found, local: {})


def probed(*tasks: str, models=FOUR):
    return running.probe_all([Inputs(task, "paper.eval", models) for task in tasks])


def accuracy_of(rows: pd.DataFrame, view: str, task: str, model: str) -> float:
    return results.select(rows, metric="accuracy", view=view, dataset=task, unit="percent", model=model).value.item()


def test_every_probe_sees_every_task_and_what_is_missing_is_told(given):
    found = probed("vtab_eurosat", "vtab_pets", models=("convnext_sup", "vit_sup"))
    assert found.done == ("vtab_eurosat",)
    assert "fetch them" in found.missing["vtab_pets"]
    assert set(found.results["lbfgs"]["vtab_eurosat"]) == {"convnext_sup", "vit_sup"}
    assert not found.results["leaked"]
    assert found.table().loc["vtab_pets"].str.startswith("not run: vtab_pets").all()
    assert found.artifacts == {"vtab_eurosat/train": "hash", "vtab_eurosat/test": "hash"}


def test_a_validation_split_is_read_where_the_copy_has_one(given, monkeypatch):
    monkeypatch.delenv("BOOK_OFFLINE", raising=False)  # what could be downloaded counts as to be had
    tasks = "vtab_sun397", "vtab_eurosat", "vtab_svhn", "demo_task_count"
    asked = {"local": {"vtab_svhn": "svhn"}}  # a stand-in may have one: here its reader says that it has not
    inputs = [Inputs(task, "paper.eval", ("convnext_sup", "convnext_clip")) for task in tasks]
    found = running.probe_all(inputs, **asked)
    held = {task: {each.held_out for each in of.values()} for task, of in found.results["lbfgs"].items()}
    assert held == {"vtab_sun397": {False}, "vtab_eurosat": {True}, "vtab_svhn": {True}, "demo_task_count": {True}}
    one = {name: found.results[name]["vtab_sun397"]["convnext_clip"] for name in ("lbfgs", "clip_benchmark", "leaked")}
    assert {name: each.n_train for name, each in one.items()} == {"lbfgs": 384, "clip_benchmark": 192, "leaked": 480}
    assert found.results["lbfgs_before_projection"]["vtab_sun397"]["convnext_clip"].held_out is False
    assert words.probed.validation(found) == (
        "Of 4 tasks strengths were chosen on the task's own validation split for 1 and on a held-out part of the "
        "training images for 3, which have no such split here. The last fit sees both parts."
    )
    assert not found.missing
    monkeypatch.setattr(running, "are_stored", lambda *_: True)
    stored = running.probe_all(inputs[1:2])
    assert stored.results["lbfgs"]["vtab_eurosat"]["convnext_sup"].held_out is False
    plain = running.features
    other = lambda *a, **k: dataclasses.replace(plain(*a, **k), artifacts={"another copy": str(a[2])})  # noqa: E731
    monkeypatch.setattr(running, "features", other)
    mixed = running.probe_all(inputs[1:2])
    assert mixed.results["lbfgs"]["vtab_eurosat"]["convnext_sup"].held_out is True


def test_positions_of_dsprites_are_binned_for_one_probe_and_not_for_the_other(given):
    found = probed("vtab_dsprites_label_x_position", models=("convnext_sup",))
    classes = {name: each["vtab_dsprites_label_x_position"]["convnext_sup"].n_classes
               for name, each in found.results.items() if each}  # fmt: skip
    assert classes == {"clip_benchmark": 12, "lbfgs": 6, "lbfgs_unbinned": 12}
    frame = found.results["lbfgs"]["vtab_dsprites_label_x_position"]["convnext_sup"].predictions
    assert {label for (label,) in frame.label} == set(range(6))


def test_rows_of_tasks_averages_and_wins(given):
    rows = stats.probed_rows(probed("vtab_eurosat", "vtab_svhn"), np.random.default_rng(0), 60)
    plain = rows[(rows.metric == "accuracy") & (rows["view"] == "lbfgs.eval") & (rows.unit == "percent")]
    table = plain.pivot(index="model", columns=["dataset", "group"], values="value")
    tasks = table[[("vtab_eurosat", "overall"), ("vtab_svhn", "overall")]]
    assert table["vtab", "mean_of_2"].round(6).equals(tasks.mean(axis=1).round(6))
    assert table["vtab", "natural"].equals(table["vtab_svhn", "overall"])
    assert table.loc["convnext_sup"].min() > table.loc["convnext_clip"].max()
    wins = results.select(rows, metric="wins", view="paper.eval", model="vit_sup - convnext_sup")
    assert wins.value.tolist() == [0.0]
    assert wins.n.tolist() == [2]


@pytest.mark.parametrize(
    ("models", "pairs", "shown"),
    [
        (MODEL_SETS["in1k"], 4, ["convnext_clip - vit_clip", "convnext_in1k - vit_in1k"]),
        (MODEL_SETS["laion2b"], 4, ["convnext_clip_laion2b - vit_clip_laion2b", "convnext_sup - vit_sup"]),
        (("timm:resnet18", "vit_sup", "convnext_sup"), 3, ["convnext_sup - vit_sup"]),
        (("timm:resnet18", "timm:resnet34"), 1, []),
        (("timm:resnet18",), 0, []),
    ],
)
def test_every_set_and_every_report_has_its_paired_contrasts(given, monkeypatch, models, pairs, shown):
    monkeypatch.setattr(running.models, "resolve", lambda key: MODELS.get(key, MODELS["resnet50_tv"]))
    monkeypatch.setattr(sys.modules[__name__], "APART", {model: 1.0 + k for k, model in enumerate(models)})
    rows = stats.probed_rows(probed("vtab_eurosat", "vtab_svhn", models=models), np.random.default_rng(0), 30)
    for metric, dataset in (("accuracy", "vtab_svhn"), ("accuracy", "vtab"), ("wins", "vtab")):
        mine = results.select(rows, metric=metric, dataset=dataset, view="lbfgs.eval")
        assert mine[mine.model.str.contains(" - ")].model.nunique() == pairs, (metric, dataset)
        assert set(results.observers(mine)) == set(models)
    gaps = words.probed.gaps(rows)
    assert sorted(set(gaps.model)) == shown
    assert words.probed.answer(rows, "Run").count("is ahead on") == len(shown)
    assert plots.differences.differences(gaps, words.probed.order(rows)) is not None


def test_tasks_of_the_demo_have_their_own_average_units_and_leak(given):
    found = probed("demo_task_count", "demo_task_instruments", models=("convnext_sup", "convnext_clip"))
    rows = stats.probed_rows(found, np.random.default_rng(0), 60)
    assert set(rows.dataset) == {"demo_task_instruments", "demo_task_count", "demo_vtab"}
    accuracy = results.select(rows, metric="accuracy", view="lbfgs.eval", model="convnext_sup")
    units = accuracy.set_index("dataset").resampled.to_dict()
    assert units["demo_task_instruments"] == "cell of a photograph"
    assert units["demo_task_count"] == "image"
    gain = results.select(rows, metric="leak_gain", dataset="demo_task_count").set_index("model")
    for model in ("convnext_sup", "convnext_clip"):
        leaked, proper = (accuracy_of(rows, view, "demo_task_count", model) for view in ("leaked.eval", "paper.eval"))
        assert gain.value[model] == pytest.approx(leaked - proper)
    assert (
        gain.ci_low["convnext_clip"] > 5
    )  # features say nothing of these labels: all that is gained is learnt by heart
    assert gain.value["convnext_sup"] < gain.value["convnext_clip"]


def test_features_before_the_projection_are_a_second_reading_of_clip_models(given):
    found = probed("vtab_eurosat", "vtab_svhn")
    assert set(found.results["lbfgs_before_projection"]["vtab_svhn"]) == {"convnext_clip", "vit_clip"}
    rows = stats.probed_rows(found, np.random.default_rng(0), 60)
    gap = results.select(rows, metric="projection_gap", model="convnext_clip").set_index("dataset")
    for task in ("vtab_eurosat", "vtab_svhn"):
        views = ("lbfgs.before_projection", "lbfgs.eval")
        before, after = (accuracy_of(rows, view, task, "convnext_clip") for view in views)
        assert gap.value[task] == pytest.approx(before - after)
    assert gap.ci_low["vtab"] > 20  # the second reading tells these classes apart, the first does not
    said = words.probed.before_projection(rows)
    assert "ConvNeXt-CLIP +" in said
    assert "higher on 4 and lower on 0 of 4 pairs" in said or "higher on 3 and lower on 0 of 4 pairs" in said
    assert "ConvNeXt-CLIP − ViT-CLIP is" in said
    assert "Not run" in words.probed.before_projection(results.select(rows, model="vit_sup"))
    assert not len(paper.compare(results.select(rows, view="lbfgs.before_projection"), "06_transferability"))


def test_groups_are_vtabs():
    groups = [probe.group_of(task) for task in VTAB]
    assert [groups.count(each) for each in ("natural", "specialized", "structured")] == [7, 4, 8]
    assert groups == sorted(groups)  # the paper's figure is in the order of the groups
    assert {key for key in datasets.DATASETS if key.startswith("vtab_")} == set(VTAB)
    with pytest.raises(BookError):
        probe.group_of("imagenet_a")


# Planted features


def test_the_best_rules_accuracy_is_that_of_many_draws():
    rng, distance = np.random.default_rng(0), 2.5
    means = np.eye(5) * distance / np.sqrt(2)
    labels = rng.integers(5, size=200_000)
    draws = means[labels] + rng.standard_normal((len(labels), 5))
    share = (draws.argmax(axis=1) == labels).mean()
    assert planted.bayes_accuracy(distance) == pytest.approx(share, abs=0.004)
    assert planted.bayes_accuracy(3.0, classes=2) == pytest.approx(norm.cdf(1.5), abs=1e-9)
    assert np.linalg.norm(means[0] - means[1]) == pytest.approx(distance)


def test_planted_features_are_measured_as_planted_and_a_broken_probe_is_seen(monkeypatch):
    frame = instrument.check("06_transferability", np.random.default_rng(0), 60)
    measured = frame[frame.metric == "accuracy"]
    assert measured.inside.astype(bool).mean() > 0.8
    assert measured.difference.abs().max() < 3.5
    assert set(measured["view"]) == {"lbfgs.eval", "paper.eval"}
    assert frame[frame.metric == "majority_share"].difference.abs().max() < 1e-6

    def rotated(task):
        found = probe.lbfgs(task)
        wrong = found.predictions.assign(pred=(found.predictions.pred + 1) % planted.CLASSES)
        return dataclasses.replace(found, predictions=wrong)

    monkeypatch.setattr(planted, "PROBES", {"lbfgs": rotated})
    broken = planted.check(np.random.default_rng(0), 60)
    assert broken[broken.metric == "accuracy"].inside.astype(bool).mean() < 0.5


# Claims and words


def contrast_row(group: str, dataset: str = "vtab", value: float = 4.0) -> dict:
    return dict(
        model="vit_sup - convnext_sup", dataset=dataset, view="paper.eval", metric="accuracy", group=group,
        value=-value, ci_low=-value - 1, ci_high=-value + 1, n=100, unit="points", resampled="image within task",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("group", "dataset", "value"),
    [("mean_of_19", "vtab", 4.0), ("mean_of_3", "vtab", None), ("mean_of_14", "demo_vtab", 4.0)],
)
def test_an_average_over_fewer_tasks_does_not_decide_a_claim_about_nineteen(group, dataset, value):
    index = index_rows(pd.DataFrame([contrast_row(group, dataset)]))
    found = mean_contrast(index, "convnext_sup", "vit_sup", TRANSFER_MEAN, VTAB)
    assert (None if found is None else found.value) == value


def test_the_paper_still_decides_its_own_claims():
    claims = paper.ledger()
    verdicts = claims[claims.claim == "transfer_convnext_sup"].verdict
    assert verdicts.tolist() == ["holds"]


def test_words_and_tables_of_a_run(given):
    rows = stats.probed_rows(probed("vtab_eurosat", "vtab_svhn"), np.random.default_rng(0), 60)
    gaps = words.probed.gaps(rows)
    flipped = results.select(rows, view="lbfgs.eval", metric="accuracy", unit="points", dataset="vtab_svhn",
                             model="vit_sup - convnext_sup", group="overall")  # fmt: skip
    mine = results.select(gaps, model="convnext_sup - vit_sup", dataset="vtab_svhn")
    assert mine.value[0] == pytest.approx(-flipped.value[0])
    assert mine.ci_low[0] == pytest.approx(-flipped.ci_high[0])
    assert words.probed.order(rows) == ["vtab_svhn", "vtab_eurosat", "vtab"]
    assert words.probed.names(rows)["vtab"] == "average of 2"
    said = words.probed.answer(rows, "Run here")
    assert said.startswith("**Run here.** Average over 2 tasks")
    assert "ConvNeXt-sup is ahead on 2 tasks (resolved: 2), ViT-sup on 0 (0); after Holm's correction" in said
    table = words.probed.side_by_side(rows, FOUR)
    assert table.index.tolist() == ["SVHN", "EuroSAT", "average of 2"]
    assert table.majority.iloc[:2].round(1).tolist() == [33.3, 33.3]
    assert "not run" in words.probed.answer(rows.iloc[:0], "Run here")
    assert "20 probes" in words.probed.settings(rows).data
    assert words.probed.convergence(rows).startswith("8 of 8 L-BFGS probes converged")
    assert words.probed.leak(rows) == "No leak was run."


def test_a_task_without_a_validation_split_is_asked_for_none(monkeypatch):
    asked = []

    def features(inputs, model, split=None, *_, **__):
        asked.append(split)
        return some_features(f"{inputs.dataset}/{split}", 30, 3, 0, 3.0)

    monkeypatch.setattr(running, "features", features)
    found = running.splits_of(Inputs("demo_task_digits", "paper.eval", ("convnext_sup",)), "convnext_sup")
    assert (len(found), asked) == (2, ["train", None])
