"""Sections 7 and 8 in words and figures: they say what the rows say, in the right order, and nothing without rows."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import plots, views, words
from helpers.models import MODEL_SETS
from helpers.rows import empty_rows, rows_frame

FOUR = MODEL_SETS["paper"]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def row(model, metric, value, group="overall", view="paper.eval", half=1.0, unit="percent", **rest):
    return {
        "model": model, "dataset": "pug_imagenet", "view": view, "metric": metric, "group": group, "value": value,
        "ci_low": value - half, "ci_high": value + half, "n": 100, "unit": unit, "resampled": "asset", **rest,
    }  # fmt: skip


def pug_rows() -> pd.DataFrame:
    rows = []
    for at, model in enumerate(FOUR):
        rows += [
            row(model, "accuracy", 50 - 5 * at, group) for group in ("Worlds", "Camera_Yaw", "mean_of_2", "overall")
        ]
        rows += [row(model, "accuracy", 50 - 5 * at, "Worlds", half=9, resampled="asset x background")]
        rows += [row(model, "accuracy", 60 - 10 * i, f"Camera_Yaw:{level}") for i, level in enumerate(("-45", "90"))]
    gap = {"unit": "points", "model": "vit_sup - convnext_sup", "metric": "accuracy", "value": -5.0}
    rows += [row(**gap, group=group) for group in ("Worlds", "Camera_Yaw", "mean_of_2")]
    rows += [row(**gap, group="Worlds", half=9, resampled="asset x background")]
    return rows_frame(rows)


def sweep_rows() -> pd.DataFrame:
    rows = []
    for at, model in enumerate(FOUR):
        for view, value in (
            ("paper.shift-0", 80),
            ("paper.shift-30", 70 - at),
            ("paper.scale-1", 80),
            ("paper.scale-3", 40),
        ):
            rows += [
                row(model, "accuracy", value, view=view),
                row(model, "consistency", value / 100, view=view, half=0.01, unit="fraction"),
            ]
        rows += [
            row(model, "largest_drop", 10 + at, "shift", unit="points"),
            row(model, "largest_drop", 40, "scale", unit="points"),
        ]
    rows += [row("vit_sup - convnext_sup", "largest_drop", 1.5, "shift", unit="points")]
    rows += [row("vit_sup - convnext_sup", "accuracy", -1.0, view="paper.shift-30", half=2.0, unit="points")]
    return rows_frame(rows)


def test_a_factor_counts_as_clear_by_its_wider_interval():
    said = words.synthetic.found(words.synthetic.by_factor(pug_rows()), FOUR)
    assert "ConvNeXt-sup 50.0 % [49.0, 51.0]" in said
    assert "ConvNeXt-sup minus ViT-sup: +5.0 points [+4.0, +6.0] on average" in said
    # Worlds has a second interval that includes zero; camera yaw has one that does not.
    assert "of 2 factors 1 with ConvNeXt-sup clearly ahead, 0 with ViT-sup, 1 within noise" in said
    assert "after Holm's correction 1 and 0 are clear" in said
    assert "new assets" in said


def test_nothing_is_said_without_rows():
    assert (
        words.synthetic.found(empty_rows(), FOUR) == words.invariance.found(empty_rows(), FOUR) == "**Found.** Not run."
    )
    assert words.synthetic.both_rules(empty_rows(), FOUR).eq("not run").all(axis=None)
    said = words.absent.of_real("08_invariance", "released", 0, ("complete", None), {"paper": None})
    assert said.startswith("**Not run here.** Needed: ImageNet-1k")
    assert "--profile paper --only 08" in said


def test_the_layout_is_told_from_what_was_stored():
    ids = ["Worlds/Cat/a.png", "Camera_Yaw/Cat/b.png"]
    frame = pd.DataFrame({"image_id": ids, "group": ["Worlds", "Camera_Yaw"], "level": ["Moon", "45"]})
    assert words.synthetic.layout({"m": frame}, frame) == (
        "Layout found: ten factor folders. Assets and levels are named."
    )
    flat = frame.assign(image_id=["00001", "00002"], group=["Worlds", None])
    said = words.synthetic.layout({"m": flat}, flat)
    assert "without factor folders" in said
    assert "1 images depart in several columns" in said


def test_losses_are_compared_first_minus_second():
    said = words.invariance.found(sweep_rows(), FOUR)
    assert "- scale: ConvNeXt-sup 40.0 [39.0, 41.0]" in said
    assert "Loss of ConvNeXt-sup minus loss of ViT-sup: shift -1.5 points [-2.5, -0.5]. 1 of 1 exclude zero, 1 " in said
    kept = words.invariance.kept(sweep_rows(), FOUR)
    assert list(kept.columns) == ["scale 3", "shift 30"]
    assert kept.loc["ViT-sup", "shift 30"].startswith("0.690")
    gaps = words.invariance.gaps(sweep_rows(), FOUR)
    assert gaps[["model", "setting", "value"]].values.tolist() == [["convnext_sup - vit_sup", 30.0, 1.0]]


def test_levels_stand_from_small_to_large_with_their_accuracy():
    mine = words.synthetic.by_factor(pug_rows())
    axes = plots.sweeps.levels(mine, FOUR, ["worlds", "cam_yaw"], {"cam_yaw": "camera yaw"}, "title")
    ax = axes[0, 0]
    assert ax.get_title(loc="left") == "camera yaw"
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["-45", "90"]
    (line,) = [each for each in ax.lines if each.get_label() == "ViT-sup"]
    assert line.get_ydata().tolist() == [60, 50]


def test_the_figure_of_factors_draws_the_wider_interval():
    mine = words.synthetic.by_factor(pug_rows())
    ax = plots.sweeps.factors(mine, FOUR, ["worlds", "cam_yaw"], {}, 0.66, "title")
    widths = [np.ptp(path.vertices[:, 0]) for lines in ax.collections for path in lines.get_paths()]
    assert sorted(round(width) for width in widths) == [2] * 4 + [18] * 4


def test_the_strip_shows_the_very_pixels_of_the_views():
    picture, what = plots.sweeps.photograph()
    ids = ["paper.scale-1.25", "paper.shift-30", "paper.shift-100"]
    axes = plots.sweeps.strip(picture, views.SUPERVISED, ids)
    shown = {ax.get_title(): ax.images[0].get_array() for ax in axes.ravel() if ax.images}
    assert list(shown) == ["scale 1.25", "shift 30", "shift 100"]
    for name, view in zip(shown, ids, strict=True):
        expected = views.make_view(view, views.SUPERVISED).apply(picture).transpose(1, 2, 0)
        assert (np.asarray(shown[name]) == expected).all()
    assert "451" in what


def test_without_scikit_image_a_test_card_is_shown(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "skimage", None)
    picture, what = plots.sweeps.photograph()
    assert picture.size == (451, 300)
    assert "test card" in what
