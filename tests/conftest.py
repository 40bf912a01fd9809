"""What every test stands on: a home of its own, no network, and the mirror where there is one."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path

import pytest


def _is_loopback(host: object) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _no_network(tmp_path_factory):
    """Only loopback connections; and a home for fixtures of a wider scope than one test."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            raise OSError(f"tests do not use the network: {address}")
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setenv("BOOK_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("BOOK_OFFLINE", "1")  # for what tests start in other processes
        patch.delenv("BOOK_DATA", raising=False)
        yield


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path_factory):
    """Nothing that a test makes reaches the checkout or another test."""
    monkeypatch.setenv("BOOK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of `BOOK_MIRROR`; skips where it is not set or no folder."""
    folder = os.environ.get("BOOK_MIRROR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("BOOK_MIRROR names no folder: the released files are not here")
    return Path(folder)


@pytest.fixture
def folder_mirror(tmp_path, monkeypatch):
    """A mirror folder holding the thing of `fetch_tools`; a function that puts more there by URL."""
    from fetch_tools import CSV, CSV_URL

    monkeypatch.setenv("BOOK_MIRROR", str(tmp_path / "mirror"))

    def put(url: str, body: bytes):
        path = tmp_path / "mirror" / url.removeprefix("https://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    put(CSV_URL, CSV)
    return put


@pytest.fixture
def small_clip(monkeypatch) -> str:
    """A key of the table that is a small CLIP model with three classes and two templates."""
    import dataclasses

    from helpers import labels, models

    spec = dataclasses.replace(models.MODELS["vit_clip"], key="small_clip", architecture="ViT-S-32-alt")
    monkeypatch.setitem(models.MODELS, "small_clip", spec)
    monkeypatch.setattr(labels, "prompt_names", lambda: ("tench", "goldfish", "great white shark"))
    monkeypatch.setattr(labels, "prompt_templates", lambda: ("a photo of a {}.", "art of the {}."))
    return "small_clip"
