"""Downloads from a server on this machine that breaks off, lies, refuses and changes its mind."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from types import SimpleNamespace

import pytest
import requests
from fetch_tools import get, serve

from helpers import paths
from helpers.errors import BookError, InputsUnavailable
from helpers.fetch import where_is
from helpers.fetch.download import why_unreachable
from helpers.manifest import Artifact

BODY = bytes(range(256)) * 800  # 204,800 bytes
OTHER = BODY[::-1]
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """A loopback server (see fetch_tools.py); seconds that would be waited are noted in `server.waits`."""
    monkeypatch.delenv("BOOK_OFFLINE", raising=False)
    monkeypatch.delenv("BOOK_MIRROR", raising=False)
    with serve(BODY) as state:
        state.waits = []
        monkeypatch.setattr("helpers.fetch.download.time", SimpleNamespace(sleep=state.waits.append))
        yield state


def artifact(server, **change) -> Artifact:
    """An entry whose file the server has; without checksum where asked, which the schema forbids for plain http."""
    entry = Artifact(
        id="thing", title="A thing", kind="dataset", urls=(f"{server.url}/data/thing.bin",), filename="thing.bin",
        sha256=SHA, bytes=len(BODY), licence=None, sections=("demo",),
    )  # fmt: skip
    return entry.model_copy(update=change)


def folder():
    return paths.data_dir() / "thing"


def test_a_file_is_downloaded_verified_and_not_asked_for_again(server):
    path = get(artifact(server))
    assert path == folder() / "thing.bin"
    assert path.read_bytes() == BODY
    assert get(artifact(server)) == path
    assert len(server.requests) == 1
    assert server.requests[0][1]["Accept-Encoding"] == "identity"
    left = {p.name for p in folder().iterdir()}
    assert left == {"thing.bin", "thing.bin.verified.json", ".lock"}


def test_a_break_is_resumed_with_the_etag(server):
    server.script = [{"cut": 100_000}, {}]
    assert get(artifact(server)).read_bytes() == BODY
    asked = server.requests[1][1]
    assert (asked["Range"], asked["If-Range"]) == ("bytes=65536-", '"one"')
    assert "Range" not in server.requests[0][1]


def test_a_break_is_resumed_by_the_next_run(server):
    server.script = [{"cut": 100_000}, {"code": 503}]
    with pytest.raises(InputsUnavailable, match="65,536 bytes here") as error:
        get(artifact(server))
    assert "goes on from" in error.value.remedy
    assert (folder() / "thing.bin.part").stat().st_size == 65_536
    server.script = [{}]
    assert get(artifact(server)).read_bytes() == BODY
    assert server.requests[-1][1]["Range"] == "bytes=65536-"
    assert not (folder() / "thing.bin.part").exists()


def test_a_changed_file_starts_again_from_its_beginning(server):
    """Mutation: without If-Range the two halves would be glued together."""
    server.script = [{"body": OTHER, "etag": '"old"', "cut": 100_000}, {"etag": '"new"'}]
    assert get(artifact(server)).read_bytes() == BODY
    assert server.requests[1][1]["If-Range"] == '"old"'


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
def test_without_a_strong_etag_no_range_is_asked_for(server, etag):
    server.script = [{"cut": 100_000, "etag": etag}, {"etag": etag}]
    assert get(artifact(server)).read_bytes() == BODY
    assert "Range" not in server.requests[1][1]


def test_a_range_of_another_version_is_not_glued_on(server):
    """A server that honours Range but knows no If-Range."""
    server.script = [{"body": OTHER, "etag": '"old"', "cut": 100_000}, {"etag": '"new"', "if_range": False}, {}]
    assert get(artifact(server)).read_bytes() == BODY
    assert len(server.requests) == 3


def test_a_server_that_ignores_ranges_sends_everything(server):
    server.script = [{"cut": 100_000}, {"ranges": False}]
    assert get(artifact(server)).read_bytes() == BODY


def test_a_server_that_sends_another_range_is_not_believed(server):
    server.script = [{"cut": 100_000}, {"skew": 7}, {}]
    assert get(artifact(server)).read_bytes() == BODY
    assert [("Range" in headers) for _, headers in server.requests] == [False, True, False]


def test_a_complete_part_needs_no_further_byte(server):
    """A run that was stopped between the last byte and the verification."""
    folder().mkdir(parents=True)
    part = folder() / "thing.bin.part"
    part.write_bytes(BODY)
    note = {"url": f"{server.url}/data/thing.bin", "validator": '"one"'}
    part.with_name("thing.bin.part.json").write_text(json.dumps(note))
    assert get(artifact(server)).read_bytes() == BODY
    assert server.requests[0][1]["Range"] == f"bytes={len(BODY)}-"
    assert len(server.requests) == 1


def test_retries_wait_longer_and_progress_counts_anew(server):
    server.script = [{"code": 500}, {"code": 503}, {"cut": 70_000}, {"code": 500}, {}]
    assert get(artifact(server)).read_bytes() == BODY
    assert server.waits == [1.0, 2.0, 1.0, 2.0]


def test_endless_errors_end(server):
    server.script = [{"code": 500}]
    with pytest.raises(InputsUnavailable, match="HTTP 500"):
        get(artifact(server))
    assert server.waits == [1.0, 2.0, 4.0]


def test_a_truncated_body_is_told_with_its_bytes(server):
    """The server believes that it sent everything."""
    server.script = [{"body": BODY[:5000]}]
    with pytest.raises(BookError, match="expected 204,800 bytes, got 5,000: it is truncated") as error:
        get(artifact(server))
    assert not isinstance(error.value, InputsUnavailable)
    assert (folder() / "thing.bin.rejected").stat().st_size == 5000


def test_a_wrong_hash_tells_both_and_keeps_the_file(server):
    server.script = [{"body": OTHER}]
    with pytest.raises(BookError) as error:
        get(artifact(server))
    text = str(error.value)
    kept = folder() / "thing.bin.rejected"
    assert SHA in text
    assert hashlib.sha256(OTHER).hexdigest() in text
    assert str(kept) in text
    assert kept.read_bytes() == OTHER
    assert not (folder() / "thing.bin").exists()
    server.script = [{}]
    assert get(artifact(server)).read_bytes() == BODY


@pytest.mark.parametrize(
    "wrong", [{"md5": "0" * 32}, {"hash_prefix": "sha256:000000"}, {"hash_prefix": "md5:000000"}, {"bytes": 204_799}]
)
def test_every_kind_of_checksum_is_checked(server, wrong):
    with pytest.raises(BookError, match="got"):
        get(artifact(server, **{"sha256": None, **wrong}))
    assert not (folder() / "thing.bin").exists()


def test_right_md5_and_prefix_pass(server):
    md5 = hashlib.md5(BODY).hexdigest()
    assert get(artifact(server, sha256=None, md5=md5)).is_file()
    shutil.rmtree(folder())
    assert get(artifact(server, sha256=None, hash_prefix=f"sha256:{SHA[:8]}")).is_file()


PAGE = b"\n<!DOCTYPE html><html><title>Sign in</title>"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_web_page_is_not_data(server, kind):
    server.script = [{"body": PAGE, "type": kind}]
    with pytest.raises(InputsUnavailable, match="web page"):
        get(artifact(server))
    assert {p.name for p in folder().iterdir()} == {".lock"}


def test_a_web_page_does_not_overwrite_what_has_arrived(server):
    server.script = [{"cut": 100_000}, {"body": PAGE, "type": "text/html", "etag": '"portal"'}]
    with pytest.raises(InputsUnavailable, match="web page"):
        get(artifact(server))
    assert (folder() / "thing.bin.part").stat().st_size == 65_536


@pytest.mark.parametrize(("code", "words"), [(401, "let in"), (403, "let in"), (404, "a file"), (410, "a file")])
def test_refusals_end_at_once_and_say_what_to_do(server, code, words):
    server.script = [{"code": code}]
    with pytest.raises(InputsUnavailable, match=f"{words}.*HTTP {code}") as error:
        get(artifact(server, steps="sign the form at example.org"))
    assert error.value.remedy == "sign the form at example.org"
    assert len(server.requests) == 1


def test_the_second_address_helps(server):
    server.script = [{"code": 404}, {}]
    entry = artifact(server, urls=(f"{server.url}/gone.bin", f"{server.url}/there.bin"))
    assert get(entry).read_bytes() == BODY
    assert [path for path, _ in server.requests] == ["/gone.bin", "/there.bin"]


def test_a_wrong_file_outranks_an_absent_one(server):
    server.script = [{"body": OTHER}, {"code": 404}]
    entry = artifact(server, urls=(f"{server.url}/a.bin", f"{server.url}/b.bin"))
    with pytest.raises(BookError, match="sha256"):
        get(entry)


def test_the_first_seen_hash_is_expected_from_then_on(server, capsys):
    entry = artifact(server, sha256=None, bytes=None)
    get(entry)
    assert "no checksum is published" in capsys.readouterr().out
    shutil.rmtree(folder())
    server.script = [{"body": OTHER}]
    with pytest.raises(BookError, match=f"{SHA}.*as first seen here") as error:
        get(entry)
    assert "first_seen" in error.value.remedy
    (paths.data_dir() / "first_seen" / "thing.json").unlink()
    assert get(entry).read_bytes() == OTHER


def test_a_mirror_given_as_an_address_is_asked_first(server, monkeypatch):
    monkeypatch.setenv("BOOK_MIRROR", f"{server.url}/mirror/")
    get(artifact(server))
    assert [path for path, _ in server.requests] == ["/mirror/127.0.0.1/data/thing.bin"]
    shutil.rmtree(folder())
    server.script = [{"code": 404}, {}]
    get(artifact(server))
    assert [path for path, _ in server.requests][1:] == ["/mirror/127.0.0.1/data/thing.bin", "/data/thing.bin"]


def test_offline_asks_nobody(server, monkeypatch):
    monkeypatch.setenv("BOOK_OFFLINE", "1")
    with pytest.raises(InputsUnavailable, match="BOOK_OFFLINE"):
        get(artifact(server))
    assert server.requests == []
    assert where_is("thing", manifest={"thing": artifact(server)}) == "offline"


def test_an_unreachable_host_is_asked_once_a_process(server):
    """19 files must not each wait for the same dead host."""
    dead = "http://127.0.0.1:1"
    why_unreachable.cache_clear()
    start = time.perf_counter()
    for number in range(19):
        entry = artifact(server, id=f"thing{number}", urls=(f"{dead}/{number}.bin",))
        with pytest.raises(InputsUnavailable, match=r"to reach 127\.0\.0\.1:1 "):
            get(entry)
    assert time.perf_counter() - start < 3
    assert why_unreachable.cache_info().misses == 1
    assert server.waits == []


def test_a_name_that_is_never_resolved_is_given_up(monkeypatch):
    """Looking a name up knows no timeout of its own."""
    monkeypatch.setattr("requests.head", lambda *_a, **_k: threading.Event().wait(30))
    start = time.perf_counter()
    assert why_unreachable("http://nowhere.invalid", 0.2) == "no answer within 0.2 s"
    assert time.perf_counter() - start < 2


def test_a_host_that_accepts_and_stays_silent_is_reachable(monkeypatch):
    def silent(*_args, **_kwargs):
        raise requests.exceptions.ReadTimeout

    monkeypatch.setattr("requests.head", silent)
    assert why_unreachable("http://slow.invalid") is None


def test_a_full_disk_is_told_and_keeps_what_has_arrived(server, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    server.script = [{"cut": 100_000}, {"code": 503}]
    with pytest.raises(InputsUnavailable):
        get(artifact(server))
    server.script = [{}]
    with monkeypatch.context() as patch:
        patch.setattr("helpers.fetch.download._save", full)
        with pytest.raises(BookError, match="disk full") as error:
            get(artifact(server))
    assert "BOOK_DATA" in error.value.remedy
    assert (folder() / "thing.bin.part").stat().st_size == 65_536
    with pytest.raises(BookError, match="GB free"):
        get(artifact(server, bytes=10**18))


def test_two_at_once_download_once(server):
    threads = [threading.Thread(target=get, args=(artifact(server),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
