"""ImageNet validation in every form people have it: the same rows, or a refusal that says why."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fixtures_images import photographs
from fixtures_layouts import (
    FORMS,
    VAL_LABELS,
    VAL_NAMES,
    WNIDS,
    make,
    small_image,
    val_files,
    write_folder,
    write_parquet,
    write_tar,
)
from PIL import Image

from helpers import datasets
from helpers.datasets import open_dataset
from helpers.errors import BookError, InputsUnavailable

VAL_LAYOUTS = {
    "flat": "{name}",
    "flat in a folder": "val/{name}",
    "dot": "./{name}",
    "wnid folders": "val/{wnid}/{name}",
    "hub names": "{stem}_{wnid}.JPEG",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", VAL_LAYOUTS)
def test_validation_is_the_same_in_every_layout(tmp_path, form, layout):
    plain = open_dataset("imagenet1k_val", FORMS["tar"](tmp_path / "plain", val_files()), stand_in=True)
    here = FORMS[form](make(tmp_path / "here"), val_files(VAL_LAYOUTS[layout]))
    found = open_dataset("imagenet1k_val", here, stand_in=True)
    assert [sample.image_id for sample in found] == VAL_NAMES
    assert [sample.label for sample in found] == [[int(VAL_LABELS[name])] for name in VAL_NAMES]
    assert found.official_names
    assert found.partial
    assert (found.n, found.expected) == (6, 50_000)
    assert found.digest == plain.digest
    assert [found.images.read(i) for i in range(6)] == [small_image(i) for i in range(6)]
    assert ("class folders" in found.layout) == (layout == "wnid folders")


def test_the_digest_changes_with_what_it_stands_for(tmp_path):
    files = val_files()
    base = open_dataset("imagenet1k_val", write_tar(tmp_path / "a.tar", files), stand_in=True)
    other = files | {VAL_NAMES[0]: small_image(0) + b"\0"}
    assert open_dataset("imagenet1k_val", write_tar(tmp_path / "b.tar", other), stand_in=True).digest != base.digest
    fewer = dict(list(files.items())[1:])
    assert open_dataset("imagenet1k_val", write_tar(tmp_path / "c.tar", fewer), stand_in=True).digest != base.digest


def test_wrong_counts_are_errors_unless_declared(tmp_path):
    path = write_tar(tmp_path / "val.tar", val_files())
    with pytest.raises(BookError, match=r"50,000 images, found 6"):
        open_dataset("imagenet1k_val", path)
    part = open_dataset("imagenet1k_val", path, max_images=3)
    assert (part.n, part.partial) == (3, True)
    with pytest.raises(InputsUnavailable, match=r"nowhere\.tar"):
        open_dataset("imagenet1k_val", tmp_path / "nowhere.tar")
    with pytest.raises(BookError, match="imagenet_v2_mf"):
        open_dataset("imagenet_v3", path)
    with pytest.raises(BookError, match="OVERLAYS"):
        open_dataset("imagenet_x", path)


def test_a_full_set_is_not_partial(tmp_path, monkeypatch):
    spec = datasets.DATASETS["imagenet1k_val"]
    from dataclasses import replace

    monkeypatch.setitem(datasets.DATASETS, "imagenet1k_val", replace(spec, n=6))
    assert not open_dataset("imagenet1k_val", write_tar(tmp_path / "val.tar", val_files())).partial


# What the official names guard against


def test_permuted_class_folders_are_refused(tmp_path):
    files = {f"val/{WNIDS[(VAL_LABELS[name] + 1) % 1000]}/{name}": small_image(i) for i, name in enumerate(VAL_NAMES)}
    with pytest.raises(BookError, match=r"expected class n\d{8} \(index \d+\) as in the official labels"):
        open_dataset("imagenet1k_val", write_folder(tmp_path / "val", files), stand_in=True)


@pytest.mark.parametrize("name", ["ILSVRC2012_val_00000001_n01440764.JPEG", "n01440764/ILSVRC2012_val_00000001.JPEG"])
def test_a_single_wrong_wnid_is_refused(tmp_path, name):
    assert VAL_LABELS["ILSVRC2012_val_00000001.JPEG"] != 0
    with pytest.raises(BookError, match="n01440764"):
        open_dataset("imagenet1k_val", write_tar(tmp_path / "val.tar", {name: small_image(0)}), stand_in=True)


@pytest.mark.parametrize(("files", "message"), [
    ({"cat.jpg": b""}, "labels cannot be guessed"),
    ({"0001/ILSVRC_1.JPEG": b""}, "labels cannot be guessed"),
    ({"ILSVRC2012_val_00000001.JPEG": b"", "cat.jpg": b""}, "found 'cat.jpg' among them"),
    ({"ILSVRC2012_val_00050001.JPEG": b""}, "1 to 50,000"),
    ({"ILSVRC2012_val_00000000.JPEG": b""}, "1 to 50,000"),
    ({"n99999999/ILSVRC2012_val_00000001.JPEG": b""}, "found n99999999"),
    ({"a/ILSVRC2012_val_00000001.JPEG": b"", "b/ILSVRC2012_val_00000001.JPEG": b""}, "more than once"),
    ({"README.txt": b"no images"}, "found none"),
])  # fmt: skip
def test_what_does_not_map_is_refused(tmp_path, files, message):
    with pytest.raises(BookError, match=message):
        open_dataset("imagenet1k_val", write_tar(tmp_path / "val.tar", files), stand_in=True)


def test_other_names_are_read_from_wnid_folders_but_flagged(tmp_path):
    files = {f"val/{WNIDS[c]}/picture{i}.jpg": small_image(i) for i, c in enumerate([7, 3, 999])}
    found = open_dataset("imagenet1k_val", write_tar(tmp_path / "val.tar", files), stand_in=True)
    assert not found.official_names
    assert [sample.label for sample in found] == [[3], [7], [999]]
    assert found[0].image_id == f"{WNIDS[3]}/picture1.jpg"


def test_a_hub_copy_in_parquet_keeps_official_names_or_says_that_it_has_none(tmp_path):
    images, classes = [small_image(i) for i in range(6)], [int(VAL_LABELS[name]) for name in VAL_NAMES]
    hub_names = [f"{name.removesuffix('.JPEG')}_{WNIDS[VAL_LABELS[name]]}.JPEG" for name in VAL_NAMES]
    file = "data/validation-00000-of-00001.parquet"
    named = write_parquet(tmp_path / "a" / file, images, {"label": classes}, hub_names)
    found = open_dataset("imagenet1k_val", tmp_path / "a", stand_in=True)
    assert found.official_names
    assert [sample.image_id for sample in found] == VAL_NAMES
    assert [found.images.read(i) for i in range(6)] == images
    write_parquet(tmp_path / "b" / file, images, {"label": classes})
    nameless = open_dataset("imagenet1k_val", tmp_path / "b", stand_in=True)
    assert not nameless.official_names
    assert [sample.label[0] for sample in nameless] == classes
    write_parquet(named, images, {"label": [(c + 1) % 1000 for c in classes]}, hub_names)
    with pytest.raises(BookError, match="as in the official labels"):
        open_dataset("imagenet1k_val", tmp_path / "a", stand_in=True)


def test_the_mirrors_photographs_as_an_official_tar(mirror, tmp_path):
    by_class = VAL_LABELS.reset_index().groupby("label")["file_name"].first()
    paths = photographs(mirror)
    files = {by_class[WNIDS.index(path.name[:9])]: path.read_bytes() for path in paths}
    found = open_dataset("imagenet1k_val", write_tar(tmp_path / "ILSVRC2012_img_val.tar", files), stand_in=True)
    assert found.n == 50
    for sample in found:
        theirs = Image.open(io.BytesIO(files[sample.image_id])).convert("RGB")
        assert (np.asarray(sample.image) == np.asarray(theirs)).all()
        assert WNIDS[sample.label[0]] in {path.name[:9] for path in paths}
