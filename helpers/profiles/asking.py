"""What one run asks for: a profile, perhaps with other models, fewer images, stand-ins or another precision."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from helpers import predict, similarity
from helpers.errors import BookError
from helpers.predict import Collected, Embedded, Settings
from helpers.probe import Probed, probe_all
from helpers.profiles.costs import NOTES, plan_table
from helpers.profiles.needs import SECTION_ROLES, jobs, missing_inputs, similarity_job
from helpers.profiles.table import Profile, get, inputs, with_models

COLAB_IMAGES = 5_000


@dataclass(frozen=True)
class Asked:
    """A profile as it is asked for, and how: `collect` gives predictions, `parameters` go into the record."""

    profile: Profile
    settings: Settings
    max_images: int | None
    local: dict[str, Path]
    parameters: dict

    def collect(self, role: str, view: str | None = None) -> Collected:
        """Predictions for a role of the profile, such as "val"; see `predict.collect`."""
        return predict.collect(inputs(self.profile, role, view), self.settings, self.max_images, self.local or None)

    def collect_all(self, section: str) -> dict[str, Collected]:
        """Predictions for every role that a section reads and this profile has, by role.

        Empty where the profile runs no model for the section: published validation predictions say nothing of the rest.
        """
        roles = [role for role in SECTION_ROLES[section] if role in self.profile.roles]
        if all(self.profile.roles[role].artifact for role in roles):
            return {}
        return {role: self.collect(role) for role in roles}

    def stored(self, role: str, view: str) -> Collected:
        """What the store holds for a role under another view than its own; nothing is run for it.

        Models that see the role's own view under either name (CLIP at 224 pixels) are left out.
        """
        own, asked = inputs(self.profile, role), inputs(self.profile, role, view)
        other = [m for m in asked.models if predict.view_of(m, view).id != predict.view_of(m, own.view).id]
        asked = replace(asked, models=tuple(other))
        return predict.collect(asked, self.settings, self.max_images, self.local or None, only_stored=True)

    def sweep(self) -> dict[str, Collected]:
        """Predictions under the views of transformation invariance by view id, the untouched image's first.

        Empty where the profile has no such views.
        """
        if not self.profile.sweep:
            return {}
        role = self.profile.sweep_role
        found = [self.collect(role), *(self.collect(role, view) for view in self.profile.sweep)]
        return {each.inputs.view: each for each in found}

    def among_classes(self, found: Collected) -> Collected:
        """The same predictions with only the classes of the set competing; see `predict.among_classes`."""
        return predict.among_classes(found, self.settings, self.max_images, self.local or None)

    def probe(self) -> Probed:
        """Probes of every model on every transfer task of the profile; see `probe.probe_all`."""
        return probe_all(self.profile.tasks, self.settings, self.max_images, self.local or None)

    def similarity(self) -> similarity.Collected:
        """Similarities of the layers of every two models on images of "val"; none where the profile runs no network."""
        if self.profile.similarity is None:
            return similarity.Collected(self.profile.models)
        seen, local = inputs(self.profile, "val"), self.local or None
        return similarity.collect(seen, *self.profile.similarity, self.settings, self.max_images, local)

    def embedded(self, role: str) -> tuple[dict[str, Embedded], dict[str, str]]:
        """Stored embeddings of a role by model, and why there are none of the others; no model is run for them."""
        if role not in self.profile.roles:
            return {}, {role: f"no images of this kind in profile {self.profile.name}"}
        return predict.embedded(inputs(self.profile, role), self.max_images, self.local or None)

    def announce(self, section: str) -> None:
        """Print what this section will download and run, and what is missing; nothing where no model is run.

        The demo downloads nothing and takes minutes: nothing is printed for it either.
        """
        if self.profile.name == "demo":
            return
        what = self.profile, [section], self.settings, self.max_images, self.local
        if not jobs(*what) and similarity_job(*what) is None:
            return
        print(plan_table(self.profile, [section], self.max_images, self.local).round(1).to_string())
        print(NOTES)
        missing = missing_inputs(self.profile, [section], self.local)
        for row in missing.itertuples():
            print(f"not run without {row.artifact} ({row.where}): {row.remedy}")


def ask(
    profile: str, models: str = "", max_images: int = -1, local: str = "", precision: str = "fp32",
    settings: Settings | None = None,
) -> Asked:  # fmt: skip
    """What the parameters of a notebook, or options of the command line, ask for.

    `models`: a named set, or keys separated by commas; "" for those of the profile. `max_images`: 0 for all, -1 for all
    but in Colab 5,000 of each set. `local`: stand-ins as ID=PATH, separated by commas. Raises BookError for an unknown
    profile, model or precision, or a profile that needs models to be named.

    >>> ask("paper", models="in1k", max_images=100).parameters["max_images"]
    100
    """
    chosen = with_models(profile, models) if models else get(profile)
    if not chosen.models:
        raise BookError(f"profile {profile!r}", "models, found none", "name them, such as timm:NAME or a set")
    in_colab = "google.colab" in sys.modules
    number = (COLAB_IMAGES if in_colab else 0) if max_images < 0 else max_images
    settings = replace(settings or Settings(), precision=precision)
    if precision not in predict.settings.PRECISIONS:
        known = ", ".join(predict.settings.PRECISIONS)
        raise BookError(f"precision {precision!r}", f"one of {known}", "choose one of them")
    parameters = {
        "models": ",".join(chosen.models), "max_images": number, "local": local, "precision": precision,
    }  # fmt: skip
    return Asked(chosen, settings, number or None, stand_ins(local), parameters)


def stand_ins(text: str) -> dict[str, Path]:
    """{artifact id: path} from "ID=PATH,ID=PATH". Raises BookError for a part of another form.

    >>> stand_ins("imagenet1k_val=/data/val.tar")
    {'imagenet1k_val': PosixPath('/data/val.tar')}
    """
    found = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, path = part.partition("=")
        if not (name and equals and path):
            raise BookError(f"stand-in {part!r}", "ID=PATH", "name the artifact and the file that stands in for it")
        found[name] = Path(path).expanduser()
    return found
