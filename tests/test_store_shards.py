"""Long runs: shards, kill -9 and resume, changed keys, damage, full disks, several workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from store_tools import OTHER_RUN_KEY as OTHER
from store_tools import RUN_EMBEDDING_KEY as EMBEDDING_KEY
from store_tools import RUN_KEY as KEY
from store_tools import RUN_PLACE as PLACE
from store_tools import N, compute, rows_of, stored_bytes, writer_of

from helpers import store
from helpers.errors import BookError
from helpers.store import merge, shards


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("uninterrupted")
    writer = writer_of(root)
    compute(writer)
    assert writer.finish() == N
    return stored_bytes(root)


def test_one_pass_leaves_predictions_and_embeddings_and_no_shards(uninterrupted):
    folder = "imagenet_r/convnext_clip/paper.eval"
    assert sorted(uninterrupted) == [
        f"embeddings/{folder}.embedding.npy", f"embeddings/{folder}.json", f"embeddings/{folder}.parquet",
        f"predictions/{folder}.json", f"predictions/{folder}.parquet",
    ]  # fmt: skip


def test_shards_give_the_files_that_one_write_gives(uninterrupted, tmp_path):
    frame, matrices = rows_of(range(N))
    store.write_predictions(frame, KEY, tmp_path)
    store.write_embeddings(frame[["image_id", "label", "group"]], matrices, EMBEDDING_KEY, tmp_path)
    assert stored_bytes(tmp_path) == uninterrupted


def test_what_is_read_is_what_was_computed(tmp_path):
    writer = writer_of(tmp_path)
    compute(writer)
    writer.finish()
    frame, matrices = rows_of(range(N))
    order = frame["image_id"].argsort()
    stored, _ = store.read_predictions(*PLACE, root=tmp_path, expect=KEY)
    assert_frame_equal(stored, frame.iloc[order].reset_index(drop=True))
    ids, matrix, _ = store.read_embeddings(*PLACE, root=tmp_path, expect=EMBEDDING_KEY)
    assert ids["image_id"].tolist() == stored["image_id"].tolist()
    np.testing.assert_array_equal(matrix, matrices["embedding"][order])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(N)), batch=st.integers(4, 20), shard_rows=st.integers(5, 70),
    stops=st.lists(st.integers(0, N), max_size=2),
)  # fmt: skip
def test_neither_order_nor_batches_nor_stops_change_a_byte(
    order, batch, shard_rows, stops, uninterrupted, tmp_path_factory
):
    root = tmp_path_factory.mktemp("any")
    for stop in sorted(stops):
        compute(writer_of(root, shard_rows=shard_rows), order[:stop], batch)  # left without flush: a kill
    writer = writer_of(root, shard_rows=shard_rows)
    compute(writer, order, batch)
    assert writer.finish() == N
    assert stored_bytes(root) == uninterrupted


def test_blocks_smaller_than_the_table_are_merged_alike(uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setattr(merge, "CHUNK", 7)
    writer = writer_of(tmp_path)
    compute(writer)
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted
    plan = merge.MergePlan((), np.arange(0), np.arange(0))
    assert list(merge.table_blocks(plan)) == []


def test_the_datasets_order_can_be_asked_for(tmp_path):
    writer = writer_of(tmp_path)
    compute(writer)
    order = rows_of(range(N))[0]["image_id"].tolist()
    with pytest.raises(BookError, match=r"1 are missing \(first 'absent.png'\)"):
        writer.finish([*order[1:], "absent.png"])
    writer.finish(order)
    assert store.read_predictions(*PLACE, root=tmp_path)[0]["image_id"].tolist() == order
    assert store.read_embeddings(*PLACE, root=tmp_path)[0]["image_id"].tolist() == order


KILLED = """
import sys
sys.path[:0] = [{tests!r}, {checkout!r}]
import store_tools as run
from pathlib import Path
run.compute_slowly(Path({root!r}))
"""


def test_kill_9_loses_at_most_one_shard_and_the_rerun_gives_the_same_bytes(uninterrupted, tmp_path):
    here = os.path.dirname(__file__)
    script = KILLED.format(tests=here, checkout=os.path.dirname(here), root=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) == 36:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not store.has_predictions(*PLACE, root=tmp_path)
    done = len(writer_of(tmp_path).finished_ids())
    assert done in (30, 40)  # 37 or a few more were computed: all but the rows of the shard in progress are there
    assert store.status(KEY, tmp_path) == f"partial {done} of {N}"
    assert store.status(EMBEDDING_KEY, tmp_path, "embeddings") == f"partial {done} of {N}"
    writer = writer_of(tmp_path)
    assert compute(writer) == N - done
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted


def test_an_interruption_inside_with_keeps_what_was_computed(tmp_path):
    def interrupted():
        with writer_of(tmp_path) as writer:
            compute(writer, range(13), batch=13)
            compute(writer, range(13, 17))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(writer_of(tmp_path).finished_ids()) == 17


def test_a_changed_key_is_refused_and_only_discarded_on_demand(uninterrupted, tmp_path):
    compute(writer_of(tmp_path), range(25))
    said = r"paper.eval.parts/main: .* predictions.facts.prompts: stored 'cd', asked for 'changed' \(24 rows"
    with pytest.raises(BookError, match=said):
        store.ShardWriter(OTHER, embedding_key=EMBEDDING_KEY, root=tmp_path)
    assert store.status(OTHER, tmp_path) == "miss: nothing stored"
    with pytest.raises(BookError, match=r"embeddings.dataset: stored 'imagenet_r', asked for nothing"):
        store.ShardWriter(KEY, root=tmp_path)
    assert len(writer_of(tmp_path).finished_ids()) == 24
    anew = store.ShardWriter(OTHER, root=tmp_path, restart=True)
    assert anew.finished_ids() == set()
    assert anew.notes[0].startswith("discarded 24 rows of an unfinished run: embeddings.dataset")


def test_a_finished_entry_of_another_key_stays_until_the_new_one_is_whole(tmp_path):
    frame, _ = rows_of(range(N))
    store.write_predictions(frame, OTHER, tmp_path)
    writer = writer_of(tmp_path)
    compute(writer)
    assert store.status(OTHER, tmp_path) == "hit"
    assert store.status(KEY, tmp_path) == f"partial {N} of {N}"
    writer.finish()
    assert store.status(KEY, tmp_path) == "hit"
    assert store.status(OTHER, tmp_path).startswith("miss: facts.prompts: ")


def test_a_complete_entry_needs_nothing_more(tmp_path):
    writer = writer_of(tmp_path)
    compute(writer)
    writer.finish()
    again = writer_of(tmp_path)
    assert len(again.finished_ids()) == N
    with pytest.raises(BookError, match="nothing to add"):
        again.append(*rows_of([1]))
    assert again.finish() == N


@pytest.mark.parametrize("suffix", ["parquet", "embedding.npy"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_damaged_shards_are_computed_again(suffix, how, uninterrupted, tmp_path):
    compute(writer_of(tmp_path))
    path = writer_of(tmp_path).folder / f"part-00001.{suffix}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data if how == "flip" else data[:-1])
    if how == "gone":
        path.unlink()
    writer = writer_of(tmp_path)
    assert writer.notes == [f"part 1 in {writer.folder} is damaged: its images are computed again"]
    assert compute(writer) == 12
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted


def test_damage_after_opening_stops_the_merge(tmp_path):
    writer = writer_of(tmp_path, n=None)
    compute(writer)
    (writer.folder / "part-00002.parquet").write_bytes(b"PAR1")
    with pytest.raises(BookError, match="60 images, found 48 whole"):
        writer.finish()
    assert not store.has_predictions(*PLACE, root=tmp_path)


@pytest.mark.parametrize("tail", ['{"part": 4, "rows"', '{"part": 4}\n', "[]\n", "\x00\x00"])
def test_a_torn_line_of_the_index_is_passed_over(tail, uninterrupted, tmp_path):
    compute(writer_of(tmp_path), range(25))
    with (writer_of(tmp_path).folder / shards.INDEX).open("a") as index:
        index.write(tail)
    writer = writer_of(tmp_path)
    assert len(writer.finished_ids()) == 24
    compute(writer)
    assert len(shards.index_lines(writer.folder)) == 5
    writer.finish()
    assert stored_bytes(tmp_path) == uninterrupted


def test_a_shard_without_its_line_does_not_count(tmp_path):
    compute(writer_of(tmp_path), range(25))
    index = writer_of(tmp_path).folder / shards.INDEX
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:-1]))
    assert len(writer_of(tmp_path).finished_ids()) == 12


def test_an_unreadable_key_is_never_taken_for_ours(tmp_path):
    compute(writer_of(tmp_path), range(25))
    (writer_of(tmp_path).folder / shards.KEY).write_text("{")
    with pytest.raises(BookError, match=r"key.json is absent or damaged \(24 rows are there\)"):
        writer_of(tmp_path)
    assert store.status(KEY, tmp_path) == "miss: nothing stored"


def test_a_folder_half_removed_after_finishing_holds_no_rows_for_anybody(tmp_path):
    compute(writer_of(tmp_path), range(25))
    folder = writer_of(tmp_path).folder
    for name in (shards.INDEX, shards.KEY):
        (folder / name).unlink()
    writer = writer_of(tmp_path)
    assert writer.finished_ids() == set()
    compute(writer)
    writer.finish()
    assert not writer.home.parts.exists()


def test_a_kill_while_shards_are_removed_hinders_no_later_run(tmp_path, monkeypatch):
    writer = writer_of(tmp_path)
    compute(writer)

    def killed(folder):
        (folder / shards.KEY).unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        writer.finish()
    monkeypatch.undo()
    assert store.status(KEY, tmp_path) == "hit"
    assert store.ShardWriter(OTHER, root=tmp_path).finished_ids() == set()  # another run starts unhindered
    writer_of(tmp_path).finish()
    assert not writer.home.parts.exists()
