"""Image models: one table (`MODELS`) and one loader. Importing this room does not import torch."""

from helpers.models.table import MODEL_SETS, MODELS, ModelSpec

__all__ = ["MODELS", "MODEL_SETS", "ModelSpec"]
