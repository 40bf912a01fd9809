"""The paper's four models, its sections, and how its data sets are called here."""

from __future__ import annotations

from helpers.models import MODELS

CONVNEXT_SUP, VIT_SUP, CONVNEXT_CLIP, VIT_CLIP = "convnext_sup", "vit_sup", "convnext_clip", "vit_clip"
PAPER_MODELS = (CONVNEXT_SUP, VIT_SUP, CONVNEXT_CLIP, VIT_CLIP)
SUPERVISED, CLIP = (CONVNEXT_SUP, VIT_SUP), (CONVNEXT_CLIP, VIT_CLIP)
SAME_PARADIGM = ((CONVNEXT_SUP, VIT_SUP), (CONVNEXT_CLIP, VIT_CLIP))  # (ConvNeXt, ViT)
SAME_ARCHITECTURE = ((CONVNEXT_SUP, CONVNEXT_CLIP), (VIT_SUP, VIT_CLIP))  # (supervised, CLIP)

SECTIONS = {
    "01_models": "Models", "02_mistakes": "Model mistakes", "03_shape_texture": "Shape or texture",
    "04_calibration": "Calibration", "05_robustness": "Robustness", "06_transferability": "Transferability",
    "07_synthetic": "Synthetic data", "08_invariance": "Transformation invariance",
    "09_similarity": "Representation similarity", "10_synthesis": "Conclusions",
}  # fmt: skip

SHIFTED = (
    "imagenet_v2_mf", "imagenet_a", "imagenet_c", "imagenet_hard", "imagenet_r", "imagenet_sketch", "imagenet_real",
)  # fmt: skip
SHIFTED_MEAN, TRANSFER_MEAN = "shifted_sets", "vtab"  # "data sets" of the two averages over several sets
VTAB = (
    "vtab_caltech101", "vtab_cifar100", "vtab_dtd", "vtab_flowers", "vtab_pets", "vtab_sun397", "vtab_svhn",
    "vtab_pcam", "vtab_eurosat", "vtab_resisc45", "vtab_diabetic_retinopathy", "vtab_clevr_count_all",
    "vtab_clevr_closest_object_distance", "vtab_dmlab", "vtab_dsprites_label_x_position",
    "vtab_dsprites_label_orientation", "vtab_kitti_closest_vehicle_distance", "vtab_smallnorb_label_azimuth",
    "vtab_smallnorb_label_elevation",
)  # fmt: skip
# Test images that two sets share: their errors do not average out like those of separate images.
SHARED_IMAGES = (
    ("imagenet_c", "imagenet_real"),
    ("vtab_clevr_count_all", "vtab_clevr_closest_object_distance"),
    ("vtab_dsprites_label_x_position", "vtab_dsprites_label_orientation"),
    ("vtab_smallnorb_label_azimuth", "vtab_smallnorb_label_elevation"),
)
FACTORS = (
    "color", "darker", "brighter", "larger", "smaller", "object_blocking", "person_blocking", "partial_view", "pose",
    "shape", "subcategory", "texture", "pattern", "style", "background", "multiple_objects",
)  # fmt: skip
PUG_FACTORS = (
    "worlds", "cam_pitch", "cam_yaw", "cam_roll", "obj_pitch", "obj_yaw", "obj_roll", "obj_scale", "obj_texture",
    "scene_light",
)  # fmt: skip

_ROLES = {
    "imagenet1k_val": "val", "imagenet_v2_mf": "v2", "imagenet_a": "a", "imagenet_r": "r", "imagenet_sketch": "sketch",
    "imagenet_c": "c", "imagenet_hard": "hard", "imagenet_real": "real", "imagenet_x": "x", "pug_imagenet": "pug",
    "a_convnet": "a",  # the drawn set is named after the network whose errors it holds
}  # fmt: skip
_TITLES = {
    "imagenet1k_val": "ImageNet", "imagenet_v2_mf": "ImageNet-V2", "imagenet_a": "ImageNet-A",
    "imagenet_r": "ImageNet-R", "imagenet_sketch": "ImageNet-Sketch", "imagenet_c": "ImageNet-C",
    "imagenet_hard": "ImageNet-Hard", "imagenet_real": "ImageNet ReaL", "imagenet_x": "ImageNet-X",
    "pug_imagenet": "PUG", "cue_conflict": "cue-conflict", SHIFTED_MEAN: "the shifted sets",
    TRANSFER_MEAN: "the transfer tasks",
}  # fmt: skip


def role_of(dataset: str | None) -> str | None:
    """The role that a data set plays: "val" for `imagenet1k_val` and for `demo_val`; its own id where it has none.

    >>> role_of("imagenet1k_val"), role_of("demo_val"), role_of("demo_a_convnet"), role_of("vtab_dtd")
    ('val', 'val', 'a', 'vtab_dtd')
    """
    if dataset is None:
        return None
    found = _ROLES.get(dataset, dataset).removeprefix("demo_")
    return _ROLES.get(found, found)


def group_of(dataset: str | None, group: str | None) -> str:
    """The group of a row by the paper's names: "overall" where there is none, PUG's folder names as in its figure.

    >>> group_of("pug_imagenet", "Camera_Pitch"), group_of("imagenet_r", None)
    ('cam_pitch', 'overall')
    """
    if role_of(dataset) != "pug" or group is None:
        return group or "overall"
    return group.lower().replace("camera_", "cam_").replace("object_", "obj_")


def title_of(dataset: str) -> str:
    """What a data set is called in a sentence.

    >>> title_of("imagenet_r"), title_of("vtab_dtd")
    ('ImageNet-R', 'vtab_dtd')
    """
    return _TITLES.get(dataset, dataset)


def label_of(model: str) -> str:
    """What a model is called in a sentence; its key where it is in no table.

    >>> label_of("vit_clip"), label_of("some network")
    ('ViT-CLIP', 'some network')
    """
    return MODELS[model].label if model in MODELS else model
