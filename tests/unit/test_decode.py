"""Decoding: every kind of picture to the same pixels, everything else to a reason."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from babysit.data.decode import PADDING_GREY, UnreadableImage, decode, dimensions, quiet_decoding


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def corners(size: int = 8) -> np.ndarray:
    """An image that no turn leaves alone: red top left, green top right, blue bottom left, black bottom right."""
    pixels = np.zeros((size, size, 3), np.uint8)
    half = size // 2
    pixels[:half, :half, 0] = 255
    pixels[:half, half:, 1] = 255
    pixels[half:, :half, 2] = 255
    return pixels


# What the camera stored, given what was seen (EXIF 2.3, tag 0x0112), in plain NumPy.
STORED = {
    1: lambda seen: seen,
    2: lambda seen: seen[:, ::-1],
    3: lambda seen: seen[::-1, ::-1],
    4: lambda seen: seen[::-1],
    5: lambda seen: seen.transpose(1, 0, 2),
    6: lambda seen: seen.transpose(1, 0, 2)[::-1],
    7: lambda seen: seen.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda seen: seen.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_exif_orientation(orientation: int, kind: str) -> None:
    seen = corners(16)
    seen[0:4, 6:8] = 255
    tag = Image.Exif()
    tag[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](seen)))
    pixels = decode(saved(stored, kind, exif=tag, **options), 16)
    tolerance = 40 if kind == "JPEG" else 0
    assert np.abs(pixels.astype(int) - seen).max() <= tolerance


def test_orientation_of_an_image_that_is_not_square() -> None:
    seen = np.zeros((4, 8, 3), np.uint8)
    seen[:, :2] = 255
    tag = Image.Exif()
    tag[0x0112] = 6
    pixels = decode(saved(Image.fromarray(np.ascontiguousarray(STORED[6](seen))), exif=tag), 8)
    assert (pixels[2:6] == seen).all() and (pixels[:2] == PADDING_GREY).all() and (pixels[6:] == PADDING_GREY).all()


def test_an_orientation_out_of_range_is_ignored() -> None:
    tag = Image.Exif()
    tag[0x0112] = 77
    assert (decode(saved(Image.fromarray(corners()), exif=tag), 8) == corners()).all()


def test_grayscale() -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    assert (decode(saved(Image.fromarray(grey)), 8) == grey[..., None]).all()


def test_one_bit() -> None:
    bits = Image.fromarray(corners()[..., 0]).convert("1")
    assert (decode(saved(bits), 8) == corners()[..., :1]).all()


def test_palette() -> None:
    image = Image.fromarray(corners()).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    assert image.mode == "P"
    assert (decode(saved(image), 8) == corners()).all()


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette_with_a_transparent_entry_becomes_white_there(kind: str) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (0, 0, 4, 8))
    pixels = decode(saved(image, kind, transparency=0), 8)
    assert (pixels[:, :4] == [0, 0, 255]).all() and (pixels[:, 4:] == 255).all()


def test_palette_with_half_transparent_entries() -> None:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([200, 0, 0])
    assert (decode(saved(image, transparency=bytes([128])), 4) == np.array([227, 127, 127])).all()


def test_rgba_is_laid_over_white() -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., 0] = 100
    pixels[:4, :, 3] = 255
    pixels[4:6, :, 3] = 51
    seen = decode(saved(Image.fromarray(pixels)), 8)
    assert (seen[:4] == [100, 0, 0]).all() and (seen[6:] == 255).all()
    assert np.abs(seen[4:6].astype(int) - [224, 204, 204]).max() <= 1


def test_la_is_laid_over_white() -> None:
    pixels = np.full((4, 4, 2), 40, np.uint8)
    pixels[..., 1] = [[255], [255], [0], [0]]
    bands = [Image.fromarray(np.ascontiguousarray(pixels[..., channel])) for channel in (0, 1)]
    seen = decode(saved(Image.merge("LA", bands)), 4)
    assert (seen[:2] == 40).all() and (seen[2:] == 255).all()


def test_rgb_with_a_transparent_colour() -> None:
    seen = decode(saved(Image.fromarray(corners()), transparency=(255, 0, 0)), 8)
    assert (seen[:4, :4] == 255).all() and (seen[:4, 4:] == [0, 255, 0]).all()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 255, 0  # full cyan, no black
    seen = decode(saved(Image.frombytes("CMYK", (16, 16), pixels.tobytes()), kind), 16).astype(int)
    assert np.abs(seen - [0, 255, 255]).max() <= 6


def test_sixteen_bit_png() -> None:
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    seen = decode(saved(Image.fromarray(values)), 8)
    assert np.abs(seen[..., 0].astype(int) - values / 257).max() <= 1 and (seen == seen[..., :1]).all()


def test_sixteen_bit_png_made_smaller() -> None:
    values = np.full((32, 32), 40000, np.uint16)
    assert np.abs(decode(saved(Image.fromarray(values)), 8).astype(int) - 40000 // 256).max() <= 1


def test_float_tiff() -> None:
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    assert np.abs(decode(saved(Image.fromarray(values), "TIFF"), 8)[..., 0] - values * 255).max() <= 0.51
    values[0, 0] = np.nan
    with pytest.raises(UnreadableImage, match="not numbers"):
        decode(saved(Image.fromarray(values), "TIFF"), 8)


def noise(size: tuple[int, int] = (40, 40)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))


def test_a_jpeg_cut_short_is_a_reason() -> None:
    data = saved(noise(), "JPEG")
    with pytest.raises(UnreadableImage, match="cut short"):
        decode(data[: len(data) // 2], 16)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_other_formats_cut_short_are_a_reason(kind: str) -> None:
    data = saved(noise(), kind)
    with quiet_decoding(), pytest.raises(UnreadableImage):
        decode(data[: len(data) // 2], 16)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"just some words\n" * 40, "not an image of a known format"),
        (b"", "empty"),
        (b"\xff\xd8\xff", "known format|cut short"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "known format"),
    ],
)
def test_what_is_no_image_is_a_reason(data: bytes, reason: str) -> None:
    for read in (lambda: decode(data, 8), lambda: dimensions(data)):
        with pytest.raises(UnreadableImage, match=reason):
            read()


def test_formats_outside_the_list_are_refused() -> None:
    with pytest.raises(UnreadableImage, match="known format"):
        decode(saved(noise(), "ICO"), 8)


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("shape", [(10_000, 9_000), (2_000_000_000, 1), (100_000, 100_000), (13_000, 13_000)])
def test_a_header_that_promises_too_many_pixels_is_refused_before_decoding(shape: tuple[int, int]) -> None:
    with (
        quiet_decoding(),
        pytest.raises(UnreadableImage, match=r"million pixels|exceeds limit|decompression bomb|too many"),
    ):
        decode(huge_png(*shape), 32)


def test_warnings_of_the_library_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with quiet_decoding():
            decode(saved(noise()), 8)
    assert caught == []


@pytest.mark.parametrize("resize", ["pad", "crop", "squash"])
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 2), (1, 1)])
def test_nothing_is_enlarged(resize: str, shape: tuple[int, int]) -> None:
    width, height = shape
    original = np.asarray(noise(shape))
    pixels = decode(saved(noise(shape)), 8, resize)
    top, left = (8 - height) // 2, (8 - width) // 2
    assert (pixels[top : top + height, left : left + width] == original).all()
    outside = np.ones((8, 8), bool)
    outside[top : top + height, left : left + width] = False
    assert (pixels[outside] == PADDING_GREY).all()


def bands(width: int, height: int) -> Image.Image:
    """Left third red, middle green, right third blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    third = width // 3
    pixels[:, :third, 0] = pixels[:, third : 2 * third, 1] = pixels[:, 2 * third :, 2] = 255
    return Image.fromarray(pixels)


def test_pad_keeps_all_of_the_image() -> None:
    pixels = decode(saved(bands(48, 16)), 24, "pad")
    assert (pixels[:8] == PADDING_GREY).all() and (pixels[16:] == PADDING_GREY).all()
    row = pixels[12].astype(int)
    assert row[2].tolist() == [255, 0, 0] and row[12].tolist() == [0, 255, 0] and row[21].tolist() == [0, 0, 255]


def test_crop_keeps_the_middle() -> None:
    pixels = decode(saved(bands(48, 16)), 8, "crop")
    assert (pixels[:, 1:-1] == [0, 255, 0]).all()


def test_squash_changes_the_proportions() -> None:
    pixels = decode(saved(bands(48, 16)), 12, "squash").astype(int)
    assert (
        pixels[0, 1].tolist() == [255, 0, 0]
        and pixels[-1, 6].tolist() == [0, 255, 0]
        and pixels[5, 10].tolist() == [0, 0, 255]
    )
    assert not (pixels == PADDING_GREY).all(axis=2).any()


def test_orientation_and_crop_together() -> None:
    tag = Image.Exif()
    tag[0x0112] = 6
    stored = np.ascontiguousarray(STORED[6](np.asarray(bands(48, 16))))
    assert (decode(saved(Image.fromarray(stored), exif=tag), 8, "crop")[:, 1:-1] == [0, 255, 0]).all()


def test_an_extremely_long_image() -> None:
    for resize in ("pad", "crop", "squash"):
        assert decode(saved(Image.new("RGB", (3000, 1), "red")), 16, resize).shape == (16, 16, 3)


def test_scaled_jpeg_decoding_keeps_the_picture() -> None:
    smooth = Image.fromarray(corners(256))
    assert np.abs(decode(saved(smooth, "JPEG", quality=95), 32).astype(int) - decode(saved(smooth), 32)).max() < 90
    assert decode(saved(smooth, "JPEG", quality=95), 32)[4, 4].tolist()[0] > 240


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"])
def test_dimensions_from_the_header(kind: str) -> None:
    assert dimensions(saved(noise((30, 20)), kind)) == (30, 20)


def pixels_or_reason(data: bytes, resize: str) -> tuple[np.ndarray | None, str]:
    """What the decoder gives; any other exception goes on."""
    try:
        return decode(data, 8, resize), ""
    except UnreadableImage as reason:
        return None, str(reason)


SEEDS = [saved(noise((13, 9)), kind) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM")] + [
    saved(Image.new("P", (5, 5)), "PNG", transparency=0),
    saved(Image.new("I;16", (5, 5))),
    saved(Image.new("CMYK", (9, 9)), "JPEG"),
]


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    st.integers(0, 10_000),
)
@settings(max_examples=500)
def test_mutated_images_give_pixels_or_a_reason_and_nothing_else(data: bytes, changes, keep: int) -> None:
    harmed = bytearray(data)
    for place, value in changes:
        harmed[place % len(harmed)] = value
    whole = bytes(harmed[: keep % (len(harmed) + 1) or len(harmed)])
    with quiet_decoding():
        for resize in ("pad", "crop", "squash"):
            pixels, reason = pixels_or_reason(whole, resize)
            if pixels is None:
                assert reason
            else:
                assert pixels.shape == (8, 8, 3) and pixels.dtype == np.uint8 and pixels.flags.c_contiguous


@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0", b"BM", b"P6\n9 9\n"]),
    st.binary(max_size=200),
)
@settings(max_examples=300)
def test_random_bytes_give_pixels_or_a_reason_and_nothing_else(start: bytes, rest: bytes) -> None:
    with quiet_decoding():
        pixels, reason = pixels_or_reason(start + rest, "pad")
    assert reason if pixels is None else pixels.shape == (8, 8, 3)
