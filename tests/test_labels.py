"""Label spaces and prompts against timm, open_clip, imagenet-x and the published class map."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers import labels
from helpers.errors import BookError, InputsUnavailable
from helpers.labels.installed import package_file
from helpers.labels.spaces import make_label_space

PUG_MAP = (
    "raw.githubusercontent.com/facebookresearch/PUG/2b2f08f8eec1af15027e898a205f455d4bc2e751"
    "/PUG_ImageNet/class_to_imagenet_idx.json"
)


def _timm(name: str) -> list[str]:
    return package_file("timm", f"data/_info/{name}", "pip install timm").read_text().split()


def test_wnids_are_those_of_timm():
    assert list(labels.wnids()) == _timm("imagenet_synsets.txt")


@pytest.mark.parametrize("name", ["imagenet_a", "imagenet_r"])
def test_subsets_are_those_of_timm(name):
    space = labels.label_space(name)
    assert list(space.folders) == _timm(f"{name}_synsets.txt")
    assert [str(i) for i in space.indices] == _timm(f"{name}_indices.txt")
    assert space.n == 200


def test_a_and_r_share_86_classes():
    a, r = labels.label_space("imagenet_a"), labels.label_space("imagenet_r")
    assert len(set(a.indices) & set(r.indices)) == 86


def test_validation_labels_and_real_labels_agree_with_imagenet_x():
    from imagenet_x.utils import get_annotation_path, is_correct_real

    truth, real = labels.validation_labels(), labels.real_labels()
    sample = truth.iloc[::97]
    path = get_annotation_path() / "imagenet_real_labels.jsonl"
    theirs = is_correct_real(sample.index, sample.to_numpy(), path)
    ours = [label in real[name] for name, label in sample.items()]
    assert theirs.tolist() == ours
    assert real.index.equals(truth.index)
    assert 0.8 < np.mean(ours) < 0.95


def test_validation_labels_agree_with_the_imagenet_x_annotations():
    from imagenet_x import load_annotations

    annotated = load_annotations().set_index("file_name")["class"]
    truth = labels.validation_labels()
    assert (truth[annotated.index] == annotated).all()


def test_real_labels_scored_images_and_longest_list():
    lengths = labels.real_labels().str.len()
    assert (lengths > 0).sum() == 46_837
    assert lengths.max() == 9


def test_sixteen_categories():
    space = labels.label_space("sixteen_categories")
    assert (space.n, len(space.indices), len(set(space.indices))) == (16, 207, 207)
    assert list(space.folders) == sorted(space.folders)
    assert len(labels.sixteen_categories()["dog"]) == 109


def test_digests_tell_spaces_apart_by_what_decides_a_prediction():
    digests = {name: labels.label_space(name).digest for name in labels.LABEL_SPACES}
    assert digests["imagenet1k"] == digests["imagenet_v2"]
    assert len(set(digests.values())) == len(digests) - 1
    space = labels.label_space("imagenet_a")
    assert make_label_space("a", space.indices[::-1], space.folders, space.labels).digest != space.digest


def test_v2_folders_read_as_numbers_not_as_strings():
    space = labels.label_space("imagenet_v2")
    mapped = labels.folder_labels(sorted(map(str, range(1000))), space)
    assert all(mapped[str(i)] == (i,) for i in range(1000))


@pytest.mark.parametrize(
    ("space", "folders", "complete"),
    [
        ("imagenet_v2", [f"{i:04d}" for i in range(1000)], True),
        ("imagenet_v2", ["1000"], False),
        ("imagenet1k", ["n00000000"], False),
        ("imagenet1k", ["tench"], False),
        ("imagenet_a", ["n01440764"], False),
    ],
)
def test_folders_that_do_not_map_are_refused(space, folders, complete):
    with pytest.raises(BookError, match="others such as"):
        labels.folder_labels(folders, labels.label_space(space), complete)


def test_a_missing_class_folder_is_named():
    space = labels.label_space("imagenet_r")
    with pytest.raises(BookError, match=space.folders[7]):
        labels.folder_labels(space.folders[:7] + space.folders[8:], space)
    assert len(labels.folder_labels(space.folders[:7], space, complete=False)) == 7


def test_prompts_are_those_of_open_clip():
    open_clip = pytest.importorskip("open_clip", reason="needs the extra `models`")
    assert labels.prompt_names() == tuple(open_clip.IMAGENET_CLASSNAMES)
    names = ["tench", "sunglasses"]
    ours = [template.format(name) for name in names for template in labels.prompt_templates()]
    assert ours == [template(name) for name in names for template in open_clip.OPENAI_IMAGENET_TEMPLATES]


def test_prompt_names_have_two_duplicates():
    names = labels.prompt_names()
    assert (len(names), len(set(names))) == (1000, 998)
    assert names[657] == names[744]
    assert names[836] == names[837]


def test_prompt_digest_depends_on_order_names_and_templates():
    digests = {
        labels.prompt_digest(names, templates)
        for names in (["a", "b"], ["b", "a"], ["ab"])
        for templates in (["{}"], ["{}."])
    }
    assert len(digests) == 6


def test_pug_map_of_the_published_file(mirror):
    path = mirror / PUG_MAP
    positions, space = labels.pug_index_map(path), labels.pug_label_space(path)
    assert space.n == 151
    assert (positions >= 0).sum() == 176
    assert (space.folders[113], space.folders[126]) == ("Shirt", "Sweatshirt")
    assert positions[841] == 126
    assert space.labels[113] == ()
    assert positions[281] == -1


def test_pug_map_refuses_another_file(tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"Goldfish": [1]}))
    with pytest.raises(BookError, match="151 classes"):
        labels.pug_index_map(tmp_path / "map.json")


def test_unknown_label_space():
    with pytest.raises(BookError, match="imagenet1k"):
        labels.label_space("imagenet-1k")


def test_a_missing_package_is_named():
    with pytest.raises(InputsUnavailable, match="no_such_package"):
        package_file("no_such_package", "x", "pip install it")
