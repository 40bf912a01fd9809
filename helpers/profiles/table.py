"""The table of profiles: to add one, add one entry to `PROFILES`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from helpers import views
from helpers.datasets import DATASETS
from helpers.errors import BookError
from helpers.models import MODEL_SETS
from helpers.models.names import runnable
from helpers.predict import Inputs


@dataclass(frozen=True)
class Profile:
    """A profile: what it is called, what the reader must know, and role -> inputs.

    `models` are the four that a section compares; `sweep` are the view ids of transformation invariance, on
    the images of `sweep_role`; `tasks` are the transfer tasks, whose training and test images are both run.
    `similarity` are (images of `val`, images a batch) whose layers are compared by CKA, None where no network runs.
    """

    name: str
    title: str
    banner: str
    needs: str
    roles: dict[str, Inputs]
    models: tuple[str, ...] = MODEL_SETS["paper"]
    sweep: tuple[str, ...] = ()
    sweep_role: str = "val"
    tasks: tuple[Inputs, ...] = ()
    similarity: tuple[int, int] | None = None


def _tasks(prefix: str, models: tuple[str, ...]) -> tuple[Inputs, ...]:
    return tuple(Inputs(dataset, "paper.eval", models) for dataset in DATASETS if dataset.startswith(prefix))


_PAPER_SETS = {
    "val": "imagenet1k_val", "v2": "imagenet_v2_mf", "a": "imagenet_a", "r": "imagenet_r", "sketch": "imagenet_sketch",
    "c": "imagenet_c", "hard": "imagenet_hard", "real": "imagenet_real",
}  # fmt: skip


SIMILARITY = (2_560, 256)  # chosen here: the paper states neither its number of images nor its batches


def _paper_roles(models: tuple[str, ...]) -> dict[str, Inputs]:
    roles = {role: Inputs(dataset, "paper.eval", models) for role, dataset in _PAPER_SETS.items()}
    roles["cue_conflict"] = Inputs("cue_conflict", "paper.asis", models)
    roles["pug"] = Inputs("pug_imagenet", "paper.eval", models, precision="fp16")
    return roles


_DEMO_SETS = {
    "val": "demo_val", "v2": "demo_v2", "a": "demo_a_convnet", "a_vit": "demo_a_vit", "r": "demo_r",
    "sketch": "demo_sketch", "c": "demo_c", "hard": "demo_hard", "real": "demo_real",
    "cue_conflict": "demo_cue_conflict", "pug": "demo_pug", "sweep": "demo_sweep",
}  # fmt: skip


PROFILES: dict[str, Profile] = {
    "demo": Profile(
        name="demo",
        title="Demo: the drawn world",
        banner=(
            "first the paper's numbers and what is recorded of real models; then, set off by a dashed line, observers "
            "with planted behaviour and small twins of the four models on drawings made here, which show that the "
            "instruments of this book measure what they say, and nothing about the paper's models"
        ),
        needs="nothing: no network, no GPU, minutes on 2 cores",
        roles={role: Inputs(dataset, "paper.eval", MODEL_SETS["demo"]) for role, dataset in _DEMO_SETS.items()},
        models=MODEL_SETS["demo"],
        sweep=tuple(views.invariance_views(shifts=views.DEMO_SHIFTS, resolutions=views.DEMO_RESOLUTIONS)),
        sweep_role="sweep",
        tasks=_tasks("demo_task_", MODEL_SETS["demo"]),
        similarity=(512, 64),
    ),
    "released": Profile(
        name="released",
        title="Released predictions",
        banner="published per-image predictions of real models and people; no model was run here",
        needs="a few MB from GitHub, or a mirror; no GPU",
        roles={
            "cue_conflict": Inputs(
                "cue_conflict", "released.eval", MODEL_SETS["released_cue_conflict"], "cue_conflict_decisions_{model}"
            ),
            "val": Inputs(
                "imagenet1k_val", "released.eval", MODEL_SETS["released_imagenet_x"], "imagenet_x_predictions_{model}"
            ),
        },
    ),
    "paper": Profile(
        name="paper",
        title="The paper's models and benchmarks",
        banner="the paper's four models, run here on the real benchmarks by the paper's protocols",
        needs="a GPU and the model hub; for a part of it access to ImageNet",
        roles=_paper_roles(MODEL_SETS["paper"]),
        sweep=tuple(views.invariance_views()),
        tasks=_tasks("vtab_", MODEL_SETS["paper"]),
        similarity=SIMILARITY,
    ),
    "report": Profile(
        name="report",
        title="Models of your choice",
        banner="models that you named, run here on the real benchmarks by the paper's protocols; not the paper's four",
        needs="a GPU and the model hub; for a part of it access to ImageNet",
        roles=_paper_roles(()),
        models=(),
        sweep=tuple(views.invariance_views()),
        tasks=_tasks("vtab_", ()),
        similarity=SIMILARITY,
    ),
}


def get(name: str | Profile) -> Profile:
    """The profile of that name. Raises BookError for an unknown one.

    >>> get("released").title
    'Released predictions'
    """
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise BookError(f"profile {name!r}", f"one of {', '.join(PROFILES)}", "choose one of them")
    return PROFILES[name]


def inputs(profile: str | Profile, role: str, view: str | None = None) -> Inputs:
    """What a profile gives for a role such as "cue_conflict" or "val", under another view if one is named.

    >>> inputs("released", "cue_conflict").dataset, inputs("paper", "val", "paper.scale-2").view
    ('cue_conflict', 'paper.scale-2')
    """
    found = get(profile)
    if role not in found.roles:
        known = ", ".join(found.roles)
        raise BookError(f"role {role!r} in profile {found.name!r}", f"one of {known}", "choose another profile")
    return replace(found.roles[role], view=view) if view else found.roles[role]


def with_models(profile: str | Profile, models: str | Sequence[str]) -> Profile:
    """The profile for other models: the name of a set, keys separated by commas, or keys.

    Raises BookError for a model that cannot be run where it would have to be, or that has no published file.

    >>> with_models("paper", "in1k").roles["val"].models[0], with_models("paper", ["mae"]).models
    ('convnext_in1k', ('mae',))
    """
    found, keys = get(profile), _keys(models)
    roles = {role: _for_models(found, role, each, keys) for role, each in found.roles.items()}
    if not any(each.models for each in roles.values()):
        raise BookError(
            f"models {', '.join(keys)} in profile {found.name!r}", "models with published predictions, found none",
            "choose among those of the profile, or use the profile `paper`, which runs them",
        )  # fmt: skip
    kept = {role: each for role, each in roles.items() if each.models}
    tasks = tuple(_for_models(found, each.dataset, each, keys) for each in found.tasks)
    return replace(found, roles=kept, models=keys, tasks=tasks)


def _keys(models: str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(models, str):
        models = MODEL_SETS.get(models) or [key.strip() for key in models.split(",") if key.strip()]
    if not models:
        raise BookError("models", f"keys, or a set ({', '.join(MODEL_SETS)}), found none", "name at least one")
    return tuple(dict.fromkeys(models))


def _for_models(profile: Profile, role: str, each: Inputs, keys: tuple[str, ...]) -> Inputs:
    if each.artifact:
        return replace(each, models=tuple(key for key in keys if key in each.models))
    return replace(each, models=tuple(runnable(key).key for key in keys))
