"""Zip and tar: what Python's own modules write is read back the same; what is built to do harm is refused."""

from __future__ import annotations

import io
import os
import struct
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.sources import archives, open_source
from babysit.data.sources.tar_reader import open_tar
from babysit.data.sources.zip_reader import open_zip
from babysit.errors import UserError

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\\/:"), min_size=1, max_size=60).filter(
        lambda name: name.strip(".") != ""
    ),
    min_size=1,
    max_size=6,
    unique=True,
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
TARS = {"w": ".tar", "w:gz": ".tar.gz", "w:bz2": ".tar.bz2", "w:xz": ".tar.xz"}


def make_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def add_entry(path: Path, name: str, kind: bytes, link: str = "") -> Path:
    with tarfile.open(path, "a") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        archive.addfile(entry)
    return path


@pytest.fixture
def images(picture) -> dict[str, bytes]:
    """Two classes of two pictures."""
    return {f"{name}/{number}.png": picture(label, number) for label, name in enumerate("ab") for number in range(2)}


# ---------------------------------------------------------------- the same as Python's own modules


@given(NAMES, st.data())
@settings(max_examples=60)
def test_a_zip_is_read_as_zipfile_writes_it(tmp_path: Path, names: list[str], data) -> None:
    members = {name: data.draw(st.binary(max_size=300)) for name in names}
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/", b"")
        for name, content in members.items():
            archive.writestr(name, content, data.draw(st.sampled_from(METHODS)))
        archive.comment = data.draw(st.binary(max_size=40))
    path.write_bytes(data.draw(st.binary(max_size=30)) + path.read_bytes())  # as a self-extracting zip has
    opened = open_zip(str(path))
    assert {name: opened.read(name) for name in opened.places} == members


@given(NAMES, st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), st.integers(1, 4), st.data())
@settings(max_examples=60)
def test_a_tar_is_read_as_tarfile_writes_it(tmp_path: Path, names: list[str], form: int, deep: int, data) -> None:
    members = {"/".join([name] * deep): data.draw(st.binary(max_size=1100)) for name in names}
    opened = open_tar(str(make_tar(tmp_path / "t.tar", members, form=form)))
    assert {name: opened.read(name) for name in opened.places} == members


def test_old_tars_with_split_names_are_read(tmp_path: Path) -> None:
    members = {f"{'long' * 20}/{'name' * 10}/1.png": b"abc"}
    opened = open_tar(str(make_tar(tmp_path / "t.tar", members, form=tarfile.USTAR_FORMAT)))
    assert {name: opened.read(name) for name in opened.places} == members


@pytest.mark.parametrize("mode", TARS)
def test_a_tar_is_the_same_catalog_as_its_folder(tmp_path: Path, make_folder, cache_home, mode: str) -> None:
    folder = make_folder(tmp_path / "photos", {"cats": 4, "dogs": 3})
    path = tmp_path / f"photos{TARS[mode]}"
    with tarfile.open(path, mode) as archive:
        archive.add(folder, "photos")
    one, other = open_source(str(folder)), open_source(str(path))
    assert other.classes == one.classes and [name.removeprefix("photos/") for name in other.names] == list(one.names)
    assert [other.read(index) for index in range(7)] == [one.read(index) for index in range(7)]
    assert not list((cache_home / "spool").iterdir()) if mode != "w" else not (cache_home / "spool").exists()


def test_zip64_is_read(tmp_path: Path, images) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in images.items():
            with archive.open(name, "w", force_zip64=True) as stream:
                stream.write(data)
    data = bytearray(path.read_bytes())
    # The end record rewritten as one of zip64: the old one says "see there" in every field.
    place = data.rfind(b"PK\5\6")
    count, size, offset = struct.unpack_from("<HLL", data, place + 10)
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, place, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(bytes(data[:place]) + wide + locator + end)
    opened = open_zip(str(path))
    assert {name: opened.read(name) for name in opened.places} == images


def test_a_member_beyond_four_gigabytes_is_found(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with path.open("wb") as stream:  # a file with a hole: no disk is used
        stream.seek(5 * 2**30)
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("a/far.png", b"far away")
            assert archive.getinfo("a/far.png").header_offset == 5 * 2**30
    assert open_zip(str(path)).read("a/far.png") == b"far away"


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_many_threads_read_the_right_bytes(tmp_path: Path, form: str) -> None:
    generator = np.random.default_rng(0)
    members = {f"a/{number}.png": generator.bytes(int(generator.integers(0, 5000))) for number in range(200)}
    if form == "zip":
        opened = open_zip(str(make_zip(tmp_path / "z.zip", members, zipfile.ZIP_DEFLATED)))
    else:
        opened = open_tar(str(make_tar(tmp_path / "t.tar", members)))
    with ThreadPoolExecutor(8) as pool:
        names = list(members) * 5
        assert list(pool.map(opened.read, names)) == [members[name] for name in names]


def test_the_stamp_changes_with_the_content(tmp_path: Path, images) -> None:
    first = open_zip(str(make_zip(tmp_path / "z.zip", images)))
    before = [first.stamp(name) for name in first.places]
    changed = {name: data[:-1] + b"\0" for name, data in images.items()}
    second = open_zip(str(make_zip(tmp_path / "z.zip", changed)))
    assert all(second.stamp(name) != stamp for name, stamp in zip(second.places, before, strict=True))


# ---------------------------------------------------------------- names and links


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/passwd", "C:\\x.png", "..\\x.png", "\\x.png"])
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_a_path_outside_the_root_is_refused(tmp_path: Path, images, name: str, form: str) -> None:
    make, ending = (make_zip, ".zip") if form == "zip" else (make_tar, ".tar")
    with pytest.raises(UserError, match="outside its root"):
        open_source(str(make(tmp_path / f"x{ending}", {**images, name: b"x"})))


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_an_impossible_name_is_refused(tmp_path: Path, images, form: str) -> None:
    make, ending = (make_zip, ".zip") if form == "zip" else (make_tar, ".tar")
    with pytest.raises(UserError, match="impossible name"):
        open_source(str(make(tmp_path / f"x{ending}", {**images, "a/" * 3000 + "x.png": b"x"})))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_given_twice_is_refused(tmp_path: Path, images) -> None:
    path = make_zip(tmp_path / "z.zip", images)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a\\0.png", b"the same after all")
    with pytest.raises(UserError, match=r"two members named 'a/0\.png'"):
        open_source(str(path))
    tar = make_tar(tmp_path / "t.tar", images)
    with tarfile.open(tar, "a") as archive:
        archive.addfile(tarfile.TarInfo("./a//0.png"))
    with pytest.raises(UserError, match=r"two members named 'a/0\.png'"):
        open_source(str(tar))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_in_a_tar_is_refused(tmp_path: Path, images, kind: bytes) -> None:
    with pytest.raises(UserError, match=r"device or pipe: 'a/null\.png'"):
        open_source(str(add_entry(make_tar(tmp_path / "t.tar", images), "a/null.png", kind)))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "..\\..\\x", "C:\\x"])
def test_a_link_out_of_an_archive_is_refused(tmp_path: Path, images, target: str) -> None:
    with pytest.raises(UserError, match="link out of its root"):
        open_source(str(add_entry(make_tar(tmp_path / "t.tar", images), "a/l.png", tarfile.SYMTYPE, target)))
    with pytest.raises(UserError, match="link out of its root"):
        open_source(str(zip_with_link(tmp_path / "z.zip", images, "a/l.png", target)))


def test_a_hard_link_out_of_a_tar_is_refused(tmp_path: Path, images) -> None:
    path = add_entry(make_tar(tmp_path / "t.tar", images), "a/l.png", tarfile.LNKTYPE, "../../etc/passwd")
    with pytest.raises(UserError, match="outside its root"):
        open_source(str(path))


def test_links_inside_an_archive_are_followed_and_lost_ones_said(tmp_path: Path, images) -> None:
    tar = make_tar(tmp_path / "t.tar", images)
    add_entry(add_entry(tar, "a/l.png", tarfile.SYMTYPE, "../b/1.png"), "a/lost.png", tarfile.SYMTYPE, "gone.png")
    add_entry(tar, "a/hard.png", tarfile.LNKTYPE, "b/0.png")
    zipped = zip_with_link(tmp_path / "z.zip", images, "a/l.png", "../b/1.png")
    zip_with_link(zipped, {}, "a/lost.png", "gone.png")
    zip_with_link(zipped, {}, "a/hard.png", "../b/0.png")
    for path in (tar, zipped):
        catalog = open_source(str(path))
        held = dict(zip(catalog.names, map(catalog.read, range(len(catalog))), strict=True))
        assert held == {**images, "a/l.png": images["b/1.png"], "a/hard.png": images["b/0.png"]}
        assert any("1 link in the" in note for note in catalog.notes)


def zip_with_link(path: Path, members: dict[str, bytes], name: str, target: str) -> Path:
    with zipfile.ZipFile(path, "a") as archive:
        for other, data in members.items():
            archive.writestr(other, data)
        link = zipfile.ZipInfo(name)
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, target)
    return path


# ---------------------------------------------------------------- bombs and lies


def change_entries(path: Path, field: int, form: str, value: int) -> Path:
    """Overwrites one field of every entry in a zip's list of members."""
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\1\2")
    while place >= 0:
        struct.pack_into(form, data, place + field, value)
        place = data.find(b"PK\1\2", place + 4)
    path.write_bytes(bytes(data))
    return path


def test_members_that_overlap_are_refused(tmp_path: Path, images) -> None:
    path = change_entries(make_zip(tmp_path / "z.zip", images), 42, "<L", 0)  # all begin where the first begins
    with pytest.raises(UserError, match="overlap"):
        open_source(str(path))


def test_a_member_that_quotes_the_next_one_is_refused(tmp_path: Path, images) -> None:
    """Fifield's construction: each member's bytes hold the headers and bytes of those behind it."""
    path = make_zip(tmp_path / "z.zip", images)
    data = bytearray(path.read_bytes())
    place = data.find(b"PK\1\2")
    packed = struct.unpack_from("<L", data, place + 20)[0]
    struct.pack_into("<L", data, place + 20, packed + 200)
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="overlap"):
        open_source(str(path))


def test_a_zip_that_would_grow_too_much_is_refused(tmp_path: Path, images) -> None:
    path = make_zip(tmp_path / "z.zip", {**images, "a/zeros.png": bytes(2**20)}, zipfile.ZIP_DEFLATED)
    assert len(open_source(str(path))) == 5  # a megabyte of nothing is no bomb
    with pytest.raises(UserError, match="would grow from"):
        open_source(str(change_entries(path, 24, "<L", 2**27)))


def test_a_zip_that_would_unpack_to_too_much_is_refused(tmp_path: Path, images, monkeypatch) -> None:
    monkeypatch.setattr(archives, "MOST_TOTAL_BYTES", 1500)
    with pytest.raises(UserError, match="would unpack to more than"):
        open_source(str(make_zip(tmp_path / "z.zip", images)))


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_too_many_members_are_refused(tmp_path: Path, images, monkeypatch, form: str) -> None:
    make, ending = (make_zip, ".zip") if form == "zip" else (make_tar, ".tar")
    path = make(tmp_path / f"x{ending}", images)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 4)
    assert len(open_source(str(path))) == 4
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    with pytest.raises(UserError, match="more than 3 members"):
        open_source(str(path))


def test_a_zip_that_claims_more_members_than_fit_is_refused(tmp_path: Path, images) -> None:
    path = make_zip(tmp_path / "z.zip", images)
    data = bytearray(path.read_bytes())
    struct.pack_into("<HH", data, len(data) - 14, 60000, 60000)
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="does not fit"):
        open_source(str(path))


def test_a_member_too_large_for_an_image_is_unreadable(tmp_path: Path, images, monkeypatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBER_BYTES", 1000)
    for make, name in ((make_zip, "z.zip"), (make_tar, "t.tar")):
        catalog = open_source(str(make(tmp_path / name, {**images, "a/large.png": bytes(1001)})))
        with pytest.raises(OSError, match="large; at most"):
            catalog.read(catalog.names.index("a/large.png"))


@pytest.mark.parametrize("method", METHODS)
def test_a_member_that_lies_about_its_size_is_unreadable(tmp_path: Path, images, method: int) -> None:
    path = change_entries(make_zip(tmp_path / "z.zip", {**images, "a/9.png": bytes(9999)}, method), 24, "<L", 100)
    catalog = open_source(str(path))
    for index in range(len(catalog)):
        with pytest.raises(OSError, match="harmed"):
            catalog.read(index)


def test_an_encrypted_zip_is_refused(tmp_path: Path, images) -> None:
    path = change_entries(make_zip(tmp_path / "z.zip", images), 8, "<H", 1)
    with pytest.raises(UserError, match="encrypted"):
        open_source(str(path))


def test_a_compressed_tar_that_grows_too_much_is_refused_while_it_grows(tmp_path: Path, images, monkeypatch) -> None:
    monkeypatch.setattr(archives, "RATIO_FREE_BYTES", 2**20)
    path = make_tar(tmp_path / "t.tar.gz", {**images, "a/zeros.png": bytes(2**24)}, "w:gz")
    with pytest.raises(UserError, match="would grow from"):
        open_source(str(path))


def test_a_compressed_tar_larger_than_the_bound_is_refused(tmp_path: Path, images, monkeypatch) -> None:
    monkeypatch.setattr("babysit.data.sources.tar_reader.MOST_SPOOLED_BYTES", 4096)
    with pytest.raises(UserError, match="would unpack to more than"):
        open_source(str(make_tar(tmp_path / "t.tar.xz", images, "w:xz")))


def test_a_sparse_file_in_a_tar_is_refused(tmp_path: Path, images) -> None:
    path = make_tar(tmp_path / "t.tar", images)
    with pytest.raises(UserError, match="holes"):
        open_source(str(add_entry(path, "a/s.png", tarfile.GNUTYPE_SPARSE)))


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.9])
def test_a_tar_cut_short_is_refused(tmp_path: Path, ending: str, keep: float) -> None:
    generator = np.random.default_rng(1)
    members = {f"{name}/{number}.png": generator.bytes(9000) for name in "ab" for number in range(3)}
    mode = next(mode for mode, other in TARS.items() if other == ending)
    path = make_tar(tmp_path / f"t{ending}", members, mode)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(UserError, match="not a whole tar"):
        open_source(str(path))


def test_a_tar_cut_between_two_members_is_said(tmp_path: Path, images) -> None:
    path = make_tar(tmp_path / "t.tar", images)
    assert not any("no mark at its end" in note for note in open_source(str(path)).notes)
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(path.read_bytes()[: last.offset])
    catalog = open_source(str(path))
    assert len(catalog) == len(images) - 1 and any("no mark at its end" in note for note in catalog.notes)


def test_a_harmed_tar_header_is_refused(tmp_path: Path, images) -> None:
    path = make_tar(tmp_path / "t.tar", images)
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(UserError, match="checksum"):
        open_source(str(path))


def test_no_room_to_unpack_is_a_sentence(tmp_path: Path, images, monkeypatch) -> None:
    path = make_tar(tmp_path / "t.tgz", images, "w:gz")
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("BABYSIT_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(UserError, match="unpacked tar could not be written"):
        open_source(str(path))
    monkeypatch.setenv("BABYSIT_CACHE", str(tmp_path / "cache"))
    full = lambda dir: Path("/dev/full").open("w+b")  # noqa: A006, E731, SIM115
    monkeypatch.setattr("babysit.data.sources.tar_reader.tempfile.TemporaryFile", full)
    with pytest.raises(UserError, match="disk is full: the unpacked tar"):
        open_source(str(path))


def test_a_pipe_among_the_images_is_left_out(tmp_path: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "d", {"a": 2, "b": 2})
    os.mkfifo(folder / "a" / "pipe.png")
    catalog = open_source(str(folder))
    assert len(catalog) == 4 and any("1 device or pipe" in note for note in catalog.notes)
    (folder / "a" / "000.png").unlink()
    os.mkfifo(folder / "a" / "000.png")  # put there after listing
    with pytest.raises(OSError, match="no regular file"):
        catalog.read(0)
