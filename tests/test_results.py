"""Result records: validation, round trip, fallback to committed copies, comparison."""

import json

import pandas as pd
import pytest

from helpers import paths, results
from helpers.errors import BookError
from helpers.manifest import load_manifest
from helpers.results import records

ROW = dict(
    model="vit_sup", dataset="cue_conflict", view="released.eval", metric="shape_bias", group="overall",
    value=0.4, ci_low=0.3, ci_high=0.5, n=853, unit="fraction", resampled="image",
)  # fmt: skip


def make_run(**parameters):
    return results.Run("03_shape_texture", "released", parameters, {"seed": 0, "artifacts": {}, "finished": None})


def test_round_trip_keeps_every_number_and_writes_null_for_missing():
    empty = {**ROW, "group": "bear", "value": None, "ci_low": None, "ci_high": None, "n": None}
    path = results.save(make_run(n_resamples=10), [ROW, empty], artifacts={"a": "f" * 64})
    text = path.read_text()
    assert "NaN" not in text
    assert json.loads(text)["rows"][1]["value"] is None
    back = results.load("03_shape_texture", "released")
    assert back.rows.value.tolist()[0] == 0.4
    assert pd.isna(back.rows.value[1])
    assert back.provenance["artifacts"] == {"a": "f" * 64}
    assert back.parameters == {"n_resamples": 10}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "per cent"}, "unit"),
        ({"value": float("inf")}, "finite"),
        ({"ci_high": None}, "both given or neither"),
        ({"ci_low": 0.6}, "low <= high"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_rows_are_refused(change, message):
    with pytest.raises(BookError, match=message):
        results.rows_frame([{**ROW, **change}])


def test_repeated_key_is_refused():
    with pytest.raises(BookError, match="found twice"):
        results.rows_frame([ROW, {**ROW, "value": 0.41}])


def test_partial_needs_a_reason():
    with pytest.raises(BookError, match="reason"):
        results.save(make_run(), [ROW], status="partial")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 99}'])
def test_damaged_record_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(BookError, match=r"x\.json"):
        records.read(path)


def test_fallback_says_that_rows_are_recorded(tmp_path, monkeypatch, capsys):
    results.save(make_run(), [ROW])
    copy = paths.results_dir("released") / "03_shape_texture.json"
    monkeypatch.setattr(paths, "resource", lambda name: copy if name.endswith("03_shape_texture.json") else tmp_path)
    missing = {"vit_sup": "no network and no mirror"}
    _, rows, status, reason = results.or_recorded(make_run(), results.empty_rows(), missing)
    assert len(rows) == 1
    assert status == "complete"
    assert "recorded" in reason
    assert "no network and no mirror" in reason
    assert "recorded" in capsys.readouterr().out


def test_no_inputs_and_no_copy_is_unavailable():
    run = results.Run("99_nothing", "released", {}, {"artifacts": {}})
    _, rows, status, reason = results.or_recorded(run, results.empty_rows(), {"vit_sup": "absent"})
    assert (len(rows), status, reason) == (0, "unavailable", "vit_sup: absent")


def test_some_missing_is_partial():
    *_, status, reason = results.or_recorded(make_run(), results.rows_frame([ROW]), {"vit_clip": "absent"})
    assert (status, reason) == ("partial", "vit_clip: absent")


def test_difference_names_first_key_field_then_values():
    one = records.read(results.save(make_run(n_resamples=10), [ROW]))
    two = records.read(results.save(make_run(n_resamples=20), [{**ROW, "value": 0.41}, {**ROW, "group": "bear"}]))
    lines = results.describe_difference(one, two)
    assert lines[0].startswith("first differing key field: parameters.n_resamples")
    assert any("only in the second" in line and "bear" in line for line in lines)
    assert any("value 0.4 against 0.41" in line for line in lines)
    assert results.describe_difference(one, one) == []
    assert not any("value" in line for line in results.describe_difference(one, two, tolerance=0.02)[2:])


def test_begin_reports_machine_and_never_imports_torch(capsys):
    run = results.begin("03_shape_texture", "released", {}, seed=3, banner="nothing was run")
    assert run.provenance["seed"] == 3
    assert "profile: released — nothing was run" in capsys.readouterr().out
    assert run.provenance["python"]


# Which records count as runs of the real models


def one_row(value=50.0):
    return results.rows_frame([dict(
        model="vit_sup", dataset="imagenet1k_val", view="paper.eval", metric="accuracy", group="overall", value=value,
        ci_low=None, ci_high=None, n=20, unit="percent", resampled="image",
    )])  # fmt: skip


def saved(profile, parameters, artifacts=None, section="05_robustness"):
    run = results.begin(section, profile, parameters, 0)
    return results.save(run, one_row(), "partial", "a part", artifacts or {})


@pytest.mark.parametrize(
    ("parameters", "counts"),
    [
        ({}, True),
        ({"max_images": 0, "local": "", "precision": "fp32"}, True),
        ({"max_images": 20}, False),
        ({"precision": "bf16"}, False),
        ({"local": "imagenet1k_val=/tmp/photos"}, False),
        ({"local": "imagenet_r=/tmp/other.tar"}, True),  # not used by this record
    ],
)
def test_a_part_or_a_stand_in_never_becomes_a_run_of_the_real_models(parameters, counts, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    saved("paper", parameters, {"imagenet1k_val": "0" * 64})
    record = results.newest("05_robustness", "paper")
    assert (record is not None) == counts
    assert results.load("05_robustness", "paper") is not None  # its own page still has it


def test_the_official_file_named_by_hand_is_no_stand_in(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    official = load_manifest()["imagenet_r"].sha256
    assert official
    saved("paper", {"local": "imagenet_r=/data/imagenet-r.tar"}, {"imagenet_r": official})
    assert results.newest("05_robustness", "paper") is not None


def test_the_demo_and_a_report_speak_of_their_own_run(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    for profile in ("demo", "report"):
        saved(profile, {"max_images": 20})
        assert len(results.newest("05_robustness", profile).rows) == 1


def test_a_part_falls_back_to_the_committed_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    saved("released", {"max_images": 20}, section="03_shape_texture")
    found = results.newest("03_shape_texture", "released")
    assert found.path == results.recorded("03_shape_texture", "released").path
