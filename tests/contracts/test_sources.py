"""One suite over every data source: stable, readable from threads, and never surprised by what is harmed."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.cache import content_hash
from babysit.data.catalog import Catalog
from babysit.data.decode import UnreadableImage, decode, quiet_decoding
from babysit.data.sources import BUILT_IN, SOURCES, open_source
from babysit.errors import UserError


def images(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)


def in_turn(names: list[str], backwards: bool) -> list[str]:
    """The order in which a sample's files are made; no catalog may depend on it."""
    return sorted(names, reverse=backwards)


def class_folders(root: Path, backwards: bool, tools) -> Path:
    for name in in_turn([f"{label}/{number}.png" for label in "ab" for number in range(3)], backwards):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(tools.picture(ord(name[0]), int(name[2])))
    return root


def zip_of_folders(root: Path, backwards: bool, tools) -> Path:
    folder = class_folders(root / "folder", backwards, tools)
    with zipfile.ZipFile(root / "data.zip", "w") as archive:
        for name in in_turn([str(path.relative_to(folder)) for path in folder.rglob("*.png")], backwards):
            archive.write(folder / name, name)
    shutil.rmtree(folder)
    return root / "data.zip"


def tar_of_folders(root: Path, backwards: bool, tools) -> Path:
    folder = class_folders(root / "folder", backwards, tools)
    with tarfile.open(root / "data.tgz", "w:gz") as archive:
        for name in in_turn([str(path.relative_to(folder)) for path in folder.rglob("*.png")], backwards):
            archive.add(folder / name, name)
    shutil.rmtree(folder)
    return root / "data.tgz"


def csv_of_paths(root: Path, backwards: bool, tools) -> Path:
    zip_of_folders(root, backwards, tools)
    class_folders(root, backwards, tools)
    rows = [
        f"{place}{label}/{number}.png,{label}" for label in "ab" for number in range(3) for place in ("", "data.zip/")
    ]
    (root / "list.csv").write_text("\n".join(["path,label", *in_turn(rows, backwards)]), encoding="utf-8")
    return root / "list.csv"


def cifar_python(root: Path, backwards: bool, tools) -> Path:
    folder = tools.make_cifar(root / "unpacked", 4)
    with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name in in_turn([path.name for path in folder.iterdir()], backwards):
            archive.add(folder / name, f"cifar-10-batches-py/{name}")
    shutil.rmtree(folder)
    return root / "cifar-10-python.tar.gz"


def cifar_binary(root: Path, backwards: bool, tools) -> Path:
    folder = root / "cifar-100-binary"
    folder.mkdir(parents=True)
    records = images(6, 3074)
    records[:, 1] = [0, 1, 2, 0, 1, 2]
    contents = {"train.bin": records.tobytes(), "test.bin": records[:3].tobytes(), "fine_label_names.txt": b"a\nb\nc\n"}
    for name in in_turn(list(contents), backwards):
        (folder / name).write_bytes(contents[name])
    return folder


def idx(root: Path, backwards: bool, tools) -> Path:
    root.mkdir(parents=True)
    pixels = images(6, 5, 4)
    head = b"\0\0\x08\x03" + b"".join(side.to_bytes(4, "big") for side in pixels.shape)
    labels = b"\0\0\x08\x01\0\0\0\x06" + bytes([0, 1, 2, 0, 1, 2])
    contents = {
        "train-images-idx3-ubyte.gz": gzip.compress(head + pixels.tobytes(), mtime=0),
        "train-labels-idx1-ubyte.gz": gzip.compress(labels, mtime=0),
        "t10k-images-idx3-ubyte": head + pixels.tobytes(),
        "t10k-labels-idx1-ubyte": labels,
    }
    for name in in_turn(list(contents), backwards):
        (root / name).write_bytes(contents[name])
    return root


def npz(root: Path, backwards: bool, tools) -> Path:
    root.mkdir(parents=True)
    arrays = {
        "x_train": images(6, 5, 4, 3),
        "y_train": np.array([[0], [1], [2], [0], [1], [2]]),
        "x_test": images(3, 5, 4, 3),
        "y_test": np.array([2, 1, 0]),
        "classes": np.array(["a", "b", "c"]),
    }
    np.savez_compressed(root / "data.npz", **{name: arrays[name] for name in in_turn(list(arrays), backwards)})
    return root / "data.npz"


SAMPLES = {
    "digits": lambda root, backwards, tools: Path("digits"),
    "folders": class_folders,
    "zip": zip_of_folders,
    "tar": tar_of_folders,
    "csv": csv_of_paths,
    "cifar-python": cifar_python,
    "cifar-binary": cifar_binary,
    "idx": idx,
    "npz": npz,
}
"""A small sample of each source: (folder to make it in, in which order to make its files, tools) -> what a user gives."""


class Tools:
    """What the samples need of the fixtures."""

    def __init__(self, picture, make_cifar) -> None:
        self.picture, self.make_cifar = picture, make_cifar


@pytest.fixture
def sample(tmp_path: Path, picture, make_cifar):
    """Makes the sample of a source and returns what a user would give."""

    def make(name: str, place: str = "one", *, backwards: bool = False) -> str:
        assert name in SAMPLES, f"the source '{name}' has no sample here"
        return str(SAMPLES[name](tmp_path / place, backwards, Tools(picture, make_cifar)))

    return make


@pytest.fixture
def path(request, sample) -> str:
    """The sample of the test's source, made once for all examples."""
    return sample(request.node.callspec.params["name"])


def described(catalog: Catalog) -> tuple:
    """All that a run depends on."""
    contents = [content_hash(catalog.read(index)) for index in range(len(catalog))]
    return catalog.classes, catalog.names, catalog.labels.tolist(), catalog.parts, catalog.groups, contents


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_is_the_same_in_whatever_order_and_at_whatever_time_its_files_were_made(name: str, sample) -> None:
    one, other = sample(name), sample(name, "other", backwards=True)
    for path in Path(other).parent.rglob("*") if name not in BUILT_IN else ():
        os.utime(path, (1e9, 1e9))
    catalog = open_source(one)
    assert described(open_source(other)) == described(SOURCES[name](one)) == described(catalog)
    assert open_source(one).stamps == catalog.stamps and len(set(catalog.names)) == len(catalog)
    assert len(catalog.classes) >= 2 and list(catalog.classes) == sorted(catalog.classes)
    assert set(catalog.parts) <= {"", "train", "val", "test"}


@pytest.mark.parametrize("name", SOURCES)
def test_every_image_of_a_source_decodes_from_several_threads_alike(name: str, sample) -> None:
    catalog = open_source(sample(name))
    rows = list(range(len(catalog)))[:60]
    alone = [decode(catalog.read(row), 8) for row in rows]
    assert all(pixels.shape == (8, 8, 3) for pixels in alone)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda row: decode(catalog.read(row), 8), rows * 4))
    assert all((pixels == alone[place % len(rows)]).all() for place, pixels in enumerate(together))


def exhaust(name: str, path: str) -> None:
    """Reads all that a source gives, through its own entry and through the dispatch; what it may raise is let pass."""
    for opened in (SOURCES[name], open_source):
        with suppress(UserError), quiet_decoding():
            catalog = opened(path)
            for row in range(len(catalog)):
                with suppress(OSError, UnreadableImage):
                    decode(catalog.read(row), 8)


def files_of(path: str) -> list[Path]:
    return sorted(file for file in ([Path(path)] if Path(path).is_file() else Path(path).rglob("*")) if file.is_file())


DAMAGED = sorted(set(SOURCES) - set(BUILT_IN))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_source_cut_short_anywhere_is_told_or_gives_unreadable_images(name: str, sample) -> None:
    path = sample(name)
    for file in files_of(path):
        whole = file.read_bytes()
        places = {*range(0, min(len(whole), 40)), *np.linspace(0, len(whole) - 1, 25).astype(int).tolist()}
        for place in places:
            file.write_bytes(whole[:place])
            exhaust(name, path)
        file.unlink()
        exhaust(name, path)
        file.write_bytes(whole)
    assert len(SOURCES[name](path)) > 0, "the sample is whole again"


@pytest.mark.parametrize("name", DAMAGED)
def test_an_empty_source_and_wrong_magic_are_told(name: str, sample) -> None:
    path = sample(name)
    for file in files_of(path):
        file.write_bytes(b"no magic" + file.read_bytes()[8:])
    exhaust(name, path)
    for file in files_of(path):
        file.write_bytes(b"")
    if name == "folders":
        assert all(SOURCES[name](path).read(row) == b"" for row in range(6))
        return
    with pytest.raises(UserError) as caught:
        SOURCES[name](path)
    assert len(str(caught.value)) > 30 and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", DAMAGED)
@settings(max_examples=60)
@given(data=st.data())
def test_flipped_bits_and_strange_bytes_are_told_or_harmless(name: str, data, path: str) -> None:
    file = data.draw(st.sampled_from(files_of(path)), label="file")
    whole = file.read_bytes()
    harmed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4), label="places")):
        place = data.draw(st.integers(0, len(harmed) - 1) | st.integers(0, min(200, len(harmed) - 1)), label="place")
        harmed[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=8), label="bytes")
    try:
        file.write_bytes(harmed)
        exhaust(name, path)
    finally:
        file.write_bytes(whole)
