"""The cue-conflict stimuli: `<shape>/<shape><n>-<texture><m>.png`."""

from __future__ import annotations

import re

from helpers import labels
from helpers.datasets.folders import found_images, tails
from helpers.datasets.spec import Listing, Request
from helpers.errors import BookError

_NAME = re.compile(r"([a-z]+)(\d+)-([a-z]+)(\d+)\.png")
LAYOUT = "<shape>/<shape><n>-<texture><m>.png"


def read_cue_conflict(request: Request) -> Listing:
    """Cue-conflict images in a folder or archive; columns shape, texture and their exemplars are added.

    The image id is the file name, by which people's decisions are joined; label holds the ILSVRC indices of the
    shape category. Raises BookError for a name that does not fit its folder or the 16 categories.
    """
    members = found_images(request, LAYOUT)
    pairs = tails(request, members, 2, LAYOUT)
    categories = labels.sixteen_categories()
    for i, (folder, name) in enumerate(pairs):
        found = _NAME.fullmatch(name)
        if not found or found[1] != folder or found[1] not in categories or found[3] not in categories:
            raise BookError(
                members.where(i), f"{LAYOUT} with two of the 16 categories, found another name", "use the published set"
            )
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    names = [_NAME.fullmatch(pairs[i][1]).groups() for i in order]
    columns = {
        "image_id": [pairs[i][1] for i in order],
        "label": [list(categories[shape]) for shape, *_ in names],
        "group": [None] * len(order),
        "shape": [shape for shape, *_ in names],
        "texture": [texture for _, _, texture, _ in names],
        "shape_exemplar": [shape + n for shape, n, _, _ in names],
        "texture_exemplar": [texture + m for *_, texture, m in names],
    }
    return Listing(columns, members.take(order), f"shape folders ({', '.join(sorted(set(members.forms)))})")
