"""Section 10: sets of four, the 2x2, heads on embeddings, the picker, users, connections, earlier work."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from scipy.special import softmax
from scipy.stats import multivariate_normal

from helpers import instrument, metrics, paper, paths, plots, results, stats, words
from helpers.demo import planted
from helpers.errors import BookError
from helpers.metrics import heads
from helpers.models import MODEL_SETS, MODELS
from helpers.paper.estimates import bounds, paired_accuracy
from helpers.paper.lookup import index_rows
from helpers.paper.names import PAPER_MODELS
from helpers.paper.two_by_two import EFFECTS, effect_rows, win_rows
from helpers.predict import Embedded
from helpers.stats import coverage, head_fits, rows_heads
from helpers.words.sets import TWINS

TWINS_KEYS = dict(zip(PAPER_MODELS, MODEL_SETS["demo"], strict=True))
CELLS = (0.80, 0.76, 0.70, 0.74)


def rng(seed=0):
    return np.random.default_rng(seed)


def shape_row(model, value, low, high, **rest):
    base = {"dataset": "demo_cue_conflict", "view": "paper.eval", "metric": "shape_bias", "group": "overall", "n": 900,
            "unit": "fraction", "resampled": "shape exemplar x texture exemplar"}  # fmt: skip
    return {**base, "model": model, "value": value, "ci_low": low, "ci_high": high, **rest}


def twin_rows():
    """Twins with a clear shape bias of CLIP, and one of ViT."""
    values = dict(zip(PAPER_MODELS, (0.2, 0.4, 0.5, 0.7), strict=True))
    return results.rows_frame(
        [shape_row(TWINS_KEYS[model], value, value - 0.01, value + 0.01) for model, value in values.items()]
    )


# Sets of four


def test_every_set_fills_the_two_by_two_by_place():
    for which in paper.SETS.values():
        for key, model in which.models.items():
            assert (MODELS[key].family, MODELS[key].paradigm) == (MODELS[model].family, MODELS[model].paradigm)


def test_the_twins_are_judged_by_the_papers_claims_and_counted_nowhere():
    table = paper.ledger_of_sets({"demo": twin_rows(), "paper": results.empty_rows()})
    verdict = table.set_index(["source", "claim"]).verdict
    assert verdict["demo", "shape_clip_higher"] == "holds"
    assert verdict["demo", "transfer_clip_better"] == "not decidable"
    assert verdict["paper", "shape_clip_higher"] == "not run"
    assert paper.held(table).asked.sum() == 0
    turned = twin_rows().assign(value=lambda rows: 1 - rows.value, ci_low=np.nan, ci_high=np.nan)
    assert paper.ledger_of_sets({"demo": turned}).set_index("claim").verdict["shape_clip_higher"] != "holds"


def test_a_comparison_without_counterpart_says_so():
    table = paper.ledger_of_sets({"demo": twin_rows()}).set_index("claim")
    assert table.reason["transfer_clip_better"].startswith("the drawn world has no counterpart of ")


def test_demo_roles_and_ladders_stand_for_the_papers():
    views = {"paper.shift-0": 80.0, "paper.shift-28": 60.0}
    base = {"dataset": "demo_val", "metric": "accuracy", "group": "overall", "unit": "percent", "n": 400,
            "resampled": "source image"}  # fmt: skip
    rows = []
    for model in PAPER_MODELS:
        for view, value in views.items():
            value -= 30 * (view.endswith("28") and model == "vit_sup")
            ends = {"value": value, "ci_low": value - 1, "ci_high": value + 1}
            rows.append({**base, **ends, "model": TWINS_KEYS[model], "view": view})
    mapped = paper.as_paper(results.rows_frame(rows), paper.SETS["demo"])
    found = {part.name: part for part in paper.components(paper.claim_of("invariance_convnext_sup"), mapped)}
    (shift,) = [part for name, part in found.items() if name.endswith("shift")]
    assert shift.effect == pytest.approx(30)
    assert all(part.effect is None for name, part in found.items() if not name.endswith("shift"))


@pytest.mark.parametrize(
    ("seen", "whose"),
    [
        (MODEL_SETS["paper"], "paper"), (MODEL_SETS["in1k"], "in1k"), (MODEL_SETS["demo"], "demo"),
        (("convnext_in1k", "vit_in1k", *MODEL_SETS["paper"]), "paper"), (("mae", *MODEL_SETS["in1k"]), "in1k"),
        ((*MODEL_SETS["demo"], *MODEL_SETS["paper"]), "paper"), ((*MODEL_SETS["demo"], *MODEL_SETS["in1k"]), None),
    ],
)  # fmt: skip
def test_factorial_rows_are_those_of_the_four_on_the_same_data_set_and_view(seen, whose):
    effect = shape_row("interaction", 0.3, 0.2, 0.4)
    elsewhere = [shape_row(model, 0.2, 0.1, 0.3, view="timm.eval") for model in MODEL_SETS["laion2b"]]
    rows = results.rows_frame([effect, *(shape_row(model, 0.2, 0.1, 0.3) for model in seen), *elsewhere])
    kept = [name for name, which in paper.SETS.items() if "interaction" in set(paper.as_paper(rows, which).model)]
    assert kept == ([whose] if whose else [])


def test_an_interaction_of_unknown_models_is_none_of_the_papers():
    effect = {"dataset": "pug_imagenet", "metric": "accuracy", "group": "mean_of_10", "unit": "points"}
    rows = results.rows_frame([shape_row("interaction", -9.0, -10.0, -8.0, **effect)])
    assert paper.evaluate(paper.claim_of("synthetic_gap_smaller"), rows).verdict == "not run"
    assert effect_rows(index_rows(rows), "x").empty


def test_error_ratios_of_drawings_stand_in_the_place_of_imagenet_x():
    row = shape_row("twin_vit_sup", 1.2, 1.1, 1.3, dataset="demo_val", metric="error_ratio", group="pose", unit="ratio")
    assert paper.as_paper(results.rows_frame([row]), paper.SETS["demo"]).dataset.tolist() == ["demo_x"]


def test_the_ledger_of_the_demo_sets_the_twins_apart(monkeypatch):
    monkeypatch.setattr(words.sets, "rows_of", lambda names: twin_rows() if "demo" in names else results.empty_rows())
    ledger = words.synthesis.full_ledger("demo")
    assert ledger.source.iloc[-1] == TWINS
    names = {source: source for source in ledger.source.drop_duplicates()}
    page = BeautifulSoup(words.synthesis.claims_table(ledger, names).data, "html.parser")
    assert [cell.text for cell in page.select("th.drawn")] == [TWINS]
    assert len(page.select("td.drawn")) == len(page.select("tbody tr"))
    assert TWINS not in words.synthesis.beyond_the_paper(ledger)
    assert TWINS not in set(words.synthesis.full_ledger("released").source)


def test_real_sets_are_counted_once_each_and_never_the_drawn_one():
    table = words.sets.real_ledger()
    counts = paper.held(table)
    assert counts.asked.max() <= 3
    assert (counts[["holds", "contradicted", "within_noise", "open"]].sum(axis=1) == counts.asked).all()
    assert "twin" not in words.sets.table(table).data


def test_seeds_of_the_twins_lie_apart_as_recorded():
    entries = {
        f"{model}/seed{seed}": {"val": {"accuracy": 80.0 + seed * (model == "twin_vit_sup"), "shape_bias": 0.5}}
        for model in TWINS_KEYS.values() for seed in (0, 1, 2)
    }  # fmt: skip
    entries["twin_vit_sup/seed3"] = {"val": {"accuracy": 10.0, "shape_bias": 0.5}}
    table = words.sets.seeds(entries)
    assert list(table.columns) == ["contrast", "seed 0", "seed 1", "seed 2", "largest minus smallest"]
    assert table.loc[0, "seed 2"] == "+2.0"
    assert table.loc[0, "largest minus smallest"] == "2.0"


# The 2x2


@pytest.fixture(scope="module")
def answers():
    images = pd.DataFrame({"image_id": [f"{i:05d}" for i in range(3000)], "label": 0})
    cells = dict(zip(PAPER_MODELS, CELLS, strict=True))
    observers = planted.two_by_two(images, rng(3), cells, exact=True)
    return {each.model: each.frame for each in observers}, planted.truth_rows(observers)


def test_effects_are_those_that_were_planted(answers):
    frames, truth = answers
    rows = stats.accuracy_rows(frames, rng(), 300, "imagenet1k_val", "paper.eval")
    found = effect_rows(index_rows(rows), "paper.eval").set_index(["model", "metric"])
    for row in [each for each in truth if each["model"] in EFFECTS]:
        assert found.value[row["model"], row["metric"]] == pytest.approx(row["value"], abs=1e-9)
        assert found.ci_low[row["model"], row["metric"]] < row["value"] < found.ci_high[row["model"], row["metric"]]
    paired = rows.set_index(["model", "metric"]).ci_low["interaction", "accuracy"]
    assert found.ci_low["interaction", "accuracy"] == pytest.approx(paired)


def test_effects_of_the_twins_are_paired_like_those_of_the_paper(answers):
    frames, _ = answers
    how = {"n_resamples": 300, "dataset": "demo_val", "view": "paper.eval"}
    mine = stats.accuracy_rows(frames, rng(), **how)
    twins = stats.accuracy_rows({TWINS_KEYS[model]: frame for model, frame in frames.items()}, rng(), **how)
    mapped = paper.as_paper(twins, paper.SETS["demo"])
    found, own = (effect_rows(index_rows(rows), "x") for rows in (mapped, mine))
    pd.testing.assert_frame_equal(found, own)
    assert set(found.resampled) == {"image", "none"}  # and never "widest possible"
    both = stats.accuracy_rows(frames | {TWINS_KEYS[model]: frame for model, frame in frames.items()}, rng(), **how)
    assert (both.model == "interaction").sum() == 3  # points, log-odds and the flag: of one four only


def test_effects_agree_with_statsmodels(answers):
    smf = pytest.importorskip("statsmodels.formula.api")
    import statsmodels.api as sm

    frames, _ = answers
    long = pd.concat([
        pd.DataFrame({"right": (frame.pred == 0).astype(float), "image": frame.image_id,
                      "vit": float(MODELS[model].family == "vit") - 0.5,
                      "clip": float(MODELS[model].paradigm == "clip") - 0.5})
        for model, frame in frames.items()
    ])  # fmt: skip
    rows = stats.accuracy_rows(frames, rng(), 1000, "imagenet1k_val", "paper.eval")
    found = effect_rows(index_rows(rows), "paper.eval").set_index(["model", "metric"])
    plain = smf.ols("right ~ vit * clip", long).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(long.image)[0]}
    )
    odds = smf.glm("right ~ vit * clip", long, family=sm.families.Binomial()).fit()
    for effect, name in (("architecture", "vit"), ("paradigm", "clip"), ("interaction", "vit:clip")):
        row = found.loc[(effect, "accuracy")]
        assert row.value == pytest.approx(100 * plain.params[name], abs=1e-6)
        assert (row.ci_high - row.ci_low) / 3.92 == pytest.approx(100 * plain.bse[name], rel=0.12)
        assert found.value[effect, "accuracy_log_odds"] == pytest.approx(odds.params[name], abs=1e-5)


def test_an_interaction_that_turns_with_the_scale_is_flagged():
    def table(shares):
        base = {"dataset": "imagenet1k_val", "view": "paper.eval", "metric": "accuracy", "group": "overall",
                "unit": "percent", "n": 1000, "resampled": "image"}  # fmt: skip
        rows = [{**base, "model": m, "value": 100 * s, "ci_low": 100 * s - 1, "ci_high": 100 * s + 1}
                for m, s in zip(PAPER_MODELS, shares, strict=True)]  # fmt: skip
        found = effect_rows(index_rows(results.rows_frame(rows)), "x").set_index("metric")
        return found.value["accuracy_scale_dependent"]

    assert table((0.50, 0.60, 0.90, 0.97)) == 1
    assert table((0.50, 0.60, 0.50, 0.70)) == 0


@pytest.mark.parametrize("overlap", [0.0, 0.5, 1.0])
def test_widest_intervals_from_two_accuracies_cover(overlap):
    """Whatever the overlap of the two models' answers, the interval from the two accuracies alone covers."""
    n, p, q, draws = 2000, 0.8, 0.75, rng(5)
    hits = 0
    for _ in range(300):
        luck = draws.random(n)
        other = np.where(draws.random(n) < overlap, luck, 1 - luck)
        first, second = (luck < p).mean(), (other < q).mean()
        rows = [dict(value=100 * share, unit="percent", n=n, dataset="imagenet_a", metric="accuracy", model=m)
                for share, m in ((first, "vit_sup"), (second, "convnext_sup"))]  # fmt: skip
        low, high, *_ = bounds(paired_accuracy(*rows))
        hits += low <= 100 * (p - q) <= high
    assert hits / 300 > 0.92
    assert overlap < 1 or hits == 300  # answers that go together make it wider than needed


def test_wins_are_counted_per_task():
    rows = win_rows(index_rows(paper.detailed_rows("06_transferability")), "x").set_index("model").value
    assert rows["vit_clip - vit_sup"] == 17
    values = paper.as_rows("06_transferability").pivot_table(index="dataset", columns="model", values="value")
    values = values.drop(index="vtab")
    assert rows["vit_sup - convnext_sup"] == (values.vit_sup > values.convnext_sup).sum()
    assert win_rows(index_rows(results.empty_rows()), "x").empty


def test_contrast_intervals_cover_in_simulation():
    seen = {(case["metric"], case["n"]): case["coverage"] for case in coverage.contrast_cases(rng(1), 250, 200)}
    assert len(seen) == 12
    assert min(seen.values()) > 0.89


def test_the_instrument_finds_planted_interactions():
    frame = instrument.check("10_synthesis", rng(2), 200)
    inside = frame.inside.dropna().astype(bool)
    assert inside.mean() > 0.8
    flags = frame[frame.metric == "accuracy_scale_dependent"]
    assert (flags.value == flags.planted).all()
    assert set(flags.planted) == {0.0, 1.0}


def test_the_figure_of_the_two_by_two_has_a_panel_per_unit():
    rows = words.two_by_two.effects()
    drawn = plots.two_by_two.panels(rows, words.two_by_two.name_in(rows), " (demo: drawn world)")
    titles = [ax.get_title(loc="left") for ax in drawn.axes]
    assert len(titles) == len({"points", "log_odds", "ratio", "fraction"})
    assert all(title.endswith("(demo: drawn world)") for title in titles)
    ticks = [text.get_text() for ax in drawn.axes for text in ax.get_yticklabels()]
    assert sum("†" in text for text in ticks) == 2


# Heads


def test_shrunk_covariance_is_scikit_learns():
    covariance = pytest.importorskip("sklearn.covariance")
    x = rng().standard_normal((80, 12)) @ rng(1).standard_normal((12, 12))
    x -= x.mean(axis=0)
    assert np.allclose(heads.shrunk_covariance(x), covariance.ledoit_wolf(x, assume_centered=True)[0], atol=1e-8)


def test_the_linear_head_gives_the_posteriors_of_normal_classes():
    labels = np.repeat([0, 1, 2], 60)
    x = rng().standard_normal((3, 4))[labels] * 2 + rng(1).standard_normal((180, 4))
    weight, bias = heads.linear_discriminant(x, labels, 3)
    means = np.stack([x[labels == k].mean(axis=0) for k in range(3)])
    shared = heads.shrunk_covariance(x - means[labels])
    wanted = softmax(np.stack([multivariate_normal(mean, shared).logpdf(x) for mean in means], axis=1), axis=1)
    assert np.allclose(softmax(x @ weight.T + bias, axis=1), wanted, atol=1e-4)


def test_half_of_every_class_is_fitted_on():
    labels = rng().permutation(np.repeat(np.arange(10), 50))
    ids = [f"{i:04d}" for i in range(500)]
    half = heads.fitted_half(ids, labels)
    assert (np.bincount(labels[half]) == 25).all()
    order = rng(1).permutation(500)
    assert (heads.fitted_half([ids[i] for i in order], labels[order]) == half[order]).all()


def embedded(model, scale=100.0, n_class=8, per=60, spread=1.8, seed=0, dataset="imagenet1k_val", cues=False):
    """Normalised embeddings around class directions; a CLIP's head has its factor in the weight."""
    directions = rng(9).standard_normal((n_class, 16))
    labels = np.repeat(np.arange(n_class), per)
    x = directions[labels] + spread * rng(seed).standard_normal((len(labels), 16))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("f4")
    unit = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype("f4")
    frame = pd.DataFrame({"image_id": [f"v{i:04d}" for i in range(len(labels))], "label": [[int(k)] for k in labels]})
    clip = MODELS[model].paradigm == "clip"
    more = {"prompts": {1: np.roll(unit, 1, axis=0), 7: unit}, "learned_scale": 10.0} if clip else {}
    return Embedded(model, dataset, "paper.eval", frame, x, scale * unit, None, np.arange(n_class), None, **more)


def of_r(val):
    return {model: dataclasses.replace(each, dataset="imagenet_r") for model, each in val.items()}


@pytest.fixture(scope="module")
def head_rows():
    val = {model: embedded(model, 100.0 if MODELS[model].paradigm == "clip" else 8.0, seed=at)
           for at, model in enumerate(PAPER_MODELS)}  # fmt: skip
    return val, stats.head_rows(val, rng(), 200, renditions=of_r(val))


def test_temperature_explains_an_overconfident_head(head_rows):
    _, rows = head_rows
    gap = rows[rows.metric == "signed_gap"].drop_duplicates(["model", "group"]).set_index(["model", "group"])
    assert gap.value["vit_clip", rows_heads.OWN] > 0.05
    assert abs(gap.value["vit_clip", rows_heads.FITTED]) < 0.5 * gap.value["vit_clip", rows_heads.OWN]
    assert gap.value["vit_clip", rows_heads.LEARNED] < gap.value["vit_clip", rows_heads.OWN]
    found = rows[rows.metric == "temperature"].set_index(["model", "group"]).value
    assert found["vit_clip", rows_heads.OWN] > 3
    assert found["vit_clip", rows_heads.LEARNED] == 10


def test_heads_change_answers_and_scales_do_not(head_rows):
    _, rows = head_rows
    right = rows[rows.metric == "accuracy"].drop_duplicates(["model", "group"]).set_index(["model", "group"]).value
    assert (
        right["vit_clip", rows_heads.OWN] == right["vit_clip", rows_heads.LEARNED] == right["vit_clip", "7 templates"]
    )
    assert right["vit_clip", "1 template"] < 30  # its prompts are those of other classes
    assert right["vit_clip", rows_heads.LINEAR] > 60


def test_nothing_that_was_fitted_on_is_judged(head_rows):
    val, rows = head_rows
    _, tested = stats.fit_heads(val)
    half = heads.fitted_half(val["vit_clip"].frame.image_id, np.repeat(np.arange(8), 60))
    assert not (tested["vit_clip"] & half).any()
    assert rows[(rows.metric == "accuracy") & rows.n.notna()].n.min() == tested["vit_clip"].sum()


def test_kappa_by_head_is_that_of_the_agreement_metric(head_rows):
    val, rows = head_rows
    _, tested = stats.fit_heads(val)
    right = []
    for model in ("vit_clip", "vit_sup"):
        pred, _ = heads.read_out(val[model].features[tested[model]], val[model].weight, None, val[model].classes)
        right.append(pred == np.repeat(np.arange(8), 60)[tested[model]])
    found = rows[(rows.metric == "kappa") & (rows.model == "vit_clip ~ vit_sup")].set_index("group").value
    assert found[rows_heads.OWN] == pytest.approx(metrics.agreement.error_consistency(*right))


def test_contrasts_by_head_are_differences_of_their_models(head_rows):
    _, rows = head_rows
    mine = rows[(rows.metric == "accuracy") & (rows.dataset == "imagenet1k_val")]
    mine = mine.drop_duplicates(["model", "group"]).set_index(["model", "group"]).value
    for group in (rows_heads.OWN, rows_heads.LINEAR):
        difference = mine["convnext_clip", group] - mine["convnext_sup", group]
        assert mine["convnext_clip - convnext_sup", group] == pytest.approx(difference)


def test_words_about_heads(head_rows):
    _, rows = head_rows
    text = words.heads.answer(rows)
    assert "ViT-CLIP − ViT-sup, ECE" in text
    assert "_" not in re.sub(r"`.*?`", "", text)
    assert "Not run" in words.heads.answer(results.empty_rows())
    assert words.heads.by_head(rows).shape[0] >= 4
    drawn = plots.heads.differences(words.heads.for_figure(rows), words.heads.DRAWN_HEADS, " (demo: drawn world)")
    assert all(ax.get_title(loc="left").endswith("(demo: drawn world)") for ax in drawn.axes)
    assert "its learned scale" in words.heads.temperatures(rows)
    alone = plots.heads.differences(rows[rows.model == "vit_sup"], words.heads.DRAWN_HEADS)
    assert "no architecture" in alone.axes[0].texts[0].get_text()


@pytest.mark.parametrize("per", [1, 2])
def test_few_images_of_a_class_leave_out_the_linear_head_alone(per):
    val = {model: embedded(model, n_class=60, per=per, seed=at) for at, model in enumerate(("vit_sup", "vit_clip"))}
    rows = stats.head_rows(val, rng(), 50, renditions=of_r(val))
    assert {"accuracy", "ece", "signed_gap", "temperature", "kappa"} <= set(rows.metric)
    assert not rows.group.str.contains("linear").any()
    assert rows[rows.metric == "accuracy"].n.iloc[0] == 30 * per
    fits, tested = stats.fit_heads(val)
    assert fits["vit_sup"].weight is None
    assert tested["vit_sup"].sum() == 30 * per
    text = words.heads.answer(rows)
    assert "not run**: fewer than three images of a class" in text
    assert "with their own heads." in text
    assert "linear head" not in text.partition("\n")[2]
    assert words.heads.by_head(rows).shape[0] == 4
    assert "Temperatures" in words.heads.temperatures(rows)
    assert len(plots.heads.differences(words.heads.for_figure(rows), words.heads.DRAWN_HEADS).axes)
    with pytest.raises(BookError, match="two images at least"):
        stats.fit_heads({"vit_sup": embedded("vit_sup", n_class=1, per=1)})


def test_models_are_compared_image_by_image_whatever_the_order_of_their_rows():
    first, second = embedded("vit_sup"), embedded("vit_clip", seed=1)
    order = rng(3).permutation(len(second.frame))
    mixed = dataclasses.replace(second, frame=second.frame.iloc[order], features=second.features[order])
    keep = np.arange(len(second.frame)) != 7
    short = dataclasses.replace(second, frame=second.frame[keep], features=second.features[keep])
    plain, shuffled, fewer = (
        stats.head_rows(both := {"vit_sup": first, "vit_clip": each}, rng(), 50, renditions=of_r(both))
        for each in (second, mixed, short)
    )
    pd.testing.assert_frame_equal(plain, shuffled)
    assert len(fewer) == len(plain)
    both = head_fits.same_images({"vit_sup": first, "vit_clip": short})
    assert both["vit_sup"].frame.image_id.tolist() == short.frame.image_id.tolist()
    assert (both["vit_sup"].features == first.features[keep]).all()
    other = dataclasses.replace(second, frame=second.frame.assign(image_id="other " + second.frame.image_id))
    with pytest.raises(BookError, match="common to all models"):
        stats.head_rows({"vit_sup": first, "vit_clip": other}, rng(), 50)


def test_text_heads_are_kept_for_a_checkpoint_and_read_without_it(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("open_clip")
    from helpers import models
    from helpers.models import heads as text
    from helpers.models import prompt_heads, twins

    model = models.load("twin_vit_clip", random_init=True, head_cache=tmp_path, progress=False)
    assert model.head.scale == 100
    found = prompt_heads.stored(tmp_path, model.spec, model.weights_hash)
    assert sorted(found.weights) == [1, 3]
    assert found.learned_scale == pytest.approx(1 / 0.07, rel=1e-3)
    assert prompt_heads.stored(tmp_path, model.spec, "another") is None
    names, templates = twins.prompt_parts()
    clip = models.networks.build_clip(model.spec, None, 64, 0).eval()
    tokenizer = twins.tokenizer(model.spec.architecture)
    again = text.zero_shot_head(clip, tokenizer, names, templates[:3], progress=False)
    assert np.allclose(found.weights[3], again.weight, atol=1e-5)
    assert not np.allclose(found.weights[1], again.weight, atol=1e-3)


# Which model?


@pytest.fixture(scope="module")
def choices():
    return words.choices.table()


def test_the_picker_embeds_what_it_needs_and_nothing_that_runs(choices):
    page = BeautifulSoup(words.picker.widget(choices).data, "html.parser")
    data = json.loads(page.find("script", type="application/json").string)
    assert list(data["models"]) == list(PAPER_MODELS)
    for each in data["properties"]:
        assert len(each["differences"]) == 6
        for pair, part in each["differences"].items():
            first, second = pair.split(" - ")
            values = each["values"]
            assert part["value"] == pytest.approx(values[first]["value"] - values[second]["value"], abs=0.02), pair
    for field in page.select("input, select"):
        assert field.find_parent("label") is not None
    assert not page.find_all(["link", "img", "iframe"])
    assert "http" not in words.picker.widget(choices).data
    assert len(page.noscript.select("tbody tr")) == len(data["properties"])


def test_the_picker_escapes_its_data(choices, monkeypatch):
    monkeypatch.setattr(words.picker, "label", lambda model: "</script><b>x")
    text = words.picker.widget(choices).data
    assert "<b>" not in text
    assert text.count("</script>") == 2


def test_the_picker_never_rests_on_the_drawn_world_or_a_part(monkeypatch, choices):
    rows = results.rows_frame([shape_row(m, 0.9, 0.8, 1.0, dataset="cue_conflict") for m in PAPER_MODELS])

    def record(profile, parameters):
        def newest(section, name):
            if name != profile:
                return None
            return results.Record(section, profile, "complete", None, parameters, {}, rows, None)

        return newest

    few = tuple(each for each in words.choices.CHOICES if each.id in ("shape", "ece"))
    monkeypatch.setattr(words.choices, "CHOICES", few)  # the rest would take seconds five times over
    for profile, parameters in (("demo", {}), ("released", {}), ("paper", {"max_images": 5000}),
                                ("paper", {"models": "convnext_in1k,vit_in1k,convnext_clip,vit_clip"})):  # fmt: skip
        monkeypatch.setattr(results, "newest", record(profile, parameters))
        assert set(words.choices.table().source) == {words.choices.PRINTED}
    monkeypatch.setattr(results, "newest", record("paper", {"models": ",".join(PAPER_MODELS), "max_images": 0}))
    table = words.choices.table()
    assert set(table[table.choice == "shape"].source) == {words.choices.RUN}
    assert set(table[table.choice == "ece"].source) == {words.choices.PRINTED}
    assert "Shape or texture" in words.choices.said_sources(table)


def test_users_follow_their_numbers(choices):
    text = words.users.worked(choices)
    assert "ConvNeXt-sup leads, ViT-sup is second (0.028 against 0.041)" in text
    mine = (choices.choice == "ece") & choices.model.eq("vit_sup")
    turned = choices.assign(value=choices.value.mask(mine, 0.001))
    assert "ViT-sup leads, ConvNeXt-sup is second (0.001 against 0.028)" in words.users.worked(turned)
    museum = text[text.index("A museum") : text.index("A laboratory")]
    assert "-sup" not in museum


# Connections and earlier work


def test_connections_say_how_far_four_models_carry():
    found = words.connections.of_real()
    assert len(found["kappas"]) >= 6
    assert (found["kappas"].kappa_max >= found["kappas"].value).all()
    text = words.connections.answer(found)
    assert text.count("(weak)") == len(words.connections.SCATTERS)
    assert words.connections.WEAK in text
    drawn = plots.connections.connections(found, words.connections.SCATTERS)
    said = [text.get_text() for ax in drawn.axes for text in ax.texts]
    assert sum("four models" in each for each in said) == 2
    assert ["strong" in ax.get_title(loc="left") for ax in drawn.axes] == [True, False, False, False]


def test_two_sets_of_separate_images_add_their_errors():
    gaps = words.connections.gaps(index_rows(paper.detailed_rows("04_calibration"))).set_index("model")
    assert np.allclose(gaps.value, gaps.r - gaps.val)
    assert gaps.ci_high["vit_clip"] < 0


def test_earlier_work_is_cited_with_a_verdict():
    known = set(
        re.findall(r"^@\w+\{(\w+),", paths.resource("book/references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    )
    lines = words.literature.beside().split("\n")
    assert len(lines) == 2 + len(words.literature.FINDINGS)
    for each in words.literature.FINDINGS:
        assert each.claim is None or paper.claim_of(each.claim)
        cited = set(re.findall(r"\{cite:t\}`(\w+)`", each.earlier))
        assert cited
        assert cited <= known
    assert "printed numbers: *holds*" in lines[5]


def test_ties_between_models_are_said_and_do_not_stop_the_page():
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [10.1, 10.1, 12.0, 15.3]}, index=list(PAPER_MODELS))
    said = words.connections._order(table, "x", "shape", "y", "loss")
    assert said.endswith("order 5 of 6 pairs of models alike, and 1 is tied.")
    untied = words.connections._order(table.assign(y=[1.0, 3.0, 2.0, 4.0]), "x", "shape", "y", "loss")
    assert "order 5 of 6 pairs of models alike (Kendall's tau +0.67, exact p 0.33)" in untied


def test_one_recorded_section_leaves_the_printed_numbers_of_the_others(monkeypatch):
    row = dict(model="vit_sup", dataset="imagenet1k_val", view="paper.eval", metric="accuracy", group="overall",
               value=85.0, ci_low=84.0, ci_high=86.0, n=50_000, unit="percent", resampled="image")  # fmt: skip
    record = results.Record("05_robustness", "paper", "complete", None, {}, {}, results.rows_frame([row]), None)
    known = results.newest

    def newest(section, profile):
        return record if (section, profile) == ("05_robustness", "paper") else known(section, profile)

    monkeypatch.setattr(results, "newest", newest)
    found = words.connections.of_real()
    assert found["across"].lost.notna().all()
    assert len(found["gaps"]) == 4
