"""Small archives of the shifted sets in the layouts that their authors ship."""

from __future__ import annotations

from pathlib import Path

from fixtures_images import drawn_photograph, encoded
from fixtures_layouts import WNIDS, write_parquet, write_tar, write_zip
from predict_tools import fake_imagenet_r, fake_validation, official_names

from helpers import labels
from helpers.datasets import CORRUPTIONS

TARS = {
    "imagenet_c_noise": CORRUPTIONS[:3], "imagenet_c_blur": CORRUPTIONS[3:7], "imagenet_c_weather": CORRUPTIONS[7:11],
    "imagenet_c_digital": CORRUPTIONS[11:],
}  # fmt: skip


def picture(seed: int, width: int = 60, height: int = 48) -> bytes:
    return encoded(drawn_photograph(width, height, seed))


def corrupted_tars(folder: Path, sources: int = 2) -> dict[str, Path]:
    """The four tars of ImageNet-C: 15 corruptions at 5 severities of the first validation images, 224 x 224."""
    truth = labels.validation_labels()
    made = {}
    for artifact, corruptions in TARS.items():
        files = {
            f"{name}/{severity}/{WNIDS[truth[image]]}/{image}": picture(100 * at + severity, 224, 224)
            for name in corruptions
            for severity in range(1, 6)
            for at, image in enumerate(official_names(sources))
        }
        made[artifact] = write_tar(folder / f"{artifact}.tar", files)
    return made


def shifted_archives(folder: Path, n: int = 24) -> dict[str, Path]:
    """{artifact id: file} for every set of the section that has images of its own."""
    in_a = labels.label_space("imagenet_a").folders[::60]
    hard = {"label": [[3, 5] + [-1] * 8, [7] + [-1] * 9], "origin": ["imagenet_a", "objectnet"]}
    write_parquet(folder / "hard" / "data" / "validation-00000-of-00001.parquet", [picture(8), picture(9)], hard)
    v2, start = "imagenetv2-matched-frequency-format-val", 20
    return {
        "imagenet1k_val": fake_validation(folder / "val.tar", n),
        "imagenet_v2_mf": write_tar(
            folder / "v2.tar.gz", {f"{v2}/{i}/{i}.jpeg": picture(start + i) for i in (0, 2, 10, 100, 999)}, "w:gz"
        ),
        "imagenet_a": write_tar(
            folder / "a.tar", {f"imagenet-a/{name}/0.01_{i}.jpg": picture(40 + i) for i, name in enumerate(in_a)}
        ),
        "imagenet_r": fake_imagenet_r(folder / "r.tar"),
        "imagenet_sketch": write_zip(
            folder / "sketch.zip", {f"sketch/{name}/sketch_{i}.JPEG": picture(i) for i, name in enumerate(WNIDS[::250])}
        ),
        **corrupted_tars(folder),
        "imagenet_hard": folder / "hard",
    }  # fmt: skip
