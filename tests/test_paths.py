"""Where things lie."""

from pathlib import Path

from helpers import paths


def test_on_a_mounted_drive_only_the_store_goes_there(monkeypatch):
    monkeypatch.delenv("BOOK_DATA", raising=False)
    monkeypatch.setenv("BOOK_HOME", "/content/drive/MyDrive/book")
    assert paths.store_dir().is_relative_to("/content/drive")
    assert not paths.data_dir().is_relative_to("/content/drive")


def test_downloads_can_be_put_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("BOOK_DATA", str(tmp_path / "fast"))
    assert paths.data_dir() == tmp_path / "fast"


def test_everything_generated_lies_below_home(monkeypatch, tmp_path):
    monkeypatch.delenv("BOOK_DATA", raising=False)
    monkeypatch.setenv("BOOK_HOME", str(tmp_path))
    for place in (paths.data_dir(), paths.store_dir(), paths.results_dir("demo"), paths.executed_dir("demo")):
        assert place.is_relative_to(Path(tmp_path) / "artifacts")
