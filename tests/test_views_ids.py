"""View ids: which are equal, which are refused; awkward, damaged and oversized images; light imports."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from fixtures_images import cue_conflict_images, drawn_photograph, encoded
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode, functional

from helpers import views
from helpers.errors import BookError
from helpers.views import CLIP, SUPERVISED, apply_views, canonical_view, decode, invariance_views, make_view, rules

KINDS = {"supervised": SUPERVISED, "clip": CLIP}


ALL = ["paper.eval", *invariance_views()]


def test_asis_leaves_cue_conflict_images_alone(mirror):
    image = decode(cue_conflict_images(mirror)[0].read_bytes(), "cue")
    shown = make_view("paper.asis", SUPERVISED).apply(image)
    assert (shown == np.asarray(image).transpose(2, 0, 1)).all()
    assert (shown == make_view("paper.eval", CLIP).apply(image)).all()  # CLIP's own transform is a no-op at 224
    assert (shown != make_view("paper.eval", SUPERVISED).apply(image)).any()


def test_images_that_keep_their_mode_are_converted_after_the_crop():
    image = drawn_photograph(300, 400)
    cmyk = image.convert("CMYK")
    shown = make_view("paper.eval", SUPERVISED).apply(cmyk)
    theirs = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])(cmyk).convert("RGB")
    assert (shown == np.asarray(theirs).transpose(2, 0, 1)).all()
    assert (shown != make_view("paper.eval", SUPERVISED).apply(cmyk.convert("RGB"))).any()


def test_equal_views_are_recognised_and_only_those():
    canonical = {
        kind: [canonical_view(view_id, preprocessing) for view_id in ALL] for kind, preprocessing in KINDS.items()
    }
    assert len(set(canonical["supervised"])) == 14
    assert len(set(canonical["clip"])) == 15
    assert "paper.scale-1" not in canonical["supervised"]
    assert "paper.scale-1" in canonical["clip"]
    assert "paper.shift-0" in canonical["supervised"]
    image = drawn_photograph(500, 375)
    for kind, preprocessing in KINDS.items():
        made = [make_view(view_id, preprocessing) for view_id in ALL]
        pixels = [view.apply(image) for view in made]
        for i in range(len(ALL)):
            for j in range(i):
                same = pixels[i].shape == pixels[j].shape and (pixels[i] == pixels[j]).all()
                assert same == (canonical[kind][i] == canonical[kind][j]) == (made[i].digest() == made[j].digest())


def test_numbers_in_ids_have_one_spelling():
    assert canonical_view("paper.scale-1.50", SUPERVISED) == canonical_view("paper.scale-1.5", SUPERVISED)
    assert canonical_view("paper.scale-2.0", CLIP) == "paper.scale-2"
    assert make_view("paper.shift-5", SUPERVISED).digest() != make_view("paper.shift-5", CLIP).digest()


def test_demo_sizes_keep_the_ratio():
    small = SUPERVISED.at(64)
    assert (small.resize, small.crop) == (73, 64)
    ids = invariance_views(shifts=views.DEMO_SHIFTS, resolutions=views.DEMO_RESOLUTIONS)
    made = {view_id: make_view(view_id, small) for view_id in ids}
    resized = [made[f"paper.resolution-{size}"].steps[2] for size in views.DEMO_RESOLUTIONS]
    assert resized == [int(size * 256 / 224) for size in views.DEMO_RESOLUTIONS] == [36, 73, 109, 164, 210]
    image = drawn_photograph(96, 80)
    shown = apply_views(image, list(made.values()))
    assert {view_id: pixels.shape[-1] for view_id, pixels in shown.items()} == {
        view_id: made[view_id].size for view_id in ids
    }
    assert canonical_view("paper.resolution-64", small) == canonical_view("paper.scale-1", small) == "paper.eval"
    theirs = transforms.Compose([transforms.Resize(109), transforms.CenterCrop(96)])(image)
    assert (shown["paper.resolution-96"] == np.asarray(theirs).transpose(2, 0, 1)).all()


@settings(max_examples=200, deadline=None)
@given(st.integers(16, 1024))
def test_resolution_sizes_are_the_releases_expression(size):
    assert SUPERVISED.at(size).resize == int(size * (256 / 224))
    assert CLIP.at(size).resize == size


def test_apply_views_computes_each_distinct_view_once(monkeypatch):
    calls = []
    compute = rules.resize_and_crop
    counted = lambda *arguments: calls.append(arguments[1:]) or compute(*arguments)  # noqa: E731
    monkeypatch.setitem(views.view._RULES, "resize", counted)
    made = [make_view(name, SUPERVISED) for name in ("paper.eval", "paper.scale-1", "paper.resolution-224")]
    shown = apply_views(drawn_photograph(300, 300), made)
    assert list(shown) == ["paper.eval", "paper.scale-1", "paper.resolution-224"]
    assert len(calls) == 1


@pytest.mark.parametrize("view_id", [
    "eval", "paper.zoom", "paper.scale", "paper.scale-0", "paper.shift-1.5", "paper.shift--5", "paper.resolution-0",
    "paper.resolution-224.5", "paper.eval-2", "timm.scale-2", "timm.shift-5", "released.eval", "paper.scale-x",
])  # fmt: skip
def test_unknown_ids_are_refused(view_id):
    with pytest.raises(BookError, match=r"paper\.eval"):
        make_view(view_id, SUPERVISED)


def test_the_protocol_of_the_preprocessing_must_fit():
    with pytest.raises(BookError, match="protocol"):
        make_view("timm.eval", SUPERVISED)


def test_views_over_100_megapixels_are_named_errors():
    thin = Image.new("RGB", (4, 3000))
    with pytest.raises(BookError, match=r"4 x 6200 pixels, resized to 256: expected at most 100 megapixels"):
        make_view("paper.eval", SUPERVISED).apply(Image.new("RGB", (4, 6200)))
    assert make_view("paper.eval", SUPERVISED).apply(thin).shape == (3, 224, 224)
    with pytest.raises(BookError, match="megapixels"):
        make_view("paper.scale-3", SUPERVISED).apply(thin)
    assert make_view("paper.shift-5", SUPERVISED).apply(thin).shape == (3, 224, 224)  # only its box is resized


@pytest.mark.parametrize("side", [10_400, 14_000])
def test_decompression_bombs_are_named_errors(side):
    data = encoded(Image.new("L", (side, side)), "PNG")  # about 100 kB for 108 and 196 megapixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(BookError, match=r"bomb\.png: expected at most 100 megapixels"):
            decode(data, "bomb.png")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damaged_images_are_named(form):
    data = encoded(drawn_photograph(200, 100), form)
    assert decode(data, "whole").size == (200, 100)
    for damaged in (data[: len(data) // 2], b"", b"<html>not found</html>", b"\0" * 100):
        with pytest.raises(BookError, match=r"^val.tar::x.jpg: expected an image that can be decoded"):
            decode(damaged, "val.tar::x.jpg")


def test_too_small_or_other_sized_images_are_refused_where_the_rule_needs_it():
    with pytest.raises(BookError, match="at least one pixel"):
        make_view("paper.shift-0", SUPERVISED).apply(Image.new("RGB", (1, 50)))
    with pytest.raises(BookError, match="224 x 224 pixels, found 225 x 224"):
        make_view("paper.asis", SUPERVISED).apply(Image.new("RGB", (225, 224)))


def test_views_survive_pickling_and_describe_themselves():
    import pickle

    view = make_view("paper.scale-1.25", CLIP)
    again = pickle.loads(pickle.dumps(view))
    image = drawn_photograph(300, 200)
    assert again == view
    assert (again.apply(image) == view.apply(image)).all()
    assert views.describe(view)["digest"] == view.digest()


def test_the_interpolation_names_are_pils():
    assert rules.INTERPOLATIONS["bilinear"] == functional.pil_modes_mapping[InterpolationMode.BILINEAR]
    assert rules.INTERPOLATIONS["bicubic"] == functional.pil_modes_mapping[InterpolationMode.BICUBIC]


def test_importing_views_and_datasets_does_not_import_torch():
    import subprocess
    import sys

    code = "import sys, helpers.datasets; print(sorted({'torch', 'torchvision', 'timm'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
