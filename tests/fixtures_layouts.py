"""Small archives in the layouts that the datasets' authors ship."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from fixtures_images import encoded, photograph_part

from helpers import labels

PUG_COLUMNS = (
    "world_name", "character_name", "character_label", "character_rotation_yaw", "character_rotation_roll",
    "character_rotation_pitch", "character_scale", "camera_roll", "camera_pitch", "camera_yaw", "character_texture",
    "scene_light",
)  # fmt: skip


def small_image(seed: int, form: str = "JPEG") -> bytes:
    """A small part of a real photograph, another one for each seed."""
    return encoded(photograph_part(24 + seed % 7, 20, seed), form)


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    """A tar of these members (mode "w:gz" and so on compresses it)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return path


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    """The members as plain files below a folder."""
    for name, data in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return path


FORMS = {
    "folder": lambda base, files: write_folder(base / "unpacked", files),
    "tar": lambda base, files: write_tar(base / "set.tar", files),
    "tar.gz": lambda base, files: write_tar(base / "set.tar.gz", files, "w:gz"),
    "zip": lambda base, files: write_zip(base / "set.zip", files),
    "zip stored": lambda base, files: write_zip(base / "set.zip", files, zipfile.ZIP_STORED),
}


def write_shards(folder: Path, split: str, samples: list[tuple[bytes, int]], per_shard: int) -> Path:
    """Webdataset shards as clip-benchmark writes them: `s%07d.webp` + `.cls`, `{0..N-1}.tar`, `nshards.txt`."""
    shards = [samples[i : i + per_shard] for i in range(0, len(samples), per_shard)]
    key = 0
    for number, shard in enumerate(shards):
        files = {}
        for image, label in shard:
            files[f"s{key:07d}.cls"], files[f"s{key:07d}.webp"] = str(label).encode(), image
            key += 1
        write_tar(folder / split / f"{number}.tar", files)
    (folder / split / "nshards.txt").write_text(f"{len(shards)}\n")
    return folder


def write_parquet(path: Path, images: list[bytes], columns: dict[str, list], names: list[str] | None = None) -> Path:
    """A Parquet file as the hub keeps images: a struct column `image` of bytes and path, small row groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"bytes": data, "path": name} for data, name in zip(images, names or [None] * len(images), strict=True)]
    image_type = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(cells, image_type), **{name: pa.array(v) for name, v in columns.items()}})
    pq.write_table(table, path, row_group_size=3)
    return path


def pug_class_map(path: Path) -> Path:
    """A class map with PUG's form and its traps: 151 classes, index 841 shared by Shirt and Sweatshirt."""
    names = {"Goldfish": [1], "Shirt": [841], "Sweatshirt": [841], "Cat": [282, 283, 284, 285]}
    names |= {f"Thing_{i:03d}": [400 + i] for i in range(151 - len(names))}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(names))
    return path


def pug_row(label: str, **changes: object) -> dict[str, object]:
    """One row of PUG's label table at its defaults, with these columns changed."""
    row: dict[str, object] = dict.fromkeys(PUG_COLUMNS, 0)
    row |= {"world_name": "Desert", "character_name": f"{label}_1", "character_label": label, "character_scale": 1.0}
    return row | {"character_texture": "Default", "scene_light": "Default"} | changes


VAL_LABELS = labels.validation_labels()


WNIDS = labels.wnids()


VAL_NAMES = [VAL_LABELS.index[i] for i in (0, 1, 292, 2137, 31415, 49999)]


def val_files(pattern: str = "{name}", names=VAL_NAMES) -> dict[str, bytes]:
    """Validation images by path, last name first, so that an unsorted reader is caught."""
    return {
        pattern.format(name=name, stem=name.removesuffix(".JPEG"), wnid=WNIDS[VAL_LABELS[name]]): small_image(i)
        for i, name in reversed(list(enumerate(names)))
    }


def make(folder):
    folder.mkdir(parents=True)
    return folder
