"""From what a person types to a model: a key of the table, `timm:NAME` or `open_clip:ARCH/TAG`."""

from __future__ import annotations

import difflib

from helpers.errors import BookError, InputsUnavailable
from helpers.models.table import GREY, MODELS, ModelSpec, clip_preparation

LISTING = "timm: `timm.list_models(pretrained=True)`; open_clip: `open_clip.list_pretrained()`"
RUNNABLE = ("timm", "open_clip")


def resolve(name: str) -> ModelSpec:
    """The model of a key, or one made for `timm:NAME` or `open_clip:ARCH/TAG` from that library's own table.

    Raises BookError with near matches for an unknown name, and InputsUnavailable where the library is missing.

    >>> resolve("vit_clip").architecture
    'ViT-B-16'
    """
    if name in MODELS:
        return MODELS[name]
    prefix, _, rest = name.partition(":")
    if prefix == "timm" and rest:
        return _timm_spec(rest)
    if prefix == "open_clip" and rest:
        return _open_clip_spec(rest)
    runnable = [key for key, spec in MODELS.items() if spec.backend in RUNNABLE]
    raise _unknown(name, runnable, f"a key ({', '.join(runnable)}), timm:NAME or open_clip:ARCH/TAG", LISTING)


def runnable(name: str) -> ModelSpec:
    """As `resolve`, but raises BookError for an observer of whom only published predictions exist.

    >>> runnable("vit_sup").backend
    'timm'
    """
    spec = resolve(name)
    if spec.backend not in RUNNABLE:
        keys = ", ".join(key for key, each in MODELS.items() if each.backend in RUNNABLE)
        raise BookError(f"model {name!r}", f"a network to run, found a {spec.backend} observer", f"use one of {keys}")
    return spec


def _unknown(name: str, known: list[str], expected: str, remedy: str) -> BookError:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return BookError(f"model {name!r}", expected, f"{hint}List them with {remedy}")


def ready(spec: ModelSpec) -> None:
    """Make a model's library ready to build it: installed, and told of the demo's twins where it is one of them.

    Raises InputsUnavailable, naming the extra, where the library is missing.
    """
    require(spec.backend)
    if spec.packaged is None:
        return
    from helpers.models import twins  # brings the drawn world with it: only where a twin is asked for

    require("timm")
    twins.register()


def require(package: str) -> None:
    """Raises InputsUnavailable, naming the extra, unless a library of the extra `models` is installed.

    >>> require("json")
    """
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise InputsUnavailable(f"package {package}", "an installed package, found none",
                                "pip install 'beyond-imagenet-book[models]'")  # fmt: skip


def _timm_spec(name: str) -> ModelSpec:
    require("timm")
    import timm

    known = timm.list_models(pretrained=True)
    if name not in known and name not in timm.list_models():
        raise _unknown(name, known, "a timm model with published weights", "`timm.list_models(pretrained=True)`")
    config = timm.get_pretrained_cfg(name)
    if config is None:
        raise BookError(f"timm:{name}", "an architecture with published weights, found none", "choose another model")
    if config.num_classes != 1000:
        raise BookError(f"timm:{name}", f"a head over the 1000 ImageNet classes, found {config.num_classes}",
                        "choose a tag that ends in in1k")  # fmt: skip
    size = config.input_size[-1]
    full = name if "." in name or not config.tag else f"{name}.{config.tag}"
    return ModelSpec(
        f"timm:{full}", full, _family(name), "sup", GREY, "d", ":", backend="timm", architecture=config.architecture,
        checkpoint=full, image_size=size, mean=tuple(config.mean), std=tuple(config.std),
        resize=int(size * 256 / 224), crop_pct=config.crop_pct, timm_interpolation=config.interpolation,
    )  # fmt: skip


def _open_clip_spec(name: str) -> ModelSpec:
    require("open_clip")
    import open_clip

    known = ["/".join(pair) for pair in open_clip.list_pretrained()]
    if name not in known:
        raise _unknown(name, known, "ARCH/TAG of open_clip", "`open_clip.list_pretrained()`")
    architecture, tag = name.split("/")
    published, config = open_clip.get_pretrained_cfg(architecture, tag), open_clip.get_model_config(architecture)
    if bool(published.get("quick_gelu")) != bool(config.get("quick_gelu")):
        raise BookError(f"open_clip:{name}", "the activation that the weights were trained with",
                        f"use open_clip:{_other_gelu(architecture)}/{tag}")  # fmt: skip
    vision = config["vision_cfg"]
    preparation = clip_preparation(vision["image_size"])
    preparation |= {key: published[key] for key in ("mean", "std", "interpolation") if published.get(key)}
    squashed = published.get("resize_mode") == "squash"
    note = "open_clip squashes images for these weights; here the shorter side is resized" if squashed else ""
    return ModelSpec(
        f"open_clip:{name}", f"{architecture} {tag}", _family(vision.get("timm_model_name") or architecture), "clip",
        GREY, "d", ":", backend="open_clip", architecture=architecture, checkpoint=tag, note=note,
        **preparation,
    )  # fmt: skip


def _other_gelu(architecture: str) -> str:
    suffix = "-quickgelu"
    return architecture.removesuffix(suffix) if architecture.endswith(suffix) else architecture + suffix


def _family(name: str) -> str:
    lower = name.lower()
    families = {"convnext": "convnext", "vit": "vit", "deit": "vit", "resnet": "resnet", "efficientnet": "efficientnet"}
    return next((family for part, family in families.items() if part in lower), "other")
