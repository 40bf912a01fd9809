"""Published formats: the model-vs-human decisions and the ImageNet-X predictions, in and out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from helpers.errors import BookError
from helpers.labels import sixteen_categories
from helpers.store import csv_lines
from helpers.store.frames import N_CLASSES, PROBABILITY_TOLERANCE, canonical_order, from_table, to_table

MODEL_VS_HUMAN = ("subj", "session", "trial", "rt", "object_response", "category", "condition", "imagename")
IMAGENET_X = ("file_name", "predicted_class", "predicted_probability")
CONFLICT_IMAGES, VALIDATION_IMAGES = 1280, 50_000
# People's names carry the trial before the image (0001_s5n_s01_0_bird_00_bird3-bird2.png): the image comes last.
_IMAGE = re.compile(r"(?:.*[_/])?(([a-z]+)[0-9]+-([a-z]+)[0-9]+\.png)")
_NUMBER = r"[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?"


def import_model_vs_human(path: Path, n: int | None = CONFLICT_IMAGES) -> pd.DataFrame:
    """Decisions frame of one observer from a model-vs-human CSV file, sorted by image_id.

    image_id, shape (= category), texture, decision (a category or "na", no answer), and for people rt in seconds.
    `n`: rows expected (None: any). Raises BookError with file and line. Source: Geirhos et al. 2021, raw-data.
    """
    path, categories = Path(path), sixteen_categories()
    table = csv_lines.read_csv(path, MODEL_VS_HUMAN, n)
    columns = {name: table.column(name).to_pylist() for name in MODEL_VS_HUMAN}
    ids, textures = [], []
    for line, (name, category) in enumerate(zip(columns["imagename"], columns["category"], strict=True), start=2):
        match = _IMAGE.fullmatch(name)
        if not match or match[2] not in categories or match[3] not in categories:
            csv_lines.refuse(path, line, f"imagename like airplane1-bicycle2.png, found {name[:80]!r}")
        if match[2] != category:
            csv_lines.refuse(path, line, f"the category {match[2]} of {name}, found {category[:40]!r}")
        ids.append(match[1])
        textures.append(match[3])
    csv_lines.check_unique(path, ids)
    _check_observer(path, columns["subj"], columns["object_response"])
    frame = {"image_id": ids, "shape": columns["category"], "texture": textures, "decision": columns["object_response"]}
    times = [_reaction_time(path, line, text) for line, text in enumerate(columns["rt"], start=2)]
    if not np.isnan(times).all():
        frame["rt"] = times
    return _canonical(pd.DataFrame(frame), path, "decisions")


def _check_observer(path: Path, subjects: list[str], decisions: list[str]) -> None:
    allowed = {*sixteen_categories(), "na"}
    for line, (subject, decision) in enumerate(zip(subjects, decisions, strict=True), start=2):
        if subject != subjects[0]:
            csv_lines.refuse(path, line, f"one observer per file ({subjects[0]!r}), found {subject[:40]!r}")
        if decision not in allowed:
            csv_lines.refuse(path, line, f"one of the 16 categories or na, found {decision[:40]!r} (unknown class)")


def _reaction_time(path: Path, line: int, text: str) -> float:
    if text == "NaN":
        return np.nan
    if not re.fullmatch(_NUMBER, text):
        csv_lines.refuse(path, line, f"rt in seconds or NaN, found {text[:40]!r}")
    return float(text)


def _canonical(frame: pd.DataFrame, path: Path, kind: str) -> pd.DataFrame:
    return from_table(canonical_order(to_table(frame, str(path), kind), None, str(path)))


def export_model_vs_human(frame: pd.DataFrame, path: Path, subject: str) -> Path:
    """Write a decisions frame as a model-vs-human CSV file; returns the path.

    Sorted by image_id, one session, trials counted from 1, condition NaN, lines ended by \\r\\n, as in the published
    files of models, which come back byte for byte. People's come back with their answers and rt, but with plain
    image names, in this order. Raises BookError for a malformed frame or a subject that reads as a formula.
    """
    thing = f"decisions of {subject}"
    table = canonical_order(to_table(frame, thing, "decisions", sixteen_categories()), None, thing)
    frame = from_table(table)
    times = frame["rt"] if "rt" in frame else pd.Series(np.nan, frame.index)
    rows = [
        (subject, "1", str(trial), "NaN" if np.isnan(rt) else repr(float(rt)), decision, shape, "NaN", image)
        for trial, (image, shape, decision, rt) in enumerate(
            zip(frame["image_id"], frame["shape"], frame["decision"], times, strict=True), start=1
        )
    ]
    return csv_lines.write_csv(path, MODEL_VS_HUMAN, rows, line_end="\r\n")


def import_imagenet_x(
    path: Path, labels: Mapping[str, int] | pd.Series, n: int | None = VALIDATION_IMAGES
) -> pd.DataFrame:
    """Predictions frame from an ImageNet-X CSV file (`file_name,predicted_class,predicted_probability`).

    `labels`: ILSVRC index by official file name; p_true is null, since the format has none. Probabilities up to
    1 + 1e-6 become 1 (float32 rounding). `n`: rows expected (None: any). Sorted by image_id. Raises BookError with
    file and line. Source: imagenet-x, model_predictions.
    """
    path, truth = Path(path), pd.Series(labels)
    table = csv_lines.read_csv(path, IMAGENET_X, n)
    names, classes, probabilities = (table.column(name) for name in IMAGENET_X)
    ids = names.to_pylist()
    places = truth.index.get_indexer(ids)
    csv_lines.refuse_first(path, places < 0, names, "a file name of the validation set")
    csv_lines.check_unique(path, ids)
    frame = {
        "image_id": ids,
        "label": [[label] for label in truth.to_numpy()[places].tolist()],
        "pred": _classes(path, classes),
        "confidence": _probabilities(path, probabilities),
        "p_true": np.nan,
    }
    return _canonical(pd.DataFrame(frame), path, "predictions")


def _classes(path: Path, texts: pa.ChunkedArray) -> np.ndarray:
    expected = f"predicted_class among 0..{N_CLASSES - 1} (unknown class)"
    csv_lines.refuse_first(path, pc.invert(pc.match_substring_regex(texts, "^[0-9]{1,9}$")), texts, expected)
    indices = texts.cast(pa.int32()).to_numpy()
    csv_lines.refuse_first(path, indices >= N_CLASSES, texts, expected)
    return indices


def _probabilities(path: Path, texts: pa.ChunkedArray) -> np.ndarray:
    expected = "predicted_probability in [0, 1]"
    csv_lines.refuse_first(path, pc.invert(pc.match_substring_regex(texts, f"^{_NUMBER}$")), texts, expected)
    values = texts.cast(pa.float64()).to_numpy()
    csv_lines.refuse_first(path, values > 1 + PROBABILITY_TOLERANCE, texts, expected)
    return np.minimum(values, 1.0)


def export_imagenet_x(frame: pd.DataFrame, path: Path) -> Path:
    """Write a predictions frame as an ImageNet-X CSV file, by label, then name, as published; returns the path.

    Probabilities are the shortest decimals that read back as the same double. Raises BookError for a malformed frame
    or an image with several labels (ReaL), which the order of this format has no place for.
    """
    thing = f"predictions for {path}"
    frame = from_table(to_table(frame, thing, "predictions"))
    if (frame["label"].str.len() != 1).any():
        raise BookError(thing, "one label per image, found images with none or several", "export the original labels")
    order = np.lexsort((frame["image_id"].to_numpy(dtype=object), frame["label"].str[0].to_numpy(dtype=int)))
    columns = (frame[name].to_numpy()[order].tolist() for name in ("image_id", "pred", "confidence"))
    rows = [(image, str(pred), repr(value)) for image, pred, value in zip(*columns, strict=True)]
    return csv_lines.write_csv(path, IMAGENET_X, rows, line_end="\n")
