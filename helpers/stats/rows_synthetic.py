"""Result rows of section 7: accuracy per factor and per level of a factor, whole assets drawn anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.metrics.basics import align_predictions, is_correct
from helpers.stats.estimates import Estimates, finished, pair_rows, scale_flag_rows, share_contrast_rows, value_rows
from helpers.stats.resample import image_weights, units_in
from helpers.stats.rows_accuracy import clustered_counts

OVERALL, MAPPED = "overall", "mapped_predictions"
ASSET, CLASS, CROSSED = "asset", "class", "asset x background"
FACTS = ("group", "level", "asset", "background")


def synthetic_rows(
    predictions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "pug_imagenet",
    view: str = "paper.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
    metric: str = "accuracy",
) -> pd.DataFrame:
    """A share in percent per factor (column group), per "factor:level", "mean_of_10" and "overall"; paired contrasts.

    Images of an asset are drawn together (where the data name no asset: those of a class). A factor seen against
    several backgrounds has a second interval, "asset x background", for which both are drawn. An image without label
    is wrong (the paper's rule, PUG's Shirt). metric: accuracy and the like read label and pred; mapped_predictions
    reads the column mapped. Contrasts in points and log-odds by factor; of the 2x2 for the mean.
    Source: paper, section 4.5; Bordes et al. 2023.

    >>> frame = pd.DataFrame({"image_id": list("abcd"), "label": [[1], [1], [], [2]], "pred": [1, 1, 1, 2],
    ...                       "group": ["Worlds", "Worlds", "Camera_Yaw", "Camera_Yaw"], "asset": list("xyxy")})
    >>> rows = synthetic_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> dict(zip(rows.group, rows.value))
    {'Camera_Yaw': 50.0, 'Worlds': 100.0, 'mean_of_2': 75.0, 'overall': 75.0}
    """
    if not predictions_by_model:
        return finished([])
    frames = {model: frame.assign(hit=_hits(frame, metric)) for model, frame in predictions_by_model.items()}
    right = align_predictions(frames, "hit").astype(bool)
    about = _about(next(iter(frames.values()))).reindex(right.index)
    resampled = ASSET if about["asset"].notna().all() else CLASS
    unit = about["asset" if resampled == ASSET else "class"]
    cells = cells_of(about)
    counted = clustered_counts(
        right.to_numpy(), cells["code"].to_numpy(), len(cells.attrs["names"]), unit, n_resamples, rng
    )
    there = units_in(unit, cells["code"].to_numpy(), len(cells.attrs["names"]))
    what = (metric, dataset, view, resampled)
    each = cell_estimates(counted, there, cells.attrs["names"], tuple(right.columns), what)
    mean = next((name for name in each["factors"].groups if name.startswith("mean_of_")), OVERALL)
    rows = value_rows(each["factors"]) + value_rows(each["levels"])
    rows += share_contrast_rows(each["factors"], pairs, mean) + scale_flag_rows(each["factors"], mean)
    for factor in sorted(set(about["group"].dropna())):
        crossed = _crossed(right, about, factor, each["factors"], n_resamples, rng)
        rows += value_rows(crossed) + pair_rows(crossed, pairs) if crossed else []
    return finished(rows)


def _hits(frame: pd.DataFrame, metric: str) -> np.ndarray:
    """Whether each image counts: its prediction is a label of it, or (mapped_predictions) that of some class."""
    if metric == MAPPED:
        return frame["mapped"].to_numpy(dtype=bool)
    has = frame["label"].map(len).to_numpy() > 0
    found = np.zeros(len(frame), dtype=bool)
    found[has] = is_correct(frame["pred"].to_numpy()[has], frame["label"][has])
    return found


def _about(frame: pd.DataFrame) -> pd.DataFrame:
    """What is known of each image (index image_id): group, level, asset, background, class (its labels)."""
    facts = frame.set_index("image_id").reindex(columns=list(FACTS))
    return facts.assign(**{"class": [tuple(label) for label in frame["label"]]})


def cells_of(about: pd.DataFrame) -> pd.DataFrame:
    """Code of each image's cell (factor and level; all images of no known factor share one); attrs["names"] has both.

    >>> about = pd.DataFrame({"group": ["Camera_Yaw", "Camera_Yaw", None], "level": ["90", "-45", None]})
    >>> cells = cells_of(about)
    >>> cells["code"].tolist(), cells.attrs["names"]
    ([1, 0, 2], [('Camera_Yaw', '-45'), ('Camera_Yaw', '90'), (None, None)])
    """
    level = about["level"].where(about["group"].notna(), None)
    keys = [(_known(factor), _known(each)) for factor, each in zip(about["group"], level, strict=True)]
    names = sorted(set(keys), key=lambda key: (key[0] is None, key[0] or "", *level_order(key[1])))
    place = {name: at for at, name in enumerate(names)}
    cells = pd.DataFrame({"code": [place[key] for key in keys]}, index=about.index)
    cells.attrs["names"] = names
    return cells


def level_order(level: str | None) -> tuple[int, float, str]:
    """Where a level stands among those of its factor: numbers by size, then words, then what is not known.

    >>> sorted(["Night", "90", "-45", None], key=level_order)
    ['-45', '90', 'Night', None]
    """
    if level is None:
        return 2, 0.0, ""
    try:
        return 0, float(level), level
    except ValueError:
        return 1, 0.0, level


def cell_estimates(
    counted: tuple, there: np.ndarray, names: list[tuple], models: tuple[str, ...], what: tuple
) -> dict[str, Estimates]:
    """Estimates of "factors" (with their mean and all images) and of "levels", from counts of cells.

    there: which unit has images in which cell, bool (units, cells).
    """
    k, n, k_samples, n_samples = counted
    factors = list(dict.fromkeys(factor for factor, _ in names if factor is not None))
    member = np.array(
        [[factor == name for name, _ in names] for factor in factors] + [[True] * len(names)], dtype=float
    )
    shares = (member @ k) / (member @ n)[:, None]
    draws = _ratio(np.einsum("gc,rcm->rgm", member, k_samples), (n_samples @ member.T)[..., None])
    counts, units = member @ n, (there @ member.T > 0).sum(axis=0)
    if len(factors) > 1:  # the mean over factors stands before the total
        shares, draws = (
            np.insert(each, len(factors), each[..., : len(factors), :].mean(axis=-2), axis=-2)
            for each in (shares, draws)
        )
        counts = np.insert(counts, len(factors), counts[: len(factors)].sum())
        units = np.insert(units, len(factors), units[-1])
    means = [f"mean_of_{len(factors)}"] if len(factors) > 1 else []
    whole = replace(_estimates(what, models, (*factors, *means, OVERALL), shares, draws, counts), units=units)
    kept = [at for at, (factor, level) in enumerate(names) if factor is not None and level is not None]
    groups = tuple(f"{names[at][0]}:{names[at][1]}" for at in kept)
    values, samples = k[kept] / n[kept, None], _ratio(k_samples[:, kept], n_samples[:, kept, None])
    levels = replace(_estimates(what, models, groups, values, samples, n[kept]), units=there[:, kept].sum(axis=0))
    return {"factors": whole, "levels": levels}


def _crossed(right, about, factor, each: Estimates, n_resamples: int, rng) -> Estimates | None:
    """The same share with assets and backgrounds both drawn; None where either is not known, or only one.

    A resample weighs the cell of asset a and background b by how often a and b were drawn (pigeonhole bootstrap).
    """
    mine = (about["group"] == factor).to_numpy()
    part = about[mine]
    if (
        part[["asset", "background"]].isna().any(axis=None)
        or part["asset"].nunique() < 2
        or part["background"].nunique() < 2
    ):
        return None
    (row, assets), (column, backgrounds) = (pd.factorize(part[name]) for name in ("asset", "background"))
    table = np.zeros((right.shape[1] + 1, len(assets), len(backgrounds)), dtype=np.float32)
    hits = np.column_stack([right.to_numpy()[mine], np.ones(len(part))])
    np.add.at(table, (slice(None), row, column), hits.T)
    drawn_assets, drawn_backgrounds = (image_weights(len(found), n_resamples, rng) for found in (assets, backgrounds))
    sums = np.einsum("mra,ra->rm", np.einsum("rb,mab->mra", drawn_backgrounds, table, optimize=True), drawn_assets)
    samples = _ratio(sums[:, :-1], sums[:, -1:])[..., None]
    at = each.groups.index(factor)
    return replace(
        each, resampled=CROSSED, groups=(factor,), values=each.values[:, [at]], samples=samples, n=each.n[:, [at]],
        n_paired=each.n_paired[[at]], units=None,
    )  # fmt: skip


def _estimates(what: tuple, models, groups, shares: np.ndarray, draws: np.ndarray, counts: np.ndarray) -> Estimates:
    metric, dataset, view, resampled = what
    n = np.broadcast_to(counts.astype(int), (len(models), len(groups)))
    return Estimates(
        metric, "percent", dataset, view, resampled, models, groups, shares.T, np.swapaxes(draws, 1, 2), n, n[0]
    )  # fmt: skip


def _ratio(successes: np.ndarray, n: np.ndarray) -> np.ndarray:
    return successes / np.where(n > 0, n, np.nan)


def _known(value) -> str | None:
    return None if value is None or value != value else str(value)
