"""Execute the notebooks of a profile: strict parameters, several at once, unchanged ones reused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from helpers import paths
from helpers.manifest import Artifact, load_manifest
from helpers.results.running import now
from helpers.run import cache, notebooks, parameters, reuse
from helpers.run.execute import Executed, execute
from helpers.run.kernel import own_kernel


@dataclass(frozen=True)
class Task:
    """One notebook to execute or to reuse: where it lies, where its copy goes, with what, and why."""

    section: str
    profile: str
    source: Path
    target: Path
    given: dict
    effective: dict
    depends: dict
    why: str | None


def run_notebooks(
    profile: str,
    only: Sequence[str] = (),
    given: Mapping[str, object] | None = None,
    jobs: int | None = None,
    folder: Path | None = None,
) -> dict[str, str | None]:
    """Execute the sections of a profile; returns {section: None if its copy stands, else the error's last line}.

    `only`: numbers or names of sections; `given`: values for their parameters; `jobs`: notebooks at once (default: one
    per core). Prints what was reused and why the rest was not. Raises BookError for an unknown section, parameter or
    type before anything is executed.
    """
    manifest = load_manifest()
    chosen = notebooks.choose(notebooks.sections(folder), only)
    tasks = {section: _task(section, path, profile, given or {}, manifest) for section, path in chosen.items()}
    outcomes: dict[str, str | None] = dict.fromkeys(chosen)
    outcomes |= _wave([task for section, task in tasks.items() if section not in cache.READS_RECORDS], jobs, manifest)
    late = [section for section in chosen if section in cache.READS_RECORDS]
    tasks |= {section: _task(section, chosen[section], profile, given or {}, manifest) for section in late}
    outcomes |= _wave([tasks[section] for section in late], jobs, manifest)
    _report(outcomes, list(tasks.values()))
    return outcomes


def _wave(tasks: Sequence[Task], jobs: int | None, manifest: Mapping[str, Artifact]) -> dict[str, str | None]:
    """Execute those of the notebooks that have to be; returns their errors."""
    for task in tasks:
        print(f"  {task.section}: {'unchanged, reused' if task.why is None else f'to execute: {task.why}'}")
    todo = [task for task in tasks if task.why is not None]
    return _run_all(todo, jobs or min(os.cpu_count() or 1, len(todo)), manifest) if todo else {}


def _task(section: str, path: Path, profile: str, given: Mapping, manifest: Mapping[str, Artifact]) -> Task:
    notebook = notebooks.read(path)
    values = {"profile": profile, **given}
    effective = parameters.effective(parameters.declared(notebook, section), values, section)
    target = paths.executed_dir(profile) / f"{section}.ipynb"
    depends = cache.depends_on(section, profile, notebook, effective)
    why = reuse.why_again(section, profile, target, depends, manifest)
    return Task(section, profile, path, target, values, effective, depends, why)


def _run_all(tasks: list[Task], jobs: int, manifest: Mapping[str, Artifact]) -> dict[str, str | None]:
    from tqdm import tqdm

    outcomes: dict[str, str | None] = {}
    with own_kernel(jobs), ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting: dict[Future[Executed], Task] = {
            pool.submit(execute, task.source, task.target, task.given): task for task in tasks
        }
        with tqdm(total=len(tasks), desc="notebooks", unit="notebook", disable=None) as bar:
            try:
                while waiting:
                    for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                        task = waiting.pop(done)
                        executed = done.result()
                        outcomes[task.section] = _settle(task, executed, manifest)
                        state = "FAILED" if executed.error else "executed"
                        tqdm.write(f"  {task.section}: {state} in {executed.seconds:.1f} s")
                        bar.update()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                _end_kernels()
                raise
    return outcomes


def _settle(task: Task, executed: Executed, manifest: Mapping[str, Artifact]) -> str | None:
    """Write the record of an execution; returns its error."""
    left = reuse.outcome(task.section, task.profile, manifest)
    cache.save(
        cache.RunRecord(
            section=task.section, profile=task.profile, parameters=task.effective, depends=task.depends,
            output=cache.file_digest(task.target), seconds=round(executed.seconds, 1), finished=now(),
            error=executed.error, **left,
        ),
        task.target,
    )  # fmt: skip
    return executed.error


def _end_kernels() -> None:
    """End the kernels of an interrupted run, so that their notebooks stop waiting for them."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.terminate()


def _report(outcomes: Mapping[str, str | None], tasks: Sequence[Task]) -> None:
    executed = sum(task.why is not None for task in tasks)
    print(f"{len(tasks)} notebooks: {executed} executed, {len(tasks) - executed} reused")
    for task in tasks:
        if outcomes[task.section]:
            print(f"FAILED {task.section}: {outcomes[task.section]}\n  its copy with the error: {task.target}")
