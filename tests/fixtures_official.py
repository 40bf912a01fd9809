"""Small files in the layouts of VTAB's official archives: one function a task, {member: bytes}."""

from __future__ import annotations

import gzip
import io
import json

import numpy as np
from fixtures_layouts import small_image, write_tar
from scipy.io import savemat

EUROSAT = (
    "AnnualCrop", "Forest", "HerbaceousVegetation", "Highway", "Industrial", "Pasture", "PermanentCrop", "Residential",
    "River", "SeaLake",
)  # fmt: skip


def mat(**values: object) -> bytes:
    """A MATLAB file of version 5."""
    buffer = io.BytesIO()
    savemat(buffer, values, do_compression=True)
    return buffer.getvalue()


def eurosat(each: int = 5) -> dict[str, bytes]:
    return {f"2750/{name}/{name}_{i + 1}.jpg": small_image(i) for name in reversed(EUROSAT) for i in range(each)}


def resisc45(each: int = 5) -> dict[str, bytes]:
    names = [f"scene{i:02d}" for i in range(45)]
    return {f"NWPU-RESISC45/{n}/{n}_{i + 1:03d}.jpg": small_image(i) for n in names for i in range(each)}


def caltech101(each: int = 4) -> dict[str, bytes]:
    """101 categories and the background; `Faces` stands before `accordion` where case counts."""
    names = ["BACKGROUND_Google", "Faces", "Leopards", *(f"thing{i:02d}" for i in range(98)), "accordion"]
    return {f"101_ObjectCategories/{n}/image_{i + 1:04d}.jpg": small_image(i) for n in names for i in range(each)}


def caltech101_zip_members(folder, each: int = 4) -> dict[str, bytes]:
    """What the published zip holds: a compressed tar of the images, and another of annotations."""
    inner = write_tar(folder / "inner.tar.gz", caltech101(each), "w:gz")
    return {"caltech-101/101_ObjectCategories.tar.gz": inner.read_bytes(), "caltech-101/Annotations.tar": b"x" * 600}


def dtd() -> dict[str, bytes]:
    names = [f"texture{i:02d}" for i in range(47)]
    files = {f"dtd/images/{n}/{n}_{i:04d}.jpg": small_image(i) for n in names for i in range(3)}
    for i, part in enumerate(("train", "val", "test")):
        files[f"dtd/labels/{part}1.txt"] = "".join(f"{n}/{n}_{i:04d}.jpg\n" for n in names).encode()
        files[f"dtd/labels/{part}2.txt"] = "".join(f"{n}/{n}_{(i + 1) % 3:04d}.jpg\n" for n in names).encode()
    return files


def flowers() -> dict[str, bytes]:
    """Nine images of the classes 77 to 69; each of train and val has two, test has five."""
    images = {f"jpg/image_{i:05d}.jpg": small_image(i) for i in range(1, 10)}
    labels = mat(labels=np.arange(77, 68, -1, dtype=np.uint8))
    splits = mat(trnid=np.array([3, 1], np.uint16), valid=np.array([2, 9], np.uint16), tstid=np.arange(4, 9))
    return images | {"imagelabels.mat": labels, "setid.mat": splits}


def pets() -> dict[str, bytes]:
    """Breeds are numbered as the authors number them, which is no alphabetical order."""
    trainval = [(f"Abyssinian_{i}", 1) for i in range(5)] + [(f"american_bulldog_{i}", 2) for i in range(5)]
    test = [("Bengal_7", 6), ("yorkshire_terrier_9", 37)]
    files = {f"images/{name}.jpg": small_image(i) for i, (name, _) in enumerate(trainval + test)}
    for part, rows in (("trainval", trainval), ("test", test)):
        files[f"annotations/{part}.txt"] = "".join(f"{name} {label} 1 1\n" for name, label in rows).encode()
    return files | {
        "images/Abyssinian_100.mat": b"no image",
        "annotations/trimaps/Abyssinian_0.png": small_image(0, "PNG"),
    }


def sun397(lists: bool = True) -> dict[str, bytes]:
    names = ["/a/abbey", "/b/basketball_court/indoor", "/b/basketball_court/outdoor"]
    names += [f"/z/zzz{i:03d}" for i in range(394)]
    files = {"SUN397/ClassName.txt": "\n".join(names).encode()}
    images = [f"{name}/sun_{letter}.jpg" for name in names[:3] for letter in "abc"]
    files |= {f"SUN397{path}": small_image(i) for i, path in enumerate(images)}
    for part, letter in (("tr", "a"), ("va", "b"), ("te", "c")) if lists else ():
        files[f"sun397_tfds_{part}.txt"] = "\n".join(p for p in images if p.endswith(f"_{letter}.jpg")).encode()
    return files


def clevr() -> dict[str, bytes]:
    files = {}
    for part, n in (("train", 10), ("val", 3), ("test", 2)):
        names = [f"CLEVR_{part}_{i:06d}.png" for i in range(n)]
        files |= {f"CLEVR_v1.0/images/{part}/{name}": small_image(i, "PNG") for i, name in enumerate(names)}
        scenes = [
            {
                "image_filename": name,
                "objects": [{"pixel_coords": [9, 9, 7.9 + 0.3 * (i + k)]} for k in range(3 + i % 8)],
            }
            for i, name in enumerate(names)
        ]
        if part != "test":
            files[f"CLEVR_v1.0/scenes/CLEVR_{part}_scenes.json"] = json.dumps({"scenes": scenes}).encode()
    return files


KITTI_ROWS = ("Car 0.00 0 -1.5 1 2 3 4 1.5 1.6 3.7 0.5 1.6 {} 1.6", "Pedestrian 0 0 0 1 2 3 4 1 1 1 0 0 2.00 0")


def kitti(n: int = 30, videos: int = 10) -> dict[str, bytes]:
    """Frames in a shuffled order of videos; the distance of a car is its number in metres, every seventh has none."""
    rng = np.random.default_rng(0)
    order = rng.permutation(n) + 1
    mapping = [f"2011_09_26 2011_09_26_drive_{i % videos:04d}_sync {i:010d}" for i in range(n)]
    files = {
        "mapping/train_rand.txt": ",".join(map(str, order)).encode(),
        "mapping/train_mapping.txt": "\n".join(mapping).encode(),
    }
    for i in range(n):
        files[f"training/image_2/{i:06d}.png"] = small_image(i, "PNG")
        lines = [KITTI_ROWS[1]] if i % 7 == 0 else [KITTI_ROWS[0].format(f"{i:.2f}"), KITTI_ROWS[1]]
        files[f"training/label_2/{i:06d}.txt"] = "\n".join(lines).encode()
    return files | {f"testing/image_2/{i:06d}.png": small_image(i, "PNG") for i in range(3)}


def kitti_video(files: dict[str, bytes], number: int) -> str:
    """The video of a frame, looked up in the development kit by hand."""
    line = int(files["mapping/train_rand.txt"].split(b",")[number]) - 1
    return files["mapping/train_mapping.txt"].split(b"\n")[line].split()[1].decode()


def cifar100() -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    """The binary version, and its pixels [n, 32, 32, 3] by file."""
    rng = np.random.default_rng(1)
    files, pixels = {}, {}
    for name, n in (("train", 20), ("test", 6)):
        pixels[name] = rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
        records = [bytes([i % 20, (7 * i) % 100]) + pixels[name][i].transpose(2, 0, 1).tobytes() for i in range(n)]
        files[f"cifar-100-binary/{name}.bin"] = b"".join(records)
    return files, pixels


def svhn() -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    rng = np.random.default_rng(2)
    files, pixels = {}, {}
    for name, n in (("train", 20), ("test", 6)):
        pixels[name] = rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
        digits = (np.arange(n) % 10 + 1).astype(np.uint8)[:, None]
        files[f"{name}_32x32.mat"] = mat(X=pixels[name].transpose(1, 2, 3, 0), y=digits)
    return files, pixels


def norb_bytes(values: np.ndarray) -> bytes:
    magic = 0x1E3D4C55 if values.dtype == np.uint8 else 0x1E3D4C54
    sizes = [*values.shape, *[1] * (3 - values.ndim)]
    return np.array([magic, values.ndim, *sizes], "<i4").tobytes() + values.tobytes()


def smallnorb() -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    """The official names; two cameras; info is instance, elevation, azimuth (even numbers), lighting."""
    rng = np.random.default_rng(3)
    files, pixels = {}, {}
    for name, stem, n in (("training", "5x46789", 12), ("testing", "5x01235", 8)):
        pixels[name] = rng.integers(0, 256, (n, 2, 96, 96), np.uint8)
        info = np.stack([np.full(n, 4), np.arange(n) % 9, 2 * (np.arange(n) % 18), np.arange(n) % 6], axis=1).astype(
            "<i4"
        )
        cat = (np.arange(n) % 5).astype("<i4")
        for kind, values in (("dat", pixels[name]), ("cat", cat), ("info", info)):
            file = f"smallnorb-{stem}x9x18x6x2x96x96-{name}-{kind}.mat.gz"
            files[file] = gzip.compress(norb_bytes(values), 1)
    return files, pixels
