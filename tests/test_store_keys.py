"""Keys of stored files: digests, the first differing field, file names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_tools import KEY, WHERE

from helpers import store
from helpers.errors import BookError
from helpers.store import files


def test_equal_keys_have_equal_digests_whatever_the_order_of_their_facts():
    again = store.PredictionKey(*WHERE, dict(reversed(KEY.facts.items())))
    assert again.digest() == KEY.digest()
    assert again == KEY
    assert store.explain_difference(again, KEY) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": "vit_clip"}, "model: "),
        ({"view": "timm.eval"}, "view: "),
        ({"facts": {**KEY.facts, "precision": "bf16"}}, "facts.precision: stored 'bf16', asked for 'fp32'"),
        ({"facts": {**KEY.facts, "artifacts": {"imagenet_a": "ef"}}}, "facts.artifacts.imagenet_a: stored 'ef'"),
        ({"facts": {**KEY.facts, "artifacts": {}}}, "facts.artifacts: stored {}, asked for nothing"),
        ({"facts": {**KEY.facts, "extra": 1}}, "facts.extra: stored 1, asked for nothing"),
        ({"facts": {}, "dataset": "imagenet_r"}, "dataset: "),  # names come before facts
    ],
)
def test_the_first_differing_field_is_named(change, field):
    other = store.PredictionKey(
        **{"model": WHERE[0], "dataset": WHERE[1], "view": WHERE[2], "facts": KEY.facts, **change}
    )
    assert store.explain_difference(other, KEY).startswith(field)
    assert other.digest() != KEY.digest()


@pytest.mark.parametrize(("one", "two"), [(1, True), (1, 1.0), (0, False), ([1], [True]), ({}, None), ("1", 1)])
def test_values_that_python_calls_equal_are_told_apart(one, two):
    a, b = (store.PredictionKey("m", "d", "v", {"x": value}) for value in (one, two))
    assert a.digest() != b.digest()
    assert store.explain_difference(a, b).startswith("facts.x: stored ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(*[st.dictionaries(st.sampled_from("abc"), json_values, max_size=3)] * 2)
def test_a_difference_is_named_exactly_if_the_digests_differ(first, second):
    a, b = (store.PredictionKey("m", "d", "v", facts) for facts in (first, second))
    assert (store.explain_difference(a, b) is None) == (a.digest() == b.digest())


@pytest.mark.parametrize("facts", [{"x": float("nan")}, {"x": object()}, {"x": {1, 2}}, "text"])
def test_facts_that_are_no_plain_json_are_refused(facts):
    with pytest.raises(BookError, match="facts of the key m, d, v"):
        store.PredictionKey("m", "d", "v", facts)


def test_file_names_are_safe_and_distinct():
    names = ["a/b", "a:b", "a%2Fb", "..", ".", "a b", "timm:x", "x.y-1.25"]
    safe = [files.safe_name(name) for name in names]
    assert len(set(safe)) == len(names)
    assert not any("/" in name or name.startswith(".") or ":" in name for name in safe)
