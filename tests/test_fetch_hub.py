"""Snapshots of a model hub, with a stand-in for its library."""

from __future__ import annotations

import hashlib
import inspect
import shutil
from types import SimpleNamespace

import pytest
from fetch_tools import CSV_SHA256, entry, get

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.fetch import hub, provenance, tree_sha256, where_is
from helpers.manifest import Artifact, Hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _DeniedError(OSError):
    """What a gated repository answers."""


class _NoRevisionError(OSError):
    """What an unknown commit answers."""


@pytest.fixture
def library(monkeypatch):
    """A stand-in for huggingface_hub: writes `files`, notes what it was asked for, raises `error`."""
    state = SimpleNamespace(files={"a/0.tar": b"abc", "labels.txt": b"cat\n"}, asked=[], error=None, head=COMMIT)

    def snapshot(repo_id, *, repo_type, revision, allow_patterns, local_dir):
        state.asked.append((repo_id, repo_type, revision, allow_patterns))
        if state.error:
            raise state.error
        for name, body in (state.files | {".cache/huggingface/x": b"x"}).items():
            (local_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (local_dir / name).write_bytes(body)

    api = SimpleNamespace(
        repo_info=lambda **_: SimpleNamespace(sha=state.head),
        list_repo_commits=lambda **_: [SimpleNamespace(commit_id=c) for c in (COMMIT, "f" * 40)],
    )
    fake = SimpleNamespace(
        constants=SimpleNamespace(ENDPOINT="https://hub.invalid"), HfApi=lambda: api, snapshot_download=snapshot,
        errors=SimpleNamespace(RevisionNotFoundError=_NoRevisionError, RepositoryNotFoundError=_DeniedError),
        utils=SimpleNamespace(disable_progress_bars=lambda: None, enable_progress_bars=lambda: None),
    )  # fmt: skip
    monkeypatch.setattr(hub, "_library", lambda _artifact: fake)
    monkeypatch.setattr(hub, "why_unreachable", lambda _url: None)
    monkeypatch.delenv("BOOK_OFFLINE")
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    return state


def on_hub(revision: str | None, files=("*/*.tar", "*.txt"), **change) -> Artifact:
    pinned = Hub(repo_id="who/what", repo_type="dataset", revision=revision, files=files)
    return entry(urls=[], filename=None, sha256=None, bytes=None, hub=pinned, **change)


@pytest.mark.parametrize("revision", [COMMIT, COMMIT[:7], None])
def test_a_snapshot_is_taken_at_its_commit_and_kept(library, revision):
    files = get(on_hub(revision))
    assert sorted(p.relative_to(files).as_posix() for p in files.rglob("*") if p.is_file()) == ["a/0.tar", "labels.txt"]
    assert library.asked == [("who/what", "dataset", COMMIT, ["*/*.tar", "*.txt"])]
    library.head = "e" * 40
    assert get(on_hub(revision)) == files
    assert len(library.asked) == 1
    assert provenance(["thing"], manifest={"thing": on_hub(revision)}) == {"thing": tree_sha256(files)}


def test_an_unpinned_snapshot_stays_at_the_commit_first_seen(library):
    shutil.rmtree(get(on_hub(None)).parent)
    library.head = "e" * 40
    get(on_hub(None))
    assert [asked[2] for asked in library.asked] == [COMMIT, COMMIT]
    shutil.rmtree(paths.data_dir() / "thing")
    library.files["labels.txt"] = b"dog\n"
    with pytest.raises(BookError, match="first seen"):
        get(on_hub(None))


def test_a_single_file_of_the_hub_is_verified(library):
    body = b"weights" * 10
    library.files = {"model.safetensors": body}
    right = on_hub(COMMIT, ("model.safetensors",)).model_copy(update={"sha256": hashlib.sha256(body).hexdigest()})
    assert get(right).name == "model.safetensors"
    wrong = right.model_copy(update={"id": "other", "sha256": CSV_SHA256})
    with pytest.raises(BookError, match=CSV_SHA256):
        get(wrong)
    assert not (paths.data_dir() / "other" / "files" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("error", "match"),
    [
        (_DeniedError(), "let in"),
        (_NoRevisionError(), "commit"),
        (OSError("reset"), "broke off"),
        (FileNotFoundError(), "broke off"),
    ],
)
def test_what_the_hub_denies_is_told(library, error, match):
    library.error = error
    with pytest.raises(InputsUnavailable, match=match) as told:
        get(on_hub(COMMIT, steps="accept the terms"))
    assert ("accept the terms" in told.value.remedy) == isinstance(error, _DeniedError)


def test_a_commit_that_is_not_in_the_history_is_told(library):
    with pytest.raises(BookError, match="one commit starting with abcdef0, found 0"):
        get(on_hub("abcdef0"))


def test_hub_files_may_come_from_a_mirror(library, tmp_path, monkeypatch):
    base = tmp_path / "m" / "huggingface.co" / "datasets" / "who" / "what" / "resolve" / COMMIT
    (base / "a").mkdir(parents=True)
    (base / "a" / "0.tar").write_bytes(b"abc")
    monkeypatch.setenv("BOOK_MIRROR", str(tmp_path / "m"))
    get(on_hub(COMMIT))  # labels.txt is missing in the mirror: the hub is asked
    assert len(library.asked) == 1
    (base / "labels.txt").write_text("cat\n")
    other = on_hub(COMMIT, id="other")
    assert where_is("other", manifest={"other": other}) == "mirror"
    assert (get(other) / "a" / "0.tar").read_bytes() == b"abc"
    assert len(library.asked) == 1


def test_the_real_library_has_what_the_stand_in_has(monkeypatch):
    """A renamed parameter or error would otherwise show only on a machine with network."""
    pytest.importorskip("huggingface_hub")
    real = hub._library(entry())
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    where = {"repo_id": "who/what", "repo_type": "dataset"}
    inspect.signature(real.HfApi.repo_info).bind(None, **where)
    inspect.signature(real.HfApi.list_repo_commits).bind(None, **where)
    given = {"repo_type": "dataset", "revision": COMMIT, "allow_patterns": ["*"], "local_dir": "x"}
    inspect.signature(real.snapshot_download).bind("who/what", **given)
    assert issubclass(real.errors.GatedRepoError, real.errors.RepositoryNotFoundError)
    assert issubclass(real.errors.RevisionNotFoundError, OSError)
    assert callable(real.utils.disable_progress_bars)
    assert real.constants.ENDPOINT.startswith("https://")


@pytest.mark.slow  # the library tries for about 20 s
def test_the_real_library_without_network_is_told(monkeypatch):
    pytest.importorskip("huggingface_hub")
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    monkeypatch.delenv("BOOK_OFFLINE")
    monkeypatch.setattr(hub, "why_unreachable", lambda _url: None)  # as if the network went away just then
    with pytest.raises(InputsUnavailable, match="broke off"):
        get(on_hub(COMMIT))
