"""Archives that try to leave their folder, and sets of several files."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import zipfile

import pytest
from fetch_tools import entry, get

from helpers import paths
from helpers.errors import BookError
from helpers.fetch import provenance, where_is
from helpers.fetch.unpack import unpack
from helpers.manifest import Artifact


def _tar(*members: tarfile.TarInfo, compress: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compress}") as tar:
        for member in members:
            member.size = 3 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"abc") if member.isfile() else None)
    return buffer.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def _zip(name: str, mode: int = stat.S_IFREG | 0o644) -> bytes:
    buffer = io.BytesIO()
    info = zipfile.ZipInfo("placeholder")
    info.filename, info.external_attr = name, mode << 16
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr(info, b"abc")
    return buffer.getvalue()


def _archived(body: bytes, form: str, **change) -> Artifact:
    name = f"thing.{form}"
    return entry(urls=[f"https://example.org/{name}"], filename=name, unpack=form, bytes=len(body),
                 sha256=hashlib.sha256(body).hexdigest(), **change)  # fmt: skip


@pytest.mark.parametrize(("form", "compress"), [("tar", ""), ("tar", "gz"), ("tar", "xz"), ("zip", "")])
def test_an_archive_is_unpacked_once(folder_mirror, form, compress):
    body = _tar(_member("a/b.txt"), compress=compress) if form == "tar" else _zip("a/b.txt")
    thing = _archived(body, form)
    folder_mirror(thing.urls[0], body)
    files = get(thing)
    assert files == paths.data_dir() / "thing" / "files"
    assert (files / "a" / "b.txt").read_bytes() == b"abc"
    (files / "a" / "b.txt").write_bytes(b"touched")
    assert (get(thing) / "a" / "b.txt").read_bytes() == b"touched"  # not unpacked anew
    (files.parent / thing.filename).unlink()  # the archive may go once it is unpacked
    assert get(thing) == files
    assert provenance(["thing"], manifest={"thing": thing}) == {"thing": thing.sha256}
    newer = thing.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(BookError, match="got"):  # the folder is of another archive than the manifest means now
        get(newer)


EVIL = {
    "climbs": ("tar", _tar(_member("../evil.txt"))),
    "climbs inside": ("tar", _tar(_member("a/../../evil.txt"))),
    "absolute": ("tar", _tar(_member("/tmp/evil.txt"))),
    "drive": ("tar", _tar(_member("C:\\evil.txt"))),
    "symlink": ("tar", _tar(_member("a", tarfile.SYMTYPE, "/etc"))),
    "symlink inside": ("tar", _tar(_member("a", tarfile.SYMTYPE, "b"))),
    "hard link": ("tar", _tar(_member("a", tarfile.LNKTYPE, "../../evil.txt"))),
    "device": ("tar", _tar(_member("a", tarfile.CHRTYPE))),
    "zip climbs": ("zip", _zip("../evil.txt")),
    "zip absolute": ("zip", _zip("/tmp/evil.txt")),
    "zip drive": ("zip", _zip("C:\\evil.txt")),
    "zip symlink": ("zip", _zip("a", stat.S_IFLNK | 0o777)),
    "not a tar": ("tar", b"hello" * 1000),
    "not a zip": ("zip", b"hello" * 1000),
    "half a tar": ("tar", _tar(_member("a.txt"), _member("b.txt"), compress="gz")[:-40]),
}


@pytest.mark.parametrize("case", EVIL)
def test_a_bad_archive_leaves_nothing_behind(tmp_path, case):
    form, body = EVIL[case]
    archive = tmp_path / "inner" / f"x.{form}"
    archive.parent.mkdir()
    archive.write_bytes(body)
    with pytest.raises(BookError) as error:
        unpack(archive, archive.parent / "files", form)
    assert "x." in error.value.thing
    assert [p.name for p in archive.parent.iterdir()] == [archive.name]
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]


# Sets of parts


def test_a_set_is_one_folder_of_links(folder_mirror):
    tar = _tar(_member("noise/1/a.txt"))
    packed = _archived(tar, "tar", id="part_b")
    folder_mirror(packed.urls[0], tar)
    whole = Artifact(
        id="whole", title="W", kind="dataset", licence=None, sections=("demo",), parts=("part_a", "part_b")
    )
    entries = [whole, entry(id="part_a"), packed]
    manifest = {e.id: e for e in entries}
    assert where_is("whole", manifest=manifest) == "mirror"
    files = get(*entries)
    assert sorted(p.name for p in files.iterdir()) == ["noise", "thing.csv"]
    assert (files / "noise" / "1" / "a.txt").read_bytes() == b"abc"
    assert list(provenance(["whole"], manifest=manifest)) == ["part_a", "part_b"]
    assert where_is("whole", manifest=manifest) == "present"
    inode = files.stat().st_ino
    assert get(*entries).stat().st_ino == inode  # unchanged parts: not made anew
