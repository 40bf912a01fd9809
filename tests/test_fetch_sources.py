"""Mirrors, files put there by hand, stand-ins and packages; no server needed."""

from __future__ import annotations

import hashlib
import os

import pytest
from fetch_tools import CSV, CSV_SHA256, CSV_URL, entry, get

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.fetch import fetch, provenance, sha256_of, stand_ins, where_is
from helpers.manifest import Package, load_manifest


def test_a_mirror_folder_is_copied_from_and_verified(folder_mirror):
    manifest = {"thing": entry()}
    assert where_is("thing", manifest=manifest) == "mirror"
    path = get(entry())
    assert path == paths.data_dir() / "thing" / "thing.csv"
    assert path.read_bytes() == CSV
    assert where_is("thing", manifest=manifest) == "present"
    assert provenance(["thing"], manifest=manifest) == {"thing": CSV_SHA256}


def test_a_wrong_file_in_the_mirror_is_refused_and_left_alone(folder_mirror):
    wrong = folder_mirror(CSV_URL, CSV + b"x")
    with pytest.raises(BookError, match="got 1,301") as error:
        get(entry())
    assert str(wrong) in str(error.value)
    assert wrong.read_bytes() == CSV + b"x"
    wrong.write_bytes(CSV[::-1])
    with pytest.raises(BookError, match=f"sha256 {CSV_SHA256}, got"):
        get(entry())


def test_a_big_file_of_the_mirror_is_linked_not_copied(folder_mirror, monkeypatch):
    monkeypatch.setattr("helpers.fetch.sources.LINK_FROM", 1)
    assert get(entry()).stat().st_ino == folder_mirror(CSV_URL, CSV).stat().st_ino


def test_a_mirror_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_MIRROR", str(tmp_path / "typo"))
    with pytest.raises(BookError, match=r"BOOK_MIRROR=.*typo"):
        get(entry())


def test_without_mirror_and_network_it_is_unavailable(monkeypatch):
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    with pytest.raises(InputsUnavailable, match="BOOK_OFFLINE"):
        get(entry())
    assert where_is("thing", manifest={"thing": entry()}) == "offline"
    monkeypatch.delenv("BOOK_OFFLINE")
    assert where_is("thing", manifest={"thing": entry()}) == "network"


def test_a_file_is_hashed_again_only_when_it_changed(folder_mirror, monkeypatch):
    path = get(entry())
    hashed = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *a: hashed.append(1) or real(*a))
    get(entry())
    assert hashed == []
    path.write_bytes(CSV[::-1])
    with pytest.raises(BookError, match="sha256"):
        get(entry())
    assert hashed == [1]
    assert path.read_bytes() == CSV[::-1]  # not replaced: it may be somebody's own
    path.write_bytes(CSV)
    assert get(entry()) == path


def test_provenance_of_what_is_not_here_says_so():
    with pytest.raises(BookError, match="fetch thing first"):
        provenance(["thing"], manifest={"thing": entry()})


# By hand and stand-ins

MANUAL = {"access": "manual", "steps": "sign at example.org", "gated": True}


def test_a_manual_artifact_tells_the_steps_and_the_place(monkeypatch):
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    monkeypatch.delenv("BOOK_OFFLINE")
    target = paths.data_dir() / "thing" / "thing.csv"
    with pytest.raises(InputsUnavailable) as error:
        get(entry(**MANUAL))
    assert "sign at example.org" in error.value.remedy
    assert str(target) in error.value.remedy
    assert "--local thing=PATH" in error.value.remedy
    target.write_bytes(b"no")
    with pytest.raises(BookError, match="truncated"):
        get(entry(**MANUAL))
    target.write_bytes(CSV)
    assert get(entry(**MANUAL)) == target


def test_a_local_file_stands_in_and_is_flagged_unless_it_is_the_real_one(tmp_path, capsys):
    own = tmp_path / "own.csv"
    own.write_bytes(b"mine")
    local = {"thing": own}
    assert get(entry(), local=local) == own
    assert "stands in" in capsys.readouterr().out
    manifest = {"thing": entry()}
    assert stand_ins(["thing"], local, manifest=manifest) == ["thing"]
    assert provenance(["thing"], manifest=manifest, local=local) == {"thing": hashlib.sha256(b"mine").hexdigest()}
    own.write_bytes(CSV)
    assert get(entry(), local=local) == own
    assert stand_ins(["thing"], local, manifest=manifest) == []
    assert provenance(["thing"], manifest=manifest, local=local) == {"thing": CSV_SHA256}
    assert stand_ins(["thing"], None, manifest=manifest) == []


def test_a_local_folder_is_used_where_it_lies_and_always_flagged(tmp_path):
    own = tmp_path / "val"
    (own / "n01").mkdir(parents=True)
    (own / "n01" / "a.txt").write_text("a")
    local = {"thing": own}
    assert get(entry(), local=local) == own
    before = provenance(["thing"], manifest={"thing": entry()}, local=local)
    (own / "n01" / "b.txt").write_text("b")
    assert provenance(["thing"], manifest={"thing": entry()}, local=local) != before
    assert stand_ins(["thing"], local, manifest={"thing": entry()}) == ["thing"]


def test_a_local_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BookError, match="--local thing="):
        get(entry(), local={"thing": tmp_path / "nothing"})


# Packages


def test_what_a_package_carries_is_used_where_it_lies():
    real = load_manifest()["imagenet_real"]
    path = fetch("imagenet_real", progress=False)
    assert path.name == "imagenet_real_labels.jsonl"
    assert sha256_of(path) == real.sha256
    assert where_is("imagenet_real") == "package"
    assert not (paths.data_dir() / "imagenet_real").exists()


@pytest.mark.parametrize(
    ("package", "match"),
    [
        ({"distribution": "no-such-thing", "module": "no_such_thing"}, "not installed"),
        ({"distribution": "imagenet-x", "module": "imagenet_x", "version": "0.0.1"}, "version 0.0.1, found 0.0.7"),
        ({"distribution": "imagenet-x", "module": "imagenet_x", "file": "aggregate.py"}, "got"),
        ({"distribution": "imagenet-x", "module": "imagenet_x", "file": "nothing.txt"}, "found none"),
    ],
)
def test_a_package_that_is_absent_or_another_is_told(package, match):
    thing = entry(urls=[], filename=None, access="package", package=Package(**package))
    with pytest.raises(BookError, match=match):
        get(thing)
    assert where_is("thing", manifest={"thing": thing}) == "not installed"


def test_another_version_of_a_package_is_passed_over_where_there_are_other_sources(folder_mirror):
    other = Package(distribution="imagenet-x", module="imagenet_x", version="0.0.1")
    assert get(entry(package=other)) == paths.data_dir() / "thing" / "thing.csv"


def test_code_is_cited_not_downloaded():
    assert where_is("reference_code") == "cited"
    with pytest.raises(BookError, match="cited only"):
        fetch("reference_code")


# The real mirror


def test_everything_of_the_manifest_that_the_mirror_holds_verifies(mirror, monkeypatch):
    monkeypatch.setenv("BOOK_MIRROR", str(mirror))
    manifest = load_manifest()
    held = [e.id for e in manifest.values() if not e.parts and where_is(e.id) == "mirror"]
    assert len(held) >= 19 + 4 + 2 + 10 + 2 + 1
    for artifact_id in held:
        path = fetch(artifact_id, progress=False)
        assert os.path.getsize(path) == manifest[artifact_id].bytes
        assert provenance([artifact_id]) == {artifact_id: manifest[artifact_id].sha256}
    assert len(list(fetch("cue_conflict_decisions", progress=False).iterdir())) == 19


def test_the_first_file_of_every_released_set_has_its_rows(mirror, monkeypatch):
    monkeypatch.setenv("BOOK_MIRROR", str(mirror))
    for artifact_id in ("cue_conflict_decisions_vit_clip", "imagenet_x_predictions_dino", "imagenet_x_testbed"):
        lines = fetch(artifact_id, progress=False).read_text().splitlines()
        assert len(lines) == load_manifest()[artifact_id].n + 1, artifact_id
