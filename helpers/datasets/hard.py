"""ImageNet-Hard: Parquet files of the hub with image bytes and up to ten acceptable labels."""

from __future__ import annotations

from helpers.datasets.parquet import label_lists, parquet_files, read_parquet
from helpers.datasets.spec import Listing, Request
from helpers.errors import BookError


def read_hard(request: Request) -> Listing:
    """Images in row order with their acceptable ILSVRC indices (padding with -1 dropped) and their `origin`.

    Images keep their mode: the paper's code resizes first and converts to RGB after the crop. Raises BookError for
    rows without a label and for files of two revisions beside each other.
    """
    files = parquet_files(request.paths, "validation")
    if not files:
        raise BookError(
            request.name, "the hub's files data/validation-*.parquet, found none", "fetch imagenet_hard at its revision"
        )
    table, images = read_parquet(files, ["label", "origin"])
    columns = {
        "image_id": [f"{row:05d}" for row in range(len(images))],
        "label": label_lists(table.column("label"), 1000, request.name),
        "group": [None] * len(images),
        "origin": table.column("origin").to_pylist(),
    }
    return Listing(columns, images, f"Parquet ({len(files)} files)", keep_mode=True)
