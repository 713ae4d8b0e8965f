"""CIFAR, IDX and npz: the right pixels under the right names, and hostile files that cost nothing."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.sources import open_source
from babysit.data.sources.arrays import Block, catalog_of_blocks
from babysit.data.sources.cifar import unpack
from babysit.data.sources.packed import MOST_MEMBERS
from babysit.data.sources.pickled import HarmedPickleError, read_pickle
from babysit.errors import UserError

# ---------------------------------------------------------------- pickles

VALUES = {
    "data": np.arange(12, dtype=np.uint8).reshape(3, 4),
    b"labels": [np.int64(3), 1, -5, 70_000, 2**40],
    "array labels": np.array([1, 2, -3]),
    "across": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    "name": b'it\'s "so"\n\\x',
    "rest": (True, None, [], {}, ()),
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_and_arrays_come_back_from_every_protocol(protocol: int) -> None:
    found = read_pickle(pickle.dumps(VALUES, protocol))
    assert isinstance(found, dict) and list(found) == list(VALUES)
    for key, value in VALUES.items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(found[key], value) and found[key].dtype == value.dtype
        else:
            assert found[key] == value


class Runs:
    """Would make a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_would_run_something_is_refused_and_runs_nothing(protocol: int, tmp_path: Path) -> None:
    data = pickle.dumps({"data": Runs(tmp_path / "made")}, protocol)
    with pytest.raises(HarmedPickleError, match=r"posix\.mkdir"):
        read_pickle(data)
    assert not (tmp_path / "made").exists()


def text(words: str) -> bytes:
    return b"X" + struct.pack("<I", len(words)) + words.encode()


ENCODE = b"c_codecs\nencode\n"
HOSTILE = {
    "bytes that are not there": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "a frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 2**62),
    "a million dicts": b"\x80\x02(" + b"}" * 2_000_000 + b"l.",
    "key that hashes for ever": b"\x80\x02}N" + b"2\x86" * 60 + b"Ns.",
    "bytes over and over": b"\x80\x02("
    + text("a" * 50_000)
    + b"q\x000"
    + text("latin1")
    + b"q\x010"
    + ENCODE
    + b"q\x020"
    + b"h\x02h\x00h\x01\x86R" * 50_000
    + b"l.",
    "object array": pickle.dumps({"data": np.array([{}], object)}),
    "shape that does not fit": pickle.dumps(np.zeros(4, np.uint8), 2).replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85"),
    "negative shape": pickle.dumps(np.zeros(4, np.uint8), 2).replace(b"K\x04\x85", b"J\xff\xff\xff\xff\x85"),
    "build on a list": b"\x80\x02](Ntb.",
    "not a pickle": b"\x89PNG\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused(name: str) -> None:
    with pytest.raises(HarmedPickleError) as caught:
        read_pickle(HOSTILE[name])
    assert 10 < len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["bytes that are not there", "bytes over and over", "shape that does not fit"])
def test_a_pickle_makes_nothing_that_is_larger_than_itself(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(HarmedPickleError):
            read_pickle(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 2**20 + 5 * len(HOSTILE[name])
    finally:
        tracemalloc.stop()


def test_numbers_and_depth_cost_no_more_than_their_bytes() -> None:
    assert read_pickle(b"\x80\x02Nr\xff\xff\xff\x7f.") is None  # the stock reader makes room for two thousand million
    assert isinstance(read_pickle(b"\x80\x02" + b"N" + b"\x85" * 200_000 + b"."), tuple)


PICKLES = [pickle.dumps(VALUES, protocol) for protocol in range(6)]


@settings(max_examples=300)
@given(st.data())
def test_any_bytes_are_a_value_or_a_refusal(data) -> None:
    harmed = bytearray(data.draw(st.sampled_from(PICKLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(harmed)))
        harmed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    with suppress(HarmedPickleError):
        read_pickle(harmed)


# ---------------------------------------------------------------- CIFAR


def tar_of(folder: Path, path: Path, **settings) -> Path:
    with tarfile.open(path, "w:gz", **settings) as archive:
        archive.add(folder, folder.name)
    return path


def same(one, other) -> None:
    assert one.classes == other.classes and one.parts == other.parts and one.labels.tolist() == other.labels.tolist()
    assert all(np.array_equal(one.read(row), other.read(row)) for row in range(len(one)))


def test_cifar_has_its_colours_names_and_parts(tmp_path: Path, make_cifar) -> None:
    catalog = open_source(str(make_cifar(tmp_path / "any name", 6)))
    assert catalog.classes == ("airplane", "automobile", "bird") and catalog.flips
    assert catalog.parts == ("train",) * 12 + ("test",) * 6 and catalog.names[0] == "train/000000"
    for row in range(len(catalog)):
        picture = catalog.read(row)
        assert picture.shape == (32, 32, 3) and picture.dtype == np.uint8
        assert picture.mean((0, 1)).argmax() == catalog.labels[row], "each class has a colour of its own"
    raw = pickle.loads((tmp_path / "any name" / "data_batch_1").read_bytes(), encoding="bytes")[b"data"]
    assert catalog.read(1)[2, 5].tolist() == [raw[1][plane * 1024 + 2 * 32 + 5] for plane in range(3)]
    assert any("data_batch_3, data_batch_4, data_batch_5" in note for note in catalog.notes)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_cifar_packed_unpacked_and_inside_a_folder_are_the_same(tmp_path: Path, make_cifar, form: int) -> None:
    folder = make_cifar(tmp_path / "unpacked" / "cifar-10-batches-py", 3)
    (tmp_path / "packed").mkdir()
    packed = tar_of(folder, tmp_path / "packed" / "cifar-10-python.tar.gz", format=form)
    renamed = tar_of(folder, tmp_path / "mine.tgz", format=form)
    for path in (folder.parent, packed, packed.parent, renamed):
        same(open_source(str(path)), open_source(str(folder)))


def test_a_packed_cifar_is_unpacked_once_and_again_when_it_is_harmed(tmp_path: Path, make_cifar) -> None:
    folder = tmp_path / "cifar10"
    folder.mkdir()
    packed = folder / "cifar-10-python.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(make_cifar(tmp_path / "cifar-10-batches-py", 10), "cifar-10-batches-py")
    before = open_source(str(folder))
    unpack(folder)
    place = folder / "cifar-10-batches-py"
    after = open_source(str(folder))
    assert after.stamps == before.stamps and after.names == before.names and after.classes == before.classes
    assert all(np.array_equal(after.read(row), before.read(row)) for row in range(len(before)))
    made = place.stat().st_mtime_ns
    unpack(folder)
    assert place.stat().st_mtime_ns == made, "what is whole stays"
    for harm in (
        lambda: _flip(place / "data_batch_1"),
        (place / "test_batch").unlink,
        (place / "unpacked.json").unlink,
    ):
        harm()
        unpack(folder)
        assert open_source(str(folder)).stamps == before.stamps
        assert {path.name for path in folder.iterdir()} == {packed.name, place.name}
    packed.write_bytes(packed.read_bytes()[:-40])
    shutil.rmtree(place)
    unpack(folder)
    assert not place.exists(), "a harmed archive is left to its reader"
    with pytest.raises(UserError, match="this file is harmed"):
        open_source(str(folder))


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_cifar_binary_has_the_pixels_of_the_python_form(tmp_path: Path, make_cifar) -> None:
    python = make_cifar(tmp_path / "py", 4)
    binary = tmp_path / "cifar-10-batches-bin"
    binary.mkdir()
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        batch = pickle.loads((python / name).read_bytes(), encoding="bytes")
        rows = zip(batch[b"labels"], batch[b"data"], strict=True)
        (binary / f"{name}.bin").write_bytes(b"".join(bytes([label]) + row.tobytes() for label, row in rows))
    (binary / "batches.meta.txt").write_text("airplane\nautomobile\nbird\n\n", encoding="ascii")
    for path in (binary, tmp_path / "packed.tar.gz"):
        if not path.exists():
            tar_of(binary, path)
        same(open_source(str(path)), open_source(str(python)))


def cifar100(folder: Path, labels: list[int], **more) -> Path:
    folder.mkdir(parents=True)
    data = np.arange(len(labels) * 3072, dtype=np.uint32).astype(np.uint8).reshape(-1, 3072)
    coarse = [0] * len(labels)
    values = {"data": data, "fine_labels": labels, "coarse_labels": coarse, **more}
    for name in ("train", "test"):
        (folder / name).write_bytes(pickle.dumps(values))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": ["b", "c", "a"], "coarse_label_names": ["z"]}))
    return folder


def test_cifar100_has_its_fine_labels(tmp_path: Path) -> None:
    catalog = open_source(str(cifar100(tmp_path / "x", [0, 1, 2, 0])))
    assert catalog.classes == ("a", "b", "c") and catalog.labels.tolist() == [1, 2, 0, 1] * 2


def test_cifar_without_a_test_file_or_names(tmp_path: Path, make_cifar) -> None:
    folder = make_cifar(tmp_path / "cifar-10-batches-py", 6, ["data_batch_1"])
    (folder / "batches.meta").unlink()
    catalog = open_source(str(folder))
    assert set(catalog.parts) == {""} and catalog.classes == ("0", "1", "2")
    assert any("batches.meta" in note for note in catalog.notes)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ({"fine_labels": [0, 1, 3, 0]}, "the label of image 2 is 3, but there are 3 classes. Legal: 0 to 2"),
        ({"fine_labels": [0, 1, -1, 0]}, "the label of image 2 is -1"),
        ({"fine_labels": [0, 1, 2]}, "4 images but 3 labels"),
        ({"fine_labels": [0, 1, "2", 0]}, "no list of whole numbers"),
        ({"fine_labels": [0, 1, 2**70, 0]}, "no list of whole numbers"),
        ({"data": np.zeros((4, 3071), np.uint8)}, "no array of 3,072 bytes an image"),
        ({"data": np.zeros((4, 3072))}, "something other than whole numbers"),
        ({"data": [1, 2, 3, 4]}, "no array of 3,072 bytes an image"),
    ],
)
def test_cifar_that_does_not_fit_together_is_told(tmp_path: Path, harm, said: str) -> None:
    with pytest.raises(UserError, match=said.replace(".", r"\.")):
        open_source(str(cifar100(tmp_path / "x", **{"labels": [0, 1, 2, 0], **harm})))


def test_labels_without_names_are_bounded(tmp_path: Path) -> None:
    folder = cifar100(tmp_path / "cifar-100-python", [0, 1, 2**31 - 1])
    (folder / "meta").unlink()
    with pytest.raises(UserError, match="one of its labels is 2147483647"):
        open_source(str(folder))


def test_two_cifars_in_one_folder_are_told(tmp_path: Path, make_cifar) -> None:
    make_cifar(tmp_path / "cifar-10-batches-py", 3)
    cifar100(tmp_path / "cifar-100-python", [0, 1, 2])
    with pytest.raises(UserError, match="more than one data set here"):
        open_source(str(tmp_path))


def test_a_packed_cifar_cannot_be_a_bomb(tmp_path: Path) -> None:
    def header(name: bytes, size: int) -> bytes:
        block = name.ljust(100, b"\0") + b"0000644\0" * 3 + b"%011o\0" % size + b"0" * 11 + b"\0" + b" " * 8 + b"0"
        block = block.ljust(512, b"\0")
        return block[:148] + b"%06o\0 " % sum(block) + block[156:]

    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(header(b"data_batch_1", 300 * 2**20)))
    with pytest.raises(UserError, match="at most 256 MB are read"):
        open_source(str(path))
    path.write_bytes(gzip.compress(header(b"data_batch_1", 200 * 2**20)))
    with pytest.raises(UserError, match="which no real images do"):
        open_source(str(path))
    path.write_bytes(gzip.compress(header(b"other", 8**11 - 1)))
    with pytest.raises(UserError, match="unpacks to more than 512 MB"):
        open_source(str(path))
    path.write_bytes(gzip.compress(header(b"empty", 0) * (MOST_MEMBERS + 1)))
    with pytest.raises(UserError, match="more than 10,000 members"):
        open_source(str(path))


def test_links_in_a_packed_cifar_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(pickle.dumps({"data": 1}))
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(link)
    with pytest.raises(UserError, match="no training images"):
        open_source(str(path))


# ---------------------------------------------------------------- IDX


def idx_bytes(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + b"".join(side.to_bytes(4, "big") for side in values.shape) + values.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 3), np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 10


@pytest.mark.parametrize("form", ["train-images-idx3-ubyte", "train-images.idx3-ubyte", "TRAIN-images-idx3-ubyte.gz"])
def test_mnist_under_its_usual_names(tmp_path: Path, form: str) -> None:
    for stem, values in (("images", IMAGES), ("labels", LABELS)):
        for part in ("train", "t10k"):
            name = form.replace("images", stem).replace("idx3", f"idx{values.ndim}")
            name = name.replace("train", part).replace("TRAIN", part.upper())
            data = idx_bytes(values)
            (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    catalog = open_source(str(tmp_path))
    assert catalog.classes == tuple("0123456789") and not catalog.flips
    assert catalog.parts == ("train",) * 20 + ("test",) * 20 and catalog.labels.tolist() == LABELS.tolist() * 2
    assert np.array_equal(catalog.read(7), IMAGES[7])


def write_idx(folder: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train-images-idx3-ubyte").write_bytes(idx_bytes(images))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return folder


def test_clothes_have_names_and_mirror_images(tmp_path: Path) -> None:
    write_idx(tmp_path / "FashionMNIST" / "raw")
    catalog = open_source(str(tmp_path / "FashionMNIST"))
    assert catalog.flips and "T-shirt/top" in catalog.classes and catalog.classes[catalog.labels[0]] == "T-shirt/top"
    assert catalog.notes == ("taken for Fashion-MNIST, by the folder's name",)


def test_more_than_ten_numbers_sort_as_numbers(tmp_path: Path) -> None:
    catalog = open_source(str(write_idx(tmp_path, labels=np.arange(20, dtype=np.uint8))))
    assert catalog.classes[2] == "02" and catalog.labels.tolist() == list(range(20))


def test_idx_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    folder = write_idx(tmp_path)
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(UserError, match="the labels of the train part are missing"):
        open_source(str(folder))
    with pytest.raises(UserError, match="20 images but 19 labels"):
        open_source(str(write_idx(tmp_path, labels=LABELS[:19])))
    write_idx(tmp_path, images=LABELS)
    with pytest.raises(UserError, match="does not begin like an IDX file of 3 axes"):
        open_source(str(folder))
    write_idx(tmp_path)
    head = bytes([0, 0, 8, 3]) + b"\xff\xff\xff\xff" * 3
    for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
        (folder / "train-images-idx3-ubyte").unlink(missing_ok=True)
        (folder / name).write_bytes(gzip.compress(head) if name.endswith("gz") else head)
        with pytest.raises(UserError, match="at most 2 GB are read"):
            open_source(str(folder))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head[:4] + b"\0\0\x40\0\0\0\1\0\0\0\1\0"))
    with pytest.raises(UserError, match="no real images do"):
        open_source(str(folder))


# ---------------------------------------------------------------- npz


def npz_of(path: Path, **arrays) -> str:
    np.savez_compressed(path / "data.npz", **arrays)
    return str(path / "data.npz")


PIXELS = np.random.default_rng(1).integers(0, 256, (6, 5, 4, 3), np.uint8)


def test_npz_with_three_parts_and_a_channel(tmp_path: Path) -> None:
    grey, labels = PIXELS[..., :1], np.array([[0], [1], [10]] * 2)
    names = {
        f"{part}_{kind}": values
        for part in ("train", "val", "test")
        for kind, values in (("images", grey), ("labels", labels))
    }
    catalog = open_source(npz_of(tmp_path, **names))
    assert catalog.parts == ("train",) * 6 + ("val",) * 6 + ("test",) * 6 and catalog.classes == ("00", "01", "10")
    assert np.array_equal(catalog.read(2), grey[2, ..., 0]) and catalog.flips


def test_npz_with_strings_and_images_alone(tmp_path: Path) -> None:
    labels = np.array(["dog", "cat", "dog", "cät", "cat", "dog"])
    catalog = open_source(npz_of(tmp_path, X=np.asfortranarray(PIXELS), Y=labels))
    assert [catalog.classes[label] for label in catalog.labels] == labels.tolist() and set(catalog.parts) == {""}
    assert all(np.array_equal(catalog.read(row), PIXELS[row]) for row in range(6))


def test_a_file_called_mnist_has_signs(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", x_train=PIXELS[..., 0], y_train=np.arange(6))
    assert not open_source(str(tmp_path / "mnist.npz")).flips


NUMBERS = np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": PIXELS}, "there is 'x.npy' but no labels to it"),
        ({"a": PIXELS, "b": NUMBERS}, "no training images under a known name"),
        ({"x_test": PIXELS, "y_test": NUMBERS}, "no training images under a known name"),
        ({"x": PIXELS / 255, "y": NUMBERS}, "the images are float64"),
        ({"x": PIXELS.reshape(6, -1), "y": NUMBERS}, "reshape|Reshape"),
        ({"x": PIXELS.transpose(0, 3, 1, 2), "y": NUMBERS}, "moveaxis"),
        ({"x": PIXELS, "y": NUMBERS[:5]}, "6 images but 5 labels"),
        ({"x": PIXELS, "y": np.eye(6)}, "the labels are float64"),
        ({"x": PIXELS, "y": np.eye(6, dtype=int)}, "several labels for an image are not read"),
        ({"x": PIXELS, "y": NUMBERS, "classes": np.array(["a", "b"])}, "but there are 2 classes"),
        ({"x": PIXELS, "y": NUMBERS, "classes": np.array(["a", "b", "b"])}, "two classes are called 'b'"),
        ({"x": PIXELS, "y": NUMBERS, "classes": np.array(["a", "b", " "])}, "empty name"),
        ({"x": PIXELS, "y": NUMBERS, "classes": np.array([1, 2, 3])}, "no list of strings"),
        ({"x": PIXELS, "y": NUMBERS, "classes": np.array(["a", "b", "\udcff"])}, "is not text"),
        ({"x": PIXELS, "y": np.array(["a"] * 6), "x_test": PIXELS, "y_test": NUMBERS}, "others numbers"),
        ({"x": PIXELS, "y": np.zeros(6, int)}, "only one class"),
        ({"x": PIXELS[:0], "y": NUMBERS[:0]}, "no training images"),
        ({"x": PIXELS, "y": np.array([{}] * 6, object)}, "Object arrays|object"),
    ],
)
def test_npz_in_a_form_that_is_not_read_is_told(tmp_path: Path, arrays, said: str) -> None:
    with pytest.raises(UserError, match=said):
        open_source(npz_of(tmp_path, **arrays))


def test_an_npz_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    def member(shape: tuple[int, ...]) -> bytes:
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return stream.getvalue()

    for shape in ((10**6, 10**6, 3), (-1, 5, 5), (6, 5, 4, 3)):
        with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
            archive.writestr("x.npy", member(shape) + b"\0" * 10)
            archive.writestr("y.npy", member((6,)) + bytes(6))
        with pytest.raises(UserError, match="does not fit its"):
            open_source(str(tmp_path / "x.npz"))


@settings(max_examples=150)
@given(st.data())
def test_any_npz_header_is_read_or_told(tmp_path: Path, data) -> None:
    """Stored with a checksum that fits, so that what is wrong comes as far as the header's reader."""
    members = {}
    for name, values in (("x", PIXELS), ("y", NUMBERS), ("classes", np.array(["a", "b", "c"]))):
        stream = io.BytesIO()
        np.save(stream, values)
        members[name] = bytearray(stream.getvalue())
    harmed = members[data.draw(st.sampled_from(sorted(members)))]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 120))
        harmed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4) | st.just(b"(" * 50))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", bytes(content))
    with suppress(UserError):
        open_source(str(tmp_path / "x.npz"))


@settings(max_examples=150)
@given(st.data())
def test_any_unpacked_cifar_is_read_or_told(tmp_path: Path, data) -> None:
    folder = tmp_path / "x"
    if not folder.exists():
        cifar100(folder, [0, 1, 2])
    file = folder / data.draw(st.sampled_from(["train", "meta"]))
    whole = file.read_bytes()
    harmed = bytearray(whole)
    head = len(whole) - 9300 if len(whole) > 9300 else len(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, head))
        place = place if data.draw(st.booleans()) else max(0, len(whole) - place)
        harmed[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        file.write_bytes(harmed)
        with suppress(UserError):
            open_source(str(folder))
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("order", "<>")
def test_letters_that_no_text_has_are_told(tmp_path: Path, order: str) -> None:
    names = np.array(["a", "b", "c"], f"{order}U1")
    assert len(open_source(npz_of(tmp_path, x=PIXELS, y=NUMBERS, classes=names))) == 6
    names.view(f"{order}u4")[1] = 0x110000
    with pytest.raises(UserError, match="letters that no text has"):
        open_source(npz_of(tmp_path, x=PIXELS, y=NUMBERS, classes=names))


def test_an_npz_packed_in_another_way_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", b"x" * 100)
        archive.writestr("y.npy", b"y" * 100)
    with pytest.raises(UserError, match="in a way that NumPy does not use"):
        open_source(str(tmp_path / "x.npz"))


def test_an_npz_that_unpacks_beyond_reason_is_refused_unread(tmp_path: Path) -> None:
    path = npz_of(tmp_path, x=np.zeros((70, 1000, 1000), np.uint8), y=np.arange(70))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="which no real images do"):
            open_source(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * 2**20
    finally:
        tracemalloc.stop()


# ---------------------------------------------------------------- what they share


def test_listing_keeps_the_pixels_once(tmp_path: Path) -> None:
    """At 6,000 images, a tenth of CIFAR: the pixels, plus what names and labels take, and no copy."""
    labels = [row % 3 for row in range(3000)]
    cifar100(tmp_path / "x", labels)
    tracemalloc.start()
    try:
        catalog = open_source(str(tmp_path / "x"))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(catalog) == 6000
    assert peak < 1.25 * 6000 * 3072 and held < 1.2 * 6000 * 3072


def test_the_stamp_follows_pixels_and_labels() -> None:
    images, labels = np.zeros((4, 3, 3), np.uint8), np.array([0, 1, 0, 1])

    def stamps(images, labels) -> tuple[str, ...]:
        return catalog_of_blocks("x", [Block("train", images, labels, "x")], ["a", "b"]).stamps

    other = images.copy()
    other[3, 2, 2] = 1
    assert stamps(images, labels) == stamps(images.copy(), labels.astype(np.uint8))
    assert len({stamps(images, labels), stamps(other, labels), stamps(images, labels[::-1])}) == 3
