"""Measured parameters and MACs of the image towers against a layer-wise closed form and the known values."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("timm", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")

from helpers import models  # noqa: E402

KNOWN = {  # millions of parameters, 1e9 multiply-accumulates
    "convnext_sup": (88.59, 15.355),
    "vit_sup": (86.59, 17.564),
    "convnext_clip": (88.09, 15.354),
    "vit_clip": (86.19, 17.563),
}


def convnext_base(size: int, outputs: int, classifier_bias: bool) -> tuple[int, int]:
    """(parameters, MACs) of ConvNeXt-B by hand: stem, stages of depthwise 7x7 and a four-fold MLP, one output layer."""
    depths, widths = (3, 3, 27, 3), (128, 256, 512, 1024)
    side = size // 4
    macs = side**2 * widths[0] * 3 * 16
    parameters = widths[0] * 3 * 16 + widths[0] + 2 * widths[0]
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        if stage:
            side, before = side // 2, widths[stage - 1]
            macs += side**2 * width * before * 4
            parameters += 2 * before + width * before * 4 + width
        macs += depth * side**2 * (49 * width + 8 * width**2)
        block = 49 * width + width + 2 * width + 8 * width**2 + 5 * width + width
        parameters += depth * block
    macs += widths[-1] * outputs
    parameters += 2 * widths[-1] + widths[-1] * outputs + outputs * classifier_bias
    return parameters, macs


def vit_base(size: int, outputs: int, clip: bool) -> tuple[int, int]:
    """(parameters, MACs) of ViT-B/16 by hand; attention's two matrix products are 2 n^2 d a block."""
    width, depth, patches = 768, 12, (size // 16) ** 2
    n = patches + 1
    macs = patches * width * 3 * 256 + depth * (12 * n * width**2 + 2 * n**2 * width) + width * outputs
    block = 12 * width**2 + (3 + 1 + 4 + 1) * width + 4 * width
    # blocks; patches with their bias; the class token; the last norm; the output layer
    parameters = depth * block + 3 * 256 * width + width + width + 2 * width + width * outputs
    if clip:  # no bias on the patches and the projection, a norm before the blocks, a position for the class token
        return parameters - width + 2 * width + n * width, macs
    layer_scale = depth * 2 * width
    return parameters + outputs + patches * width + layer_scale, macs


CLOSED = {
    "convnext_sup": lambda size: convnext_base(size, 1000, True),
    "vit_sup": lambda size: vit_base(size, 1000, clip=False),
    "convnext_clip": lambda size: convnext_base(size, 512, False),
    "vit_clip": lambda size: vit_base(size, 512, clip=True),
}


@pytest.mark.parametrize("key", KNOWN)
def test_counts_equal_the_closed_form_and_the_known_values(key):
    rows = {row["metric"]: row for row in models.count_parameters_and_macs(key)}
    parameters, macs = CLOSED[key](224)
    assert round(rows["parameters"]["value"] * 1e6) == parameters
    assert round(rows["macs"]["value"] * 1e9) == macs
    assert rows["parameters"]["value"] == pytest.approx(KNOWN[key][0], abs=0.005)
    assert rows["macs"]["value"] == pytest.approx(KNOWN[key][1], abs=0.0006)
    assert (rows["parameters"]["unit"], rows["macs"]["unit"]) == ("millions", "gmacs")


@pytest.mark.parametrize(("key", "size"), [("vit_clip", 336), ("convnext_clip", 512), ("vit_sup", 112)])
def test_counts_at_other_sides(key, size):
    rows = models.count_parameters_and_macs(key, size)
    assert [round(row["value"] * scale) for row, scale in zip(rows, (1e6, 1e9), strict=True)] == list(CLOSED[key](size))
    assert {row["view"] for row in rows} == {f"paper.resolution-{size}"}


def test_attention_products_are_what_separates_timms_two_numbers():
    """timm lists 16.87 or 17.58 for the same network: fused attention hides the matrix products from a counter."""
    products = 12 * 2 * 197**2 * 768
    macs = models.count_macs(models.image_tower("vit_sup"), 224)
    assert macs == pytest.approx(17.58e9, abs=0.03e9)
    assert macs - products == pytest.approx(16.87e9, abs=0.03e9)


def test_counting_leaves_the_fast_path_setting_as_it_was():
    before = torch.backends.mha.get_fastpath_enabled()
    models.count_macs(torch.nn.Conv2d(3, 1, 1, device="meta"), 8)
    assert torch.backends.mha.get_fastpath_enabled() == before
