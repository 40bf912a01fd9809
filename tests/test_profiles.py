"""Profiles: what sections need, what is missing before a run, and what the run will cost."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pandas as pd
import pytest

from helpers import datasets, models, profiles, views
from helpers.errors import BookError
from helpers.manifest import load_manifest
from helpers.predict import Inputs, keys
from helpers.predict.compute import merged

FOUR = models.MODEL_SETS["paper"]
UNKNOWN_SIZE = ("cifar100", "flowers", "sun397", "kitti_closest_vehicle_distance")


@pytest.mark.parametrize("profile", profiles.PROFILES.values(), ids=lambda each: each.name)
def test_every_role_names_things_that_exist(profile):
    manifest = load_manifest()
    for inputs in profile.roles.values():
        assert inputs.dataset in datasets.DATASETS
        assert set(inputs.models) <= set(models.MODELS)
        if inputs.artifact:
            assert {inputs.artifact.format(model=model) for model in inputs.models} <= set(manifest)
        for model in inputs.models if not inputs.artifact else ():
            assert keys.view_of(model, inputs.view)
    assert set(profile.roles) <= {role for found in profiles.SECTION_ROLES.values() for role in found}


def test_the_paper_runs_the_four_on_the_papers_sets():
    paper = profiles.get("paper")
    assert paper.models == FOUR
    assert {role: each.dataset for role, each in paper.roles.items()} == {
        "val": "imagenet1k_val", "v2": "imagenet_v2_mf", "a": "imagenet_a", "r": "imagenet_r", "c": "imagenet_c",
        "sketch": "imagenet_sketch", "hard": "imagenet_hard", "real": "imagenet_real", "pug": "pug_imagenet",
        "cue_conflict": "cue_conflict",
    }  # fmt: skip
    assert paper.roles["pug"].precision == "fp16"
    assert list(paper.sweep) == views.invariance_views()


def test_the_set_of_a_vit_s_errors_is_the_demo_s_alone():
    assert profiles.inputs("demo", "a_vit").dataset == "demo_a_vit"
    assert [name for name, each in profiles.PROFILES.items() if "a_vit" in each.roles] == ["demo"]
    assert "demo_a_vit" in {each.dataset for each in profiles.needed("demo", ["05"])["05_robustness"]}
    assert not any("a_vit" in each.dataset for each in profiles.needed("paper", ["05"])["05_robustness"])


def test_cue_conflict_is_shown_as_the_paper_did():
    view = profiles.inputs("paper", "cue_conflict").view
    assert {model: keys.view_of(model, view).id for model in FOUR} == {
        "convnext_sup": "paper.asis", "vit_sup": "paper.asis", "convnext_clip": "paper.eval", "vit_clip": "paper.eval",
    }  # fmt: skip
    assert keys.view_of("vit_clip", view).steps == ("resize", 224, 224, "bicubic")
    assert keys.view_of("convnext_clip_laion2b", view).steps == ("resize", 256, 256, "bicubic")


def test_the_invariance_sections_views_are_shared_where_they_are_equal():
    """14 distinct views for a supervised model, 15 for CLIP, whose scale-1 view is bilinear; one job for each."""
    found = merged(profiles.jobs("paper", ["02", "04", "08"]))
    val = {job.model: job.views for job in found if job.dataset == "imagenet1k_val"}
    assert {model: len(each) for model, each in val.items()} == dict(zip(FOUR, (14, 14, 15, 15), strict=True))
    assert "paper.scale-1" in val["vit_clip"]
    assert "paper.scale-1" not in val["vit_sup"]
    assert all(each[0] == "paper.eval" and "paper.resolution-224" not in each for each in val.values())
    assert sum(job.dataset == "imagenet_r" for job in found) == 4


def test_one_pass_serves_every_section_that_reads_it():
    alone = merged(profiles.jobs("paper", ["02"]))
    assert merged(profiles.jobs("paper", ["02", "02", "04", "05"]))[0] == alone[0]
    real = [job for job in merged(profiles.jobs("paper", ["05"])) if job.model == "vit_sup"]
    assert [job.dataset for job in real].count("imagenet1k_val") == 1
    assert "imagenet_real" not in {job.dataset for job in real}


def test_published_predictions_need_no_run():
    assert profiles.jobs("released") == []
    assert profiles.compute_all("released").reports == ()
    assert profiles.needed("released", ["08"]) == {}


# Other models


def test_any_set_of_models_can_be_asked_for():
    other = profiles.with_models("paper", "in1k")
    assert other.roles["val"].models == other.models == models.MODEL_SETS["in1k"]
    assert profiles.with_models("paper", "vit_sup, mae").models == ("vit_sup", "mae")
    released = profiles.with_models("released", FOUR)
    assert released.roles["cue_conflict"].models == FOUR
    assert "val" not in released.roles


@pytest.mark.parametrize(("profile", "wanted", "message"), [
    ("paper", ["vit_supp"], "did you mean vit_sup"), ("paper", "", "found none"), ("paper", ["human_01"], "observer"),
    ("released", ["efficientnet_lite0"], "models with published predictions"), ("nature", "paper", "one of demo"),
])  # fmt: skip
def test_models_that_cannot_be_had_are_refused(profile, wanted, message):
    with pytest.raises(BookError, match=message):
        profiles.with_models(profile, wanted)


def test_an_unknown_role_is_refused():
    with pytest.raises(BookError, match="one of cue_conflict, val"):
        profiles.inputs("released", "v2")


# What is missing


def test_what_a_person_has_to_get_is_said_before_anything_is_computed(monkeypatch):
    monkeypatch.delenv("BOOK_OFFLINE")
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    found = profiles.missing_inputs("paper", ["02", "03"]).set_index("artifact")
    assert list(found.index) == ["imagenet1k_val"]
    row = found.loc["imagenet1k_val"]
    assert (row["where"], row["sections"]) == ("manual", "02_mistakes")
    assert "register at https://image-net.org" in row.remedy
    assert "--local imagenet1k_val=PATH" in row.remedy
    assert "imagenet1k_val_hub" in row.remedy
    assert profiles.missing_inputs("paper", ["02"], local={"imagenet1k_val": "x.tar"}).empty


def test_offline_everything_that_is_not_here_is_missing(monkeypatch):
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    found = profiles.missing_inputs("paper", ["03"]).set_index("artifact")
    weights = [models.MODELS[key].weights for key in FOUR]
    assert set(found.index) == {"cue_conflict", *weights}
    assert set(found["where"]) == {"offline"}
    other = profiles.with_models("paper", "laion2b")
    assert "weights of vit_clip_laion2b" in profiles.missing_inputs(other, ["03"])["artifact"].tolist()


def test_without_torch_the_package_is_missing(monkeypatch):
    monkeypatch.setattr(profiles.needs, "find_spec", lambda name: None)
    first = profiles.missing_inputs("paper", ["03"]).iloc[0]
    assert (first.artifact, first["where"]) == ("package torch", "not installed")
    assert profiles.missing_inputs("released", ["03"])["where"].isin(["offline", "mirror"]).all()


def test_nothing_of_it_needs_torch():
    code = (
        "import sys; from helpers import profiles; profiles.plan_table('paper'); profiles.missing_inputs('paper')\n"
        "print([name for name in ('torch', 'timm', 'open_clip') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# What it costs


def test_costs_by_hand():
    plan = profiles.plan_table("paper", ["02", "04", "08"])
    assert plan.index.tolist() == ["02_mistakes", "04_calibration", "08_invariance"]
    assert plan.forwards.tolist() == [200_000, 120_000, 50_000 * (13 + 13 + 14 + 14)]
    assert plan.images.tolist() == [50_000, 30_000, 50_000]  # calibration reads the validation run of mistakes
    assert plan.loc["02_mistakes", "petamacs"] == pytest.approx(50_000 * (2 * 15.355 + 17.564 + 17.563) / 1e6)
    speed = 1 / 2096.16 + 1 / 2617.49 + 1 / 2096.16 + 1 / 2840.98
    assert plan.loc["04_calibration", "RTX 4090"] == pytest.approx(30_000 * speed / 60)
    assert plan.loc["02_mistakes", "decode"] == pytest.approx(200_000 * 3.5 / 60_000)


def test_costs_grow_with_the_pixels():
    at_224 = 10  # the evaluation, four other scales and five shifts
    others = sum((side / 224) ** 2 for side in (112, 336, 512, 640))
    only = profiles.with_models("paper", ["vit_sup"])
    plan = profiles.plan_table(only, ["08"])
    assert plan.loc["08_invariance", "petamacs"] == pytest.approx(50_000 * 17.564 / 1e6 * (at_224 + others))


def test_costs_of_a_part_and_of_files_at_hand(monkeypatch):
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    plan = profiles.plan_table("paper", ["02", "03"], max_images=5000)
    assert plan.images.tolist() == [5000, 1280]
    assert plan.loc["02_mistakes", "download_gb"] == pytest.approx(6.744924160 + 0.354 + 0.346 + 0.606)
    assert plan.loc["02_mistakes", "unknown"] == "vit_b16_clip_laion400m_e31"
    local = {"imagenet1k_val": "x", **dict.fromkeys((models.MODELS[key].weights for key in FOUR), "y")}
    assert profiles.plan_table("paper", ["02"], local=local).loc["02_mistakes", "download_gb"] == 0


def test_what_is_not_for_a_free_t4_is_said():
    notes = profiles.plan_table("paper").note
    assert notes["05_robustness"] == (
        "not for a free T4: imagenet_c with 50 GB, 3.8 million forward passes a model "
        "(75 passes over the validation images)"
    )
    assert notes["07_synthetic"] == "not for a free T4: pug_imagenet with 27 GB"
    assert not notes["03_shape_texture"]
    assert not notes["04_calibration"]


def test_the_tasks_of_vtab_in_the_plan(monkeypatch):
    """As jobs of any section: train and test are files of one copy, and all tasks together are too much."""
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    roles = {f"{name}/{split}": Inputs(f"{name}/{split}", "paper.eval", ("vit_sup",))
             for name in datasets.DATASETS if name.startswith("vtab_") for split in ("train", "test")}  # fmt: skip
    monkeypatch.setitem(profiles.needs.SECTION_ROLES, "05_robustness", tuple(roles))
    profile = dataclasses.replace(profiles.get("paper"), roles=roles)
    row = profiles.plan_table(profile, ["05"]).loc["05_robustness"]
    assert row.images == row.forwards == 2_342_076
    assert set(row.unknown.split(", ")) == {f"vtab_{name}" for name in UNKNOWN_SIZE}
    shown = {name: size for name, size in profiles.costs.SHOWN_GB.items() if name.startswith("vtab_")}
    assert row.download_gb == pytest.approx(sum(shown.values()) + 0.346)
    assert row.note.startswith("not for a free T4: vtab_diabetic_retinopathy with 22 GB; the others together with 4")
    assert "2.3 million forward passes a model" in row.note
    assert len(shown) + len(UNKNOWN_SIZE) == 19


def test_a_model_without_published_speed_has_no_minutes():
    plan = profiles.plan_table(profiles.with_models("paper", "convnextv2"), ["03"])
    assert pd.isna(plan.loc["03_shape_texture", "RTX 4090"])
    assert plan.loc["03_shape_texture", "forwards"] == 1280


def test_throughputs_state_their_source():
    table = profiles.throughputs()
    assert not table.duplicated(["machine", "architecture"]).any()
    assert table.source.str.len().min() > 20
    bound = table[table.machine == "T4 at its peak"]
    assert bound.images_per_second.to_numpy() == pytest.approx((8100 / 2 / bound.gmacs).to_numpy(), rel=1e-3)


def test_the_effect_of_a_precision_is_measured(monkeypatch):
    pytest.importorskip("torch", reason="needs the extra `models`")
    from predict_tools import pictures, tiny_spec

    from helpers.predict import Network, Settings

    monkeypatch.setitem(models.MODELS, "tiny", tiny_spec("tiny"))
    network, settings = Network("tiny", seed=0), Settings(device="cpu", threads=1, progress=False)
    effect = profiles.precision_effect(network, pictures(12), "bf16", settings)
    assert (effect["n"], effect["precision"]) == (12, "bf16")
    assert 0 <= effect["agreement"] <= 100
    assert 0 < effect["largest_difference"] < 0.01
    assert abs(effect["ece_change"]) < 0.01
    with pytest.raises(BookError, match="found fp32"):
        profiles.precision_effect(network, pictures(2), "fp32", settings)


def test_validation_images_are_read_where_a_copy_has_them(monkeypatch):
    monkeypatch.delenv("BOOK_OFFLINE", raising=False)
    asked = [inputs.dataset for inputs in profiles.needed("paper", ["06"])["06_transferability"]]
    assert [each for each in asked if each.endswith("/val")] == ["vtab_sun397/val"]
    more = profiles.needed("paper", ["06"], {"vtab_dtd": "dtd-r1.0.1.tar.gz"})["06_transferability"]
    assert "vtab_dtd/val" in [inputs.dataset for inputs in more]
    assert not any("/val" in each.dataset for found in profiles.needed("demo").values() for each in found)
