"""Datasets whose images lie in class folders: ImageNet-A, -R, -Sketch, -V2 and -C."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers import labels
from helpers.datasets.members import Members, images_only, list_members
from helpers.datasets.shards import has_shards, read_shards
from helpers.datasets.spec import Listing, Request, refuse_empty, space_of
from helpers.errors import BookError

CORRUPTIONS = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur",
    "snow", "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip
"""The 15 corruptions of ImageNet-C that count, in the order of its authors."""

EXTRA_CORRUPTIONS = ("speckle_noise", "spatter", "gaussian_blur", "saturate")
"""The four of `extra.tar`, which neither the paper nor mCE uses: left out where they are found."""


def found_images(request: Request, layout: str) -> Members:
    """Every image below the paths of a request. Raises BookError where there is none."""
    members = images_only(list_members(request.paths, request.scratch))
    refuse_empty(request, len(members), layout)
    return members


def tails(request: Request, members: Members, depth: int, layout: str) -> list[tuple[str, ...]]:
    """The last `depth` parts of each member's path; all that lies before must be one folder per root.

    Raises BookError for images at another depth and for two copies beside each other.
    """
    prefixes: dict[int, tuple[str, ...]] = {}
    found = []
    for root, name in zip(members.root.tolist(), members.names.to_pylist(), strict=True):
        parts = tuple(part for part in name.split("/") if part != ".")
        prefix = prefixes.setdefault(root, parts[:-depth])
        if len(parts) < depth or parts[:-depth] != prefix:
            raise BookError(
                request.name, f"every image as {layout} in one place, found {name!r} elsewhere",
                "point at the folder or archive of this dataset alone",
            )  # fmt: skip
        found.append(parts[-depth:])
    return found


def read_class_folders(request: Request) -> Listing:
    """`<class folder>/<image>` below one folder or in a tar or zip, or webdataset shards.

    The class is what the folder's name says (for ImageNet-V2 the integer that it is), never its position in a
    sorted list. Raises BookError for folders that are no class of the dataset.
    """
    if has_shards(request):
        return read_shards(request)
    space = space_of(request)
    layout = f"<class folder like {space.folders[0]!r}>/<image>"
    members = found_images(request, layout)
    pairs = tails(request, members, 2, layout)
    known = labels.folder_labels(sorted({folder for folder, _ in pairs}), space, request.complete)
    position = {folder: i for i, folder in enumerate(space.folders)}
    order = sorted(range(len(pairs)), key=lambda i: (position[pairs[i][0]], pairs[i][1]))
    columns = {
        "image_id": ["/".join(pairs[i]) for i in order],
        "label": [list(known[pairs[i][0]]) for i in order],
        "group": [None] * len(order),
    }
    return Listing(columns, members.take(order), f"class folders ({_forms(members)})")


def read_corruptions(request: Request) -> Listing:
    """ImageNet-C: `<corruption>/<severity>/<wnid>/<image>` in folders or in its tars; group is corruption:severity.

    The column `source` names the validation image, which is the unit of resampling. Where the file name is an
    official one its label must be that of the folder. Raises BookError for anything that does not map, and where
    there is nothing but the four corruptions that are left out.
    """
    layout = "<corruption>/<severity 1-5>/<wnid>/<image>"
    members = found_images(request, layout)
    rows = tails(request, members, 4, layout)
    kept = [i for i, row in enumerate(rows) if row[0] not in EXTRA_CORRUPTIONS]
    refuse_empty(request, len(kept), f"{layout} of the 15 corruptions (the four of extra.tar are not used)")
    _check_conditions(request, {rows[i][:2] for i in kept})
    wnid_labels = labels.folder_labels(sorted({rows[i][2] for i in kept}), space_of(request), request.complete)
    _cross_check(request, {rows[i][2:] for i in kept}, wnid_labels)
    rank = {name: i for i, name in enumerate(CORRUPTIONS)}
    order = sorted(kept, key=lambda i: (rank[rows[i][0]], *rows[i][1:]))
    columns = {
        "image_id": ["/".join(rows[i]) for i in order],
        "label": [list(wnid_labels[rows[i][2]]) for i in order],
        "group": [f"{rows[i][0]}:{rows[i][1]}" for i in order],
        "source": ["/".join(rows[i][2:]) for i in order],
    }
    return Listing(columns, members.take(np.array(order)), f"corruption folders ({_forms(members)})")


def _check_conditions(request: Request, found: set[tuple[str, str]]) -> None:
    wanted = {(name, str(severity)) for name in CORRUPTIONS for severity in range(1, 6)}
    odd, missing = sorted(found - wanted), sorted(wanted - found)
    if odd:
        raise BookError(
            request.name, f"15 corruptions at severities 1 to 5, found {'/'.join(odd[0])!r}", "use the official tars"
        )
    if missing and request.complete:
        raise BookError(
            request.name, f"15 corruptions at 5 severities, found {len(found)} of 75 (no {'/'.join(missing[0])})",
            "give all four tars: noise, blur, weather, digital",
        )  # fmt: skip


def _cross_check(request: Request, sources: Sequence[tuple[str, str]], known: dict[str, tuple[int, ...]]) -> None:
    official = labels.validation_labels().to_dict()
    for wnid, file_name in sources:
        if official.get(file_name, known[wnid][0]) != known[wnid][0]:
            raise BookError(
                request.name, f"{file_name} in the folder {labels.wnids()[official[file_name]]}, found it in {wnid}",
                "the class folders are permuted: use the official archive",
            )  # fmt: skip


def _forms(members: Members) -> str:
    return ", ".join(sorted(set(members.forms)))
