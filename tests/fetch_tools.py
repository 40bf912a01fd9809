"""For the tests of fetch: entries of a manifest, and a web server on this machine that follows a script."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

from helpers.fetch import fetch
from helpers.manifest import Artifact

CSV = b"subj,session\n" * 100
CSV_SHA256 = hashlib.sha256(CSV).hexdigest()
CSV_URL = "https://example.org/data/thing.csv"


def entry(**change) -> Artifact:
    """A file of example.org with a published checksum, changed as asked."""
    fields = {
        "id": "thing", "title": "A thing", "kind": "dataset", "urls": [CSV_URL], "filename": "thing.csv",
        "sha256": CSV_SHA256, "bytes": len(CSV), "licence": None, "sections": ["demo"],
    }  # fmt: skip
    return Artifact.model_validate(fields | change)


def get(*entries: Artifact, **options) -> Path:
    """Fetch the first of the entries, which are the whole manifest."""
    return fetch(entries[0].id, manifest={e.id: e for e in entries}, progress=False, **options)


class _Handler(BaseHTTPRequestHandler):
    """Answers with what the script says, one entry a request, the last one for ever.

    Keys of an entry: body, etag ("" for none), code, type (of the content), cut (bytes after which the
    line goes dead), ranges (False: unknown), if_range (False: ignored), skew (a range elsewhere).
    """

    protocol_version = "HTTP/1.1"

    def log_message(self, *_args):
        """Quiet."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _range(self, answer: dict, size: int) -> tuple[int, int]:
        """(status, first byte) for what was asked."""
        asked, wanted = self.headers.get("Range"), self.headers.get("If-Range")
        same = wanted in (None, answer.get("etag", '"one"')) or not answer.get("if_range", True)
        if answer.get("code", 200) != 200 or not asked or not answer.get("ranges", True) or not same:
            return answer.get("code", 200), 0
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        return (206, start) if start < size else (416, size)

    def do_GET(self):
        state = self.server.state
        state.requests.append((self.path, dict(self.headers)))
        answer = state.script.pop(0) if len(state.script) > 1 else state.script[0]
        body, etag = answer.get("body", state.body), answer.get("etag", '"one"')
        code, start = self._range(answer, len(body))
        span = {206: f"bytes {start + answer.get('skew', 0)}-{len(body) - 1}/{len(body)}", 416: f"bytes */{len(body)}"}
        headers = {
            "ETag": etag, "Content-Type": answer.get("type", "application/octet-stream"),
            "Content-Range": span.get(code), "Content-Length": str(len(body) - start),
        }  # fmt: skip
        self.send_response(code)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[start:][: answer.get("cut")])
        self.close_connection = "cut" in answer


@contextlib.contextmanager
def serve(body: bytes) -> Iterator[SimpleNamespace]:
    """Run the server: `url`, `script` (what to answer), `requests` (what it was asked: path and headers)."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.handle_error = lambda *_: None  # a client that hangs up is part of the play
    httpd.state = SimpleNamespace(body=body, script=[{}], requests=[], url=f"http://127.0.0.1:{httpd.server_port}")
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield httpd.state
    finally:
        httpd.shutdown()
        httpd.server_close()
