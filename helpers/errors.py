"""The one error that people see: it names the thing, what was expected and what to do."""

from __future__ import annotations


class BookError(Exception):
    """An error for people: shown by the command line without a traceback.

    >>> print(BookError("val.csv", "50,000 rows, found 12", "download the file again"))
    val.csv: expected 50,000 rows, found 12. What to do: download the file again.
    """

    def __init__(self, thing: str, expected: str, remedy: str) -> None:
        self.thing, self.expected, self.remedy = thing, expected, remedy
        super().__init__(f"{thing}: expected {expected.rstrip('.')}. What to do: {remedy.rstrip('.')}.")


class InputsUnavailable(BookError):
    """Data that this machine does not have and could not get; what needs it is 'not run', not wrong."""
