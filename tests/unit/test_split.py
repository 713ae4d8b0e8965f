"""The split: whole units, shares, every class, growth with a memory, a split given back, folds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from babysit.data import split_memory
from babysit.data.catalog import PARTS, Catalog
from babysit.data.folds import fold_split
from babysit.data.split import Split, split
from babysit.data.split_file import read_split, split_as_listed, split_table
from babysit.data.split_memory import Wish
from babysit.data.units import content_array, units_of
from babysit.errors import UserError

SHARES = (0.2, 0.1)


def content(number: int) -> str:
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Images:
    """Images as columns: a class, a number that stands for the bytes, a group, a cluster, a given part, usable or not."""

    labels: list[int]
    numbers: list[int]
    groups: list[str]
    clusters: list[int]
    parts: list[str]
    usable: list[bool]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def hashes(self) -> list[str]:
        return [content(number) for number in self.numbers]

    def catalog(self) -> Catalog:
        count = len(self)
        return Catalog(
            source="test",
            classes=tuple(f"class {label}" for label in range(max(self.labels) + 1)),
            names=tuple(f"{place:05d}.png" for place in range(count)),
            labels=np.array(self.labels, np.int64),
            parts=tuple(self.parts),
            stamps=("",) * count,
            groups=tuple(self.groups),
            read=lambda _: b"",
        )

    def cut(self, *, seed: int = 0, shares=SHARES, known=None) -> Split:
        return split(
            self.catalog(),
            self.hashes,
            np.array(self.usable),
            shares=shares,
            seed=seed,
            clusters=np.array(self.clusters, np.int64),
            known=known,
        )

    def units(self) -> list[int]:
        """The unit of each image, of usable ones only; tested by its own oracle."""
        rows = np.flatnonzero(self.usable)
        found = np.full(len(self), -1)
        found[rows] = units_of(
            [self.groups[row] for row in rows], content_array(self.hashes)[rows], np.array(self.clusters)[rows]
        )
        return found.tolist()

    def at(self, order: list[int]) -> Images:
        return Images(*([column[row] for row in order] for column in vars(self).values()))

    def and_also(self, other: Images) -> Images:
        return Images(*(one + more for one, more in zip(vars(self).values(), vars(other).values(), strict=True)))


def plain(counts: list[int], **columns) -> Images:
    """Images of distinct contents with nothing that joins them: so many of each class."""
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    count = len(labels)
    empty = {
        "numbers": list(range(count)),
        "groups": [""] * count,
        "clusters": list(range(count)),
        "parts": [""] * count,
        "usable": [True] * count,
    }
    return Images(labels, **{**empty, **columns})


@st.composite
def images(draw, most: int = 60, *, given_parts: bool = True) -> Images:
    """Random images: classes of any size, groups and clusters across classes, equal contents, unusable ones."""
    counts = draw(st.lists(st.integers(1, most), min_size=2, max_size=5))
    count = sum(counts)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    joined = draw(st.sampled_from([0.0, 0.05, 0.3, 0.9]))
    few = max(2, count // draw(st.integers(2, 20)))

    def some(names: np.ndarray) -> list:
        return np.where(generator.random(count) < joined, names, np.arange(count) + 10_000).tolist()

    groups = np.where(generator.random(count) < joined, [f"g{one}" for one in generator.integers(0, few, count)], "")
    layouts = [[""], ["train", "test"], ["train", "train", "val", "test"], ["", "train", "test"]]
    layout = draw(st.sampled_from(layouts if given_parts else layouts[:1]))
    return plain(
        counts,
        numbers=some(generator.integers(0, 3 * few, count)),
        groups=groups.tolist(),
        clusters=some(generator.integers(0, few, count)),
        parts=[layout[one] for one in generator.integers(0, len(layout), count)],
        usable=(generator.random(count) > draw(st.sampled_from([0.0, 0.2]))).tolist(),
    )


def cut_or_skip(made: Images, **how) -> Split:
    """The split; images that cannot be split at all say so with an error, which has tests of its own."""
    try:
        return made.cut(**how)
    except UserError:
        assume(False)
        raise


# ---------------------------------------------------------------- units, shares, classes


@given(images(), st.integers(0, 2**40))
@settings(max_examples=120)
def test_every_usable_image_is_in_one_part_and_no_unit_on_two_sides(made: Images, seed: int) -> None:
    cut = cut_or_skip(made, seed=seed)
    rows = np.concatenate(list(cut.rows.values()))
    assert sorted(rows.tolist()) == np.flatnonzero(made.usable).tolist()
    part = cut.parts()
    own_validation = "val" in made.parts
    fixed = {"val", "test", "train"} if own_validation else {"val", "test"}
    free: dict[int, set[int]] = {}
    held: dict[int, set[int]] = {}
    for row, (unit, was) in enumerate(zip(made.units(), made.parts, strict=True)):
        if unit < 0:
            continue
        if was in fixed:
            assert PARTS[part[row]] == was
            if was != "train":
                held.setdefault(unit, set()).add(part[row])
    for row, (unit, was) in enumerate(zip(made.units(), made.parts, strict=True)):
        if unit < 0 or was in fixed:
            continue
        if was == "" and unit in held:
            assert part[row] == max(held[unit]), "a duplicate of a held-out image is held out with it"
        else:
            free.setdefault(unit, set()).add(part[row])
    assert all(len(parts) == 1 for parts in free.values())


@given(st.data(), st.integers(0, 2**40))
@settings(max_examples=40)
def test_the_shares_of_large_classes_are_within_two_points(data, seed: int) -> None:
    """Units of up to five images, across classes: small against a class of 100, so they can always be evened out."""
    counts = data.draw(st.lists(st.integers(100, 300), min_size=2, max_size=5))
    shares = data.draw(st.sampled_from([(0.2, 0.1), (0.1, 0.1), (0.15, 0.15), (0.3, 0.05)]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    count = sum(counts)
    largest = data.draw(st.integers(1, 5))
    groups = [""] * count
    order = generator.permutation(count) if data.draw(st.booleans()) else np.arange(count)
    for number, row in enumerate(order.tolist()):
        groups[row] = f"g{number // largest}"
    made = plain(counts, groups=groups)
    cut = made.cut(seed=seed, shares=shares)
    wished = {"train": 1 - sum(shares), "val": shares[0], "test": shares[1]}
    for name, share in wished.items():
        held = np.bincount(np.array(made.labels)[cut.rows[name]], minlength=len(counts))
        for found, total in zip(held, counts, strict=True):
            assert abs(found / total - share) <= 0.02 + 1e-9, (name, held, counts)
    assert cut.notes == ()


def test_units_too_large_for_the_shares_are_said() -> None:
    made = plain([120, 120], groups=[f"g{row // 40}" for row in range(240)])
    cut = made.cut()
    assert all(len(set(cut.parts()[start : start + 40])) == 1 for start in range(0, 240, 40))
    assert all(len(rows) for rows in cut.rows.values()), "three units: one for each part"
    assert any("'class 0', 'class 1'" in note and "more than 2 points" in note for note in cut.notes)


@given(images(given_parts=False), st.integers(0, 1000))
@settings(max_examples=80)
def test_a_class_that_is_missing_from_a_part_is_said_and_one_of_three_single_images_is_not(
    made: Images, seed: int
) -> None:
    cut = cut_or_skip(made, seed=seed)
    labels, units = np.array(made.labels), made.units()
    sizes = {unit: units.count(unit) for unit in units}
    for name in ("val", "test"):
        held = set(labels[cut.rows[name]].tolist())
        for label in sorted(set(labels[made.usable].tolist())):
            if label not in held:
                assert (
                    any(f"'class {label}'" in note and name in note for note in cut.notes)
                    or sum(labels[made.usable] == label) == 1
                )
                singles = [unit for unit, own in zip(units, labels, strict=True) if own == label and sizes[unit] == 1]
                assert len(singles) < 3 or any(units.count(unit) > 1 for unit in units if unit >= 0)


@pytest.mark.parametrize(
    ("count", "parts", "said"),
    [
        (1, {"train": 1}, "'class 1': one image, too few to hold any out"),
        (2, {"train": 1, "val": 1}, "'class 1': two images: one is trained on, one held out, none is in test"),
        (3, {"train": 1, "val": 1, "test": 1}, ""),
    ],
)
def test_a_tiny_class_gets_a_sentence(count: int, parts: dict[str, int], said: str) -> None:
    made = plain([40, count])
    cut = made.cut()
    held = {name: sum(made.labels[row] == 1 for row in rows) for name, rows in cut.rows.items()}
    assert {name: number for name, number in held.items() if number} == parts
    assert (said in cut.notes[0]) if said else cut.notes == ()


def test_a_given_part_that_lacks_a_class_is_said() -> None:
    parts = ["train"] * 8 + ["val"] * 2 + ["train"] * 10 + ["train"] * 9 + ["val"]
    cut = plain([10, 10, 10], parts=parts).cut()
    assert cut.notes == ("class 'class 1': no image in val: all are trained on; "
                         "not scored there, the others are, by name",)  # fmt: skip


def test_why_nothing_can_be_held_out_is_said() -> None:
    with pytest.raises(UserError, match=r"each of the 30 classes has one image. Is the label a number"):
        plain([1] * 30).cut()
    with pytest.raises(UserError, match=r"\(20 images are 1 such unit\). Give more groups"):
        plain([10, 10], groups=["all"] * 20).cut()


def test_a_group_that_the_data_tear_apart_is_said() -> None:
    parts = (["train"] * 8 + ["test"] * 2) * 2
    groups = ["p1"] * 2 + [""] * 6 + ["p1", "p2"] + [""] * 10
    cut = plain([10, 10], parts=parts, groups=groups).cut()
    assert "1 group in two of the parts that the data bring: 'p1'" in cut.notes


def test_all_in_one_group_is_said() -> None:
    with pytest.raises(UserError, match="images of one group, and near duplicates, stay together"):
        plain([10, 10], groups=["one"] * 20).cut()


@given(images(), st.integers(0, 100), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_names_and_order_play_no_part(made: Images, seed: int, random) -> None:
    order = list(range(len(made)))
    random.shuffle(order)
    try:
        one = made.cut(seed=seed).parts()
    except UserError as error:
        with pytest.raises(UserError, match=error.faults[0].what[:10]):
            made.at(order).cut(seed=seed)
        return
    other = made.at(order).cut(seed=seed).parts()
    assert [one[row] for row in order] == other.tolist()


# ---------------------------------------------------------------- growth


@given(images(given_parts=False), images(20, given_parts=False), st.integers(0, 100))
@settings(max_examples=120)
def test_a_known_image_moves_only_when_its_unit_joins_two_parts_and_is_named(
    first: Images, more: Images, seed: int
) -> None:
    before = cut_or_skip(first, seed=seed).parts()
    # New images of the same classes; some share content, group or cluster with old ones, in all ways at once.
    more = replace(more, labels=[label % (max(first.labels) + 1) for label in more.labels])
    grown = first.and_also(more)
    known = np.concatenate([before, np.full(len(more), -1, np.int8)])
    cut = cut_or_skip(grown, seed=seed, known=known)
    if any("are not kept" in note for note in cut.notes):
        assert not cut.moved and cut.by_rule
        return
    after, units = cut.parts(), grown.units()
    of_unit: dict[int, set[int]] = {}
    for row in np.flatnonzero(known >= 0).tolist():
        of_unit.setdefault(units[row], set()).add(int(known[row]))
    trained = {first.labels[row] for row in np.flatnonzero(known == 0).tolist()}
    for row in np.flatnonzero(known >= 0).tolist():
        joined = len(of_unit[units[row]]) > 1
        if joined:
            assert after[row] == min(of_unit[units[row]]), "to the part that has been seen most"
        else:
            assert after[row] == known[row] or first.labels[row] not in trained
        if after[row] != known[row]:
            assert cut.moved[row] == PARTS[known[row]] and PARTS.index(cut.moved[row]) > after[row]
    assert set(cut.moved) == {row for row in np.flatnonzero(known >= 0).tolist() if after[row] != known[row]}
    if cut.moved:
        assert any(grown.catalog().names[min(cut.moved)] in note for note in cut.notes)
    assert not ({0} & {int(known[row]) for row in cut.moved}), "what was trained on never becomes a test"


def test_new_images_fill_the_shares_and_a_deviation_that_stays_is_said() -> None:
    small = plain([100, 100])
    known = np.concatenate([small.cut().parts(), np.full(200, -1, np.int8)])
    grown = plain([100, 100]).and_also(plain([100, 100], numbers=list(range(500, 700)), clusters=list(range(500, 700))))
    cut = grown.cut(known=known)
    assert (cut.parts()[:200] == known[:200]).all() and not cut.by_rule
    for name, share in (("val", 0.2), ("test", 0.1)):
        assert np.bincount(np.array(grown.labels)[cut.rows[name]]).tolist() == [200 * share] * 2
    everything = np.zeros(400, np.int8)
    everything[0], everything[399] = 1, 1
    cut = grown.cut(known=everything)
    assert any("more than 2 points" in note and "earlier split" in note for note in cut.notes)


def test_a_memory_never_leaves_a_class_untrained() -> None:
    made = plain([30, 10])
    known = np.zeros(40, np.int8)
    known[30:] = 1
    cut = made.cut(known=known)
    assert 1 in np.array(made.labels)[cut.train] and len(cut.moved) == 1
    nothing = made.cut(known=np.zeros(40, np.int8))
    assert len(nothing.validation) and any("no image for validation" in note for note in nothing.notes)


# ---------------------------------------------------------------- memory


WISH = Wish(0, None, None, ("val", "test"))


def hashes_of(*numbers: range) -> np.ndarray:
    return content_array([content(number) for some in numbers for number in some])


def parts_for(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, count).astype(np.int8)


def test_what_was_remembered_is_recalled_by_content_seed_and_shares() -> None:
    own, parts = hashes_of(range(500)), parts_for(500)
    assert (split_memory.recall(WISH, own) == -1).all()
    assert split_memory.remember(WISH, own, parts) == ""
    order = np.random.default_rng(1).permutation(500)
    assert (split_memory.recall(WISH, own[order]) == parts[order]).all()
    for other in (replace(WISH, seed=1), replace(WISH, test=0.1), replace(WISH, cut=("val",))):
        assert (split_memory.recall(other, own) == -1).all()


@pytest.mark.parametrize(
    ("ours", "found"),
    [
        ([range(300), range(5000, 5100)], 300),  # grown
        ([range(100)], 100),  # a part of it
        ([range(1200), range(5000, 5100)], 1000),  # a little grown
        ([range(300), range(5000, 9000)], 0),  # other data that share a few
        ([range(1000), range(5000, 90_000)], 1000),  # swallowed by much more
    ],
)
def test_an_earlier_split_counts_when_half_of_either_side_is_shared(ours: list[range], found: int) -> None:
    own, parts = hashes_of(range(1000)), parts_for(1000)
    split_memory.remember(WISH, own, parts)
    known = split_memory.recall(WISH, hashes_of(*ours))
    assert (known >= 0).sum() == found
    assert (known[:100] == (parts[:100] if found else -1)).all()


def test_of_several_memories_the_newest_answers_unless_one_is_of_exactly_these_images() -> None:
    import os

    zeros, ones = np.zeros(100, np.int8), np.ones(150, np.int8)
    split_memory.remember(WISH, hashes_of(range(100)), zeros)
    first = next((split_memory.state_home() / "splits").iterdir())
    os.utime(first, (1, 1))
    split_memory.remember(WISH, hashes_of(range(150)), ones)
    assert (split_memory.recall(WISH, hashes_of(range(100))) == 0).all(), "a rerun is the same"
    assert (split_memory.recall(WISH, hashes_of(range(120))) == 1).all(), "the newest answers"
    split_memory.remember(WISH, hashes_of(range(500, 600)), zeros)
    merged = split_memory.recall(WISH, hashes_of(range(150), range(500, 600)))
    assert (merged[:150] == 1).all() and (merged[150:] == 0).all(), "two data sets put together keep both"


@given(st.sets(st.integers(0, 300), min_size=1), st.lists(st.integers(-5, 305), min_size=1))
def test_bisection_finds_what_searchsorted_finds(numbers: set[int], wanted: list[int]) -> None:
    lines = np.zeros(len(numbers), split_memory.LINE)
    lines["hash"] = np.sort(content_array([content(number) for number in numbers]))
    asked = content_array([content(number) for number in wanted])
    assert (split_memory._bisected(lines, asked) == np.searchsorted(lines["hash"], asked)).all()


@pytest.mark.parametrize("damage", ["empty", "cut", "header", "parts", "binary"])
def test_a_rotten_memory_is_no_memory_and_no_failure(damage: str) -> None:
    own = hashes_of(range(50))
    split_memory.remember(WISH, own, parts_for(50))
    file = next((split_memory.state_home() / "splits").iterdir())
    whole = file.read_bytes()
    rotten = {
        "empty": b"",
        "cut": whole[:-7],
        "header": b"[]" + whole,
        "parts": whole.replace(b" train", b" trane").replace(b" val  ", b" value").replace(b" test ", b" toast"),
        "binary": bytes(range(256)) * 30,
    }
    file.write_bytes(rotten[damage])
    assert (split_memory.recall(WISH, own) == -1).all()


def test_a_state_folder_that_cannot_be_written_is_a_note(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("BABYSIT_STATE", str(tmp_path / "file"))
    own = hashes_of(range(50))
    assert "could not be remembered" in split_memory.remember(WISH, own, parts_for(50))
    assert (split_memory.recall(WISH, own) == -1).all()


def test_old_memories_are_pruned(monkeypatch) -> None:
    monkeypatch.setattr(split_memory, "MOST_FILES", 3)
    for number in range(6):
        split_memory.remember(WISH, hashes_of(range(number * 100, number * 100 + 20)), parts_for(20))
    assert len(list((split_memory.state_home() / "splits").iterdir())) == 3
    assert (split_memory.recall(WISH, hashes_of(range(500, 520))) >= 0).all()
    monkeypatch.setattr(split_memory, "MOST_BYTES", 1)
    split_memory.remember(WISH, hashes_of(range(700, 720)), parts_for(20))
    assert len(list((split_memory.state_home() / "splits").iterdir())) == 1


# ---------------------------------------------------------------- a split given back


def given_back(made: Images, table: str, folder: Path) -> Split:
    file = folder / "split.csv"
    file.write_text(table, encoding="utf-8", newline="")
    return split_as_listed(
        made.catalog(),
        made.hashes,
        np.array(made.usable),
        file=read_split(file),
        clusters=np.array(made.clusters, np.int64),
    )


@given(images(), st.integers(0, 100))
@settings(max_examples=60)
def test_a_table_given_back_is_the_same_split(tmp_path_factory, made: Images, seed: int) -> None:
    cut = cut_or_skip(made, seed=seed)
    again = given_back(made, split_table(made.catalog(), cut), tmp_path_factory.mktemp("split"))
    assert (again.parts() == cut.parts()).all() and not any("split.csv" in note for note in again.notes)


def test_new_images_are_trained_on_and_gone_ones_are_said(tmp_path: Path) -> None:
    made = plain([20, 20])
    cut = made.cut()
    table = split_table(made.catalog(), cut)
    val = int(cut.validation[0])
    more = plain([2, 1], numbers=[1000, 1001, made.numbers[val]], clusters=[1000, 1001, 1002])
    gone = int(cut.train[0])
    left = made.at([row for row in range(40) if row != gone]).and_also(more)
    again = given_back(left, table, tmp_path)
    was = np.delete(cut.parts(), gone)
    assert (again.parts()[:39] == was).all()
    assert again.parts()[39:].tolist() == [0, 0, 1], "a copy of a held-out image is held out with it"
    assert any("2 images not in" in note and "2 to train" in note for note in again.notes)
    assert any("1 image listed" in note for note in again.notes)


def test_without_hashes_the_paths_count_and_labels_of_the_data_win(tmp_path: Path) -> None:
    made = plain([4, 4])
    lines = [f"{name},{'class 1' if place == 0 else ''},{part}" for place, (name, part) in enumerate(
        zip(made.catalog().names, ["train", "valid", "test", "train"] * 2, strict=True))]  # fmt: skip
    again = given_back(made, "path,label,part\r\n" + "\r\n".join(lines), tmp_path)
    assert again.parts().tolist() == [0, 1, 2, 0] * 2
    assert any("another label" in note and "00000.png" in note for note in again.notes)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "no column 'path'"),
        ("path,label\na,b\n", "no column 'part'"),
        ("path,part\n00000.png,training\n", "split.csv:2: 'training' is not a part"),
        ("path,part\n", "lists no image"),
        ("path,part\nother.png,train\n", "none of them is in test"),
        ("path,part\n00000.png,train\n00004.png,train\n", "too few images to hold any out"),
        ("path,part\n" + "".join(f"{row:05d}.png,val\n" for row in range(8)), "no readable training image"),
        ("path,part\n" + "".join(f"{row:05d}.png,val\n" for row in range(8)), "or leave --split"),
        ('path,part\n"' + "x" * 200_000 + '",train\n', "not a CSV file"),
    ],
)
def test_a_wrong_table_gets_a_readable_message(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        given_back(plain([4, 4]), table, tmp_path)
    assert said in str(raised.value)


@pytest.mark.parametrize("kind", ["absent", "binary", "folder"])
def test_a_file_that_is_no_table_gets_a_readable_message(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "split.csv"
    if kind == "binary":
        file.write_bytes(b"\xff\xfe\x00")
    elif kind == "folder":
        file.mkdir()
    with pytest.raises(UserError, match="the split file cannot be read"):
        read_split(file)


def test_names_of_any_kind_survive_the_table_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    names = ("=1+1.png", 'a,b\n"c".png', "'quoted.png", "\udcff.png", "-x.png", "\u202egnp.png", "ok.png", "@.png")
    made = plain([4, 4])
    catalog = replace(made.catalog(), names=names, classes=("=cmd()", "b"))
    cut = split(catalog, made.hashes, np.ones(8, bool), shares=SHARES, seed=0)
    table = split_table(catalog, cut)
    assert not any(line.startswith(("=", "-", "@", '"=')) or ",=" in line for line in table.splitlines())
    blind = "\n".join(line.rpartition(",")[0] for line in table.replace('\n""c', '\\n""c').splitlines())
    (tmp_path / "split.csv").write_text(blind.replace('\\n""c', '\n""c'), encoding="utf-8", newline="")
    again = split_as_listed(catalog, made.hashes, np.ones(8, bool), file=read_split(tmp_path / "split.csv"))
    assert (again.parts() == cut.parts()).all() and not again.notes[: len(again.notes) - len(cut.notes)]


# ---------------------------------------------------------------- folds


@given(images(given_parts=False), st.integers(2, 6), st.integers(0, 100))
@settings(max_examples=80)
def test_each_image_is_validated_once_and_the_test_part_is_the_same(made: Images, folds: int, seed: int) -> None:
    base = cut_or_skip(made, seed=seed)
    clusters = np.array(made.clusters, np.int64)
    try:
        cuts = [
            fold_split(made.catalog(), base, folds=folds, fold=fold, seed=seed, clusters=clusters)
            for fold in range(1, folds + 1)
        ]
    except UserError:
        with pytest.raises(UserError, match="fill only"):
            fold_split(made.catalog(), base, folds=folds, fold=1, seed=seed, clusters=clusters)
        return
    units, labels = np.array(made.units()), np.array(made.labels)
    times = np.zeros(len(made), int)
    for cut in cuts:
        assert (cut.rows["test"] == base.rows["test"]).all()
        assert set(units[cut.train]) & set(units[cut.validation]) == set()
        assert set(labels[cut.train]) == set(labels[np.concatenate([base.train, base.validation])])
        times[cut.validation] += 1
        pool = np.sort(np.concatenate([cut.train, cut.validation]))
        assert (pool == np.sort(np.concatenate([base.train, base.validation]))).all()
    shared = np.concatenate([base.train, base.validation])
    assert times.max() == 1
    for row in shared[times[shared] == 0].tolist():
        own = labels[units == units[row]]
        assert any(
            len({int(times[at]) for at in shared if labels[at] == label and units[at] != units[row]}) <= 1
            for label in own
        ), "only a class that cannot be divided is trained on in every fold"


@given(st.lists(st.integers(1, 90), min_size=2, max_size=6), st.integers(2, 8))
@settings(max_examples=60)
def test_folds_of_single_images_are_even_in_every_class_and_altogether(counts: list[int], folds: int) -> None:
    made = plain([max(count, folds) for count in counts])
    base = replace(made.cut(), rows={"train": np.arange(len(made)), "val": np.arange(0), "test": np.arange(0)})
    cuts = [fold_split(made.catalog(), base, folds=folds, fold=fold, seed=0) for fold in range(1, folds + 1)]
    table = np.array([np.bincount(np.array(made.labels)[cut.validation], minlength=len(counts)) for cut in cuts])
    assert (table.max(0) - table.min(0) <= 1).all() and np.ptp(table.sum(1)) <= 1


def test_too_many_folds_are_said() -> None:
    made = plain([3, 3])
    with pytest.raises(UserError, match="fill only"):
        fold_split(made.catalog(), made.cut(), folds=50, fold=1, seed=0)
