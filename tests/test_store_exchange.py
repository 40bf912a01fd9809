"""Others' formats: the model-vs-human and ImageNet-X CSV files, in and out, and every way they can be malformed."""

from __future__ import annotations

import csv
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from helpers import labels, store
from helpers.errors import BookError

LABELS = {f"ILSVRC2012_val_{i:08d}.JPEG": i % 3 for i in range(1, 7)}
IMAGENET_X = """file_name,predicted_class,predicted_probability
ILSVRC2012_val_00000001.JPEG,1,0.5
ILSVRC2012_val_00000002.JPEG,999,0.9518370032000001
ILSVRC2012_val_00000003.JPEG,0,1.0
"""
PEOPLE = """subj,session,trial,rt,object_response,category,condition,imagename
subject-01,1,1,0.848,oven,cat,0,0001_s5n_s01_0_cat_00_cat8-bicycle3.png
subject-01,1,2,NaN,na,airplane,0,0002_s5n_s01_0_airplane_00_airplane10-airplane1.png
subject-01,1,3,1.5,dog,bear,0,0003_s5n_s01_0_bear_00_bear2-dog1.png
"""


def put(tmp_path, content: str | bytes):
    path = tmp_path / "given.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---------------------------------------------------------------- model-vs-human


def test_people_are_joined_by_the_last_part_of_the_image_name(tmp_path):
    frame = store.import_model_vs_human(put(tmp_path, PEOPLE), n=3)
    assert frame.to_dict("list") == {
        "image_id": ["airplane10-airplane1.png", "bear2-dog1.png", "cat8-bicycle3.png"],
        "shape": ["airplane", "bear", "cat"],
        "texture": ["airplane", "dog", "bicycle"],
        "decision": ["na", "dog", "oven"],
        "rt": [pytest.approx(np.nan, nan_ok=True), 1.5, 0.848],
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("subj,session", "subject,session", 1, "subj is missing"),
        ("session,trial", "trial,trial", 1, "session is missing"),
        ("condition,imagename", "condition,rt,imagename", 1, "rt is there twice"),
        ("oven,cat", "zebra,cat", 2, "one of the 16 categories or na, found 'zebra' (unknown class)"),
        ("na,airplane", ",airplane", 3, "one of the 16 categories or na, found ''"),
        ("dog,bear", "dog,cat", 4, "the category bear of 0003_s5n_s01_0_bear_00_bear2-dog1.png, found 'cat'"),
        ("bear2-dog1", "bear2-zebra1", 4, "imagename like airplane1-bicycle2.png"),
        ("bear2-dog1", "beartwo-dog1", 4, "imagename like airplane1-bicycle2.png"),
        ("subject-01,1,3", "subject-02,1,3", 4, "one observer per file ('subject-01'), found 'subject-02'"),
        ("1.5", "-1.5", 4, "rt in seconds or NaN, found '-1.5'"),
        ("1.5", "1_5", 4, "rt in seconds or NaN, found '1_5'"),
        ("1.5,dog", "1.5,dog,dog", 4, "8 fields"),
        ("subject-01,1,2,NaN,", "subject-01,1,2,", 3, "8 fields"),
        ("_00_bear2-dog1.png\n", "", 4, "a line end after the last line"),
    ],
)
def test_malformed_decisions_are_refused_with_file_line_and_remedy(old, new, line, said, tmp_path):
    assert old in PEOPLE
    path = put(tmp_path, PEOPLE.replace(old, new))
    with pytest.raises(BookError) as error:
        store.import_model_vs_human(path, n=3)
    assert str(error.value).startswith(f"{path}, line {line}: expected ")
    assert said in str(error.value)
    assert "What to do: " in str(error.value)


def test_an_image_twice_is_refused_with_both_lines(tmp_path):
    path = put(tmp_path, PEOPLE.replace("bear,0,0003_s5n_s01_0_bear_00_bear2-dog1", "cat,0,0003_x_cat8-bicycle3"))
    with pytest.raises(BookError, match=r"line 4: expected each image once, found cat8-bicycle3.png in line 2 already"):
        store.import_model_vs_human(path, n=3)


decision_frames = st.lists(
    st.tuples(
        st.sampled_from(sorted(labels.sixteen_categories())), st.integers(1, 10),
        st.sampled_from(sorted(labels.sixteen_categories())), st.integers(1, 3),
        st.sampled_from([*sorted(labels.sixteen_categories()), "na"]),
        st.one_of(st.just(np.nan), st.floats(0, 9, allow_subnormal=False)),
    ),
    min_size=1, max_size=20, unique_by=lambda row: row[:4],
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=decision_frames, timed=st.booleans())
def test_exported_decisions_are_imported_as_they_were(rows, timed, tmp_path):
    frame = pd.DataFrame(
        {
            "image_id": [f"{shape}{i}-{texture}{j}.png" for shape, i, texture, j, _, _ in rows],
            "shape": [row[0] for row in rows],
            "texture": [row[2] for row in rows],
            "decision": [row[4] for row in rows],
        }
    )
    if timed:
        frame["rt"] = [row[5] for row in rows]
        frame.loc[0, "rt"] = 0.1
    path = store.export_model_vs_human(frame, tmp_path / "out.csv", "me")
    wanted = frame.sort_values("image_id", ignore_index=True)
    assert_frame_equal(store.import_model_vs_human(path, n=None), wanted, check_exact=True)


def released_decisions(mirror):
    found = sorted(mirror.glob("raw.githubusercontent.com/kirill-vish/Beyond-INet/*/**/raw-data/cue-conflict/*.csv"))
    if not found:
        pytest.skip("the mirror has no cue-conflict decisions")
    return found


def test_released_decisions_of_models_come_back_byte_for_byte(mirror, tmp_path):
    models = [path for path in released_decisions(mirror) if "subject" not in path.name]
    assert len(models) == 9
    for path in models:
        with path.open(newline="") as lines:
            subject = next(csv.DictReader(lines))["subj"]
        out = store.export_model_vs_human(store.import_model_vs_human(path), tmp_path / path.name, subject)
        assert out.read_bytes() == path.read_bytes()


def test_released_decisions_of_people_equal_those_read_by_hand(mirror, tmp_path):
    people = [path for path in released_decisions(mirror) if "subject" in path.name]
    assert len(people) == 10
    for path in people:
        frame = store.import_model_vs_human(path)
        raw = pd.read_csv(path, keep_default_na=False).assign(
            image=lambda rows: rows["imagename"].str.split("_").str[-1]
        )
        raw = raw.set_index("image").loc[frame["image_id"]]
        assert frame["decision"].tolist() == raw["object_response"].tolist()
        assert frame["shape"].tolist() == raw["category"].tolist()
        assert frame["rt"].isna().tolist() == (raw["rt"] == "NaN").tolist()
        out = store.export_model_vs_human(frame, tmp_path / path.name, raw["subj"].iloc[0])
        assert_frame_equal(store.import_model_vs_human(out), frame, check_exact=True)


# ---------------------------------------------------------------- ImageNet-X


def test_imagenet_x_predictions_get_their_labels_and_no_p_true(tmp_path):
    frame = store.import_imagenet_x(put(tmp_path, IMAGENET_X), LABELS, n=3)
    assert frame["label"].tolist() == [[1], [2], [0]]
    assert frame["pred"].tolist() == [1, 999, 0]
    assert frame["confidence"].tolist() == [0.5, 0.9518370032000001, 1.0]
    assert frame["p_true"].isna().all()
    assert_frame_equal(store.import_imagenet_x(put(tmp_path, IMAGENET_X), pd.Series(LABELS), n=3), frame)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("predicted_class,", "class,", 1, "predicted_class is missing"),
        (",999,", ",1000,", 3, "predicted_class among 0..999 (unknown class), found '1000'"),
        (",999,", ",-1,", 3, "found '-1'"),
        (",999,", ",9.0,", 3, "found '9.0'"),
        (",999,", ",1_0,", 3, "found '1_0'"),
        (",999,", ",,", 3, "found ''"),
        ("0.5\n", "1.00001\n", 2, "predicted_probability in [0, 1], found '1.00001'"),
        ("0.5\n", "-0.1\n", 2, "predicted_probability in [0, 1], found '-0.1'"),
        ("0.5\n", "NaN\n", 2, "predicted_probability in [0, 1], found 'NaN'"),
        ("0.5\n", "inf\n", 2, "predicted_probability in [0, 1], found 'inf'"),
        ("0.5\n", "\n", 2, "predicted_probability in [0, 1], found ''"),
        ("val_00000003", "val_00050001", 4, "a file name of the validation set, found 'ILSVRC2012_val_00050001.JPEG'"),
        ("val_00000003", "val_00000001", 4, "found ILSVRC2012_val_00000001.JPEG in line 2 already"),
        ("0.5\n", "0.5,7\n", 2, "3 fields"),
        ("0.5\n", "0.5\n\n", 3, "a row, found an empty line"),
        (",1.0\n", ",1", 4, "a line end after the last line, found 'ILSVRC2012_val_00000003.JPEG,0,1'"),
        (",0,1.0\n", "\n", 4, "3 fields"),
        ("ILSVRC2012_val_00000003.JPEG,0,1.0\n", "", 3, "3 rows after the header, found 2"),
        ("0.5\n", '"0.5\n', 2, "a quote left open"),
    ],
)
def test_malformed_predictions_are_refused_with_file_line_and_remedy(old, new, line, said, tmp_path):
    assert old in IMAGENET_X
    path = put(tmp_path, IMAGENET_X.replace(old, new))
    with pytest.raises(BookError) as error:
        store.import_imagenet_x(path, LABELS, n=3)
    assert str(error.value).startswith(f"{path}, line {line}")
    assert said in str(error.value)
    assert "What to do: " in str(error.value)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 1, "found an empty file (0 bytes)"),
        (b"\n\n", 1, "found an empty file (2 bytes)"),
        (IMAGENET_X.replace("0.5", "0.5\u00e9").encode("latin-1"), 2, "UTF-8 text, found the byte 0xe9"),
        (IMAGENET_X.encode("utf-16"), 1, "UTF-8 text, found UTF-16"),
        (IMAGENET_X.encode("utf-16-le"), 1, "UTF-8 text, found the byte 0x00"),
        (b"<!DOCTYPE html>\n<html></html>\n", 1, "file_name is missing"),
        (IMAGENET_X.split("\n")[0].encode() + b"\n", 1, "3 rows after the header, found 0"),
    ],
)
def test_files_that_are_no_such_csv_are_refused(content, line, said, tmp_path):
    path = put(tmp_path, content)
    with pytest.raises(BookError) as error:
        store.import_imagenet_x(path, LABELS, n=3)
    assert str(error.value).startswith(f"{path}, line {line}")
    assert said in str(error.value)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(BookError, match=r"none.csv: expected a CSV file \(No such file"):
        store.import_imagenet_x(tmp_path / "none.csv", LABELS)


def test_a_byte_order_mark_windows_line_ends_and_further_columns_are_taken(tmp_path):
    plain = store.import_imagenet_x(put(tmp_path, IMAGENET_X), LABELS, n=3)
    windows = "\ufeff" + "".join(f"{i},{line}\r\n" for i, line in enumerate(IMAGENET_X.splitlines()))
    assert_frame_equal(store.import_imagenet_x(put(tmp_path, windows), LABELS, n=3), plain)


def test_a_probability_one_unit_above_one_is_rounding(tmp_path):
    path = put(tmp_path, IMAGENET_X.replace(",1.0\n", ",1.0000001192092896\n"))
    assert store.import_imagenet_x(path, LABELS, n=3)["confidence"].max() == 1.0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.dictionaries(st.sampled_from(sorted(LABELS)), st.tuples(st.integers(0, 999), st.floats(0, 1)), min_size=1)
)
def test_exported_predictions_are_imported_as_they_were(rows, tmp_path):
    frame = pd.DataFrame(
        {
            "image_id": sorted(rows),
            "label": [[LABELS[image]] for image in sorted(rows)],
            "pred": [rows[image][0] for image in sorted(rows)],
            "confidence": [rows[image][1] for image in sorted(rows)],
            "p_true": np.nan,
        }
    )
    path = store.export_imagenet_x(frame.sample(frac=1, random_state=0), tmp_path / "out.csv")
    assert_frame_equal(store.import_imagenet_x(path, LABELS, n=None), frame, check_exact=True)


@pytest.mark.parametrize("name", ["=1+1", "@sum", "-2", "+2", "\tx", "\rx", "a\nb"])
def test_texts_that_a_spreadsheet_would_run_are_refused(name, tmp_path):
    frame = store.import_imagenet_x(put(tmp_path, IMAGENET_X), LABELS, n=3)
    frame.loc[1, "image_id"] = name
    with pytest.raises(BookError, match=r"out.csv, line 4: expected text that is no formula and has no line end"):
        store.export_imagenet_x(frame, tmp_path / "out.csv")
    people = store.import_model_vs_human(put(tmp_path, PEOPLE), n=3)
    with pytest.raises(BookError, match=r"out.csv, line 2: expected text that is no formula"):
        store.export_model_vs_human(people, tmp_path / "out.csv", name)
    assert not (tmp_path / "out.csv").exists()


def test_several_labels_have_no_place_in_the_format(tmp_path):
    frame = store.import_imagenet_x(put(tmp_path, IMAGENET_X), LABELS, n=3)
    frame.at[0, "label"] = [1, 2]
    with pytest.raises(BookError, match="one label per image"):
        store.export_imagenet_x(frame, tmp_path / "out.csv")


def test_released_predictions_come_back_byte_for_byte_with_their_known_accuracy(mirror, tmp_path):
    found = sorted(mirror.glob("raw.githubusercontent.com/facebookresearch/imagenetx/*/model_predictions/base/*.csv"))
    if not found:
        pytest.skip("the mirror has no ImageNet-X predictions")
    known = {"DINO": 76.754, "ResNet50": 76.130, "SimCLR": 68.142, "ViT": 78.006}
    truth = labels.validation_labels()
    for path in found:
        started = time.perf_counter()
        frame = store.import_imagenet_x(path, truth)
        assert time.perf_counter() - started < 3  # target 0.3 s on idle cores
        accuracy = 100 * (frame["pred"] == frame["label"].str[0]).mean()
        assert accuracy == pytest.approx(known[path.stem], abs=5e-4)
        out = store.export_imagenet_x(frame, tmp_path / path.name)
        assert out.read_bytes() == path.read_bytes()
