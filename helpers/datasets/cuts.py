"""Splits of official archives: as their authors list them where VTAB does so too, else cut by a seeded rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

COARSE = {
    "trainval": ("train", "val"), "valtest": ("val", "test"), "all": ("train", "val", "test"), "remaining": ("test",),
}  # fmt: skip
"""A part of an official archive that VTAB cuts further (or has chosen at random), and into what."""


def cut(parts: Sequence[str], sizes: Mapping[str, Sequence[int]], seed: int = 0) -> np.ndarray:
    """The split of each image, from the part in which the authors have it: `train`, `val`, `test` or one of COARSE.

    VTAB cuts these parts in the record order of TensorFlow Datasets, which an archive does not tell: here a seeded
    permutation of the images in canonical order is cut in the proportions of `sizes` (VTAB's counts by split), so the
    members of such a split are other ones than VTAB's.

    >>> cut(["all"] * 5 + ["test"], {"train": (6,), "val": (2,), "test": (2,)}).tolist()
    ['val', 'test', 'train', 'train', 'train', 'test']
    """
    found = np.array(parts, dtype=object)
    for coarse, fine in COARSE.items():
        places = np.flatnonzero(np.array(parts, dtype=object) == coarse)
        if not len(places):
            continue
        shares = np.cumsum([sizes[name][0] for name in fine]) / sum(sizes[name][0] for name in fine)
        order = places[np.random.default_rng(seed).permutation(len(places))]
        for name, piece in zip(fine, np.split(order, np.rint(shares[:-1] * len(order)).astype(int)), strict=True):
            found[piece] = name
    return found


def few_of_each(classes: Sequence[int], k: int, seed: int = 0) -> np.ndarray:
    """Whether each image is one of the `k` images of its class that are drawn for training (of fewer than 2k: half).

    >>> few_of_each([0, 0, 0, 0, 1, 1], 30).sum() == 3
    np.True_
    """
    classes, chosen = np.asarray(classes), np.zeros(len(classes), bool)
    rng = np.random.default_rng(seed)
    for each in np.unique(classes):
        places = np.flatnonzero(classes == each)
        chosen[rng.permutation(places)[: min(k, len(places) // 2)]] = True
    return chosen


def units_of(unit: str | None, image_ids: Sequence[str]) -> list[str | None]:
    """What is resampled together, by image: the video (the folder in an id, None where it has none), or the image.

    >>> units_of("video", ["drive_0001/000003.png", "s0000000"]), units_of("scene", ["CLEVR_val_000000.png"])
    (['drive_0001', None], ['CLEVR_val_000000.png'])
    """
    return [i.rpartition("/")[0] or None for i in image_ids] if unit == "video" else list(image_ids)


def of_video(videos: Sequence[str]) -> np.ndarray:
    """VTAB's split of each KITTI image, from its video: a tenth of the videos for `test`, a tenth for `val`.

    The videos are drawn as TensorFlow Datasets draws them, by numpy's old generator with seed 123, so that the
    members are VTAB's. Source: the builder `kitti` of TensorFlow Datasets.

    >>> of_video(["a", "b", "c"]).tolist()
    ['test', 'train', 'val']
    """
    names, rng = sorted(set(videos)), np.random.RandomState(123)
    tenth = max(1, len(names) // 10)
    test = rng.choice(names, tenth, replace=False).tolist()
    val = rng.choice(sorted(set(names) - set(test)), tenth, replace=False).tolist()
    return np.array(["test" if video in test else "val" if video in val else "train" for video in videos])
