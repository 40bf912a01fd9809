"""Shape bias, the 16-category decision and error consistency: hand-worked cases, scikit-learn, the released files."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from released_frames import decisions
from sklearn.metrics import cohen_kappa_score

from helpers import metrics
from helpers.errors import BookError
from helpers.labels import sixteen_categories

CATEGORIES = tuple(sixteen_categories())

# Shape, texture, other, same cue: counted independently from the released decisions.
POOLED = {
    "convnext_sup": (313, 627, 260, 80), "vit_sup": (340, 513, 347, 80), "convnext_clip": (313, 425, 462, 80),
    "vit_clip": (421, 485, 294, 80), "convnext_in1k": (261, 599, 340, 80), "convnextv2": (388, 506, 306, 80),
    "vit_in1k": (384, 544, 272, 80), "mae": (295, 535, 370, 80), "resnet50_tv": (170, 621, 409, 80),
    "human_01": (829, 33, 338, 80), "human_02": (907, 54, 239, 80), "human_03": (1006, 34, 160, 80),
    "human_04": (727, 64, 409, 80), "human_05": (1017, 38, 145, 80), "human_06": (976, 24, 200, 80),
    "human_07": (906, 57, 237, 80), "human_08": (928, 41, 231, 80), "human_09": (1031, 14, 155, 80),
    "human_10": (909, 39, 252, 80),
}  # fmt: skip


def frame(*rows):
    """(shape exemplar, texture exemplar, decision) -> decisions frame."""
    table = pd.DataFrame(rows, columns=["s", "t", "decision"])
    cue = table[["s", "t"]].apply(lambda column: column.str.replace(r"\d+", "", regex=True))
    return pd.DataFrame(
        {"image_id": table.s + "-" + table.t + ".png", "shape": cue.s, "texture": cue.t, "decision": table.decision}
    )


def test_counts_and_biases_by_hand():
    table = frame(
        ("cat1", "dog1", "cat"), ("cat1", "dog2", "dog"), ("cat2", "dog1", "cat"), ("cat2", "cat1", "cat"),
        ("dog1", "cat1", "na"), ("dog1", "cat2", "dog"), ("dog2", "cat1", "bird"),
    )  # fmt: skip
    counts = metrics.shape_counts(table)
    assert counts.loc["cat"].tolist() == [2, 1, 0, 1]
    assert counts.loc["dog"].tolist() == [1, 0, 2, 0]
    assert metrics.pooled_shape_bias(counts) == pytest.approx(3 / 4)
    assert metrics.mean_shape_bias(counts) == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.category_accuracy(table) == pytest.approx(50.0)
    assert metrics.category_accuracy(table, conflict_only=False) == pytest.approx(100 * 4 / 7)


def test_no_cue_decision_gives_nan_not_zero():
    assert np.isnan(metrics.shape_bias(0, 0))


@pytest.mark.parametrize("key", POOLED)
def test_released_counts(mirror, key):
    counts = metrics.shape_counts(decisions(mirror, key)[key])
    assert tuple(counts.sum()) == POOLED[key]
    assert (counts.n_same_excluded == 5).all()
    assert (counts.drop(columns="n_same_excluded").sum(axis=1) == 75).all()


def test_released_counts_of_some_categories(mirror):
    counts = {key: metrics.shape_counts(table) for key, table in decisions(mirror, "vit_clip", "human_05").items()}
    assert counts["vit_clip"].loc["oven"].tolist() == [11, 35, 29, 5]
    assert counts["vit_clip"].loc["clock"].tolist() == [59, 10, 6, 5]
    assert counts["human_05"].loc["bicycle"].tolist() == [75, 0, 0, 5]
    assert metrics.mean_shape_bias(counts["vit_clip"]) == pytest.approx(0.446336, abs=1e-6)


def slow_decision(probabilities, indices):
    """The rule said plainly: walk through the categories, a later one wins if it is at least as probable."""
    best, highest = None, -1.0
    for name, group in indices.items():
        mean = sum(probabilities[i] for i in group) / len(group)
        if mean >= highest:
            best, highest = name, mean
    return best


def test_category_decision_follows_the_plain_rule():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(1000, 0.02), size=200)
    decided = metrics.category_decision(probabilities, sixteen_categories())
    assert decided.tolist() == [slow_decision(row, sixteen_categories()) for row in probabilities]
    sums = np.stack([probabilities[:, list(g)].sum(axis=1) for g in sixteen_categories().values()], axis=1)
    assert (np.array(CATEGORIES)[sums.argmax(axis=1)] != decided).any()  # the sum is another rule


def test_category_decision_tie_goes_to_the_later():
    probabilities = np.zeros((1, 1000))
    assert metrics.category_decision(probabilities, sixteen_categories()).tolist() == ["truck"]
    probabilities[0, [404, 499]] = 0.5  # airplane, knife
    assert metrics.category_decision(probabilities, sixteen_categories()).tolist() == ["knife"]


def test_category_decision_refuses_nan():
    with pytest.raises(BookError, match="NaN"):
        metrics.category_decision(np.full((1, 1000), np.nan), sixteen_categories())


bits = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60)


@given(bits)
def test_kappa_agrees_with_sklearn_and_stays_in_its_range(pairs):
    first, second = np.array(pairs).T
    ours = metrics.error_consistency(first, second)
    if np.isnan(ours):
        assert len(set(first)) == 1  # both always right, or both always wrong
        return
    assert ours == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)
    low, high = metrics.attainable_kappa(first.mean(), second.mean())
    assert low - 1e-12 <= ours <= high + 1e-12


def test_attainable_range_is_attained():
    first = np.array([True] * 6 + [False] * 4)
    second = np.array([True] * 8 + [False] * 2)
    low, high = metrics.attainable_kappa(0.6, 0.8)
    assert metrics.error_consistency(first, second) == pytest.approx(high)
    assert metrics.error_consistency(first, second[::-1]) == pytest.approx(low)


def test_released_kappa(mirror):
    pair = decisions(mirror, "convnext_clip", "vit_clip")
    conflict, all_images = metrics.correct_table(pair), metrics.correct_table(pair, conflict_only=False)
    assert (len(conflict), len(all_images)) == (1200, 1280)
    assert metrics.kappa_matrix(conflict).loc["convnext_clip", "vit_clip"] == pytest.approx(0.483, abs=5e-4)
    assert metrics.kappa_matrix(all_images).loc["convnext_clip", "vit_clip"] == pytest.approx(0.515, abs=5e-4)
    expected = cohen_kappa_score(conflict.convnext_clip, conflict.vit_clip)
    assert metrics.kappa_matrix(conflict).iloc[0, 1] == pytest.approx(expected)


def test_people_are_joined_by_image_whatever_their_order(mirror):
    pair = decisions(mirror, "vit_clip", "human_01")
    shuffled = {**pair, "human_01": pair["human_01"].sample(frac=1, random_state=1)}
    assert metrics.kappa_matrix(metrics.correct_table(shuffled)).equals(
        metrics.kappa_matrix(metrics.correct_table(pair))
    )
    by_position = metrics.error_consistency(
        *(table.eval("decision == shape").to_numpy() for table in pair.values())
    )  # the order of trials differs, so that this number is another
    joined = metrics.kappa_matrix(metrics.correct_table(pair, conflict_only=False)).iloc[0, 1]
    assert by_position != pytest.approx(joined, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: pd.concat([table, table]), "twice"),
        (lambda table: table.assign(texture="bird"), "same shape and texture"),
        (lambda table: table.assign(image_id="x1-y1.png"), "none"),
    ],
)
def test_frames_that_do_not_fit_are_refused(change, message):
    one = frame(("cat1", "dog1", "cat"))
    with pytest.raises(BookError, match=message):
        metrics.align_decisions({"a": one, "b": change(one)})


def test_image_ids_without_exemplars_are_refused():
    table = frame(("cat1", "dog1", "cat")).assign(image_id="picture.png")
    with pytest.raises(BookError, match="official file names"):
        metrics.align_decisions({"a": table})
