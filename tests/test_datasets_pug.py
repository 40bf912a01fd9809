"""PUG: ImageNet by factor folder, label table and Parquet: the same facts, and what is refused."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from fixtures_layouts import (
    FORMS,
    PUG_COLUMNS,
    make,
    pug_class_map,
    pug_row,
    small_image,
    write_folder,
    write_parquet,
)

from helpers.datasets import open_dataset
from helpers.errors import BookError, InputsUnavailable


def pug_rows() -> list[dict]:
    """Six images, one factor varied at a time, as the label table and the factor folders both describe them."""
    return [
        pug_row("Shirt", filename="Worlds/Shirt/a.png", world_name="Moon"),
        pug_row("Cat", filename="Worlds/Cat/b.png"),
        pug_row("Cat", filename="Camera_Yaw/Cat/c.png", camera_yaw=45),
        pug_row("Sweatshirt", filename="Object_Scale/Sweatshirt/d.png", character_scale=1.3),
        pug_row("Goldfish", filename="Scene_Light/Goldfish/e.png", scene_light="Night"),
        pug_row("Goldfish", filename="Object_Texture/Goldfish/f.png", character_texture="Wood"),
    ]


def pug_files(rows, prefix="PUG_ImageNet/") -> dict[str, bytes]:
    table = pd.DataFrame(rows)[["filename", *PUG_COLUMNS]].to_csv(index=False).encode()
    images = {f"{prefix}{row['filename']}": small_image(i, "PNG") for i, row in enumerate(rows)}
    return {f"{prefix}labels_pug_imagenet.csv": table, **images}


@pytest.mark.parametrize("form", ["folder", "tar.gz"])
def test_pug_by_folders_by_table_and_by_parquet_agree(tmp_path, form):
    rows, class_map = pug_rows(), pug_class_map(tmp_path / "map" / "class_to_imagenet_idx.json")
    files = pug_files(rows)
    folders_only = {name: data for name, data in files.items() if not name.endswith(".csv")}
    flat = [row | {"filename": f"{i}.png"} for i, row in enumerate(rows)]
    images = [files[f"PUG_ImageNet/{row['filename']}"] for row in rows]
    columns = {name: [row[name] for row in rows] for name in PUG_COLUMNS}
    write_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet", images, columns)
    found = {
        "both": FORMS[form](make(tmp_path / "both"), files),
        "folders": FORMS[form](make(tmp_path / "folders"), folders_only),
        "table": FORMS[form](make(tmp_path / "table"), pug_files(flat)),
        "parquet": tmp_path / "hub",
    }
    opened = {name: open_dataset("pug_imagenet", p, stand_in=True, class_map=class_map) for name, p in found.items()}
    layouts = {name: each.layout for name, each in opened.items()}
    assert layouts["both"] == "factor folders and labels_pug_imagenet.csv"
    assert layouts["folders"] == "factor folders"
    assert layouts["table"] == "labels_pug_imagenet.csv"
    assert layouts["parquet"] == "label table in Parquet"
    facts = {
        name: sorted((row.group, row.class_name, tuple(row.label)) for row in each.frame().itertuples())
        for name, each in opened.items()
    }
    assert facts["both"] == facts["folders"] == facts["table"] == facts["parquet"]
    frame = opened["parquet"].frame()
    assert frame["group"].tolist()[:4] == ["Worlds", "Worlds", "Camera_Yaw", "Object_Scale"]
    assert frame["level"].tolist()[:4] == ["Moon", "Desert", "45", "1.3"]
    assert frame["asset"][0] == "Shirt_1"
    assert opened["folders"].frame()["asset"].isna().all()
    bytes_of = {name: sorted(each.images.read(i) for i in range(6)) for name, each in opened.items()}
    assert bytes_of["table"] == bytes_of["parquet"] == bytes_of["both"] == sorted(images)


def test_shirt_can_never_be_right_and_unmapped_is_no_class(tmp_path):
    class_map = pug_class_map(tmp_path / "class_to_imagenet_idx.json")
    found = open_dataset("pug_imagenet", write_folder(tmp_path, pug_files(pug_rows())), stand_in=True)
    by_class = found.frame().drop_duplicates("class_name").set_index("class_name")["label"]
    assert by_class["Shirt"] == []
    assert by_class["Sweatshirt"] == [841]
    assert by_class["Cat"] == [282, 283, 284, 285]
    assert class_map.is_file()  # found beside the images


def test_the_published_class_map_opens(mirror, tmp_path):
    (published,) = mirror.glob(
        "raw.githubusercontent.com/facebookresearch/PUG/*/PUG_ImageNet/class_to_imagenet_idx.json"
    )
    names = sorted(json.loads(published.read_text()))
    files = {f"Worlds/{name}/x.png": small_image(0, "PNG") for name in names}
    found = open_dataset("pug_imagenet", write_folder(tmp_path, files), stand_in=True, class_map=published)
    assert found.n == 151
    assert [row for row in found.frame()["label"] if not row] == [[]]
    # Case alone may differ; a class of another name may not.
    other = {"Worlds/GoldFish/x.png": small_image(0, "PNG")}
    again = open_dataset("pug_imagenet", write_folder(tmp_path / "b", other), stand_in=True, class_map=published)
    assert again.frame()["class_name"].tolist() == ["Goldfish"]


@pytest.mark.parametrize(("files", "message"), [
    ({"Worlds/Unicorn/x.png": b""}, "Unicorn"),
    ({"Rain/Cat/x.png": b""}, "ten factors"),
    ({"Cat/x.png": b""}, "ten factors"),
    (pug_files([pug_row("Cat", filename="Worlds/Goldfish/x.png")]), "permuted"),
    (pug_files(pug_rows()) | {"PUG_ImageNet/Worlds/Cat/new.png": b""}, "a row of labels_pug_imagenet.csv"),
])  # fmt: skip
def test_pug_that_does_not_map_is_refused(tmp_path, files, message):
    class_map = pug_class_map(tmp_path / "map" / "class_to_imagenet_idx.json")
    with pytest.raises(BookError, match=message):
        open_dataset("pug_imagenet", write_folder(tmp_path / "set", files), stand_in=True, class_map=class_map)


def test_pug_without_its_class_map_is_unavailable(tmp_path):
    with pytest.raises(InputsUnavailable, match="class map"):
        open_dataset("pug_imagenet", write_folder(tmp_path, pug_files(pug_rows())), stand_in=True)
