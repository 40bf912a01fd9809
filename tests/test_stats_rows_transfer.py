"""Rows of the transfer tasks: units of resampling, means of fixed tasks, wins with ties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers import stats
from helpers.errors import BookError
from helpers.paper.names import TRANSFER_MEAN
from helpers.results import select
from helpers.stats.rows_transfer import AVERAGE, WITHIN

FOUR = stats.TWO_BY_TWO


def rng(seed: int = 0):
    return np.random.default_rng(seed)


def frame(right, prefix: str = "i", group=None) -> pd.DataFrame:
    """Predictions of two classes that are right where `right` says so."""
    right = np.asarray(right, bool)
    table = pd.DataFrame({
        "image_id": [f"{prefix}{i:04d}" for i in range(len(right))], "label": [[1]] * len(right),
        "pred": np.where(right, 1, 0),
    })  # fmt: skip
    return table if group is None else table.assign(group=group)


def some(n: int, shares, seed: int, prefix: str = "i") -> dict[str, pd.DataFrame]:
    """Four models whose answers share the hardness of an image."""
    hard = rng(seed).random(n)
    noise = rng(seed + 1).normal(0, 0.1, (len(shares), n))
    return {
        model: frame(hard + noise[k] < share, prefix) for k, (model, share) in enumerate(zip(FOUR, shares, strict=True))
    }


def one(rows, **equal):
    found = select(rows, **equal)
    assert len(found) == 1, found
    return found.iloc[0]


TASKS = {
    "dtd": some(200, (0.5, 0.6, 0.7, 0.8), 1), "pets": some(300, (0.9, 0.8, 0.7, 0.6), 2),
    "kitti": some(120, (0.4, 0.4, 0.5, 0.6), 3),
}  # fmt: skip


def test_values_are_shares_and_means_of_them():
    rows = stats.transfer_rows(
        TASKS, rng(), 300, groups={"dtd": "natural", "pets": "natural", "kitti": "structured"}
    )  # fmt: skip
    share = {task: {m: (f.pred == 1).mean() for m, f in frames.items()} for task, frames in TASKS.items()}
    for task, frames in TASKS.items():
        for model in frames:
            row = one(rows, model=model, dataset=task, metric="accuracy")
            assert row.value == pytest.approx(100 * share[task][model])
            assert (row.n, row.resampled, row.group) == (len(frames[model]), "image", "overall")
    for model in FOUR:
        means = [share[task][model] for task in TASKS]
        row = one(rows, model=model, dataset="vtab", metric="accuracy", group="mean_of_3")
        assert row.value == pytest.approx(100 * np.mean(means))
        assert (row.n, row.resampled) == (620, WITHIN)
        natural = one(rows, model=model, dataset="vtab", metric="accuracy", group="natural")
        assert (natural.value, natural.n) == (pytest.approx(100 * np.mean(means[:2])), 500)
    pair = one(rows, model="vit_clip - convnext_clip", dataset="dtd", metric="accuracy")
    assert pair.value == pytest.approx(100 * (share["dtd"]["vit_clip"] - share["dtd"]["convnext_clip"]))
    assert {"points", "log_odds"} == set(select(rows, model="vit_sup - convnext_sup", group="mean_of_3").unit)
    assert "architecture" in set(select(rows, dataset="vtab", group="natural").model)
    assert AVERAGE == TRANSFER_MEAN  # the claims look the average up under this name


def test_the_error_of_a_mean_is_that_of_independent_tasks():
    """Sampling errors of separate test sets add in squares; a paired difference is narrower than an unpaired one."""
    rows = stats.transfer_rows(TASKS, rng(), 2000)

    def half(**equal):
        row = one(rows, metric="accuracy", **equal)
        return (row.ci_high - row.ci_low) / 2

    expected = np.sqrt(sum(
        (f["vit_sup"].pred == 1).mean() * (1 - (f["vit_sup"].pred == 1).mean()) / len(f["vit_sup"])
        for f in TASKS.values()
    )) / 3  # fmt: skip
    assert half(model="vit_sup", group="mean_of_3") == pytest.approx(196 * expected, rel=0.08)
    paired = half(model="vit_sup - convnext_sup", dataset="vtab", group="mean_of_3", unit="points")
    apart = np.hypot(half(model="vit_sup", group="mean_of_3"), half(model="convnext_sup", group="mean_of_3"))
    assert paired < 0.8 * apart


def test_videos_are_drawn_whole():
    """Ten frames of a video that are all right or all wrong carry the information of one image."""
    videos = np.repeat(np.arange(30), 10)
    right = rng(4).random(30) < 0.6
    frames = {"vit_sup": frame(right[videos])}
    unit = pd.Series([f"v{i}" for i in videos], index=frames["vit_sup"].image_id)
    plain = stats.transfer_rows({"kitti": frames}, rng(), 1000)
    whole = stats.transfer_rows({"kitti": frames}, rng(), 1000, clusters={"kitti": unit}, units={"kitti": "video"})
    narrow, wide = (one(rows, dataset="kitti", metric="accuracy") for rows in (plain, whole))
    assert (narrow.resampled, wide.resampled) == ("image", "video")
    assert narrow.value == wide.value
    assert (wide.ci_high - wide.ci_low) == pytest.approx(np.sqrt(10) * (narrow.ci_high - narrow.ci_low), rel=0.1)
    below, above = stats.wilson_interval(10 * right.sum(), 300)
    assert (narrow.ci_low, narrow.ci_high) == (pytest.approx(100 * below), pytest.approx(100 * above))


def test_tasks_on_the_same_images_are_drawn_together():
    """Twice the same answers: the error of the mean is that of one task, and smaller if they are taken as separate."""
    frames = {"vit_sup": frame(rng(5).random(400) < 0.5)}
    tasks = {"count": frames, "distance": frames}

    def half(**given):
        row = one(stats.transfer_rows(tasks, rng(), 1500, **given), dataset="vtab", metric="accuracy")
        return row.ci_high - row.ci_low

    alone = one(stats.transfer_rows({"count": frames}, rng(), 1500), dataset="vtab", metric="accuracy")
    together, apart = half(same_images=[("count", "distance")]), half()
    assert together == pytest.approx(alone.ci_high - alone.ci_low, rel=0.1)
    assert together == pytest.approx(np.sqrt(2) * apart, rel=0.1)
    # Named as one but with other images (another copy, a part): drawn apart, not an error.
    other = {"vit_sup": frame(rng(5).random(400) < 0.5, prefix="x")}
    rows = stats.transfer_rows({"count": frames, "distance": other}, rng(), 500, same_images=[("count", "distance")])
    assert one(rows, dataset="vtab", metric="accuracy").n == 800


def test_wins_are_counted_with_ties():
    """Worked by hand: the first is ahead on one task, behind on one, level on one."""

    def task(first: int, second: int) -> dict:
        return {"vit_sup": frame(np.arange(10) < first), "convnext_sup": frame(np.arange(10) < second)}

    rows = stats.transfer_rows({"a": task(9, 5), "b": task(3, 8), "c": task(6, 6)}, rng(), 200)
    pair = one(rows, model="vit_sup - convnext_sup", metric="wins")
    assert (pair.value, pair.n, pair.unit) == (1.5, 3, "count")
    assert pair.ci_low <= 1.5 <= pair.ci_high
    assert one(rows, model="vit_sup - convnext_sup", metric="ties").value == 1
    assert [one(rows, model=model, metric="wins").value for model in ("vit_sup", "convnext_sup")] == [1.5, 1.5]
    assert stats.win_shares(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0


def test_a_model_that_is_missing_on_a_task_takes_the_task_out_of_the_means():
    tasks = {**TASKS, "pets": {m: f for m, f in TASKS["pets"].items() if m != "vit_clip"}}
    rows = stats.transfer_rows(tasks, rng(), 50)
    assert len(select(rows, dataset="pets", metric="accuracy", model=list(FOUR))) == 3
    means = select(rows, dataset="vtab", metric="accuracy", model="vit_sup")
    assert means.group.tolist() == ["mean_of_2"]
    assert one(rows, model="vit_sup", metric="wins").n == 2
    assert len(stats.transfer_rows({}, rng())) == 0
    assert len(stats.transfer_rows({"dtd": {}}, rng())) == 0


def test_predictions_of_other_images_are_refused():
    frames = {"vit_sup": frame([1, 0, 1]), "convnext_sup": frame([1, 0, 1], prefix="x")}
    with pytest.raises(BookError):
        stats.transfer_rows({"dtd": frames}, rng(), 20)


def test_what_a_probe_says_stands_in_rows():
    from helpers.probe import ProbeResult

    made = ProbeResult("dtd", "lbfgs", frame([1, 0]), 0.5, 0.25, 0.7, 90, 10, 3, 0.01, True, 40, False)
    fixed = ProbeResult("dtd", "clip_benchmark", frame([1, 0]), 0.5, 0.25, 0.7, 90, 10, 3, 0.0, False, 30, None)
    rows = stats.probe_rows({"dtd": {"vit_sup": made, "vit_clip": fixed}})
    value = select(rows, model="vit_sup").set_index("metric").value
    assert value.to_dict() == {
        "mean_per_class_accuracy": 25, "majority_share": 70, "probe_strength": 0.01, "probe_at_edge": 1,
        "probe_iterations": 40, "probe_converged": 0, "probe_classes": 3,
    }  # fmt: skip
    assert np.isnan(one(rows, model="vit_clip", metric="probe_converged").value)
    assert one(rows, model="vit_sup", metric="majority_share").n == 10
