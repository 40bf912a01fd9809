"""Result rows of "head or representation?": the same embeddings under their own, refitted and other text heads.

`group` names the head. Heads and temperatures are fitted on one half of the validation images and judged on the other.
Models are compared image by image, so only images that all of them have are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

from helpers.labels import category_decision
from helpers.metrics import calibration
from helpers.metrics.agreement import attainable_kappa, kappa_from_rates
from helpers.metrics.basics import is_correct
from helpers.metrics.heads import probabilities, read_out
from helpers.models import resolve
from helpers.predict import Embedded
from helpers.rows import select
from helpers.stats.estimates import Estimates, finished, pair_rows, value_rows
from helpers.stats.head_fits import Fit, fit_heads, kept, same_images
from helpers.stats.intervals import basic_interval, wilson_interval
from helpers.stats.resample import image_weights
from helpers.stats.rows_calibration import error_samples
from helpers.stats.rows_mistakes import mistakes_rows
from helpers.stats.rows_shape import CROSSED, shape_rows

OWN, LINEAR, LEARNED, FITTED = "own head", "linear head", "own head, learned scale", "own head, fitted temperature"
LINEAR_FITTED = "linear head, fitted temperature"
CONSTANT = 100.0  # the factor on cosines that the paper's code uses
CHUNK = 250
_JOIN = " | "


def same_architecture(models: Sequence[str]) -> list[tuple[str, str]]:
    """Every CLIP model with the supervised one of its family: (CLIP, supervised).

    >>> same_architecture(["convnext_sup", "vit_sup", "vit_clip"])
    [('vit_clip', 'vit_sup')]
    """
    specs = {model: resolve(model) for model in models}
    of = {(spec.family, spec.paradigm): model for model, spec in specs.items()}
    return [
        (model, of[family, "sup"]) for (family, kind), model in of.items() if kind == "clip" and (family, "sup") in of
    ]


def head_rows(
    val: Mapping[str, Embedded], rng: np.random.Generator, n_resamples: int = 1000,
    renditions: Mapping[str, Embedded] | None = None, cues: Mapping[str, Embedded] | None = None,
    factors: pd.Series | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Accuracy, ECE, signed gap, temperature, kappa, shape bias and mean error ratio by head (`group`).

    `val`, `renditions`, `cues`: embeddings by model; `factors`: top factor by image_id. Models of one architecture are
    also compared, "CLIP - supervised" and "CLIP ~ supervised" (kappa), on the same images under the same head.
    Intervals: images, or exemplars for the shape bias. No rows without embeddings, none of a linear head where no class
    has three images. Raises BookError where models have no image in common.

    >>> len(head_rows({}, np.random.default_rng(0)))
    0
    """
    if not val:
        return finished([])
    val = same_images(val)
    fits, tested = fit_heads(val)
    judged = {model: kept(each, tested[model]) for model, each in val.items()}
    answers, example = _answers(judged, fits), next(iter(judged.values()))
    rows = _temperature_rows(judged, fits) + _calibration_rows(answers, rng, n_resamples, example)
    rows += _kappa_rows(answers, rng, n_resamples, example)
    shifted = same_images({model: each for model, each in (renditions or {}).items() if model in fits})
    if shifted:
        rows += _calibration_rows(_answers(shifted, fits), rng, n_resamples, next(iter(shifted.values())))
    seen = {model: each for model, each in (cues or {}).items() if model in fits}
    tables = [
        finished(rows),
        _shape(seen, fits, rng, n_resamples),
        _ratios(answers, example, factors, rng, n_resamples),
    ]
    return finished(list(chain.from_iterable(table.to_dict("records") for table in tables)))


def _heads(each: Embedded, fit: Fit) -> dict[str, tuple]:
    """{name of a head: (weight, bias, {name of a reading: factor on its logits})}."""
    own = {OWN: 1.0, FITTED: 1 / fit.temperature}
    if each.learned_scale is not None:
        own[LEARNED] = each.learned_scale / CONSTANT
    heads = {OWN: (each.weight, each.bias, own)}
    if fit.weight is not None:
        heads[LINEAR] = (fit.weight, fit.bias, {LINEAR: 1.0, LINEAR_FITTED: 1 / fit.linear_temperature})
    for n, weight in each.prompts.items():
        name = f"{n} template{'s' * (n > 1)}"
        heads[name] = (CONSTANT * weight, None, {name: 1.0})
    return heads


def _answers(sets: Mapping[str, Embedded], fits: Mapping[str, Fit]) -> dict[tuple[str, str], pd.DataFrame]:
    """{(model, reading): predictions frame}."""
    found = {}
    for model, each in sets.items():
        for weight, bias, scales in _heads(each, fits[model]).values():
            pred, stated = read_out(each.features, weight, bias, each.classes, tuple(scales.values()))
            for name, confidence in zip(scales, stated, strict=True):
                found[model, name] = each.frame[["image_id", "label"]].assign(pred=pred, confidence=confidence)
    return found


def _calibration_rows(answers, rng, n_resamples, example: Embedded) -> list[dict]:
    """Accuracy, ECE and signed gap of every reading, all on the same draws, and CLIP minus supervised."""
    right = np.stack([is_correct(frame.pred, frame.label) for frame in answers.values()], axis=1)
    stated = np.stack([frame.confidence for frame in answers.values()], axis=1)
    edges = {"ece": [calibration.equal_width_edges()] * right.shape[1]}
    found = error_samples(stated, right, edges, n_resamples, rng)
    draws = [image_weights(len(right), min(CHUNK, n_resamples - at), rng) @ right.astype(np.float32) / len(right)
             for at in range(0, n_resamples, CHUNK)]  # fmt: skip
    found["accuracy"] = (right.mean(axis=0), np.concatenate(draws))
    wilson = wilson_interval(right.sum(axis=0)[:, None], len(right))
    ways = {"ece": partial(basic_interval, floor=0.0), "signed_gap": None, "accuracy": lambda *_: wilson}
    rows = []
    for metric, (values, samples) in found.items():
        each = _estimates(metric, values, samples, answers, example, "percent" if metric == "accuracy" else "fraction")
        rows += value_rows(each, ways[metric])
        rows += pair_rows(each, _pairs(answers), basic_interval if metric == "ece" else None)
    return _by_head(rows)


def _estimates(metric, values, samples, answers, example: Embedded, unit: str, names=None) -> Estimates:
    names = [_JOIN.join(key) for key in answers] if names is None else names
    n = np.full((len(names), 1), len(example.frame))
    return Estimates(metric, unit, example.dataset, example.view, "image", tuple(names), ("overall",),
                     np.asarray(values)[:, None], np.asarray(samples)[:, :, None], n, n[0])  # fmt: skip


def _pairs(answers) -> list[tuple[str, str]]:
    """CLIP minus supervised of one architecture under one reading, as names of `_estimates`."""
    readings = dict.fromkeys(name for _, name in answers)
    models = list(dict.fromkeys(model for model, _ in answers))
    return [
        (f"{first}{_JOIN}{name}", f"{second}{_JOIN}{name}")
        for first, second in same_architecture(models) for name in readings
        if (first, name) in answers and (second, name) in answers
    ]  # fmt: skip


def _by_head(rows: list[dict]) -> list[dict]:
    """Names "model | reading" taken apart: the reading becomes the group."""
    found = []
    for row in rows:
        for sign in (" - ", " ~ ", ""):
            if sign and sign not in row["model"]:
                continue
            parts = [name.split(_JOIN) for name in (row["model"].split(sign) if sign else [row["model"]])]
            found.append({**row, "model": sign.join(part[0] for part in parts), "group": parts[0][1]})
            break
    return found


def _temperature_rows(judged: Mapping[str, Embedded], fits: Mapping[str, Fit]) -> list[dict]:
    rows = []
    for model, each in judged.items():
        base = {"model": model, "dataset": each.dataset, "view": each.view, "metric": "temperature", "unit": "ratio",
                "n": None, "resampled": "none", "ci_low": None, "ci_high": None}  # fmt: skip
        found = {OWN: fits[model].temperature}
        if fits[model].linear_temperature is not None:
            found[LINEAR] = fits[model].linear_temperature
        if each.learned_scale is not None:
            found[LEARNED] = CONSTANT / each.learned_scale
        rows += [{**base, "group": group, "value": value} for group, value in found.items()]
    return rows


def _kappa_rows(answers, rng, n_resamples, example: Embedded) -> list[dict]:
    """Do CLIP and supervised model of one architecture err on the same images, under own and under linear heads?"""
    rows = []
    for first, second in [pair for pair in _pairs(answers) if pair[0].endswith((_JOIN + OWN, _JOIN + LINEAR))]:
        right = [is_correct(answers[tuple(key.split(_JOIN))].pred, example.frame["label"]) for key in (first, second)]
        cells = np.array([(a & b).sum() for a in (right[0], ~right[0]) for b in (right[1], ~right[1])])
        n, draws = cells.sum(), rng.multinomial(cells.sum(), cells / cells.sum(), size=n_resamples) / cells.sum()
        value, samples = (_kappa(part) for part in (cells / n, draws))
        name = [f"{first} ~ {second}"]
        rows += value_rows(_estimates("kappa", [value], samples[:, None], answers, example, "fraction", name))
        for metric, end in zip(("kappa_min", "kappa_max"), attainable_kappa(*(r.mean() for r in right)), strict=True):
            each = _estimates(metric, [end], np.full((1, 1), end), answers, example, "fraction", name)
            rows += [{**row, "ci_low": None, "ci_high": None, "resampled": "none"} for row in value_rows(each)]
    return _by_head(rows)


def _kappa(cells: np.ndarray) -> np.ndarray:
    both, first, second = (cells[..., i] for i in (0, 1, 2))
    return kappa_from_rates(both + cells[..., 3], both + first, both + second)


def _shape(cues: Mapping[str, Embedded], fits, rng, n_resamples) -> pd.DataFrame:
    """Shape bias by head: pictures drawn anew, crossed."""
    decisions = {}
    for model, each in cues.items():
        for name, (weight, bias, _) in _heads(each, fits[model]).items():
            decided = category_decision(probabilities(each.features, weight, bias), each.categories)
            decisions[model, name] = each.frame[["image_id", "shape", "texture"]].assign(decision=decided)
    if not decisions:
        return finished([])
    example = next(iter(cues.values()))
    named = {_JOIN.join(key): frame for key, frame in decisions.items()}
    rows = shape_rows(named, rng, n_resamples, example.dataset, example.view, _pairs(decisions))
    rows = select(rows, metric="shape_bias", group="overall", resampled=CROSSED)
    return finished(_by_head(rows.to_dict("records")))


def _ratios(answers, example: Embedded, factors: pd.Series | None, rng, n_resamples) -> pd.DataFrame:
    """Mean error ratio over the top factors by head; a temperature changes no answer."""
    if factors is None:
        return finished([])
    answers = {key: frame for key, frame in answers.items() if "," not in key[1]}
    named = {_JOIN.join(key): frame for key, frame in answers.items()}
    rows = mistakes_rows(named, rng, n_resamples, example.dataset, example.view, _pairs(answers), factors)
    rows = rows[(rows.metric == "error_ratio") & rows.group.str.startswith("mean_of_")]
    return finished(_by_head(rows.to_dict("records")))
