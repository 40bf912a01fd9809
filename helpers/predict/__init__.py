"""Predictions for a section: from the store, else from a published file, else from a model run."""

from helpers.predict.collect import Collected, Inputs, collect, job_of
from helpers.predict.compute import Computed, Job, compute_all
from helpers.predict.embedded import Embedded, embedded
from helpers.predict.engine import Report, run
from helpers.predict.features import Features, features
from helpers.predict.merging import merge_parts
from helpers.predict.passes import Network
from helpers.predict.settings import Settings

__all__ = [
    "Collected", "Computed", "Embedded", "Features", "Inputs", "Job", "Network", "Report", "Settings", "collect",
    "compute_all", "embedded", "features", "job_of", "merge_parts", "run",
]  # fmt: skip
