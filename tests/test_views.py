"""Views against torchvision and open_clip, pixel for pixel; every rule is also shown to fail when it is changed."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch
from fixtures_images import awkward_variants, drawn_photograph, photographs
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import functional

from helpers import views
from helpers.views import CLIP, SUPERVISED, decode, invariance_views, make_view, rules

KINDS = {"supervised": SUPERVISED, "clip": CLIP}


SIZES = [(500, 375), (375, 500), (256, 256), (333, 500), (224, 224), (257, 225), (101, 640), (50, 50)]


def reference(view_id: str, clip: bool) -> transforms.Compose:
    """Each rule said in torchvision's and open_clip's own words (the paper's sizes only)."""
    name, _, value = view_id.removeprefix("paper.").partition("-")
    base = 224 if clip else 256
    if name == "scale":
        return transforms.Compose([transforms.Resize(int(float(value) * base)), transforms.CenterCrop(224)])
    if name == "shift":
        return transforms.Compose(
            [lambda image: reference_shift(image, int(value), base), transforms.Resize((224, 224))]
        )
    size = int(value) if name == "resolution" else 224
    if clip:
        return transforms.Compose(
            open_clip.image_transform(size, is_train=False, resize_mode="shortest").transforms[:2]
        )
    shorter = {112: 128, 224: 256, 336: 384, 512: 585, 640: 731}[size]
    return transforms.Compose([transforms.Resize(shorter), transforms.CenterCrop(size)])


def reference_shift(image: Image.Image, shift: int, base: int) -> Image.Image:
    """The centre box of the evaluation crop in original pixels, moved along the longer side."""
    w, h = image.size
    if w > h:
        scale = h / base
        left, top = ((w / h * base) - 224) / 2 * h / base + shift, (base - 224) / 2 * h / base
    else:
        scale = w / base
        left, top = (base - 224) / 2 * w / base, ((h / w * base) - 224) / 2 * w / base + shift
    side = int(224 * min(w, h) / base)
    assert abs(side - 224 * scale) <= 1
    return functional.crop(image, int(top), int(left), side, side)


def expected_pixels(image: Image.Image, view_id: str, clip: bool) -> np.ndarray:
    return np.asarray(reference(view_id, clip)(image).convert("RGB")).transpose(2, 0, 1)


def differing(image: Image.Image, view: views.View, clip: bool) -> int:
    ours, theirs = view.apply(image), expected_pixels(image, view.id, clip)
    assert ours.shape == theirs.shape
    assert ours.dtype == np.uint8
    return int((ours != theirs).sum())


ALL = ["paper.eval", *invariance_views()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_view_equals_torchvision_on_drawn_images(kind, size):
    image = drawn_photograph(*size, seed=sum(size))
    for view_id in ALL:
        assert differing(image, make_view(view_id, KINDS[kind]), kind == "clip") == 0, view_id


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variant", list(awkward_variants(drawn_photograph(20, 20))))
def test_awkward_files_are_shown_as_imagefolder_shows_them(kind, variant, tmp_path):
    data = awkward_variants(drawn_photograph(400, 300, seed=3))[variant]
    (tmp_path / "file").write_bytes(data)
    theirs = pil_loader(str(tmp_path / "file"))
    ours = decode(data, variant)
    assert ours.mode == "RGB"
    assert ours.size == theirs.size == {"4 wide": (4, 300), "4 high": (400, 4)}.get(variant, (400, 300))
    for view_id in ALL:
        view = make_view(view_id, KINDS[kind])
        assert (view.apply(ours) == expected_pixels(theirs, view_id, kind == "clip")).all(), view_id


@pytest.mark.parametrize("kind", KINDS)
def test_the_mirrors_photographs_and_variants(kind, mirror):
    clip = kind == "clip"
    for number, path in enumerate(photographs(mirror)):
        ours, theirs = decode(path.read_bytes(), path.name), pil_loader(str(path))
        for view_id in ALL if number % 10 == 0 else ["paper.eval", "paper.shift-30"]:
            assert (make_view(view_id, KINDS[kind]).apply(ours) == expected_pixels(theirs, view_id, clip)).all()
        if number % 25 == 0:
            for data in awkward_variants(theirs).values():
                image = Image.open(io.BytesIO(data)).convert("RGB")
                for view_id in ("paper.eval", "paper.scale-1.5", "paper.shift-5", "paper.resolution-112"):
                    assert differing(image, make_view(view_id, KINDS[kind]), clip) == 0


MUTATIONS = {
    "bicubic for bilinear": ("paper.eval", SUPERVISED, {"interpolation": "bicubic"}),
    "bilinear for bicubic": ("paper.eval", CLIP, {"interpolation": "bilinear"}),
    "resize one larger": ("paper.eval", SUPERVISED, {"resize": 257}),
    "the other model's ratio": ("paper.shift-30", SUPERVISED, {"resize": 224}),
    "timm's crop for the paper's": ("paper.eval", SUPERVISED, {"resize": 224}),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("size", [(500, 375), (375, 500)])
def test_changed_facts_do_not_pass(mutation, size):
    view_id, preprocessing, change = MUTATIONS[mutation]
    image, clip = drawn_photograph(*size), preprocessing is CLIP
    assert differing(image, make_view(view_id, preprocessing), clip) == 0
    assert differing(image, make_view(view_id, replace(preprocessing, **change)), clip) > 0


@pytest.mark.parametrize("size", [(500, 375), (375, 500)])
def test_changed_rules_do_not_pass(size, monkeypatch):
    image = drawn_photograph(*size)
    evaluation, shift, scale = (make_view(f"paper.{name}", SUPERVISED) for name in ("eval", "shift-30", "scale-2"))
    assert differing(image, evaluation, False) == differing(image, shift, False) == differing(image, scale, False) == 0
    with monkeypatch.context() as patch:
        offset = rules.centre_offset
        patch.setattr(rules, "centre_offset", lambda side, crop: offset(side, crop) + 1)
        assert differing(image, evaluation, False) > 0
    with monkeypatch.context() as patch:
        box = rules.shift_box
        patch.setattr(rules, "shift_box", lambda w, h, c, r, s: _other_axis(box(w, h, c, r, 0), w, h, s))
        assert differing(image, shift, False) > 0
    for wrong in (-30, 29):
        assert differing(image, replace(shift, steps=(*shift.steps[:3], wrong)), False) > 0
    assert differing(image, replace(scale, steps=("resize", 224, 512, "bicubic")), False) > 0


def _other_axis(box, width, height, shift):
    left, top, right, bottom = box
    return (left, top + shift, right, bottom + shift) if width > height else (left + shift, top, right + shift, bottom)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 800))
def test_sizes_and_offsets_are_torchvisions(width, height, size):
    resized = functional._compute_resized_output_size((height, width), [size])
    assert rules.resized_size(width, height, size) == (resized[1], resized[0])
    blank = torch.zeros(1, min(height, 900), min(width, 900), dtype=torch.uint8)
    blank[..., blank.shape[1] // 2, blank.shape[2] // 2] = 1
    theirs = functional.center_crop(blank, [size, size])[0].nonzero()
    ours = [side // 2 - rules.centre_offset(side, size) for side in blank.shape[1:]]
    if theirs.numel():
        assert theirs[0].tolist() == ours


def test_an_image_smaller_than_the_crop_is_padded_as_torchvision_pads():
    image, view = drawn_photograph(60, 81), make_view("paper.scale-0.5", SUPERVISED)
    theirs = transforms.Compose([transforms.Resize(128), transforms.CenterCrop(224)])(image)
    assert (view.apply(image) == np.asarray(theirs).transpose(2, 0, 1)).all()
    assert (view.apply(image)[:, :, :40] == 0).all()


def test_shift_is_in_original_pixels_black_outside_and_down_on_square_images():
    image = Image.new("RGB", (100, 100), "white")
    shown = make_view("paper.shift-30", CLIP).apply(image)
    assert (shown[:, -60:] == 0).all()
    assert (shown[:, :150] == 255).all()
    wide = make_view("paper.shift-100", CLIP).apply(Image.new("RGB", (120, 100), "white"))
    assert (wide[:, :, -190:] == 0).all()
    assert (wide[:, :, :10] == 255).all()


def test_clip_equals_open_clips_own_transform_down_to_the_tensor():
    image = drawn_photograph(481, 640)
    theirs = open_clip.image_transform(336, is_train=False)(image)
    ours = views.normalise(torch.from_numpy(make_view("paper.resolution-336", CLIP).apply(image)), CLIP)
    assert torch.equal(ours, theirs)
    assert not torch.equal(views.normalise(torch.zeros(3, 2, 2, dtype=torch.uint8), SUPERVISED), theirs[:, :2, :2])


def test_normalise_equals_torchvision_for_single_images_and_batches():
    image = drawn_photograph(300, 260)
    theirs = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(SUPERVISED.mean, SUPERVISED.std),
        ]
    )
    pixels = torch.from_numpy(make_view("paper.eval", SUPERVISED).apply(image))
    assert torch.equal(views.normalise(pixels, SUPERVISED), theirs(image))
    assert torch.equal(views.normalise(torch.stack([pixels, pixels]), SUPERVISED)[1], theirs(image))


@pytest.mark.parametrize("name", ["convnext_base.fb_in22k_ft_in1k", "deit3_base_patch16_224.fb_in22k_ft_in1k",
                                  "tf_efficientnet_lite0.in1k"])  # fmt: skip
def test_timm_protocol_equals_timms_own_transform(name):
    import timm

    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict(), model=None)
    theirs = timm.data.create_transform(**config, is_training=False)
    preprocessing = views.timm_preprocessing(
        config["input_size"][-1], config["crop_pct"], config["interpolation"], config["mean"], config["std"]
    )
    image = drawn_photograph(500, 333)
    pixels = torch.from_numpy(make_view("timm.eval", preprocessing).apply(image))
    assert torch.allclose(views.normalise(pixels, preprocessing), theirs(image), atol=1e-6)
