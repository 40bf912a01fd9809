"""Contact sheets: many pictures side by side, for pages and for looking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def contact_sheet(images: Sequence[np.ndarray], columns: int = 8, gap: int = 4) -> np.ndarray:
    """Pictures of one size laid out in rows on white: uint8 array (height, width, 3).

    `images`: uint8 arrays (h, w, 3); `gap`: white pixels between them.

    >>> contact_sheet([np.zeros((80, 96, 3), np.uint8)] * 3, columns=2).shape
    (164, 196, 3)
    """
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
