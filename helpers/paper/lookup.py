"""Finding numbers among result rows, whatever profile they come from: values, contrasts, averages, drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from helpers.paper.estimates import Estimate, combine, from_row, paired_accuracy
from helpers.paper.names import SHARED_IMAGES, group_of, role_of, title_of
from helpers.views import UNDISTORTED as START

Index = dict[tuple, list[dict]]
OVERALL = "overall"
PROTOCOLS = ("paper", "released", "timm", "demo")  # the first that is there; the models table is no evaluation
UNITS_OF_RESAMPLING = (
    "shape exemplar x texture exemplar x subject", "shape exemplar x texture exemplar", "asset x background", "asset",
    "class", "source image", "batch", "image",
)  # fmt: skip


def index_rows(rows: pd.DataFrame) -> Index:
    """Result rows by (model, role of the data set, transform, metric, group), the preferred one first.

    Preferred: the paper's protocol, then the released predictions, then timm's; rows with an interval; the unit of
    resampling that respects most of what images share.

    >>> row = dict(model="vit_sup", dataset="demo_val", view="paper.eval", metric="accuracy", group=None, value=50.0)
    >>> list(index_rows(pd.DataFrame([row])))
    [('vit_sup', 'val', 'eval', 'accuracy', 'overall')]
    """
    index: Index = {}
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        protocol, transform = _view(row.get("view"))
        if row["value"] is None or protocol not in (*PROTOCOLS, None):
            continue
        key = (row["model"], role_of(row["dataset"]), transform, row["metric"], group_of(row["dataset"], row["group"]))
        index.setdefault(key, []).append(row)
    for found in index.values():
        found.sort(key=_preference)
    return index


def find(index: Index, model: str, dataset: str, metric: str, group: str = OVERALL, transform: str = "eval"):
    """The preferred row of a number, or None."""
    found = index.get((model, role_of(dataset), transform, metric, group))
    return found[0] if found else None


def estimate(index: Index, model: str, dataset: str, metric: str, group: str = OVERALL) -> Estimate | None:
    """The estimate of a number, or None where there is no row."""
    row = find(index, model, dataset, metric, group)
    return None if row is None else from_row(row)


def contrast(
    index: Index, first: str, second: str, dataset: str, metric: str, group: str = OVERALL, transform: str = "eval"
) -> Estimate | None:
    """First minus second model: the paired row "A - B" (or "B - A") if it has an interval, else from the two values.

    From two accuracies with n the error is bounded by the discordance they allow, else by adding the two errors.
    """
    paired = _paired_row(index, first, second, dataset, metric, group, transform)
    if paired is not None:
        return paired
    rows = [find(index, model, dataset, metric, group, transform) for model in (first, second)]
    if None in rows:
        return None
    if all(_counts_images(row) for row in rows):
        return paired_accuracy(*rows)
    missing = f"what the two models answered on each image of {title_of(dataset)}"
    return combine([(1, from_row(rows[0])), (-1, from_row(rows[1]))], same_images=True, missing=missing)


def mean_contrast(index: Index, first: str, second: str, average: str, datasets: Sequence[str]) -> Estimate | None:
    """First minus second model in an average over data sets (`average` is the average's own "data set").

    A paired row of the average over all of them is taken if there is one, an average over fewer is not: it would answer
    another question. (The demo's average is over tasks of its own.) Else the value comes from the two averages, or
    from the sets where no average is given, and the error from the sets: separate images add in squares, shared ones
    plainly.
    """
    whole, own = f"mean_of_{len(datasets)}", _demo_mean(index, average)
    group = own or (whole if any(key[1] == role_of(average) and key[4] == whole for key in index) else OVERALL)
    paired = _paired_row(index, first, second, average, "accuracy", group, "eval")
    if paired is not None:
        return paired
    printed = contrast(index, first, second, average, "accuracy", group)
    parts = {name: contrast(index, first, second, name, "accuracy") for name in datasets}
    if None in parts.values():
        return printed
    spread = _mean(parts)
    if spread.missing:
        spread = replace(spread, missing=(f"which images each model got right on each of {title_of(average)}",))
    if printed is None:
        return spread
    return replace(spread, value=printed.value, low=printed.low, high=printed.high, sources=printed.sources)


def _demo_mean(index: Index, average: str) -> str | None:
    """The group of the demo's average over its own sets, where the rows are the demo's."""
    found = (
        key[4] for key, rows in index.items()
        if key[1] == role_of(average) and key[4].startswith("mean_of_") and str(rows[0]["dataset"]).startswith("demo_")
    )  # fmt: skip
    return next(found, None)


def levels(index: Index, model: str, transform: str) -> dict[float, dict]:
    """Rows of one sweep ("scale", "shift", "resolution") by its setting, in order; the undistorted one may be `eval`.

    Raises nothing: an empty result means that the sweep was not run.
    """
    found = {}
    for key in index:
        name, _, number = key[2].partition("-")
        if (key[0], key[1], key[3], key[4]) == (model, "val", "accuracy", OVERALL) and name == transform and number:
            found[float(number)] = index[key][0]
    plain = find(index, model, "imagenet1k_val", "accuracy")
    if found and plain is not None and start_of(found, transform) is None and transform != "shift":
        found[START[transform][0]] = plain  # one and the same view, computed once
    return dict(sorted(found.items()))


def start_of(found: Mapping[float, object], transform: str) -> float | None:
    """The undistorted setting among those of a sweep, or None.

    >>> start_of({1.0: 0, 2.0: 0}, "scale"), start_of({32.0: 0, 64.0: 0}, "resolution")
    (1.0, 64.0)
    """
    return next((level for level in START[transform] if level in found), None)


def _mean(parts: Mapping[str, Estimate]) -> Estimate:
    """Mean over data sets, of which some share their images."""
    together = [[name for name in group if name in parts] for group in SHARED_IMAGES]
    together = [group for group in together if len(group) > 1]
    alone = [[name] for name in parts if not any(name in group for group in together)]
    sums = [combine([(1, parts[name]) for name in group], same_images=True) for group in (*together, *alone)]
    return combine([(1 / len(parts), each) for each in sums], same_images=False)


def _view(view: str | None) -> tuple[str | None, str]:
    """Protocol and transform of a view id; the cue-conflict pixels as they are count as an evaluation."""
    if not view:
        return None, "eval"
    protocol, _, transform = view.partition(".")
    return protocol, "eval" if transform == "asis" else transform


def other_reading(row: Mapping) -> bool:
    """Whether a row is of ImageNet-C's pictures as they are, where the paper enlarged and cropped them.

    >>> other_reading({"dataset": "imagenet_c", "view": "paper.asis"}), other_reading({"dataset": "imagenet_c"})
    (True, False)
    """
    return role_of(row.get("dataset")) == "c" and (row.get("view") or "").endswith(".asis")


def _preference(row: Mapping) -> tuple:
    protocol = _view(row.get("view"))[0]
    unit = row.get("resampled")
    return (
        other_reading(row),
        PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS),
        row.get("ci_low") is None,
        UNITS_OF_RESAMPLING.index(unit) if unit in UNITS_OF_RESAMPLING else len(UNITS_OF_RESAMPLING),
    )


def _paired_row(index, first, second, dataset, metric, group, transform) -> Estimate | None:
    """The row "A - B", or "B - A" with its sign turned, if it has an interval."""
    for name, sign in ((f"{first} - {second}", 1), (f"{second} - {first}", -1)):
        row = find(index, name, dataset, metric, group, transform)
        if row is not None and row.get("ci_low") is not None:
            return combine([(sign, from_row(row))], same_images=True)
    return None


def _counts_images(row: Mapping) -> bool:
    """Whether the row is an accuracy whose n counts independent images (rows of the paper: source images)."""
    known = row.get("n") is not None or row.get("n_least") is not None
    units = ("image", "source image") if "source_figure" in row else ("image",)
    single = row["metric"] == "accuracy" and not (row["group"] or "").startswith("mean_of_")
    return single and known and row.get("unit") == "percent" and row.get("resampled") in units
