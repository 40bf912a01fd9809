"""What the sections of a profile need: predictions to make, files to have, and what is not to be had here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec

import pandas as pd

from helpers import fetch, models, paths, predict, similarity
from helpers.datasets import dataset_spec
from helpers.manifest import Artifact, load_manifest
from helpers.predict import Computed, Inputs, Job, Settings, job_of
from helpers.predict.sources import NOT_TO_BE_HAD, OTHER_COPIES, VALIDATION, Local, has_validation
from helpers.profiles.table import Profile, get

SECTION_ROLES: dict[str, tuple[str, ...]] = {
    "02_mistakes": ("val",),
    "03_shape_texture": ("cue_conflict",),
    "04_calibration": ("val", "r"),
    "05_robustness": ("val", "v2", "a", "r", "sketch", "c", "hard", "real", "a_vit"),
    "06_transferability": ("tasks",),
    "07_synthetic": ("pug",),
    "08_invariance": ("sweep",),
    "09_similarity": ("val",),
}
"""The roles whose predictions a section reads; `sweep` are the views of the untouched and the transformed image,
`tasks` the images of the transfer tasks (validation images too, where a copy has them), `a_vit` the drawn set of a
ViT's errors beside `a`, which holds a ConvNet's and has a counterpart among the paper's sets."""

WATCHED = ("09_similarity",)
"""Sections that read the layers of networks on some images of their role, and no predictions."""

AT_HAND = ("present", "package", "mirror")


def needed(profile: str | Profile, sections: Sequence[str] = (), local: Local = None) -> dict[str, list[Inputs]]:
    """Inputs by section (default: all), by full name or number. Sections without any are left out.

    `local`: stand-ins, which may have a validation split that the published copy of a task lacks.

    >>> {section: len(found) for section, found in needed("paper", ["03", "04_calibration", "08"]).items()}
    {'03_shape_texture': 1, '04_calibration': 2, '08_invariance': 16}
    """
    found = get(profile)
    chosen = [name for name in SECTION_ROLES if not sections or name in sections or name.split("_")[0] in sections]
    chosen = [name for name in chosen if name not in WATCHED or found.similarity]
    wanted = {name: _inputs_of(found, SECTION_ROLES[name], local) for name in chosen}
    return {name: inputs for name, inputs in wanted.items() if inputs}


def _inputs_of(profile: Profile, roles: Sequence[str], local: Local) -> list[Inputs]:
    if "sweep" in roles and not profile.sweep:
        return []  # without the other views there is nothing to compare the first one with
    plain = [profile.roles[role] for role in roles if role in profile.roles and role != "sweep"]
    for task in profile.tasks if "tasks" in roles else ():
        splits = ["train", *([VALIDATION] if has_validation(task.dataset, local) else [])]
        plain += [*(replace(task, dataset=f"{task.dataset}/{split}") for split in splits), task]
    if "sweep" not in roles:
        return plain
    base = profile.roles[profile.sweep_role]
    return [*plain, base, *(replace(base, view=view) for view in profile.sweep)]


def jobs(
    profile: str | Profile, sections: Sequence[str] = (), settings: Settings | None = None,
    max_images: int | None = None, local: Local = None,
) -> list[Job]:  # fmt: skip
    """Predictions to be made for the sections, one job a model and inputs; nothing for published predictions."""
    read = [found for section, found in needed(profile, sections, local).items() if section not in WATCHED]
    wanted = [inputs for found in read for inputs in found if not inputs.artifact]
    return [job_of(inputs, model, settings, max_images, local) for inputs in wanted for model in inputs.models]


def similarity_job(
    profile: str | Profile, sections: Sequence[str] = (), settings: Settings | None = None,
    max_images: int | None = None, local: Local = None,
) -> similarity.Job | None:  # fmt: skip
    """The comparison of layers that the sections read; None where they read none.

    >>> similarity_job("paper", ["09"]).images, similarity_job("paper", ["03"]), similarity_job("released")
    (2560, None, None)
    """
    found = get(profile)
    if not any(section in WATCHED for section in needed(found, sections)):
        return None
    return similarity.job_of(found.roles["val"], *found.similarity, settings, max_images, local)


def compute_all(
    profile: str | Profile, sections: Sequence[str] = (), settings: Settings | None = None,
    max_images: int | None = None, local: Local = None,
) -> Computed:  # fmt: skip
    """Run the union of the predictions that the sections need, in one process; what is stored is not run again.

    One forward pass per model, image and distinct view, whatever the number of sections that read it. See
    `predict.compute_all` for what is missing and what fails.
    """
    return predict.compute_all(jobs(profile, sections, settings, max_images, local))


def artifacts(profile: str | Profile, sections: Sequence[str] = ()) -> dict[str, list[str]]:
    """Manifest ids of the files behind the sections' predictions, each with the sections that read it.

    >>> artifacts("paper", ["03"])["vit_b16_clip_laion400m_e31"]
    ['03_shape_texture']
    """
    found: dict[str, list[str]] = {}
    for section, wanted in needed(profile, sections).items():
        for artifact in dict.fromkeys(name for inputs in wanted for name in _files_of(inputs)):
            found.setdefault(artifact, []).append(section)
    return found


def _files_of(inputs: Inputs) -> list[str]:
    if inputs.artifact:
        return [inputs.artifact.format(model=model) for model in inputs.models]
    weights = [models.resolve(model).weights for model in inputs.models]
    return [*dataset_spec(inputs.dataset).artifacts, *(each for each in weights if each)]


def missing_inputs(profile: str | Profile, sections: Sequence[str] = (), local: Local = None) -> pd.DataFrame:
    """What cannot be had here without a person, before anything is computed: one row a file or package.

    Columns: artifact, title, where ("manual", "gated", "offline" or "not installed"), remedy, sections. Empty where
    everything is here or can be downloaded. Looks at this machine only.
    """
    manifest = load_manifest()
    rows = [_package_row(profile, sections)] if _runs(profile, sections) and find_spec("torch") is None else []
    for name, readers in artifacts(profile, sections).items():
        if local and name in local:
            continue
        where = fetch.where_is(name, manifest=manifest)
        if where in NOT_TO_BE_HAD and not _other_copy(name, manifest):
            remedy = _remedy(manifest[name], where, manifest)
            rows.append((name, manifest[name].title, where, remedy, ", ".join(readers)))
    rows += _unlisted_weights(profile, sections)
    return pd.DataFrame(rows, columns=["artifact", "title", "where", "remedy", "sections"])


def _runs(profile: str | Profile, sections: Sequence[str]) -> list[str]:
    """Models that have to be run."""
    found = (inputs for wanted in needed(profile, sections).values() for inputs in wanted if not inputs.artifact)
    return list(dict.fromkeys(model for inputs in found for model in inputs.models))


def _package_row(profile: str | Profile, sections: Sequence[str]) -> tuple[str, ...]:
    remedy = "pip install 'beyond-imagenet-book[models]'"
    return "package torch", "torch, timm and open_clip", "not installed", remedy, ", ".join(needed(profile, sections))


def _other_copy(name: str, manifest: Mapping[str, Artifact]) -> bool:
    places = {fetch.where_is(other, manifest=manifest) for other in OTHER_COPIES.get(name, ())}
    return bool(places & {*AT_HAND, "network"})


def _remedy(artifact: Artifact, where: str, manifest: Mapping[str, Artifact]) -> str:
    if where == "offline":
        return "unset BOOK_OFFLINE, or set BOOK_MIRROR to a copy"
    steps = artifact.steps or (f"install {artifact.package.distribution}" if artifact.package else "")
    place = paths.data_dir() / artifact.id / (artifact.filename or "files")
    found = f"{steps.rstrip('. ')}; put it at {place}, or give --local {artifact.id}=PATH"
    others = (manifest[other] for other in OTHER_COPIES.get(artifact.id, ()))
    return found + "".join(f"; or take the copy {other.id}: {other.steps or other.title}" for other in others)


def _unlisted_weights(profile: str | Profile, sections: Sequence[str]) -> list[tuple[str, ...]]:
    if not paths.offline():
        return []
    names = [model for model in _runs(profile, sections) if not models.resolve(model).weights]
    remedy = "unset BOOK_OFFLINE: the library fetches them from its own hub"
    return [(f"weights of {model}", model, "offline", remedy, ", ".join(needed(profile, sections))) for model in names]
