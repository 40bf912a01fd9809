"""Predictions for a section: from the store, else from a published file, else from a model run."""

from helpers.predict.collect import Collected, Inputs, collect

__all__ = ["Collected", "Inputs", "collect"]
