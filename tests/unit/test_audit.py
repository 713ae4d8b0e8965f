"""The audit: planted duplicates, leaks and broken images are found, and what is only alike is left alone."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from babysit.data.audit.canvases import content_boxes
from babysit.data.audit.clusters import alike, joined
from babysit.data.audit.findings import audit
from babysit.data.audit.verdict import MOST_LINES, examine
from babysit.data.cache import FACTS, Cache, open_cache
from babysit.data.catalog import Catalog, Item, catalog_of
from babysit.data.decode import decode
from babysit.data.sources import open_source

SIDE = 32


def scene(number: int, side: int = SIDE) -> Image.Image:
    """A picture with a photograph's statistics: discs of all sizes over one another (the dead leaves model)."""
    generator = np.random.default_rng([7, number])
    image = Image.new("RGB", (4 * side, 4 * side))
    draw = ImageDraw.Draw(image)
    for _ in range(400):
        radius = min(2 * side, 3 / generator.uniform(0.02, 1))
        x, y = generator.uniform(0, 4 * side, 2)
        colour = tuple(np.clip(generator.normal(120, 60) + generator.normal(0, 25, 3), 0, 255).astype(int).tolist())
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    return image.resize((side, side), Image.Resampling.BOX)


def saved(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


COPIES = {
    "saved again": lambda image: saved(image, 75),
    "cropped by 2 on each side": lambda image: image.crop((2, 2, SIDE - 2, SIDE - 2)),
    "brighter by a tenth": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "smaller": lambda image: image.resize((26, 26), Image.Resampling.BILINEAR),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def pixels_of(image: Image.Image) -> np.ndarray:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return decode(stream.getvalue(), SIDE)


def data_of(images, *, labels=None, parts=None, sizes=None) -> tuple[Catalog, Cache]:
    """A catalog and a cache of pixels in memory."""
    pixels = np.stack([one if isinstance(one, np.ndarray) else pixels_of(one) for one in images])
    count = len(pixels)
    facts = np.zeros(count, FACTS)
    shape = sizes or [one.size if isinstance(one, Image.Image) else one.shape[1::-1] for one in images]
    facts["width"], facts["height"] = np.array(shape).T
    facts["frames"] = 1
    labels = labels or [number % 2 for number in range(count)]
    items = [
        Item(f"{number:05d}", f"class {labels[number]}", parts[number] if parts else "", "") for number in range(count)
    ]
    hashes = tuple(hashlib.blake2b(one.tobytes(), digest_size=16).hexdigest() for one in pixels)
    cache = Cache(Path("nowhere"), pixels, facts, hashes, {}, True)
    return catalog_of("data", items, lambda name: pixels[int(name)]), cache


def near_rows(found) -> set[tuple[int, int]]:
    return {(low, high) for low, high in found.near.rows.tolist()}


SCENES = [scene(number) for number in range(60)]


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_near_and_nothing_else_is(kind: str) -> None:
    copies = [COPIES[kind](image) for image in SCENES[:20]]
    found = audit(*data_of([*SCENES, *copies]), "pad")
    assert near_rows(found) <= {(number, 60 + number) for number in range(20)}
    assert len(found.near.rows) >= 19
    assert found.near.mirrored.all() == (kind == "mirrored")
    assert [found.clusters[60 + low] for low, _ in found.near.rows] == found.near.rows[:, 0].tolist()


def test_copies_of_copies_are_one_cluster() -> None:
    again = [saved(saved(SCENES[0], 85), 60), saved(SCENES[0], 60), saved(SCENES[0], 80)]
    found = audit(*data_of([*SCENES, *again]), "pad")
    assert found.clusters[[0, 60, 61, 62]].tolist() == [0] * 4
    assert len(np.unique(found.clusters)) == 60


def digits_at(side: int) -> list[Image.Image]:
    catalog = open_source("digits")
    return [Image.fromarray(catalog.read(row)).resize((side, side), Image.Resampling.BICUBIC) for row in range(700)]


def shapes() -> list[Image.Image]:
    generator = np.random.default_rng(3)
    drawn = []
    for _ in range(500):
        image = Image.new("RGB", (SIDE, SIDE), tuple(generator.integers(0, 256, 3).tolist()))
        left, top, size = generator.integers(2, 14, 3).tolist()
        ImageDraw.Draw(image).ellipse(
            [left, top, left + size + 4, top + size + 4], fill=tuple(generator.integers(0, 256, 3).tolist())
        )
        drawn.append(image)
    return drawn


def parts_on_a_conveyor() -> list[np.ndarray]:
    part = np.asarray(scene(0)).astype(float)
    generator = np.random.default_rng(4)
    return [np.clip(part + generator.normal(0, 6, part.shape), 0, 255).astype(np.uint8) for _ in range(300)]


def gradients() -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    ramp = np.linspace(0, 255, SIDE)
    slopes = generator.uniform(-1, 1, (300, 2))
    grey = [np.clip(ramp[:, None] * down + ramp * across + 90, 0, 255) for down, across in slopes]
    return [np.repeat(one[..., None], 3, axis=2).astype(np.uint8) for one in grey]


@pytest.mark.parametrize("kind", ["digits", "digits at 28 pixels", "shapes", "conveyor", "gradients", "noise"])
def test_what_is_alike_by_nature_is_not_cried_out(kind: str) -> None:
    """Hundreds of pairs of these look the same to a hash; a handful of chance twins is allowed, no more."""
    images = {
        "digits": lambda: digits_at(8),
        "digits at 28 pixels": lambda: digits_at(28),
        "shapes": shapes,
        "conveyor": parts_on_a_conveyor,
        "gradients": gradients,
        "noise": lambda: list(np.random.default_rng(6).integers(0, 256, (500, SIDE, SIDE, 3), np.uint8)),
    }[kind]()
    found = audit(*data_of(images), "pad")
    assert len(found.near.rows) <= len(images) // 200


def test_copies_are_found_among_what_is_alike() -> None:
    images = digits_at(28)
    found = audit(*data_of([*images, *(saved(image, 92) for image in images[:20])]), "pad")
    planted = {(number, 700 + number) for number in range(20)}
    assert len(near_rows(found) & planted) == 20 and len(near_rows(found) - planted) <= 8


def test_blank_images_are_blank_and_no_duplicates() -> None:
    blank = [Image.new("RGB", (SIDE, SIDE), (number % 7,) * 3) for number in range(2000)]
    found = audit(*data_of([*SCENES, *blank]), "pad")
    assert found.blank.tolist() == list(range(60, 2060))
    assert len(found.repeated) == 0 and len(found.near.rows) == 0
    assert found.clusters.tolist() == list(range(2060))


def test_equal_pixels_in_other_files_are_exact_unless_their_sizes_differ() -> None:
    catalog, cache = data_of([*SCENES, SCENES[0], SCENES[1], SCENES[2]])
    cache = replace(cache, hashes=(*cache.hashes[:61], "f" * 32, "e" * 32))
    cache.facts["width"][62] = 999
    found = audit(catalog, cache, "pad")
    assert found.exact[[60, 61]].tolist() == [0, 1]
    assert found.exact[62] == 62


@pytest.mark.parametrize("resize", ["pad", "crop", "squash"])
@pytest.mark.parametrize("size", [(40, 20), (20, 40), (10, 7), (33, 32), (100, 3), (32, 32)])
def test_the_box_is_where_the_decoder_put_the_image(resize: str, size: tuple[int, int]) -> None:
    stream = io.BytesIO()
    Image.new("RGB", size, (255, 0, 0)).save(stream, "PNG")
    canvas = decode(stream.getvalue(), SIDE, resize)
    catalog, cache = data_of([canvas, SCENES[0]], sizes=[size, (SIDE, SIDE)])
    top, left, height, width = content_boxes(cache, resize)[0].tolist()
    expected = np.zeros((SIDE, SIDE), bool)
    expected[top : top + height, left : left + width] = True
    assert ((canvas == (255, 0, 0)).all(axis=2) == expected).all()
    assert len(catalog) == 2


def leaky() -> tuple[Catalog, Cache]:
    """0 and 40 one picture in train and test, 1 and 41 with another label too, 2 and 42 near."""
    images = [*SCENES[:40], SCENES[0], SCENES[1], saved(SCENES[2], 80), *SCENES[50:55]]
    labels = [number % 2 for number in range(40)] + [0, 0, 0] + [1] * 5
    return data_of(images, labels=labels, parts=["train"] * 40 + ["test"] * 8)


def test_planted_leaks_and_labels_are_named() -> None:
    catalog, cache = leaky()
    examined = examine(catalog, cache, audit(catalog, cache, "pad"))
    related = examined.related
    named = [[catalog.names[row] for row in group] for group in related.leaks]
    assert sorted(named) == sorted([["00000", "00040"], ["00001", "00041"]])
    assert [[catalog.names[row] for row in group] for group in related.conflicts] == [["00001", "00041"]]
    assert [catalog.names[row] for row in related.dropped] == ["00000", "00001"]
    assert len(related.near_leaks) == 1 and len(related.near_conflicts) == 0
    said = {one.name: one for one in examined.findings}
    assert said["leaks"].count == 2 and "00000" in said["leaks"].says and "2 images" in said["leaks"].advice
    assert "'class 0' and 'class 1'" in said["conflicts"].says
    assert examined.findings[0].weight == "wrong" and len(examined.lines()) <= MOST_LINES
    assert examined.as_json()["left_out_of_training"] == [
        {"path": "00000", "same_as": "00040"},
        {"path": "00001", "same_as": "00041"},
    ]


def test_an_excluded_image_leaks_nowhere() -> None:
    catalog, cache = leaky()
    cache = replace(cache, excluded=(40, 42))
    related = examine(catalog, cache, audit(catalog, cache, "pad")).related
    assert [[catalog.names[row] for row in group] for group in related.leaks] == [["00001", "00041"]]
    assert [catalog.names[row] for row in related.dropped] == ["00001"] and len(related.near_leaks) == 0


def test_a_part_that_lacks_a_class_is_said() -> None:
    images = [scene(number) for number in range(12)]
    parts = ["train"] * 6 + ["val"] * 2 + ["test"] * 4
    catalog, cache = data_of(images, labels=[0, 1, 2] * 2 + [0, 2] + [0, 1, 2, 0], parts=parts)
    said = [one.says for one in examine(catalog, cache, audit(catalog, cache, "pad")).findings if one.name == "lacking"]
    assert said == ["val has no image of 'class 1'"]


def test_groups_that_the_data_tear_apart_and_classes_too_small_are_said() -> None:
    images = [scene(number) for number in range(12)]
    catalog, cache = data_of(images, labels=[0, 1] * 5 + [2, 0], parts=["train"] * 6 + ["test"] * 4 + ["train"] * 2)
    groups = ("p1", "", "p2", "p1", "", "", "", "", "p1", "", "p3", "p2")  # training rows come first
    catalog = replace(catalog, groups=groups)
    said = {one.name: one for one in examine(catalog, cache, audit(catalog, cache, "pad")).findings}
    assert (
        said["torn_groups"].says == "2 groups lie in two parts ('p1', 'p2')" and said["torn_groups"].weight == "wrong"
    )
    assert said["scarce"].says == "class 'class 2' has fewer than 2 images, one for each part"
    assert "test has no image of 'class 2'" in said["lacking"].says
    fewer = replace(cache, excluded=(8,))  # an excluded image is in no group
    said = {one.name: one for one in examine(catalog, fewer, audit(catalog, fewer, "pad")).findings}
    assert said["torn_groups"].says == "1 group lies in two parts ('p2')"


def test_class_names_and_folders_that_are_a_mistake_are_said() -> None:
    def said(names: list[str], classes: list[str]) -> dict[str, tuple[str, str]]:
        pictures = [scene(number) for number in range(len(names))]
        catalog, cache = data_of(pictures)
        labels = np.array([classes.index(name.split("/")[0]) for name in names])
        catalog = replace(catalog, names=tuple(names), classes=tuple(classes), labels=labels)
        return {
            one.name: (one.weight, one.says) for one in examine(catalog, cache, audit(catalog, cache, "pad")).findings
        }

    nested = [f"{part}/{name}/{row}" for part in ("training", "testing") for name in "ab" for row in range(3)]
    assert said(nested, ["training", "testing"])["nested"] == (
        "wrong",
        "the classes 'training' and 'testing' hold the same folders ('a', 'b'), as if those were the classes",
    )
    places = [f"{name}/{place}/{row}" for name in ("cats", "dogs") for place in ("in", "out") for row in range(3)]
    assert said(places, ["cats", "dogs"])["nested"][0] == "doubtful"
    assert "nested" not in said(places[:-3], ["cats", "dogs"])
    flat = [f"{name}/{row}" for name in ("Cat", "cat ", "caf\u00e9", "cafe\u0301") for row in range(3)]
    weight, says = said(flat, ["Cat", "cat ", "caf\u00e9", "cafe\u0301"])["twins"]
    assert weight == "doubtful" and says.endswith(r"('Cat' and 'cat '; 'caf\xe9' and 'cafe\u0301')")


def test_reasons_of_unreadable_files_are_said_commonest_first() -> None:
    catalog, cache = data_of([scene(number) for number in range(12)])
    cache = replace(cache, unreadable={1: "cut short", 3: "empty", 4: "empty", 7: "no image", 9: "too large"})
    said = {one.name: one for one in examine(catalog, cache, audit(catalog, cache, "pad")).findings}
    assert said["unreadable"].says == (
        "5 files cannot be read (00003: empty, and 1 more for that reason; 00001: cut short; 00007: no image; ...)"
    )


def test_clean_data_have_no_findings() -> None:
    images = [scene(number) for number in range(100, 220)]
    catalog, cache = data_of(images)
    examined = examine(catalog, cache, audit(catalog, cache, "pad"))
    assert examined.findings == () and examined.lines() == []


def test_imbalance_and_small_classes_are_said() -> None:
    catalog, cache = data_of([scene(number) for number in range(90)], labels=[0] * 84 + [1] * 6)
    examined = examine(catalog, cache, audit(catalog, cache, "pad"))
    assert [one.name for one in examined.findings] == ["imbalance", "few"]
    assert "93%" in examined.findings[0].advice


def test_the_audit_is_kept_beside_the_cache_and_found_again(tmp_path: Path, monkeypatch) -> None:
    for number in range(8):
        folder = tmp_path / "data" / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        scene(3 if number == 7 else number).save(folder / f"{number}.png")
    catalog = open_source(str(tmp_path / "data"))
    cache = open_cache(catalog, SIDE, "pad", progress=lambda _: None)
    first = audit(catalog, cache, "pad")
    assert len(first.repeated) == 1
    monkeypatch.setattr("babysit.data.audit.findings._search", lambda *_: pytest.fail("searched again"))
    again = audit(catalog, cache, "pad")
    assert (again.exact == first.exact).all() and (again.clusters == first.clusters).all()
    monkeypatch.undo()
    for kept in cache.path.glob("audit-*"):
        kept.write_bytes(kept.read_bytes()[:100])
    assert (audit(catalog, cache, "pad").exact == first.exact).all()


def test_a_rotten_block_is_mended_before_it_is_looked_at(tmp_path: Path) -> None:
    for number in range(8):
        folder = tmp_path / "data" / f"class{number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        scene(number).save(folder / f"{number}.png")
    catalog = open_source(str(tmp_path / "data"))
    pixels = open_cache(catalog, SIDE, "pad", progress=lambda _: None).path / "pixels.u8"
    whole = pixels.read_bytes()
    pixels.write_bytes(bytes(len(whole)))
    found = audit(catalog, open_cache(catalog, SIDE, "pad", progress=lambda _: None), "pad")
    assert len(found.blank) == 0 and pixels.read_bytes() == whole


def test_unreadable_rows_are_nobodys_duplicates() -> None:
    catalog, cache = data_of([*SCENES[:20], SCENES[0], SCENES[0]])
    cache.pixels[[3, 4]] = 0
    cache = replace(
        cache, unreadable={3: "cut short", 4: "empty"}, hashes=(*cache.hashes[:3], "-", "-", *cache.hashes[5:])
    )
    found = audit(catalog, cache, "pad")
    assert found.repeated.tolist() == [20, 21] and len(found.blank) == 0


@given(st.integers(1, 30), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_joined_is_what_walking_the_pairs_gives(count: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [(a, b) for a, b in pairs if a < count and b < count]
    member = list(range(count))
    for _ in range(count):
        for a, b in pairs:
            member[a] = member[b] = min(member[a], member[b])
    assert joined(count, np.array(pairs, np.int64).reshape(-1, 2)).tolist() == member
    groups = {tuple(np.flatnonzero(np.array(member) == number)) for number in set(member) if member.count(number) > 1}
    assert {tuple(group) for group in alike(np.array(member))} == groups
