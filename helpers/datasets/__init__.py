"""Datasets in the layouts their authors ship: one table (`DATASETS`), readers, and (image, label, image_id) samples.

Importing this room imports neither torch nor torchvision.
"""

from helpers.datasets.core import Dataset, Sample, in_memory, stratified
from helpers.datasets.demo_tasks import pictures_of_task, with_own_labels
from helpers.datasets.folders import CORRUPTIONS
from helpers.datasets.opening import address, canonical_id, dataset_spec, open_dataset
from helpers.datasets.overlays import OVERLAYS, PICTURES, imagenet_x_subset, real_relabelled
from helpers.datasets.pug import FACTORS as PUG_FACTORS
from helpers.datasets.spec import DatasetSpec
from helpers.datasets.table import DATASETS
from helpers.datasets.tasks import (
    DIFFERENCES,
    n_classes,
    rules_differ,
    task_space,
    under_rule,
    units,
    validation_part,
)

__all__ = [
    "CORRUPTIONS", "DATASETS", "DIFFERENCES", "OVERLAYS", "PICTURES", "PUG_FACTORS", "Dataset", "DatasetSpec",
    "Sample", "address", "canonical_id", "dataset_spec", "imagenet_x_subset", "in_memory", "n_classes", "open_dataset",
    "pictures_of_task", "real_relabelled", "rules_differ", "stratified", "task_space", "under_rule", "units",
    "validation_part", "with_own_labels",
]  # fmt: skip
