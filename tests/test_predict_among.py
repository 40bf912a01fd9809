"""The second reading of PUG: from stored embeddings, against torch, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from fixtures_layouts import pug_class_map
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import labels, predict, store
from helpers.errors import BookError
from helpers.predict import Collected, Inputs
from helpers.predict.among import fair_labels, restricted
from helpers.predict.outputs import carried_facts

CLASSES = {"Cat": [1, 2], "Shirt": [4], "Sweatshirt": [4, 5]}
PAPER, FAIR = labels.mapped_space("toy", CLASSES, 8), labels.candidate_space("toy", CLASSES)


def rows(pred, label) -> pd.DataFrame:
    ids = [f"image {i}" for i in range(len(pred))]
    return pd.DataFrame({"image_id": ids, "label": label, "pred": pred, "group": "Worlds", "level": "sky"})


def test_by_hand():
    """Class 0 leads every image but is no class of the set; then come 2, 4 and 5."""
    logits = np.zeros((3, 8), dtype="f4")
    logits[:, 0] = 9
    logits[[0, 1, 2], [2, 4, 5]] = np.log([3, 5, 2])
    frame, agreed = restricted(rows([0, 0, 2], [[1, 2], [], [4, 5]]), logits, None, PAPER, FAIR)
    assert frame.pred.tolist() == [2, 4, 5]
    assert frame.label.tolist() == [[1, 2], [4], [4, 5]]
    assert frame.confidence.tolist() == pytest.approx([3 / 6, 5 / 8, 2 / 5])  # candidates: 1, 2, 4, 5
    assert frame.p_true.tolist() == pytest.approx([3 / 6, 5 / 8, 2 / 5])
    assert frame.mapped.tolist() == [False, False, True]
    assert agreed == pytest.approx(2 / 3)
    assert set(frame.columns) >= {"group", "level"}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_best_candidate_is_torchs_argmax_of_masked_logits(seed):
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(seed)
    embedding, weight = draw.normal(size=(7, 5)).astype("f4"), draw.normal(size=(8, 5)).astype("f4")
    bias = draw.normal(size=8).astype("f4")
    frame, _ = restricted(rows([0] * 7, [[1, 2]] * 7), embedding, (weight, bias), PAPER, FAIR)
    logits = torch.from_numpy(embedding) @ torch.from_numpy(weight).T + torch.from_numpy(bias)
    masked = torch.full_like(logits, -torch.inf)
    masked[:, list(FAIR.indices)] = logits[:, list(FAIR.indices)]
    assert frame.pred.tolist() == masked.argmax(1).tolist()
    chances = masked.softmax(1)
    assert frame.confidence.to_numpy() == pytest.approx(chances.amax(1).numpy(), abs=1e-5)
    assert frame.p_true.to_numpy() == pytest.approx(chances[:, [1, 2]].amax(1).numpy(), abs=1e-5)


def test_labels_that_do_not_tell_the_class_are_refused():
    with pytest.raises(BookError, match="labels of one class"):
        fair_labels(pd.Series([[7]], dtype=object), PAPER, FAIR)
    two = {"Coat": [4], "Shirt": [4], "Sweatshirt": [4]}  # two classes lost their only index: both have no label
    with pytest.raises(BookError, match="labels of one class"):
        fair_labels(pd.Series([[]], dtype=object), labels.mapped_space("t", two, 8), labels.candidate_space("t", two))


def test_a_model_without_stored_embeddings_is_named(tmp_path, monkeypatch):
    class_map = pug_class_map(tmp_path / "class_to_imagenet_idx.json")
    frame = rows([1], [[1]])
    found = Collected(Inputs("pug_imagenet", "paper.eval", ("vit_sup",)), {"vit_sup": frame})
    again = predict.among_classes(found, local={"pug_class_map": class_map})
    assert again.frames == {}
    assert "no stored embeddings" in again.missing["vit_sup"]
    assert predict.among_classes(Collected(found.inputs)).missing == {}


def test_the_published_map_has_176_candidates(mirror):
    (path,) = mirror.glob("raw.githubusercontent.com/facebookresearch/PUG/*/PUG_ImageNet/class_to_imagenet_idx.json")
    fair, paper = labels.pug_candidate_space(path), labels.pug_label_space(path)
    assert (fair.n, len(fair.indices)) == (151, 176)
    by_name = dict(zip(fair.folders, fair.labels, strict=True))
    assert 841 in by_name["Shirt"]
    assert 841 in by_name["Sweatshirt"]
    assert [len(mine) for mine, more in zip(paper.labels, fair.labels, strict=True) if mine != more] == [0]


def test_a_batch_in_which_a_column_is_empty_by_chance_keeps_it(tmp_path):
    """Shards with different columns could not be merged."""
    table = pa.table(
        {
            "image_id": ["a", "b", "c"], "label": [[1], [2], [3]], "level": ["sky"] * 3,
            "group": pa.array([None, None, "Worlds"], pa.string()), "asset": pa.array([None] * 3, pa.string()),
        }
    )  # fmt: skip
    kept = carried_facts(table)
    assert kept.column_names == ["image_id", "label", "group", "level"]
    key = store.PredictionKey("vit_sup", "pug_imagenet", "paper.eval", {})
    writer = store.ShardWriter(key, n=3, shard_rows=1, root=tmp_path)
    for row in range(3):
        facts = kept.slice(row, 1).to_pandas()
        writer.append(facts.assign(pred=1, confidence=0.5, p_true=0.25))
    assert writer.finish() == 3
    back = store.read_predictions("vit_sup", "pug_imagenet", "paper.eval", tmp_path)[0]
    assert back.level.tolist() == ["sky"] * 3
    assert back.group.isna().tolist() == [True, True, False]
