"""Other seeds of the twins' training: rows recorded, compared with the shown seed, drawn and put into words."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import results, words
from helpers.errors import BookError, InputsUnavailable
from helpers.models import MODEL_SETS, MODELS, twins
from helpers.plots import seeds as figures
from helpers.rows import COLUMNS

CONVNEXT, VIT = "twin_convnext_sup", "twin_vit_sup"


def row(model, value, low=None, high=None, dataset="demo_v2", metric="accuracy", group="overall"):
    return dict(model=model, dataset=dataset, view="paper.eval", metric=metric, group=group, value=value, ci_low=low,
                ci_high=high, n=500, unit="percent", resampled="image")  # fmt: skip


def rows_with(convnext, vit, low=None, high=None, **more):
    difference = row(f"{VIT} - {CONVNEXT}", vit - convnext, low, high, **more)
    return pd.DataFrame([row(CONVNEXT, convnext, **more), row(VIT, vit, **more), difference])


def test_a_difference_is_turned_to_convnext_minus_vit_with_its_interval():
    table = words.seeds.contrasts("05_robustness", rows_with(70, 68, -5.0, 1.0), {})
    assert table[["model", "value", "ci_low", "ci_high"]].values.tolist() == [[f"{CONVNEXT} - {VIT}", 2.0, -1.0, 5.0]]


def test_levels_of_a_factor_and_other_metrics_are_left_out():
    more = pd.concat([
        rows_with(70, 60, dataset="demo_pug", group="Camera_Yaw"),
        rows_with(10, 20, dataset="demo_pug", group="Camera_Yaw:45"),
        rows_with(10, 20, dataset="demo_pug", group="Camera_Yaw", metric="accuracy_among_classes"),
    ])  # fmt: skip
    table = words.seeds.contrasts("07_synthetic", more, {})
    assert table[["item", "value"]].values.tolist() == [["camera yaw", 10.0]]


def test_an_item_that_another_seed_lacks_stays_with_a_gap():
    shown = pd.concat([rows_with(70, 68), rows_with(50, 40, dataset="demo_r")])
    table = words.seeds.contrasts("05_robustness", shown, {1: rows_with(60, 65)})
    assert table["seed 1"].tolist()[0] == -5.0
    assert np.isnan(table["seed 1"].tolist()[1])


def test_the_sentence_counts_signs_that_every_seed_keeps():
    shown = pd.concat([
        rows_with(70, 68, -3.0, -1.0), rows_with(50, 40, -12.0, -8.0, dataset="demo_r"),
        rows_with(50, 49, -2.0, 1.0, dataset="demo_sketch"),
    ])  # fmt: skip
    parts = [rows_with(66, 68), rows_with(52, 40, dataset="demo_r"), rows_with(50, 51, dataset="demo_sketch")]
    other = pd.concat(parts)
    table = words.seeds.contrasts("05_robustness", shown, {1: other, 2: shown})
    said = words.seeds.spread(table)
    assert "Compared are 3 trainings of each twin" in said
    assert "in 1 of 2 differences whose interval leaves out zero" in said
    assert "moves by 2 in the median; the interval over images reaches 1.5 to either side" in said  # of 4, 2, 2


def test_one_seed_and_no_twins_are_said():
    alone = words.seeds.contrasts("05_robustness", rows_with(70, 68), {})
    assert "One training of each twin is recorded" in words.seeds.spread(alone)
    none = words.seeds.contrasts("05_robustness", results.empty_rows(), {1: rows_with(1, 2)})
    assert "Nothing to compare" in words.seeds.spread(none)
    assert figures.spread(none, "accuracy") is None


def test_the_figure_has_a_panel_a_paradigm_and_a_mark_a_seed():
    clip = rows_with(70, 68).assign(model=lambda t: t.model.str.replace("_sup", "_clip"))
    shown = pd.concat([rows_with(70, 68, -3.0, -1.0), clip])
    axes = figures.spread(words.seeds.contrasts("05_robustness", shown, {1: shown, 2: shown}), "accuracy (points)")
    names = [text.get_text() for text in axes[0][0].figure.legends[0].get_texts()]
    assert len(axes[0]) == 2
    assert set(names) == {"seed 1", "seed 2", "shown seed, interval over images"}
    plt.close("all")


def test_every_section_with_predictions_has_a_headline():
    assert list(words.seeds.HEADLINES) == [
        "02_mistakes", "03_shape_texture", "04_calibration", "05_robustness", "06_transferability", "07_synthetic",
        "08_invariance", "09_similarity",
    ]  # fmt: skip


def test_claims_over_seeds_count_equal_verdicts():
    drawn = pd.DataFrame({"claim": ["a", "b", "c"], "statement": ["A.", "B.", "C."], "source": "twins",
                          "verdict": ["holds", "within noise", "not decidable"]})  # fmt: skip
    other = drawn.assign(verdict=["holds", "contradicted", "not decidable"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words.sets, "ledger_of_sets", lambda rows: other)
        table, said = words.sets.claims_over_seeds(drawn, {1: results.empty_rows()})
    assert table.index.tolist() == ["A.", "B."]
    assert said.startswith("1 of 2 statements")


# What is recorded


def test_recorded_rows_belong_to_the_recorded_trainings():
    """A seed's rows are of the weights in the record of the twins, and of the world as it is."""
    pytest.importorskip("torch", reason="needs the extra `models`")
    from helpers.demo.train.twins import world_digest

    record, world = twins.record(), world_digest()
    for seed, rows in results.other_seeds().items():
        facts = results.seed_facts(seed)
        assert facts["world"] == world
        assert facts["weights"] == {m: record[f"{m}/seed{seed}"]["weights_sha256"] for m in MODEL_SETS["demo"]}
        assert set(rows.columns) == set(COLUMNS)
        right = results.select(rows, dataset="demo_val", view="paper.eval", metric="accuracy", group="overall")
        for model in MODEL_SETS["demo"]:
            measured = results.select(right, model=model).value.iloc[0]
            assert measured == pytest.approx(record[f"{model}/seed{seed}"]["val"]["accuracy"], abs=0.06)


def test_a_seed_that_is_not_recorded_says_how_to_make_it(tmp_path):
    with pytest.raises(BookError, match="seeds 7"):
        results.seed_facts(7, tmp_path)
    assert results.other_seeds(folder=tmp_path) == {}


def test_other_weights_of_the_twins_are_found_through_the_environment(tmp_path, monkeypatch):
    spec = MODELS[VIT]
    monkeypatch.setenv("BOOK_TWINS", str(tmp_path / "{model}_seed1.safetensors"))
    with pytest.raises(InputsUnavailable, match="BOOK_TWINS"):
        twins.weights_path(spec)
    file = tmp_path / f"{VIT}_seed1.safetensors"
    file.write_bytes(b"")
    assert twins.weights_path(spec) == file
    monkeypatch.setenv("BOOK_TWINS", str(file))  # one file for all four twins
    with pytest.raises(InputsUnavailable, match="BOOK_TWINS"):
        twins.weights_path(spec)


def test_rows_of_a_run_are_gathered_for_the_twins_alone(tmp_path):
    from helpers.demo.train import seeds as runner

    run = results.begin("05_robustness", "demo", {}, 0)
    dropped = [row("planted_vit_sup", 1.0), row(VIT, 1.0, metric="probe_classes")]
    kept = pd.concat([rows_with(70, 68), pd.DataFrame(dropped)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_HOME", str(tmp_path))
        results.save(run, results.rows_frame(kept))
    found = runner.rows_under(tmp_path)
    assert found.model.tolist() == [CONVNEXT, VIT, f"{VIT} - {CONVNEXT}"]
    assert set(found.section) == {"05_robustness"}


def test_a_seed_without_trainings_cannot_be_run(tmp_path, monkeypatch, capsys):
    from helpers.demo.train import seeds as runner

    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    assert runner.main(["5"]) == 1
    assert "python -m helpers.demo.train --seed 5" in capsys.readouterr().err
