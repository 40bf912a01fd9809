"""One notebook, executed by papermill into its place."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.run.kernel import NAME
from helpers.run.notebooks import last_line


@dataclass(frozen=True)
class Executed:
    """What came of one execution: seconds, and the last line of the error if it failed."""

    seconds: float
    error: str | None


def execute(source: Path, target: Path, parameters: Mapping[str, object], start_timeout: int = 120) -> Executed:
    """Execute `source` with `parameters` injected and move the copy to `target` in one step.

    A notebook that fails is kept as well, with its error in the outputs. Call it within `own_kernel`.
    """
    import papermill  # slow to import, and not needed when every notebook is reused

    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    target.parent.mkdir(parents=True, exist_ok=True)
    writing = target.with_name(f".{target.stem}.writing.ipynb")
    started, error = time.monotonic(), None
    try:
        papermill.execute_notebook(
            _literal(source), _literal(writing), parameters=dict(parameters), kernel_name=NAME,
            language="python", progress_bar=False, start_timeout=start_timeout,
        )  # fmt: skip
    except papermill.exceptions.PapermillExecutionError as failed:
        error = f"{failed.ename}: {last_line(failed.evalue)}"
    except Exception as failed:  # a dead kernel, a time-out: whatever stops one notebook must not stop the others
        error = f"{type(failed).__name__}: {last_line(str(failed))}"
    if writing.exists():
        os.replace(writing, target)
    elif error:
        target.unlink(missing_ok=True)  # an older copy must not pass for this run
    return Executed(time.monotonic() - started, error)


def _literal(path: Path) -> str:
    """A path as papermill takes it: it would format braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
