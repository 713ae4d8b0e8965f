"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Makes renames inside a directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Replaces a file atomically: temporary sibling, fsync, rename, fsync of the directory."""
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """`write_text` for a JSON value, indented for a person. A value that is not finite is a mistake of ours."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # A file's name may have bytes that are no text, lone surrogates here; what stands for them is JSON's own escape.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))
