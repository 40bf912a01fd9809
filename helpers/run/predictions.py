"""Before the notebooks: the predictions that all of them need, made once, in one process."""

from __future__ import annotations

from collections.abc import Sequence

from helpers import profiles
from helpers.profiles import Asked


def compute_first(asked: Asked, only: Sequence[str] = ()) -> None:
    """Say what is missing and what it will cost, then run the models for all sections asked for.

    Published predictions need nothing of this. What cannot be had is told and the rest runs; a model that fails, or
    images that cannot be read, raise BookError after everything else is stored.
    """
    if not profiles.jobs(asked.profile, only, asked.settings, asked.max_images, asked.local):
        return
    missing = profiles.missing_inputs(asked.profile, only, asked.local)
    for row in missing.itertuples():
        print(f"missing: {row.artifact} ({row.where}), needed by {row.sections}\n  {row.remedy}")
    done = profiles.compute_all(asked.profile, only, asked.settings, asked.max_images, asked.local)
    for report in done.reports:
        seen = f"{report.computed:,} images in {report.seconds:.0f} s" + (
            f", {report.reused:,} were there" if report.reused else ""
        )
        print(f"  {report.model} on {report.dataset}: {seen}")
    for name in done.hits:
        print(f"  {name}: stored already")
    for (model, dataset), reason in done.missing.items():
        print(f"  not run: {model} on {dataset}: {reason}")
