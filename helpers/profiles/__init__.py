"""Profiles: which models, datasets and views a run uses, what that needs, and what it costs."""

from helpers.profiles.asking import Asked, ask, stand_ins
from helpers.profiles.costs import plan_table, throughputs
from helpers.profiles.needs import SECTION_ROLES, artifacts, compute_all, jobs, missing_inputs, needed, similarity_job
from helpers.profiles.precision import precision_effect
from helpers.profiles.table import PROFILES, Profile, get, inputs, with_models

__all__ = [
    "PROFILES", "SECTION_ROLES", "Asked", "Profile", "artifacts", "ask", "compute_all", "get", "inputs", "jobs",
    "missing_inputs", "needed", "plan_table", "precision_effect", "similarity_job", "stand_ins", "throughputs",
    "with_models",
]  # fmt: skip
