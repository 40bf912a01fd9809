"""Which modules of a network are the layers of which panel: one table, for timm, open_clip and the demo's twins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from helpers.errors import InputsUnavailable

if TYPE_CHECKING:
    from torch import nn

_STAGE, _BLOCK = r"stages\.\d+\.", r"(?:blocks|transformer\.resblocks)\.\d+"
LAYERS: dict[str, dict[str, tuple[str, ...]]] = {
    "convnext": {
        "conv": (r"stem\.0", rf"{_STAGE}downsample\.1", rf"{_STAGE}blocks\.\d+\.conv_dw"),
        "linear": (rf"{_STAGE}blocks\.\d+\.mlp\.fc[12]", r"head\.fc", r"head\.proj"),
        "norm": (r"stem\.1", rf"{_STAGE}downsample\.0", rf"{_STAGE}blocks\.\d+\.norm", r"(?:norm_pre|head\.norm)"),
        "rest": (rf"{_STAGE}blocks\.\d+\.mlp\.act", rf"{_STAGE}blocks\.\d+"),
    },
    "vit": {
        "attention": (rf"{_BLOCK}\.attn",),
        "linear": (rf"{_BLOCK}\.mlp\.(?:fc[12]|c_fc|c_proj)", r"head", r"head\.proj"),
        "norm": (r"norm_pre|norm|fc_norm|ln_pre|ln_post", rf"{_BLOCK}\.(?:norm[12]|ln_[12])"),
        "rest": (r"patch_embed\.proj|conv1", rf"{_BLOCK}\.mlp\.(?:act|gelu)", _BLOCK),
    },
}
"""Family -> panel -> names of modules (whole names; `trunk.` of open_clip's wrapper left off). To add a family, add an
entry. "all" is the union: every panel's layers, the first convolution, activations and the outputs of the blocks.
Placeholders (Identity) are no layers; the linear maps inside attention belong to it (open_clip has no modules there).
"""

TRUNK = "trunk."


def panels(family: str) -> tuple[str, ...]:
    """The panels of a family of networks, "all" first. Raises InputsUnavailable for a family without an entry.

    >>> panels("vit")
    ('all', 'attention', 'linear', 'norm')
    """
    if family not in LAYERS:
        raise InputsUnavailable(
            f"layers of the family {family!r}", f"one of {', '.join(LAYERS)}", "add an entry to similarity.LAYERS"
        )
    return ("all", *(name for name in LAYERS[family] if name != "rest"))


def common_panels(first: str, second: str) -> tuple[str, ...]:
    """The panels that two families share.

    >>> common_panels("convnext", "vit")
    ('all', 'linear', 'norm')
    """
    return tuple(panel for panel in panels(first) if panel in panels(second))


def kind_of_layer(family: str, name: str) -> str | None:
    """The panel ("rest" for what only "all" shows) to which a module of this name belongs; None for no layer.

    >>> kind_of_layer("convnext", "trunk.stages.2.blocks.11.mlp.fc1"), kind_of_layer("vit", "blocks.3.attn.qkv")
    ('linear', None)
    """
    panels(family)
    name = name.removeprefix(TRUNK)
    for panel, patterns in LAYERS[family].items():
        if any(re.fullmatch(pattern, name) for pattern in patterns):
            return panel
    return None


def layers_of(network: nn.Module, family: str) -> dict[str, str]:
    """Layer name -> panel ("rest" for what only "all" shows), in the order in which a forward pass finishes them.

    Raises InputsUnavailable for a family without an entry, or where no module has one of its names.
    """
    from torch import nn

    kinds = {name: kind_of_layer(family, name) for name, module in finished(network) if type(module) is not nn.Identity}
    found = {name: kind for name, kind in kinds.items() if kind}
    if not found:
        raise InputsUnavailable(
            f"layers of {type(network).__name__}", f"modules named as in similarity.LAYERS[{family!r}]",
            "add their names there",
        )  # fmt: skip
    return found


def finished(network: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every module below a network with its name, children before the module that holds them."""
    for name, child in network.named_children():
        yield from finished(child, f"{prefix}{name}.")
        yield f"{prefix}{name}", child


def chosen(kinds: dict[str, str], panel: str) -> list[int]:
    """Positions of a panel's layers among all of a network.

    >>> chosen({"stem.0": "conv", "stem.1": "norm", "blocks.0": "rest"}, "norm")
    [1]
    """
    return [i for i, kind in enumerate(kinds.values()) if panel in ("all", kind)]


def stage_of(family: str, name: str) -> str:
    """The part of a network that a layer stands in: "stem", "stage 1" to "stage 4", "block 1" ..., or "head".

    >>> stage_of("convnext", "stages.2.blocks.3.norm"), stage_of("vit", "transformer.resblocks.0.attn")
    ('stage 3', 'block 1')
    """
    place = re.search(r"(?:stages|blocks|resblocks)\.(\d+)", name)
    if place:
        return f"{'stage' if family == 'convnext' else 'block'} {int(place.group(1)) + 1}"
    early = ("stem", "patch_embed", "conv1", "ln_pre", "norm_pre")
    return "stem" if name.removeprefix(TRUNK).startswith(early) else "head"
