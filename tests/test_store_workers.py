"""Long runs: full disks, several workers, misuse, memory."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from store_tools import OTHER_RUN_KEY as OTHER
from store_tools import RUN_EMBEDDING_KEY as EMBEDDING_KEY
from store_tools import RUN_KEY as KEY
from store_tools import RUN_PLACE as PLACE
from store_tools import N, compute, rows_of, stored_bytes, writer_of

from helpers import store
from helpers.errors import BookError
from helpers.store import files


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("uninterrupted")
    writer = writer_of(root)
    compute(writer)
    assert writer.finish() == N
    return stored_bytes(root)


@pytest.mark.parametrize("call", range(9))
def test_a_full_disk_loses_nothing_that_was_finished(call, uninterrupted, tmp_path, monkeypatch):
    calls, sync = [], files.sync

    def full(handle):
        calls.append(handle)
        if len(calls) > 5 + call:  # the first shard takes four: key, matrix, table, line of the index
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(BookError, match=r"room on the disk.*everything already finished is kept"):
        compute(writer_of(tmp_path))
    monkeypatch.undo()
    writer = writer_of(tmp_path)
    assert len(writer.finished_ids()) >= 12 * ((1 + call) // 3)
    assert not list(tmp_path.rglob(f"*{files.WRITING}"))
    compute(writer)
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted


def test_a_full_disk_while_merging_keeps_the_shards_and_the_same_writer_can_go_on(uninterrupted, tmp_path, monkeypatch):
    writer, sync = writer_of(tmp_path), files.sync
    compute(writer)
    for allowed in range(5):
        calls = []

        def full(handle, calls=calls, allowed=allowed):
            calls.append(handle)
            if len(calls) > allowed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            sync(handle)

        monkeypatch.setattr(files, "sync", full)
        with pytest.raises(BookError, match="room on the disk"):
            writer.finish()
        assert store.status(KEY, tmp_path) == f"partial {N} of {N}"
        monkeypatch.undo()
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted


FULL = """
import resource, signal, sys
sys.path[:0] = [{tests!r}, {checkout!r}]
import store_tools as run
from pathlib import Path
from helpers.errors import BookError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = run.writer_of(Path({root!r}), shard_rows=20)
run.compute(writer, range(20))
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
try:
    run.compute(writer)
except BookError as error:
    print(error)
"""


def test_a_limit_of_the_system_is_told_like_a_full_disk(tmp_path):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    here = os.path.dirname(__file__)
    script = FULL.format(tests=here, checkout=os.path.dirname(here), root=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "part-00001.embedding.npy: expected room on the disk" in done.stdout
    assert len(writer_of(tmp_path).finished_ids()) == 20


def test_workers_share_a_run_and_the_merge_equals_one_run(uninterrupted, tmp_path):
    workers = [writer_of(tmp_path, worker=f"{i}of3") for i in range(3)]
    for i, writer in enumerate(workers):
        compute(writer, range(i, N, 3))
        writer.flush()
    assert store.status(KEY, tmp_path) == f"partial {N} of {N}"
    assert len(writer_of(tmp_path, worker="0of3").finished_ids()) == N
    merger = writer_of(tmp_path, worker="merge")
    assert merger.finish() == N
    assert stored_bytes(tmp_path) == uninterrupted


def test_an_image_of_two_workers_is_taken_once(uninterrupted, tmp_path):
    first, second = (writer_of(tmp_path, worker=name) for name in ("1of2", "2of2"))
    compute(first, range(40))
    first.flush()
    for start in range(30, N, 5):
        second.append(*rows_of(range(start, start + 5)))
    second.flush()
    writer_of(tmp_path, worker="merge").finish()
    assert stored_bytes(tmp_path) == uninterrupted


def test_a_workers_missing_rows_and_a_workers_other_key_are_told(tmp_path):
    compute(writer_of(tmp_path, worker="1of2"), range(30))
    with store.ShardWriter(OTHER, embedding_key=EMBEDDING_KEY, root=tmp_path, worker="2of2") as stale:
        compute(stale, range(30, N))
    merger = writer_of(tmp_path, worker="merge")
    assert "2of2 holds another run and is left out: predictions.facts.prompts" in merger.notes[0]
    with pytest.raises(BookError, match=r"60 images, found 24 whole.*computes the missing images only"):
        merger.finish()


# ---------------------------------------------------------------- misuse


def test_misuse_is_refused(tmp_path):
    frame, matrices = rows_of(range(4))
    writer = writer_of(tmp_path)
    with pytest.raises(BookError, match="matrices exactly if there is an embedding key, found none"):
        writer.append(frame)
    writer.append(frame, matrices)
    with pytest.raises(BookError, match=r"new images, found '000000.png' finished already"):
        writer.append(frame, matrices)
    with pytest.raises(BookError, match="the columns and matrices of the rows before"):
        writer.append(rows_of(range(4, 8))[0].drop(columns="group"), matrices)
    with pytest.raises(BookError, match="the columns and matrices of the rows before"):
        writer.append(rows_of(range(4, 8))[0], {"embedding": np.zeros((4, 9), "f4")})
    with pytest.raises(BookError, match=r"row 1.*finite numbers"):
        writer.append(rows_of(range(4, 8))[0], {"embedding": np.array([[0], [np.nan], [0], [0]], "f4")})
    with pytest.raises(BookError, match="60 images, found 4 whole"):
        writer.finish()
    with pytest.raises(BookError, match="one model, dataset and view"):
        store.ShardWriter(KEY, embedding_key=store.PredictionKey("x", *PLACE[1:], {}), root=tmp_path)
    with pytest.raises(BookError, match="one model, dataset and view"):
        store.ShardWriter(None, root=tmp_path)
    with pytest.raises(BookError, match="finished images, found none"):
        store.ShardWriter(None, embedding_key=EMBEDDING_KEY, root=tmp_path / "empty").finish()


def test_features_alone_need_no_prediction_key(tmp_path):
    key = store.PredictionKey("vit_clip", "vtab_dmlab", "probe.eval", {"dtype": "float16"})
    frame, matrices = rows_of(range(N))
    half = matrices["embedding"].astype("f2")
    ids = frame[["image_id", "label", "group"]]
    for _ in range(2):  # the second time goes on where the first stopped
        writer = store.ShardWriter(None, embedding_key=key, n=N, shard_rows=7, root=tmp_path)
        done = writer.finished_ids()
        left = [i for i in range(N) if ids["image_id"][i] not in done][:40]
        for start in range(0, len(left), 8):
            writer.append(ids.iloc[left[start : start + 8]], {"embedding": half[left[start : start + 8]]})
    assert store.status(key, tmp_path, "embeddings").startswith("partial ")
    assert writer.finish() == N
    stored, matrix, _ = store.read_embeddings("vit_clip", "vtab_dmlab", "probe.eval", root=tmp_path, expect=key)
    places = ids["image_id"].argsort()
    assert matrix.dtype == np.float16
    np.testing.assert_array_equal(matrix, half[places])
    assert stored["label"].tolist() == ids["label"].iloc[places].tolist()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    def peak(n: int) -> int:
        writer = writer_of(tmp_path / str(n), n=n, shard_rows=1024)
        tracemalloc.start()
        for start in range(0, n, 1024):
            frame, _ = rows_of(range(start, start + 1024))
            writer.append(frame, {"embedding": np.ones((1024, 512), "f4")})
        writer.finish()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    # 512 x 4 bytes a row are 16 and 48 MiB of embeddings; a block of 4096 rows is 8 MiB.
    small, large = peak(8_192), peak(24_576)
    assert large - small < 16_384 * 600  # ids and bookkeeping, not embeddings (2,048 bytes a row)
