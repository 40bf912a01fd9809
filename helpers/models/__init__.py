"""Image models: one table (`MODELS`) and one loader. Importing this room does not import torch."""

from helpers.models.counting import count_macs, count_parameters_and_macs, image_tower
from helpers.models.facts import model_fact_sources, model_facts
from helpers.models.heads import Head, logits_from_features
from helpers.models.health import check_logits, first_bad_layer, is_sound
from helpers.models.loading import LoadedModel, head, load
from helpers.models.measured import measured
from helpers.models.names import resolve, runnable
from helpers.models.prepare import PROTOCOLS, preparation
from helpers.models.table import MODEL_SETS, MODELS, ModelSpec
from helpers.models.text import text_heads

__all__ = [
    "MODELS",
    "MODEL_SETS",
    "PROTOCOLS",
    "Head",
    "LoadedModel",
    "ModelSpec",
    "check_logits",
    "count_macs",
    "count_parameters_and_macs",
    "first_bad_layer",
    "head",
    "image_tower",
    "is_sound",
    "load",
    "logits_from_features",
    "measured",
    "model_fact_sources",
    "model_facts",
    "preparation",
    "resolve",
    "runnable",
    "text_heads",
]
