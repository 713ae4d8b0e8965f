"""Files made to harm: whatever they hold, decoding ends with pixels or a reason, soon and in little memory."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from babysit.data import decode as decoding
from babysit.data.decode import UnreadableImage, decode_whole, quiet_decoding
from babysit.data.headers import outline


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(mode: str = "RGB", size: tuple[int, int] = (21, 14)) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 200)
    return Image.fromarray(pixels).convert(mode)


def frames(kind: str, count: int, **options: object) -> bytes:
    colours = [Image.new("RGB", (21, 14), (200 - 90 * place, 90 * place, 30)) for place in range(count)]
    return saved(colours[0], kind, save_all=True, append_images=colours[1:], **options)


def pixels_or_reason(data: bytes | np.ndarray) -> tuple[np.ndarray | None, str]:
    """What the decoder gives; any other exception goes on."""
    try:
        return decode_whole(data, 8).pixels, ""
    except UnreadableImage as reason:
        return None, str(reason)


SEEDS: dict[str, bytes] = {
    **{f"png {mode}": saved(noise(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    **{f"jpeg {mode}": saved(noise(mode), "JPEG") for mode in ("L", "RGB", "CMYK", "YCbCr")},
    **{f"tiff {mode}": saved(noise(mode), "TIFF") for mode in ("1", "L", "P", "RGBA", "CMYK", "I", "F", "LAB", "I;16")},
    **{
        f"tiff {name}": saved(noise(), "TIFF", compression=name)
        for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "zstd", "tiff_deflate")
    },
    "tiff fax": saved(noise("1"), "TIFF", compression="group4"),
    "jpeg progressive": saved(noise(), "JPEG", progressive=True),
    "jpeg exif": saved(
        noise(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    ),
    "mpo": frames("MPO", 2),
    "apng": frames("PNG", 3),
    "gif": frames("GIF", 3),
    "webp": frames("WEBP", 3),
    "webp still": saved(noise("RGBA"), "WEBP", lossless=True),
    "tiff pages": frames("TIFF", 3),
    "bmp": saved(noise(), "BMP"),
    "bmp P": saved(noise("P"), "BMP"),
    "ppm": saved(noise(), "PPM"),
    "pgm": saved(noise("L"), "PPM"),
    "pbm": saved(noise("1"), "PPM"),
    "ppm plain": b"P3\n# words\n4 3\n15\n" + b" ".join(str(value % 16).encode() for value in range(36)),
    "pgm deep": b"P5 3 2 1000\n" + bytes(range(12)),
}


@pytest.mark.parametrize("name", SEEDS)
def test_every_format_and_mode_is_decoded(name: str) -> None:
    with quiet_decoding():
        found = decode_whole(SEEDS[name], 24)
    assert found.pixels.shape == (24, 24, 3)
    if name.split()[0] not in ("ppm", "pgm") or name in ("ppm", "pgm"):
        assert sorted((found.width, found.height)) == [14, 21]


@pytest.mark.parametrize(("name", "count"), [("apng", 3), ("gif", 3), ("webp", 3), ("tiff pages", 3), ("mpo", 2)])
def test_the_first_frame_is_taken_and_all_are_counted(name: str, count: int) -> None:
    found = decode_whole(SEEDS[name], 21, "pad")
    assert found.frames == count
    assert np.abs(found.pixels[4:17].astype(int) - [200, 0, 30]).max() <= 6


@pytest.mark.parametrize("name", [name for name in SEEDS if len(name.split()) < 3])
def test_strips_give_the_same_pixels(name: str, monkeypatch) -> None:
    whole = decode_whole(SEEDS[name], 24).pixels
    monkeypatch.setattr(decoding, "STRIP_PIXELS", 1)
    assert (decode_whole(SEEDS[name], 24).pixels == whole).all()


@given(
    st.sampled_from(list(SEEDS.values())),
    st.lists(
        st.tuples(st.integers(0, 4000), st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 127, 128, 255]))),
        max_size=8,
    ),
    st.one_of(st.none(), st.tuples(st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 300))),
)
@settings(max_examples=700)
def test_harmed_files_give_pixels_or_a_reason(data: bytes, changes, moved) -> None:
    harmed = bytearray(data)
    for place, value in changes:
        harmed[place % len(harmed)] = value
    if moved:  # a piece of the file in another place of it
        start, place, length = moved[0] % len(harmed), moved[1] % len(harmed), moved[2]
        harmed[place:place] = harmed[start : start + length]
    begun = time.process_time()
    with quiet_decoding():
        pixels, reason = pixels_or_reason(bytes(harmed))
    assert reason if pixels is None else pixels.shape == (8, 8, 3)
    assert time.process_time() - begun < 10


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0+", b"II+\0"]),
    st.binary(max_size=400),
)
@settings(max_examples=500)
def test_the_walk_over_any_bytes_ends(start: bytes, rest: bytes) -> None:
    with suppress(UnreadableImage):
        assert 1 <= outline(start + rest).frames <= 65_535


# ---------------------------------------------------------------- made by hand


def png(*chunks: tuple[bytes, bytes], side: int = 4) -> bytes:
    def whole(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    rows = (b"IDAT", zlib.compress((b"\0" + b"\x80" * side) * side))
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole(*one) for one in (header, *chunks, rows, (b"IEND", b"")))


BOMB = zlib.compress(b"x" * 40_000_000, 9)


def tags_that_share(count: int, size: int) -> bytes:
    """A table of tags that all name the same bytes."""
    entries = b"".join(struct.pack("<HHII", 40_000 + tag, 1, size, 8) for tag in range(count))
    return b"II*\0" + struct.pack("<I", 8 + size) + bytes(size) + struct.pack("<H", count) + entries + bytes(4)


def jpeg_with(*segments: bytes) -> bytes:
    data = saved(noise(), "JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def many_scans() -> bytes:
    data = saved(Image.new("L", (3000, 3000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 300 + data[-2:]


def loop_of_tables() -> bytes:
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 14) + struct.pack("<HI", 0, 8)


HARMFUL: dict[str, tuple[Callable[[], bytes], str]] = {
    "texts that unpack to 40 MB": (lambda: png(*[(b"zTXt", b"k%d\0\0" % n + BOMB) for n in range(20)]), "."),
    "a profile that unpacks to 40 MB": (lambda: png((b"iCCP", b"name\0\0" + BOMB)), "."),
    "two thousand profiles": (lambda: png(*[(b"iCCP", b"n\0\0" + BOMB[:2000])] * 2000), "texts and profiles"),
    "a million chunks": (lambda: png(*[(b"prVt", b"")] * 300_000), "chunks"),
    "tags that share a megabyte": (lambda: tags_that_share(20_000, 2**20), "more than the file has"),
    "EXIF tags that share": (lambda: jpeg_with(segment(0xE1, b"Exif\0\0" + tags_that_share(2000, 30_000))), "more than the file has"),
    "EXIF in a PNG": (lambda: png((b"eXIf", tags_that_share(20_000, 600_000))), "more than the file has"),
    "EXIF in many pieces": (lambda: jpeg_with(*[segment(0xE1, b"Exif\0\0" + bytes(60_000))] * 100), "EXIF"),
    "a million segments": (lambda: jpeg_with(*[segment(0xEF, b"")] * 300_000), "segments"),
    "a gap of filling": (lambda: jpeg_with(b"\xff" * 3_000_000), "segments"),
    "three hundred scans": (many_scans, "scans"),
    "comments before a GIF": (lambda: b"GIF89a" + bytes(7) + (b"\x21\xfe" + b"\x01x" * 200_000 + b"\0"), "blocks"),
    "a circle of tables": (loop_of_tables, "."),
    "100 million pixels in little": (lambda: saved(Image.new("1", (10_000, 10_000)), "PNG", optimize=True), "it has 100 million pixels; at most 80 are read"),
    "a WebP of 100 million pixels": (lambda: b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + bytes(8), "."),
    "a PPM that promises": (lambda: b"P6 99999999 99999999 255\n" + bytes(100), "."),
    "a plain PPM that is long": (lambda: b"P2 3000 2000 255\n" + b"1 " * 6_000_000, "up to 4 million"),
    "a PGM of odd depth": (lambda: b"P5 3000 2000 77\n" + bytes(6_000_000), "up to 4 million"),
    "a BMP with a negative height": (lambda: b"BM" + struct.pack("<IIIIiiHHIIIIII", 60, 0, 54, 40, 9, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0), "."),
    "a run-length BMP": (lambda: b"BM" + struct.pack("<IIIIiiHHIIIIII", 60, 0, 1078, 40, 50_000, 1000, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(3000), "up to 4 million"),
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_what_is_made_to_cost_is_refused_soon(name: str) -> None:
    make, reason = HARMFUL[name]
    data = make()
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with quiet_decoding(), pytest.raises(UnreadableImage, match=reason):
        decode_whole(data, 32)
    assert time.process_time() - begun < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500 * 1024, "kilobytes"


def test_small_files_of_many_frames_are_counted_within_bounds() -> None:
    frame = b"\x2c" + bytes(8) + b"\0\x02\x02L\x01\0"
    begun = time.process_time()
    assert outline(b"GIF89a" + bytes(7) + frame * 500_000).frames == 65_535
    assert time.process_time() - begun < 10


def test_a_file_cut_short_is_refused_whatever_the_program_around_has_set(monkeypatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = saved(noise(size=(200, 200)), "JPEG")
    with quiet_decoding(), pytest.raises(UnreadableImage, match="cut short"):
        decode_whole(data[: len(data) // 2], 16)
    assert ImageFile.LOAD_TRUNCATED_IMAGES, "and it is as it was afterwards"


def test_enormous_images_go_through_the_gate_and_others_do_not() -> None:
    import threading

    gate = threading.Lock()
    seen = []

    class Watched:
        def __enter__(self) -> None:
            gate.acquire()
            seen.append("in")

        def __exit__(self, *words: object) -> None:
            gate.release()

    decode_whole(saved(Image.new("L", (4100, 4000)), "PNG"), 16, enormous=Watched())
    decode_whole(saved(noise(), "PNG"), 16, enormous=Watched())
    assert seen == ["in"]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.uint16, np.int64, np.complex64, object])
def test_arrays_of_any_kind_give_pixels_or_a_reason(dtype: type) -> None:
    for shape in ((5, 7), (5, 7, 3), (5, 7, 4), (5, 7, 2), (5, 7, 9), (5,), (0, 4), (2, 2, 2, 2)):
        pixels, reason = pixels_or_reason(np.zeros(shape, dtype))
        assert reason if pixels is None else pixels.shape == (8, 8, 3)


def test_an_array_is_decoded_like_the_png_of_it() -> None:
    for mode in ("L", "RGB", "RGBA"):
        image = noise(mode, (40, 30))
        assert (decode_whole(np.asarray(image), 16).pixels == decode_whole(saved(image, "PNG"), 16).pixels).all()
