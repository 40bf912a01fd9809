"""The 2 x 2 of the paper: every property as four contrasts between its checkpoints, and how far they interact."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from helpers.paper.comparisons import drop_smaller
from helpers.paper.estimates import Estimate, combine
from helpers.paper.lookup import Index, contrast, find, index_rows, mean_contrast
from helpers.paper.names import SHIFTED, SHIFTED_MEAN, TRANSFER_MEAN, VTAB, role_of, title_of
from helpers.paper.rows import detailed_rows
from helpers.paper.sets import SETS, as_paper
from helpers.paper.two_by_two import FLAG, LOG_ODDS, effect_rows, win_rows
from helpers.paper.two_by_two import PROPERTIES as EFFECT_PROPERTIES
from helpers.plots.style import label
from helpers.rows import rows_frame
from helpers.stats import PAIRS_2X2
from helpers.words.calibration import recorded_coverage
from helpers.words.differences import corrected, interval, resolved
from helpers.words.numbers import shown
from helpers.words.sets import rows_of
from helpers.words.titles import DRAWN_SETS

CONTRASTS = (
    ("convnext_sup", "vit_sup"),
    ("convnext_clip", "vit_clip"),
    ("convnext_clip", "convnext_sup"),
    ("vit_clip", "vit_sup"),
)
INTERACTION = "first − second"
PROPERTIES = (
    ("accuracy on ImageNet (points)", "imagenet1k_val", "accuracy", "overall"),
    ("mean error ratio", "imagenet_x", "error_ratio", "mean_of_16"),
    ("shape bias", "cue_conflict", "shape_bias", "overall"),
    ("ECE on ImageNet", "imagenet1k_val", "ece", "overall"),
    ("ECE on ImageNet-R", "imagenet_r", "ece", "overall"),
    ("average over the shifted sets (points)", SHIFTED_MEAN, "accuracy", "mean_of_7"),
    ("average over the transfer tasks (points)", TRANSFER_MEAN, "accuracy", "mean_of_19"),
    ("average over PUG's factors (points)", "pug_imagenet", "accuracy", "mean_of_10"),
)
RECORDS = ("paper", "released")
WHAT = {"architecture": "ViT minus ConvNeXt", "paradigm": "CLIP minus supervised",
        "interaction": "architecture under CLIP minus under supervision"}  # fmt: skip
PANEL_UNITS = ("points", "log_odds", "ratio", "fraction")
SAYS = {"paper": "recorded", "released": "released answers", "printed": "printed numbers", "demo": "twins"}
LOSSES = ("scale", "shift", "resolution")
COVERS = {SHIFTED_MEAN: SHIFTED, TRANSFER_MEAN: VTAB}


def contrasts() -> pd.DataFrame:
    """Every property (line) by contrast (column) as text with its widest interval; "*" where it excludes zero.

    The last column is the difference of the first two; "†" where its sign on the scale of log-odds is another one.

    >>> table = contrasts()
    >>> table.shape, table.columns[0]
    ((11, 5), 'ConvNeXt-sup − ViT-sup')
    """
    index = index_rows(detailed_rows())
    lines = {title: _cells(index, *what) for title, *what in PROPERTIES}
    lines |= {f"accuracy lost under {name} (points)": _loss_cells(index, name) for name in LOSSES}
    columns = [label(" - ".join(pair)) for pair in CONTRASTS]
    return pd.DataFrame.from_dict(lines, orient="index", columns=[*columns, INTERACTION])


def architectures(table: pd.DataFrame) -> pd.DataFrame:
    """Of `contrasts`: ConvNeXt minus ViT under either paradigm, and their difference.

    >>> architectures(contrasts()).shape
    (11, 3)
    """
    return table.iloc[:, [0, 1, 4]]


def paradigms(table: pd.DataFrame) -> pd.DataFrame:
    """Of `contrasts`: CLIP minus supervised for either architecture.

    >>> paradigms(contrasts()).columns.tolist()
    ['ConvNeXt-CLIP − ConvNeXt-sup', 'ViT-CLIP − ViT-sup']
    """
    return table.iloc[:, [2, 3]]


def effects() -> pd.DataFrame:
    """The effects of the 2x2 per property as result rows, each from the best that there is on the paper's four.

    Recorded runs of the real models come first, then the released answers image by image, then the printed numbers;
    the first part of the view says which. The drawn world has no part in it.

    >>> rows = effects()
    >>> rows[rows.metric == "shape_bias"]["view"].unique().tolist()
    ['released.eval']
    """
    found = [effect_rows(index_rows(as_paper(rows_of(name), SETS["paper"])), f"{name}.eval") for name in RECORDS]
    index = index_rows(detailed_rows())
    found += [effect_rows(index, "printed.eval"), win_rows(index, "printed.eval")]
    found = [win_rows(index_rows(as_paper(rows_of("paper"), SETS["paper"])), "paper.eval"), *found]
    rows = pd.concat([each for each in found if len(each)], ignore_index=True)
    return rows_frame(rows.drop_duplicates(["model", "dataset", "metric", "group"]))


def of_twins() -> pd.DataFrame:
    """The same effects between the twins of the drawn world; no rows where the demo was not run."""
    rows = rows_of("demo")
    return effect_rows(index_rows(as_paper(rows, SETS["demo"])), "demo.eval") if len(rows) else rows


def title_of_row(row) -> str:
    """What a property is called in a figure, with the source of its numbers.

    >>> rows = effects()
    >>> title_of_row(rows[rows.dataset == "imagenet_hard"].iloc[0])
    'accuracy, ImageNet-Hard'
    >>> drawn = rows[rows.dataset == "imagenet_hard"].assign(view="demo.eval")
    >>> title_of_row(drawn.iloc[0])
    'accuracy, Hard, drawn'
    """
    metric = "accuracy" if row.metric == LOG_ODDS else row.metric
    match = [each for each in EFFECT_PROPERTIES if (each.dataset, each.metric, each.group) == (
        row.dataset, metric, row.group)]  # fmt: skip
    if not match:
        return f"{row.metric} {row.dataset} {row.group}"
    drawn = DRAWN_SETS.get(role_of(row.dataset)) if row.view.startswith("demo") else None
    return match[0].title.replace(title_of(row.dataset), f"{drawn}, drawn") if drawn else match[0].title


def name_in(rows: pd.DataFrame) -> Callable[[object], str]:
    """A function that names the property of a row, with "†" where its interaction depends on the scale.

    >>> rows = effects()
    >>> name_in(rows)(rows[rows.dataset == "imagenet_hard"].iloc[0])
    'accuracy, ImageNet-Hard †'
    """
    flagged = set(rows.dataset[(rows.metric == FLAG) & (rows.value == 1)])

    def name(row) -> str:
        turned = row.dataset in flagged and row.metric in ("accuracy", LOG_ODDS)
        return title_of_row(row) + (" †" if turned else "")

    return name


def coverage() -> pd.DataFrame:
    """Seen coverage (percent) of the paired intervals of the three effects, from the recorded simulation.

    >>> coverage().shape
    (3, 4)
    """
    table = recorded_coverage()
    wide = {}
    for scale, title in (("points", "points"), ("log_odds", "log-odds")):
        for effect in WHAT:
            mine = table[table.metric == f"{effect}_{scale}"]
            wide |= {(f"{title}, n = {row.n:,}", effect): 100 * row.coverage for row in mine.itertuples()}
    return pd.Series(wide).unstack(0).loc[list(WHAT)]


def answer(rows: pd.DataFrame) -> str:
    """What the 2x2 shows, as Markdown: how often each effect is resolved, flagged interactions, wins, sources."""
    said = []
    for name, what in WHAT.items():
        mine = rows[(rows.model == name) & rows.unit.isin(PANEL_UNITS) & (rows.unit != "log_odds")]
        known = mine[mine.ci_low.notna()]
        excluded, kept = int(resolved(known).sum()), int(corrected(known).sum())
        said.append(f"- **{name.capitalize()}** ({what}): the interval excludes zero in {excluded} of {len(known)} "
                    f"properties that have one, in {kept} after Holm's correction.")  # fmt: skip
    flagged = rows[(rows.metric == FLAG) & (rows.value == 1)]
    names = ", ".join(title_of_row(row._replace(metric="accuracy")) for row in flagged.itertuples())
    said.append(f"- The sign of an interaction depends on the scale for: {names or 'none'}.")
    won = rows[rows.metric == "wins"].set_index("model").value
    if len(won):
        parts = [f"{label(first)} is ahead of {label(second)} in {won[f'{first} - {second}']:g}"
                 for first, second in PAIRS_2X2]  # fmt: skip
        said.append(f"- Of {len(VTAB)} transfer tasks, {'; '.join(parts)}. Tasks were chosen, not drawn: a count, "
                    "no interval.")  # fmt: skip
    sources = rows["view"].str.partition(".")[0].map(SAYS).value_counts()
    tail = ", ".join(f"{name}: {number}" for name, number in sources.items())
    return "\n".join(said) + f"\n\nRows by where their numbers come from: {tail}."


def _cells(index: Index, dataset: str, metric: str, group: str) -> list[str]:
    found = [_contrast(index, *pair, dataset, metric, group) for pair in CONTRASTS]
    return [*map(_text, found), _interaction(index, found, dataset, metric, group)]


def _contrast(index: Index, first: str, second: str, dataset: str, metric: str, group: str) -> Estimate | None:
    if dataset in COVERS:
        return mean_contrast(index, first, second, dataset, COVERS[dataset])
    return contrast(index, first, second, dataset, metric, group)


def _interaction(index: Index, found: list[Estimate], dataset: str, metric: str, group: str) -> str:
    if found[0] is None or found[1] is None:
        return "–"
    both = combine([(1, found[0]), (-1, found[1])], same_images=True)
    turned = metric == "accuracy" and _log_odds(index, dataset, group) * both.value < 0
    return _text(both) + (" †" if turned else "")


def _log_odds(index: Index, dataset: str, group: str) -> float:
    """The interaction on the scale of log-odds."""
    signs = {"convnext_sup": 1, "vit_sup": -1, "convnext_clip": -1, "vit_clip": 1}
    shares = {model: find(index, model, dataset, "accuracy", group)["value"] / 100 for model in signs}
    return sum(sign * math.log(shares[model] / (1 - shares[model])) for model, sign in signs.items())


def _loss_cells(index: Index, transform: str) -> list[str]:
    """Loss of the first minus loss of the second model of each pair (points); the interaction without interval."""
    parts = [drop_smaller(index, second, first, transform) for first, second in CONTRASTS]
    cells = [_shown(part.effect, part.ci_low, part.ci_high, "points") for part in parts]
    return [*cells, f"{parts[0].effect - parts[1].effect:+.1f}"]


def _text(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    ends = interval(estimate)
    unit = "points" if estimate.unit == "percent" else estimate.unit
    return _shown(ends["value"], ends["ci_low"], ends["ci_high"], unit)


def _shown(value: float, low: float | None, high: float | None, unit: str) -> str:
    text = shown({"value": value, "ci_low": low, "ci_high": high, "unit": unit}, signed=True).replace(" points", "")
    return text + (" *" if low is not None and (low > 0 or high < 0) else "")
