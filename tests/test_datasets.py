"""Class folders, and the dataset as an object: order, digest, selection, workers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from fixtures_layouts import (
    FORMS,
    small_image,
    val_files,
    write_folder,
    write_shards,
    write_tar,
    write_zip,
)

from helpers import datasets, labels
from helpers.datasets import open_dataset
from helpers.errors import BookError

# Class folders


def class_files(folders, prefix="", suffix=".jpg", each=2):
    return {f"{prefix}{folder}/p{i}{suffix}": small_image(i) for folder in reversed(folders) for i in range(each)}


CLASS_SETS = {
    "imagenet_a": ("imagenet-a/", ".jpg", {"n01498041": 6, "n01531178": 11, "n12267677": 988}),
    "imagenet_r": ("imagenet-r/", ".jpg", {"n01443537": 1, "n01484850": 2, "n12267677": 988}),
    "imagenet_sketch": ("sketch/", ".JPEG", {"n01440764": 0, "n01443537": 1, "n15075141": 999}),
    "imagenet_v2_mf": ("imagenetv2-matched-frequency-format-val/", ".jpeg", {"0": 0, "2": 2, "10": 10, "999": 999}),
}


@pytest.mark.parametrize("form", ["folder", "tar", "tar.gz", "zip"])
@pytest.mark.parametrize("dataset_id", CLASS_SETS)
def test_class_folders_map_by_their_names(tmp_path, dataset_id, form):
    prefix, suffix, folders = CLASS_SETS[dataset_id]
    files = class_files(list(folders), prefix, suffix) | {f"{prefix}README.txt": b"read me"}
    found = open_dataset(dataset_id, FORMS[form](tmp_path, files), stand_in=True)
    assert [sample.label[0] for sample in found] == [c for c in folders.values() for _ in range(2)]
    assert found[1].image_id == f"{next(iter(folders))}/p1{suffix}"
    assert found.expected == datasets.DATASETS[dataset_id].n
    if form == "folder":  # the class folders themselves may be the root too
        inside = open_dataset(dataset_id, tmp_path / "unpacked" / prefix, stand_in=True)
        assert inside.digest == found.digest


def test_unpadded_v2_folders_are_integers_not_sorted_text(tmp_path):
    folders = [str(i) for i in range(1000)]
    found = open_dataset("imagenet_v2_mf", write_tar(tmp_path / "v2.tar", class_files(folders, each=1)), stand_in=True)
    assert [label for _, (label,), _, _ in (found[i] for i in (0, 1, 2, 10, 100, 999))] == [0, 1, 2, 10, 100, 999]
    as_text = sorted(folders).index("10")
    assert as_text != 10  # what a reader of sorted folders would have said


@pytest.mark.parametrize(("dataset_id", "folders", "message"), [
    ("imagenet_v2_mf", ["0000", "0001"], "found 2 others such as '0000'"),
    ("imagenet_v2_mf", ["0", "1000"], "'1000'"),
    ("imagenet_v2_mf", ["n01440764"], "'n01440764'"),
    ("imagenet_sketch", ["0", "1"], "'0'"),
    ("imagenet_a", ["n01440764"], "'n01440764'"),  # a class of ImageNet, but none of the 200
    ("imagenet_r", ["stingray"], "'stingray'"),
])  # fmt: skip
def test_folders_that_do_not_map_are_refused(tmp_path, dataset_id, folders, message):
    with pytest.raises(BookError, match=message):
        open_dataset(dataset_id, write_folder(tmp_path, class_files(folders)), stand_in=True)


def test_missing_class_folders_are_refused_in_a_whole_set(tmp_path):
    with pytest.raises(BookError, match="all 200 class folders, found 1"):
        open_dataset("imagenet_a", write_folder(tmp_path, class_files(["n01498041"])))


@pytest.mark.parametrize("files", [
    {"a/n01498041/x.jpg": b"", "b/n01498041/x.jpg": b""},
    {"n01498041/x.jpg": b"", "copy/n01498041/x.jpg": b""},
    {"x.jpg": b""},
])  # fmt: skip
def test_two_copies_or_another_depth_are_refused(tmp_path, files):
    with pytest.raises(BookError, match="in one place"):
        open_dataset("imagenet_a", write_folder(tmp_path, files), stand_in=True)


def test_resource_forks_of_macos_are_no_images(tmp_path):
    files = class_files(["n01440764"], "sketch/", ".JPEG")
    files |= {"__MACOSX/sketch/n01440764/._p0.JPEG": b"fork", "sketch/n01440764/._p0.JPEG": b"fork"}
    assert open_dataset("imagenet_sketch", write_zip(tmp_path / "s.zip", files), stand_in=True).n == 2


def test_clip_benchmark_copies_of_imagenet_sets_count_classes_in_folder_order(tmp_path):
    samples = [(small_image(i, "WEBP"), i) for i in (0, 1, 199)]
    found = open_dataset("imagenet_a", write_shards(tmp_path, "test", samples, 2), stand_in=True)
    assert [sample.label[0] for sample in found] == [6, 11, labels.label_space("imagenet_a").indices[199]]
    assert "webdataset" in found.layout
    bad = write_shards(tmp_path / "bad", "test", [(small_image(0, "WEBP"), 200)], 2)
    with pytest.raises(BookError, match="classes 0 to 199, found 200"):
        open_dataset("imagenet_a", bad, stand_in=True)


# The dataset as an object


def toy(n=12, classes=3):
    pixels = np.arange(n * 48, dtype=np.uint8).reshape(n, 4, 4, 3)
    return datasets.in_memory("toy", pixels, [[i % classes] for i in range(n)], [f"i{i:02d}" for i in range(n)])


def test_indexing_iteration_and_selection():
    data = toy()
    assert len(list(data)) == data.n == 12
    assert data[-1].image_id == "i11"
    with pytest.raises(IndexError):
        data[12]
    part = data.take([5, 2])
    assert [sample.image_id for sample in part] == ["i05", "i02"]
    assert (np.asarray(part[0].image) == data.images.array[5]).all()
    assert data.frame()["label"].tolist()[:4] == [[0], [1], [2], [0]]
    changed = data.images.array.copy()
    changed[3, 0, 0, 0] += 1
    other = datasets.in_memory("toy", changed, [[i % 3] for i in range(12)], [f"i{i:02d}" for i in range(12)])
    assert other.digest != data.digest == toy().digest


def test_datasets_go_through_pickle_and_worker_processes(tmp_path):
    from torch.utils.data import DataLoader

    path = write_tar(tmp_path / "val.tar", val_files())
    found = open_dataset("imagenet1k_val", path, stand_in=True)
    again = pickle.loads(pickle.dumps(found))
    assert again.digest == found.digest
    alone = [(sample.image_id, sample.image.tobytes()) for sample in found]
    shared = DataLoader(again, batch_size=2, num_workers=2, collate_fn=list)
    assert [(sample.image_id, sample.image.tobytes()) for batch in shared for sample in batch] == alone


def test_stratified_is_balanced_seeded_nested_and_in_order():
    data = toy(300, 3)
    part = datasets.stratified(data, 31, seed=1)
    counts = np.bincount([label for _, (label,), _, _ in part])
    assert part.n == 31
    assert sorted(counts) == [10, 10, 11]
    ids = [sample.image_id for sample in part]
    assert ids == sorted(ids, key=[f"i{i:02d}" for i in range(300)].index)
    assert ids == [sample.image_id for sample in datasets.stratified(data, 31, seed=1)]
    assert ids != [sample.image_id for sample in datasets.stratified(data, 31, seed=2)]
    assert set(ids) < {sample.image_id for sample in datasets.stratified(data, 90, seed=1)}
    with pytest.raises(BookError, match="at least 1"):
        datasets.stratified(data, 0, seed=1)


def test_every_entry_of_the_table_is_whole():
    for dataset_id, spec in datasets.DATASETS.items():
        counts = [spec.n] if isinstance(spec.n, int) else [n for accepted in spec.n.values() for n in accepted]
        assert all(n > 0 for n in counts), dataset_id
        assert bool(spec.artifacts) != bool(spec.made_from), "files, or a hash of what the set is drawn from"
        assert spec.licence
        assert (spec.reader is None) == (dataset_id in datasets.OVERLAYS)
        if not dataset_id.startswith(("vtab_", "pug_", "sun397_", "demo_task_")):
            assert labels.label_space(spec.label_space).n
    assert sum(key.startswith("vtab_") for key in datasets.DATASETS) == 19


def test_every_artifact_of_the_table_is_in_the_manifest():
    from helpers.manifest import load_manifest

    known = load_manifest()
    for dataset_id, spec in datasets.DATASETS.items():
        assert not set(spec.artifacts) - set(known), dataset_id
