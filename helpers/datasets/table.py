"""The table of datasets: to add one, add one entry here, its artifacts to the manifest, and a reader if none fits."""

from __future__ import annotations

from helpers.datasets.cue_conflict import read_cue_conflict
from helpers.datasets.demo_tasks import demo_task_specs
from helpers.datasets.drawn import read_drawn, world_fingerprint
from helpers.datasets.folders import read_class_folders, read_corruptions
from helpers.datasets.hard import read_hard
from helpers.datasets.pug import read_pug
from helpers.datasets.shards import read_task, read_unsplit
from helpers.datasets.spec import DatasetSpec
from helpers.datasets.validation import read_validation

DRAWN = "CC BY-SA 4.0 (drawings: OpenMoji)"
TERMS = "ImageNet terms of access: non-commercial research, registration"


def _vtab(
    title: str, task: str, classes: int, train: int, val: int, test: int | tuple[int, int], licence: str,
    *, bins: tuple[int, ...] = (), unit: str | None = None, note: str = "",
) -> DatasetSpec:  # fmt: skip
    accepted = {"train": (train,), "val": (val,), "test": test if isinstance(test, tuple) else (test,)}
    return DatasetSpec(
        f"VTAB {title}", (f"vtab_{task}",), read_task, f"vtab_{task}", accepted, licence,
        classes=classes, vtab_bins=bins, unit=unit, note=note,
    )  # fmt: skip


def _drawn(title: str, n: int, label_space: str = "demo_fine", note: str = "") -> DatasetSpec:
    return DatasetSpec(
        f"{title} (drawn world)", (), read_drawn, label_space, n, DRAWN, classes=64, note=note,
        made_from=world_fingerprint,
    )  # fmt: skip


DATASETS: dict[str, DatasetSpec] = {
    "imagenet1k_val": DatasetSpec(
        "ImageNet-1k validation", ("imagenet1k_val",), read_validation, "imagenet1k", 50_000, TERMS,
        split="validation",
    ),
    "imagenet_x": DatasetSpec(
        "ImageNet-X", ("imagenet1k_val", "imagenet_x"), None, "imagenet1k", 46_110,
        "annotations: CC BY-NC 4.0 by their LICENSE, BSD-3 by the package's metadata",
        note="the annotated validation images without the prototypes",
    ),
    "imagenet_real": DatasetSpec(
        "ImageNet ReaL", ("imagenet1k_val", "imagenet_real"), None, "imagenet1k", 46_837, "labels: Apache-2.0",
        note="3,163 of the 50,000 label lists are empty and not scored",
    ),
    "imagenet_v2_mf": DatasetSpec(
        "ImageNet-V2 matched frequency", ("imagenet_v2_mf",), read_class_folders, "imagenet_v2", 10_000, "MIT",
    ),
    "imagenet_a": DatasetSpec(
        "ImageNet-A", ("imagenet_a",), read_class_folders, "imagenet_a", 7_500, "MIT",
    ),
    "imagenet_r": DatasetSpec(
        "ImageNet-R", ("imagenet_r",), read_class_folders, "imagenet_r", 30_000, "not stated by a file",
    ),
    "imagenet_sketch": DatasetSpec(
        "ImageNet-Sketch", ("imagenet_sketch",), read_class_folders, "imagenet1k", 50_889, "MIT",
    ),
    "imagenet_c": DatasetSpec(
        "ImageNet-C", ("imagenet_c_noise", "imagenet_c_blur", "imagenet_c_weather", "imagenet_c_digital"),
        read_corruptions, "imagenet1k", 75 * 50_000, "CC BY 4.0, as reported for the Zenodo record",
    ),
    "imagenet_hard": DatasetSpec(
        "ImageNet-Hard", ("imagenet_hard",), read_hard, "imagenet1k", 13_925, "MIT", split="validation",
        note="revision 0c67117; later revisions hold fewer images, and the paper's number is unknown",
    ),
    "cue_conflict": DatasetSpec(
        "Cue-conflict", ("cue_conflict",), read_cue_conflict, "sixteen_categories", 1_280, "CC BY 4.0",
        note="1,200 of the 1,280 images have different categories of shape and texture",
    ),
    "pug_imagenet": DatasetSpec(
        "PUG: ImageNet", ("pug_imagenet", "pug_class_map"), read_pug, "pug_imagenet", 88_328,
        "CC BY-NC 4.0, not for training generative models", split="train",
    ),
    "vtab_caltech101": _vtab("Caltech101", "caltech101", 102, 2_754, 306, (6_084, 6_085), "CC BY 4.0"),
    "vtab_cifar100": _vtab("CIFAR-100", "cifar100", 100, 45_000, 5_000, 10_000, "not stated"),
    "vtab_dtd": _vtab("DTD", "dtd", 47, 1_880, 1_880, 1_880, "research purposes"),
    "vtab_flowers": _vtab("Flowers102", "flowers", 102, 1_020, 1_020, 6_149, "not stated"),
    "vtab_pets": _vtab("Oxford-IIIT Pets", "pets", 37, 2_944, 736, 3_669, "CC BY-SA 4.0"),
    "vtab_sun397": _vtab(
        "SUN397", "sun397", 397, 76_128, 10_875, 21_750, "not stated",
        note="the clip-benchmark copy has a test split only, which is the whole set; dpdl-benchmark/sun397 has VTAB's",
    ),
    "sun397_unsplit": DatasetSpec(
        "SUN397 as CLIP_benchmark reads it", ("sun397_unsplit",), read_unsplit, "sun397_unsplit",
        {"train": (108_754,), "test": (108_754,)}, "not stated", classes=397,
        note="training and test images are the same: a probe's accuracy on it is no test accuracy",
    ),
    "vtab_svhn": _vtab("SVHN", "svhn", 10, 65_931, 7_326, 26_032, "non-commercial"),
    "vtab_pcam": _vtab("PatchCamelyon", "pcam", 2, 262_144, 32_768, 32_768, "CC0"),
    "vtab_eurosat": _vtab("EuroSAT", "eurosat", 10, 16_200, 5_400, 5_400, "MIT"),
    "vtab_resisc45": _vtab("RESISC45", "resisc45", 45, 18_900, 6_300, 6_300, "not stated"),
    "vtab_diabetic_retinopathy": _vtab(
        "Diabetic Retinopathy", "diabetic_retinopathy", 5, 35_126, 10_906, 42_670, "Kaggle competition rules",
        note="the official images need a Kaggle account",
    ),
    "vtab_clevr_count_all": _vtab(
        "Clevr count", "clevr_count_all", 8, 63_000, 7_000, 15_000, "CC BY 4.0", unit="scene",
        note="one image a scene; the hub's viewer counts a part of train only",
    ),
    "vtab_clevr_closest_object_distance": _vtab(
        "Clevr distance", "clevr_closest_object_distance", 6, 63_000, 7_000, 15_000, "CC BY 4.0", unit="scene",
        note="the same scenes as in the count task; the hub's viewer counts a part of train only",
    ),
    "vtab_dmlab": _vtab("DMLab", "dmlab", 6, 65_550, 22_628, 22_735, "Apache-2.0"),
    "vtab_kitti_closest_vehicle_distance": _vtab(
        "KITTI distance", "kitti_closest_vehicle_distance", 4, 6_347, 423, 711, "CC BY-NC-SA 3.0",
        unit="video",
        note="VTAB splits by video with build 3.1.0 of the set, CLIP_benchmark with 3.3.0; shards do not say the video",
    ),
    "vtab_dsprites_label_x_position": _vtab(
        "dSprites location", "dsprites_label_x_position", 32, 589_824, 73_728, 73_728, "Apache-2.0",
        bins=tuple(i // 2 for i in range(32)), note="CLIP_benchmark keeps 32 classes; VTAB bins them to 16",
    ),
    "vtab_dsprites_label_orientation": _vtab(
        "dSprites orientation", "dsprites_label_orientation", 40, 589_824, 73_728, 73_728, "Apache-2.0",
        bins=tuple(int(i / 2.5) for i in range(40)),
        note="CLIP_benchmark keeps 40 classes; VTAB bins them to 16, of two or three angles each",
    ),
    "vtab_smallnorb_label_azimuth": _vtab(
        "SmallNORB azimuth", "smallnorb_label_azimuth", 18, 24_300, 12_150, 12_150, "research only"
    ),
    "vtab_smallnorb_label_elevation": _vtab(
        "SmallNORB elevation", "smallnorb_label_elevation", 9, 24_300, 12_150, 12_150, "research only"
    ),
    "demo_val": _drawn("Validation", 2_000, note="every image has exactly one of ImageNet-X's sixteen factors"),
    "demo_r": _drawn("Renditions", 1_000, "demo_r"),
    "demo_v2": _drawn("Fresh draw", 1_000, note="drawn like `demo_val`, of slightly other statistics"),
    "demo_a_convnet": _drawn("Adversarial to a ConvNet", 500, "demo_a", note="what a small ConvNet got wrong"),
    "demo_sketch": _drawn("Sketches", 500, note="outlines in three hands"),
    "demo_c": _drawn("Corruptions", 7_500, note="100 pictures of `demo_val`, 15 corruptions, 5 severities"),
    "demo_hard": _drawn("Hard", 500, note="two or three factors at once; several right answers where several show"),
    "demo_real": DatasetSpec(
        "Second look (drawn world)", (), None, "demo_fine", 1_888, DRAWN, classes=64, made_from=world_fingerprint,
        note="other labels over `demo_val`; pictures in which nothing can be judged have none and are not scored",
    ),
    "demo_cue_conflict": _drawn("Cue-conflict", 1_280, "demo_categories"),
    "demo_pug": _drawn("One factor at a time", 1_080, "demo_pug", note="40 classes over 45 of the 64 fine classes"),
    "demo_sweep": _drawn("Views", 400, note="drawn like the validation set, apart from it"),
    **demo_task_specs(),
}  # fmt: skip
