"""What data sets, tasks and factors are called on the pages."""

from __future__ import annotations

from helpers.demo.tasks import TASKS as DEMO_TASKS
from helpers.paper.names import title_of

TASKS = {
    "vtab_caltech101": "Caltech101", "vtab_cifar100": "CIFAR-100", "vtab_dtd": "DTD", "vtab_flowers": "Flowers102",
    "vtab_pets": "Pets", "vtab_sun397": "SUN397", "vtab_svhn": "SVHN", "vtab_pcam": "Camelyon",
    "vtab_eurosat": "EuroSAT", "vtab_resisc45": "Resisc45", "vtab_diabetic_retinopathy": "Retinopathy",
    "vtab_clevr_count_all": "CLEVR count", "vtab_clevr_closest_object_distance": "CLEVR distance",
    "vtab_dmlab": "DMLab", "vtab_dsprites_label_x_position": "dSprites location",
    "vtab_dsprites_label_orientation": "dSprites orientation", "vtab_kitti_closest_vehicle_distance": "KITTI distance",
    "vtab_smallnorb_label_azimuth": "smallNORB azimuth", "vtab_smallnorb_label_elevation": "smallNORB elevation",
    "vtab": "average of 19",
}  # fmt: skip
FACTORS = {
    "worlds": "background world", "cam_pitch": "camera pitch", "cam_yaw": "camera yaw", "cam_roll": "camera roll",
    "obj_pitch": "object pitch", "obj_yaw": "object yaw", "obj_roll": "object roll", "obj_scale": "object scale",
    "obj_texture": "object texture", "scene_light": "scene light", "mean_of_10": "average of 10",
}  # fmt: skip
DRAWN_SETS = {
    "val": "validation", "v2": "V2", "a": "A", "r": "R", "sketch": "Sketch", "c": "C", "hard": "Hard", "real": "ReaL",
    "a_convnet": "A (a ConvNet's errors)", "a_vit": "A (a ViT's errors)",
}  # fmt: skip
AVERAGES = {
    "demo_vtab": "average of all", "shifted_sets": "average of 7",
    "shifted_sets_without_real": "average of 6, without ReaL",
}  # fmt: skip
DRAWN = "demo_"
DEMO = {f"demo_task_{name}": task.title.lower() for name, task in DEMO_TASKS.items()}


def name_of(dataset: str) -> str:
    """What a data set or task is called in a table or a figure.

    >>> name_of("vtab_pcam"), name_of("imagenet_a"), name_of("shifted_sets"), name_of("demo_v2")
    ('Camelyon', 'ImageNet-A', 'average of 7', 'V2, drawn')
    """
    if found := TASKS.get(dataset) or DEMO.get(dataset) or AVERAGES.get(dataset):
        return found
    drawn, short = dataset.startswith(DRAWN), dataset.removeprefix(DRAWN)
    if drawn and short in DRAWN_SETS:
        return f"{DRAWN_SETS[short]}, drawn"
    return AVERAGES.get(short) or title_of(short)


def names_of(datasets) -> dict[str, str]:
    """{data set: what it is called}.

    >>> names_of(["vtab_dtd"])
    {'vtab_dtd': 'DTD'}
    """
    return {dataset: name_of(dataset) for dataset in datasets}
