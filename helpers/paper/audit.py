"""The paper against itself: do its figures agree with each other, and what do its averages cover?

Facts with their figures, computed from the values. A difference is no fault by itself: two figures may show different
runs, and the tables say where the published code explains one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.paper.estimates import Z
from helpers.paper.names import PAPER_MODELS, SAME_PARADIGM, SHIFTED, SUPERVISED, VTAB
from helpers.paper.panels import PANELS, ece_bounds, gap_bounds, gap_from_midpoints, read_panel
from helpers.paper.values import values

CHANCE_PUG = 100 / 151  # percent, for a guess among PUG's 151 classes
LEFT_OUT = {
    "without SUN397": {"vtab_sun397"},
    "without Retinopathy": {"vtab_diabetic_retinopathy"},
    "without SUN397 and Retinopathy": {"vtab_sun397", "vtab_diabetic_retinopathy"},
}
SAME_AS_EVALUATION = {
    ("sup", "scale"): "the evaluation view itself",
    ("sup", "shift"): "another view: cropped from the original, then resized",
    ("sup", "resolution"): "the evaluation view itself",
    ("clip", "scale"): "another view: bilinear instead of bicubic",
    ("clip", "shift"): "another view: cropped from the original, then resized",
    ("clip", "resolution"): "the evaluation view itself",
}


def table_against_figures() -> pd.DataFrame:
    """Validation accuracy (percent) in the table of models against the robustness figure, per model.

    Columns model, table, figure, difference, images (of 50,000), tolerance, agrees.

    >>> found = table_against_figures().set_index("model")
    >>> round(float(found.difference["vit_sup"]), 1), bool(found.agrees["vit_clip"])
    (-1.8, True)
    """
    table, figure = (_accuracy(section, "imagenet1k_val") for section in ("01_models", "05_robustness"))
    found = table.add_suffix("_table").join(figure.add_suffix("_figure")).reset_index()
    difference = found.value_table - found.value_figure
    tolerance = found.precision_table + found.precision_figure
    return pd.DataFrame({
        "model": found.model, "table": found.value_table, "figure": found.value_figure, "difference": difference,
        "images": difference * 500, "tolerance": tolerance, "agrees": difference.abs() <= tolerance + 1e-9,
    })  # fmt: skip


def base_points() -> pd.DataFrame:
    """The undistorted point of each invariance sweep against the printed validation accuracy (percent).

    Columns model, sweep, base, printed, difference, tolerance, agrees, and `view`: what the published code does there.

    >>> found = base_points()
    >>> len(found), sorted(found[~found.agrees].sweep.unique())
    (12, ['scale', 'shift'])
    """
    printed = _accuracy("05_robustness", "imagenet1k_val")
    sweeps = values("08_invariance")
    rows = []
    for sweep, view in (("scale", "paper.scale-1"), ("shift", "paper.shift-0"), ("resolution", "paper.resolution-224")):
        base = sweeps[sweeps["view"] == view].set_index("model")
        for model in PAPER_MODELS:
            difference = base.value[model] - printed.value[model]
            tolerance = base.precision[model] + printed.precision[model]
            paradigm = "sup" if model in SUPERVISED else "clip"
            rows.append({
                "model": model, "sweep": sweep, "base": base.value[model], "printed": printed.value[model],
                "difference": difference, "tolerance": tolerance, "agrees": abs(difference) <= tolerance + 1e-9,
                "view": SAME_AS_EVALUATION[paradigm, sweep],
            })  # fmt: skip
    return pd.DataFrame(rows)


def averages() -> pd.DataFrame:
    """Every average of the paper recomputed, and what it would be over other sets.

    Columns section, model, reading, n_parts, value, printed, difference, tolerance (rounding of the parts and of the
    average), agrees, as_printed (whether this reading is the one that the printed average follows), unit.

    >>> found = averages(); found = found[(found.section == "05_robustness") & (found.reading == "without ReaL")]
    >>> found.value.round(2).tolist()
    [55.93, 55.37, 43.68, 44.85]
    """
    rows = []
    for section, mean, readings in (
        ("02_mistakes", "mean_of_16", _factor_readings("02_mistakes", "16 factors", {})),
        ("05_robustness", "mean_of_7", _set_readings()),
        ("06_transferability", "mean_of_19", _task_readings()),
        ("07_synthetic", "mean_of_10", _factor_readings("07_synthetic", "10 factors", {"without scene light"})),
    ):
        table = values(section)
        table = table[~table.model.str.contains(" - ", regex=False)]
        for model in PAPER_MODELS:
            mine = table[table.model == model]
            whole = mine[mine.group == mean].iloc[0]
            rows += [_average_row(section, model, reading, mine, chosen, whole) for reading, chosen in readings.items()]
    return pd.DataFrame(rows)


def shape_figure_against_decisions() -> pd.DataFrame:
    """Shape bias in the figure against the released decisions, per model and category ("overall": the dashed line).

    Columns model, group, figure, released, difference, tolerance, agrees.

    >>> found = shape_figure_against_decisions()
    >>> found.groupby("model").agrees.mean().round(2).to_dict()
    {'convnext_clip': 0.0, 'convnext_sup': 1.0, 'vit_clip': 1.0, 'vit_sup': 1.0}
    """
    table = values("03_shape_texture")
    table = table[(table.metric == "shape_bias") & table.model.isin(PAPER_MODELS)]
    figure, exact = (table[table.kind == kind] for kind in ("digitised", "exact"))
    found = figure.merge(exact, on=["model", "group"], suffixes=("", "_exact"))
    difference, tolerance = found.value - found.value_exact, found.precision
    return pd.DataFrame({
        "model": found.model, "group": found.group, "figure": found.value, "released": found.value_exact,
        "difference": difference, "tolerance": tolerance, "agrees": difference.abs() <= tolerance + 1e-9,
    })  # fmt: skip


def equal_bars() -> pd.DataFrame:
    """Bars of equal height (within one reading): PUG's camera and object yaw, and ImageNet-X factors of a paradigm.

    Columns section, first, second (model and group), value_first, value_second, difference, precision, equal.

    >>> found = equal_bars(); found = found[found.section == "07_synthetic"]
    >>> found.first_bar[found.equal].tolist()
    ['convnext_sup cam_yaw', 'convnext_clip cam_yaw']
    """
    pug, mistakes = (values(section).set_index(["model", "group"]) for section in ("07_synthetic", "02_mistakes"))
    pairs = [("07_synthetic", pug, (model, "cam_yaw"), (model, "obj_yaw")) for model in PAPER_MODELS]
    factors = [group for group in dict.fromkeys(mistakes.index.get_level_values("group")) if group != "mean_of_16"]
    for convnext, vit in SAME_PARADIGM:
        pairs += [("02_mistakes", mistakes, (convnext, factor), (vit, factor)) for factor in factors]
    rows = []
    for section, table, first, second in pairs:
        a, b = table.loc[first], table.loc[second]
        rows.append({
            "section": section, "first_bar": " ".join(first), "second_bar": " ".join(second), "first": a.value,
            "second": b.value, "difference": a.value - b.value, "precision": a.precision,
            "equal": abs(a.value - b.value) <= 1e-9,
        })  # fmt: skip
    found = pd.DataFrame(rows)
    return found[found.equal | (found.section == "07_synthetic")].reset_index(drop=True)


def scene_light() -> pd.DataFrame:
    """PUG's scene light (percent) against chance for 151 classes, and the images needed to tell the two apart.

    Columns model, value, precision, chance, near_chance (within the reading), n_to_tell: the smallest n at which the
    Wilson interval of the value excludes chance (NaN where the value is chance to within its reading). How many images
    the factor has is not published. Predictions are over 1000 classes, so a blind guess does worse than 1/151.

    >>> found = scene_light().set_index("model")
    >>> found.near_chance.tolist(), int(found.n_to_tell["vit_sup"])
    ([True, False, False, True], 75)
    """
    table = values("07_synthetic")
    found = table[table.group == "scene_light"][["model", "value", "precision"]].reset_index(drop=True)
    distance = (found.value - CHANCE_PUG) / 100
    chance = CHANCE_PUG / 100
    near = distance.abs() * 100 <= found.precision
    needed = np.ceil(Z**2 * chance * (1 - chance) / distance**2).where(~near)
    return found.assign(chance=CHANCE_PUG, near_chance=near, n_to_tell=needed)


def calibration_panels() -> pd.DataFrame:
    """The eight panels against their own bins: accuracy and ECE as printed, from the bins, and what the bins allow.

    Columns model, dataset, accuracy, accuracy_from_bins (percent), ece, ece_from_midpoints, ece_low, ece_high (what
    any confidences inside the bins allow), gap_from_midpoints, gap_low, gap_high (fractions), direction: "over",
    "under" or "open", where the panel does not settle the sign.

    >>> found = calibration_panels()
    >>> found.direction.tolist()
    ['open', 'under', 'over', 'over', 'open', 'open', 'over', 'over']
    """
    rows = []
    for dataset in PANELS:
        accuracy = _accuracy("04_calibration", dataset)
        for model in PAPER_MODELS:
            panel = read_panel(dataset, model)
            middles = (panel.edges[:-1] + panel.edges[1:]) / 2
            (ece_low, ece_high), (low, high) = ece_bounds(panel), gap_bounds(panel)
            rows.append({
                "model": model, "dataset": dataset, "accuracy": accuracy.value[model],
                "accuracy_from_bins": 100 * float(panel.share @ panel.accuracy), "ece": panel.ece,
                "ece_from_midpoints": float(panel.share @ np.abs(middles - panel.accuracy)), "ece_low": ece_low,
                "ece_high": ece_high, "gap_from_midpoints": gap_from_midpoints(panel), "gap_low": low,
                "gap_high": high, "direction": "over" if low > 0 else "under" if high < 0 else "open",
            })  # fmt: skip
    return pd.DataFrame(rows)


def _accuracy(section: str, dataset: str) -> pd.DataFrame:
    table = values(section)
    table = table[(table.dataset == dataset) & (table.metric == "accuracy") & table.model.isin(PAPER_MODELS)]
    return table.set_index("model")[["value", "precision"]]


def _set_readings() -> dict[str, tuple[str, set]]:
    with_base = {*SHIFTED, "imagenet1k_val"}
    return {
        "7 shifted sets": ("dataset", set(SHIFTED)), "without ReaL": ("dataset", set(SHIFTED) - {"imagenet_real"}),
        "with ImageNet validation": ("dataset", with_base),
    }  # fmt: skip


def _task_readings() -> dict[str, tuple[str, set]]:
    return {"19 tasks": ("dataset", set(VTAB))} | {
        reading: ("dataset", set(VTAB) - left_out) for reading, left_out in LEFT_OUT.items()
    }


def _factor_readings(section: str, name: str, more: set[str]) -> dict[str, tuple[str, set]]:
    groups = {group for group in values(section).group if not group.startswith("mean_of_")}
    return {name: ("group", groups)} | {reading: ("group", groups - {"scene_light"}) for reading in more}


def _average_row(section: str, model: str, reading: str, mine: pd.DataFrame, chosen, whole) -> dict:
    column, names = chosen
    parts = mine[mine[column].isin(names) & ~mine.group.str.startswith("mean_of_")]
    value, tolerance = parts.value.mean(), parts.precision.mean() + whole.precision
    return {
        "section": section, "model": model, "reading": reading, "n_parts": len(parts), "value": value,
        "printed": whole.value, "difference": value - whole.value, "tolerance": tolerance,
        "agrees": abs(value - whole.value) <= tolerance + 1e-9, "as_printed": reading[0].isdigit(), "unit": whole.unit,
    }  # fmt: skip
