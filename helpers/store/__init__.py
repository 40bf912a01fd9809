"""The store: predictions, embeddings, heads and HSICs, by key, with checksums; and others' formats in and out."""

from helpers.store.batches import (
    drop_parts,
    hsic_facts,
    pair_name,
    read_hsic,
    read_part,
    write_hsic,
    write_part,
)
from helpers.store.exchange import export_imagenet_x, export_model_vs_human, import_imagenet_x, import_model_vs_human
from helpers.store.keys import PredictionKey, explain_difference
from helpers.store.matrices import (
    has_embeddings,
    head_digest,
    matrix_names,
    read_embeddings,
    read_head,
    read_ids,
    write_embeddings,
    write_head,
)
from helpers.store.predictions import has_predictions, read_predictions, write_predictions
from helpers.store.status import status
from helpers.store.writer import ShardWriter

__all__ = [
    "PredictionKey",
    "ShardWriter",
    "drop_parts",
    "explain_difference",
    "export_imagenet_x",
    "export_model_vs_human",
    "has_embeddings",
    "has_predictions",
    "head_digest",
    "hsic_facts",
    "import_imagenet_x",
    "import_model_vs_human",
    "matrix_names",
    "pair_name",
    "read_embeddings",
    "read_head",
    "read_hsic",
    "read_ids",
    "read_part",
    "read_predictions",
    "status",
    "write_embeddings",
    "write_head",
    "write_hsic",
    "write_part",
    "write_predictions",
]
