"""Sources, split and cache: what is listed, which part it goes to, and that it is decoded once."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data import cache as caching
from babysit.data.cache import open_cache
from babysit.data.catalog import Item, catalog_of
from babysit.data.decode import decode
from babysit.data.sources import open_source
from babysit.data.split import split
from babysit.data.split_file import split_table
from babysit.errors import UserError


def nothing(count: int) -> None:
    """Takes the progress."""


# ---------------------------------------------------------------- sources


def zip_of(folder: Path, path: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


def test_a_folder_and_a_zip_of_it_are_the_same_catalog(tmp_path: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "photos", {"cats": 4, "dogs": 3, "ünïcode name": 2})
    one = open_source(str(folder))
    assert (
        one.classes == ("cats", "dogs", "ünïcode name")
        and len(one) == 9
        and one.labels.tolist() == [0] * 4 + [1] * 3 + [2] * 2
    )
    for prefix in ("", "photos/", "a/b/"):
        other = open_source(str(zip_of(folder, tmp_path / "z.zip", prefix)))
        assert other.classes == one.classes and [name.removeprefix(prefix) for name in other.names] == list(one.names)
        assert [other.read(index) for index in range(9)] == [one.read(index) for index in range(9)]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Train", "valid", "Test"), ("TRAIN", "validation", "test")]
)
def test_part_folders(tmp_path: Path, make_folder, names) -> None:
    for name, count in zip(names, (3, 2, 1), strict=True):
        make_folder(tmp_path / "d" / name, {"a": count, "b": count})
    catalog = open_source(str(tmp_path / "d"))
    assert catalog.classes == ("a", "b") and catalog.parts == ("train",) * 6 + ("val",) * 4 + ("test",) * 2
    assert catalog.has_validation and catalog.has_test


def test_a_class_that_is_in_val_only_is_refused(tmp_path: Path, make_folder) -> None:
    make_folder(tmp_path / "d" / "train", {"a": 2, "b": 2})
    make_folder(tmp_path / "d" / "val", {"a": 2, "stranger": 2})
    with pytest.raises(UserError, match="stranger"):
        open_source(str(tmp_path / "d"))


def test_a_test_part_alone_is_refused(tmp_path: Path, make_folder) -> None:
    make_folder(tmp_path / "d" / "test", {"a": 2, "b": 2})
    with pytest.raises(UserError, match="no training image"):
        open_source(str(tmp_path / "d"))


def test_a_flat_folder_is_refused(tmp_path: Path, picture) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(picture(0, number))
    with pytest.raises(UserError, match="3 images lie flat"):
        open_source(str(tmp_path))


def test_one_class_is_refused(tmp_path: Path, make_folder) -> None:
    with pytest.raises(UserError, match="only one class, 'cats'"):
        open_source(str(make_folder(tmp_path / "d", {"cats": 3})))


def test_no_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d" / "cats").mkdir(parents=True)
    (tmp_path / "d" / "cats" / "note.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(UserError, match="no images here"):
        open_source(str(tmp_path / "d"))


def test_a_path_that_is_not_there_is_told_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="Did you mean 'photos'"):
        open_source(str(tmp_path / "fotos"))
    with pytest.raises(UserError, match="Did you mean 'digits'"):
        open_source("digit")
    with pytest.raises(UserError, match="no such folder"):
        open_source(str(tmp_path / "deep" / "deeper" / "x"))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "/proc/1/fd/x/y", ""])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no such folder|no images here"):
        open_source(name)


def test_a_path_that_is_no_text_is_refused(tmp_path: Path, make_folder) -> None:
    with pytest.raises(UserError, match="not text in UTF-8"):
        open_source(str(make_folder(tmp_path / "d\udcff", {"a": 2, "b": 2})))


def test_a_file_that_is_no_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.rar").write_bytes(b"Rar!")
    with pytest.raises(UserError, match="not data that can be read"):
        open_source(str(tmp_path / "a.rar"))


def test_hidden_files_and_other_files_are_no_images(tmp_path: Path, make_folder, picture) -> None:
    folder = make_folder(tmp_path / "d", {"cats": 2, "dogs": 2})
    for name in (".hidden.png", "cats/._000.png", ".git/x/y.png", "__MACOSX/cats/000.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(0, 99))
    (folder / "cats" / "notes.txt").write_text("x", encoding="utf-8")
    (folder / "stray.png").write_bytes(picture(0, 98))
    (folder / "empty").mkdir()
    catalog = open_source(str(folder))
    assert len(catalog) == 4 and catalog.classes == ("cats", "dogs")
    said = " | ".join(catalog.notes)
    assert (
        "1 file not named like an image: .txt (1)" in said
        and "1 image outside the class folders" in said
        and "empty" in said
    )


def test_where_there_are_no_images_what_there_is_is_said(tmp_path: Path, make_folder) -> None:
    for name in ("a/1.HEIC", "a/2.heic", "b/x.avif", "b/LICENSE"):
        (tmp_path / "phone" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "phone" / name).write_bytes(b"x")
    with pytest.raises(UserError, match=r"no images here; left out: 4 files not named.*: \.heic \(2\), \.avif \(1\)"):
        open_source(str(tmp_path / "phone"))
    folder = make_folder(tmp_path / "d", {"train/a": 2, "train/b": 2, "testing/a": 1, "testing/b": 1, "old/a": 1})
    assert (
        "left out: 3 images outside the part folders (train, val, test), in 'old', 'testing'"
        in open_source(str(folder)).notes
    )


def test_links_out_of_the_root_are_left_out_and_said(tmp_path: Path, make_folder, picture) -> None:
    folder = make_folder(tmp_path / "d", {"cats": 2, "dogs": 2})
    (tmp_path / "secret.png").write_bytes(picture(0, 50))
    (folder / "cats" / "out.png").symlink_to(tmp_path / "secret.png")
    (folder / "cats" / "in.png").symlink_to(folder / "cats" / "000.png")
    (folder / "cats" / "dangling.png").symlink_to(folder / "cats" / "gone.png")
    (folder / "loop").symlink_to(folder)
    (folder / "cats" / "itself.png").symlink_to("itself.png")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.png").write_bytes(picture(0, 51))
    (folder / "linked").symlink_to(tmp_path / "more")
    catalog = open_source(str(folder))
    assert set(catalog.names) == {"cats/000.png", "cats/001.png", "cats/in.png", "dogs/000.png", "dogs/001.png"}
    assert any("1 link leading out" in note for note in catalog.notes)
    assert any("2 links to nothing" in note for note in catalog.notes)
    assert any("2 links to folders: linked, loop" in note for note in catalog.notes)


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.99])
def test_a_zip_cut_short_is_refused(tmp_path: Path, make_folder, keep: float) -> None:
    path = zip_of(make_folder(tmp_path / "d", {"a": 3, "b": 3}), tmp_path / "z.zip")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(UserError, match="not a whole zip") as caught:
        open_source(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["../evil/x.png", "/etc/x.png", "a/../../x.png", "C:/x/y.png", "..\\evil\\x.png"])
def test_a_zip_with_a_path_outside_its_root_is_refused(tmp_path: Path, picture, name: str) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1.png", picture(0, 1))
        archive.writestr("b/1.png", picture(1, 1))
        archive.writestr(name, picture(1, 2))
    with pytest.raises(UserError, match="outside its root"):
        open_source(str(path))


def test_a_harmed_member_of_a_zip_is_an_unreadable_image(tmp_path: Path, make_folder, cache_home) -> None:
    path = zip_of(make_folder(tmp_path / "d", {"a": 3, "b": 3}), tmp_path / "z.zip")
    data = bytearray(path.read_bytes())
    data[60:90] = b"\0" * 30  # in the first member's bytes
    path.write_bytes(bytes(data))
    catalog = open_source(str(path))
    opened = open_cache(catalog, 12, "pad", progress=nothing)
    assert set(opened.unreadable) == {0}


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    catalog, known = open_source("digits"), load_digits()
    assert len(catalog) == 1797 and not catalog.flips and catalog.classes == tuple("0123456789")
    order = np.argsort([f"{label}/digit-{index:04d}" for index, label in enumerate(known.target)])
    assert catalog.labels.tolist() == known.target[order].tolist()
    for row in (0, 500, 1796):
        assert (decode(catalog.read(row), 8)[..., 0] == np.rint(known.images[order[row]] * 255 / 16)).all()


# ---------------------------------------------------------------- split


def catalog_with(counts: list[int], parts: list[str] | None = None, *, names=None):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    parts = parts or [""] * len(labels)
    names = names or [f"{label}/{place:05d}.png" for place, label in enumerate(labels)]
    items = [Item(name, str(label), part, "s") for name, label, part in zip(names, labels, parts, strict=True)]
    return catalog_of("test", items, lambda name: name.encode())


def cut_of(catalog, hashes, *, seed=0, usable=None, shares=(0.2, 0.1)):
    count = len(catalog)
    usable = np.ones(count, bool) if usable is None else usable
    return split(catalog, hashes, usable, shares=shares, seed=seed)


@given(st.lists(st.integers(3, 60), min_size=2, max_size=6), st.integers(0, 2**40))
@settings(max_examples=60)
def test_every_image_is_in_one_part_and_every_class_in_every_part(counts: list[int], seed: int) -> None:
    catalog = catalog_with(counts)
    hashes = [f"h{place}" for place in range(len(catalog))]
    made = cut_of(catalog, hashes, seed=seed)
    rows = np.concatenate(list(made.rows.values()))
    assert sorted(rows.tolist()) == list(range(len(catalog)))
    for name, share in (("train", 0.7), ("val", 0.2), ("test", 0.1)):
        held = np.bincount(catalog.labels[made.rows[name]], minlength=len(counts))
        for count, total in zip(held, counts, strict=True):
            assert count >= 1 and abs(count - share * total) <= 2, (name, held, counts)


def test_the_split_is_a_function_of_seed_and_content() -> None:
    catalog = catalog_with([40, 40])
    hashes = [f"h{place}" for place in range(80)]
    first, again, other = (cut_of(catalog, hashes, seed=seed) for seed in (3, 3, 4))
    assert all((first.rows[name] == again.rows[name]).all() for name in first.rows)
    assert (first.rows["val"] != other.rows["val"]).any()


def test_names_and_order_play_no_part() -> None:
    generator = np.random.default_rng(0)
    content = {name: f"content {name}" for name in (f"{place // 30}/{place:03d}.png" for place in range(90))}
    one = catalog_with([30, 30, 30], names=list(content))
    renamed = {
        f"{name[0]}/{word:08x}.png": text
        for (name, text), word in zip(content.items(), generator.permutation(90), strict=True)
    }
    other = catalog_with([30, 30, 30], names=list(renamed))
    assert [renamed[name] for name in other.names] != [content[name] for name in one.names]
    first = cut_of(one, [content[name] for name in one.names], seed=5)
    second = cut_of(other, [renamed[name] for name in other.names], seed=5)
    for part in ("train", "val", "test"):
        assert {first.hashes[row] for row in first.rows[part]} == {second.hashes[row] for row in second.rows[part]}


def test_an_added_image_moves_few_others() -> None:
    hashes = [f"h{place}" for place in range(200)]
    before = cut_of(catalog_with([100, 100]), hashes)
    after = cut_of(catalog_with([101, 100]), [*hashes[:100], "new", *hashes[100:]])
    val_before = {before.hashes[row] for row in before.rows["val"]}
    val_after = {after.hashes[row] for row in after.rows["val"]}
    assert len(val_before ^ val_after) <= 3


def test_given_parts_are_respected() -> None:
    parts = (["train"] * 6 + ["val"] * 3 + ["test"]) * 2
    catalog = catalog_with([10, 10], parts)
    made = cut_of(catalog, [f"h{place}" for place in range(20)])
    assert {name: [catalog.parts[row] for row in rows] for name, rows in made.rows.items()} == {
        "train": ["train"] * 12,
        "val": ["val"] * 6,
        "test": ["test"] * 2,
    }


def test_validation_is_cut_from_training_never_from_a_given_test_part() -> None:
    catalog = catalog_with([20, 20], (["train"] * 15 + ["test"] * 5) * 2)
    made = cut_of(catalog, [f"h{place}" for place in range(40)])
    assert {catalog.parts[row] for row in made.rows["val"]} == {"train"} and len(made.rows["val"]) == 6
    assert {catalog.parts[row] for row in made.rows["test"]} == {"test"} and len(made.rows["test"]) == 10


def test_unusable_images_are_in_no_part() -> None:
    usable = np.ones(40, bool)
    usable[[3, 25]] = False
    made = cut_of(catalog_with([20, 20]), [f"h{place}" for place in range(40)], usable=usable)
    assert {3, 25} & set(np.concatenate(list(made.rows.values())).tolist()) == set()


def test_a_class_without_readable_images_is_named() -> None:
    with pytest.raises(UserError, match="no readable training image in class '1'"):
        cut_of(catalog_with([20, 2]), [f"h{place}" for place in range(22)], usable=np.arange(22) < 20)


def test_too_few_to_hold_any_out_is_said() -> None:
    with pytest.raises(UserError, match="too few"):
        cut_of(catalog_with([1, 1]), ["a", "b"])


def test_the_table_names_every_image_with_its_part_and_hash() -> None:
    catalog = catalog_with(
        [10, 10], names=[f"0/a,{place}.png" for place in range(10)] + [f"1/{place}.png" for place in range(10)]
    )
    made = cut_of(catalog, [f"h{place}" for place in range(20)])
    lines = split_table(catalog, made).splitlines()
    assert lines[0] == "path,label,part,hash" and len(lines) == 21
    assert sum(line.split(",")[-2] == "val" for line in lines) == 4 and '"0/a,3.png"' in "".join(lines)


# ---------------------------------------------------------------- cache


def opened(folder: Path, size: int = 12, resize: str = "pad"):
    catalog = open_source(str(folder))
    seen: list[int] = []
    cache = open_cache(catalog, size, resize, progress=seen.append)
    assert sum(seen) == (len(catalog) if cache.built else 0)
    return catalog, cache


def test_the_cache_is_built_once_and_found_again(tmp_path: Path, make_folder, cache_home) -> None:
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 4})
    catalog, first = opened(folder)
    assert first.built and first.path.is_relative_to(cache_home) and first.size_bytes >= 7 * 12 * 12 * 3
    for row in range(7):
        assert (first.pixels[row] == decode(catalog.read(row), 12)).all()
    _, second = opened(folder)
    assert not second.built and second.path == first.path and second.hashes == first.hashes
    assert (np.asarray(second.pixels) == np.asarray(first.pixels)).all()


@pytest.mark.parametrize("change", ["content", "time only", "size", "resize", "new", "gone"])
def test_a_change_is_noticed(tmp_path: Path, make_folder, picture, change: str) -> None:
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 4})
    _, first = opened(folder)
    file = folder / "a" / "001.png"
    if change == "content":
        file.write_bytes(picture(0, 77))
    elif change == "time only":
        os.utime(file, ns=(1, 1))
    elif change == "new":
        (folder / "a" / "999.png").write_bytes(picture(0, 99))
    elif change == "gone":
        file.unlink()
    _, second = opened(folder, 8 if change == "size" else 12, "squash" if change == "resize" else "pad")
    assert second.built
    assert (second.path == first.path) == (change == "time only"), "the place is a function of the content"
    if change == "content":
        assert (second.pixels[1] == decode(picture(0, 77), 12)).all() and (second.pixels[0] == first.pixels[0]).all()


def test_a_copy_of_the_folder_shares_the_pixels(tmp_path: Path, make_folder) -> None:
    _, one = opened(make_folder(tmp_path / "d", {"a": 3, "b": 4}))
    _, other = opened(make_folder(tmp_path / "e", {"a": 3, "b": 4}))
    assert one.path == other.path


def test_an_interrupted_build_leaves_nothing(tmp_path: Path, make_folder, cache_home) -> None:
    catalog = open_source(str(make_folder(tmp_path / "d", {"a": 3, "b": 4})))

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_cache(catalog, 12, "pad", progress=interrupt)
    assert [path for path in cache_home.rglob("*") if path.is_file()] == []
    assert not list(cache_home.rglob("building-*"))
    _, cache = opened(tmp_path / "d")
    assert cache.built


@pytest.mark.parametrize("harm", ["short", "no meta", "no pixels", "bad stamp"])
def test_a_cache_that_is_not_whole_is_built_again(tmp_path: Path, make_folder, cache_home, harm: str) -> None:
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 4})
    _, first = opened(folder)
    before = np.array(first.pixels)
    if harm == "short":
        with (first.path / "pixels.u8").open("r+b") as stream:
            stream.truncate(100)
    elif harm == "no meta":
        (first.path / "meta.json").unlink()
    elif harm == "no pixels":
        (first.path / "pixels.u8").unlink()
    else:
        next((cache_home / "decoded" / "stamps").iterdir()).write_text("nonsense", encoding="utf-8")
    _, second = opened(folder)
    assert second.built and (np.asarray(second.pixels) == before).all()


def test_unreadable_files_are_rows_with_reasons(tmp_path: Path, make_folder) -> None:
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 4})
    (folder / "a" / "words.jpg").write_text("words", encoding="utf-8")
    catalog, first = opened(folder)
    row = catalog.names.index("a/words.jpg")
    assert set(first.unreadable) == {row} and "known format" in first.unreadable[row]
    _, again = opened(folder)
    assert again.unreadable == first.unreadable and not again.built


def test_the_pixels_cannot_be_written(tmp_path: Path, make_folder) -> None:
    _, first = opened(make_folder(tmp_path / "d", {"a": 3, "b": 4}))
    with pytest.raises(ValueError, match="read-only"):
        first.pixels[:] = 0


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, make_folder, monkeypatch) -> None:
    folder = make_folder(tmp_path / "d", {"a": 3, "b": 4})

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UserError, match="disk is full: the decoded cache"):
        opened(folder)


def test_the_cache_is_decoded_in_more_than_one_task(tmp_path: Path, monkeypatch, make_folder) -> None:
    monkeypatch.setattr(caching, "MOST_IN_TASK", 2)
    catalog, cache = opened(make_folder(tmp_path / "d", {"a": 5, "b": 4}))
    for row in range(9):
        assert (cache.pixels[row] == decode(catalog.read(row), 12)).all()


def test_bytes_of_zip_members_may_be_read_from_threads(tmp_path: Path, make_folder) -> None:
    from concurrent.futures import ThreadPoolExecutor

    folder = make_folder(tmp_path / "d", {"a": 40, "b": 40})
    catalog, plain = open_source(str(zip_of(folder, tmp_path / "z.zip"))), open_source(str(folder))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(catalog.read, range(80))) == [plain.read(row) for row in range(80)]


def test_the_content_hash_is_of_the_bytes() -> None:
    assert (
        caching.content_hash(b"a") != caching.content_hash(b"b")
        and len(caching.content_hash(io.BytesIO().getvalue())) == 32
    )
