"""PUG: ImageNet by factor folder (the archive), by label table, or by the columns of the hub's Parquet files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from helpers import labels
from helpers.datasets.core import Images
from helpers.datasets.members import files_below, images_only, list_members, side_file
from helpers.datasets.parquet import parquet_files, read_parquet
from helpers.datasets.spec import Listing, Request, refuse_empty
from helpers.errors import BookError, InputsUnavailable

FACTORS = {
    "Worlds": "world_name", "Camera_Pitch": "camera_pitch", "Camera_Yaw": "camera_yaw", "Camera_Roll": "camera_roll",
    "Object_Pitch": "character_rotation_pitch", "Object_Yaw": "character_rotation_yaw",
    "Object_Roll": "character_rotation_roll", "Object_Scale": "character_scale",
    "Object_Texture": "character_texture", "Scene_Light": "scene_light",
}  # fmt: skip
"""The ten factor folders and the column of the label table that varies in each."""

TABLE, CLASS_MAP = "labels_pug_imagenet.csv", "class_to_imagenet_idx.json"
LAYOUT = "<factor>/<class>/<image>"


@dataclass(frozen=True)
class _Found:
    """Ids, rows of the label table (at least character_label) and factors, one an image, in the order of images."""

    ids: list[str]
    facts: pd.DataFrame
    factors: list[str | None]
    images: Images
    layout: str


def read_pug(request: Request) -> Listing:
    """PUG images; group is the factor, further columns are class_name, asset, background and level of the factor.

    The factor is the folder where there are factor folders, else the one column of the label table that departs
    from its most frequent value (the set varies one factor at a time): none means Worlds, several leave it open
    (null). Labels follow the paper's rule: index 841 counts for Sweatshirt, so Shirt has none. Raises BookError
    for classes that the class map does not have.
    """
    files = parquet_files(request.paths, "train")
    found = _from_parquet(files) if files else _from_files(request)
    space = labels.pug_label_space(_class_map(request))
    spelled = {name.casefold(): name for name in space.folders}
    names = [spelled.get(name.casefold(), name) for name in found.facts["character_label"].astype(str)]
    right = labels.folder_labels(sorted(set(names)), space, request.complete)
    order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
    columns = {
        "image_id": found.ids, "label": [list(right[name]) for name in names], "group": found.factors,
        "class_name": names, "asset": _column(found.facts, "character_name"),
        "background": _column(found.facts, "world_name"), "level": _levels(found),
    }  # fmt: skip
    ordered = {name: [values[i] for i in order] for name, values in columns.items()}
    return Listing(ordered, found.images.take(order), found.layout)


def varied_factor(facts: pd.DataFrame) -> list[str | None]:
    """The factor that each row of a label table varies: the only column that is not at its most frequent value.

    >>> table = pd.DataFrame({column: ["0"] * 4 for column in FACTORS.values()})
    >>> table.loc[1, "camera_yaw"] = "90"
    >>> table.loc[2, ["camera_yaw", "scene_light"]] = "90"
    >>> varied_factor(table)
    ['Worlds', 'Camera_Yaw', None, 'Worlds']
    """
    names = [name for name in FACTORS if name != "Worlds"]
    columns = facts[[FACTORS[name] for name in names]].astype(str)
    departs = (columns != columns.mode().iloc[0]).to_numpy()
    counts, first = departs.sum(axis=1).tolist(), departs.argmax(axis=1).tolist()
    return [
        None if count > 1 else names[i] if count else "Worlds" for count, i in zip(counts, first, strict=True)
    ]  # fmt: skip


def _from_parquet(files: list[Path]) -> _Found:
    table, images = read_parquet(files, ["character_name", "character_label", *FACTORS.values()])
    facts = table.to_pandas()
    ids = [f"{row:05d}" for row in range(len(facts))]
    return _Found(ids, facts, varied_factor(facts), images, "label table in Parquet")


def _from_files(request: Request) -> _Found:
    everything = list_members(request.paths, request.scratch)
    images = images_only(everything)
    refuse_empty(request, len(images), LAYOUT)
    paths = [PurePosixPath(name) for name in images.names.to_pylist()]
    by_folder = all(len(path.parts) > 2 and path.parts[-3] in FACTORS for path in paths)
    beside = [file.read_bytes() for path in request.paths for file in files_below(path, (TABLE,))]
    text = beside[0] if beside else side_file(everything, TABLE)
    if text is not None:
        facts = _joined(request, paths, pd.read_csv(io.BytesIO(text)))
    elif by_folder:
        facts = pd.DataFrame({"character_label": [path.parts[-2] for path in paths]})
    else:
        raise BookError(
            request.name, f"{LAYOUT} with the ten factors, or {TABLE} beside the images; found {str(paths[0])!r}",
            "use the published archive or the hub's copy",
        )  # fmt: skip
    if not by_folder:
        return _Found([str(path) for path in paths], facts, varied_factor(facts), images, TABLE)
    _check_folders(request, paths, facts["character_label"])
    layout = "factor folders" if text is None else f"factor folders and {TABLE}"
    return _Found(["/".join(path.parts[-3:]) for path in paths], facts, [p.parts[-3] for p in paths], images, layout)


def _joined(request: Request, paths: list[PurePosixPath], table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the label table in the order of the images, joined by the last parts of the path."""
    if absent := sorted({"filename", "character_label", *FACTORS.values()} - set(table.columns)):
        raise BookError(TABLE, f"the column {absent[0]!r}, found {', '.join(table.columns)}", "use the published table")
    parts = [PurePosixPath(str(name)).parts for name in table["filename"]]
    depth = min(len(each) for each in [*parts, *(path.parts for path in paths)])
    index = {each[-depth:]: i for i, each in enumerate(parts)}
    if len(index) < len(table):
        raise BookError(TABLE, "each image once, found one twice", "use the published table")
    keys = [path.parts[-depth:] for path in paths]
    if lost := next((path for path, key in zip(paths, keys, strict=True) if key not in index), None):
        raise BookError(f"{request.name}: {lost}", f"a row of {TABLE}, found none", "use both from one archive")
    return table.iloc[[index[key] for key in keys]].reset_index(drop=True)


def _check_folders(request: Request, paths: list[PurePosixPath], classes: pd.Series) -> None:
    for path, name in zip(paths, classes, strict=True):
        if path.parts[-2].casefold() != str(name).casefold():
            raise BookError(
                f"{request.name}: {path}", f"the class {name!r} of the label table, found another folder",
                "class folders are permuted: use the published archive",
            )  # fmt: skip


def _column(facts: pd.DataFrame, name: str) -> list[str | None]:
    return facts[name].astype(str).tolist() if name in facts else [None] * len(facts)


def _levels(found: _Found) -> list[str | None]:
    values = {factor: _column(found.facts, column) for factor, column in FACTORS.items()}
    return [values[factor][i] if factor else None for i, factor in enumerate(found.factors)]


def _class_map(request: Request) -> Path:
    beside = [file for path in request.paths for file in files_below(path, (CLASS_MAP,))]
    if request.class_map is None and not beside:
        raise InputsUnavailable(
            CLASS_MAP, "the class map of PUG: ImageNet beside the images, found none", "fetch it and give its path"
        )
    return Path(request.class_map or beside[0])
