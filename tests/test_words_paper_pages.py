"""Words, tables and figures of the pages that rest on the paper's own numbers: sections 5 to 10, front page, audit."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup

from helpers import paper, results, words
from helpers.errors import BookError
from helpers.paper.names import PAPER_MODELS
from helpers.paper.verdicts import HOLDS, NOT_DECIDABLE, NOT_RUN

DRAWN = ("05_robustness", "06_transferability", "07_synthetic", "08_invariance")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def ledger():
    return paper.ledger()


# Differences


def discordant_interval(p, q, n):
    """Widest interval of a paired difference, by counting over every possible overlap of the two models' answers."""
    a, b = round(p * n), round(q * n)
    both = np.arange(max(0, a + b - n), min(a, b) + 1)
    only_first, only_second = (a - both) / n, (b - both) / n
    variance = only_first + only_second - (only_first - only_second) ** 2
    return 1.959964 * np.sqrt(variance.max() / n) * 100


@pytest.mark.parametrize("dataset", ["imagenet_a", "imagenet_r", "imagenet_sketch", "imagenet_real"])
def test_widest_interval_is_that_of_the_least_overlap(dataset):
    rows = words.differences.differences("05_robustness").set_index(["model", "dataset"])
    row = rows.loc[("convnext_sup - vit_sup", dataset)]
    published = paper.as_rows("05_robustness").set_index(["model", "dataset"]).value
    p, q = (published[model, dataset] / 100 for model in ("convnext_sup", "vit_sup"))
    half = discordant_interval(p, q, int(row.n))
    assert row.value == pytest.approx(100 * (p - q), abs=0.011)
    # Rounding of the two printed accuracies comes on top of the sampling error.
    assert half < (row.ci_high - row.ci_low) / 2 <= half + 0.101


def test_printed_differences_are_those_of_the_figure():
    for section in ("05_robustness", "06_transferability"):
        ours = words.differences.differences(section).set_index(["model", "dataset"]).value
        printed = paper.values(section)
        printed = printed[printed.model.str.contains(" - ") & (printed.kind == "printed")]
        for row in printed.itertuples():
            first, second = row.model.split(" - ")
            assert -ours[f"{second} - {first}", row.dataset] == pytest.approx(row.value, abs=0.061), row


def test_no_interval_without_a_number_of_images():
    rows = words.differences.differences("07_synthetic")
    assert rows.ci_low.isna().all()
    assert rows.resampled.eq("none").all()
    assert not words.differences.resolved(rows).any()


# Sentences


def test_averages_with_and_without_real_are_the_known_ones():
    table = words.robustness.averages()
    assert table["without ReaL"].round(1).tolist() == [55.9, 55.4, 43.7, 44.8]  # 44.85 before rounding
    assert (table["7 shifted sets"] - table.printed).abs().max() <= 0.05


def test_robustness_answer_names_the_sets_where_clip_is_ahead():
    text = words.robustness.answer(paper.as_rows("05_robustness"), words.differences.differences("05_robustness"))
    assert "ahead of the supervised model on ImageNet-R and ImageNet-Sketch only" in text
    assert "ImageNet-A (-7.1)" in text


def test_robustness_answer_follows_its_rows():
    rows = paper.as_rows("05_robustness")
    rows.loc[rows.dataset.eq("imagenet_sketch") & rows.model.str.endswith("clip"), "value"] = 1.0
    text = words.robustness.answer(rows, words.differences.differences("05_robustness"))
    assert "on ImageNet-R only" in text


def test_agreement_is_close_only_for_the_same_preparation():
    table = words.robustness.beside_others()
    same = table[table["same preparation"] == "yes"]
    assert same.difference.abs().max() < 0.1
    assert set(same.model) == {"ConvNeXt-CLIP", "ViT-CLIP"}


def test_largest_losses_are_taken_from_the_start_of_each_sweep():
    losses = words.invariance.drops(paper.as_rows("08_invariance"))
    reference = {"ConvNeXt-sup": 85.52 - 67.58, "ViT-CLIP": 66.85 - 36.03}
    for name, loss in reference.items():
        assert losses.scale[name] == pytest.approx(loss, abs=1e-9)
    assert losses.resolution["ConvNeXt-CLIP"] == pytest.approx(66.25 - 18.93, abs=1e-9)


def test_invariance_answer_does_not_crown_a_model_that_is_not_best_everywhere():
    rows = paper.as_rows("08_invariance")
    rows.loc[rows.model.eq("convnext_sup") & rows["view"].eq("paper.shift-100"), "value"] = 10.0
    assert "No model loses the least under all three" in words.invariance.answer(rows)
    assert "shift is not the easiest" in words.invariance.answer(rows)


@pytest.mark.parametrize("model", PAPER_MODELS)
def test_layer_counts_equal_those_of_the_networks(model):
    torch = pytest.importorskip("torch")
    timm, open_clip = pytest.importorskip("timm"), pytest.importorskip("open_clip")
    with torch.device("meta"):
        if model.endswith("clip"):
            name = "convnext_base" if model.startswith("convnext") else "ViT-B-16"
            network = open_clip.create_model(name, pretrained=None, device="meta").visual
        else:
            name = "convnext_base" if model.startswith("convnext") else "deit3_base_patch16_224"
            network = timm.create_model(name)
    kinds = {
        "conv": (torch.nn.Conv2d,), "linear": (torch.nn.Linear,), "norm": (torch.nn.LayerNorm,),
    }  # fmt: skip
    expected = words.similarity.expected_layers().set_index(["model", "panel"]).expected
    for panel, types in kinds.items():
        if (model, panel) in expected.index:
            found = [n for n, module in network.named_modules() if isinstance(module, types) and "attn." not in n]
            found = [n for n in found if not (panel == "conv" and "patch_embed" in n)]
            assert len(found) == expected[model, panel], (panel, found)


def test_probe_table_keeps_both_numbers():
    table = words.transferability.probes_of_others().set_index("task")
    assert table.CLIP_benchmark["Retinopathy"] == 76.91
    assert (table.paper - table.CLIP_benchmark - table.difference).abs().max() < 1e-9


def test_disagreement_names_the_one_model():
    text = words.disagreement.shape_texture_disagreement()
    assert text.count("**ConvNeXt-CLIP**") == 1
    assert "not known" in text
    table = words.disagreement.shape_texture_table()
    assert len(table) == 17
    assert table.category.iloc[-1] == "all, pooled"
    assert words.disagreement.shape_texture_table("vit_clip").difference.abs().max() < 0.001


# Not run


def test_a_section_that_was_not_run_says_why_and_how():
    missing = words.absent.inputs("05_robustness", "released")
    run = results.begin("05_robustness", "released", {}, 0)
    _, rows, status, reason = results.or_recorded(run, results.empty_rows(), missing)
    assert status == "unavailable"
    assert rows.empty
    text = words.absent.this_run("05_robustness", status, reason, {"released": None})
    assert "not run" in text
    assert "--profile paper --only 05" in text
    both = words.absent.this_run("05_robustness", status, reason, {"paper": None, "demo": None})
    assert "--profile paper --only 05` or `python -m helpers run --profile demo --only 05" in both
    with pytest.raises(BookError, match="section '03_shape_texture'"):
        words.absent.inputs("03_shape_texture", "released")


# The ledger


def test_own_readings_are_not_counted(ledger):
    claims = words.synthesis.own_claims(ledger)
    assert claims.strict_of.isna().all()
    assert not claims.statement.str.startswith("A weaker reading").any()
    assert int(words.synthesis.count_rows(ledger).value.sum()) == len(claims)


def test_answer_lists_every_statement_once_under_its_verdict(ledger):
    text = words.synthesis.answer(ledger)
    claims = words.synthesis.own_claims(ledger)
    assert all(text.count(f"- {statement}") == 1 for statement in claims.statement)
    supported = text.split("**Supported")[1].split("**Not decidable:")[0].split("**Within noise:")[0]
    assert supported.count("\n- ") == (claims.verdict == HOLDS).sum()


def test_every_cell_of_the_ledger_opens_to_its_comparison(ledger):
    table = BeautifulSoup(words.synthesis.claims_table(ledger, {"paper": "numbers"}).data, "html.parser")
    cells = table.select("details.verdict")
    assert len(cells) == len(words.synthesis.own_claims(ledger))
    bodies = [cell.get_text(" ") for cell in cells]
    assert all("nan" not in body.lower().split() for body in bodies)
    assert all("source:" in body for body in bodies)
    ours = words.synthesis.claims_table(ledger, {"paper": "numbers"}, ours=True).data
    assert ours.count("<details") == len(ledger) - len(cells)


def test_only_our_stricter_readings_are_marked():
    page = BeautifulSoup(words.claims("08_invariance", {}).data, "html.parser")
    marked = [row.get_text() for row in page.select("tbody tr") if "our stricter reading" in row.get_text()]
    assert len(marked) == 1
    assert "every single setting" in marked[0]
    assert "stricter" not in words.claims("07_synthetic", {}).data


def test_missing_inputs_are_those_of_undecided_statements(ledger):
    table = words.synthesis.missing(ledger)
    open_ones = words.synthesis.own_claims(ledger)
    open_ones = open_ones[open_ones.verdict == NOT_DECIDABLE]
    assert table.statements.max() <= len(open_ones)
    assert "the number of images on PUG" in set(table["what is missing"])


def test_released_rows_only_speak_of_the_models_they_hold(home_with_record):
    table = paper.ledger(words.synthesis.sources("released"))
    released = words.synthesis.own_claims(table, words.synthesis.RELEASED).set_index("claim").verdict
    assert (released.drop(["shape_clip_higher", "shape_vit_higher"]) == NOT_RUN).all()
    assert released["shape_clip_higher"] == HOLDS
    text = words.synthesis.beyond_the_paper(table)
    assert "higher shape bias. *Holds*" in text


@pytest.fixture
def home_with_record(tmp_path, monkeypatch):
    """A home whose only record gives both CLIP models a clearly higher shape bias."""
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    monkeypatch.setattr(results, "newest", lambda section, profile: results.load(section, profile))
    fixed = {
        "dataset": "cue_conflict", "view": "released.eval", "metric": "shape_bias", "group": "overall", "n": 900,
        "unit": "fraction", "resampled": "shape exemplar x texture exemplar",
    }  # fmt: skip
    pairs = ("convnext_clip - convnext_sup", "vit_clip - vit_sup")
    rows = [{**fixed, "model": pair, "value": 0.1, "ci_low": 0.05, "ci_high": 0.15} for pair in pairs]
    rows += [{**fixed, "model": model, "value": 0.4, "ci_low": 0.3, "ci_high": 0.5} for model in PAPER_MODELS]
    results.save(results.begin("03_shape_texture", "released", {}, 0), rows)
    return tmp_path


# The 2 x 2


def test_contrasts_of_the_two_by_two_add_up():
    table = words.two_by_two.contrasts()
    number = table.map(lambda text: float(text.split()[0]))
    first, second, third, fourth, interaction = (number[name] for name in table)
    assert (first - second - interaction).abs().max() < 0.11
    assert (first + third - second - fourth).abs().max() < 0.21  # once round the square, after rounding


def test_stars_stand_exactly_where_the_interval_excludes_zero():
    for text in words.two_by_two.contrasts().to_numpy().ravel():
        ends = re.search(r"\[([+-][\d.]+), ([+-][\d.]+)\]", text)
        if ends and min(abs(float(end)) for end in ends.groups()) > 0:
            low, high = map(float, ends.groups())
            assert ("*" in text) == (low > 0 or high < 0), text


def test_front_page_reads_the_released_decisions_where_there_is_a_record(home_with_record):
    assert "+0.100 [+0.050, +0.150]" in words.front.answer()
