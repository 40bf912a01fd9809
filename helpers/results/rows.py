"""Result rows, from the room where they are defined."""

from helpers.rows import COLUMNS, KEY, UNITS, empty_rows, rows_frame, select

__all__ = ["COLUMNS", "KEY", "UNITS", "empty_rows", "rows_frame", "select"]
