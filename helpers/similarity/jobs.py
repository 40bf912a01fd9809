"""What CKA is asked for, and what decides the stored numbers: models, images, batches, layers, order, flattening."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import combinations_with_replacement

from helpers import models, store
from helpers.errors import InputsUnavailable
from helpers.predict import Settings, keys, sources
from helpers.similarity.hsic import FEWEST
from helpers.similarity.layers import LAYERS

SEED = 0  # of the order in which images fall into batches
ESTIMATOR = "mean over batches of the unbiased HSIC (linear kernel, centred features)"
FLATTENED = "everything but the images: all tokens (class token too) and positions with their channels"
ORDER = f"the first images of a permutation with seed {SEED}, in batches of that order"


@dataclass(frozen=True)
class Job:
    """Models on `images` images of a dataset in batches of `batch_size`, every two of them together."""

    models: tuple[str, ...]
    dataset: str
    view: str
    images: int
    batch_size: int
    settings: Settings
    local: sources.Local = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every model with itself and with each other, as the store names them.

        >>> Job(("vit_sup", "vit_clip"), "imagenet1k_val", "paper.eval", 64, 8, Settings()).pairs
        [('vit_clip', 'vit_clip'), ('vit_clip', 'vit_sup'), ('vit_sup', 'vit_sup')]
        """
        return list(combinations_with_replacement(sorted(set(self.models)), 2))

    def name(self, pair: tuple[str, str]) -> str:
        """What the store calls the images that a pair saw: another number, or a stand-in, is another entry."""
        local = any(sources.replaced_files(model, self.dataset, self.local) for model in pair)
        return f"{self.dataset}{'@local' if local else ''}@{self.images}"

    @cached_property
    def files(self) -> dict[str, str] | None:
        """Hashes of the images' files: a folder of 50,000 takes seconds to be looked over, so once for all pairs."""
        return sources.hashes(self.dataset, self.local)

    @cached_property
    def facts_of_models(self) -> dict[str, dict]:
        """What is known of each model without loading it."""
        return {model: _of_model(self, model) for model in self.models}


def cut(n: int, images: int, batch_size: int) -> tuple[int, int]:
    """(batch size, number of batches) for `images` of a dataset's n images; a remainder is left out.

    Where there are not even two batches, two smaller ones are made. Raises InputsUnavailable for fewer than eight
    images, and for batches of fewer than four.

    >>> cut(50_000, 2_560, 256), cut(300, 2_560, 256)
    ((256, 10), (150, 2))
    """
    n = min(n, images)
    size = min(batch_size, n // 2)
    if size < FEWEST:
        found = f"at least {2 * FEWEST} images in two batches of {FEWEST}, found {n:,} in batches of {batch_size:,}"
        raise InputsUnavailable("images for CKA", found, "ask for more images")
    return size, n // size


def known_facts(job: Job, pair: tuple[str, str]) -> dict:
    """The facts of a pair's key that cost nothing: no library, no image and no network is loaded."""
    facts = {
        "asked": {"images": job.images, "batch_size": job.batch_size},
        "estimator": ESTIMATOR, "flattened": FLATTENED, "order": ORDER,
        "models": {model: job.facts_of_models[model] for model in pair},
    }  # fmt: skip
    return facts | ({"artifacts": job.files} if job.files else {})


def _of_model(job: Job, model: str) -> dict:
    spec = models.resolve(model)
    view = keys.view_of(model, job.view)
    facts = keys.known_facts(model, view, job.settings.precision, keys.published_weights(model, job.local))
    table = hashlib.sha256(repr(LAYERS.get(spec.family)).encode()).hexdigest()
    return {name: value for name, value in facts.items() if name != "prompts"} | {"table_of_layers": table}


def miss(job: Job, pair: tuple[str, str]) -> str | None:
    """Why the store lacks a pair: "nothing stored" or the field that differs; None for a hit."""
    stored = store.hsic_facts(store.pair_name(*pair), job.name(pair), job.view)
    if stored is None:
        return "nothing stored"
    known = known_facts(job, pair)
    shared = {model: _shared(stored["models"].get(model, {}), facts) for model, facts in known["models"].items()}
    return keys.mismatch({"facts": {**stored, "models": shared}}, known)


def _shared(stored: dict, known: dict) -> dict:
    return {name: value for name, value in stored.items() if name in known}


def loaded_facts(loaded: models.LoadedModel) -> dict:
    """What is known of a model once it is loaded: its weights and the libraries that compute it."""
    library = {"timm": "timm", "open_clip": "open_clip_torch"}[loaded.spec.backend]
    return {"weights": loaded.weights_hash, "versions": {each: version(each) for each in ("torch", library, "pillow")}}
