"""The decoded images on this machine: what is kept, and less of it on demand. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from babysit.data import storage
from babysit.data.storage import DecodedImages


def decoded_images(names: Sequence[str] = (), *, clear: bool = False, limit: str | None = None) -> DecodedImages:
    """The decoded images that are kept on this machine, fewer on demand: see `storage.decoded_images`."""
    return storage.decoded_images(names, clear=clear, limit=limit)
