"""Training of the demo's twins: `python -m helpers.demo.train`. Importing this room does not import torch."""

from helpers.demo.train.batches import source
from helpers.demo.train.loop import train
from helpers.demo.train.measuring import accuracy, decisions, probabilities, shape_bias_of
from helpers.demo.train.recipes import RECIPES, WORLD_SEEDS, Recipe, learning_rate, recipe
from helpers.demo.train.record import add_entry, read_record
from helpers.demo.train.rendered import Rendered, rendered
from helpers.demo.train.twins import evaluation_sets, make_twin, measure, packaged_weights, save_weights

__all__ = [
    "RECIPES",
    "WORLD_SEEDS",
    "Recipe",
    "Rendered",
    "accuracy",
    "add_entry",
    "decisions",
    "evaluation_sets",
    "learning_rate",
    "make_twin",
    "measure",
    "packaged_weights",
    "probabilities",
    "read_record",
    "recipe",
    "rendered",
    "save_weights",
    "shape_bias_of",
    "source",
    "train",
]
