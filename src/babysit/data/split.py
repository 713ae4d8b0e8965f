"""Split: which image is in which part, as indices plus each file's content hash.

Decided by seed and content. Images of one group, near-duplicate cluster or content are a unit and stay together; units
are ranked by a keyed hash of their smallest content hash, and the first of each class go to test, the next to
validation. File names, order and the file system play no part.

A rule without memory cannot keep both exact shares and every image's part when images are added: by induction over
the images added, the part of an image could depend on that image alone, so the counts would be binomial. So the parts
that images had in an earlier split can be given (`known`): they are kept, and only new images fill the shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from babysit.data.assign import FREE, TEST, TRAIN, VALIDATION, assign, off_share, pool_of
from babysit.data.catalog import PARTS, Catalog
from babysit.data.units import content_array, unit_keys, units_of
from babysit.errors import UserError
from babysit.show import plural

UNKNOWN = -1
MOST_NAMED = 5


@dataclass(frozen=True)
class Split:
    """Rows by part, each sorted, and the content hash of every row.

    `remarks` are sentences for the user, `absent` those on classes that a part lacks; `moved` the rows that left the part of an earlier split, with that part;
    `by_rule` whether seed and content alone decided, so that the same comes out anywhere.
    """

    rows: dict[str, NDArray[np.int64]]
    hashes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    moved: dict[int, str] = field(default_factory=dict)
    by_rule: bool = True

    @property
    def notes(self) -> tuple[str, ...]:
        """All sentences for the user."""
        return (*self.remarks, *self.absent)

    @property
    def train(self) -> NDArray[np.int64]:
        """Rows of the training part."""
        return self.rows["train"]

    @property
    def validation(self) -> NDArray[np.int64]:
        """Rows of the validation part."""
        return self.rows["val"]

    def parts(self) -> NDArray[np.int8]:
        """The part of each row as a place in PARTS, UNKNOWN for a row in none; shape (n,)."""
        return parts_of(self.rows, len(self.hashes))


def default_share(count: int) -> float:
    """The share of images cut for validation: a tenth, more (up to a fifth) where that is under 1,000 images.

    >>> default_share(50_000), default_share(1_797)
    (0.1, 0.2)
    """
    return float(min(0.2, max(0.1, 1000 / max(count, 1))))


def split(
    catalog: Catalog,
    hashes: Sequence[str],
    usable: NDArray[np.bool_],
    *,
    shares: tuple[float, float],
    seed: int,
    clusters: NDArray[np.int64] | None = None,
    known: NDArray[np.int8] | None = None,
) -> Split:
    """Cuts validation (and test) where the data do not bring them; each class in the same proportion.

    Arguments:
        hashes: content hash of each image.
        usable: which images could be decoded.
        shares: of validation and of test; a share of a part that the data bring is not used.
        seed: of the cut.
        clusters: images with equal numbers are near duplicates and stay together, shape (n,); none without it.
        known: the part of each image in an earlier split as a place in PARTS, or UNKNOWN, shape (n,). It is kept,
            unless a unit has images in two parts: then all of it goes to the part that has been seen most (train,
            else validation), since what was trained on can no longer test.

    Raises:
        UserError: when a class has no usable training image, or validation would be empty.
    """
    contents = content_array(hashes)
    units = units_within(catalog, contents, usable, clusters)
    part = given_parts(catalog, units)
    notes = _given_notes(catalog, units, part)
    before = np.full(len(hashes), UNKNOWN, np.int8)
    by_rule = True
    if not catalog.has_validation:
        free = np.flatnonzero(usable & (part == TRAIN))
        cut_shares = shares[0], 0.0 if any(catalog.parts) else shares[1]
        if known is not None:
            before[free] = np.where((known[free] == TEST) & (cut_shares[1] == 0), UNKNOWN, known[free])
        drawn = in_draw_order(units[free], contents[free], seed)
        pool = pool_of(drawn, catalog.labels[free], len(catalog.classes))
        fresh = assign(pool, cut_shares, np.full(len(pool.sizes), FREE, np.int64))
        pinned = _pinned(drawn, before[free], len(pool.sizes))
        chosen = fresh if (pinned == FREE).all() else assign(pool, cut_shares, pinned)
        if (fresh == VALIDATION).any() and not (chosen == VALIDATION).any():
            chosen, before = fresh, np.full_like(before, UNKNOWN)
            notes.append("the parts of an earlier split are not kept: they would leave no image for validation")
        by_rule = bool((chosen == fresh).all())
        part[free] = chosen[drawn]
        notes += _share_notes(catalog, off_share(pool, chosen, cut_shares), cut_shares, by_rule=by_rule)
    part[~usable] = UNKNOWN
    rows = {name: np.flatnonzero(part == number).astype(np.int64) for number, name in enumerate(PARTS)}
    check_parts(catalog, rows, units=units)
    left = np.flatnonzero((before != UNKNOWN) & (part != before))
    moved = {row: PARTS[before[row]] for row in left.tolist()}
    if not by_rule:
        notes += _memory_notes(catalog, before, part, moved)
    return Split(rows, tuple(hashes), tuple(notes), lacking_notes(catalog, rows, _expected(catalog)), moved, by_rule)


def joined(cut: Split) -> Split:
    """The split with validation in the training part, so that nothing is left to choose by."""
    rows = {**cut.rows, "train": np.sort(np.concatenate([cut.train, cut.validation])), "val": cut.validation[:0]}
    return replace(cut, rows=rows, absent=())


def units_within(
    catalog: Catalog, contents: NDArray[np.bytes_], usable: NDArray[np.bool_], clusters: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """The unit of each usable row, -1 for the others, shape (n,)."""
    rows = np.flatnonzero(usable)
    groups = [catalog.groups[row] for row in rows.tolist()] if any(catalog.groups) else [""] * len(rows)
    units = np.full(len(contents), -1, np.int64)
    units[rows] = units_of(groups, contents[rows], None if clusters is None else clusters[rows])
    return units


def given_parts(catalog: Catalog, units: NDArray[np.int64]) -> NDArray[np.int64]:
    """The parts as the data give them; an image without one is for training, unless its unit is held out already."""
    codes = {"": UNKNOWN, **{name: number for number, name in enumerate(PARTS)}}
    part = np.fromiter((codes[name] for name in catalog.parts), np.int64, len(catalog))
    blank = (part == UNKNOWN) & (units >= 0)
    if blank.any() and (part > TRAIN).any():
        held = np.full(int(units.max()) + 1, TRAIN)
        rows = (part > TRAIN) & (units >= 0)
        np.maximum.at(held, units[rows], part[rows])
        part[blank] = held[units[blank]]
    part[part == UNKNOWN] = TRAIN
    return part


def parts_of(rows: dict[str, NDArray[np.int64]], count: int) -> NDArray[np.int8]:
    """Rows by part as one array of places in PARTS, UNKNOWN for a row in none; shape (count,)."""
    part = np.full(count, UNKNOWN, np.int8)
    for number, name in enumerate(PARTS):
        part[rows[name]] = number
    return part


def in_draw_order(units: NDArray[np.int64], contents: NDArray[np.bytes_], seed: int) -> NDArray[np.int64]:
    """The units numbered again, 0, 1, ... in the order of the draw, shape (n,)."""
    compact = np.unique(units, return_inverse=True)[1]
    place = np.empty(int(compact.max(initial=-1)) + 1, np.int64)
    place[np.argsort(unit_keys(compact, contents, seed), kind="stable")] = np.arange(len(place))
    return place[compact]


def check_parts(
    catalog: Catalog,
    rows: dict[str, NDArray[np.int64]],
    *,
    units: NDArray[np.int64],
    hint: str = "Add images to it, or remove it from the data",
    needed: Sequence[str] = ("val",),
) -> None:
    """Refuses a split that cannot be trained on.

    Arguments:
        hint: what to do about a class without a training image.
        needed: parts that must not be empty, besides train.

    Raises:
        UserError: when a class has no training image, or validation is empty and needed.
    """
    trained = np.bincount(catalog.labels[rows["train"]], minlength=len(catalog.classes))
    missing = [name for name, count in zip(catalog.classes, trained, strict=True) if count == 0]
    if missing:
        raise UserError(
            f"no readable training image in class {listed(missing)}",
            where=catalog.source,
            hint=hint,
        )
    if "val" in needed and len(rows["val"]) == 0:
        raise _none_held_out(catalog, units[units >= 0], trained)


def _none_held_out(catalog: Catalog, units: NDArray[np.int64], trained: NDArray[np.int64]) -> UserError:
    """Why there is no validation: all images belong together, each is a class of its own, or there are few."""
    what, hint = "there are too few images to hold any out for validation", "Add images: at least two for each class"
    count = len(np.unique(units))
    if count < len(units):
        what += (
            f", since images of one group, and near duplicates, stay together ({len(units):,} images are "
            f"{plural(count, 'such unit')})"
        )
        hint = "Give more groups, or a finer column 'group'; there should be several in each class"
    elif (trained == 1).all():
        what += f": each of the {len(trained):,} classes has one image"
        hint = "Is the label a number or a file's name? A class needs at least two images, better fifty"
    return UserError(what, where=catalog.source, hint=hint)


def listed(names: Sequence[str]) -> str:
    """The first names in quotes, and how many more.

    >>> listed(["a", "b"]), listed([str(number) for number in range(7)])
    ("'a', 'b'", "'0', '1', '2', '3', '4' and 2 more")
    """
    shown = ", ".join(repr(name) for name in names[:MOST_NAMED])
    return shown + (f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else "")


def lacking_notes(
    catalog: Catalog, rows: dict[str, NDArray[np.int64]], expected: Sequence[str] = ("val",)
) -> tuple[str, ...]:
    """A sentence for each way in which classes are missing from the parts that are there, or `expected`."""
    counts = {
        name: np.bincount(catalog.labels[found], minlength=len(catalog.classes))
        for name, found in rows.items()
        if len(found) or name in expected
    }
    total = sum(counts.values())
    held = [name for name in counts if name != "train"]
    found: dict[str, list[str]] = {}
    for label, name in enumerate(catalog.classes):
        absent = [part for part in held if counts[part][label] == 0]
        if not absent:
            continue
        count = int(np.asarray(total)[label])
        where = " and ".join(absent)
        if count == 1:
            kind = "one image, too few to hold any out: it is trained on"
        elif len(absent) == len(held):
            kind = f"no image in {where}: all are trained on"
        elif count == 2:
            kind = f"two images: one is trained on, one held out, none is in {where}"
        else:
            kind = f"no image in {where}"
        found.setdefault(kind, []).append(name)
    return tuple(
        f"{_class(names)} {listed(names)}: {kind}; not scored there, the others are, by name"
        for kind, names in found.items()
    )


def _expected(catalog: Catalog) -> list[str]:
    """The parts that the split should have: those the data bring, and those that are cut."""
    if not any(catalog.parts):
        return list(PARTS)
    return [name for name in PARTS if name != "test" or catalog.has_test]


def _class(names: Sequence[str]) -> str:
    """Class or classes."""
    return "class" if len(names) == 1 else "classes"


def _pinned(drawn: NDArray[np.int64], before: NDArray[np.int8], count: int) -> NDArray[np.int64]:
    """The part each unit keeps: the one seen most of those its images had, FREE when it is new."""
    pinned = np.full(count, len(PARTS), np.int64)
    rows = np.flatnonzero(before != UNKNOWN)
    np.minimum.at(pinned, drawn[rows], before[rows])
    return np.where(pinned == len(PARTS), FREE, pinned)


def _share_notes(catalog: Catalog, off: NDArray[np.bool_], shares: tuple[float, float], *, by_rule: bool) -> list[str]:
    names = [catalog.classes[label] for label in np.flatnonzero(off)]
    if not names:
        return []
    wish = f"{shares[0]:.0%} in val" + (f" and {shares[1]:.0%} in test" if shares[1] else "")
    why = "images that belong together are not divided" if by_rule else "the parts of an earlier split are kept"
    return [f"{_class(names)} {listed(names)}: more than 2 points off the wished {wish}, because {why}"]


def _given_notes(catalog: Catalog, units: NDArray[np.int64], part: NDArray[np.int64]) -> list[str]:
    """Groups that the data themselves put into two parts."""
    if not any(catalog.groups) or not any(catalog.parts):
        return []
    seen: dict[str, int] = {}
    for row in np.flatnonzero(units >= 0).tolist():
        if group := catalog.groups[row]:
            seen[group] = seen.get(group, 0) | 1 << int(part[row])
    torn = [group for group, bits in seen.items() if bits & (bits - 1)]
    return [f"{plural(len(torn), 'group')} in two of the parts that the data bring: {listed(torn)}"] if torn else []


def _memory_notes(
    catalog: Catalog, before: NDArray[np.int8], part: NDArray[np.int64], moved: dict[int, str]
) -> list[str]:
    kept = int((before != UNKNOWN).sum()) - len(moved)
    if not kept and not moved:
        return []
    new = int(((before == UNKNOWN) & (part != UNKNOWN)).sum())
    notes = [f"{plural(kept, 'image')} kept the part of an earlier split of these data; {new:,} are new"]
    if moved:
        shown = [f"{catalog.names[row]} (from {was} to {PARTS[part[row]]})" for row, was in moved.items()]
        more = f" and {len(shown) - 20:,} more (all are in manifest.json)" if len(shown) > 20 else ""
        notes.append(
            f"{plural(len(moved), 'image')} moved, because a new duplicate or group joins two parts "
            f"or a class had no other training image: {', '.join(shown[:20])}{more}"
        )
    return notes
