"""The comparisons that claims are made of: one function per kind, from an index of result rows to components."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.paper.estimates import Estimate, combine, from_row
from helpers.paper.lookup import Index, contrast, estimate, find, levels, mean_contrast, start_of
from helpers.paper.names import FACTORS, PUG_FACTORS, label_of, title_of
from helpers.paper.verdicts import Component, equivalent, greater, partial_levels

DROP = "largest_drop"  # rows of a run; the paper has none, its drops are made from accuracies
WHICH_IMAGES = "which images each model got right under each setting"


def higher(
    index: Index, first: str, second: str, dataset: str, metric: str, group: str = "overall", what: str | None = None
) -> Component:
    """Is the metric of the first model above that of the second on this data set?"""
    return greater(
        f"{label_of(first)} minus {label_of(second)}, {what or metric.replace('_', ' ')} on {title_of(dataset)}",
        contrast(index, first, second, dataset, metric, group),
    )


def close(index: Index, first: str, second: str, dataset: str, margin: float) -> Component:
    """Are the accuracies of two models within the margin (points)?"""
    name = f"{label_of(first)} minus {label_of(second)}, accuracy on {title_of(dataset)}"
    return equivalent(name, contrast(index, first, second, dataset, "accuracy"), margin)


def average_name(first: str, second: str, average: str) -> str:
    """Name of a comparison of two averages over data sets."""
    return f"{label_of(first)} minus {label_of(second)}, average accuracy on {title_of(average)}"


def average_higher(index: Index, first: str, second: str, average: str, datasets: Sequence[str]) -> Component:
    """Is the average accuracy of the first model above that of the second?"""
    return greater(average_name(first, second, average), mean_contrast(index, first, second, average, datasets))


def average_close(
    index: Index, first: str, second: str, average: str, datasets: Sequence[str], margin: float
) -> Component:
    """Are the average accuracies within the margin (points)?"""
    found = mean_contrast(index, first, second, average, datasets)
    return equivalent(average_name(first, second, average), found, margin)


def sign_of_gap(index: Index, model: str, dataset: str, over: bool) -> Component:
    """Is the model over-confident (confidence - accuracy > 0), or under-confident, on this data set?"""
    found = estimate(index, model, dataset, "signed_gap")
    signed = None if found is None else combine([(1 if over else -1, found)], same_images=True)
    direction = "confidence minus accuracy" if over else "accuracy minus confidence"
    return greater(f"{label_of(model)}, {direction} on {title_of(dataset)}", signed)


def factor_above_mean(index: Index, model: str, factor: str) -> Component:
    """Is the error ratio of a factor above the model's mean over the factors?

    Taken as independent, which overstates the error a little: the mean contains the factor.
    """
    parts = [estimate(index, model, "imagenet_x", "error_ratio", group) for group in (factor, mean_group(index))]
    return greater(f"{label_of(model)}, error ratio of {_plain(factor)} minus its mean", _apart(*parts))


def factor_against_others(index: Index, model: str, factor: str, at_least: int | None = None) -> list[Component]:
    """Is the error ratio of a factor at least that of each other factor? (`at_least`: of how many of them.)

    Factors have disjoint images, so their errors are independent; the common overall error does not move a sign.
    """
    others = [name for name in FACTORS if name != factor]
    mine = estimate(index, model, "imagenet_x", "error_ratio", factor)
    found = []
    for other in others:
        theirs = estimate(index, model, "imagenet_x", "error_ratio", other)
        name = f"{label_of(model)}, error ratio of {_plain(factor)} minus {_plain(other)}"
        corrected = None if at_least is None else partial_levels(len(others), at_least)
        found.append(greater(name, _apart(mine, theirs), strict=False, family=model, levels=corrected))
    return found


def mean_group(index: Index, prefix: str = "error_ratio") -> str:
    """The group of the mean over factors: "mean_of_16" unless the rows have another number of factors."""
    found = [key[4] for key in index if key[3] == prefix and key[4].startswith("mean_of_")]
    return found[0] if found else "mean_of_16"


def pug_factors(index: Index, first: str, second: str, at_least: int) -> list[Component]:
    """Is the first model above the second on each PUG factor? (`at_least`: on how many.)"""
    corrected = partial_levels(len(PUG_FACTORS), at_least)
    return [
        greater(
            f"{label_of(first)} minus {label_of(second)}, accuracy on PUG, {_plain(factor)}",
            contrast(index, first, second, "pug_imagenet", "accuracy", factor), family=first, levels=corrected,
        )
        for factor in PUG_FACTORS
    ]  # fmt: skip


def pug_mean(index: Index) -> str:
    """The group of the mean over PUG factors: "mean_of_10" unless the rows have another number of factors."""
    found = [key[4] for key in index if key[1] == "pug" and key[4].startswith("mean_of_")]
    return found[0] if found else "mean_of_10"


def pug_gap_shrinks(index: Index, supervised: tuple[str, str], clip: tuple[str, str]) -> Component:
    """Is the gap (first minus second, PUG average) larger for the supervised pair than for the CLIP pair?

    The row of model "interaction" is that difference: (ViT - ConvNeXt) under CLIP minus the same under supervision.
    """
    name = "supervised minus CLIP in the gap ConvNeXt minus ViT, average accuracy on PUG"
    gaps = [contrast(index, *pair, "pug_imagenet", "accuracy", pug_mean(index)) for pair in (supervised, clip)]
    if None in gaps:
        return greater(name, None)  # an interaction of other models than these may be there
    row = find(index, "interaction", "pug_imagenet", "accuracy", pug_mean(index))
    own = row is not None and row.get("ci_low") is not None
    return greater(name, from_row(row) if own else combine([(1, gaps[0]), (-1, gaps[1])], same_images=True))


def drop_smaller(index: Index, model: str, other: str, transform: str, strict: bool = True) -> Component:
    """Does a model lose less accuracy than another, from the undistorted setting to the worst of a sweep?"""
    name = f"largest drop of {label_of(other)} minus that of {label_of(model)}, {transform}"
    return greater(name, drop_difference(index, other, model, transform), strict=strict)


def drop_difference(index: Index, first: str, second: str, transform: str) -> Estimate | None:
    """Loss of the first minus loss of the second model (points), each from the undistorted setting to its worst one.

    None where a sweep is missing or the two have other settings.
    """
    measured = contrast(index, first, second, "imagenet1k_val", DROP, transform)
    if measured is not None:
        return measured
    theirs, mine = (levels(index, key, transform) for key in (first, second))
    start = start_of(mine, transform)
    if start is None or set(mine) != set(theirs) or len(mine) < 2:
        return None
    worst, worst_other = _worst(mine, start), _worst(theirs, start)
    if worst == worst_other:
        at_start, at_worst = (_at_level(index, second, first, mine, level, transform) for level in (start, worst))
        return combine([(1, at_worst), (-1, at_start)], True, WHICH_IMAGES)
    terms = [(1, theirs[start]), (-1, theirs[worst_other]), (-1, mine[start]), (1, mine[worst])]
    return combine([(sign, from_row(row)) for sign, row in terms], True, WHICH_IMAGES)


def drop_in(index: Index, model: str, harder: str, easier: str) -> Component:
    """Does a model lose less under one transform than under another?"""
    name = f"{label_of(model)}, largest drop under {harder} minus that under {easier}"
    measured = estimate(index, model, "imagenet1k_val", DROP, f"{harder} - {easier}")
    if measured is not None:
        return greater(name, measured)
    terms = []
    for sign, transform in ((1, harder), (-1, easier)):
        found = levels(index, model, transform)
        start = start_of(found, transform)
        if start is None or len(found) < 2:
            return greater(name, None)
        terms += [(sign, from_row(found[start])), (-sign, from_row(found[_worst(found, start)]))]
    return greater(name, combine(terms, True, WHICH_IMAGES))


def pointwise(index: Index, first: str, second: str, transform: str) -> list[Component]:
    """Is the first model at least as accurate as the second at every setting of a sweep?"""
    settings = levels(index, first, transform)
    start = f"{label_of(first)} minus {label_of(second)}, {transform}"
    if not settings:
        return [greater(start, None, strict=False)]
    found = [(level, _at_level(index, first, second, settings, level, transform)) for level in settings]
    return [greater(f"{start} {level:g}", each, strict=False) for level, each in found]


def _at_level(index, first, second, settings, level, transform) -> Estimate | None:
    """First minus second model at one setting, wherever that setting's row stands."""
    view = (settings[level].get("view") or "").partition(".")[2] or "eval"
    return contrast(index, first, second, "imagenet1k_val", "accuracy", transform=view)


def _worst(found: dict[float, dict], start: float) -> float:
    """The setting other than the start at which accuracy is lowest."""
    return min((level for level in found if level != start), key=lambda level: found[level]["value"])


def _apart(first: Estimate | None, second: Estimate | None) -> Estimate | None:
    return None if first is None or second is None else combine([(1, first), (-1, second)], same_images=False)


def _plain(name: str) -> str:
    return name.replace("_", " ")
