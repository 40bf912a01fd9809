"""Pictures of the drawn world."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from helpers.demo.world import contact_sheet, demo_set
from helpers.plots.style import figure

SHEETS = {"val": "Validation set", "cue_conflict": "Cue-conflict set", "pug": "Scenes of one asset"}


def sheet(name: str, number: int, columns: int = 6, ax: Axes | None = None) -> Axes:
    """The first `number` pictures of a drawn set, in rows of `columns`."""
    items = demo_set(name)
    picture = contact_sheet([items.pixels(index) for index in range(number)], columns)
    height = 7.0 * picture.shape[0] / picture.shape[1] + 0.4
    ax = figure(7.0, height)[1] if ax is None else ax
    ax.imshow(np.asarray(picture), interpolation="lanczos")
    ax.set_axis_off()
    ax.set_title(f"{SHEETS.get(name, name)}: the first {number} drawings (demo: drawn world)", fontsize=10.5)
    return ax
