"""Frames into the store and back: canonical order, equal bytes, and every way a frame can be malformed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from store_tools import KEY, WHERE, frame_of

from helpers import paths, store
from helpers.errors import BookError


def decisions() -> pd.DataFrame:
    return pd.DataFrame(
        {"image_id": ["cat1-dog2.png", "car9-cat1.png"], "shape": ["cat", "car"], "texture": ["dog", "cat"],
         "decision": ["na", "car"], "rt": [np.nan, 0.75]}
    )  # fmt: skip


@st.composite
def prediction_frames(draw):
    n = draw(st.integers(1, 12))
    index = st.integers(0, 999)
    confidence = draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    columns = {
        "image_id": draw(
            st.lists(st.text(min_size=1, max_size=8).filter(_encodes), min_size=n, max_size=n, unique=True)
        ),
        "label": draw(st.lists(st.lists(index, max_size=3), min_size=n, max_size=n)),
        "pred": draw(st.lists(index, min_size=n, max_size=n)),
        "confidence": confidence,
        "p_true": [draw(st.one_of(st.just(np.nan), st.floats(0, c))) for c in confidence],
    }
    if draw(st.booleans()):
        columns["group"] = draw(st.lists(st.sampled_from(["pose", "fog:3"]), min_size=n, max_size=n))
    if draw(st.booleans()):
        columns["top5"] = draw(st.lists(st.lists(index, min_size=5, max_size=5), min_size=n, max_size=n))
    return pd.DataFrame(columns)


def _encodes(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=prediction_frames())
def test_what_is_written_is_read_in_canonical_order(frame, tmp_path):
    store.write_predictions(frame, KEY, tmp_path)
    stored, key = store.read_predictions(*WHERE, root=tmp_path, expect=KEY)
    wanted = frame.iloc[sorted(range(len(frame)), key=lambda i: frame["image_id"][i].encode())].reset_index(drop=True)
    assert_frame_equal(stored, wanted)
    assert key == KEY.document()


def test_decisions_go_through_the_same_functions(tmp_path):
    key = store.PredictionKey("human_01", "cue_conflict", "released.eval", {})
    store.write_predictions(decisions(), key, tmp_path)
    stored, _ = store.read_predictions("human_01", "cue_conflict", "released.eval", tmp_path)
    assert_frame_equal(stored, decisions().iloc[[1, 0]].reset_index(drop=True))


def test_order_of_the_dataset_is_kept_and_must_be_the_same_images(tmp_path):
    frame, order = frame_of(4), ["img_000002.png", "img_000000.png", "img_000003.png", "img_000001.png"]
    store.write_predictions(frame, KEY, tmp_path, order=order)
    assert store.read_predictions(*WHERE, root=tmp_path)[0]["image_id"].tolist() == order
    with pytest.raises(BookError, match=r"1 are missing \(first 'other.png'\)"):
        store.write_predictions(frame, KEY, tmp_path, order=[*order, "other.png"])
    with pytest.raises(BookError, match="only the 3 images of the order given"):
        store.write_predictions(frame, KEY, tmp_path, order=order[:3])


def test_same_rows_give_the_same_bytes_in_any_order(tmp_path):
    frame = frame_of(300)
    first = store.write_predictions(frame, KEY, tmp_path / "a")
    second = store.write_predictions(frame.sample(frac=1, random_state=1), KEY, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()


def test_default_root_is_the_store_folder_of_the_home():
    path = store.write_predictions(frame_of(), KEY)
    assert path == paths.store_dir() / "predictions" / "imagenet_a" / "vit_sup" / "paper.eval.parquet"
    assert sorted(each.name for each in path.parent.iterdir()) == ["paper.eval.json", "paper.eval.parquet"]


def test_confidence_one_unit_above_one_is_rounding(tmp_path):
    frame = frame_of(1).assign(confidence=[float(np.nextafter(np.float32(1), np.float32(2)))], p_true=[1.0])
    store.write_predictions(frame, KEY, tmp_path)
    assert store.read_predictions(*WHERE, root=tmp_path)[0]["confidence"][0] == 1.0


def _changed(column, row, value):
    def change(frame):
        values = frame[column].astype(object).tolist()
        values[row] = value
        return frame.assign(**{column: values})

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.drop(columns="pred"), "missing confidence, p_true|missing pred"),
        (lambda f: f.drop(columns=["confidence", "p_true"]), "missing confidence, p_true"),
        (lambda f: f.assign(logits=1.0), "found logits"),
        (lambda f: f.iloc[:0], "at least one row, found none"),
        (_changed("image_id", 3, "img_000001.png"), r"row 3 \(image 'img_000001.png'\).*in row 1 already"),
        (_changed("image_id", 2, None), "row 2.*an image_id, found none"),
        (_changed("image_id", 2, ""), "row 2.*found an empty one"),
        (_changed("pred", 4, 1000), r"row 4 \(image 'img_000004.png'\).*pred among 0..999, found 1000"),
        (_changed("pred", 1, -1), "row 1.*pred among 0..999, found -1"),
        (_changed("pred", 1, 2.5), "int32 values in the column pred"),
        (_changed("pred", 1, None), "row 1.*a value in pred, found none"),
        (_changed("label", 2, [3, 1000]), "row 2.*label among 0..999, found 1000"),
        (_changed("label", 2, 3), "values in the column label"),
        (_changed("label", 2, None), "row 2.*a value in label"),
        (_changed("confidence", 0, 1.01), r"row 0.*confidence in \[0, 1\], found 1.01"),
        (_changed("confidence", 0, -0.5), r"row 0.*confidence in \[0, 1\], found -0.5"),
        (_changed("confidence", 3, np.nan), r"row 3.*a value in confidence, found none \(null or NaN\)"),
        (_changed("confidence", 3, "high"), "double values in the column confidence"),
        (_changed("p_true", 3, np.inf), r"row 3.*p_true in \[0, 1\]"),
        (_changed("p_true", 3, 1.0), "row 3.*p_true no larger than confidence"),
    ],
)  # fmt: skip
def test_malformed_frames_are_refused_and_leave_what_was_stored(change, said, tmp_path):
    store.write_predictions(frame_of(), KEY, tmp_path)
    with pytest.raises(BookError, match=said) as error:
        store.write_predictions(change(frame_of()), KEY, tmp_path)
    assert "predictions of vit_sup on imagenet_a under paper.eval" in str(error.value)
    assert "What to do: " in str(error.value)
    assert store.status(KEY, tmp_path) == "hit"


@pytest.mark.parametrize(("column", "value"), [("decision", "zebra"), ("shape", "na"), ("texture", "Cat")])
def test_decisions_outside_the_16_categories_are_refused(column, value, tmp_path):
    key = store.PredictionKey("human_01", "cue_conflict", "released.eval", {})
    with pytest.raises(BookError, match=rf"row 1 .*{column} to be one of airplane, .*truck"):
        store.write_predictions(_changed(column, 1, value)(decisions()), key, tmp_path)
