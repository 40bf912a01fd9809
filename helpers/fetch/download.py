"""One URL into one file: resumes with a range, retries, and says plainly what went wrong."""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tqdm import tqdm

from helpers.errors import InputsUnavailable
from helpers.fetch.records import read_json, write_json

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16  # bytes; what a break can cost
WAITS = (1.0, 2.0, 4.0)  # seconds before each further attempt that follows one without progress
TIMEOUT = (5.0, 60.0)  # seconds to connect, seconds between bytes
PATIENCE = 8.0  # seconds after which a host that has not been reached counts as unreachable
SMALL = 4_000_000  # bytes below which a progress bar is noise
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "beyond-imagenet-book"}  # ranges need the plain bytes


class _InterruptedError(Exception):
    """The transfer stopped; another attempt may go on from where it stopped."""


@lru_cache(maxsize=64)
def why_unreachable(origin: str, patience: float = PATIENCE) -> str | None:
    """Why `scheme://host` cannot be reached, or None if it answers at all; asked once per process and host.

    In a thread, because looking a name up knows no timeout: a machine without network learns it within
    `patience` seconds, once, instead of once per file and attempt.
    """
    import requests

    answer: list[str | None] = []

    def ask() -> None:
        try:
            requests.head(origin, timeout=(TIMEOUT[0], PATIENCE), headers=HEADERS, allow_redirects=False)
            answer.append(None)
        except requests.exceptions.ReadTimeout:
            answer.append(None)
        except (requests.exceptions.RequestException, OSError) as error:
            answer.append(type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return answer[0] if answer else f"no answer within {patience:g} s"


def looks_like_html(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a web page.

    >>> looks_like_html(b"  <!DOCTYPE html><title>Sign in"), looks_like_html(b"subj,session,trial")
    (True, False)
    """
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _validator(response: requests.Response) -> str | None:
    """What `If-Range` may carry: a strong ETag, else the date of the last change."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _range_headers(url: str, part: Path) -> dict[str, str]:
    """Ask for the rest of `part` only if it is known to be of the same bytes; else for everything."""
    note = read_json(part.with_name(part.name + ".json")) or {}
    have = _size(part)
    if not have or note.get("url") != url or not note.get("validator"):
        return {}
    return {"Range": f"bytes={have}-", "If-Range": note["validator"]}


def _refuse(response: requests.Response, url: str, label: str, steps: str | None) -> None:
    """Answers that no further attempt will change."""
    if response.status_code in {401, 403}:
        what = "to be let in"
        remedy = steps or "accept the terms on the publisher's page, or get the file by hand and use --local ID=PATH"
    elif response.status_code in {404, 410}:
        what, remedy = "a file", steps or "the publisher has moved it: correct the address in data_manifest.yaml"
    elif response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html"):
        raise _web_page(url, label, steps)  # before it overwrites what an earlier run left
    else:
        return
    raise InputsUnavailable(label, f"{what} at {url}, found HTTP {response.status_code}", remedy)


def _web_page(url: str, label: str, steps: str | None) -> InputsUnavailable:
    return InputsUnavailable(
        label, f"data at {url}, found a web page (a login, a consent or an error page)",
        steps or "open the address in a browser, save the file and use --local ID=PATH",
    )  # fmt: skip


def _start(response: requests.Response, part: Path, validator: str | None) -> int:
    """Where the body of this answer belongs in `part`: its end for an honoured range of the same bytes, else 0."""
    have = _size(part)
    fits = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    return have if response.status_code == 206 and fits and _validator(response) in {None, validator} else 0


def _save(response: requests.Response, part: Path, start: int, total: int | None, label: str, progress: bool) -> None:
    big = (total or SMALL + 1) > SMALL
    with (
        open(part, "ab" if start else "wb") as handle,
        tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=label, disable=not (progress and big),
             mininterval=1) as bar,
    ):  # fmt: skip
        for chunk in response.iter_content(CHUNK):
            handle.write(chunk)
            bar.update(len(chunk))


def _attempt(url: str, part: Path, label: str, steps: str | None, progress: bool) -> None:
    """One request; returns when `part` is complete, raises `_InterruptedError` when it may be resumed."""
    import requests

    ranged = _range_headers(url, part)
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=HEADERS | ranged) as response:
            _refuse(response, url, label, steps)
            if response.status_code == 416 and response.headers.get("Content-Range") == f"bytes */{_size(part)}":
                return  # complete already: an earlier run stopped between the last byte and the verification
            if response.status_code not in {200, 206, 416}:
                raise _InterruptedError(f"HTTP {response.status_code}")
            start = _start(response, part, ranged.get("If-Range"))
            if response.status_code != 200 and not start:
                forget_part(part)
                raise _InterruptedError("the server's answer did not fit what is here")
            length = response.headers.get("Content-Length")
            total = start + int(length) if length else None
            write_json(part.with_name(part.name + ".json"), {"url": url, "validator": _validator(response)})
            _save(response, part, start, total, label, progress)
    except requests.exceptions.RequestException as error:
        raise _InterruptedError(type(error).__name__) from None
    if total is not None and part.stat().st_size < total:
        raise _InterruptedError(f"{part.stat().st_size:,} of {total:,} bytes")


def download(
    url: str, part: Path, label: str, steps: str | None = None, progress: bool = True,
    waits: tuple[float, ...] = WAITS, patience: float = PATIENCE,
) -> Path:  # fmt: skip
    """Bring a URL into `part`, going on from what an earlier, interrupted run left there.

    A range is asked for only with the `ETag` (or date) that belongs to `part`, so that a file that was
    changed meanwhile starts again from its beginning. Attempts are counted anew after each one that
    brought bytes. Raises InputsUnavailable when the host is unreachable, denies the file, has none,
    answers with a web page or keeps breaking off; `part` stays.
    """
    pieces = urlsplit(url)
    reason = why_unreachable(f"{pieces.scheme}://{pieces.netloc}", patience)
    if reason:
        raise InputsUnavailable(
            label, f"to reach {pieces.netloc} ({reason})", "connect to the network or set BOOK_MIRROR to a copy"
        )
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = _size(part)
        try:
            _attempt(url, part, label, steps, progress)
            break
        except _InterruptedError as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures > len(waits):
                raise InputsUnavailable(
                    label, f"the whole of {url}; it broke off ({error}) with {_size(part):,} bytes here",
                    f"run the same command again: it goes on from {part}",
                ) from None  # fmt: skip
            time.sleep(waits[failures - 1])
    with open(part, "rb") as handle:
        head = handle.read(512)
    if looks_like_html(head):
        forget_part(part)
        raise _web_page(url, label, steps)
    return part


def forget_part(part: Path) -> None:
    """Remove a partial file and its note."""
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)
