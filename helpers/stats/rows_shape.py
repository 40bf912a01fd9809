"""Result rows of section 3: shape bias, its counts and the 16-category accuracy, with both intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.metrics.shape import align_decisions, shape_bias, shape_counts
from helpers.stats.estimates import Estimates, finished, scale_flag_rows, share_contrast_rows, value_rows
from helpers.stats.resample import crossed_weights, image_weights

IMAGE, CROSSED = "image", "shape exemplar x texture exemplar"
CROSSED_SUBJECT = f"{CROSSED} x subject"
HUMANS = "humans"
OVERALL = "overall"


def people_among(models: Sequence[str]) -> list[str]:
    """Keys of single people, who are also pooled as "humans": those that start with `human_`.

    >>> people_among(["mae", "human_01"])
    ['human_01']
    """
    return [model for model in models if model.startswith("human_")]


def exemplar_weights(images: pd.DataFrame, n_resamples: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights (resamples, images) of both kinds: "image", and "shape exemplar x texture exemplar"."""
    return {
        IMAGE: image_weights(len(images), n_resamples, rng),
        CROSSED: crossed_weights([images.shape_exemplar, images.texture_exemplar], n_resamples, rng),
    }


def shape_rows(
    decisions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "cue_conflict",
    view: str = "released.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Shape bias per category, pooled ("overall") and as mean over categories, with both intervals; contrasts.

    decisions_by_model: key -> decisions frame (image_id, shape, texture, decision). Metric shape_bias, a fraction;
    n counts shape and texture decisions, for contrasts the conflict images. People (`human_*`) are also pooled as
    "humans", whose crossed interval resamples people too. Source: Geirhos et al. 2019.

    >>> frame = pd.DataFrame({"image_id": ["cat1-dog2.png", "dog1-cat2.png"], "shape": ["cat", "dog"],
    ...                       "texture": ["dog", "cat"], "decision": ["cat", "cat"]})
    >>> rows = shape_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20)
    >>> rows[(rows.group == "overall") & (rows.resampled == "image")].value.tolist()
    [0.5]
    """
    if not decisions_by_model:
        return finished([])
    images, decisions = _conflict(decisions_by_model)
    chose = _indicators(images, decisions)
    people = people_among(decisions.columns)
    meta = {"dataset": dataset, "view": view}
    rows = []
    for resampled, weights in exemplar_weights(images, n_resamples, rng).items():
        samples = _bias_samples(weights, chose, images)
        each = _estimates(chose, samples, images, tuple(decisions.columns), resampled, meta)
        rows += value_rows(each) + share_contrast_rows(each, pairs)
        if people:
            who = [decisions.columns.get_loc(person) for person in people]
            rows += value_rows(_humans(weights, chose[:, who], images, resampled, meta, rng))
    return finished(rows + scale_flag_rows(each))


def shape_count_rows(
    decisions_by_model: Mapping[str, pd.DataFrame], dataset: str = "cue_conflict", view: str = "released.eval"
) -> pd.DataFrame:
    """Decisions per category and overall: metrics n_shape, n_texture, n_other, n_same_excluded; unit count.

    n is all decisions of the group.

    >>> frame = pd.DataFrame({"image_id": ["cat1-dog2.png", "dog1-cat2.png"], "shape": ["cat", "dog"],
    ...                       "texture": ["dog", "cat"], "decision": ["cat", "cat"]})
    >>> rows = shape_count_rows({"vit_sup": frame})
    >>> rows[rows.group == "overall"].value.tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    named = dict(decisions_by_model)
    people = people_among(list(named))
    if people:
        named[HUMANS] = pd.concat([named[person] for person in people])
    rows = []
    for model, frame in named.items():
        counts = shape_counts(frame)
        counts.loc[OVERALL] = counts.sum()
        n = counts.sum(axis=1)
        base = {"model": model, "dataset": dataset, "view": view, "unit": "count", "resampled": "none"}
        rows += [
            {**base, "metric": metric, "group": group, "value": float(count), "n": int(n[group])}
            for metric in counts
            for group, count in counts[metric].items()
        ]
    return finished(rows)


def category_accuracy_rows(
    decisions_by_model: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
    n_resamples: int = 2000,
    dataset: str = "cue_conflict",
    view: str = "released.eval",
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Accuracy among the 16 categories, percent: group "conflict" (1,200 images) and "all" (1,280); contrasts.

    Both intervals, as in `shape_rows`. Source: Geirhos et al. 2019.

    >>> frame = pd.DataFrame({"image_id": ["cat1-dog2.png", "dog1-cat2.png"], "shape": ["cat", "dog"],
    ...                       "texture": ["dog", "cat"], "decision": ["cat", "cat"]})
    >>> category_accuracy_rows({"vit_sup": frame}, np.random.default_rng(0), n_resamples=20).value.tolist()
    [50.0, 50.0, 50.0, 50.0]
    """
    if not decisions_by_model:
        return finished([])
    images, decisions = align_decisions(decisions_by_model)
    right = decisions.eq(images["shape"], axis=0).to_numpy(dtype=np.float32)
    masks = np.stack([images.conflict, np.ones(len(images))], axis=1).astype(np.float32)
    columns = (right[:, :, None] * masks[:, None, :]).reshape(len(images), -1)
    size = masks.sum(axis=0).astype(int)
    shares = (columns.sum(axis=0).reshape(-1, 2)) / np.where(size, size, np.nan)
    rows = []
    for resampled, weights in exemplar_weights(images, n_resamples, rng).items():
        totals = weights @ masks
        samples = (weights @ columns).reshape(n_resamples, -1, 2) / np.where(totals > 0, totals, np.nan)[:, None, :]
        each = Estimates(
            "accuracy", "percent", dataset, view, resampled, tuple(decisions.columns), ("conflict", "all"),
            shares, samples, np.broadcast_to(size, shares.shape), size,
        )  # fmt: skip
        rows += value_rows(each) + share_contrast_rows(each, pairs, "conflict")
    return finished(rows + scale_flag_rows(each, "conflict"))


def _conflict(decisions_by_model: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    images, decisions = align_decisions(decisions_by_model)
    return images[images.conflict], decisions[images.conflict]


def _indicators(images: pd.DataFrame, decisions: pd.DataFrame) -> np.ndarray:
    """Whether shape (0) or texture (1) was chosen: float32 (images, observers, 2)."""
    parts = [decisions.eq(images[cue], axis=0).to_numpy(dtype=np.float32) for cue in ("shape", "texture")]
    return np.stack(parts, axis=2)


def _by_category(images: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Categories, and which image has which shape category: float32 (images, categories)."""
    codes, names = pd.factorize(images["shape"], sort=True)
    return list(names), np.eye(len(names), dtype=np.float32)[codes]


def _counts(weights: np.ndarray, chose: np.ndarray, images: pd.DataFrame) -> np.ndarray:
    """Weighted shape and texture decisions: (resamples, observers, categories, 2)."""
    _, member = _by_category(images)
    columns = (chose[:, :, None, :] * member[:, None, :, None]).reshape(len(images), -1)
    return (weights @ columns).reshape(len(weights), chose.shape[1], member.shape[1], 2)


def _bias(counts: np.ndarray) -> np.ndarray:
    """Shape bias per category, overall and mean over categories from (..., categories, 2): (..., categories + 2)."""
    per_category = shape_bias(counts[..., 0], counts[..., 1])
    pooled = counts.sum(axis=-2)
    overall = shape_bias(pooled[..., 0], pooled[..., 1])
    return np.concatenate([per_category, overall[..., None], per_category.mean(axis=-1)[..., None]], axis=-1)


def _bias_samples(weights: np.ndarray, chose: np.ndarray, images: pd.DataFrame) -> np.ndarray:
    return _bias(_counts(weights, chose, images))


def _estimates(chose, samples, images, models, resampled, meta) -> Estimates:
    names, member = _by_category(images)
    counts = _counts(np.ones((1, len(images)), np.float32), chose, images)[0]
    size = member.sum(axis=0).astype(int)
    decided = counts.sum(axis=2)
    n = np.concatenate([decided, np.repeat(decided.sum(axis=1, keepdims=True), 2, axis=1)], axis=1)
    return Estimates(
        "shape_bias", "fraction", meta["dataset"], meta["view"], resampled, models,
        (*names, OVERALL, f"mean_of_{len(names)}"), _bias(counts), samples, n,
        np.append(size, [size.sum(), size.sum()]),
    )  # fmt: skip


def _humans(weights, chose, images, resampled, meta, rng) -> Estimates:
    """People pooled as one observer; the crossed weights also draw people."""
    pooled = chose.sum(axis=1, keepdims=True)
    if resampled == IMAGE:
        samples = _bias_samples(weights, pooled, images)
        return _estimates(pooled, samples, images, (HUMANS,), resampled, meta)
    subjects = image_weights(chose.shape[1], len(weights), rng)
    counts = np.einsum("bs,bsck->bck", subjects, _counts(weights, chose, images))[:, None]
    return _estimates(pooled, _bias(counts), images, (HUMANS,), CROSSED_SUBJECT, meta)
