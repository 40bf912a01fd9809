"""What the `imagenet-x` package ships about ImageNet-1k: classes, validation labels, ReaL labels."""

from __future__ import annotations

import hashlib
import json

import pandas as pd

from helpers.errors import BookError
from helpers.labels.installed import package_file

INSTALL = "pip install imagenet-x==0.0.7"
VALIDATION_IMAGES = 50_000
REAL_SHA256 = "d83e9bff374c631aae8439eb064c7019acc56e1b3bc3f56b8380c2a710b0220b"


def _annotation(name: str):
    return package_file("imagenet_x", f"annotations/{name}", INSTALL)


def _classes() -> list[tuple[str, str]]:
    lines = _annotation("imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
    classes = [tuple(line.split(",", 1)) for line in lines if line]
    ids = [wnid for wnid, _ in classes]
    if len(ids) != 1000 or ids != sorted(set(ids)):
        raise BookError("imagenet_labels.txt", f"1000 sorted wnids, found {len(ids)}", INSTALL)
    return classes


def wnids() -> tuple[str, ...]:
    """The 1000 WordNet ids of ILSVRC2012 in index order, which is their sorted order (source: imagenet-x).

    >>> wnids()[0], wnids()[404], len(wnids())
    ('n01440764', 'n02690373', 1000)
    """
    return tuple(wnid for wnid, _ in _classes())


def class_names() -> tuple[str, ...]:
    """The 1000 class names in index order, as imagenet-x spells them (not the prompts' names).

    >>> class_names()[0], class_names()[404]
    ('tench', 'airliner')
    """
    return tuple(name for _, name in _classes())


def validation_labels() -> pd.Series:
    """ILSVRC index of each of the 50,000 validation images, by official file name, in name order.

    Raises BookError unless every class has 50 images. Source: filename_label.csv of imagenet-x.

    >>> labels = validation_labels()
    >>> int(labels["ILSVRC2012_val_00000293.JPEG"]), len(labels)
    (0, 50000)
    """
    table = pd.read_csv(_annotation("filename_label.csv"), dtype={"file_name": str, "label": "int64"})
    labels = table.set_index("file_name")["label"].sort_index()
    counts = labels.value_counts()
    if not labels.index.is_unique or len(counts) != 1000 or (counts != VALIDATION_IMAGES // 1000).any():
        raise BookError("filename_label.csv", f"50 images for each of 1000 classes, found {len(labels)} rows", INSTALL)
    return labels


def real_labels() -> pd.Series:
    """Lists of acceptable ILSVRC indices by official file name; 3,163 lists are empty (not scored).

    Raises BookError if the file is not the published one. Source: Beyer et al. 2020, shipped by imagenet-x.

    >>> labels = real_labels()
    >>> labels["ILSVRC2012_val_00000002.JPEG"], int((labels.str.len() > 0).sum())
    ([970, 795], 46837)
    """
    data = _annotation("imagenet_real_labels.jsonl").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != REAL_SHA256:
        raise BookError("imagenet_real_labels.jsonl", f"sha256 {REAL_SHA256[:12]}..., found {found[:12]}...", INSTALL)
    names = [f"ILSVRC2012_val_{i + 1:08d}.JPEG" for i in range(VALIDATION_IMAGES)]
    return pd.Series(json.loads(data), index=pd.Index(names, name="file_name"), name="labels", dtype=object)
