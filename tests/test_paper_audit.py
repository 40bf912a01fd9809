"""Third parties' numbers, and the audit of the paper against itself and against them."""

import pandas as pd
import pytest

from helpers import paper, paths
from helpers.paper.names import PAPER_MODELS
from helpers.paper.rows import wilson


def test_third_party_rows_are_those_of_timm_and_openclip(mirror):
    timm = next((mirror / "raw.githubusercontent.com/huggingface/pytorch-image-models").iterdir()) / "results"
    table = paper.third_party()
    for part in table[table.source.str.startswith("timm ") & table.source.str.endswith("@aa4b5850")].itertuples():
        theirs = pd.read_csv(timm / part.source.split()[1])
        theirs = theirs[(theirs.model == part.checkpoint) & (theirs.img_size == part.image_size)]
        crop, interpolation = part.preparation.removeprefix("crop ").split(", ")
        theirs = theirs[(theirs.crop_pct == float(crop)) & (theirs.interpolation == interpolation)].iloc[0]
        assert theirs["top5" if part.metric == "top5_accuracy" else "top1"] == part.value
    clip = next((mirror / "raw.githubusercontent.com/mlfoundations/open_clip").iterdir()) / "docs"
    clip = pd.read_csv(clip / "openclip_results.csv").assign(checkpoint=lambda f: f.name + "/" + f.pretrained)
    columns = {"imagenet1k_val": "ImageNet 1k", "imagenet_a": "ImageNet-A", "imagenet_r": "ImageNet-R",
               "imagenet_v2_mf": "ImageNet v2", "imagenet_sketch": "ImageNet Sketch",
               "vtab_sun397": "SUN397"}  # fmt: skip
    ours = table[table.source.str.startswith("OpenCLIP") & table.dataset.isin(columns)]
    assert len(ours) == 12
    for part in ours.itertuples():
        theirs = clip.set_index("checkpoint").loc[part.checkpoint, columns[part.dataset]]
        assert 100 * theirs == pytest.approx(part.value, abs=1e-6)


def test_third_parties_are_found_by_model_and_data_set():
    assert paper.third_party("vit_sup", "imagenet_a", "accuracy").value.tolist() == [57.147]
    neighbours = paper.third_party("vit_clip", "vtab_dtd", "probe_accuracy")
    assert not neighbours.same_checkpoint.any()
    assert "epoch 32" in neighbours.note.iloc[0]
    assert paper.published_accuracy("imagenet_real")["ViT-sup"].notna().any()


# Audit


def test_averages_cover_what_they_say_and_not_the_alternatives():
    found = paper.averages()
    assert found[found.as_printed].agrees.all()
    assert found[found.as_printed].difference.abs().max() < 0.13
    without = found[found.reading == "without ReaL"].value.tolist()
    assert without == pytest.approx([55.9, 55.4, 43.7, 44.9], abs=0.051)
    other = found[~found.as_printed & (found.section != "06_transferability")]
    assert not other.agrees.any()
    parts = found.groupby("reading").n_parts.first()
    assert parts[["16 factors", "10 factors", "19 tasks", "7 shifted sets"]].tolist() == [16, 10, 19, 7]


def test_the_table_of_models_and_the_base_points():
    table = paper.table_against_figures().set_index("model")
    assert table.agrees.to_dict() == {m: "clip" in m for m in PAPER_MODELS}
    assert table.images["vit_sup"] == pytest.approx(-900)
    base = paper.base_points()
    assert base[base["view"] == "the evaluation view itself"].agrees.all()
    assert (~base.agrees).sum() == 4


def test_shape_figure_and_released_decisions_differ_for_one_model_only():
    found = paper.shape_figure_against_decisions()
    agrees = found.groupby("model").agrees.all()
    assert agrees.to_dict() == {"convnext_sup": True, "vit_sup": True, "vit_clip": True, "convnext_clip": False}
    assert found.difference.abs().max() == pytest.approx(0.1237, abs=1e-4)


def test_scene_light_excludes_chance_exactly_from_the_stated_n():
    found = paper.scene_light().set_index("model").loc["vit_sup"]
    n = int(found.n_to_tell)
    assert wilson(found.value / 100, n)[0] > 1 / 151
    assert wilson(found.value / 100, n - 1)[0] <= 1 / 151


def test_bars_of_equal_height_are_found():
    found = paper.equal_bars()
    assert found[found.section == "02_mistakes"].first_bar.tolist() == [
        "convnext_sup brighter", "convnext_sup pose", "convnext_sup background", "convnext_sup multiple_objects",
        "convnext_clip object_blocking",
    ]  # fmt: skip


def test_agreement_with_others_depends_on_the_preparation():
    found = paper.agreement_with_others()
    same = found[found.same_preparation]
    assert set(same.model) == {"convnext_clip", "vit_clip"}
    assert same.difference.abs().max() <= 0.071
    assert found[~found.same_preparation].difference.abs().max() > 8
    assert set(paper.plausible_ranges().dataset) == {"vtab_sun397", "vtab_diabetic_retinopathy"}


def test_every_fact_on_the_released_code_has_a_source():
    facts = paper.released_code()
    assert facts.notna().all().all()
    assert len(facts) >= 15


def test_every_cka_panel_is_described():
    panels_ = paper.cka_panels()
    assert len(panels_) == 16
    assert panels_.look.notna().all()
    counts = panels_.set_index(["model", "panel"]).n_layers
    assert counts["vit_sup", "linear"] == 25
    assert counts["vit_clip", "linear"] == 24


def test_no_file_of_the_room_names_another_folder():
    for name in ("paper_values.csv", "paper_decisions.csv", "third_party.csv", "audit_released_code.csv"):
        assert "/work" not in paths.reference(name).read_text(encoding="utf-8")
