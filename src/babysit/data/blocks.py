"""Blocks: the pixels of a cache in pieces of a few megabytes, each compared with its checksum before first use.

A rotten block is decoded again from the source. CRC-32 finds what disks do, and takes a fifth of a second for a
gigabyte; nobody is kept out by it, and nobody needs to be: who can write there can also write the checksum.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.storage import usable_cores
from babysit.errors import UserError

BLOCK_BYTES = 2**21


def rows_in_block(row_bytes: int) -> int:
    """How many rows make a block.

    >>> rows_in_block(32 * 32 * 3), rows_in_block(2000 * 2000 * 3)
    (682, 1)
    """
    return max(1, BLOCK_BYTES // row_bytes)


class Checksums:
    """The checksum of each block of a stream, taken while it is written.

    >>> checksums = Checksums(block_bytes=4)
    >>> for piece in (b"abc", b"defgh", b"i"):
    ...     checksums.add(piece)
    >>> checksums.finished().tolist() == [zlib.crc32(block) for block in (b"abcd", b"efgh", b"i")]
    True
    """

    def __init__(self, block_bytes: int) -> None:
        self._block_bytes = block_bytes
        self._sums: list[int] = []
        self._sum, self._held = 0, 0

    def add(self, data: bytes | memoryview) -> None:
        """The next bytes."""
        view = memoryview(data)
        while len(view):
            piece = view[: self._block_bytes - self._held]
            self._sum, self._held = zlib.crc32(piece, self._sum), self._held + len(piece)
            view = view[len(piece) :]
            if self._held == self._block_bytes:
                self._end_block()

    def finished(self) -> NDArray[np.uint32]:
        """All checksums, the last one of what is left over."""
        if self._held:
            self._end_block()
        return np.array(self._sums, np.uint32)

    def _end_block(self) -> None:
        self._sums.append(self._sum)
        self._sum, self._held = 0, 0


@dataclass(frozen=True)
class Blocks:
    """Guards the pixels' file of one cache.

    `sums` checksum of each block, uint32; `decode_again` rows -> their pixels from the source, uint8; it raises
    UserError when the source no longer has them; `checked` which blocks this process has compared.
    """

    file: Path
    row_bytes: int
    sums: NDArray[np.uint32]
    decode_again: Callable[[range], NDArray[np.uint8]] = field(repr=False)
    checked: NDArray[np.bool_] = field(repr=False)

    def check(self, rows: NDArray[np.int64]) -> None:
        """Makes sure that the pixels of these rows are those that were decoded; to be called before they are read.

        A block costs its reading and its checksum once in a process, and next to nothing afterwards.

        Raises:
            UserError: when a block is rotten and cannot be decoded again.
        """
        blocks = rows // rows_in_block(self.row_bytes)
        if self.checked[blocks].all():
            return
        waiting = np.unique(blocks[~self.checked[blocks]])
        try:
            with self.file.open("rb", buffering=0) as stream, ThreadPoolExecutor(usable_cores()) as pool:
                whole = list(pool.map(lambda block: self._is_whole(stream.fileno(), int(block)), waiting))
        except FileNotFoundError as error:
            raise UserError(
                "the decoded cache was removed while it was in use",
                where=str(self.file),
                hint="Run the command again: the images are then decoded again",
            ) from error
        for block, well in zip(waiting.tolist(), whole, strict=True):
            if not well:
                self._mend(block)
            self.checked[block] = True

    def _is_whole(self, handle: int, block: int) -> bool:
        # Read and not mapped: a place the disk cannot read is an error then, in a mapping it ends the process.
        size = rows_in_block(self.row_bytes) * self.row_bytes
        try:
            return zlib.crc32(os.pread(handle, size, block * size)) == self.sums[block]
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise

    def _mend(self, block: int) -> None:
        count = rows_in_block(self.row_bytes)
        total = self.file.stat().st_size // self.row_bytes
        rows = range(block * count, min((block + 1) * count, total))
        data = self.decode_again(rows).tobytes()
        name = self.file.parent.name[:12]
        if zlib.crc32(data) != self.sums[block]:
            raise UserError(
                "the decoded cache is harmed, and its images decode to other pixels now (another Pillow, perhaps)",
                where=str(self.file),
                hint=f"Remove it with `babysit cache --clear {name}` and run the command again: all images are then decoded anew",
            )
        try:
            with self.file.open("r+b", buffering=0) as stream:
                os.pwrite(stream.fileno(), data, rows.start * self.row_bytes)
                os.fsync(stream.fileno())
        except OSError as error:
            raise UserError(
                f"the decoded cache is harmed and cannot be mended where it is ({error.strerror})",
                where=str(self.file),
                hint="Set BABYSIT_CACHE to a folder you may write to; the images are then decoded again",
            ) from error
