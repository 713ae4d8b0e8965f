"""MNIST's IDX files, gzipped or not: a folder with images and labels of the training part, and of the test part.

MNIST (LeCun, Cortes and Burges), Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017) and others of the same form. A
folder called after fashion has clothes, whose mirror images are clothes; all others are taken for signs, which are
not mirrored.

Source: the format is described at http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

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
    numbered,
)
from babysit.data.sources.packed import is_gzip
from babysit.errors import UserError

FOLDERS = ("", "raw", "MNIST/raw", "FashionMNIST/raw")
"""Where the files may lie in the folder given."""

CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
"""Fashion-MNIST's classes, https://github.com/zalandoresearch/fashion-mnist#labels."""

_NAME = re.compile(r"(train|t10k|test)[-_.](images|labels)[-_.]idx[13][-_.]ubyte(\.gz)?")
_UNSIGNED_BYTE = 8
MOST_CLASSES = 256


def idx(source: str) -> Catalog:
    """The images of a folder of IDX files, with the classes named by their numbers, or after the clothes.

    Raises:
        UserError: when a file is missing, cut short, or not of the form.
    """
    folder, files = _found(Path(source).expanduser())
    if not any(part == "train" for part, _ in files):
        raise UserError(
            "there are no IDX files of a training part here",
            where=source,
            legal="train-images-idx3-ubyte and train-labels-idx1-ubyte, each also with .gz",
        )
    blocks = []
    for part in ("train", "test"):
        images, labels = files.get((part, "images")), files.get((part, "labels"))
        if images is None and labels is None:
            continue
        if images is None or labels is None:
            raise UserError(
                f"the {'images' if images is None else 'labels'} of the {part} part are missing", where=str(folder)
            )
        blocks.append(Block(part, _array(images, 3), _array(labels, 1), str(images)))
    place = folder.resolve()
    clothes = "fashion" in (place.parent.name if place.name == "raw" else place.name).lower()
    classes = CLOTHES if clothes else numbered(max(int(block.labels.max(initial=0)) for block in blocks))
    notes = ["taken for Fashion-MNIST, by the folder's name"] if clothes else []
    return catalog_of_blocks(source, blocks, classes, flips=clothes, notes=notes)


def is_idx(source: str) -> bool:
    """Whether a folder has IDX files, told by their names."""
    path = Path(source).expanduser()
    return path.is_dir() and bool(_found(path)[1])


def _found(folder: Path) -> tuple[Path, Mapping[tuple[str, str], Path]]:
    """The files by part and kind, in the first place that has any; an unpacked file is taken before a packed one."""
    for inner in FOLDERS:
        place = folder / inner
        files: dict[tuple[str, str], Path] = {}
        if not place.is_dir():
            continue
        try:
            names = sorted(entry.name for entry in place.iterdir())
        except OSError:
            continue
        for name in reversed(names):  # NAME comes before NAME.gz, and the last one put in stays
            if match := _NAME.fullmatch(name.lower()):
                files["train" if match[1] == "train" else "test", match[2]] = place / name
        if files:
            return place, files
    return folder, {}


def _array(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """One file: a magic number, the length of each axis, then the bytes."""
    where = str(path)
    try:
        packed = is_gzip(path)
        with gzip.open(path) if packed else path.open("rb") as stream:
            head = bytes(filled(stream, 4 + 4 * dimensions, where))
            if head[:4] != bytes((0, 0, _UNSIGNED_BYTE, dimensions)):
                raise harmed(where, f"it does not begin like an IDX file of {dimensions} axes of bytes")
            shape = [int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4)]
            if dimensions > 1 and 0 in shape[1:]:
                raise harmed(where, f"its images are {shape[2]} pixels wide and {shape[1]} high")
            size, stored = math.prod(shape), path.stat().st_size
            check_claim(size, stored, where)
            if not packed and size + len(head) > stored:
                raise harmed(where, f"it should have {size + len(head):,} bytes and has {stored:,}")
            data = filled(stream, size, where)
            check_ended(stream, where)
    except (OSError, EOFError, zlib.error) as error:
        raise harmed(where, str(error) or "it is cut short") from error
    return np.frombuffer(data, np.uint8).reshape(shape)
