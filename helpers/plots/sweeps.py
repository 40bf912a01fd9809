"""Figures of sections 7 and 8: accuracy along the levels of a factor, three sweeps, and what they do to a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from PIL import Image, ImageDraw

from helpers import views
from helpers.plots.differences import along
from helpers.plots.general import dots, shared_legend, sweep
from helpers.plots.style import figure, label, line, mark
from helpers.rows import select
from helpers.views import Preprocessing

MOST_NAMED = 8  # levels whose names are written below a panel
AXES = {
    "accuracy": "accuracy (%)", "probability": "probability of the true class",
    "consistency": "share of unchanged answers",
}  # fmt: skip


TRANSFORMS = ("scale", "shift", "resolution")


def factors(
    rows: pd.DataFrame, models: Sequence[str], order: Sequence[str], names: Mapping[str, str], reference: float,
    title: str,
) -> Axes:  # fmt: skip
    """Accuracy of every model on each factor of `order` that the rows have, with the wider of its intervals."""
    mine = select(rows, metric="accuracy")
    width = (mine.ci_high - mine.ci_low).rename("width")
    mine = mine.assign(width=width).sort_values("width", kind="stable").drop_duplicates(["model", "group"], keep="last")
    shown = [name for name in order if name in set(mine.group)]
    ax = figure(6.2, 0.47 * len(shown) + 1.6)[1]
    dots(mine, models, shown, "group", dict(names), "top-1 accuracy (%)", reference, ax).set_title(title)
    shared_legend(ax, 2)
    return ax


def levels(
    rows: pd.DataFrame, models: Sequence[str], order: Sequence[str], names: Mapping[str, str], title: str
) -> np.ndarray:
    """One panel per factor of `order` that has levels: accuracy at each level, with its interval. Returns the axes.

    Levels ("factor:level" in column group) stand in the order of the rows, from left to right; those of a factor with
    more than eight words are sorted by mean accuracy and not named.
    """
    parts = select(rows, metric="accuracy", model=list(models))
    parts = parts[parts.group.str.contains(":", regex=False, na=False)]
    parts = parts.assign(factor=parts.group.str.split(":").str[0], level=parts.group.str.split(":").str[1])
    found = [name for name in order if name in set(parts.factor)]
    rows_of_panels = -(-max(len(found), 1) // 2)
    _, axes = figure(7.2, 2.35 * rows_of_panels + 0.7, columns=2, rows=rows_of_panels, squeeze=False)
    flat = axes.ravel()
    for ax in flat[len(found) :]:
        ax.set_axis_off()
    for ax, factor in zip(flat, found, strict=False):
        _levels_of(parts[parts.factor == factor], models, ax)
        ax.set_title(names.get(factor, factor), fontsize=11)
        ax.set_ylim(-4, 104)
    for row in axes:
        row[0].set_ylabel("accuracy (%)")
    axes[0, 0].figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    shared_legend(flat[: max(len(found), 1)], 2)
    return axes


def _ordered(levels: Sequence[str]) -> bool:
    """Whether levels are numbers, so that a line between them means something.

    >>> _ordered(["-30", "0", "30"]), _ordered(["snow", "beach"])
    (True, False)
    """
    return all(pd.notna(pd.to_numeric(pd.Series(list(levels)), errors="coerce")))


def _levels_of(part: pd.DataFrame, models: Sequence[str], ax: Axes) -> None:
    found = list(dict.fromkeys(part.level))
    named = len(found) <= MOST_NAMED
    if not named:
        found = part.groupby("level").value.mean().sort_values(ascending=False).index.tolist()
    place = {name: at for at, name in enumerate(found)}
    for step, model in enumerate(models):
        mine = part[part.model == model]
        x = mine.level.map(place).to_numpy(dtype=float)
        at = np.argsort(x)
        x, mine = x[at], mine.iloc[at]
        x = x + (0.07 * (step - (len(models) - 1) / 2) if named else 0)
        look = {**mark(model), "markersize": 5.5 if named else 3}
        joined = {**line(model), "linewidth": 1.1} if _ordered(found) else {"linestyle": "none"}
        ax.vlines(x, mine.ci_low, mine.ci_high, color=look["color"], linewidth=1.3, alpha=0.6)
        ax.plot(x, mine.value, **{**look, **joined}, label=label(model))
    ax.set_xticks(range(len(found)) if named else [], found if named else [])
    if named and sum(map(len, found)) > 22:
        ax.tick_params(axis="x", labelsize=9, rotation=20)
    if not named:
        ax.set_xlabel(f"{len(found)} levels, easiest first", fontsize=9)


def three(rows: pd.DataFrame, models: Sequence[str], metric: str = "accuracy", title: str = "") -> np.ndarray:
    """The three sweeps of one metric below each other; `title` stands behind the transform's name. Returns the axes."""
    _, axes = figure(6.4, 9.5, rows=3)
    for ax, transform in zip(axes, TRANSFORMS, strict=True):
        sweep(rows, models, transform, metric, ax)
        ax.set_title(f"{transform.capitalize()} {title}".strip())
        ax.set_ylabel(AXES.get(metric, metric))
    shared_legend(axes, 2)
    return axes


def three_differences(gaps: pd.DataFrame, title: str = "") -> np.ndarray:
    """Paired differences at each setting of the three sweeps. `gaps`: as `words.invariance.gaps` gives them."""
    _, axes = figure(6.4, 9.5, rows=3)
    for ax, transform in zip(axes, TRANSFORMS, strict=True):
        along(gaps, transform, ax).set_title(f"{transform.capitalize()} {title}".strip())
        ax.set_ylabel("points")
    shared_legend(axes, 1)
    return axes


def strip(picture: Image.Image, preprocessing: Preprocessing, view_ids: Sequence[str]) -> np.ndarray:
    """What the network is shown: the picture under each view, one row a transform. Returns the axes.

    Views are those of `helpers.views`, pixel for pixel; panels are drawn at one size whatever the resolution.
    """
    shown = views.apply_views(picture, [views.make_view(name, preprocessing) for name in view_ids])
    settings = {name: views.sweep_setting(name) for name in view_ids}
    transforms = list(dict.fromkeys(transform for transform, _ in settings.values()))
    rows = [[name for name in view_ids if settings[name][0] == transform] for transform in transforms]
    columns = max(map(len, rows))
    _, axes = figure(7.4, 1.75 * len(rows) + 0.3, columns, len(rows), squeeze=False)
    for ax in axes.ravel():
        ax.set_axis_off()
    for transform, names, line_of in zip(transforms, rows, axes, strict=True):
        for name, ax in zip(names, line_of, strict=False):
            ax.imshow(shown[name].transpose(1, 2, 0), interpolation="nearest")
            ax.set_title(f"{transform} {settings[name][1]:g}", fontsize=9, fontweight="normal", loc="center")
    return axes


def photograph() -> tuple[Image.Image, str]:
    """A picture to show views on, and what it is: scikit-image's cat Chelsea (CC0), or a test card where it is missing.

    >>> photograph()[0].mode
    'RGB'
    """
    try:
        from skimage import data

        return Image.fromarray(data.chelsea()), "the cat Chelsea, 451 × 300 pixels (S. van der Walt, CC0, scikit-image)"
    except ImportError:
        return _card(), "a test card of 451 × 300 pixels"


def drawing() -> Image.Image:
    """A drawing of the drawn world (CC BY-SA 4.0, see its attribution), 96 × 80 pixels."""
    from helpers.demo.world import demo_set

    return Image.fromarray(demo_set("pug").pixels(4 * 27))  # the first image of an asset: upright, in the studio


def _card(width: int = 451, height: int = 300, step: int = 50) -> Image.Image:
    card = Image.new("RGB", (width, height), "#e9ecf1")
    pen = ImageDraw.Draw(card)
    for x in range(0, width, step):
        for y in range(0, height, step):
            if (x + y) // step % 2:
                pen.rectangle((x, y, x + step - 1, y + step - 1), fill="#b7c0cf")
    pen.ellipse((width / 2 - 110, height / 2 - 110, width / 2 + 110, height / 2 + 110), outline="#c2410c", width=9)
    return card
