"""VTAB's tasks as their authors ship them: archives, or the folders that torchvision unpacks them into."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from helpers.datasets.arrays import ARRAYS
from helpers.datasets.core import Images, Pixels
from helpers.datasets.cuts import COARSE, cut
from helpers.datasets.members import Members, images_only, list_members
from helpers.datasets.official_files import READERS, Archive
from helpers.datasets.spec import Listing, Request, refuse_empty
from helpers.errors import BookError, InputsUnavailable


def read_official(request: Request) -> Listing:
    """A VTAB task from its official archive or torchvision's folder; `own_cut` where members are not VTAB's.

    Raises BookError for classes that do not map and images that a list names but that are not there,
    InputsUnavailable for a task that is read from the hub's copy only, and for a validation split without images.
    """
    task = request.spec.label_space
    if task in ARRAYS:
        return _from_arrays(request)
    if task not in READERS:
        raise InputsUnavailable(
            request.name, f"shards {request.split}/0.tar ... with nshards.txt, found none",
            f"fetch {request.spec.artifacts[0]}: the official files of this task are not read",
        )  # fmt: skip
    archive = Archive(request, _everything(request))
    try:
        rows = sorted(READERS[task](archive), key=lambda row: row.image_id)
    except (ValueError, KeyError, IndexError, TypeError, OSError, zlib.error) as error:
        raise BookError(
            request.name, f"lists as the authors ship them, found others ({type(error).__name__}: {error})",
            "fetch the official files again",
        ) from None  # fmt: skip
    splits = cut([row.part for row in rows], request.spec.n)
    kept = [row for row, split in zip(rows, splits, strict=True) if split == request.split]
    images = archive.everything.take([row.position for row in kept])
    ids, labels, parts = ([getattr(row, name) for row in kept] for name in ("image_id", "label", "part"))
    return _listing(request, ids, labels, parts, images, ", ".join(sorted(set(archive.everything.forms))))


def _from_arrays(request: Request) -> Listing:
    found = ARRAYS[request.spec.label_space](request)
    kept = np.flatnonzero(cut(found.parts, request.spec.n) == request.split)
    ids, parts = ([values[i] for i in kept] for values in (found.ids, found.parts))
    return _listing(request, ids, found.labels[kept].tolist(), parts, Pixels(found.pixels[kept]), "arrays")


def _listing(
    request: Request, ids: list[str], labels: list[int], parts: list[str], images: Images, forms: str
) -> Listing:
    if request.split == "val" and not ids:  # of a stand-in with few images: its training images are there all the same
        raise InputsUnavailable(request.name, "a validation split, found no image in it", "use the whole set")
    refuse_empty(request, len(ids), "official files")
    wrong = next((i for i, label in enumerate(labels) if not 0 <= label < request.spec.classes), None)
    if wrong is not None:
        raise BookError(
            f"{request.name}: {ids[wrong]}", f"a class from 0 to {request.spec.classes - 1}, found {labels[wrong]}",
            "use the official files",
        )  # fmt: skip
    columns = {"image_id": ids, "label": [[label] for label in labels], "group": [None] * len(ids)}
    own = any(part in COARSE for part in parts)
    rule = ", split by this book's rule, not into VTAB's members" if own else ""
    return Listing(columns, images, f"official files ({forms}){rule}", official_names=False, own_cut=own)


def _everything(request: Request) -> Members:
    found = list_members(request.paths, request.scratch)
    packed = [i for i, name in enumerate(found.names.to_pylist()) if name.endswith("101_ObjectCategories.tar.gz")]
    if not packed or len(images_only(found)):
        return found
    # Caltech's zip holds a compressed tar, which cannot be read at random inside it.
    root = Path(found.roots[found.root[packed[0]]])
    inner = (request.scratch or (root if root.is_dir() else root.parent)) / "101_ObjectCategories.tar.gz"
    if not inner.is_file() or inner.stat().st_size != found.length[packed[0]]:
        inner.parent.mkdir(parents=True, exist_ok=True)
        inner.write_bytes(found.read(packed[0]))
    return list_members([inner], request.scratch)
