"""Similarity of representations: linear CKA of the layers of models, by batches, from forward hooks."""

from helpers.similarity.collect import Collected, collect, job_of
from helpers.similarity.compute import Done, compute
from helpers.similarity.hsic import cka, gram, hsic, jackknife_interval, leave_one_out, packed, u_centred
from helpers.similarity.jobs import Job
from helpers.similarity.layers import LAYERS, common_panels, layers_of, panels, stage_of
from helpers.similarity.pairs import Similarity, all_hsics, between, within

__all__ = [
    "LAYERS", "Collected", "Done", "Job", "Similarity", "all_hsics", "between", "cka", "collect", "common_panels",
    "compute", "gram", "hsic", "jackknife_interval", "job_of", "layers_of", "leave_one_out", "packed", "panels",
    "stage_of", "u_centred", "within",
]  # fmt: skip
