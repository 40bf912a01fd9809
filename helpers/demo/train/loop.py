"""The training loop: every step is a function of (recipe, seed, step), so that a resumed run equals an unbroken one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.demo.train.batches import Source, make_batch
from helpers.demo.train.checkpoints import resume, write_checkpoint
from helpers.demo.train.networks import limit_scale, loss_of, new_network, optimiser
from helpers.demo.train.recipes import Recipe, learning_rate
from helpers.models import MODELS

if TYPE_CHECKING:
    from torch import nn


def train(
    recipe: Recipe, source: Source, seed: int, folder: Path, *, every: int = 100, keep: int = 0,
    stop_at: int | None = None, progress: bool = True, report: Callable[[int, nn.Module], None] | None = None,
) -> tuple[nn.Module, float]:  # fmt: skip
    """(the trained network in evaluation mode, seconds of training), resumed from `folder` where that has a checkpoint.

    A checkpoint is written every `every` steps; each `keep`-th step's is kept besides (0: none), to branch a shorter or
    longer training from. `stop_at` ends early, as an interruption would. `report(step, network)` is called after each
    kept checkpoint. Raises BookError for a checkpoint of another training.
    """
    import torch
    from tqdm import tqdm

    network = new_network(recipe, seed)
    if MODELS[recipe.model].family == "convnext":
        network = network.to(memory_format=torch.channels_last)
    steps = optimiser(recipe, network)
    start, seconds = resume(folder, recipe, seed, network, steps)
    end = recipe.steps if stop_at is None else min(stop_at, recipe.steps)
    network.train()
    with tqdm(total=end, initial=start, desc=f"{recipe.model} seed {seed}", unit="step", disable=not progress) as bar:
        for step in range(start, end):
            began = time.perf_counter()
            loss = _step(recipe, network, steps, source, seed, step)
            seconds, done = seconds + time.perf_counter() - began, step + 1
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update()
            kept = bool(keep) and done % keep == 0
            if kept or done % every == 0 or done == end:
                write_checkpoint(folder, recipe, seed, network, steps, done, seconds, keep=kept)
                _log(folder, done, loss, seconds)
            if kept and report is not None:
                report(done, network.eval())
                network.train()
    return network.eval(), seconds


def _step(recipe: Recipe, network: nn.Module, steps, source: Source, seed: int, step: int) -> float:
    import torch

    for group in steps.param_groups:
        group["lr"] = learning_rate(recipe, step)
    images, labels, tokens = make_batch(source, MODELS[recipe.model], seed, step, recipe.batch)
    torch.manual_seed(seed * 1_000_003 + step)  # what layers draw at random depends on the step alone
    loss = loss_of(recipe, network, images, labels, tokens)
    steps.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
    steps.step()
    limit_scale(network)
    return loss.item()


def _log(folder: Path, step: int, loss: float, seconds: float) -> None:
    line = {"step": step, "loss": round(loss, 4), "seconds": round(seconds, 1)}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
