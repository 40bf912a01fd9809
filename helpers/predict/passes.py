"""The passes of a run: per view the network at its size, where its rows go, and which images are still to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from helpers import labels, models, paths, store, views
from helpers.datasets import Dataset
from helpers.predict.keys import embedding_key, feature_key, folded, prediction_key, view_of
from helpers.predict.settings import Settings


@dataclass(frozen=True)
class Network:
    """A model that is loaded when first needed, once for each input size that needs other weights.

    `weights` is a local file and `seed` draws random ones instead; without either the published ones are fetched.
    """

    name: str
    weights: Path | None = None
    seed: int | None = None
    loaded: dict[int, models.LoadedModel] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Pass:
    """One view of one run: `todo` has one bool an image of the dataset; `run` is `model`, compiled if asked for."""

    view: views.View
    model: models.LoadedModel
    run: models.LoadedModel
    writer: store.ShardWriter
    todo: np.ndarray


def at_size(network: Network, size: int, settings: Settings, root: Path | None = None) -> models.LoadedModel:
    """The model for square images of `size` pixels. A zero-shot head is built once and kept in the store."""
    if size in network.loaded:
        return network.loaded[size]
    known = next(iter(network.loaded.values()), None)
    if known is not None and not _knows_positions(known):
        model = replace(known, image_size=size)
    else:
        model = models.load(
            network.name, weights=network.weights, device=settings.device, random_init=network.seed is not None,
            seed=network.seed or 0, image_size=size, head_cache=Path(root or paths.store_dir()) / "zero_shot",
            progress=settings.progress,
        )  # fmt: skip
        _lay_out(model)
    if known is not None:
        # A head does not depend on the image size; built anew it would keep a second text tower in memory.
        model = replace(model, make_head=lambda: known.head)
    network.loaded[size] = model
    return model


def _knows_positions(model: models.LoadedModel) -> bool:
    """Whether weights depend on the image size: only convolutional networks have no tensor of positions."""
    return any("pos" in name for name, _ in model.network.named_parameters())


def _lay_out(model: models.LoadedModel) -> None:
    import torch

    if model.spec.family != "vit":
        model.network.to(memory_format=torch.channels_last)


def open_passes(
    network: Network, dataset: Dataset, space: labels.LabelSpace | None, view_ids: Sequence[str], settings: Settings,
    extra: Mapping | None = None, root: Path | None = None,
) -> list[Pass]:  # fmt: skip
    """One pass for each distinct view of `view_ids`; the head and (base view) the embeddings are kept as well.

    Without a `space` only features are kept, and no head is built: for CLIP that alone would take hours on a CPU.
    """
    wanted = {view.id: view for view in (view_of(network.name, view_id) for view_id in view_ids)}
    ids = dataset.table.column("image_id").to_pylist()
    part, parts = settings.shard
    worker = "main" if parts == 1 else f"part-{part}-of-{parts}"
    passes = []
    for view in wanted.values():
        model = at_size(network, view.size, settings, root)
        key, matrices = _keys(model, dataset, view, space, settings, extra)
        if key and matrices and model.head.weight is not None:
            store.write_head(model.key, *folded(model.head), root=root)
        writer = store.ShardWriter(
            key, embedding_key=matrices, n=len(ids), shard_rows=settings.shard_rows, worker=worker,
            restart=settings.restart, root=root,
        )  # fmt: skip
        finished = writer.finished_ids()
        todo = np.array([image not in finished for image in ids], dtype=bool)
        passes.append(Pass(view, model, _compiled(model, settings), writer, todo))
    return passes


def _keys(
    model: models.LoadedModel, dataset: Dataset, view: views.View, space: labels.LabelSpace | None, settings: Settings,
    extra: Mapping | None,
) -> tuple[store.PredictionKey | None, store.PredictionKey | None]:  # fmt: skip
    """The keys of the predictions and of the matrices of a pass."""
    if space is None:
        return None, feature_key(model, dataset, view, settings, extra)
    key = prediction_key(model, dataset, view, space, settings, extra)
    return key, embedding_key(key, model.embedding)


def _compiled(model: models.LoadedModel, settings: Settings) -> models.LoadedModel:
    import torch

    return replace(model, embed=torch.compile(model.embed)) if settings.compile else model
