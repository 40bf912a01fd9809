"""Executing notebooks, staging their pages and building the book."""

from helpers.run.build import build_book
from helpers.run.session import run_notebooks

__all__ = ["build_book", "run_notebooks"]
