"""Claims: face values, verdicts at every boundary, and what the paper's own numbers can resolve."""

import numpy as np
import pandas as pd
import pytest
from released_frames import decisions as released_decisions

from helpers import paper, paths, stats
from helpers.errors import BookError
from helpers.paper.lookup import index_rows, levels
from helpers.paper.names import PAPER_MODELS, PUG_FACTORS

Z = 1.959964


def row(model, value, half=None, **changes):
    base = dict(
        model=model, dataset="imagenet1k_val", view="paper.eval", metric="accuracy", group="overall", value=value,
        ci_low=None if half is None else value - half, ci_high=None if half is None else value + half, n=1000,
        unit="points" if " - " in model else "percent", resampled="image",
    )  # fmt: skip
    return {**base, **changes}


def rows_of(*rows):
    return pd.DataFrame(list(rows))


# Face values


def test_face_values_on_the_papers_numbers_are_the_known_flags():
    flags = pd.read_csv(paths.reference("paper_claim_flags.csv")).set_index("claim")
    assert [claim.id for claim in paper.CLAIMS] == flags.index.tolist()
    ledger = paper.ledger().set_index("claim")
    assert ledger.face_value.to_dict() == flags.holds.to_dict()
    assert ledger.threshold_ours.to_dict() == flags.threshold_ours.to_dict()
    strict = ledger.strict_of[ledger.strict_of.notna()].to_dict()
    assert strict == flags.strict_of.dropna().to_dict()
    assert (ledger.section == [claim.section for claim in paper.CLAIMS]).all()


def test_a_face_value_turns_when_a_number_does():
    rows = paper.detailed_rows("02_mistakes")
    claim = paper.claim_of("mistakes_texture_hardest")
    assert paper.evaluate(claim, rows).face_value is False  # ViT-sup: subcategory is ahead of texture
    turned = rows.assign(value=rows.value.mask((rows.model == "vit_sup") & (rows.group == "subcategory"), 2.376))
    assert paper.evaluate(claim, turned).face_value is True  # a tie is no defeat
    assert len(paper.components(claim, rows)) == 4 * 15


# Verdicts on hand-made numbers

CLOSE = paper.claim_of("comparable_accuracy")  # two differences within a margin of 1 point
SHAPE = paper.claim_of("shape_vit_higher")  # two differences above zero
PAIRS = ("vit_sup - convnext_sup", "vit_clip - convnext_clip")


def shape_rows(*effects):
    cue = dict(
        dataset="cue_conflict", metric="shape_bias", unit="fraction", resampled="shape exemplar x texture exemplar"
    )
    pairs = [row(pair, *effect, **cue) for pair, effect in zip(PAIRS, effects, strict=False) if effect]
    models = [row(model, 0.4, 0.1, **cue) for pair in PAIRS[: len(pairs)] for model in pair.split(" - ")]
    return rows_of(*pairs, *models)


@pytest.mark.parametrize(
    ("effects", "face", "verdict"),
    [
        ([(0.10, 0.0999), (0.10, 0.05)], True, "holds"),  # both intervals just exclude zero
        ([(0.10, 0.1001), (0.10, 0.05)], True, "within noise"),
        ([(-0.10, 0.0999), (0.10, 0.05)], False, "contradicted"),  # one opposite comparison is enough
        ([(-0.10, 0.1001), (0.10, 0.05)], False, "within noise"),
        ([(0.10, 0.05)], None, "not run"),  # nothing on the CLIP pair
        ([(-0.10, 0.05)], None, "contradicted"),  # whatever the CLIP pair would say
    ],
)
def test_verdicts_on_differences(effects, face, verdict):
    found = paper.evaluate(SHAPE, shape_rows(*effects))
    assert (found.face_value, found.verdict) == (face, verdict)
    assert bool(found.missing) == (verdict == "not run")


@pytest.mark.parametrize(
    ("effect", "error", "face", "verdict"),
    [
        (0.5, 0.30, True, "holds"),  # 0.5 + 1.645 x 0.30 = 0.99
        (0.5, 0.31, True, "within noise"),  # 1.01
        (1.4, 0.20, False, "contradicted"),  # 1.4 - 1.96 x 0.20 = 1.008
        (1.4, 0.21, False, "within noise"),
        (-1.4, 0.20, False, "contradicted"),
        (1.0, 0.01, True, "within noise"),  # on the margin
    ],
)
def test_verdicts_on_closeness(effect, error, face, verdict):
    rows = rows_of(row(PAIRS[0], effect, Z * error), row(PAIRS[1], 0.0, 0.1))
    found = paper.evaluate(CLOSE, rows)
    assert (found.face_value, found.verdict) == (face, verdict)
    assert found.flips_at == pytest.approx(abs(effect) + 1.644854 * error, abs=1e-4)


def test_what_the_discordance_leaves_open_is_not_decidable():
    def verdict(first, second, n):
        pair = [row("vit_sup", first, 1.0, n=n), row("convnext_sup", second, 1.0, n=n)]
        return paper.evaluate(CLOSE, rows_of(*pair, row(PAIRS[1], 0.0, 0.1)))

    assert verdict(50.0, 50.0, 60_000).verdict == "holds"  # 1.645 x sqrt(1 / 60,000) = 0.67 even at the worst
    open_ = verdict(50.0, 50.0, 5_000)
    assert (open_.verdict, open_.face_value) == ("not decidable", True)
    assert open_.missing == ("which images each model got right on ImageNet",)
    assert verdict(60.0, 50.0, 5_000).verdict == "contradicted"


def test_rounding_alone_can_leave_a_claim_open():
    rows = shape_rows((0.10, 0.0001), (0.001, 0.0001)).assign(
        low=lambda f: f.value - 0.01, high=lambda f: f.value + 0.01
    )
    found = paper.evaluate(SHAPE, rows)
    assert (found.verdict, found.missing) == ("not decidable", ("more digits than are printed",))


def test_intervals_that_ignore_shared_exemplars_never_decide_for_a_claim():
    crossed = shape_rows((0.10, 0.05), (0.10, 0.05))
    assert paper.evaluate(SHAPE, crossed).verdict == "holds"
    found = paper.evaluate(SHAPE, crossed.assign(resampled="image"))
    assert found.verdict == "not decidable"
    assert found.deciding.resampled == "image only"
    both = pd.concat([crossed.assign(resampled="image"), shape_rows((0.10, 0.12), (0.10, 0.12))])
    assert paper.evaluate(SHAPE, both).verdict == "within noise"


def test_nearly_all_needs_eight_of_ten_in_each_family():
    claim = paper.claim_of("synthetic_convnext")

    def verdict(*effects):
        rows = []
        for pair in ("convnext_sup - vit_sup", "convnext_clip - vit_clip"):
            rows += [row(pair, effect, 1.0, dataset="pug_imagenet", group=factor, resampled="asset")
                     for factor, effect in zip(PUG_FACTORS, effects, strict=True)]  # fmt: skip
        found = paper.evaluate(claim, rows_of(*rows))
        return found.face_value, found.verdict

    assert verdict(*[5.0] * 8, -5.0, -5.0) == (True, "holds")
    assert verdict(*[5.0] * 7, 0.1, -5.0, -5.0) == (True, "within noise")
    assert verdict(*[5.0] * 7, -5.0, -5.0, -5.0) == (False, "contradicted")
    # 1.1 is beyond one interval of half-width 1, but not beyond that of one in three
    assert verdict(*[5.0] * 7, 1.1, -5.0, -5.0) == (True, "within noise")


def test_the_preferred_row_has_the_papers_protocol_and_an_interval():
    def value(*rows):
        return index_rows(rows_of(*rows))["vit_sup", "val", "eval", "accuracy", "overall"][0]["value"]

    timm, released, bare = (
        row("vit_sup", 1.0, 0.1, view="timm.eval"),
        row("vit_sup", 2.0, view="released.eval"),
        row("vit_sup", 3.0),
    )
    coarser, with_interval = row("vit_sup", 5.0, resampled="source image"), row("vit_sup", 4.0, 0.1)
    assert value(timm, released) == 2.0
    assert value(released, bare) == 3.0
    assert value(coarser, with_interval) == 4.0
    assert not index_rows(rows_of(row("vit_sup", 83.7, view="table.eval")))  # the models table is no evaluation


def test_drops_are_taken_from_the_undistorted_setting_of_any_profile():
    claim = paper.claim_of("invariance_convnext_sup")
    rows = []
    for model, worst in (("convnext_sup", 60.0), ("vit_sup", 40.0)):
        demo = dict(dataset="demo_val", n=100_000)
        rows.append(row(model, 80.0, 0.1, **demo))
        for view, value in (("scale-2", worst), ("shift-0", 80.0), ("shift-8", worst), ("resolution-32", worst)):
            rows.append(row(model, value, 0.1, view=f"paper.{view}", **demo))
        rows.append(row(model, 90.0, 0.1, view="paper.resolution-64", **demo))
    rows = rows_of(*rows)
    assert list(levels(index_rows(rows), "vit_sup", "scale")) == [1.0, 2.0]  # scale 1 is the evaluation view
    parts = paper.components(claim, rows)
    assert [part.effect for part in parts] == pytest.approx([20.0, 20.0, 20.0])
    assert paper.evaluate(claim, rows).verdict == "holds"
    assert paper.evaluate(claim, rows[~rows["view"].str.contains("shift")]).verdict == "not run"


def test_another_set_of_four_is_evaluated_under_the_papers_roles():
    rows = shape_rows((0.10, 0.05), (0.10, 0.05))
    other = rows.assign(model=rows.model.str.replace("sup", "in1k"))
    models = dict(convnext_sup="convnext_in1k", vit_sup="vit_in1k", convnext_clip="convnext_clip", vit_clip="vit_clip")
    assert paper.evaluate(SHAPE, other).verdict == "not run"
    assert paper.evaluate(SHAPE, other, models).verdict == "holds"
    with pytest.raises(BookError, match="resnet50"):
        paper.evaluate(SHAPE, other, {"resnet50": "vit_in1k"})


# The ledger


def test_the_ledger_says_what_the_papers_own_numbers_resolve():
    ledger = paper.ledger().set_index("claim")
    assert set(ledger.source) == {"paper"}
    verdicts = ledger.verdict.to_dict()
    assert verdicts["calib_clip_over"] == verdicts["robust_sup_average"] == "holds"
    assert verdicts["mistakes_texture_hardest"] == "within noise"
    assert verdicts["mistakes_occlusion_partial"] == "contradicted"
    assert all(verdicts[claim.id] == "not decidable" for claim in paper.claims_of("07_synthetic"))
    assert set(verdicts.values()) <= set(paper.VERDICTS)
    undecidable = ledger.verdict == "not decidable"
    assert ledger.missing[undecidable].notna().all()
    assert ledger.missing[~undecidable].isna().all()
    assert ledger.figure.notna().all()
    assert ledger.caution["transfer_clip_better"].startswith("test images as VTAB")


def test_each_source_has_a_line_for_every_claim():
    ledger = paper.ledger({"demo": rows_of(row("vit_sup", 80.0, 1.0))})
    assert ledger.groupby("source", sort=False).size().to_dict() == {"paper": 30, "demo": 30}
    demo = ledger[ledger.source == "demo"]
    assert set(demo.verdict) == {"not run"}
    assert demo.face_value.isna().all()
    with pytest.raises(BookError, match="claim"):
        paper.claim_of("nothing")


def test_released_decisions_cannot_resolve_either_claim_about_shape(mirror):
    frames = released_decisions(mirror, *PAPER_MODELS)
    rows = stats.shape_rows(frames, np.random.default_rng(0), 500)
    for claim in paper.claims_of("03_shape_texture"):
        found = paper.evaluate(claim, rows)
        assert (found.face_value, found.verdict) == (True, "within noise")
        assert found.deciding.resampled == "shape exemplar x texture exemplar"
    plain = rows[rows.resampled == "image"]
    assert paper.evaluate(SHAPE, plain).deciding.resampled == "image only"
