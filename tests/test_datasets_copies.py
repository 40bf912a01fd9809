"""Webdataset copies of the ImageNet sets: found where the official files are not, read in place, resumed by shard."""

from __future__ import annotations

import pytest
from fixtures_layouts import small_image, write_shards

from helpers import datasets, labels, paths
from helpers.datasets import open_dataset
from helpers.datasets.members import Members
from helpers.errors import InputsUnavailable
from helpers.manifest import load_manifest
from helpers.predict import sources

COPIES = {"imagenet_v2_mf": 1000, "imagenet_a": 200, "imagenet_r": 200, "imagenet_sketch": 1000, "imagenet1k_val": 1000}


def copy_of(folder, classes, n_names=0):
    write_shards(folder, "test", [(small_image(i, "WEBP"), c) for i, c in enumerate(classes)], 2)
    if n_names:
        (folder / "classnames.txt").write_text("".join(f"class {i}\n" for i in range(n_names)))
    (folder / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\nart of a {c}.\n")
    return folder


@pytest.mark.parametrize(("dataset_id", "n"), COPIES.items())
def test_a_copy_counts_classes_in_the_order_of_the_datasets_folders(tmp_path, dataset_id, n):
    classes = [0, 2, 10, n - 1, 1]
    found = open_dataset(dataset_id, copy_of(tmp_path, classes, n), stand_in=True)
    space = labels.label_space(datasets.DATASETS[dataset_id].label_space)
    assert [sample.label for sample in found] == [list(space.labels[c]) for c in classes]
    assert [sample.label[0] for sample in found] == [space.indices[c] for c in classes]
    assert not found.official_names
    assert found.layout == "webdataset shards (test, 3)"
    assert (len(found.class_names), found.templates[1]) == (n, "art of a {c}.")
    if dataset_id == "imagenet1k_val":
        with pytest.raises(Exception, match="joins on the official file names"):
            datasets.real_relabelled(found.frame().assign(pred=0))


def hub_place(mirror, artifact_id):
    hub = load_manifest()[artifact_id].hub
    return mirror / f"huggingface.co/datasets/{hub.repo_id}/resolve/{hub.revision or 'main'}"


@pytest.mark.parametrize("dataset_id", ["imagenet_r", "vtab_pets/train"])
def test_a_copy_is_taken_where_the_official_file_is_not_to_be_had(tmp_path, monkeypatch, dataset_id):
    monkeypatch.setenv("BOOK_MIRROR", str(tmp_path))
    (tmp_path / "huggingface.co").mkdir()
    with pytest.raises(InputsUnavailable, match=dataset_id.split("/")[0]):
        sources.open_source(dataset_id)
    artifact = "imagenet_r_wds" if dataset_id == "imagenet_r" else "vtab_pets"
    place = copy_of(hub_place(tmp_path, artifact), [3, 1, 2], 200 if dataset_id == "imagenet_r" else 37)
    write_shards(place, "train", [(small_image(7, "WEBP"), 5)] * 3, 2)
    found = sources.open_source(dataset_id, max_images=3, progress=False)
    assert list(found.facts["artifacts"]) == [artifact]
    assert found.dataset.n == 3
    assert found.space.n == (200 if dataset_id == "imagenet_r" else 37)
    assert {path.suffix for path in (paths.data_dir() / artifact).rglob("*") if path.is_file()} <= {
        ".tar", ".txt", ".json", "",
    }  # fmt: skip
    assert sources.hashes(dataset_id) == found.facts["artifacts"]


def test_every_copy_is_in_the_manifest_and_holds_the_same_number():
    manifest = load_manifest()
    for dataset_id, others in sources.OTHER_COPIES.items():
        first = manifest[datasets.DATASETS[dataset_id].artifacts[0]]
        for other in others:
            assert dataset_id in manifest[other].see or first.id in manifest[other].see
            assert manifest[other].n in (first.n, None) or dataset_id.startswith("vtab_")  # an archive has all splits
            assert set(first.sections) <= set(manifest[other].sections)


def test_a_run_over_shards_goes_on_at_the_shard_where_it_stopped(tmp_path, monkeypatch):
    pytest.importorskip("timm", reason="needs the extra `models`")
    from predict_tools import tiny_paper

    from helpers import predict
    from helpers.predict import Network, Settings

    tiny_paper(monkeypatch)
    data = open_dataset("imagenet_a", copy_of(tmp_path, range(8)), stand_in=True)
    settings = Settings(device="cpu", threads=1, batch_size=2, shard_rows=2, progress=False)
    read, real = [], Members.read

    def counted(self, position):
        read.append(self.where(position).split("/")[-1])
        if len(read) == 5:
            raise KeyboardInterrupt
        return real(self, position)

    monkeypatch.setattr(Members, "read", counted)
    with pytest.raises(KeyboardInterrupt):
        predict.run(Network("vit_sup", seed=1), data, ("paper.eval",), settings)
    assert read[:4] == [f"{i // 2}.tar::s{i:07d}.webp" for i in range(4)]
    monkeypatch.setattr(
        Members, "read", lambda self, at: (read.append(self.where(at).split("/")[-1]), real(self, at))[1]
    )
    read.clear()
    report = predict.run(Network("vit_sup", seed=1), data, ("paper.eval",), settings)
    assert (report.computed, report.reused) == (len(read), 8 - len(read))
    assert {name.split("::")[0] for name in read} <= {"1.tar", "2.tar", "3.tar"}  # nothing of the finished shard
    assert sorted(each.name for each in (tmp_path / "test").iterdir()) == [
        "0.tar",
        "1.tar",
        "2.tar",
        "3.tar",
        "nshards.txt",
    ]


def test_a_copy_that_is_named_comes_before_the_first_and_is_stored_apart(tmp_path):
    from fixtures_layouts import write_folder
    from fixtures_official import dtd

    local = {"dtd_official": write_folder(tmp_path / "dtd", dtd())}
    found = sources.open_source("vtab_dtd/train", local=local, progress=False)
    assert list(found.facts["artifacts"]) == ["dtd_official"]
    assert (found.dataset.n, found.space.n) == (47, 47)
    assert sources.stored_name("vit_sup", "vtab_dtd/train", local=local) == "vtab_dtd/train@local"
    assert sources.stored_name("vit_sup", "vtab_dtd/train") == "vtab_dtd/train"


@pytest.mark.parametrize(("task", "groups"), [
    ("vtab_clevr_count_all", ["s0000000", "s0000001"]), ("vtab_kitti_closest_vehicle_distance", [None, None]),
    ("vtab_pets", [None, None]),
])  # fmt: skip
def test_what_is_resampled_is_the_group_where_a_copy_says_it(tmp_path, task, groups):
    assert [sample.group for sample in open_dataset(task, copy_of(tmp_path, [1, 0]), stand_in=True)] == groups
