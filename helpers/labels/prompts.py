"""Class names and prompt templates of the zero-shot heads, read from open_clip without importing torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from helpers.labels.installed import package_file

PLAIN_TEMPLATE = "a photo of a {}."


def _metadata() -> ModuleType:
    # open_clip/__init__ imports torch; this one file is plain lists, so it is loaded by itself.
    path = package_file("open_clip", "zero_shot_metadata.py", "pip install 'beyond-imagenet-book[models]'")
    spec = spec_from_file_location("_open_clip_zero_shot_metadata", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prompt_names() -> tuple[str, ...]:
    """The 1000 class names of the prompts in index order; 998 are distinct (657 = 744, 836 = 837).

    Source: open_clip's IMAGENET_CLASSNAMES. Raises InputsUnavailable without open_clip.
    """
    return tuple(_metadata().IMAGENET_CLASSNAMES)


def prompt_templates() -> tuple[str, ...]:
    """The 80 templates with `{}` in the place of the class name (source: open_clip's OPENAI_IMAGENET_TEMPLATES).

    Raises InputsUnavailable without open_clip.
    """
    return tuple(template("{}") for template in _metadata().OPENAI_IMAGENET_TEMPLATES)


def simple_templates() -> tuple[str, ...]:
    """open_clip's SIMPLE_IMAGENET_TEMPLATES: the seven that OpenAI found to do nearly as well as the 80.

    Raises InputsUnavailable without open_clip.
    """
    return tuple(template("{}") for template in _metadata().SIMPLE_IMAGENET_TEMPLATES)


def prompt_digest(names: Sequence[str], templates: Sequence[str]) -> str:
    """sha256 over names and templates in order: part of the key of every zero-shot prediction.

    >>> prompt_digest(["cat"], ["a {}."])[:12]
    '2e040db60dcf'
    """
    return hashlib.sha256(json.dumps([list(names), list(templates)]).encode()).hexdigest()
