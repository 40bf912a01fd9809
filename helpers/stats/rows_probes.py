"""All result rows of section 6 from what the probes found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.datasets import DATASETS, address, pictures_of_task
from helpers.probe import PROBES, Probed, ProbeResult, group_of
from helpers.rows import rows_frame
from helpers.stats.contrasts import pairs_of
from helpers.stats.rows_transfer import AVERAGE, probe_rows, transfer_rows

Results = Mapping[str, Mapping[str, ProbeResult]]
Pairs = Sequence[tuple[str, str]]
VIEWS = {
    "clip_benchmark": "paper.eval", "lbfgs": "lbfgs.eval", "lbfgs_unbinned": "lbfgs.unbinned",
    "lbfgs_before_projection": "lbfgs.before_projection", "zero_shot": "zero_shot.eval", "leaked": "leaked.eval",
}  # fmt: skip
"""View ids of the probes: the paper's likely protocol, L-BFGS, the same without VTAB's bins, the same on CLIP's
features before their projection, no training, a leak."""
GAINS = {"leak_gain": ("leaked", "clip_benchmark"), "projection_gap": ("lbfgs_before_projection", "lbfgs")}
SAME_PICTURES = (
    ("vtab_clevr_count_all", "vtab_clevr_closest_object_distance"),
    ("vtab_dsprites_label_x_position", "vtab_dsprites_label_orientation"),
    ("vtab_smallnorb_label_azimuth", "vtab_smallnorb_label_elevation"),
)  # fmt: skip


def probed_rows(probed: Probed, rng: np.random.Generator, n_resamples: int = 2000) -> pd.DataFrame:
    """Accuracies, paired contrasts (`pairs_of` the models), means, wins and what probes say, one view each (`VIEWS`).

    Images are resampled within tasks, whole units (a video, a part of a photograph) where a task has them; tasks about
    the same pictures are drawn together. Averages have the dataset "vtab", of the demo "demo_vtab"; they are over the
    tasks that all models have, and none is made of zero-shot answers. `leak_gain`: what training on the test images
    too adds, in points; `projection_gap`: what a probe of CLIP's features gains when it stands before the projection.

    >>> len(probed_rows(Probed((), ()), np.random.default_rng(0)))
    0
    """
    tables = [
        _rows_of(probed.results[probe], VIEWS[probe], pairs_of(probed.models), rng, n_resamples)
        for probe in PROBES if probed.results[probe]
    ]
    for metric, (first, second) in GAINS.items():
        tables += _gain_rows(metric, probed.results[first], probed.results[second], VIEWS[first], rng, n_resamples)
    return rows_frame(pd.concat(tables) if tables else [])


def _gain_rows(
    metric: str, first: Results, second: Results, view: str, rng: np.random.Generator, n_resamples: int
) -> list[pd.DataFrame]:
    """One probe's accuracy minus another's of the same model on the same test images (points), and its mean over tasks.
    """
    tables = []
    for model in dict.fromkeys(model for found in first.values() for model in found):
        both = {
            task: {"first": first[task][model].predictions, "second": second[task][model].predictions}
            for task in first if model in first[task]
        }  # fmt: skip
        rows = transfer_rows(
            both, rng, n_resamples, view, None, *_clusters(both), same_images=_same_pictures(both),
            average=_average(both), pairs=[("first", "second")],
        )  # fmt: skip
        gains = rows[(rows.model == "first - second") & (rows.metric == "accuracy")]
        tables.append(gains.assign(model=model, metric=metric))
    return tables


def _rows_of(results: Results, view: str, pairs: Pairs, rng: np.random.Generator, n_resamples: int) -> pd.DataFrame:
    frames = {task: {model: each.predictions for model, each in found.items()} for task, found in results.items()}
    rows = transfer_rows(
        frames, rng, n_resamples, view, {task: group_of(task) for task in results}, *_clusters(frames),
        same_images=_same_pictures(results), average=_average(results), pairs=pairs,
    )  # fmt: skip
    if view in (VIEWS["zero_shot"], VIEWS["lbfgs_unbinned"]):  # of a few tasks only: their mean would mislead
        rows = rows[rows.dataset.isin(list(results))]
    return pd.concat([rows, probe_rows(results, view)])


def _average(tasks: Mapping[str, object]) -> str:
    """The "data set" of averages over these tasks."""
    return f"demo_{AVERAGE}" if all(task.startswith("demo_") for task in tasks) else AVERAGE


def _clusters(frames: Mapping[str, Mapping[str, pd.DataFrame]]) -> tuple[dict[str, pd.Series], dict[str, str]]:
    """The unit of each image of the tasks that have one, and what it is called."""
    clusters, units = {}, {}
    for task, found in frames.items():
        first = next(iter(found.values()))
        if "group" in first and first.group.notna().all():
            clusters[task] = first.set_index("image_id").group
            units[task] = DATASETS[address(task)[0]].unit or "cluster"
    return clusters, units


def _same_pictures(results: Mapping[str, object]) -> list[tuple[str, ...]]:
    """Tasks that are about the same pictures."""
    shared: dict[str, list[str]] = {}
    for task in results:
        shared.setdefault(pictures_of_task(task), []).append(task)
    return [*SAME_PICTURES, *(tuple(tasks) for tasks in shared.values() if len(tasks) > 1)]
