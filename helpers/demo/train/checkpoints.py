"""Checkpoints of a training: one safetensors file with weights and the optimiser's state, read without pickle."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.demo.train.recipes import Recipe
from helpers.errors import BookError

if TYPE_CHECKING:
    from torch import nn

LAST = "last.safetensors"
FREE = ("epochs",)  # what may change between parts of a training, as long as its descent has not begun


def write_checkpoint(
    folder: Path, recipe: Recipe, seed: int, network: nn.Module, steps, step: int, seconds: float, keep: bool = False
) -> None:
    """Write `last.safetensors` in one move; with `keep` a copy named by its step as well."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network/{name}": value.detach().contiguous() for name, value in network.state_dict().items()}
    for number, state in steps.state_dict()["state"].items():
        tensors |= {f"optimiser/{number}/{name}": value.detach().contiguous() for name, value in state.items()}
    facts = {"recipe": json.dumps(asdict(recipe)), "seed": str(seed), "step": str(step), "seconds": f"{seconds:.1f}"}
    names = [LAST, f"step_{step:06d}.safetensors"] if keep else [LAST]
    for name in names:
        part = folder / f"{name}.{os.getpid()}.part"
        save_file(tensors, part, metadata=facts)
        part.replace(folder / name)


def resume(folder: Path, recipe: Recipe, seed: int, network: nn.Module, steps) -> tuple[int, float]:
    """Put the furthest checkpoint that this training can go on from into network and optimiser.

    Returns (steps done, seconds spent), (0, 0.0) for an empty folder. A training may have another number of epochs
    than the checkpoint's as long as neither schedule had begun its descent. Raises BookError where there are
    checkpoints, but only of other recipes or seeds or past where the schedules part.
    """
    kept = sorted(folder.glob("step_*.safetensors"), reverse=True)
    paths = [path for path in (folder / LAST, *kept) if path.is_file()]
    errors = []
    for path in paths:
        try:
            return read_checkpoint(path, recipe, seed, network, steps)
        except BookError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return 0, 0.0


def read_checkpoint(path: Path, recipe: Recipe, seed: int, network: nn.Module, steps) -> tuple[int, float]:
    """Put one checkpoint into network and optimiser; (steps done, seconds spent). Raises BookError as `resume`."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        facts = stored.metadata()
        _check(path, json.loads(facts["recipe"]), int(facts["seed"]), int(facts["step"]), recipe, seed)
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118 (not a dict)
    network.load_state_dict({k.removeprefix("network/"): v for k, v in tensors.items() if k.startswith("network/")})
    state: dict[int, dict] = {}
    for key, value in tensors.items():
        if key.startswith("optimiser/"):
            _, number, field = key.split("/")
            state.setdefault(int(number), {})[field] = value
    steps.load_state_dict({"state": state, "param_groups": steps.state_dict()["param_groups"]})
    return int(facts["step"]), float(facts["seconds"])


def _check(path: Path, found: dict, found_seed: int, step: int, recipe: Recipe, seed: int) -> None:
    wanted = asdict(recipe)
    differ = [name for name in wanted if found.get(name) != wanted[name]]
    flat = min(_flat_steps(Recipe(**found)), _flat_steps(recipe)) if set(found) == set(wanted) else 0
    if found_seed != seed or set(differ) - set(FREE) or (differ and step > flat):
        different = ", ".join(differ) or "nothing"
        raise BookError(
            f"checkpoint {path}", f"one of {recipe.model}, seed {seed}, that this training can go on from, found "
            f"{found.get('model')}, seed {found_seed}, step {step}; differing: {different}",
            "train in another folder, or delete this one",
        )  # fmt: skip


def _flat_steps(recipe: Recipe) -> int:
    return recipe.steps - max(1, round(recipe.cooldown * recipe.steps))
