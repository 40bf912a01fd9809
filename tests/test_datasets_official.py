"""VTAB's tasks from their official layouts: labels, splits and images, against torchvision where it has the set."""

from __future__ import annotations

import fixtures_official as official
import numpy as np
import pytest
from fixtures_layouts import FORMS, small_image, write_folder, write_tar, write_zip

from helpers import datasets
from helpers.datasets import open_dataset
from helpers.datasets.cuts import of_video
from helpers.errors import BookError, InputsUnavailable

SPLITS = ("train", "val", "test")


def opened(task: str, path, **options) -> dict[str, datasets.Dataset]:
    return {split: open_dataset(f"{task}/{split}", path, stand_in=True, **options) for split in SPLITS}


def labels_of(found: dict[str, datasets.Dataset]) -> dict[str, int]:
    return {row.image_id: row.label[0] for each in found.values() for row in each.frame().itertuples()}


def torchvision_datasets():
    return pytest.importorskip("torchvision.datasets", reason="needs the extra `models`")


def check_splits(found: dict[str, datasets.Dataset], n: int, own: str = "") -> None:
    """Splits share no image and are `n` together; those named in `own` say that their members are not VTAB's."""
    ids = [i for each in found.values() for i in each.frame()["image_id"]]
    assert len(ids) == len(set(ids)) == n
    assert {split for split, each in found.items() if each.own_cut} == set(own.split())
    for each in found.values():
        assert ("not into VTAB's members" in each.layout) == each.own_cut


# Class folders that VTAB cuts


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_eurosat_by_folder(tmp_path, form):
    found = opened("vtab_eurosat", FORMS[form](tmp_path, official.eurosat()))
    check_splits(found, 50, "train val test")
    assert [each.n for each in found.values()] == [30, 10, 10]  # 60, 20 and 20 percent
    names = official.EUROSAT
    assert all(names[label] == image_id.split("/")[0] for image_id, label in labels_of(found).items())
    again = opened("vtab_eurosat", FORMS[form](tmp_path / "again", official.eurosat()))
    assert [each.digest for each in again.values()] == [each.digest for each in found.values()]


def test_resisc45_and_what_would_shift_its_classes(tmp_path):
    files = official.resisc45(2)
    found = opened("vtab_resisc45", write_folder(tmp_path / "whole", files))
    assert all(int(i[5:7]) == label for i, label in labels_of(found).items())
    fewer = {name: data for name, data in files.items() if "scene03" not in name}
    with pytest.raises(BookError, match="45 class folders, found 44"):
        open_dataset("vtab_resisc45", write_folder(tmp_path / "fewer", fewer), stand_in=True)
    swapped = {name.replace("/scene03/", "/x/").replace("/scene04/", "/scene03/").replace("/x/", "/scene04/"): data
               for name, data in files.items()}  # fmt: skip
    with pytest.raises(BookError, match="permuted"):
        open_dataset("vtab_resisc45", write_folder(tmp_path / "swapped", swapped), stand_in=True)
    twice = files | {"copy/" + name: data for name, data in files.items()}
    with pytest.raises(BookError, match="found it twice"):
        open_dataset("vtab_resisc45", write_folder(tmp_path / "twice", twice), stand_in=True)


def test_caltech101_in_the_published_zip_and_in_torchvisions_folder(tmp_path):
    packed = write_zip(tmp_path / "zip" / "caltech-101.zip", official.caltech101_zip_members(tmp_path))
    found = opened("vtab_caltech101", packed, scratch=tmp_path / "scratch")
    folder = write_folder(tmp_path / "caltech101", official.caltech101())
    assert [each.digest for each in opened("vtab_caltech101", folder).values()] == [e.digest for e in found.values()]
    check_splits(found, 102 * 4, "train val test")
    assert found["train"].n + found["val"].n == 102 * 2  # 30 of a class, or half of fewer
    labels = labels_of(found)
    by_class = {image_id.split("/")[0]: label for image_id, label in labels.items()}
    ordered = sorted(by_class, key=str.lower)
    assert ordered[:2] == ["accordion", "BACKGROUND_Google"]
    assert [by_class[name] for name in ordered] == list(range(102))
    assert not list((tmp_path / "zip").glob("*.plain.tar"))


# Lists of the authors


@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_dtd_is_its_first_fold(tmp_path, form):
    path = FORMS[form](tmp_path, official.dtd())
    found = opened("vtab_dtd", path)
    check_splits(found, 141)
    if form == "folder":
        (tmp_path / "unpacked" / "x").mkdir()
        (tmp_path / "unpacked" / "dtd").rename(tmp_path / "unpacked" / "x" / "dtd")
        (tmp_path / "unpacked" / "x").rename(tmp_path / "unpacked" / "dtd")
        for split, each in opened("vtab_dtd", path).items():
            theirs = torchvision_datasets().DTD(path, split)
            expected = {"/".join(f.parts[-2:]): c for f, c in zip(theirs._image_files, theirs._labels, strict=True)}
            assert labels_of({split: each}) == expected
    part = {name: data for name, data in official.dtd().items() if "texture11_0001" not in name}
    with pytest.raises(BookError, match="found 1 missing such as 'texture11/texture11_0001"):
        open_dataset("vtab_dtd", write_folder(tmp_path / "part", part))


def test_flowers_by_number(tmp_path):
    files = official.flowers()
    found = opened("vtab_flowers", write_folder(tmp_path / "flowers-102", files))
    check_splits(found, 9)
    assert labels_of({"train": found["train"]}) == {"image_00001.jpg": 76, "image_00003.jpg": 74}
    assert labels_of({"val": found["val"]}) == {"image_00002.jpg": 75, "image_00009.jpg": 68}
    apart = tmp_path / "apart"  # as it is fetched: an archive with two files beside it
    write_tar(apart / "102flowers.tgz", {n: d for n, d in files.items() if n.startswith("jpg/")}, "w:gz")
    write_folder(apart, {n: d for n, d in files.items() if n.endswith(".mat")})
    again = opened("vtab_flowers", apart, scratch=tmp_path / "scratch")
    assert [each.digest for each in again.values()] == [each.digest for each in found.values()]
    (apart / "setid.mat").write_bytes(files["setid.mat"][:150])
    with pytest.raises(BookError, match="lists as the authors ship them"):
        open_dataset("vtab_flowers", apart, stand_in=True)
    (apart / "setid.mat").unlink()
    with pytest.raises(InputsUnavailable, match=r"setid\.mat"):
        open_dataset("vtab_flowers", apart, stand_in=True)


def test_pets_are_numbered_by_their_authors(tmp_path):
    path = write_folder(tmp_path / "oxford-iiit-pet", official.pets())
    found = opened("vtab_pets", path)
    check_splits(found, 12, "train val")
    assert labels_of({"test": found["test"]}) == {"Bengal_7.jpg": 5, "yorkshire_terrier_9.jpg": 36}
    assert (found["train"].n, found["val"].n) == (8, 2)
    for split, ours in (("trainval", ("train", "val")), ("test", ("test",))):
        theirs = torchvision_datasets().OxfordIIITPet(tmp_path, split)
        expected = {file.name: label for file, label in zip(theirs._images, theirs._labels, strict=True)}
        assert labels_of({name: found[name] for name in ours}) == expected


def test_sun397_by_the_lists_of_tensorflow_datasets_and_without_a_split(tmp_path):
    path = write_folder(tmp_path / "whole", official.sun397())
    found = opened("vtab_sun397", path)
    check_splits(found, 9)
    assert labels_of({"test": found["test"]}) == {
        "a/abbey/sun_c.jpg": 0, "b/basketball_court/indoor/sun_c.jpg": 1, "b/basketball_court/outdoor/sun_c.jpg": 2,
    }  # fmt: skip
    bare = write_folder(tmp_path / "bare", official.sun397(lists=False))
    with pytest.raises(InputsUnavailable, match=r"sun397_tfds_tr\.txt.*tensorflow-datasets"):
        open_dataset("vtab_sun397", bare, stand_in=True)
    theirs = torchvision_datasets().SUN397(bare)
    expected = {
        "/".join(f.parts[len(bare.parts) + 1 :]): c for f, c in zip(theirs._image_files, theirs._labels, strict=True)
    }
    for split in ("train", "test"):
        leaky = open_dataset(f"sun397_unsplit/{split}", bare, stand_in=True)
        assert labels_of({split: leaky}) == expected
    assert not open_dataset("sun397_unsplit", bare, stand_in=True).own_cut
    with pytest.raises(BookError, match="one of train, test"):
        open_dataset("sun397_unsplit/val", bare, stand_in=True)


# Label rules of VTAB


def test_clevr_counts_and_distances(tmp_path):
    files = official.clevr()
    path = write_folder(tmp_path / "clevr", files)
    count, distance = opened("vtab_clevr_count_all", path), opened("vtab_clevr_closest_object_distance", path)
    check_splits(count, 13, "train val")
    assert (count["train"].n, count["val"].n, count["test"].n) == (9, 1, 3)
    assert count["test"].table.column("image_id").to_pylist() == distance["test"].table.column("image_id").to_pylist()
    theirs = torchvision_datasets().CLEVRClassification(tmp_path, "train")
    expected = {f"train/{file.name}": n - 3 for file, n in zip(theirs._image_files, theirs._labels, strict=True)}
    assert labels_of({name: count[name] for name in ("train", "val")}) == expected
    bins = [np.searchsorted([8.0, 8.5, 9.0, 9.5, 10.0], 7.9 + 0.3 * i) for i in range(10)]
    both = labels_of({name: distance[name] for name in ("train", "val")})
    assert [both[f"train/CLEVR_train_{i:06d}.png"] for i in range(10)] == bins


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_kitti_by_video_with_vtabs_distances(tmp_path, form):
    files = official.kitti()
    found = opened("vtab_kitti_closest_vehicle_distance", FORMS[form](tmp_path, files))
    check_splits(found, 30)
    labels = labels_of(found)
    for number in range(30):
        video = official.kitti_video(files, number)
        expected = 3 if number % 7 == 0 else int(number > 8) + int(number > 20)
        assert labels[f"{video}/{number:06d}.png"] == expected
    videos = {s: set(datasets.units(each.dataset_id, each.frame()["image_id"])) for s, each in found.items()}
    assert [len(videos[split]) for split in SPLITS] == [8, 1, 1]
    assert videos == {split: set(each.frame()["group"]) for split, each in found.items()}
    assert not (videos["train"] | videos["val"]) & videos["test"]
    part = datasets.validation_part(found["train"], 0.3)
    units = datasets.units("vtab_kitti_closest_vehicle_distance/train", found["train"].frame()["image_id"])
    assert not set(units[part]) & set(np.delete(units, part))


def test_the_videos_are_drawn_as_tensorflow_datasets_draws_them():
    names = [f"drive_{i:04d}" for i in range(23)]
    state = np.random.get_state()
    np.random.seed(123)
    test = set(np.random.choice(sorted(names), 2, replace=False))
    val = set(np.random.choice(sorted(set(names) - test), 2, replace=False))
    np.random.set_state(state)
    splits = of_video(names)
    assert {n for n, s in zip(names, splits, strict=True) if s == "test"} == test
    assert {n for n, s in zip(names, splits, strict=True) if s == "val"} == val


# Arrays


def test_cifar100_of_the_binary_version(tmp_path):
    files, pixels = official.cifar100()
    found = opened("vtab_cifar100", FORMS["tar.gz"](tmp_path, files))
    check_splits(found, 26, "train val")
    assert [each.n for each in found.values()] == [18, 2, 6]
    for each in found.values():
        for image, (label,), image_id, _ in each:
            name, number = image_id.split("-")
            assert label == (7 * int(number)) % 100
            assert (np.asarray(image) == pixels[name][int(number)]).all()
    cut = {name: data[:-5] for name, data in files.items()}
    with pytest.raises(BookError, match=r"test\.bin: expected records of 3074 bytes"):
        open_dataset(
            "vtab_cifar100", FORMS["folder"](tmp_path / "cut", cut | {"x.png": small_image(0, "PNG")}), stand_in=True
        )


def test_svhn_has_a_zero(tmp_path):
    files, pixels = official.svhn()
    found = opened("vtab_svhn", write_folder(tmp_path / "svhn", files))
    check_splits(found, 26, "train val")
    for image, (label,), image_id, _ in [*found["train"], *found["test"]]:
        name, number = image_id.split("-")
        assert label == (int(number) + 1) % 10
        assert (np.asarray(image) == pixels[name][int(number)]).all()
    (tmp_path / "svhn" / "test_32x32.mat").write_bytes(files["test_32x32.mat"][:500])
    with pytest.raises(BookError, match=r"test_32x32\.mat"):
        open_dataset("vtab_svhn", tmp_path / "svhn", stand_in=True)


def test_smallnorb_first_camera_and_half_of_the_test_set(tmp_path):
    files, pixels = official.smallnorb()
    folder = write_folder(tmp_path / "norb", files)
    azimuth, elevation = (
        opened("vtab_smallnorb_label_azimuth", folder),
        opened("vtab_smallnorb_label_elevation", folder),
    )
    check_splits(azimuth, 20, "val test")
    assert [each.n for each in azimuth.values()] == [12, 4, 4]
    for split in SPLITS:
        for (image, (angle,), image_id, _), (_, (height,), other, _) in zip(
            azimuth[split], elevation[split], strict=True
        ):
            name, number = image_id.split("-")
            assert image_id == other
            assert (angle, height) == (int(number) % 18, int(number) % 9)
            assert (np.asarray(image) == pixels[name][int(number), 0][..., None]).all()
            assert image.mode == "RGB"
    dat = next(folder.glob("*training-dat*"))
    dat.write_bytes(dat.read_bytes()[:-200])
    with pytest.raises(BookError, match="training-dat"):
        open_dataset("vtab_smallnorb_label_azimuth/train", folder, stand_in=True)


def test_tasks_whose_official_files_are_not_read_say_what_to_fetch(tmp_path):
    for task in ("pcam", "dmlab", "diabetic_retinopathy", "dsprites_label_x_position"):
        with pytest.raises(InputsUnavailable, match=f"fetch vtab_{task}"):
            open_dataset(f"vtab_{task}", write_folder(tmp_path / task, {"x.txt": b""}), stand_in=True)


def test_a_stand_in_too_small_for_a_validation_split_says_so(monkeypatch, tmp_path):
    files = official.flowers()
    monkeypatch.setattr("helpers.datasets.official.cut", lambda parts, _: np.array(["train"] * len(parts)))
    with pytest.raises(InputsUnavailable, match="a validation split, found no image in it"):
        open_dataset("vtab_flowers/val", write_folder(tmp_path / "flowers", files), stand_in=True)
