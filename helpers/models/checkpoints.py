"""Weight files: where they come from, their hash, and how their tensors are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from helpers import fetch, paths
from helpers.errors import BookError, InputsUnavailable
from helpers.models.table import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".safetensors", ".bin", ".pth", ".pt")
_LITE0_REPEATS = (1, 2, 2, 3, 3, 4, 1)


def weights_path(spec: ModelSpec) -> Path:
    """Local path of a model's published weights: from the manifest, else from the library's own hub.

    Raises InputsUnavailable when they cannot be had here.
    """
    if spec.weights:
        return _weight_file(Path(fetch.fetch(spec.weights)))
    if paths.offline():
        raise InputsUnavailable(f"weights of {spec.key}", "a download, found BOOK_OFFLINE set", "pass a weight file")
    try:
        return Path(_from_timm_hub(spec) if spec.backend == "timm" else _from_open_clip(spec))
    except (OSError, RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputsUnavailable(
            f"weights of {spec.key}", f"a download of {spec.checkpoint}, found: {first}", "pass a weight file"
        ) from error


def _weight_file(path: Path) -> Path:
    if path.is_file():
        return path
    files = [file for file in path.rglob("*") if file.suffix in SUFFIXES]
    if not files:
        raise BookError(str(path), f"a weight file ({', '.join(SUFFIXES)}), found none", "fetch the weights again")
    return min(files, key=lambda file: (SUFFIXES.index(file.suffix), file.name))


def _from_timm_hub(spec: ModelSpec) -> str:
    import timm
    from huggingface_hub import hf_hub_download

    config = timm.get_pretrained_cfg(spec.checkpoint or spec.architecture)
    if not config.hf_hub_id:
        raise ValueError("timm lists no hub repository for it")
    return hf_hub_download(config.hf_hub_id, config.hf_hub_filename or "model.safetensors")


def _from_open_clip(spec: ModelSpec) -> str:
    import open_clip

    return open_clip.download_pretrained(open_clip.get_pretrained_cfg(spec.architecture, spec.checkpoint))


def state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of a checkpoint for timm: plain, under `model`, or safetensors; read with `weights_only=True`.

    Files of EfficientNet-Lite's own naming are renamed. Raises BookError for a file that is no such checkpoint.
    """
    from timm.models import load_state_dict

    try:
        content = load_state_dict(str(path), weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen kinds for a file they cannot read
        raise BookError(str(path), f"a checkpoint that loads with weights_only=True, found: {_first(error)}",
                        "use the published file") from error  # fmt: skip
    tensors = {name: value for name, value in content.items() if hasattr(value, "shape")}
    if not tensors:
        raise BookError(str(path), "tensors by name (plain or under 'model'), found none", "use the published file")
    return lite0_names(tensors) if "_conv_stem.weight" in tensors else tensors


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def lite0_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """EfficientNet-Lite0 tensors under timm's names; the numbering of blocks runs through all stages there.

    >>> lite0_names({"_blocks.3._expand_conv.weight": 1, "_fc.bias": 2})
    {'blocks.2.0.conv_pw.weight': 1, 'classifier.bias': 2}
    """
    return {_lite0_name(name): tensor for name, tensor in tensors.items()}


def _lite0_name(name: str) -> str:
    outer = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    # The first block has no expansion: its layers carry other numbers and its last convolution another name.
    first = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    inner = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
             "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match is None:
        module, _, tensor = name.partition(".")
        return f"{outer[module]}.{tensor}"
    places = [(stage, block) for stage, repeats in enumerate(_LITE0_REPEATS) for block in range(repeats)]
    number, module, tensor = int(match[1]), match[2], match[3]
    stage, block = places[number]
    return f"blocks.{stage}.{block}.{(inner if number else first)[module]}.{tensor}"
