"""Embeddings, features and heads."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from store_tools import flip

from helpers import store
from helpers.errors import BookError, InputsUnavailable

EMBEDDING_KEY = store.PredictionKey("vit_clip", "vtab_svhn", "probe.eval", {"dtype": "float16"})
PLACE = ("vit_clip", "vtab_svhn", "probe.eval")


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_embeddings_come_back_memory_mapped_in_canonical_order(dtype, tmp_path):
    ids = pd.DataFrame({"image_id": ["b", "c", "a"], "label": [[1], [2], [3]], "group": ["train", "test", "test"]})
    wide, narrow = np.arange(12, dtype=dtype).reshape(3, 4), np.arange(3, dtype=dtype)[:, None]
    store.write_embeddings(ids, {"embedding": wide, "pre_projection": narrow}, EMBEDDING_KEY, tmp_path)
    stored, matrix, key = store.read_embeddings(*PLACE, root=tmp_path, expect=EMBEDDING_KEY)
    assert isinstance(matrix, np.memmap)
    assert not matrix.flags.writeable
    assert matrix.dtype == dtype
    assert matrix.tolist() == wide[[2, 0, 1]].tolist()
    assert stored["group"].tolist() == ["test", "train", "test"]
    assert key == EMBEDDING_KEY.document()
    assert store.read_embeddings(*PLACE, name="pre_projection", root=tmp_path)[1].ravel().tolist() == [2, 0, 1]
    assert store.status(EMBEDDING_KEY, tmp_path, kind="embeddings") == "hit"
    assert store.status(EMBEDDING_KEY, tmp_path) == "miss: nothing stored"


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.zeros((2, 4), "f4"), r"shape \[3, d\], found \[2, 4\]"),
        (np.zeros(3, "f4"), r"shape \[3, d\], found \[3\]"),
        (np.zeros((3, 4)), "dtype float16 or float32, found float64"),
        (np.array([[0], [np.nan], [0]], "f4"), "row 1: expected finite numbers, found nan"),
        (np.array([[0], [0], [np.inf]], "f2"), "row 2: expected finite numbers, found inf.*store float32"),
    ],
)
def test_malformed_matrices_are_refused(matrix, said, tmp_path):
    with pytest.raises(BookError, match=said):
        store.write_embeddings(pd.DataFrame({"image_id": list("abc")}), {"embedding": matrix}, EMBEDDING_KEY, tmp_path)


def test_damaged_matrices_and_unknown_names_are_refused(tmp_path):
    ids, matrix = pd.DataFrame({"image_id": list("abc")}), np.ones((3, 4), "f4")
    index = store.write_embeddings(ids, {"embedding": matrix}, EMBEDDING_KEY, tmp_path)
    with pytest.raises(BookError, match="a matrix 'features', found embedding"):
        store.read_embeddings(*PLACE, name="features", root=tmp_path)
    flip(index.with_name("probe.eval.embedding.npy"))
    with pytest.raises(BookError, match=r"probe.eval.embedding.npy: expected 176 bytes with sha256"):
        store.read_embeddings(*PLACE, root=tmp_path)
    index.with_name("probe.eval.embedding.npy").unlink()
    assert store.status(EMBEDDING_KEY, tmp_path, "embeddings").startswith("miss: probe.eval.embedding.npy is missing")


def test_a_head_is_stored_once_and_logits_follow_from_embeddings(tmp_path):
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(5, 4)).astype("f4"), rng.normal(size=5).astype("f4")
    digest = store.write_head("timm:a/b", weight, bias, tmp_path)
    assert store.write_head("timm:a/b", weight, bias, tmp_path) == digest
    assert digest != store.write_head("timm:a/b", weight, None, tmp_path)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    for wanted, found in zip((weight, bias), store.read_head("timm:a/b", digest, tmp_path), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert store.read_head("timm:a/b", store.head_digest(weight), tmp_path)[1] is None


def test_a_damaged_or_absent_head_is_refused(tmp_path):
    digest = store.write_head("vit_clip", np.eye(3, dtype="f4"), root=tmp_path)
    (path,) = tmp_path.rglob("*.npz")
    with pytest.raises(InputsUnavailable, match="a stored head, found none"):
        store.read_head("vit_clip", "0" * 64, tmp_path)
    path.rename(path.with_name("0" * 64 + ".npz"))
    with pytest.raises(BookError, match=f"a head with digest 000000000000..., found {digest[:20]}"):
        store.read_head("vit_clip", "0" * 64, tmp_path)
    path.write_bytes(b"PK not a zip")
    with pytest.raises(BookError, match="a head with digest"):
        store.read_head("vit_clip", digest, tmp_path)
    with pytest.raises(BookError, match=r"a finite bias \[3\], found shape \[2\]"):
        store.write_head("vit_clip", np.eye(3, dtype="f4"), np.zeros(2, "f4"), tmp_path)
