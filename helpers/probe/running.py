"""All probes of all models on all tasks of a profile: features once, a result per probe, task and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from helpers import datasets, fetch, models, paths
from helpers.demo import tasks as demo_tasks
from helpers.errors import BookError, InputsUnavailable
from helpers.predict import Inputs, Settings, sources
from helpers.predict.features import Features, are_stored, features
from helpers.probe.clip_benchmark import clip_benchmark
from helpers.probe.lbfgs import lbfgs
from helpers.probe.leak import leak
from helpers.probe.result import ProbeResult
from helpers.probe.splits import task_of
from helpers.probe.zero_shot import zero_shot

PROBES = ("clip_benchmark", "lbfgs", "lbfgs_unbinned", "lbfgs_before_projection", "zero_shot", "leaked")
"""`lbfgs_unbinned`: with CLIP_benchmark's classes, where VTAB bins them; `lbfgs_before_projection`: on what CLIP's
projection takes; `leaked`: trained on the test images too."""
LEAKED = ("vtab_sun397",)  # and every task of the demo
NATURAL, SPECIALIZED = 7, 4  # VTAB's tasks stand in the order of its three groups
DEMO = "demo_task_"
SECOND = "before_projection"

Results = dict[str, dict[str, dict[str, ProbeResult]]]


@dataclass(frozen=True)
class Probed:
    """What probes found: `results[probe][task][model]`, where features came from, what is missing and why.

    `tasks` are those asked for, `models` those of the profile; `partial` says in what the data is less than published.
    """

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    results: Results = field(default_factory=lambda: {name: {} for name in PROBES})
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    partial: list[str] = field(default_factory=list)

    @property
    def done(self) -> tuple[str, ...]:
        """The tasks of which at least one model has results."""
        return tuple(task for task in self.tasks if task in self.results["lbfgs"])

    def table(self) -> pd.DataFrame:
        """One line a task (index) and column a model: where its features come from, or why the task is not run."""
        lines = {
            task: {
                model: self.sources.get((task, model)) or f"not run: {self.missing.get(task, 'no features')}"
                for model in self.models
            }
            for task in self.tasks
        }
        return pd.DataFrame.from_dict(lines, orient="index")

    def shortfalls(self) -> dict[str, str]:
        """Why the results are not complete: {task or data: reason}; empty if they are."""
        return {**self.missing, **({"tasks": "; ".join(self.partial)} if self.partial else {})}


def probe_all(
    tasks: Sequence[Inputs], settings: Settings | None = None, max_images: int | None = None,
    local: sources.Local = None, device: str = "cuda",
) -> Probed:  # fmt: skip
    """Run every probe on every task; features are read from the store, or extracted and kept there.

    A strength is chosen on the task's validation split where the copy that is read has one, else on a part of the
    training images. A task whose data or weights cannot be had is told in `missing`; the rest runs. CLIP models are
    asked without training too where the task's class names are known. `device` is where large fits run if it is there.
    """
    found = Probed(
        tuple(inputs.dataset for inputs in tasks), tuple(dict.fromkeys(m for inputs in tasks for m in inputs.models))
    )
    texts = _texts(found, local)
    for inputs in tasks:
        opened: dict[str, sources.Source] = {}
        what = settings, max_images, local

        def of(model: str, reading: str = "probe", inputs: Inputs = inputs, opened: dict = opened, what=what):
            return splits_of(inputs, model, *what, reading, opened)

        for model in inputs.models:
            try:
                splits = of(model)
                earlier = of(model, SECOND) if all(SECOND in each.readings for each in splits) else None
                probes = _results(inputs.dataset, splits, earlier, texts.get((model, inputs.dataset)), device)
            except InputsUnavailable as error:
                found.missing[inputs.dataset] = str(error)
                continue
            _note(found, inputs.dataset, model, splits)
            for name, result in probes.items():
                found.results[name].setdefault(inputs.dataset, {})[model] = result
    return found


def splits_of(
    inputs: Inputs, model: str, settings: Settings | None = None, max_images: int | None = None,
    local: sources.Local = None, reading: str = "probe", opened: dict[str, sources.Source] | None = None,
) -> list[Features]:  # fmt: skip
    """Training and test features of a task, and those of its own validation split where the same copy has one.

    Raises InputsUnavailable where training or test features cannot be had.
    """
    what = settings, max_images, local
    read = [with_units(inputs.dataset, features(inputs, model, split, *what, reading, opened))
            for split in ("train", None)]  # fmt: skip
    own = inputs, model, sources.VALIDATION, *what
    if sources.VALIDATION not in datasets.dataset_spec(inputs.dataset).splits:
        return read
    if not (sources.has_validation(inputs.dataset, local) or are_stored(*own)):
        return read
    try:
        val = with_units(inputs.dataset, features(*own, reading, opened))
    except InputsUnavailable:
        return read
    # That of another copy, stored once, may hold what is training here.
    return [*read, val] if val.artifacts == read[0].artifacts else read


def _note(found: Probed, dataset: str, model: str, splits: Sequence[Features]) -> None:
    found.sources[dataset, model] = "; ".join(dict.fromkeys(each.source for each in splits))
    for each in splits:
        found.artifacts.update(each.artifacts)
        found.partial.extend(note for note in each.partial if note not in found.partial)


def _texts(found: Probed, local: sources.Local) -> dict[tuple[str, str], np.ndarray]:
    """Text embeddings by CLIP model and task, where a task's class names are known and the model can be had."""
    clips = [model for model in found.models if models.resolve(model).paradigm == "clip"]
    prompts = {task: named for task in found.tasks if (named := prompts_of(task, local))} if clips else {}
    texts = {}
    for model in clips if prompts else ():
        weights = models.resolve(model).weights
        path = fetch.fetch(weights, local=local) if local and weights in local else None
        try:
            heads = models.text_heads(model, prompts, path, cache=paths.store_dir() / "zero_shot")
        except InputsUnavailable as error:
            found.missing[f"zero-shot of {model}"] = str(error)
            continue
        texts |= {(model, task): head for task, head in heads.items()}
    return texts


def prompts_of(task: str, local: sources.Local = None) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Class names and templates (with `{}`) of a task; None where its copy has none, or is not here.

    >>> prompts_of("demo_task_colour")[0][:2], prompts_of("demo_task_count")
    (('red', 'orange'), None)
    """
    name = task.removeprefix(DEMO)
    if name != task:
        named, templates = demo_tasks.task(name).words, demo_tasks.task(name).templates
    else:
        try:
            dataset = sources.open_source(task, local=local, progress=False).dataset
        except InputsUnavailable:
            return None
        named, templates = dataset.class_names, dataset.templates
    return (named, tuple(each.replace("{c}", "{}") for each in templates)) if named and templates else None


def _results(
    dataset: str, splits: Sequence[Features], earlier: Sequence[Features] | None, text: np.ndarray | None, device: str
) -> dict[str, ProbeResult]:  # fmt: skip
    plain = task_of(dataset, *splits)
    binned = task_of(dataset, *(under_rule(dataset, each, "vtab") for each in splits))
    results = {"clip_benchmark": clip_benchmark(plain), "lbfgs": lbfgs(binned, device=device)}
    if datasets.rules_differ(dataset):
        results["lbfgs_unbinned"] = lbfgs(plain, device=device)
    if earlier is not None:
        before = task_of(dataset, *(under_rule(dataset, each, "vtab") for each in earlier))
        results["lbfgs_before_projection"] = lbfgs(before, device=device)
    if dataset in LEAKED or dataset.startswith(DEMO):
        results["leaked"] = leak(plain).leaked
    if text is not None and len(text) == datasets.n_classes(dataset, "clip_benchmark"):
        results["zero_shot"] = zero_shot(dataset, splits[1], text, splits[0].labels)
    return results


def under_rule(dataset: str, given: Features, rule: str) -> Features:
    """Features with the labels of a label rule (VTAB bins the classes of dSprites)."""
    label = datasets.under_rule(dataset, given.labels, rule)
    if np.array_equal(label, given.labels):
        return given
    return replace(given, labels=label, frame=given.frame.assign(label=[[int(each)] for each in label]))


def with_units(dataset: str, given: Features) -> Features:
    """Features whose `group` is what is resampled together, where image ids tell it (KITTI's videos)."""
    ids = given.frame["image_id"]
    units = datasets.units(dataset, ids.tolist())
    if units is None or (units == ids.to_numpy()).all():
        return given
    return replace(given, frame=given.frame.assign(group=units))


def group_of(dataset: str) -> str:
    """VTAB's group of a task: "natural", "specialized" or "structured". Raises BookError for another dataset.

    >>> group_of("vtab_pcam"), group_of("demo_task_count")
    ('specialized', 'structured')
    """
    name = dataset.removeprefix(DEMO)
    if name != dataset and name in demo_tasks.TASKS:
        return demo_tasks.TASKS[name].group
    order = [key for key in datasets.DATASETS if key.startswith("vtab_")]
    if dataset not in order:
        raise BookError(f"group of {dataset!r}", f"a task: one of {', '.join(order)}", "correct the name")
    place = order.index(dataset)
    return demo_tasks.GROUPS[(place >= NATURAL) + (place >= NATURAL + SPECIALIZED)]
