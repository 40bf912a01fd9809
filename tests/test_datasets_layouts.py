"""ImageNet-C, cue-conflict and ImageNet-Hard in their true layouts, with their traps."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fixtures_images import cue_conflict_images, drawn_photograph, encoded
from fixtures_layouts import (
    FORMS,
    VAL_LABELS,
    WNIDS,
    small_image,
    write_folder,
    write_parquet,
    write_tar,
)

from helpers import labels
from helpers.datasets import open_dataset
from helpers.datasets.parquet import _row_group
from helpers.errors import BookError

C_NAMES = [VAL_LABELS.index[i] for i in (0, 1, 2, 3)]


def corrupted(corruptions, severities=(1, 2), names=C_NAMES) -> dict[str, bytes]:
    rows = [(c, s, name) for c in corruptions for s in severities for name in names]
    return {f"{c}/{s}/{WNIDS[VAL_LABELS[name]]}/{name}": small_image(i) for i, (c, s, name) in enumerate(rows)}


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_corruption_folders_of_several_tars_become_one_set(tmp_path, form):
    noise = FORMS[form](tmp_path / "noise", corrupted(["shot_noise", "gaussian_noise"]))
    blur = FORMS[form](tmp_path / "blur", corrupted(["glass_blur"]))
    found = open_dataset("imagenet_c", [blur, noise], stand_in=True)
    assert found.n == 3 * 2 * 4
    groups = list(dict.fromkeys(sample.group for sample in found))
    assert groups == [f"{c}:{s}" for c in ("gaussian_noise", "shot_noise", "glass_blur") for s in (1, 2)]
    first = found[0]
    assert first.label == [int(VAL_LABELS[first.image_id.split("/")[-1]])]
    assert [(stop - start) for _, start, stop in found.parts()] == [16, 8]
    assert [str(noise), str(blur)] == [name for name, _, _ in found.parts()]
    frame = found.frame()
    assert frame.groupby("source")["group"].nunique().tolist() == [6] * 4
    both = write_tar(tmp_path / "all.tar", corrupted(["shot_noise", "gaussian_noise"]) | corrupted(["glass_blur"]))
    assert open_dataset("imagenet_c", both, stand_in=True).digest == found.digest


def test_a_stratified_part_of_imagenet_c_keeps_conditions_paired(tmp_path):
    found = open_dataset("imagenet_c", write_tar(tmp_path / "c.tar", corrupted(["fog", "snow"])), max_images=8)
    frame = found.frame()
    assert len(frame) == 8
    assert frame.groupby("group")["source"].apply(set).map(len).tolist() == [2] * 4
    assert frame["source"].nunique() == 2


@pytest.mark.parametrize(("files", "message"), [
    ({"gaussian_noise/6/n01440764/x.JPEG": b""}, "gaussian_noise/6"),
    ({"gaussian_noise/01/n01440764/x.JPEG": b""}, "gaussian_noise/01"),
    ({"rain/1/n01440764/x.JPEG": b""}, "rain/1"),
    ({"fog/1/0/x.JPEG": b""}, "'0'"),
    ({f"fog/1/{WNIDS[0]}/{C_NAMES[0]}": b""}, "permuted"),
    ({"fog/n01440764/x.JPEG": b""}, "in one place"),
])  # fmt: skip
def test_imagenet_c_that_does_not_map_is_refused(tmp_path, files, message):
    assert VAL_LABELS[C_NAMES[0]] != 0
    with pytest.raises(BookError, match=message):
        open_dataset("imagenet_c", write_tar(tmp_path / "c.tar", files), stand_in=True)


def test_the_four_extra_corruptions_are_left_out_and_missing_ones_named(tmp_path):
    files = corrupted(["fog", "saturate", "spatter"], [1])
    assert open_dataset("imagenet_c", write_tar(tmp_path / "c.tar", files), stand_in=True).n == 4
    with pytest.raises(BookError, match=r"found 1 of 75 \(no brightness/1\)"):
        open_dataset("imagenet_c", tmp_path / "c.tar")


def test_the_extra_corruptions_alone_are_no_set(tmp_path):
    with pytest.raises(BookError, match=r"imagenet_c in .*extra\.tar: expected images as .* extra\.tar are not used"):
        open_dataset("imagenet_c", write_tar(tmp_path / "extra.tar", corrupted(["saturate"], [1])), stand_in=True)


@pytest.mark.parametrize("form", ["folder", "tar.gz", "zip"])
def test_cue_conflict_images_of_the_mirror(mirror, tmp_path, form):
    paths = cue_conflict_images(mirror)
    files = {f"cue-conflict/{path.parent.name}/{path.name}": path.read_bytes() for path in paths}
    found = open_dataset("cue_conflict", FORMS[form](tmp_path, files), stand_in=True)
    assert (found.n, found.expected) == (64, 1280)
    frame = found.frame().set_index("image_id")
    row = frame.loc["airplane5-bicycle1.png"]
    assert (row["shape"], row["texture"]) == ("airplane", "bicycle")
    assert (row["shape_exemplar"], row["texture_exemplar"]) == ("airplane5", "bicycle1")
    assert row["label"] == [404]
    assert (frame["shape"] == frame["texture"]).sum() == 3  # chair1-chair1, clock1-clock2, dog2-dog3
    assert found[0].image.size == (224, 224)
    assert set(frame["shape"]) == set(labels.sixteen_categories())


@pytest.mark.parametrize("path", [
    "airplane/bear1-dog2.png", "plane/plane1-dog2.png", "airplane/airplane1-zebra2.png", "airplane/airplane1.png",
    "0/airplane1-dog2.png", "airplane/0001_airplane1-dog2.png",
])  # fmt: skip
def test_cue_conflict_names_that_do_not_fit_are_refused(tmp_path, path):
    with pytest.raises(BookError, match="two of the 16 categories"):
        open_dataset("cue_conflict", write_folder(tmp_path, {path: small_image(0, "PNG")}), stand_in=True)


# ImageNet-Hard

HARD = {"label": [[3, 5] + [-1] * 8, [7], [999, 0, 1], [4] + [-1] * 9, list(range(10))],
        "origin": ["imagenet_a", "objectnet", "imagenet_v2", "x", "y"], "english_label": [["a"]] * 5}  # fmt: skip


def test_hard_labels_lose_their_padding_and_images_keep_their_mode(tmp_path):
    images = [encoded(drawn_photograph(30, 20, 0).convert("CMYK")), *[small_image(i) for i in range(4)]]
    names = [f"validation-{i:05d}-of-00002-{h}.parquet" for i, h in enumerate(["36efe923955f51bb", "a25dbb6822e21382"])]
    for name, rows in zip(names, (slice(0, 2), slice(2, 5)), strict=True):
        columns = {key: values[rows] for key, values in HARD.items()}
        write_parquet(tmp_path / "data" / name, images[rows], columns)
    found = open_dataset("imagenet_hard", tmp_path, stand_in=True)
    assert [sample.label for sample in found] == [[3, 5], [7], [999, 0, 1], [4], list(range(10))]
    assert [sample.image_id for sample in found] == ["00000", "00001", "00002", "00003", "00004"]
    assert found[0].image.mode == "CMYK"
    assert [found.images.read(i) for i in (4, 0, 3, 1, 2)] == [images[i] for i in (4, 0, 3, 1, 2)]
    assert found.frame()["origin"].tolist() == HARD["origin"]
    assert [(start, stop) for _, start, stop in found.parts()] == [(0, 2), (2, 5)]
    with pytest.raises(BookError, match="13,925 images, found 5"):
        open_dataset("imagenet_hard", tmp_path)


@pytest.mark.parametrize(("names", "message"), [
    (["validation-00000-of-00002.parquet"], "one complete set"),
    (["validation-00000-of-00001-aa.parquet", "validation-00000-of-00002-bb.parquet",
      "validation-00001-of-00002-bb.parquet"], "one complete set"),
    (["validation-00000-of-00001-aa.parquet", "validation-00000-of-00001-bb.parquet"], "one complete set"),
    (["validation-00000-of-00001.parquet", "other.parquet"], "named alike"),
    (["train-00000-of-00001.parquet"], "found none"),
])  # fmt: skip
def test_hard_files_of_two_revisions_or_with_gaps_are_refused(tmp_path, names, message):
    for name in names:
        write_parquet(tmp_path / name, [small_image(0)] * 5, HARD)
    with pytest.raises(BookError, match=message):
        open_dataset("imagenet_hard", tmp_path, stand_in=True)


@pytest.mark.parametrize(("change", "message"), [
    ({"label": [[-1] * 10, [1], [1], [1], [1]]}, r"row 0: expected class indices"),
    ({"label": [[1], [1000], [1], [1], [1]]}, r"row 1: expected class indices from 0 to 999, found \[1000\]"),
    ({"origin": None}, "the column 'origin', found image, label"),
])  # fmt: skip
def test_hard_rows_without_a_usable_label_are_refused(tmp_path, change, message):
    columns = {name: values for name, values in (HARD | change).items() if values is not None}
    write_parquet(tmp_path / "validation-00000-of-00001.parquet", [small_image(0)] * 5, columns)
    with pytest.raises(BookError, match=message):
        open_dataset("imagenet_hard", tmp_path, stand_in=True)


def test_damaged_parquet_is_named(tmp_path):
    path = write_parquet(tmp_path / "validation-00000-of-00001.parquet", [small_image(0)] * 5, HARD)
    data = path.read_bytes()
    path.write_bytes(data[:-200])
    with pytest.raises(BookError, match=r"validation-00000-of-00001\.parquet"):
        open_dataset("imagenet_hard", tmp_path, stand_in=True)
    path.write_bytes(data)
    found = open_dataset("imagenet_hard", tmp_path, stand_in=True)
    path.write_bytes(b"\0" * len(data))
    _row_group.cache_clear()
    with pytest.raises(BookError, match="row group 1, row 1"):
        found[4]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_images_in_a_plain_column_of_bytes_are_read(tmp_path, kind):
    images = [small_image(i) for i in range(5)]
    columns = {"image": pa.array(images, kind), **{name: HARD[name] for name in ("label", "origin")}}
    pq.write_table(pa.table(columns), tmp_path / "validation-00000-of-00001.parquet", row_group_size=2)
    found = open_dataset("imagenet_hard", tmp_path, stand_in=True)
    assert [found.images.read(i) for i in range(5)] == images


@pytest.mark.parametrize("kind", ["text", "struct"])
def test_a_column_without_images_is_named(tmp_path, kind):
    values = {"text": ["a.jpg"] * 5, "struct": [{"path": "a.jpg"}] * 5}[kind]
    columns = {"image": values, **{name: HARD[name] for name in ("label", "origin")}}
    pq.write_table(pa.table(columns), tmp_path / "validation-00000-of-00001.parquet")
    with pytest.raises(BookError, match="in the column 'image', found str"):
        open_dataset("imagenet_hard", tmp_path, stand_in=True)


def test_an_empty_cell_is_named(tmp_path):
    write_parquet(tmp_path / "validation-00000-of-00001.parquet", [small_image(0), None, *[b"x"] * 3], HARD)
    found = open_dataset("imagenet_hard", tmp_path, stand_in=True)
    with pytest.raises(BookError, match="row 1: expected the bytes of an image"):
        found[1]
    with pytest.raises(BookError, match="can be decoded"):
        found[2]
