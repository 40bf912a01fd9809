"""The kernel that executes the notebooks: this very Python, whatever kernels the user has installed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import paths

NAME = "python3"


@contextmanager
def own_kernel(jobs: int = 1) -> Iterator[None]:
    """Within the block, the kernel `python3` is `sys.executable`, with this process's folders and inline figures."""
    with tempfile.TemporaryDirectory(prefix="beyond-imagenet-") as folder:
        spec = Path(folder) / "jupyter" / "kernels" / NAME
        spec.mkdir(parents=True)
        # CRITICAL: the interrupt with which every kernel is shut down would be logged as an error.
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        (spec / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}), encoding="utf-8"
        )
        before = dict(os.environ)
        os.environ.update(_environment(Path(folder), jobs))
        os.environ.pop("MPLBACKEND", None)  # one set for scripts would leave the notebooks without figures
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _environment(folder: Path, jobs: int) -> dict[str, str]:
    """Variables of the kernels: found first, no personal start-up files, cores shared between the jobs."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    importable = [str(paths.CHECKOUT)] if paths.CHECKOUT else []
    values = {
        "JUPYTER_PATH": os.pathsep.join(filter(None, [str(folder / "jupyter"), os.environ.get("JUPYTER_PATH")])),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join(filter(None, [*importable, os.environ.get("PYTHONPATH")])),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "BOOK_HOME": str(paths.home()),
    }
    return {**values, **{name: threads for name in ("OMP_NUM_THREADS",) if name not in os.environ}}
