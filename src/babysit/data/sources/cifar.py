"""CIFAR-10 and CIFAR-100 as published, in python and in binary form: a folder, its .tar.gz, or a folder holding it.

Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009; the page of the data,
https://www.cs.toronto.edu/~kriz/cifar.html, describes both forms.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import Catalog
from babysit.data.sources.arrays import Block, catalog_of_blocks, harmed, numbered
from babysit.data.sources.packed import first_names, is_gzip, read_folder, read_tar
from babysit.data.sources.pickled import HarmedPickleError, read_pickle
from babysit.errors import UserError

SIDE = 32
PIXELS = 3 * SIDE * SIDE
MOST_LABEL = 999  # where no names bound it
CHECKSUMS = "unpacked.json"


@dataclass(frozen=True)
class Layout:
    """One published form: its folder, its files, and where labels and names are in them.

    `labels` the key of a batch's labels, `names` the key of the class names; in the binary form, where there are
    no keys, `skipped` the bytes before an image's label.
    """

    folder: str
    archive: str
    train: tuple[str, ...]
    test: str
    meta: str
    labels: str = ""
    names: str = ""
    skipped: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """All its files."""
        return (*self.train, self.test, self.meta)


_FIVE = tuple(f"data_batch_{number}" for number in range(1, 6))

PYTHON = (
    Layout(
        "cifar-10-batches-py", "cifar-10-python.tar.gz", _FIVE, "test_batch", "batches.meta", "labels", "label_names"
    ),
    Layout(
        "cifar-100-python", "cifar-100-python.tar.gz", ("train",), "test", "meta", "fine_labels", "fine_label_names"
    ),
)
BINARY = (
    Layout(
        "cifar-10-batches-bin",
        "cifar-10-binary.tar.gz",
        tuple(f"{name}.bin" for name in _FIVE),
        "test_batch.bin",
        "batches.meta.txt",
    ),
    Layout(
        "cifar-100-binary", "cifar-100-binary.tar.gz", ("train.bin",), "test.bin", "fine_label_names.txt", skipped=1
    ),
)


def cifar_python(source: str) -> Catalog:
    """CIFAR's pickled batches, through a reader that knows plain values and arrays only. 100 classes: the fine ones.

    Raises:
        UserError: when a file is missing, cut short, harmed, or holds anything but plain values and arrays.
    """
    layout, where, files = _opened(source, PYTHON)
    blocks = _blocks(layout, where, files, lambda data, place: _pickled_batch(data, place, layout))
    names: list[str] = []
    if layout.meta in files:
        place = f"{where}/{layout.meta}"
        listed = _pickled_dict(files[layout.meta], place).get(layout.names)
        if not isinstance(listed, list) or not all(isinstance(name, str | bytes) for name in listed):
            raise harmed(place, f"it has no list '{layout.names}'")
        names = [_text(name) for name in listed]
    return _catalog(source, layout, blocks, names)


def cifar_binary(source: str) -> Catalog:
    """CIFAR's binary batches: bytes of labels, then 3,072 of pixels, image after image. 100 classes: the fine ones.

    Raises:
        UserError: when a file is missing or cut short.
    """
    layout, where, files = _opened(source, BINARY)
    blocks = _blocks(layout, where, files, lambda data, place: _binary_batch(data, place, layout))
    names = [line.strip() for line in _text(bytes(files.get(layout.meta, b""))).splitlines() if line.strip()]
    return _catalog(source, layout, blocks, names)


def unpack(folder: Path) -> None:
    """Unpacks the archives of a folder beside themselves: unpacking 170 MB takes a second at every start.

    Beside the files lies a list of their checksums; where it does not hold, they are unpacked again. Where nothing
    can be written, or the archive is harmed, it is left as it is, and whoever reads it says so.
    """
    for layout in (*PYTHON, *BINARY):
        archive, place = folder / layout.archive, folder / layout.folder
        if not archive.is_file() or _is_unpacked(place):
            continue
        with suppress(OSError, UserError):
            files = read_tar(archive, layout.files)
            with TemporaryDirectory(prefix="unpacking-", dir=folder) as begun:
                made = Path(begun) / layout.folder
                made.mkdir()
                for name, data in files.items():
                    (made / name).write_bytes(data)
                sums = {name: zlib.crc32(data) for name, data in files.items()}
                (made / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")
                if place.exists():
                    place.rename(Path(begun) / "before")
                made.rename(place)


def _is_unpacked(place: Path) -> bool:
    try:
        sums = json.loads((place / CHECKSUMS).read_text(encoding="utf-8"))
        return bool(sums) and all(zlib.crc32((place / name).read_bytes()) == sum_ for name, sum_ in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def is_cifar(source: str, layouts: Sequence[Layout]) -> bool:
    """Whether a path is one of the forms, told by names alone: of the folder's files, or at an archive's beginning."""
    path = Path(source).expanduser()
    if path.is_dir():
        return bool(_places(path, layouts))
    return path.is_file() and is_gzip(path) and _archived(path, layouts) is not None


def _opened(source: str, layouts: Sequence[Layout]) -> tuple[Layout, str, dict[str, bytearray]]:
    """The form that a path holds, the place of its files for messages, and the files."""
    path = Path(source).expanduser()
    if path.is_dir():
        places = _places(path, layouts)
        if len(places) > 1:
            raise UserError(
                "there is more than one data set here",
                where=source,
                legal=", ".join(str(place) for _, place in places),
                hint="Name the one you mean",
            )
        for layout, place in places:
            files = read_folder(place, layout.files) if place.is_dir() else read_tar(place, layout.files)
            return layout, str(place), files
    elif path.is_file():
        layout = _archived(path, layouts)
        if layout is not None:
            return layout, source, read_tar(path, layout.files)
    wanted = " or ".join(layout.folder for layout in layouts)
    raise UserError("there are no CIFAR files here", where=source, legal=f"the folder {wanted}, or its .tar.gz")


def _places(folder: Path, layouts: Sequence[Layout]) -> list[tuple[Layout, Path]]:
    """The forms that a folder is or holds; unpacked is taken before packed."""
    for layout in layouts:
        if all((folder / name).is_file() for name in (layout.train[0], layout.meta)) or (
            folder.resolve().name == layout.folder and any((folder / name).is_file() for name in layout.files)
        ):
            return [(layout, folder)]
    unpacked = [(layout, folder / layout.folder) for layout in layouts if (folder / layout.folder).is_dir()]
    packed = [(layout, folder / layout.archive) for layout in layouts if (folder / layout.archive).is_file()]
    return unpacked + [(layout, place) for layout, place in packed if all(layout != other for other, _ in unpacked)]


def _archived(path: Path, layouts: Sequence[Layout]) -> Layout | None:
    names = [name.split("/") for name in first_names(path)]
    files = {name[-1] for name in names}
    for layout in layouts:
        if any(layout.folder in name[:-1] for name in names) or files & set(layout.files):
            return layout
    return next((layout for layout in layouts if path.name == layout.archive), None)


def _blocks(
    layout: Layout,
    where: str,
    files: Mapping[str, bytearray],
    batch: Callable[[bytearray, str], tuple[NDArray[np.uint8], NDArray[np.integer]]],
) -> list[Block]:
    blocks = []
    for name in (*layout.train, layout.test):
        if name in files:
            place = f"{where}/{name}"
            images, labels = batch(files[name], place)
            blocks.append(Block("test" if name == layout.test else "train", images, labels, place))
    return blocks


def _pickled_dict(data: bytearray, where: str) -> dict[str, object]:
    try:
        value = read_pickle(data)
    except HarmedPickleError as error:
        raise harmed(where, str(error)) from error
    if not isinstance(value, dict):
        raise harmed(where, "it holds no dict")
    return {_text(key): one for key, one in value.items() if isinstance(key, str | bytes)}


def _pickled_batch(data: bytearray, where: str, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    batch = _pickled_dict(data, where)
    images, labels = batch.get("data"), batch.get(layout.labels)
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (PIXELS,):
        raise harmed(where, f"its 'data' is no array of {PIXELS:,} bytes an image")
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        return images, labels
    if not isinstance(labels, list) or not all(isinstance(label, int) and abs(label) < 2**31 for label in labels):
        raise harmed(where, f"its '{layout.labels}' are no list of whole numbers")
    return images, np.array(labels, np.int64)


def _binary_batch(data: bytearray, where: str, layout: Layout) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    length = layout.skipped + 1 + PIXELS
    if len(data) % length:
        raise harmed(where, f"{len(data):,} bytes are no multiple of {length:,}, the length of an image")
    records = np.frombuffer(data, np.uint8).reshape(-1, length)
    return records[:, layout.skipped + 1 :], records[:, layout.skipped].astype(np.int64)


def _catalog(source: str, layout: Layout, blocks: Sequence[Block], names: list[str]) -> Catalog:
    notes = []
    missing = [name for name in layout.train if not any(block.where.endswith(f"/{name}") for block in blocks)]
    if missing:
        notes.append(f"not there: {', '.join(missing)}, so there are fewer training images than were published")
    if not names:
        most = max((int(block.labels.max(initial=0)) for block in blocks), default=0)
        if most > MOST_LABEL:
            raise harmed(source, f"one of its labels is {most}")
        names = numbered(most)
        notes.append(f"not there: {layout.meta}, so classes are called by their numbers")
    return catalog_of_blocks(source, blocks, names, picture=_picture, notes=notes)


def _picture(row: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three planes, one after another -> pixels with their colours together."""
    return np.ascontiguousarray(row.reshape(3, SIDE, SIDE).transpose(1, 2, 0))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
