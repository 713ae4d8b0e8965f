"""What sources that keep images as arrays share: arrays -> Catalog, and bounds on what a file claims to hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from babysit.data.catalog import Catalog, Item, catalog_of
from babysit.errors import UserError

MOST_BYTES = 2 * 2**30
"""The most that the images of one file may take in memory."""

FREE_BYTES = 64 * 2**20
MOST_RATIO = 100
"""Of what is packed to more than FREE_BYTES: photographs reach 2, drawn digits 5."""


@dataclass(frozen=True)
class Block:
    """Images of one part that lie in one array.

    `part` one of PARTS, or empty; `images` uint8, first axis the image; `labels` whole numbers, shape (n,), each the
    place of a class's name; `where` the file, for messages.
    """

    part: str
    images: NDArray[np.uint8]
    labels: NDArray[np.integer]
    where: str


class Reading(Protocol):
    """A stream of bytes."""

    def read(self, count: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


def catalog_of_blocks(
    source: str,
    blocks: Sequence[Block],
    classes: Sequence[str],
    *,
    picture: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = np.ascontiguousarray,
    flips: bool = True,
    notes: Sequence[str] = (),
) -> Catalog:
    """A catalog over arrays, which are kept and not copied. Images are named PART/NUMBER, in the order of the blocks.

    Without a test part the training images belong to no part, so that a test part is cut from them.

    Arguments:
        classes: the names that labels stand for.
        picture: one image as it lies in its array -> pixels (height, width) or (height, width, 3).

    Raises:
        UserError: numbers of images and labels that differ, a label without a name, two classes of one name, no
            training images.
    """
    check_names(source, classes)
    for block in blocks:
        _check(block, len(classes))
    if not any(block.part in ("", "train") and len(block.images) for block in blocks):
        raise UserError(
            "there are no training images here", where=source, hint="The files of the training part are missing"
        )
    parted = any(block.part != "train" for block in blocks)
    place: dict[str, NDArray[np.uint8]] = {}
    items = []
    counts = dict.fromkeys((block.part for block in blocks), 0)
    for block in blocks:
        stamp = _digest(block)
        for row in range(len(block.images)):
            name = f"{block.part or 'images'}/{counts[block.part]:06d}"
            counts[block.part] += 1
            place[name] = block.images[row]
            items.append(Item(name, classes[int(block.labels[row])], block.part if parted else "", stamp))
    return catalog_of(source, items, lambda name: picture(place[name]), flips=flips, notes=notes)


def check_names(source: str, classes: Sequence[str]) -> None:
    """Refuses class names that are empty, double, or no text.

    Raises:
        UserError: naming the first.
    """
    seen = set()
    for name in classes:
        if not name.strip() or name in seen:
            raise UserError(
                f"two classes are called {name!r}" if name.strip() else "a class has an empty name",
                where=source,
                hint="Give each class a name of its own",
            )
        if name.encode("utf-8", "replace") != name.encode("utf-8", "surrogatepass"):
            raise UserError(f"the class name {name!r} is not text", where=source, hint="Write it in UTF-8")
        seen.add(name)


def numbered(most: int) -> list[str]:
    """Class names for data that bring none: 0, 1, ..., of one length so that they sort like numbers.

    >>> numbered(2), numbered(10)[:2]
    (['0', '1', '2'], ['00', '01'])
    """
    return [f"{number:0{len(str(most))}d}" for number in range(most + 1)]


def check_claim(claimed: int, stored: int, where: str) -> None:
    """Refuses a size that a header claims before anything is made of that size.

    Arguments:
        claimed: bytes once unpacked.
        stored: bytes in the file.

    Raises:
        UserError: when it is more than is read, or can only be a bomb.
    """
    if claimed > MOST_BYTES:
        raise UserError(
            f"it says it holds {claimed / 2**30:,.1f} GB of pixels; at most {MOST_BYTES / 2**30:.0f} GB are read",
            where=where,
            hint="Save the images as files in class folders",
        )
    if claimed > FREE_BYTES and claimed > MOST_RATIO * stored:
        raise UserError(
            f"it says that {stored:,} bytes unpack to {claimed:,}, which no real images do",
            where=where,
            hint="Such a file is broken or hostile; nothing was read from it",
        )


def filled(stream: Reading, count: int, where: str) -> bytearray:
    """Exactly `count` bytes of a stream.

    Raises:
        UserError: when there are fewer.
    """
    data = bytearray(count)
    view, at = memoryview(data), 0
    while at < count:
        piece = stream.read(min(count - at, 2**20))
        if not piece:
            raise harmed(where, f"it ends after {at:,} of {count:,} bytes")
        view[at : at + len(piece)] = piece
        at += len(piece)
    return data


def check_ended(stream: Reading, where: str) -> None:
    """Refuses a stream that goes on. Archives look at their checksum only here.

    Raises:
        UserError: when there are more bytes.
    """
    if stream.read(1):
        raise harmed(where, "it goes on after what it says it has")


def harmed(where: str, reason: str) -> UserError:
    """What to say of a file that is not whole."""
    return UserError(
        f"this file is harmed: {reason}", where=where, hint="It may be cut short: copy or download it again"
    )


def _check(block: Block, classes: int) -> None:
    if len(block.images) != len(block.labels):
        raise UserError(
            f"there are {len(block.images):,} images but {len(block.labels):,} labels",
            where=block.where,
            hint="Each image needs one label, in the same order",
        )
    wrong = np.flatnonzero((block.labels < 0) | (block.labels >= classes))
    if len(wrong):
        raise UserError(
            f"the label of image {wrong[0]:,} is {block.labels[wrong[0]]}, but there are {classes} classes",
            where=block.where,
            legal=f"0 to {classes - 1}",
        )


def _digest(block: Block) -> str:
    """Changes with any pixel and any label, and with nothing else."""
    digest = hashlib.blake2b(f"{block.images.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(block.labels, np.int64).data)
    digest.update(np.ascontiguousarray(block.images).data)
    return digest.hexdigest()
