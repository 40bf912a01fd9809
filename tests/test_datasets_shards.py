"""Webdataset shards of the clip-benchmark layout, and tasks in Parquet."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from fixtures_layouts import (
    make,
    small_image,
    write_parquet,
    write_shards,
    write_tar,
)

from helpers.datasets import open_dataset
from helpers.errors import BookError, InputsUnavailable


def samples(n: int, classes: int = 37) -> list[tuple[bytes, int]]:
    return [(small_image(i, "WEBP"), (i * 7) % classes) for i in range(n)]


def test_shards_equal_the_webdataset_library(tmp_path):
    import webdataset

    given = samples(23)
    write_shards(tmp_path, "test", given, 2)  # 12 shards: "10.tar" sorts before "2.tar" as text
    found = open_dataset("vtab_pets", tmp_path, stand_in=True)
    urls = [str(tmp_path / "test" / f"{i}.tar") for i in range(12)]
    theirs = list(webdataset.WebDataset(urls, shardshuffle=False).decode("pil").to_tuple("__key__", "webp", "cls"))
    assert [sample.image_id for sample in found] == [key for key, _, _ in theirs] == [f"s{i:07d}" for i in range(23)]
    assert [sample.label for sample in found] == [[label] for _, _, label in theirs]
    for sample, (_, image, _) in zip(found, theirs, strict=True):
        assert (np.asarray(sample.image) == np.asarray(image.convert("RGB"))).all()
    parts = found.parts()
    assert [(stop - start) for _, start, stop in parts] == [2] * 11 + [1]
    assert [name for name, _, _ in parts] == urls
    assert [sample.image_id for sample in found.take(range(*parts[3][1:]))] == ["s0000006", "s0000007"]


def test_splits_and_their_counts(tmp_path):
    write_shards(tmp_path, "train", samples(4), 3)
    write_shards(tmp_path, "test", samples(2), 3)
    assert open_dataset("vtab_pets", tmp_path, split="train", stand_in=True).n == 4
    assert open_dataset("vtab_pets", tmp_path, stand_in=True).n == 2
    with pytest.raises(BookError, match="2,944 images, found 4"):
        open_dataset("vtab_pets", tmp_path, split="train")
    with pytest.raises(BookError, match="6,084 or 6,085 images, found 2"):
        open_dataset("vtab_caltech101", tmp_path)
    with pytest.raises(BookError, match="one of train, val, test"):
        open_dataset("vtab_pets", tmp_path, split="validation")
    (tmp_path / "train" / "nshards.txt").unlink()
    with pytest.raises(InputsUnavailable, match=r"'train' with its nshards\.txt, found test"):
        open_dataset("vtab_pets", tmp_path, split="train")


def test_shards_are_refused_when_anything_is_missing_or_renamed(tmp_path):
    def broken(name: str, change) -> str:
        folder = write_shards(tmp_path / name, "test", samples(9), 3)
        change(folder / "test")
        with pytest.raises(BookError) as error:
            open_dataset("vtab_pets", folder, stand_in=True)
        return str(error.value)

    assert "1.tar is missing" in broken("missing", lambda f: (f / "1.tar").unlink())
    assert "2.tar is not one of them" in broken("fewer", lambda f: (f / "nshards.txt").write_text("2"))
    assert "it says ''" in broken("no number", lambda f: (f / "nshards.txt").write_text(""))
    assert "0.tar is missing" in broken("padded", lambda f: (f / "0.tar").rename(f / "00.tar"))
    swapped = broken("swapped", lambda f: ((f / "0.tar").rename(f / "t"), (f / "1.tar").rename(f / "0.tar"),
                                           (f / "t").rename(f / "1.tar")))  # fmt: skip
    assert "the key s0000000, found 's0000003'" in swapped
    image, _ = samples(1)[0]
    files = {"s0000000.webp": image, "s0000000.cls": b"1"}

    def one_shard(files):
        def change(folder):
            for old in folder.glob("*.tar"):
                old.unlink()
            write_tar(folder / "0.tar", files)
            (folder / "nshards.txt").write_text("1")

        return change

    assert "found no .cls" in broken("no label", one_shard(files | {"s0000001.webp": image}))
    assert "found no image" in broken("no image", one_shard(files | {"s0000001.cls": b"1"}))
    assert "found it twice" in broken("twice", one_shard(files | {"s0000000.png": image}))
    assert "number of a class, found 'cat'" in broken("word", one_shard(files | {"s0000000.cls": b"cat"}))
    assert "classes 0 to 36, found 37" in broken("class", one_shard(files | {"s0000000.cls": b"37"}))
    unpadded = {"s0.webp": image, "s0.cls": b"1"}
    assert "the key s0000000, found 's0'" in broken("unpadded", one_shard(unpadded))
    assert "inside its own folder" in broken("outside", one_shard(files | {"../s0000001.webp": image}))
    names = broken("names", lambda f: (f.parent / "classnames.txt").write_text("a\nb\n"))
    assert "37 class names, found 2" in names
    assert "0.tar" in broken("cut", lambda f: (f / "0.tar").write_bytes((f / "0.tar").read_bytes()[:700]))


def test_a_task_in_parquet_by_split(tmp_path):
    for split, n in (("train", 4), ("test", 3)):
        columns = {"label": [(7 * i) % 397 for i in range(n)]}
        write_parquet(
            tmp_path / "data" / f"{split}-00000-of-00001.parquet", [small_image(i) for i in range(n)], columns
        )
    found = open_dataset("vtab_sun397", tmp_path, split="train", stand_in=True)
    assert [sample.label for sample in found] == [[0], [7], [14], [21]]
    assert found.class_names == ()
    assert open_dataset("vtab_sun397", tmp_path, stand_in=True).n == 3
    (part,) = tmp_path.glob("data/test-*")
    part.rename(part.with_name(part.name.replace("test", "validation")))
    assert open_dataset("vtab_sun397/val", tmp_path, stand_in=True).n == 3
    schema = {"info": {"features": {"label": {"names": [f"scene {i}" for i in range(397)]}}}}
    (part,) = tmp_path.glob("data/train-*")
    table = pq.read_table(part).replace_schema_metadata({"huggingface": json.dumps(schema)})
    pq.write_table(table, part)
    assert open_dataset("vtab_sun397/train", tmp_path, stand_in=True).class_names[396] == "scene 396"
    with pytest.raises(InputsUnavailable, match="nshards"):
        open_dataset("vtab_pcam", make(tmp_path / "empty"), stand_in=True)
