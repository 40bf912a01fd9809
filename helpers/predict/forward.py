"""One batch through one network: pixels to logits and embeddings, and those to rows of the store."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from helpers import labels, models, views
from helpers.datasets import Dataset
from helpers.errors import BookError
from helpers.predict.batches import Batch
from helpers.predict.keys import FEATURES_DTYPE
from helpers.predict.outputs import carried_facts, feature_rows, prediction_rows
from helpers.predict.passes import Pass
from helpers.predict.settings import Settings, autocast

if TYPE_CHECKING:
    import torch

BLOCK = 256


class Answer(NamedTuple):
    """What a network said about some images: their positions and pixels, logits [n, classes], matrices by name.

    Where features alone are asked for there are no logits.
    """

    of: Pass
    positions: list[int]
    pixels: torch.Tensor
    logits: torch.Tensor | None
    matrices: dict[str, torch.Tensor]


def forward(each: Pass, batch: Batch, settings: Settings, sizes: dict[str, int]) -> list[Answer]:
    """Run the images of a batch that this pass still has to do, in pieces of `sizes[view]`, halved while out of memory.

    Raises BookError where one image alone does not fit.
    """
    rows = [row for row, position in enumerate(batch.positions) if each.todo[position]]
    if not rows:
        return []
    pixels = batch.pixels[each.view.id]
    pixels = pixels if len(rows) == len(pixels) else pixels[rows]
    positions = [batch.positions[row] for row in rows]
    found: list[Answer] = []
    done = 0
    while done < len(rows):
        size = sizes[each.view.id]
        piece = slice(done, done + size)
        try:
            found.append(_answer(each, positions[piece], pixels[piece], settings))
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            sizes[each.view.id] = _halved(each, size)
            continue
        done += size
    return found


def _out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _halved(each: Pass, size: int) -> int:
    import torch

    if size == 1:
        raise BookError(
            f"{each.model.key} under {each.view.id}", "memory for one image, found too little",
            "close other programs, or use a machine with more memory",
        )  # fmt: skip
    torch.cuda.empty_cache()
    return size // 2


def _answer(each: Pass, positions: list[int], pixels: torch.Tensor, settings: Settings) -> Answer:
    import torch

    alone = "predictions" not in each.writer.keys
    with torch.inference_mode():
        run = feature_images if alone else forward_images
        logits, embedding, before = run(each.run, each.view, pixels, settings)
    matrices = {}
    if "embeddings" in each.writer.keys:
        matrices = {"embedding": embedding} | ({} if before is None else {"before_projection": before})
    return Answer(each, positions, pixels, logits, matrices)


def forward_images(
    model: models.LoadedModel, view: views.View, pixels: torch.Tensor, settings: Settings
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Logits [n, classes], embedding [n, d] and pre-projection (or None) of pixels uint8 [n, 3, s, s]."""
    with autocast(settings):
        embedding, before = model.features(model_input(view, pixels, settings))
    return models.logits_from_features(embedding.float(), model.device_head), embedding, before


def feature_images(
    model: models.LoadedModel, view: views.View, pixels: torch.Tensor, settings: Settings
) -> tuple[None, torch.Tensor, torch.Tensor | None]:
    """As `forward_images`, without logits: the head is not even built."""
    with autocast(settings):
        return None, *model.features(model_input(view, pixels, settings))


def model_input(view: views.View, pixels: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Normalised images on the device, channels last: convolutions are faster so, attention does not mind."""
    import torch

    images = views.normalise(pixels.to(settings.device, non_blocking=True), view.preprocessing)
    return images.contiguous(memory_format=torch.channels_last)


def settle(answer: Answer, dataset: Dataset, settings: Settings) -> Answer:
    """The same answer in main memory. Raises BookError for NaN or constant logits, naming the images and the layer.

    Without logits it is the features that must be finite and differ within an image.
    """
    import torch

    each, logits = answer.of, answer.matrices["embedding"] if answer.logits is None else answer.logits
    if not models.is_sound(logits):
        bad = (~logits.isfinite().all(-1) | (logits.amax(-1) == logits.amin(-1))).nonzero().flatten().tolist()
        names = [dataset.images.where(answer.positions[row]) for row in bad[:3]]
        try:
            with torch.inference_mode(), autocast(settings):
                models.check_logits(each.model, model_input(each.view, answer.pixels, settings), logits)
        except BookError as error:
            thing = f"{error.thing} under {each.view.id} on {dataset.dataset_id} ({', '.join(names)})"
            raise BookError(thing, error.expected, error.remedy) from None
    matrices = {name: matrix.float().cpu() for name, matrix in answer.matrices.items()}
    kept = None if answer.logits is None else logits.float().cpu()
    return answer._replace(pixels=None, logits=kept, matrices=matrices)


@dataclass
class Block:
    """Answers that wait to be written, some hundred images together: a table costs the same for 8 rows as for 200."""

    dataset: Dataset
    space: labels.LabelSpace | None
    passes: list[Pass]
    settings: Settings
    waiting: dict[str, list[Answer]] = field(default_factory=dict)
    written: float = field(default_factory=time.monotonic)

    def add(self, answer: Answer) -> None:
        """Keep an answer for the next table."""
        self.waiting.setdefault(answer.of.view.id, []).append(answer)

    def write_if_due(self) -> None:
        """Hand the rows to the store where they are many; close the shards where the last ones are long ago."""
        rows = max((sum(len(a.positions) for a in answers) for answers in self.waiting.values()), default=0)
        if time.monotonic() - self.written > self.settings.shard_seconds:
            self.write()
        elif rows >= min(BLOCK, self.settings.shard_rows):
            self._hand_over()

    def write(self) -> None:
        """Write everything that waits."""
        self._hand_over()
        for each in self.passes:
            each.writer.flush()
        self.written = time.monotonic()

    def _hand_over(self) -> None:
        import torch

        waiting, self.waiting = self.waiting, {}
        for answers in waiting.values():
            writer = answers[0].of.writer
            positions = np.concatenate([answer.positions for answer in answers])
            facts = self.dataset.table.take(positions)
            matrices = {
                name: torch.cat([answer.matrices[name] for answer in answers]).numpy() for name in answers[0].matrices
            }
            if answers[0].logits is None:
                narrow = {name: matrix.astype(FEATURES_DTYPE) for name, matrix in matrices.items()}
                writer.append(feature_rows(facts), narrow)
                continue
            logits = torch.cat([answer.logits for answer in answers])
            told = carried_facts(self.dataset.table).take(positions)
            writer.append(prediction_rows(logits, told, self.space), matrices or None)
