"""Runs a model over a dataset under views, and writes what it says shard by shard."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from helpers import labels, models, store, views
from helpers.datasets import Dataset
from helpers.errors import BookError
from helpers.predict.batches import Batch, batches
from helpers.predict.outputs import prediction_rows
from helpers.predict.settings import Settings, autocast, keep_freed_memory, resolved

if TYPE_CHECKING:
    import torch

BASE_VIEWS = ("eval", "asis")
WITHOUT_EMBEDDINGS = ("imagenet_c", "demo_c")


@dataclass(frozen=True)
class Report:
    """What a run did: images seen now and found finished, seconds, and images that could not be read."""

    model: str
    dataset: str
    computed: int
    reused: int
    seconds: float
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pass:
    """One view of one pass: the view, the network at its input size, where its rows go, what was there before."""

    view: views.View
    model: models.LoadedModel
    writer: store.ShardWriter
    finished: frozenset[str]


def run(
    name: str, dataset: Dataset, view_ids: Sequence[str], settings: Settings, artifacts: dict[str, str] | None = None,
    load_options: dict | None = None, restart: bool = False,
) -> Report:  # fmt: skip
    """Predictions of one model on one dataset under every view asked for; finished images are not seen again.

    Views that compute the same are computed once, under the id that `views.canonical_view` gives. `artifacts`
    {id: sha256} are the dataset's files; `load_options` go to `models.load`. The base view keeps embeddings and the
    model's head too. Raises BookError for NaN or constant logits, for images that cannot be read (after all others
    are stored), and where not even one image fits into memory.
    """
    settings = resolved(settings)
    keep_freed_memory()
    passes = _open_passes(name, dataset, view_ids, settings, artifacts or {}, load_options or {}, restart)
    ids = dataset.table.column("image_id").to_pylist()
    everywhere = frozenset.intersection(*(each.finished for each in passes))
    pending = np.array([i for i, image in enumerate(ids) if image not in everywhere], dtype=int)
    started = time.perf_counter()
    unreadable = _see(dataset, pending, passes, settings)
    if unreadable and not settings.skip_undecodable:
        raise BookError(
            f"{len(unreadable)} of {len(ids):,} images of {dataset.dataset_id}", f"images that can be decoded; "
            f"{'; '.join(unreadable[:5])}", "replace them, or run with --skip-undecodable (then the result is partial)"
        )  # fmt: skip
    for each in passes:
        stored = each.writer.finished_ids()
        each.writer.n = len(ids) - len(unreadable)
        each.writer.finish(order=[image for image in ids if image in stored])
    seconds = time.perf_counter() - started
    return Report(name, dataset.dataset_id, len(pending), len(ids) - len(pending), seconds, tuple(unreadable))


def prediction_key(
    model: models.LoadedModel, dataset: Dataset, view: views.View, settings: Settings, artifacts: dict[str, str]
) -> store.PredictionKey:
    """Everything that may change a stored row: weights, data, label space, view, precision, library versions."""
    library = {"timm": "timm", "open_clip": "open_clip_torch"}[model.spec.backend]
    facts = {
        "weights": model.weights_hash,
        "head": None if model.head.weight is None else store.head_digest(*_folded(model.head)),
        "images": dataset.digest,
        "artifacts": artifacts,
        "label_space": labels.label_space(dataset.label_space).digest,
        "view": views.describe(view),
        "precision": settings.precision,
        "versions": {each: version(each) for each in ("torch", library, "pillow")},
    }
    return store.PredictionKey(model.key, dataset.dataset_id, view.id, facts)


def _open_passes(name, dataset, view_ids, settings, artifacts, load_options, restart) -> list[Pass]:
    spec = models.resolve(name)
    wanted = {}
    for view_id in view_ids:
        protocol = view_id.split(".")[0]
        preprocessing = _preprocessing(spec, protocol)
        canonical = views.canonical_view(view_id, preprocessing)
        wanted[canonical] = views.make_view(canonical, preprocessing)
    networks: dict[int, models.LoadedModel] = {}
    passes = []
    for view in wanted.values():
        model = _at_size(name, view.size, networks, settings, load_options)
        key = prediction_key(model, dataset, view, settings, artifacts)
        keeps = view.id.endswith(".eval") and dataset.dataset_id not in WITHOUT_EMBEDDINGS
        embedding_key = (
            replace(key, facts={**key.facts, "dtype": "float32", "kind": model.embedding}) if keeps else None
        )
        if keeps:
            _keep_head(model)
        writer = store.ShardWriter(
            key, embedding_key=embedding_key, n=len(dataset), shard_rows=settings.shard_rows, restart=restart
        )
        passes.append(Pass(view, model, writer, frozenset(writer.finished_ids())))
    return passes


def _folded(head: models.Head) -> tuple[np.ndarray, np.ndarray | None]:
    """Weight with the factor in it, and bias: what the store keeps of a head."""
    return np.float32(head.scale) * head.weight, head.bias


def _keep_head(model: models.LoadedModel) -> None:
    if model.head.weight is not None:
        store.write_head(model.key, *_folded(model.head))


def _preprocessing(spec: models.ModelSpec, protocol: str) -> views.Preprocessing:
    found = models.preparation(spec, protocol)
    ratio = spec.resize / spec.image_size if protocol == "paper" else 1 / spec.crop_pct
    return views.Preprocessing(protocol, found.resize, found.crop, ratio, found.interpolation, found.mean, found.std)


def _at_size(name, size, networks, settings, load_options) -> models.LoadedModel:
    if size in networks:
        return networks[size]
    known = next(iter(networks.values()), None)
    if known is not None and not _has_positions(known):
        networks[size] = replace(known, image_size=size)
        return networks[size]
    options = {"device": settings.device, "progress": settings.progress, **load_options}
    networks[size] = model = models.load(name, image_size=size, **options)
    if known is not None:
        model.__dict__["head"] = known.head  # a zero-shot head does not depend on the image size
    return model


def _has_positions(model: models.LoadedModel) -> bool:
    return any("pos_embed" in name or "positional" in name for name, _ in model.network.named_parameters())


def _see(dataset: Dataset, pending: np.ndarray, passes: list[Pass], settings: Settings) -> list[str]:
    from tqdm import tqdm

    unreadable: list[str] = []
    if not len(pending):
        return unreadable
    sizes = {each.view.id: settings.batch_size for each in passes}
    title = f"{passes[0].model.key} on {dataset.dataset_id} ({len(passes)} view{'s' * (len(passes) > 1)})"
    with tqdm(total=len(pending), desc=title, unit="image", disable=not settings.progress) as bar:
        try:
            for batch in batches(dataset, pending, [each.view for each in passes], settings):
                for each in passes:
                    sizes[each.view.id] = _forward(each, batch, dataset, settings, sizes[each.view.id])
                unreadable += [reason for _, reason in batch.unreadable]
                bar.update(len(batch.positions) + len(batch.unreadable))
        finally:
            for each in passes:
                each.writer.flush()  # what was computed before an interruption is kept
    return unreadable


def _forward(each: Pass, batch: Batch, dataset: Dataset, settings: Settings, size: int) -> int:
    """Run one batch through one pass in pieces of `size`; returns the size that fitted into memory."""
    import torch

    ids = dataset.table.column("image_id").take(batch.positions).to_pylist()
    rows = [row for row, image in enumerate(ids) if image not in each.finished]
    start = 0
    while start < len(rows):
        piece = rows[start : start + size]
        try:
            pixels, positions = batch.pixels[each.view.id][piece], np.take(batch.positions, piece)
            frame, matrices = _answers(each, pixels, dataset, positions, settings)
        except torch.OutOfMemoryError:
            if size == 1:
                raise BookError(f"{each.model.key} under {each.view.id}", "memory for one image, found none left",
                                "close other programs, or use a machine with more memory") from None  # fmt: skip
            size = max(1, size // 2)
            torch.cuda.empty_cache()
            continue
        each.writer.append(frame, matrices if "embeddings" in each.writer.keys else None)
        start += len(piece)
    return size


def _answers(each: Pass, pixels: torch.Tensor, dataset: Dataset, positions: np.ndarray, settings: Settings):
    import torch

    model = each.model
    pixels = pixels.to(settings.device, non_blocking=True)
    images = views.normalise(pixels, each.view.preprocessing).to(memory_format=torch.channels_last)
    with torch.inference_mode(), autocast(settings):
        embedding, before = model.features(images)
    logits = models.logits_from_features(embedding.float(), model.device_head)
    models.check_logits(model, images, logits)
    frame = prediction_rows(logits, dataset.table.take(positions), labels.label_space(dataset.label_space))
    matrices = {"embedding": embedding.float().cpu().numpy()}
    if before is not None:
        matrices["before_projection"] = before.float().cpu().numpy()
    return frame, matrices
