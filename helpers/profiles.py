"""Profiles: which models, datasets and sizes a run uses. To add one, add one entry to `PROFILES`."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.errors import BookError
from helpers.models import MODEL_SETS
from helpers.predict import Inputs


@dataclass(frozen=True)
class Profile:
    """A profile: what it is called, what the reader must know, and role -> inputs."""

    name: str
    title: str
    banner: str
    needs: str
    roles: dict[str, Inputs]


PROFILES: dict[str, Profile] = {
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
}


def get(name: str) -> Profile:
    """The profile of that name. Raises BookError for an unknown one.

    >>> get("released").title
    'Released predictions'
    """
    if name not in PROFILES:
        raise BookError(f"profile {name!r}", f"one of {', '.join(PROFILES)}", "choose one of them")
    return PROFILES[name]


def inputs(profile: str, role: str) -> Inputs:
    """What a profile gives for a role such as "cue_conflict" or "val".

    >>> inputs("released", "cue_conflict").dataset
    'cue_conflict'
    """
    roles = get(profile).roles
    if role not in roles:
        raise BookError(f"role {role!r} in profile {profile!r}", f"one of {', '.join(roles)}", "choose another profile")
    return roles[role]
