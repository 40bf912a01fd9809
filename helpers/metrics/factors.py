"""ImageNet-X: which of 16 factors stands out in each validation image (Idrissi et al. 2022)."""

from __future__ import annotations

import pandas as pd

from helpers.errors import BookError
from helpers.labels.installed import package_file

# Images per factor among the 46,110 that are left without the prototypes; in the order of the paper's figure.
FACTORS = {
    "pose": 15064, "background": 14751, "pattern": 5972, "color": 6150, "smaller": 1450, "shape": 679,
    "partial_view": 638, "subcategory": 585, "texture": 282, "larger": 150, "darker": 122, "object_blocking": 78,
    "person_blocking": 60, "style": 43, "brighter": 44, "multiple_objects": 40,
}  # fmt: skip
N_IMAGES = 46_110
NO_FACTOR = "none"
INSTALL = "pip install imagenet-x==0.0.7"


def imagenet_x_factors() -> pd.Series:
    """The top factor of each of the 46,110 annotated validation images, by file name; "none" for two of them.

    Prototypes are left out, as imagenet-x does. Reads 17 MB of the installed package (about 0.1 s) without
    importing it. Raises InputsUnavailable without the package, BookError for another version of its table.

    >>> factors = imagenet_x_factors()
    >>> len(factors), int((factors == "style").sum())
    (46110, 43)
    """
    from pyarrow import json

    path = package_file("imagenet_x", "annotations/imagenet_x_val_top_factor.jsonl", INSTALL)
    prototypes = package_file("imagenet_x", "annotations/prototypical_paths.csv", INSTALL)
    table = json.read_json(path).select(["file_name", *FACTORS]).to_pandas().set_index("file_name")
    table = table[~table.index.isin(pd.read_csv(prototypes)["file_name"])]
    found = table.idxmax(axis=1).where(table.any(axis=1), NO_FACTOR)
    if len(found) != N_IMAGES or table.sum().to_dict() != FACTORS:
        raise BookError(path.name, f"{N_IMAGES} images with one factor each, found {len(found)}", INSTALL)
    return found.rename("factor").astype(str)
