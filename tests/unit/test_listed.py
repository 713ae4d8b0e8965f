"""CSVs of paths and labels: what they may say, what they must not, and what is said about it."""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.cache import open_cache
from babysit.data.sources import open_source
from babysit.errors import UserError
from babysit.names import table_text

PLAIN = "path,label\na/000.png,cat\na/001.png,cat\nb/000.png,dog\nb/001.png,dog\n"


@pytest.fixture
def place(tmp_path: Path, make_folder):
    """A folder with a/000..002.png and b/000..002.png, and a writer of the CSV in it."""
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 3})

    def write(text: str | bytes) -> str:
        (folder / "list.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return str(folder / "list.csv")

    return write


def test_a_csv_gives_labels_parts_and_groups(place) -> None:
    catalog = open_source(
        place(
            "path,label,part,group\n"
            "a/000.png, cat ,train, one \na/001.png,cat,Validation,one\na/002.png,cat,test,\n"
            "b/000.png,dog,train,two\nb/001.png,dog, val ,\n"
        )
    )
    assert catalog.classes == ("cat", "dog")
    assert list(zip(catalog.names, catalog.parts, catalog.groups, strict=True)) == [
        ("a/000.png", "train", "one"),
        ("b/000.png", "train", "two"),
        ("a/001.png", "val", "one"),
        ("b/001.png", "val", ""),
        ("a/002.png", "test", ""),
    ]
    assert catalog.labels.tolist() == [0, 1, 0, 1, 0]
    assert catalog.read(0) == (Path(catalog.source).parent / "a" / "000.png").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace("path,label", '"Path" , "LABEL"'.replace('" , "', '","')).encode(),
        PLAIN.replace("/", "\\").encode(),
        PLAIN.replace("a/", "./a//").encode(),
        PLAIN.replace("\n", ",x;y\n").replace("label,x;y", "label,notes").encode(),
        PLAIN.replace("a/000.png,cat", '"a/000.png","cat"').encode() + b"\n\n ,\n",
        "\n".join(",".join(reversed(line.split(","))) for line in PLAIN.split()).encode(),
    ],
)
def test_ways_to_write_the_same_csv(place, text: bytes) -> None:
    catalog, plain = open_source(place(text)), open_source(place(PLAIN))
    assert catalog.classes == plain.classes == ("cat", "dog") and catalog.names == plain.names
    assert catalog.labels.tolist() == plain.labels.tolist() and catalog.stamps == plain.stamps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("filename,class\na/000.png,cat\n", "no column 'path' and no column 'label'; there are: 'filename', 'class'"),
        ("path,class\na/000.png,cat\n", "no column 'label'; there are: 'path', 'class'"),
        ("a/000.png,cat\nb/000.png,dog\n", "no column 'path'"),
        ("path,label,label\na/000.png,cat,cat\n", "two columns 'label'"),
        (PLAIN + "b/002.png, ,\n".replace(" ,\n", " \n"), "list.csv:6: the label of 'b/002.png' is empty"),
        (PLAIN + ",dog\n", "list.csv:6: the path is empty"),
        (PLAIN + "b/002.png,dog,extra\n", "list.csv:6: the line has 3 cells, the header 2"),
        (PLAIN + '"b/002.png,dog\n', "is not CSV"),
        (
            "path,label,part\na/000.png,cat,trian\n",
            "list.csv:2: unknown part 'trian'. Legal: train, val, test, or empty",
        ),
        ("path,label,part\na/000.png,cat,trian\n", "Did you mean 'train'"),
        (
            "path,label,part\na/000.png,cat,train\nb/000.png,dog,train\nb/001.png,fox,test\n",
            "the class 'fox' is in test but not in train",
        ),
        (PLAIN + "a/000.png,dog\n", "multi-label data.*both 'cat' and 'dog'"),
        (PLAIN + "./a\\000.png,dog\n", "multi-label data"),
        (PLAIN + "b/002.png,cat|dog\n", "multi-label data"),
        ("path,labels\na/000.png,cat|dog\n", "multi-label data"),
        ("path,labels\na/000.png,cat\n", "no column 'label' but 'labels'"),
        ("path,label,part\na/000.png,cat,train\na/000.png,cat,test\nb/000.png,dog,\n", "in two parts"),
        ("path,label\nx.png,cat\ny.png,dog\n", "none of the 2 listed files is there; the first: x.png"),
        ("path,label\na/000.png,cat\n", "only one class, 'cat'"),
        ("path,label\n", "the CSV lists no image"),
        ("path,label\0\n", "not text"),
        ("path,label\n\0.png,cat\n".encode("utf-16"), "no path a file can have"),
    ],
)
def test_bad_csvs_get_a_sentence(place, text: str | bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_source(place(text))


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../secret.png", "a/../../secret.png", "..\\secret.png", "C:\\x.png", "C:x.png", "\\x.png",
     "file:///etc/passwd", "http://host/x.png", "a/..", "'=/../../x"],
)  # fmt: skip
def test_a_path_out_of_the_folder_is_refused(place, path: str) -> None:
    with pytest.raises(UserError, match=r"list.csv:6: the path .* leads out of the CSV's folder"):
        open_source(place(PLAIN + f"{path},dog\n"))


def test_links_out_of_the_folder_are_left_out(place, tmp_path: Path, picture) -> None:
    source = place(PLAIN + "a/out.png,cat\nlinked/x.png,dog\nlinked.zip/x.png,dog\na/in.png,cat\n")
    folder = Path(source).parent
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.png").write_bytes(picture(0, 51))
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("x.png", picture(0, 52))
    (folder / "a" / "out.png").symlink_to(tmp_path / "more" / "x.png")
    (folder / "a" / "in.png").symlink_to("000.png")
    (folder / "linked").symlink_to(tmp_path / "more")
    (folder / "linked.zip").symlink_to(tmp_path / "out.zip")
    catalog = open_source(source)
    assert "a/in.png" in catalog.names and not {"a/out.png", "linked/x.png"} & set(catalog.names)
    assert any("2 links leading out" in note for note in catalog.notes)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the reason, it is not read
        catalog.read(catalog.names.index("linked.zip/x.png"))


def test_what_is_not_there_is_unreadable_and_counted(place) -> None:
    catalog = open_source(place(PLAIN + "b/gone.png,dog\nb,dog\nb/000.png/x,dog\nz.zip/x.png,cat\n"))
    assert any("not there: 3 listed files, the first b/gone.png" in note for note in catalog.notes)
    cache = open_cache(catalog, 12, "pad", progress=lambda count: None)
    unreadable = {catalog.names[row]: reason for row, reason in cache.unreadable.items()}
    assert set(unreadable) == {"b/gone.png", "b", "b/000.png/x", "z.zip/x.png"}
    assert unreadable["b/gone.png"] == "No such file or directory" and unreadable["b"] == "Is a directory"


def test_a_line_that_is_repeated_is_left_out_and_said(place) -> None:
    catalog = open_source(place(PLAIN + "a/000.png,cat\na\\000.png,cat\n"))
    assert len(catalog) == 4 and any("2 lines that repeat" in note for note in catalog.notes)


def test_labels_with_commas_of_their_own_are_one_label(place) -> None:
    catalog = open_source(place(PLAIN.replace("cat", '"cat, big"')))
    assert catalog.classes == ("cat, big", "dog")


# ---------------------------------------------------------------- through archives


def pack(folder: Path, path: Path, prefix: str, table: str = "") -> None:
    files = {f"{prefix}{file.relative_to(folder).as_posix()}": file for file in sorted(folder.rglob("*.png"))}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, file in files.items():
                archive.write(file, name)
            if table:
                archive.writestr(f"{prefix}labels.csv", table)
    else:
        with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
            for name, file in files.items():
                archive.add(file, name)
            if table:
                entry = tarfile.TarInfo(f"{prefix}labels.csv")
                entry.size = len(table.encode())
                archive.addfile(entry, io.BytesIO(table.encode()))


@pytest.mark.parametrize("name", ["images.zip", "images.tar", "deep/Images.TGZ"])
def test_a_path_goes_through_an_archive(tmp_path: Path, place, name: str) -> None:
    plain = open_source(place(PLAIN))
    folder = Path(plain.source).parent
    (folder / name).parent.mkdir(exist_ok=True)
    pack(folder, folder / name, "x/")
    lines = PLAIN.replace("a/", f"{name}/x/a/").replace("b/", f"{name}\\x\\b\\")
    catalog = open_source(place(lines + f"{name}/x/a/gone.png,cat\n"))
    assert [one.removeprefix(f"{name}/x/") for one in catalog.names if "gone" not in one] == list(plain.names)
    assert [catalog.read(row) for row in (0, 1)] == [plain.read(row) for row in (0, 1)]
    with pytest.raises(OSError, match="not in the archive"):
        catalog.read(catalog.names.index(f"{name}/x/a/gone.png"))


def test_a_folder_called_like_an_archive_is_a_folder(place) -> None:
    folder = Path(place("")).parent
    (folder / "a").rename(folder / "a.zip")
    assert len(open_source(place(PLAIN.replace("a/", "a.zip/")))) == 4


def test_a_hostile_archive_in_a_csv_is_refused(place) -> None:
    folder = Path(place("")).parent
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("../../x.png", b"x")
    with pytest.raises(UserError, match="outside its root"):
        open_source(place(PLAIN + "z.zip/x.png,dog\n"))


@pytest.mark.parametrize("prefix", ["", "photos/"])
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_an_archive_of_flat_images_is_read_through_its_csv(tmp_path: Path, picture, prefix: str, name: str) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for number in range(4):
        (flat / f"{number}.png").write_bytes(picture(number % 2, number))
    pack(flat, tmp_path / name, prefix, "path,label,group\n0.png,a,g\n1.png,b,\n2.png,a,\n3.png,b,\nno.png,b,\n")
    catalog = open_source(str(tmp_path / name))
    assert catalog.classes == ("a", "b") and catalog.labels.tolist() == [0, 1, 0, 1, 1]
    assert catalog.groups == ("g", "", "", "", "") and catalog.read(3) == (flat / "3.png").read_bytes()
    with pytest.raises(OSError, match="not in the archive"):
        catalog.read(4)


def test_images_in_one_folder_beside_their_csv(tmp_path: Path, picture) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"images/{number}.png", picture(number % 2, number))
        archive.writestr("labels.csv", "path,label\n" + "".join(f"images/{n}.png,{'ab'[n % 2]}\n" for n in range(4)))
        archive.writestr("other.csv", "id,what\n1,2\n")
    assert open_source(str(tmp_path / "x.zip")).labels.tolist() == [0, 1, 0, 1]
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as archive:
        archive.writestr("more.csv", "path,label\n0.png,a\n")
    with pytest.raises(UserError, match="several CSVs"):
        open_source(str(tmp_path / "x.zip"))


# ---------------------------------------------------------------- names and order


@given(st.permutations(PLAIN.strip().split("\n")[1:]))
@settings(max_examples=10)
def test_the_order_of_lines_plays_no_part(place, lines: list[str]) -> None:
    catalog, plain = open_source(place("\n".join(["path,label", *lines]))), open_source(place(PLAIN))
    assert catalog.names == plain.names and catalog.labels.tolist() == plain.labels.tolist()


def test_names_like_formulas_come_back_from_our_own_tables(tmp_path: Path, picture) -> None:
    names = ["=1+1.png", "+x.png", "@y.png", "-z.png", "'=q.png", "<b>&.png", "\u202egnp.png", "x" * 251 + ".png",
             "\x1b[31m.png", "👩‍👩‍👧.png"]  # fmt: skip
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(picture(number % 2, number))
    rows = [(name, "=cmd|' /C calc'!A0" if number % 2 else "b") for number, name in enumerate(names)]
    text = table_text([("path", "label"), *rows])
    assert all(row[0][0] not in "=+-@" for row in csv.reader(io.StringIO(text)))
    (tmp_path / "list.csv").write_text(text, encoding="utf-8", newline="")
    catalog = open_source(str(tmp_path / "list.csv"))
    assert set(catalog.names) == set(names) and catalog.classes == ("=cmd|' /C calc'!A0", "b")
    assert not any("not there" in note for note in catalog.notes)


def test_bytes_that_are_no_text_are_a_name(tmp_path: Path, picture) -> None:
    for number in range(4):
        (tmp_path / f"{number}\udcff.png").write_bytes(picture(number % 2, number))
    rows = b"".join(b"%d\xff.png,%d\n" % (number, number % 2) for number in range(4))
    (tmp_path / "list.csv").write_bytes(b"path,label\n" + rows)
    catalog = open_source(str(tmp_path / "list.csv"))
    assert catalog.names[0] == "0\udcff.png" and catalog.read(0) == picture(0, 0)


def test_a_path_longer_than_any_file_name_is_a_file_that_is_not_there(place) -> None:
    catalog = open_source(place(PLAIN + f"{'x' * 300}.tar/0.png,dog\n"))
    assert any("not there: 1 listed file" in note and "x.tar/0.png" in note for note in map(str, catalog.notes))
