"""Section 6 in words and tables: what the probes of this run say, whichever the profile."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from helpers.demo.tasks import TASKS
from helpers.models import MODELS
from helpers.paper.names import VTAB
from helpers.plots.style import label
from helpers.probe import Probed, group_of
from helpers.rows import observers, select
from helpers.stats.intervals import FEW_UNITS
from helpers.stats.rows_probes import VIEWS
from helpers.words.calibration import recorded_coverage
from helpers.words.differences import corrected, oriented, resolved
from helpers.words.numbers import shown
from helpers.words.tables import table
from helpers.words.titles import name_of

DEMO = tuple(f"demo_task_{name}" for name in TASKS)
AVERAGES = ("vtab", "demo_vtab")
PROBES = {
    "paper.eval": "CLIP_benchmark's recipe", "lbfgs.eval": "L-BFGS, strength chosen",
    "lbfgs.unbinned": "L-BFGS, classes not binned", "lbfgs.before_projection": "L-BFGS, before CLIP's projection",
    "zero_shot.eval": "zero-shot",
}  # fmt: skip
LIKELY, CHOSEN, WITHOUT = VIEWS["clip_benchmark"], VIEWS["lbfgs"], VIEWS["zero_shot"]
EARLIER = VIEWS["lbfgs_before_projection"]
VIDEOS = 14  # of the simulated test sets that are told about: few, as the videos of KITTI are
MARK = "*"  # beside the title of a task that captions name


def order(rows: pd.DataFrame) -> list[str]:
    """The tasks of the rows in the order of the paper's figure (of the table of tasks in the demo), then their average.

    >>> order(pd.DataFrame({"dataset": ["vtab", "vtab_dtd", "vtab_cifar100"]}))
    ['vtab_cifar100', 'vtab_dtd', 'vtab']
    """
    there = set(rows.dataset)
    return [*(name for name in (*VTAB, *DEMO) if name in there), *(name for name in AVERAGES if name in there)]


def names(rows: pd.DataFrame) -> dict[str, str]:
    """What the tasks of the rows are called; a star marks demo tasks that captions name, the average says of how many.

    >>> names(pd.DataFrame({"dataset": ["demo_task_colour"], "group": ["overall"]}))
    {'demo_task_colour': 'colour *'}
    """
    count = next((group for group in rows.group.dropna() if str(group).startswith("mean_of_")), "")
    found = {name: name_of(name) for name in order(rows)}
    found |= {name: f"average of {count.removeprefix('mean_of_')}" for name in AVERAGES if name in found and count}
    seen = {f"demo_task_{name}" for name, task in TASKS.items() if task.seen_in_captions}
    return {name: f"{shown_name} {MARK}" if name in seen else shown_name for name, shown_name in found.items()}


def overall(rows: pd.DataFrame, view: str, metric: str = "accuracy") -> pd.DataFrame:
    """The rows of one probe and metric: tasks, and the mean over all of them (not over groups of tasks)."""
    mine = select(rows, view=view, metric=metric)
    whole = mine.group.fillna("overall").eq("overall") | mine.group.fillna("").str.startswith("mean_of_")
    return mine[whole]


def gaps(rows: pd.DataFrame, view: str = CHOSEN, metric: str = "accuracy") -> pd.DataFrame:
    """ConvNeXt minus ViT of one paradigm, on every task and on average, in points, as rows of one probe.

    Rows "A - B" of a ConvNeXt and a ViT, whichever way round they stand; other models have none.

    >>> row = dict(model="vit_sup - convnext_sup", dataset="vtab_dtd", view="lbfgs.eval", metric="accuracy",
    ...            group="overall", value=2.0, ci_low=1.0, ci_high=3.0, n=9, unit="points", resampled="image")
    >>> gaps(pd.DataFrame([row]))[["model", "value", "ci_low", "ci_high"]].values.tolist()
    [['convnext_sup - vit_sup', -2.0, -3.0, -1.0]]
    """
    mine = select(overall(rows, view, metric), unit="points")
    pairs = [pair for pair in (name.split(" - ") for name in dict.fromkeys(mine.model)) if _of_one_paradigm(pair)]
    ordered = [sorted(pair, key=lambda key: MODELS[key].family) for pair in pairs]
    return oriented(mine, [model for pair in ordered for model in pair])


def _of_one_paradigm(pair: Sequence[str]) -> bool:
    """Whether these are a ConvNeXt and a ViT that were trained alike."""
    if len(pair) != 2 or not all(key in MODELS for key in pair):
        return False
    first, second = (MODELS[key] for key in pair)
    return {first.family, second.family} == {"convnext", "vit"} and first.paradigm == second.paradigm


def answer(rows: pd.DataFrame, what: str) -> str:
    """Averages and wins of this run as Markdown; `what` names the models and the data in front."""
    means = overall(rows, CHOSEN)
    means = means[means.dataset.isin(AVERAGES)]
    if means.empty:
        return f"**{what}: not run.**"
    tasks = means.group.iloc[0].removeprefix("mean_of_")  # those that all models have
    levels = "; ".join(
        f"{label(model)} {shown(select(means, model=model).iloc[0])}" for model in observers(means)
    )  # fmt: skip
    found = gaps(rows)
    bullets = "\n".join(f"- {_pair(found, rows, pair)}" for pair in dict.fromkeys(found.model))
    return f"**{what}.** Average over {tasks} tasks, L-BFGS: {levels}.\n\n{bullets}"


def _pair(found: pd.DataFrame, rows: pd.DataFrame, pair: str) -> str:
    mine = select(found, model=pair)
    tasks, mean = mine[~mine.dataset.isin(AVERAGES)], mine[mine.dataset.isin(AVERAGES)]
    clear, kept = tasks[resolved(tasks)], tasks[corrected(tasks)]
    first, second = pair.split(" - ")
    average = f"{shown(mean.iloc[0], signed=True)} on average; " if len(mean) else ""
    other = select(overall(gaps(rows, LIKELY), LIKELY), model=pair)
    other = other[other.dataset.isin(AVERAGES)]
    said = f" By CLIP_benchmark's recipe {shown(other.iloc[0], signed=True)}." if len(other) else ""
    return (
        f"{label(pair)}: {average}{label(first)} is ahead on {int((tasks.value > 0).sum())} tasks (resolved: "
        f"{int((clear.value > 0).sum())}), {label(second)} on {int((tasks.value < 0).sum())} "
        f"({int((clear.value < 0).sum())}); after Holm's correction {int((kept.value > 0).sum())} and "
        f"{int((kept.value < 0).sum())} stay resolved.{said}"
    )


def side_by_side(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Accuracy by task (percent): majority share, then per model CLIP_benchmark's recipe / L-BFGS / zero-shot.

    Majority share: what always answering training's most frequent class gives. A dash where a probe was not run.
    """
    lines = {}
    titles = names(rows)
    for task in order(rows):
        majority = select(rows, dataset=task, metric="majority_share", view=CHOSEN)
        cells = {"majority": majority.value.iloc[0] if len(majority) else None}
        for model in models:
            parts = [select(overall(rows, view), dataset=task, model=model) for view in (LIKELY, CHOSEN, WITHOUT)]
            said = [f"{part.value.iloc[0]:.1f}" if len(part) else "–" for part in parts]
            cells[label(model)] = " / ".join(said if "clip" in model else said[:2])
        lines[titles[task]] = cells
    return pd.DataFrame.from_dict(lines, orient="index")


def settings(rows: pd.DataFrame) -> HTML:
    """How every probe was set and whether it converged, folded: one line a task, model and probe."""
    kinds = {
        "mean_per_class_accuracy": "mean per class", "probe_strength": "strength", "probe_at_edge": "at edge of grid",
        "probe_iterations": "iterations", "probe_converged": "converged",
    }  # fmt: skip
    mine = rows[rows.metric.isin(kinds) & rows["view"].isin(PROBES)]
    if mine.empty:
        return HTML("<p>No probe was run.</p>")
    wide = mine.pivot(index=["dataset", "model", "view"], columns="metric", values="value").reset_index()
    wide = wide.sort_values(
        ["dataset", "view"], key=lambda part: part.map({n: i for i, n in enumerate([*order(mine), *PROBES])})
    )
    titles = names(rows)
    shown_frame = pd.DataFrame(
        {"task": wide.dataset.map(titles), "model": wide.model.map(label), "probe": wide["view"].map(PROBES)}
    )
    for metric, title in kinds.items():
        if metric in wide:
            shown_frame[title] = [_setting(metric, value) for value in wide[metric]]
    inner = table(shown_frame, index=False).data
    return HTML(f"<details><summary>Settings of all {len(wide)} probes</summary>{inner}</details>")


def _setting(metric: str, value: float) -> str:
    if value != value:
        return "–"
    if metric in ("probe_at_edge", "probe_converged"):
        return "yes" if value else "no"
    return f"{value:.3g}" if metric == "probe_strength" else f"{value:.1f}" if "accuracy" in metric else f"{value:.0f}"


def convergence(rows: pd.DataFrame) -> str:
    """How many L-BFGS probes converged, and how often a strength lies at the end of its grid, as Markdown."""
    flags = select(rows, metric="probe_converged", view=CHOSEN)
    flags = flags[flags.value.notna()]
    edges = select(rows, metric="probe_at_edge", view=CHOSEN)
    if flags.empty:
        return ""
    late = sorted({name_of(row.dataset) for row in flags.itertuples() if not row.value})
    which = f"; not on {', '.join(late)}, whose numbers may change with more iterations" if late else ""
    return (
        f"{int(flags.value.sum())} of {len(flags)} L-BFGS probes converged at every strength{which}. The chosen "
        f"strength lies at an end of its grid in {int(edges.value.sum())} of {len(edges)}."
    )


def validation(found: Probed) -> str:
    """On which images the strengths of this run's L-BFGS probes were chosen, as a sentence; nothing without probes.

    >>> validation(Probed((), ()))
    ''
    """
    chosen = [all(each.held_out is False for each in models.values()) for models in found.results["lbfgs"].values()]
    if not chosen:
        return ""
    own, held = sum(chosen), len(chosen) - sum(chosen)
    parts = [f"on the task's own validation split for {own}" if own else "",
             f"on a held-out part of the training images for {held}" if held else ""]  # fmt: skip
    why = ", which have no such split here" if held else ""
    said = " and ".join(filter(None, parts))
    return f"Of {len(chosen)} tasks strengths were chosen {said}{why}. The last fit sees both parts."


def before_projection(rows: pd.DataFrame) -> str:
    """The second reading of CLIP's features, before their projection, beside the first, as Markdown."""
    gap = select(rows, metric="projection_gap")
    tasks, mean = gap[~gap.dataset.isin(AVERAGES)], gap[gap.dataset.isin(AVERAGES)]
    if tasks.empty:
        return "**Before the projection.** Not run: no CLIP model with stored features from before its projection."
    levels = "; ".join(f"{label(row.model)} {shown(row._asdict(), signed=True)}" for row in mean.itertuples())
    clear, kept = tasks[resolved(tasks)], tasks[corrected(tasks)]
    said = (
        "**Before the projection.** CLIP's features can also be read before the projection onto the space of its "
        f"texts. On average over the tasks an L-BFGS probe then changes by: {levels}. It is higher on "
        f"{int((clear.value > 0).sum())} and lower on {int((clear.value < 0).sum())} of {len(tasks)} pairs of model "
        f"and task, beyond their intervals; after Holm's correction on {int((kept.value > 0).sum())} and "
        f"{int((kept.value < 0).sum())}."
    )
    both = [select(found, dataset=list(AVERAGES)) for found in (gaps(rows), gaps(rows, EARLIER))]
    pairs = [pair for pair in dict.fromkeys(both[1].model) if pair in set(both[0].model)]
    for pair in pairs:
        after, before = (shown(select(each, model=pair).iloc[0].to_dict(), signed=True) for each in both)
        said += f" {label(pair)} is {before} there, {after} after it."
    return said


def leak(rows: pd.DataFrame) -> str:
    """What training on the test images adds, as Markdown."""
    gain = select(rows, metric="leak_gain")
    tasks, mean = gain[~gain.dataset.isin(AVERAGES)], gain[gain.dataset.isin(AVERAGES)]
    if tasks.empty:
        return "No leak was run."
    top = tasks.loc[tasks.value.idxmax()]
    levels = "; ".join(f"{label(row.model)} {shown(row._asdict(), signed=True)}" for row in mean.itertuples())
    return (
        f"**Trained on the images that it is tested on**, the same probe gains on average: {levels}. The largest gain "
        f"is {shown(top.to_dict(), signed=True)} ({label(top.model)}, {name_of(top.dataset)}). A leak lifts a number "
        "above what new images would give, most where the task is hard. A part of it is due to more training images."
    )


def groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy (percent, L-BFGS) by group of tasks, one line a model.

    >>> groups(pd.DataFrame(columns=["view", "metric", "group", "model", "dataset", "unit"])).empty
    True
    """
    mine = select(rows, view=CHOSEN, metric="accuracy", unit="percent")
    mine = mine[mine.dataset.isin(AVERAGES)]
    if mine.empty:
        return pd.DataFrame()
    kinds = list(dict.fromkeys(group_of(task) for task in order(rows) if task not in AVERAGES))
    lines = {label(model): {kind: _cell(mine, model, kind) for kind in kinds} for model in observers(mine)}
    return pd.DataFrame.from_dict(lines, orient="index")


def _cell(mine: pd.DataFrame, model: str, group: str) -> str:
    found = select(mine, model=model, group=group)
    return shown(found.iloc[0].to_dict()) if len(found) else "–"


def few_units() -> str:
    """What is done where few whole units are drawn, and what it is worth in simulation, as Markdown.

    >>> few_units().startswith("**Few units.**")
    True
    """
    cases = recorded_coverage()
    shares = (100 * cases[cases.n == VIDEOS].set_index(["metric", "interval"]).coverage).round().astype(int)
    plain, wide = (
        " and ".join(f"{shares[metric, kind]}" for metric in ("accuracy_clusters", "accuracy_difference_clusters"))
        for kind in ("percentile", "percentile, widened")
    )
    return (
        "**Few units.** Where whole units are drawn (videos, parts of photographs), intervals of fewer than "
        f"{FEW_UNITS} are widened. In simulated sets of {VIDEOS} videos, intervals meant to cover 95 % then covered "
        f"{wide} % (an accuracy, a paired difference), and {plain} % without. Averages over tasks are not widened."
    )
