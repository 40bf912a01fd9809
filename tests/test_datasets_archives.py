"""Archives read in place: equal to tarfile and zipfile; damaged and hostile ones refused by name."""

from __future__ import annotations

import tarfile
import zipfile

import pytest
from fixtures_layouts import (
    FORMS,
    VAL_NAMES,
    small_image,
    val_files,
    write_folder,
    write_tar,
    write_zip,
)

from helpers.datasets import open_dataset
from helpers.datasets.members import images_only, list_members
from helpers.errors import BookError


def test_reading_in_place_equals_tarfile_and_the_index_is_not_unpacked(tmp_path):
    path = write_tar(tmp_path / "val.tar", {"long/" * 40 + name: data for name, data in val_files().items()})
    members = list_members([path])
    with tarfile.open(path) as tar:
        theirs = {member.name: tar.extractfile(member).read() for member in tar}
    assert {name: members.read(i) for i, name in enumerate(members.names.to_pylist())} == theirs
    assert sorted(each.name for each in tmp_path.iterdir()) == ["val.tar"]


def test_zip_spans_equal_zipfile(tmp_path):
    files = {"a.jpg": small_image(1), "deep/b.png": small_image(2, "PNG"), "c.txt": b"x" * 5000, "empty.txt": b""}
    members = list_members([write_zip(tmp_path / "x.zip", files)])
    assert {name: members.read(i) for i, name in enumerate(members.names.to_pylist())} == files
    assert images_only(members).names.to_pylist() == ["a.jpg", "deep/b.png"]


def test_a_compressed_tar_is_decompressed_once(tmp_path):
    path = write_tar(tmp_path / "in" / "val.tar.gz", val_files(), "w:gz")
    first = open_dataset("imagenet1k_val", path, stand_in=True, scratch=tmp_path / "scratch")
    (copy,) = (tmp_path / "scratch").iterdir()
    stamp = copy.stat().st_mtime_ns
    again = open_dataset("imagenet1k_val", path, stand_in=True, scratch=tmp_path / "scratch")
    assert copy.stat().st_mtime_ns == stamp
    assert first.digest == again.digest
    assert [each.name for each in path.parent.iterdir()] == ["val.tar.gz"]
    # A folder that holds the archive, and perhaps its decompressed copy, stands for the archive.
    beside = open_dataset("imagenet1k_val", path.parent, stand_in=True)
    assert open_dataset("imagenet1k_val", path.parent, stand_in=True).digest == beside.digest == first.digest


# Damaged and hostile archives


@pytest.mark.parametrize("name", ["/etc/x.JPEG", "../x.JPEG", "a/../../x.JPEG", "C:/x.JPEG", "..\\x.JPEG"])
@pytest.mark.parametrize("form", ["tar", "tar.gz", "zip"])
def test_members_outside_their_folder_are_refused(tmp_path, name, form):
    files = val_files() | {name: small_image(9)}
    with pytest.raises(BookError, match=r"inside its own folder, found (an absolute path|a path with '\.\.')"):
        open_dataset("imagenet1k_val", FORMS[form](tmp_path, files), stand_in=True)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_in_a_tar_are_refused(tmp_path, kind):
    path = write_tar(tmp_path / "val.tar", val_files())
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("ILSVRC2012_val_00000009.JPEG")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BookError, match="a link or a special file"):
        open_dataset("imagenet1k_val", path, stand_in=True)


def test_links_in_a_zip_are_refused(tmp_path):
    path = write_zip(tmp_path / "val.zip", val_files())
    with zipfile.ZipFile(path, "a") as bundle:
        link = zipfile.ZipInfo("ILSVRC2012_val_00000009.JPEG")
        link.external_attr = 0o120777 << 16
        bundle.writestr(link, "/etc/passwd")
    with pytest.raises(BookError, match="found a link"):
        open_dataset("imagenet1k_val", path, stand_in=True)


def cut(data: bytes, member_end: int) -> dict[str, bytes]:
    return {
        "in a member": data[: member_end - 700],
        "between members": data[:member_end],
        "in a header": data[: member_end + 100],
        "at the end mark": data[:-10_240],
        "a broken header": data[:member_end] + b"\xff" * 512 + data[member_end + 512 :],
        "no archive": b"<html>please log in</html>" * 40,
        "empty": b"",
    }


@pytest.mark.parametrize("damage", cut(b"", 0))
def test_damaged_tars_are_named(tmp_path, damage):
    files = {name: small_image(0) for name in VAL_NAMES}
    path = write_tar(tmp_path / "val.tar", files)
    with tarfile.open(path) as tar:
        third = tar.getmembers()[3].offset
    data = path.read_bytes()
    path.write_bytes(cut(data, third)[damage])
    with pytest.raises(BookError, match=r"val\.tar"):
        open_dataset("imagenet1k_val", path, stand_in=True)


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_damaged_compressed_archives_are_named(tmp_path, form):
    path = FORMS[form](tmp_path, val_files())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BookError, match=r"set\."):
        open_dataset("imagenet1k_val", path, stand_in=True)
    assert not list(tmp_path.glob("*.partial"))
    assert not list(tmp_path.glob("*.plain.tar"))


def test_a_file_cut_after_it_was_indexed_is_named_with_its_member(tmp_path):
    path = write_tar(tmp_path / "val.tar", val_files())
    found = open_dataset("imagenet1k_val", path, stand_in=True)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(BookError, match=r"val\.tar::ILSVRC2012_val_00000001\.JPEG: expected [\d,]+ bytes, found"):
        found[0]


@pytest.mark.parametrize("form", ["folder", "tar", "zip"])
def test_undecodable_images_are_named_and_the_others_read(tmp_path, form):
    files = val_files() | {VAL_NAMES[2]: b"not a picture", VAL_NAMES[4]: small_image(4)[:300]}
    found = open_dataset("imagenet1k_val", FORMS[form](tmp_path, files), stand_in=True)
    for position in (2, 4):
        with pytest.raises(BookError, match=VAL_NAMES[position] + ": expected an image that can be decoded"):
            found[position]
    assert [found[i].image.mode for i in (0, 1, 3, 5)] == ["RGB"] * 4


# Links in folders of one's own


def test_linked_classes_and_files_of_a_folder_are_read(tmp_path):
    files = val_files("{wnid}/{name}")
    real = write_folder(tmp_path / "real", files)
    linked = tmp_path / "linked"
    linked.mkdir()
    for folder in sorted(real.iterdir()):
        (linked / folder.name).symlink_to(folder)
    assert open_dataset("imagenet1k_val", linked, stand_in=True).digest == (
        open_dataset("imagenet1k_val", real, stand_in=True).digest
    )
    (linked / "n01440764").unlink(missing_ok=True)
    (linked / "n99999999").symlink_to(tmp_path / "nowhere")  # a folder that is gone looks like a file
    with pytest.raises(BookError, match="n99999999: expected a file, found a link that leads nowhere"):
        open_dataset("imagenet1k_val", linked, stand_in=True)


def test_a_link_to_a_folder_above_does_not_go_on_forever(tmp_path):
    folder = write_folder(tmp_path / "val", val_files("{wnid}/{name}"))
    (folder / "again").symlink_to(tmp_path)
    with pytest.raises(BookError, match="again: expected folders that end"):
        open_dataset("imagenet1k_val", folder, stand_in=True)
