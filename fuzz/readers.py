"""Every reader of files from outside as a function of bytes: it may refuse in its own way, and do nothing else.

`tests/properties/test_fuzz.py` runs them for seconds with hypothesis, `fuzz/run.py` for hours with atheris.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from babysit.data.corrections import read_lists
from babysit.data.decode import FORMATS, UnreadableImage, decode_whole, quiet_decoding
from babysit.data.sources import open_source
from babysit.errors import UserError
from babysit.recipe import parse

READ = 20
"""So many images of a source are decoded; a hostile file may list a million."""

TABLE = b"path,label,part,group\na/0.png,cat,train,g\nz.zip/a/1.png,cat,val,\nb/0.png,dog,,\nt.tar/b/1.png,dog,test,\n"


@dataclass(frozen=True)
class Reader:
    """One reader: `suffix` of its files; `seeds` good files; `read(path)` uses one, and raises only what it may."""

    suffix: str
    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], None]


def attempt(reader: Reader, data: bytes) -> None:
    """Reads hostile bytes in a folder of their own.

    Raises:
        AssertionError: when the reader left anything behind.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"hostile{reader.suffix}"
        path.write_bytes(data)
        if reader.suffix == ".csv":
            (path.parent / "z.zip").write_bytes(_zips()[0])
            (path.parent / "t.tar").write_bytes(_tars()[0])
        before = sorted(Path(folder).rglob("*"))
        reader.read(path)
        assert sorted(Path(folder).rglob("*")) == before, "a reader writes nothing"


def _read_source(path: Path) -> None:
    try:
        catalog = open_source(str(path))
    except UserError:
        return
    for row in range(min(READ, len(catalog))):
        try:
            decode_whole(catalog.read(row), 16)
        except (OSError, UnreadableImage):
            continue


def _read_image(path: Path) -> None:
    try:
        with quiet_decoding():
            decoded = decode_whole(path.read_bytes(), 16)
    except UnreadableImage:
        return
    assert decoded.pixels.shape == (16, 16, 3)


def _read_list(path: Path) -> None:
    for exclude, relabel in ((str(path), None), (None, str(path))):
        try:
            read_lists(exclude, relabel)
        except UserError:
            continue


def _read_recipe(path: Path) -> None:
    try:
        parse(path)
    except UserError:
        return


def _images() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3)).astype(np.uint8)
    picture, found = Image.fromarray(pixels), []
    for name in FORMATS:
        stream = io.BytesIO()
        picture.save(stream, name)
        found.append(stream.getvalue())
    return found


def _members() -> dict[str, bytes]:
    stream = io.BytesIO()
    Image.new("L", (8, 8)).save(stream, "PNG")
    return {f"{label}/{number}.png": stream.getvalue() for label in "ab" for number in range(2)}


def _zips() -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, data in _members().items():
                with archive.open(name, "w", force_zip64=True) as member:
                    member.write(data)
        found.append(stream.getvalue())
    return found


def _tars() -> list[bytes]:
    found = []
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
            long = {} if form == tarfile.USTAR_FORMAT else {f"a/{'é' * 120}.png": b"x"}
            for name, data in {**_members(), **long}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            link = tarfile.TarInfo("b/link.png")
            link.type, link.linkname = tarfile.SYMTYPE, "../a/0.png"
            archive.addfile(link)
        found.append(stream.getvalue())
    return found


READERS = {
    "image": Reader(".bin", _images, _read_image),
    "zip": Reader(".zip", _zips, _read_source),
    "tar": Reader(".tar", _tars, _read_source),
    "tar.gz": Reader(".tar.gz", lambda: [gzip.compress(data, mtime=0) for data in _tars()], _read_source),
    "csv": Reader(".csv", lambda: [TABLE, TABLE.replace(b",", b";"), TABLE.decode().encode("utf-16")], _read_source),
    "list": Reader(".csv", lambda: [b"path,hash,label\na/0.png,,dog\n,00ff,cat\n"], _read_list),
    "recipe": Reader(".toml", lambda: [b'seed = 1\n[data]\nsource = "digits"\n[optim]\nlr = 0.1\n'], _read_recipe),
}
