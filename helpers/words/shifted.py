"""Section 5 in words: what a run shows on the shifted sets, on ImageNet-C and against the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.metrics.corruption import alexnet_errors
from helpers.metrics.effective import CLEAN, baseline_line
from helpers.paper.effective import from_rows, published_effective
from helpers.paper.names import SAME_PARADIGM, SHIFTED, SHIFTED_MEAN, role_of
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import resolved
from helpers.words.numbers import shown
from helpers.words.readings import readings
from helpers.words.titles import name_of

ROLES = ("val", "v2", "a", "c", "hard", "r", "sketch", "real", SHIFTED_MEAN, "shifted_sets_without_real")
CORRUPTIONS = tuple(alexnet_errors().index)
VIEWS = {"paper.eval": "as the paper: resized to 256, cropped to 224", "paper.asis": "as they are: 224 pixels"}


def order_of(rows: pd.DataFrame) -> list[str]:
    """Data sets of accuracy rows in the order of the paper's figure, whatever profile they come from.

    >>> order_of(pd.DataFrame({"dataset": ["demo_r", "demo_val"], "metric": "accuracy"}))
    ['demo_val', 'demo_r']
    """
    found = dict.fromkeys(rows.dataset[rows.metric == "accuracy"])
    return sorted((name for name in found if role_of(name) in ROLES), key=lambda name: ROLES.index(role_of(name)))


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the figure: accuracy of each set ("overall") and of the averages, percent and points.

    >>> len(accuracies(pd.DataFrame(columns=["metric", "group", "unit", "dataset", "view"])))
    0
    """
    whole = rows.group.fillna("overall").isin(["overall", "mean_of_7", "mean_of_6"])
    kept = rows[(rows.metric == "accuracy") & whole & (rows["view"] != "paper.asis")]
    return kept[[role_of(name) in ROLES for name in kept.dataset]].reset_index(drop=True)


def pairs_of(rows: pd.DataFrame, pairs: Sequence[tuple[str, str]] = SAME_PARADIGM) -> pd.DataFrame:
    """ConvNeXt minus ViT in every set, in points: the rows "A - B" or, with the sign turned, "B - A".

    >>> row = dict(model="vit_sup - convnext_sup", dataset="demo_r", metric="accuracy", group="overall", unit="points",
    ...            view="paper.eval", value=2.0, ci_low=1.0, ci_high=3.0)
    >>> pairs_of(pd.DataFrame([row]))[["model", "value", "ci_low"]].values.tolist()
    [['convnext_sup - vit_sup', -2.0, -3.0]]
    """
    kept, parts = accuracies(rows), []
    for first, second in pairs:
        parts.append(select(kept, model=f"{first} - {second}"))
        turned = select(kept, model=f"{second} - {first}")
        low, high = -turned.ci_high, -turned.ci_low
        turned = turned.assign(value=-turned.value, ci_low=low, ci_high=high, model=f"{first} - {second}")
        parts.append(turned)
    return pd.concat(parts, ignore_index=True)


def ahead_by(row: Mapping) -> str:
    """Who is ahead on a set, by how much, and how many of its images that is; or that it is not resolved.

    >>> row = dict(model="vit_sup - convnext_sup", dataset="imagenet_v2_mf", value=2.3, ci_low=1.1, ci_high=3.5,
    ...            n=10_000, group="overall")
    >>> ahead_by(row)
    'ImageNet-V2: ViT-sup is ahead of ConvNeXt-sup by 2.3 points [1.1, 3.5], 230 images of 10,000'
    """
    first, second = row["model"].split(" - ")
    value, low, high = row["value"], row["ci_low"], row["ci_high"]
    if value < 0:
        first, second, value, low, high = second, first, -value, -high, -low
    interval = "" if low is None or low != low else f" [{low:.1f}, {high:.1f}]"
    single = row["n"] is not None and row["n"] == row["n"] and not str(row["group"]).startswith("mean_of_")
    count = (
        f", {value * row['n'] / 100:,.0f} images of {row['n']:,.0f}"
        if single and role_of(row["dataset"]) != "c"
        else ""
    )
    start = f"{name_of(row['dataset'])}: {label(first)}"
    if interval and low <= 0:
        return f"{start} and {label(second)} are not told apart: {value:+.1f} points [{low:+.1f}, {high:+.1f}]{count}"
    return f"{start} is ahead of {label(second)} by {value:.1f} points{interval}{count}"


def answer(rows: pd.DataFrame, source: str) -> str:
    """The section's answer from a run's rows as Markdown: averages, then every set on which a pair is told apart.

    `source`: what the rows are called. Says so where there are none.
    """
    gaps = pairs_of(rows)
    if gaps.empty:
        return f"**{source}: not run.**"
    whole = gaps[gaps.dataset.map(role_of) == SHIFTED_MEAN]
    lines = []
    for pair in dict.fromkeys(gaps.model):
        mine = gaps[(gaps.model == pair) & gaps.dataset.map(role_of).isin(ROLES[1:8])]
        clear = int(resolved(mine).sum())
        mean = select(whole, model=pair)
        said = ahead_by(mean.iloc[0].to_dict()) if len(mean) else "the average needs all seven sets"
        lines.append(f"- {label(pair)}: told apart on {clear} of {len(mine)} sets. {said[0].upper()}{said[1:]}.")
    return f"**{source}.** Paired differences on the same images, 95 % intervals.\n\n" + "\n".join(lines)


def set_by_set(rows: pd.DataFrame) -> str:
    """Every paired difference of a run in words, a list per pair, as Markdown."""
    gaps = pairs_of(rows)
    gaps = gaps.assign(place=gaps.dataset.map(lambda name: ROLES.index(role_of(name)))).sort_values(
        "place", kind="stable"
    )
    return "\n".join(f"- {ahead_by(row)}." for pair in dict.fromkeys(gaps.model)
                     for row in select(gaps, model=pair).to_dict("records"))  # fmt: skip


def corruption_table(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """ImageNet-C of a run: mean accuracy, mCE and loss per severity, a line per model and view that was run."""
    mine = rows[[role_of(name) == "c" for name in rows.dataset]]
    columns = {
        "mean accuracy": {"metric": "accuracy", "group": "overall"},
        "mCE (AlexNet: 100 %)": {"metric": "mce", "group": "overall"},
        "change per severity": {"metric": "severity_slope", "group": "overall"},
    }
    parts = []
    for view in dict.fromkeys(mine["view"]):
        there = [model for model in models if (mine[mine["view"] == view].model == model).any()]
        part = readings(mine[mine["view"] == view], there, columns)
        part.insert(0, "images", VIEWS.get(view, view))
        parts.append(part)
    return pd.concat(parts) if parts else pd.DataFrame(columns=["images", *columns])


def same_classes_table(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """A and R beside clean accuracy on the same classes: masked to them, and over all classes."""
    columns = {}
    for dataset in dict.fromkeys(rows.dataset):
        group = f"classes_of_{dataset}"
        if role_of(dataset) in ("a", "r") and rows.group.isin([group, f"{group}_unmasked"]).any():
            columns[name_of(dataset)] = {"dataset": dataset, "metric": "accuracy", "group": "overall"}
            columns[f"clean, same classes ({name_of(dataset)})"] = {"metric": "accuracy", "group": group}
            columns[f"clean, these images, all classes ({name_of(dataset)})"] = {
                "metric": "accuracy", "group": f"{group}_unmasked",
            }  # fmt: skip
    return readings(rows, models, columns)


def effective_points(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Published numbers against the baseline, and a run's where it has rows of effective robustness."""
    parts = [part for part in (published_effective(), from_rows(rows, source)) if len(part)]
    return pd.concat(parts, ignore_index=True)


def effective_table(points: pd.DataFrame) -> pd.DataFrame:
    """One line per point: expected accuracy with its interval, accuracy found, and how far beyond (points)."""
    inside = (points.found >= points.low) & (points.found <= points.high)
    return pd.DataFrame({
        "data set": points.dataset.map(name_of), "model": points.model.map(label), "from": points.source,
        "clean": [f"{value:.1f}" for value in points.clean],
        "expected": [f"{e:.1f} [{a:.1f}, {b:.1f}]" for e, a, b in points[["expected", "low", "high"]].to_numpy()],
        "found": [f"{value:.1f}" for value in points.found],
        "beyond": [f"{value:+.1f}" for value in points.beyond],
        "as the baseline": ["within its scatter" if each else "outside" for each in inside],
        "like for like": ["yes" if each else "no" for each in points.like_for_like],
    })  # fmt: skip


def baseline() -> str:
    """What the lines rest on, as Markdown: networks, fit and residual scatter of each."""
    lines = [baseline_line(dataset) for dataset in CLEAN]
    fits = "; ".join(f"{name_of(each.dataset)} {each.r2:.2f}" for each in lines)
    return f"{lines[0].n} networks; share of variance that clean accuracy explains on probit axes (R²): {fits}."


def missing_sets(rows: pd.DataFrame) -> str:
    """The shifted sets of the paper that a run lacks, in words; empty where it has all.

    >>> missing_sets(pd.DataFrame({"dataset": list(SHIFTED), "metric": "accuracy"}))
    ''
    """
    there = {role_of(name) for name in rows.dataset}
    lacking = [name_of(name) for name in SHIFTED if role_of(name) not in there]
    return f"Not run: {', '.join(lacking)}." if lacking else ""


def levels(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """The averages of a run in one sentence."""
    means = {m: select(rows, model=m, metric="accuracy", group="mean_of_7") for m in models}
    found = [f"{label(m)} {shown(part.iloc[0].to_dict())}" for m, part in means.items() if len(part)]
    return f"Average over seven sets: {'; '.join(found)}." if found else ""
