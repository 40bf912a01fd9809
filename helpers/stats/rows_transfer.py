"""Result rows of section 6: accuracy per task, means over tasks and groups of tasks, wins, and what a probe says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions
from helpers.stats.contrasts import pairs_among
from helpers.stats.contrasts import wins as shared_wins
from helpers.stats.estimates import Estimates, finished, share_contrast_rows, value_rows
from helpers.stats.intervals import percentile_interval, wilson_interval
from helpers.stats.resample import right_alone
from helpers.stats.rows_accuracy import clustered_counts, plain_counts

Frames = Mapping[str, pd.DataFrame]
WITHIN, AVERAGE, OVERALL = "image within task", "vtab", "overall"


@dataclass(frozen=True)
class TaskDraw:
    """One task: share of right answers of each model (models,), its resamples (resamples, models), n images.

    `resampled` is the unit that was drawn: "image", or what the clusters are ("video", "scene"), of which there are
    `units`. alone: of plain images, those that the first model got right and the second did not, (models, models).
    """

    models: tuple[str, ...]
    values: np.ndarray
    samples: np.ndarray
    n: int
    resampled: str = "image"
    units: int | None = None
    alone: np.ndarray | None = None


def transfer_rows(
    tasks: Mapping[str, Frames],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    view: str = "paper.eval",
    groups: Mapping[str, str] | None = None,
    clusters: Mapping[str, pd.Series] | None = None,
    units: Mapping[str, str] | None = None,
    same_images: Sequence[Sequence[str]] = (),
    average: str = AVERAGE,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Accuracy per task with paired contrasts; the mean over tasks and over each group of tasks; wins.

    tasks: predictions (image_id, label, pred) by task and model; groups: the group of each task ("natural", ...);
    clusters: unit of each image (index image_id) of the tasks that have one, called `units[task]`; same_images: tasks
    that show the same test images, which are drawn together. Images are resampled within tasks, tasks are fixed. Means
    and wins are over the tasks that every model has, and `n` of a mean counts their images; the mean's group is
    `mean_of_<tasks>`. Raises BookError for predictions of other images or labels by model.

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [1, 2]})
    >>> rows = transfer_rows({"vtab_dtd": {"vit_sup": frame}}, np.random.default_rng(0), 20)
    >>> rows[["dataset", "metric", "group", "value"]].values.tolist()[:2]
    [['vtab_dtd', 'accuracy', 'overall', 50.0], ['vtab', 'accuracy', 'mean_of_1', 50.0]]
    """
    drawn = drawn_tasks(tasks, rng, n_resamples, clusters or {}, units or {}, same_images)
    rows = [row for task, each in drawn.items() for row in _task_rows(task, each, view, pairs)]
    models = tuple(dict.fromkeys(model for each in drawn.values() for model in each.models))
    whole = {task: each for task, each in drawn.items() if set(each.models) == set(models)}
    if not whole:
        return finished(rows)
    rows += _mean_rows(whole, models, f"mean_of_{len(whole)}", average, view, pairs)
    for group in dict.fromkeys((groups or {}).get(task) for task in whole):
        if group is not None:
            mine = {task: each for task, each in whole.items() if groups[task] == group}
            rows += _mean_rows(mine, models, group, average, view, pairs)
    return finished(rows + _win_rows(whole, models, average, view, pairs))


def drawn_tasks(
    tasks: Mapping[str, Frames],
    rng: np.random.Generator,
    n_resamples: int,
    clusters: Mapping[str, pd.Series],
    units: Mapping[str, str],
    same_images: Sequence[Sequence[str]] = (),
) -> dict[str, TaskDraw]:
    """Accuracy of every task with paired resamples; tasks are independent unless they show the same images.

    >>> frame = pd.DataFrame({"image_id": ["x", "y"], "label": [[1], [1]], "pred": [1, 2]})
    >>> drawn_tasks({"a": {"vit_sup": frame}}, np.random.default_rng(0), 5, {}, {})["a"].values.tolist()
    [0.5]
    """
    found: dict[str, TaskDraw] = {}
    tasks = {task: frames for task, frames in tasks.items() if frames}
    for block in _blocks(tasks, same_images):
        right = {task: _right(tasks[task]) for task in block}
        table = pd.concat(right, axis=1).astype(bool)
        unit = clusters.get(block[0])
        name = units.get(block[0], "cluster") if unit is not None else "image"
        one = np.zeros(len(table), dtype=np.int64)
        if unit is None:
            k, n, k_samples, n_samples = plain_counts(table.to_numpy(), one, 1, n_resamples, rng)
        else:
            of = unit.reindex(table.index).to_numpy()
            k, n, k_samples, n_samples = clustered_counts(table.to_numpy(), one, 1, of, n_resamples, rng)
        samples, drawn = k_samples[:, 0] / n_samples, None if unit is None else len(np.unique(of))
        alone = None if unit is not None else right_alone(table.to_numpy(), one, 1)[0]
        for task in block:
            mine = [i for i, column in enumerate(table.columns) if column[0] == task]
            names = tuple(table.columns[i][1] for i in mine)
            differ = None if alone is None else alone[np.ix_(mine, mine)]
            found[task] = TaskDraw(names, k[0, mine] / n[0], samples[:, mine], int(n[0]), name, drawn, differ)
    return {task: found[task] for task in tasks}


def _right(frames: Frames) -> pd.DataFrame:
    plain = {model: frame.drop(columns="group", errors="ignore") for model, frame in frames.items()}
    return align_predictions(plain, "correct").astype(bool)


def _blocks(tasks: Mapping[str, Frames], same_images: Sequence[Sequence[str]]) -> list[list[str]]:
    """Tasks that are drawn together: those of `same_images` whose images have the same names, else each alone."""
    blocks: list[list[str]] = []
    placed: set[str] = set()
    for task in tasks:
        if task in placed:
            continue
        together = next((each for each in same_images if task in each), (task,))
        ids = set(_ids(tasks[task]))
        block = [each for each in together if each in tasks and each not in placed and set(_ids(tasks[each])) == ids]
        blocks.append(block)
        placed.update(block)
    return blocks


def _ids(frames: Frames) -> pd.Series:
    return next(iter(frames.values()))["image_id"]


def _task_rows(task: str, each: TaskDraw, view: str, pairs) -> list[dict]:
    n = np.array([each.n])
    found = Estimates(
        "accuracy", "percent", task, view, each.resampled, each.models, (OVERALL,), each.values[:, None],
        each.samples[..., None], np.full((len(each.models), 1), each.n), n, each.units,
        None if each.alone is None else each.alone[None],
    )  # fmt: skip

    def wilson(values, _):
        return wilson_interval(values * each.n, each.n)

    return value_rows(found, wilson if each.resampled == "image" else None) + share_contrast_rows(found, pairs)


def _over(whole: Mapping[str, TaskDraw], models: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Shares (tasks, models) and their resamples (tasks, resamples, models), models in this order."""
    at = {task: [each.models.index(model) for model in models] for task, each in whole.items()}
    values = np.stack([each.values[at[task]] for task, each in whole.items()])
    return values, np.stack([each.samples[:, at[task]] for task, each in whole.items()])


def _mean_rows(
    whole: Mapping[str, TaskDraw], models: tuple[str, ...], group: str, average: str, view: str, pairs
) -> list[dict]:  # fmt: skip
    values, samples = _over(whole, models)
    n = np.array([sum(each.n for each in whole.values())])
    found = Estimates(
        "accuracy", "percent", average, view, WITHIN, models, (group,), values.mean(axis=0)[:, None],
        samples.mean(axis=0)[..., None], np.broadcast_to(n, (len(models), 1)), n,
    )  # fmt: skip
    return value_rows(found) + share_contrast_rows(found, pairs, group)


def win_shares(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tasks (the first axis) that the first wins, a tie counting half.

    >>> float(win_shares(np.array([0.9, 0.5, 0.2]), np.array([0.8, 0.5, 0.3])))
    1.5
    """
    return (first > second).sum(axis=0) + 0.5 * (first == second).sum(axis=0)


def _win_rows(
    whole: Mapping[str, TaskDraw], models: tuple[str, ...], average: str, view: str, pairs
) -> list[dict]:  # fmt: skip
    """Wins among all models (ties shared), wins of each pair (a tie is half) and ties; n counts tasks."""
    values, samples = _over(whole, models)
    each_draw = np.stack([shared_wins(samples[:, i].T) for i in range(samples.shape[1])])
    low, high = percentile_interval(each_draw)
    base = {"dataset": average, "view": view, "group": OVERALL, "n": len(whole), "unit": "count", "resampled": WITHIN}
    rows = [
        {**base, "model": model, "metric": "wins", "value": value, "ci_low": below, "ci_high": above}
        for model, value, below, above in zip(models, shared_wins(values.T), low, high, strict=True)
    ]
    for first, second in pairs_among(models, pairs):
        i, j = models.index(first), models.index(second)
        low, high = percentile_interval(win_shares(samples[..., i], samples[..., j]))
        pair = {**base, "model": f"{first} - {second}"}
        won = float(win_shares(values[:, i], values[:, j]))
        rows.append({**pair, "metric": "wins", "value": won, "ci_low": low, "ci_high": high})
        ties = float((values[:, i] == values[:, j]).sum())
        rows.append({**pair, "metric": "ties", "value": ties, "resampled": "none"})
    return rows


def probe_rows(results: Mapping[str, Mapping[str, object]], view: str = "paper.eval") -> pd.DataFrame:
    """What each probe says besides accuracy: mean_per_class_accuracy, majority_share, strength, iterations, converged.

    results: a `probe.ProbeResult` by task and model. `majority_share` is what always answering training's most
    frequent class would give on the test images. `probe_strength`: inverse L2 strength or weight decay;
    `probe_at_edge` and `probe_converged` are 1 or 0, the latter without a value where a fixed number of steps is run.

    >>> from types import SimpleNamespace
    >>> one = SimpleNamespace(mean_per_class=0.5, majority=0.7, strength=None, at_edge=False, iterations=9,
    ...                       converged=False, n_test=10, n_train=90, n_classes=3)
    >>> probe_rows({"vtab_dtd": {"vit_sup": one}}).set_index("metric").value["probe_converged"].item()
    0.0
    """
    rows = []
    for task, found in results.items():
        for model, each in found.items():
            base = {"model": model, "dataset": task, "view": view, "group": OVERALL, "resampled": "none"}
            for metric, unit, n, value in _facts(each):
                number = None if value is None else float(value)
                rows.append({**base, "metric": metric, "unit": unit, "n": n, "value": number})
    return finished(rows)


def _facts(each) -> list[tuple[str, str, int, object]]:
    return [
        ("mean_per_class_accuracy", "percent", each.n_test, 100 * each.mean_per_class),
        ("majority_share", "percent", each.n_test, 100 * each.majority),
        ("probe_strength", "ratio", each.n_train, each.strength),
        ("probe_at_edge", "count", each.n_train, each.at_edge),
        ("probe_iterations", "count", each.n_train, each.iterations),
        ("probe_converged", "count", each.n_train, each.converged),
        ("probe_classes", "count", each.n_train, each.n_classes),
    ]
