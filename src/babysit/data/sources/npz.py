"""A NumPy archive (.npz) of images and labels. No pickle is read; sizes are checked before anything is made.

Arrays are found by name, in any of these spellings (also in capitals):

    training part      x_train  train_images  images  x  data      with  y_train  train_labels  labels  y  targets
    validation part    x_val  val_images  x_valid  valid_images    with  y_val  val_labels  y_valid  valid_labels
    test part          x_test  test_images                         with  y_test  test_labels
    class names        classes  class_names  label_names           (optional)

Images are uint8: (n, height, width), (n, height, width, 1) or (n, height, width, 3). Labels are whole numbers or
strings: (n,) or (n, 1).
"""

from __future__ import annotations

import math
import struct
import sys
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import Catalog
from babysit.data.sources.arrays import (
    Block,
    catalog_of_blocks,
    check_claim,
    check_ended,
    filled,
    harmed,
)
from babysit.errors import UserError

PARTS = {
    "train": (
        ("x_train", "train_images", "images", "x", "data"),
        ("y_train", "train_labels", "labels", "y", "targets"),
    ),
    "val": (("x_val", "val_images", "x_valid", "valid_images"), ("y_val", "val_labels", "y_valid", "valid_labels")),
    "test": (("x_test", "test_images"), ("y_test", "test_labels")),
}
CLASSES = ("classes", "class_names", "label_names")

SIGNS = frozenset({"mnist", "kmnist", "emnist", "qmnist"})
"""File names under which signs are handed round as .npz; a mirrored sign is another."""

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, MemoryError),
)


@dataclass(frozen=True)
class Member:
    """An array as its header describes it."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    header_bytes: int

    @property
    def size_bytes(self) -> int:
        """Bytes of its contents."""
        return math.prod(self.shape) * self.dtype.itemsize


def npz(source: str) -> Catalog:
    """The images of an .npz file, with the parts that it brings.

    Raises:
        UserError: when it is harmed, lacks images or labels, or holds them in a form that is not read.
    """
    path = Path(source).expanduser()
    try:
        with zipfile.ZipFile(path) as archive:
            return _catalog(source, archive)
    except UserError:
        raise
    except _BROKEN as error:
        raise harmed(source, str(error) or type(error).__name__) from error


def _catalog(source: str, archive: zipfile.ZipFile) -> Catalog:
    present = {name.removesuffix(".npy").lower(): name for name in sorted(archive.namelist(), reverse=True)}
    images: dict[str, NDArray[np.uint8]] = {}
    labels: dict[str, NDArray[np.generic]] = {}
    for part, (image_names, label_names) in PARTS.items():
        image, label = _one_of(present, image_names), _one_of(present, label_names)
        if bool(image) != bool(label):
            raise UserError(
                f"there is '{image or label}' but no {'labels' if image else 'images'} to it",
                where=source,
                legal=", ".join(label_names if image else image_names),
            )
        if image and label:
            images[part] = _images(archive, image, source)
            labels[part] = _labels(archive, label, source)
    if "train" not in images:
        raise UserError(
            f"there are no training images under a known name ({', '.join(sorted(present)[:8]) or 'it is empty'})",
            where=source,
            legal=f"{', '.join(PARTS['train'][0])}, with {', '.join(PARTS['train'][1])}",
        )
    given = _one_of(present, CLASSES)
    names, numbers = _classes(_names(archive, given, source) if given else None, labels, source)
    blocks = [Block(part, images[part], numbers[part], source) for part in images]
    return catalog_of_blocks(source, blocks, names, flips=Path(source).stem.lower() not in SIGNS)


def _classes(
    given: Sequence[str] | None, labels: dict[str, NDArray[np.generic]], where: str
) -> tuple[list[str], dict[str, NDArray[np.integer]]]:
    """Class names, and each part's labels as places among them."""
    kinds = {values.dtype.kind in "US" for values in labels.values()}
    if len(kinds) > 1:
        raise UserError("some parts have strings for labels, others numbers", where=where)
    texts = kinds == {True}
    if given is not None and not texts:
        return list(given), {part: np.asarray(values, np.int64) for part, values in labels.items()}
    found = sorted({value for values in labels.values() for value in np.unique(values).tolist()})
    number = {value: place for place, value in enumerate(found)}
    width = 0 if texts else max((len(str(value)) for value in found), default=0)
    names = [_text(value) if texts else f"{value:0{width}d}" for value in found]
    if given is not None and (strange := sorted(set(names) - set(given))):
        raise UserError(
            f"the label {strange[0]!r} is not among the class names", where=where, legal=", ".join(given[:20])
        )
    places = {}
    for part, values in labels.items():
        unique, inverse = np.unique(values, return_inverse=True)
        places[part] = np.array([number[value] for value in unique.tolist()], np.int64)[inverse.reshape(-1)]
    return names, places


def _images(archive: zipfile.ZipFile, name: str, where: str) -> NDArray[np.uint8]:
    member = _header(archive, name, where)
    place, shape = f"{where}:{name}", member.shape
    if member.dtype != np.uint8:
        raise UserError(
            f"the images are {member.dtype}", where=place, legal="uint8, 0 to 255", hint="Scale and round them"
        )
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)) or min(shape[1:]) < 1:
        channels_first = len(shape) == 4 and shape[1] in (1, 3)
        raise UserError(
            f"the images have the shape {shape}",
            where=place,
            legal="(n, height, width), (n, height, width, 1) or (n, height, width, 3)",
            hint="np.moveaxis(images, 1, -1) moves the channels to the end" if channels_first else "Reshape them",
        )
    values = _read(archive, member, place)
    return values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values


def _labels(archive: zipfile.ZipFile, name: str, where: str) -> NDArray[np.generic]:
    member = _header(archive, name, where)
    place = f"{where}:{name}"
    if member.dtype.kind not in "iubUS":
        raise UserError(f"the labels are {member.dtype}", where=place, legal="whole numbers or strings")
    if len(member.shape) == 2 and member.shape[1] > 1:
        raise UserError(
            f"the labels have {member.shape[1]} columns: several labels for an image are not read",
            where=place,
            hint="When each row has a single 1, store labels.argmax(axis=1)",
        )
    if len(member.shape) not in (1, 2):
        raise UserError(f"the labels have the shape {member.shape}", where=place, legal="(n,) or (n, 1)")
    values = _read(archive, member, place).reshape(-1)
    return values.astype(np.int64) if values.dtype.kind in "iub" else values


def _names(archive: zipfile.ZipFile, name: str, where: str) -> list[str]:
    member = _header(archive, name, where)
    if member.dtype.kind not in "US" or len(member.shape) != 1:
        raise UserError(
            "the class names are no list of strings", where=f"{where}:{name}", hint="np.array(['cat', 'dog'])"
        )
    return [_text(value) for value in _read(archive, member, f"{where}:{name}").tolist()]


def _header(archive: zipfile.ZipFile, name: str, where: str) -> Member:
    """What an array's header says, held against the size that the archive says."""
    place, info = f"{where}:{name}", archive.getinfo(name)
    check_claim(info.file_size, info.compress_size, place)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError("it is packed in a way that NumPy does not use", where=place, hint="Save it with np.savez")
    with archive.open(info) as stream:
        shape, fortran, dtype = _described(stream, place)
        member = Member(name, shape, dtype, fortran, stream.tell())
    if dtype.hasobject or dtype.names or dtype.subdtype:
        raise UserError(f"the array holds {dtype}, which is not read", where=place, legal="numbers or strings")
    if min(shape, default=0) < 0 or member.size_bytes + member.header_bytes != info.file_size:
        raise harmed(place, f"its shape {shape} does not fit its {info.file_size:,} bytes")
    return member


def _described(stream: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of the array that a stream begins."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return read(stream)
    except Exception as error:  # the header is parsed as Python, which fails in many ways
        raise harmed(where, "its header is wrong") from error


def _read(archive: zipfile.ZipFile, member: Member, where: str) -> NDArray:
    with archive.open(member.name) as stream:
        stream.read(member.header_bytes)
        data = filled(stream, member.size_bytes, where)
        check_ended(stream, where)
    letters = np.dtype("u4").newbyteorder(member.dtype.byteorder)
    if member.dtype.kind == "U" and np.frombuffer(data, letters).max(initial=0) > sys.maxunicode:
        raise harmed(where, "it has letters that no text has")  # NumPy itself would fail on them
    return np.frombuffer(data, member.dtype).reshape(member.shape, order="F" if member.fortran else "C")


def _one_of(present: dict[str, str], names: Sequence[str]) -> str:
    return next((present[name] for name in names if name in present), "")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
