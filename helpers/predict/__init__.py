"""Predictions for a section: from the store, else from a published file, else from a model run."""

from helpers.predict.among import among_classes
from helpers.predict.collect import Collected, Inputs, collect, job_of, together
from helpers.predict.compute import Computed, Job, compute_all
from helpers.predict.embedded import Embedded, embedded
from helpers.predict.engine import Report, run
from helpers.predict.features import Features, features
from helpers.predict.keys import view_of
from helpers.predict.merging import merge_parts
from helpers.predict.passes import Network
from helpers.predict.same_classes import clean_on, same_classes
from helpers.predict.settings import Settings
from helpers.predict.several import artifacts, shortfalls, table

__all__ = [
    "Collected", "Computed", "Embedded", "Features", "Inputs", "Job", "Network", "Report", "Settings",
    "among_classes", "artifacts", "clean_on", "collect", "compute_all", "embedded", "features", "job_of",
    "merge_parts", "run", "same_classes", "shortfalls", "table", "together", "view_of",
]  # fmt: skip
