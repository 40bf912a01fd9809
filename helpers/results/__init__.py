"""Result records: the third contract. Rows with interval, n and unit; provenance; comparison."""

from helpers.results.compare import describe_difference
from helpers.results.records import REAL, Record, load, newest, or_recorded, published, real, recorded, save
from helpers.results.running import Run, begin
from helpers.results.seeds import other_seeds, seed_facts, write_seed
from helpers.rows import COLUMNS, UNITS, empty_rows, observers, rows_frame, select

__all__ = [
    "COLUMNS", "REAL", "UNITS", "Record", "Run", "begin", "describe_difference", "empty_rows", "load", "newest",
    "observers", "or_recorded", "other_seeds", "published", "real", "recorded", "rows_frame", "save", "seed_facts",
    "select", "write_seed",
]  # fmt: skip
