"""Artifact id -> verified local path. The only code of the project that uses the network."""

from helpers.fetch.core import fetch
from helpers.fetch.records import sha256_of, tree_sha256
from helpers.fetch.state import PLACES, provenance, stand_ins, where_is

__all__ = ["PLACES", "fetch", "provenance", "sha256_of", "stand_ins", "tree_sha256", "where_is"]
