"""The demo's small twins of the four models: their two towers in timm, their two CLIPs in open_clip.

The networks are timm's own ConvNeXt and VisionTransformer, reduced for images of 64 pixels; weights and
configurations lie in `helpers/data/`. Importing this module does not import timm or open_clip.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from helpers import paths
from helpers.demo.world import PROMPT_TEMPLATES, class_names, prompts
from helpers.errors import InputsUnavailable
from helpers.models.table import ModelSpec

CLIP_CONFIGS = "demo_open_clip"  # folder of open_clip's model configurations
RECORD = "demo_twins.json"  # one entry a model and seed, written by the training
MERGES = "demo_merges.txt.gz"  # what open_clip's SimpleTokenizer reads


def is_twin(spec: ModelSpec) -> bool:
    """Whether a model's weights ship with the package.

    >>> from helpers.models import MODELS
    >>> is_twin(MODELS["twin_vit_sup"]), is_twin(MODELS["vit_sup"])
    (True, False)
    """
    return spec.packaged is not None


def weights_path(spec: ModelSpec) -> Path:
    """The packaged weights of a twin, or those that `BOOK_TWINS` names. Raises InputsUnavailable where none are."""
    other = paths.other_twins()
    if other:
        path = Path(other.replace("{model}", spec.key))
        if "{model}" not in other or not path.is_file():
            raise InputsUnavailable(
                f"weights of {spec.key}", f"a file at {path} (BOOK_TWINS, with {{model}} in it), found none",
                "correct BOOK_TWINS, or unset it for the packaged weights",
            )  # fmt: skip
        return path
    path = paths.reference(spec.packaged)
    if not path.is_file():
        raise InputsUnavailable(
            f"weights of {spec.key}", f"the packaged file {spec.packaged}, found none",
            f"train them: python -m helpers.demo.train --model {spec.key}",
        )  # fmt: skip
    return path


def record() -> dict[str, dict]:
    """What is known of each training, by `<model>/seed<n>`: accuracies, shape bias, cost, recipe; empty without any.

    >>> isinstance(record(), dict)
    True
    """
    path = paths.reference(RECORD)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def register() -> None:
    """Make timm know the two towers and, where it is installed, open_clip the two CLIPs; twice does no harm."""
    from importlib.util import find_spec

    import timm

    from helpers.models import twin_towers

    if not timm.is_model("twin_vit"):
        for tower in (twin_towers.twin_convnext, twin_towers.twin_vit):
            timm.models.register_model(tower)
    if find_spec("open_clip") is not None:
        _register_clips()


def _register_clips() -> None:
    import open_clip

    if "twin_vit_clip" not in open_clip.list_models():
        open_clip.add_model_config(paths.reference(CLIP_CONFIGS))


def tokenizer(architecture: str):
    """open_clip's SimpleTokenizer with the small merges file, for a twin's architecture.

    The configuration names the file without a folder, so that a call without this function fails instead of
    giving tokens of the large vocabulary.
    """
    import open_clip

    register()  # to a name that it does not know, open_clip gives a tokenizer of the usual length
    return open_clip.get_tokenizer(architecture, bpe_path=str(paths.reference(MERGES)))


def vocabulary_size() -> int:
    """Number of tokens: 256 bytes, each alone and at a word's end, the merges, and two for start and end.

    >>> vocabulary_size() < 1000
    True
    """
    lines = gzip.decompress(paths.reference(MERGES).read_bytes()).decode("utf-8").split("\n")
    return 2 * 256 + len(lines[1:]) + 2


def prompt_parts() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class names with their articles, and templates, for the zero-shot head of the twins.

    >>> names, templates = prompt_parts()
    >>> templates[0].format(names[14])
    'a drawing of an owl'
    """
    return tuple(each[0] for each in prompts(class_names(), ("{}",))), PROMPT_TEMPLATES


def clip_config(name: str) -> dict:
    """The open_clip configuration of a twin.

    >>> clip_config("twin_vit_clip")["vision_cfg"]["timm_model_name"]
    'twin_vit'
    """
    return json.loads((paths.reference(CLIP_CONFIGS) / f"{name}.json").read_text(encoding="utf-8"))
