"""What may change a stored prediction: what is known of it without torch, and all of it once a model is loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

from helpers import fetch, labels, models, store, views
from helpers.datasets import Dataset
from helpers.errors import BookError, InputsUnavailable
from helpers.models import twins
from helpers.predict.settings import Settings

BASE_VIEWS = ("eval", "asis")
FEATURES_DTYPE = "float16"
WITHOUT_EMBEDDINGS = ("imagenet_c", "demo_c")
_LIBRARIES = {"timm": "timm", "open_clip": "open_clip_torch"}


def view_of(model: str, view_id: str) -> views.View:
    """The view of this id for a model, under the id of the evaluation where it computes the same.

    `asis` is for networks that take 224 pixels unprepared, as the paper shows them cue-conflict images; CLIP, and
    networks of other sizes, see those under their evaluation (for CLIP at 224 pixels the same pixels).

    >>> view_of("vit_sup", "paper.asis").id, view_of("vit_clip", "paper.asis").id
    ('paper.asis', 'paper.eval')
    >>> view_of("vit_sup", "paper.scale-1").id, view_of("vit_clip", "paper.scale-1").id
    ('paper.eval', 'paper.scale-1')
    """
    spec = models.resolve(model)
    protocol, _, name = view_id.partition(".")
    if name == "asis" and (spec.paradigm == "clip" or spec.image_size != 224):
        view_id = f"{protocol}.eval"
    preprocessing = models.preparation(spec, protocol)
    return views.make_view(views.canonical_view(view_id, preprocessing), preprocessing)


def known_facts(
    model: str, view: views.View, precision: str, weights: str | None = None, head: bool = True
) -> dict:  # fmt: skip
    """The facts of a key that cost nothing: checkpoint, weights, prompts, view, precision.

    `weights` is the hash of the weight file where it is known. Prompts are left out where open_clip is not installed,
    and for features alone (`head` False), on which they have no influence.
    """
    spec = models.resolve(model)
    facts = {
        "checkpoint": f"{spec.backend}:{spec.architecture}/{spec.checkpoint or ''}",
        "view": views.describe(view),
        "precision": precision,
    }
    if weights:
        facts["weights"] = weights
    if head and spec.backend == "open_clip":
        with contextlib.suppress(InputsUnavailable):
            facts["prompts"] = labels.prompt_digest(*_prompts(spec))
    return facts


def _prompts(spec: models.ModelSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and templates of a model's zero-shot head: ImageNet's, for a twin those of the drawn world."""
    return twins.prompt_parts() if twins.is_twin(spec) else (labels.prompt_names(), labels.prompt_templates())


def published_weights(model: str, local: Mapping | None = None) -> str | None:
    """sha256 of a model's published weights (or of their stand-in); None where they are not here or not listed.

    >>> published_weights("timm:resnet50.tv_in1k") is None
    True
    """
    spec = models.resolve(model)
    artifact = spec.weights
    try:
        if twins.is_twin(spec):
            return fetch.sha256_of(twins.weights_path(spec))
        return fetch.provenance([artifact], local=local)[artifact] if artifact else None
    except BookError:
        return None


def prediction_key(
    model: models.LoadedModel, dataset: Dataset, view: views.View, space: labels.LabelSpace, settings: Settings,
    extra: Mapping | None = None,
) -> store.PredictionKey:  # fmt: skip
    """Everything that may change a stored row; `extra` facts (artifacts, subset, hash of the weights) replace ours."""
    facts = known_facts(model.key, view, settings.precision, model.weights_hash) | _run_facts(model, dataset, settings)
    facts |= {
        "label_space": space.digest,
        "head": None if model.head.weight is None else store.head_digest(*folded(model.head)),
    }
    return store.PredictionKey(model.key, dataset.dataset_id, view.id, facts | dict(extra or {}))


def feature_key(
    model: models.LoadedModel, dataset: Dataset, view: views.View, settings: Settings, extra: Mapping | None = None
) -> store.PredictionKey:  # fmt: skip
    """The key of features that are kept without predictions: fp16, and neither a head nor a label space in it."""
    facts = known_facts(model.key, view, settings.precision, model.weights_hash, head=False)
    facts |= _run_facts(model, dataset, settings) | {"dtype": FEATURES_DTYPE, "kind": model.embedding}
    return store.PredictionKey(model.key, dataset.dataset_id, view.id, facts | dict(extra or {}))


def _run_facts(model: models.LoadedModel, dataset: Dataset, settings: Settings) -> dict:
    libraries = ("torch", _LIBRARIES[model.spec.backend], "pillow")
    facts = {"images": dataset.digest, "versions": {each: version(each) for each in libraries}}
    return facts | ({"compiled": True} if settings.compile else {})


def embedding_key(key: store.PredictionKey, kind: str) -> store.PredictionKey | None:
    """The key of the embeddings of the same pass; None where none are kept (other views, ImageNet-C)."""
    base = key.view.split(".")[-1] in BASE_VIEWS and key.dataset.split("@")[0] not in WITHOUT_EMBEDDINGS
    return replace(key, facts={**key.facts, "dtype": "float32", "kind": kind}) if base else None


def folded(head: models.Head) -> tuple:
    """Weight with the factor in it, and bias: what the store keeps of a head."""
    return head.weight.dtype.type(head.scale) * head.weight, head.bias


def mismatch(stored: dict, known: Mapping) -> str | None:
    """The first known fact that differs from the stored key (a document of the store), in words; None if none does.

    >>> mismatch({"facts": {"precision": "fp16", "images": "ab"}}, {"precision": "fp32"})
    "facts.precision: stored 'fp16', asked for 'fp32'"
    """
    there = {name: stored["facts"][name] for name in known if name in stored["facts"]}
    return store.explain_difference({"facts": there}, {"facts": dict(known)})
