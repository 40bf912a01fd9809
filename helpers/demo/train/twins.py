"""One twin from nothing to its record: render, train, save, measure."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import fetch, models, paths
from helpers.demo.train.batches import Source, source
from helpers.demo.train.loop import train
from helpers.demo.train.measuring import accuracy, probabilities, shape_bias_of
from helpers.demo.train.recipes import CAPTIONS_PER_IMAGE, TUNE_IMAGES, WORLD_SEEDS, Recipe
from helpers.demo.train.record import read_record
from helpers.demo.train.rendered import Rendered, rendered
from helpers.demo.world import class_names, demo_set, set_hash
from helpers.errors import BookError

FIRST = 400  # images of `val` whose accuracies are recorded besides
KEPT = 500  # steps between checkpoints that stay, each tried on the tuning split

if TYPE_CHECKING:
    from torch import nn


def packaged_weights(model: str, seed: int) -> Path:
    """Where a twin's weights lie: seed 0 inside the package, other seeds under `artifacts/demo`.

    >>> packaged_weights("twin_vit_sup", 0).name
    'twin_vit_sup_seed0.safetensors'
    """
    name = f"{model}_seed{seed}.safetensors"
    return paths.reference(models.MODELS[model].packaged) if seed == 0 else paths.artifacts() / "demo" / name


def _folder(folder: Path | None) -> Path:
    return paths.artifacts() / "demo" if folder is None else Path(folder)


def training_source(recipe: Recipe, folder: Path | None = None, progress: bool = True) -> Source:
    """The rendered training set, prepared for a twin."""
    images = rendered(demo_set("train", n=recipe.images, seed=WORLD_SEEDS["train"]), folder, progress=progress)
    return source(images, models.MODELS[recipe.model], CAPTIONS_PER_IMAGE if recipe.contrastive else 0)


def save_weights(network: nn.Module, path: Path) -> str:
    """Write a network's tensors as fp16 safetensors; returns the file's sha256."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    save_file({name: value.detach().half().contiguous() for name, value in network.state_dict().items()}, part)
    part.chmod(0o644)  # safetensors writes files that nobody else may read
    part.replace(path)
    return fetch.sha256_of(path)


def evaluation_sets(split: str, folder: Path | None = None, progress: bool = True) -> tuple[Rendered, Rendered]:
    """(images with labels, cue-conflict images) of a split: "tune" for choices, "val" for what is reported.

    The tuning split has a world seed of its own for both, so that nothing is chosen on reported images.
    """
    size = TUNE_IMAGES if split == "tune" else None
    labelled = demo_set(split, n=size, seed=WORLD_SEEDS[split])
    cues = demo_set("cue_conflict", seed=WORLD_SEEDS["tune" if split == "tune" else "cue_conflict"])
    return rendered(labelled, folder, progress=progress), rendered(cues, folder, progress=progress)


def first_images(model: models.LoadedModel, folder: Path | None = None) -> dict:
    """Accuracies in percent on the first FIRST images of `val`: what a test recomputes in seconds."""
    labelled, _ = evaluation_sets("val", folder, progress=False)
    some = replace(labelled, pixels=labelled.pixels[:FIRST], labels=labelled.labels[:FIRST])
    found = accuracy(probabilities(model, some), some.labels, class_names())
    return {"accuracy": found.fine, "category_accuracy": found.category, "n": found.n}


def measure(model: models.LoadedModel, split: str, folder: Path | None = None, progress: bool = True) -> dict:
    """Accuracies in percent, shape bias as a fraction, on a split; the network runs as the book runs it."""
    labelled, cues = evaluation_sets(split, folder, progress)
    found = accuracy(probabilities(model, labelled), labelled.labels, class_names())
    bias = shape_bias_of(probabilities(model, cues), cues)
    return {
        "accuracy": round(found.fine, 3), "category_accuracy": round(found.category, 3), "n": found.n,
        "shape_bias": round(bias["shape_bias"], 4), "decided_by_either_cue": round(bias["by_either_cue"], 2),
        "n_conflict": bias["n"], "accuracy_by_class": found.by_class, "accuracy_by_category": found.by_category,
    }  # fmt: skip


def quick_measure(recipe: Recipe, network: nn.Module, folder: Path | None = None, n: int = 600):
    """(accuracy in percent, shape bias) of a network in training, on the first n images of the tuning split."""
    path = _folder(folder) / f"{recipe.model}.{os.getpid()}.probe.safetensors"
    save_weights(network, path)
    try:
        model = models.load(recipe.model, weights=path, progress=False)
        labelled, cues = evaluation_sets("tune", folder, progress=False)
        some = replace(labelled, pixels=labelled.pixels[:n], labels=labelled.labels[:n])
        found = float(100 * np.mean(probabilities(model, some).argmax(axis=1) == some.labels))
        return found, shape_bias_of(probabilities(model, cues), cues)["shape_bias"]
    finally:
        path.unlink(missing_ok=True)


def make_twin(recipe: Recipe, seed: int, folder: Path | None = None, progress: bool = True) -> dict:
    """Train (or go on training) a twin, save its weights and return its entry for the record."""
    work = _folder(folder) / f"{recipe.model}_seed{seed}"

    def show(step: int, network: nn.Module) -> None:
        found, bias = quick_measure(recipe, network, folder)
        print(f"\n{recipe.model} step {step}: {found:.1f} % on the tuning split, shape bias {bias:.2f}", flush=True)

    network, seconds = train(
        recipe, training_source(recipe, folder, progress), seed, work, keep=KEPT, progress=progress, report=show
    )
    path = packaged_weights(recipe.model, seed)
    save_weights(network, path)
    return entry(recipe, seed, path, seconds, folder)


def measure_again(model: str, seed: int, folder: Path | None = None) -> dict:
    """The entry of a recorded twin, measured once more on its weights. Raises BookError where none is recorded."""
    recorded = read_record().get(f"{model}/seed{seed}")
    if recorded is None:
        raise BookError(f"{model}, seed {seed}", "an entry in the record, found none", "train it first")
    path = packaged_weights(model, seed)
    found = entry(Recipe(**recorded["recipe"]), seed, path, recorded["training_seconds"], folder)
    return {**found, "trained_in_world": recorded.get("trained_in_world", recorded["world_sha256"])}


def world_digest(every: int = 50) -> str:
    """sha256 over every 50th picture of `train` and `val`: weights belong to the world they were trained in.

    >>> len(world_digest(every=10_000))
    64
    """
    sets = (demo_set(name, n=2000, seed=WORLD_SEEDS[name]) for name in ("train", "val"))
    return hashlib.sha256("".join(set_hash(items, every) for items in sets).encode()).hexdigest()


def learned_scale(path: Path) -> float | None:
    """The logit scale that a CLIP learned (the head uses the paper's constant of 100 instead); None for others."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as stored:
        found = "logit_scale" in stored.keys()  # noqa: SIM118 (not a dict)
        return round(float(np.exp(np.float64(stored.get_tensor("logit_scale")))), 2) if found else None


def entry(recipe: Recipe, seed: int, path: Path, seconds: float, folder: Path | None = None) -> dict:
    """The record of one training, measured on the saved weights."""
    model = models.load(recipe.model, weights=path, progress=False)
    counts = {row["metric"]: row["value"] for row in models.count_parameters_and_macs(recipe.model)}
    return {
        "model": recipe.model, "seed": seed, "world_seeds": WORLD_SEEDS, "world_sha256": world_digest(),
        "weights_sha256": model.weights_hash, "bytes": path.stat().st_size,
        "parameters_millions": round(counts["parameters"], 4), "macs_millions": round(1000 * counts["macs"], 3),
        "training_seconds": round(seconds),
        "training_images": recipe.steps * recipe.batch, "learned_logit_scale": learned_scale(path),
        "recipe": asdict(recipe),
        "versions": {name: version(name) for name in ("torch", "timm", "open_clip_torch")},
        "tune": measure(model, "tune", folder), "val": measure(model, "val", folder),
        "val_first": first_images(model, folder),
    }  # fmt: skip
