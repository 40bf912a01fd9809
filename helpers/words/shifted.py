"""Section 5 in words: what a run shows on the shifted sets, on ImageNet-C and against the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import HTML, Markdown

from helpers import stats
from helpers.metrics.effective import CLEAN, baseline_line
from helpers.paper.effective import from_rows, published_effective
from helpers.paper.names import SHIFTED, SHIFTED_MEAN, role_of
from helpers.plots.style import label
from helpers.rows import select
from helpers.words.differences import corrected, resolved
from helpers.words.readings import readings
from helpers.words.tables import table
from helpers.words.titles import name_of

ROLES = ("val", "v2", "a", "c", "hard", "r", "sketch", "real", SHIFTED_MEAN, "shifted_sets_without_real")
VIEWS = {"paper.eval": "as the paper: resized to 256, cropped to 224", "paper.asis": "as they are: 224 pixels"}


def accuracies(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the figure: accuracy of each set ("overall") and of the averages, percent and points.

    >>> len(accuracies(pd.DataFrame(columns=["metric", "group", "unit", "dataset", "view"])))
    0
    """
    whole = rows.group.fillna("overall").isin(["overall", "mean_of_7", "mean_of_6"])
    kept = rows[(rows.metric == "accuracy") & whole & (rows["view"] != "paper.asis")]
    kept = kept[kept.dataset.map(role_of).isin(ROLES)]
    place = [ROLES.index(role_of(name)) for name in kept.dataset]
    return kept.assign(place=place).sort_values("place", kind="stable").drop(columns="place").reset_index(drop=True)


def pairs_of(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """ConvNeXt minus ViT under each paradigm in every set, in points; of other models every two of them.

    The rows "A - B", or with the sign turned "B - A".

    >>> row = dict(model="vit_sup - convnext_sup", dataset="demo_r", metric="accuracy", group="overall", unit="points",
    ...            view="paper.eval", value=2.0, ci_low=1.0, ci_high=3.0)
    >>> pairs_of(pd.DataFrame([row]), ["convnext_sup", "vit_sup"])[["model", "value", "ci_low"]].values.tolist()
    [['convnext_sup - vit_sup', -2.0, -3.0]]
    """
    return turned(accuracies(rows), models)


def turned(kept: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Contrast rows as `pairs_of` gives them, of rows already chosen; any metric that is a difference."""
    parts = []
    pairs = [(second, first) for first, second in stats.pairs_of(models)]
    for first, second in pairs[:2] if len(pairs) == len(stats.PAIRS_2X2) else pairs:
        parts.append(select(kept, model=f"{first} - {second}"))
        other = select(kept, model=f"{second} - {first}")
        low, high = -other.ci_high, -other.ci_low
        parts.append(other.assign(value=-other.value, ci_low=low, ci_high=high, model=f"{first} - {second}"))
    return pd.concat(parts, ignore_index=True) if parts else kept.iloc[:0]


def in_form(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """What the figures in the paper's form show: accuracies and `pairs_of`, data sets by their names, in order."""
    single = accuracies(rows)
    shown = pd.concat([single[single.model.isin(list(models))], pairs_of(rows, models)], ignore_index=True)
    return shown.assign(dataset=shown.dataset.map(name_of))


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
    if value == 0 or (interval and low <= 0):
        ends = f" [{low:+.1f}, {high:+.1f}]" if interval else ""
        return f"{start} and {label(second)} are not told apart: {value:+.1f} points{ends}{count}"
    return f"{start} is ahead of {label(second)} by {value:.1f} points{interval}{count}"


def answer(rows: pd.DataFrame, source: str, models: Sequence[str]) -> str:
    """The section's answer from a run's rows as Markdown: averages, then every set on which a pair is told apart.

    `source`: what the rows are called. Says so where there are none.
    """
    gaps = pairs_of(rows, models)
    if gaps.empty:
        return f"**Image by image: not run.** No answers of real models to these sets are stored ({source})."
    whole = gaps[gaps.dataset.map(role_of) == SHIFTED_MEAN]
    lines = []
    for pair in dict.fromkeys(gaps.model):
        mine = gaps[(gaps.model == pair) & gaps.dataset.map(role_of).isin(ROLES[1:8])]
        clear, kept = int(resolved(mine).sum()), int(corrected(mine).sum())
        mean = select(whole, model=pair)
        said = ahead_by(mean.iloc[0].to_dict()) if len(mean) else "the average needs all seven sets"
        counts = f"told apart on {clear} of {len(mine)} sets, on {kept} after Holm's correction"
        lines.append(f"- {label(pair)}: {counts}. {said[0].upper()}{said[1:]}.")
    return f"**{source}.** Paired differences on the same images, 95 % intervals.\n\n" + "\n".join(lines)


def set_by_set(rows: pd.DataFrame, models: Sequence[str]) -> str:
    """Every paired difference of a run in words, pair by pair, as Markdown."""
    gaps = pairs_of(rows, models)
    return "\n".join(f"- {ahead_by(row)}." for _, part in gaps.groupby("model", sort=False) for row in records(part))


def records(rows: pd.DataFrame) -> list[dict]:
    """Rows as dictionaries, missing as None."""
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


def averages(rows: pd.DataFrame, models: Sequence[str]) -> HTML | Markdown:
    """The averages of a run, with and without ReaL; or which sets they lack."""
    found = {name: role_of(name) for name in dict.fromkeys(rows.dataset) if role_of(name) in ROLES[-2:]}
    columns = {name_of(name): {"dataset": name, "metric": "accuracy"} for name in found}
    if columns:
        return table(readings(rows[rows.unit == "percent"], models, columns))
    there = {role_of(name) for name in rows.dataset}
    lacking = [name_of(name) for name in SHIFTED if role_of(name) not in there]
    return Markdown(
        f"No average of this run: {', '.join(lacking)} not run." if len(rows) else "No average of this run."
    )


def corruptions(rows: pd.DataFrame, models: Sequence[str]) -> HTML | Markdown:
    """ImageNet-C of a run: mean accuracy, mCE and change per severity, a line per model and view that was run."""
    mine = rows[rows.dataset.map(role_of).isin(["c"])]
    columns = {"mean accuracy": {"metric": "accuracy"}, "change per severity": {"metric": "severity_slope"}}
    if (mine.metric == "mce").any():
        columns["mCE (AlexNet: 100 %)"] = {"metric": "mce"}
    parts = []
    for view, part in mine[mine.group == "overall"].groupby("view", sort=False):
        there = [model for model in models if (part.model == model).any()]
        found = readings(part, there, columns).rename_axis("model").reset_index()
        drawn = part.dataset.str.startswith("demo_").any()
        found.insert(1, "images", "by the paper's rule, at 64 pixels" if drawn else VIEWS.get(view, view))
        parts.append(found)
    return table(pd.concat(parts), index=False) if parts else Markdown("ImageNet-C: not run.")


def same_classes(rows: pd.DataFrame, models: Sequence[str]) -> HTML | Markdown:
    """A and R of a run beside clean accuracy on the same classes: masked to them, and with all classes competing."""
    columns = {}
    for dataset in dict.fromkeys(rows.dataset):
        group, name = f"classes_of_{dataset}", name_of(dataset)
        if not rows.group.isin([group, f"{group}_unmasked"]).any():
            continue
        columns[name] = {"dataset": dataset, "metric": "accuracy", "group": "overall"}
        columns[f"clean, same classes as {name}"] = {"metric": "accuracy", "group": group}
        columns[f"the same, all classes compete ({name})"] = {"metric": "accuracy", "group": f"{group}_unmasked"}
    return table(readings(rows, models, columns)) if columns else Markdown("A and R on the same classes: not run.")


def effective_points(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Published numbers against the baseline, and a run's where it has rows of effective robustness."""
    parts = [part for part in (published_effective(), from_rows(rows, f"a run here ({source})")) if len(part)]
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
        "among the networks": ["within their scatter" if each else "outside" for each in inside],
        "like for like": ["yes" if each else "no" for each in points.like_for_like],
    })  # fmt: skip


def baseline() -> str:
    """What the lines rest on, as Markdown: networks, fit and residual scatter of each."""
    lines = [baseline_line(dataset) for dataset in CLEAN]
    fits = "; ".join(f"{name_of(each.dataset)} {each.r2:.2f}" for each in lines)
    return (
        f"The lines rest on {lines[0].n} networks. Share of the variance that clean accuracy explains on probit axes "
        f"(R²): {fits}. *expected* has the 95 % interval for one more network of the baseline; all numbers are "
        "percent, *beyond* points."
    )
