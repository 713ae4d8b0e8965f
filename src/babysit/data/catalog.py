"""Catalog: what images there are, as a value. Listing reads names and sizes only; no image is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from babysit.errors import UserError
from babysit.show import plural

PARTS = ("train", "val", "test")
PART_NAMES = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""The folder names that mean a part, in lower case."""

NO_CLASS = "(no class)"

Encoded = bytes | NDArray[np.uint8]
"""An image as a source keeps it: a file's bytes, or pixels (height, width) or (height, width, 3), RGB."""

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"})


@dataclass(frozen=True, slots=True)
class Item:
    """One image as a source lists it.

    `name` path inside the source with forward slashes; `label` its class's name; `part` one of PARTS or empty;
    `stamp` changes when the file does (size and time, or a checksum the source keeps); `group` images of one group
    (a patient, a video) stay in one part, empty for none.
    """

    name: str
    label: str
    part: str
    stamp: str
    group: str = ""


@dataclass(frozen=True)
class Catalog:
    """All images of a source, in a stable order.

    `read(i)` gives image i as the source keeps it and may be called from several threads; it raises OSError for
    what cannot be read. `flips` says whether a mirrored image is still of its class; `notes` are sentences for
    the user about what was left out; `corrected` how many images the lists of corrections changed, by kind.
    """

    source: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    parts: tuple[str, ...]
    stamps: tuple[str, ...]
    groups: tuple[str, ...]
    read: Callable[[int], Encoded] = field(repr=False)
    flips: bool = True
    notes: tuple[str, ...] = ()
    corrected: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def has_validation(self) -> bool:
        """Whether the data bring their own validation part."""
        return "val" in self.parts

    @property
    def has_test(self) -> bool:
        """Whether the data bring their own test part."""
        return "test" in self.parts


class RefusedDataError(UserError):
    """Images that cannot be trained on as they lie.

    `catalog` still lists them, for those who want to look; `kept` which of its rows count, shape (n,).
    """

    catalog: Catalog
    kept: NDArray[np.bool_]


def catalog_of(
    source: str, items: Sequence[Item], read: Callable[[str], Encoded], *, flips: bool = True, notes: Sequence[str] = ()
) -> Catalog:
    """Sorts and checks what a source listed.

    Arguments:
        source: what the user gave, for messages.
        items: in any order.
        read: name -> the image as the source keeps it.

    Raises:
        UserError: no images.
        RefusedDataError: no class folders, one class only, a class that is in no training part.
    """
    if not items:
        raise UserError(
            f"there are no images here{'; ' if notes else ''}{'; '.join(notes)}",
            where=source,
            legal=f"files ending in {' '.join(sorted(IMAGE_SUFFIXES))}",
            hint="Give a folder (or a zip of one) that has one folder of images per class",
        )
    # Two stable sorts by what is there already: a tuple for each of a million items would cost more than the items.
    ordered = sorted(items, key=attrgetter("name"))
    ordered.sort(key=lambda item: PARTS.index(item.part) if item.part else -1)
    classes = tuple(sorted({item.label for item in ordered}))
    number = {name: index for index, name in enumerate(classes)}
    names = tuple(item.name for item in ordered)
    catalog = Catalog(
        source=source,
        classes=classes,
        names=names,
        labels=np.array([number[item.label] for item in ordered], np.int64),
        parts=tuple(item.part for item in ordered),
        stamps=tuple(item.stamp for item in ordered),
        groups=tuple(item.group for item in ordered),
        read=lambda index: read(names[index]),
        flips=flips,
        notes=tuple(notes),
    )
    check_trainable(catalog)
    return catalog


def check_trainable(catalog: Catalog, kept: NDArray[np.bool_] | None = None) -> None:
    """Refuses images that cannot be trained on as they lie.

    Arguments:
        kept: which rows count, shape (n,); by default all.

    Raises:
        RefusedDataError: with the reason.
    """
    if catalog.classes == (NO_CLASS,):
        refused = RefusedDataError(
            f"the {len(catalog)} images lie flat, so their classes cannot be told",
            where=catalog.source,
            hint="Put the images of each class into a folder of the class's name",
        )
    else:
        rows = range(len(catalog)) if kept is None else np.flatnonzero(kept).tolist()
        labels = catalog.labels.tolist()
        refused = _refusal(catalog.source, {(catalog.classes[labels[row]], catalog.parts[row]) for row in rows})
    if refused:
        refused.catalog, refused.kept = catalog, np.ones(len(catalog), bool) if kept is None else kept
        raise refused


def _refusal(source: str, labelled: Set[tuple[str, str]]) -> RefusedDataError | None:
    """Why images of these classes and parts cannot be trained on, if so.

    Arguments:
        source: what the user gave, for messages.
        labelled: every (label, part) there is.
    """
    trained = {label for label, part in labelled if part in ("", "train")}
    classes = sorted({label for label, _ in labelled})
    if not trained:
        return RefusedDataError(
            "there is a validation or test part but no training image",
            where=source,
            hint="Put the training images into a folder 'train' beside it, with a folder for each class",
        )
    if strangers := sorted(set(classes) - trained):
        parts = " and ".join(part for part in PARTS if any((label, part) in labelled for label in strangers))
        named = ", ".join(map(repr, strangers[:5])) + (f" and {len(strangers) - 5} more" if len(strangers) > 5 else "")
        one = len(strangers) == 1
        return RefusedDataError(
            f"the class{'' if one else 'es'} {named} {'is' if one else 'are'} in {parts} but not in train",
            where=source,
            legal=f"the training classes: {', '.join(sorted(trained)[:20])}",
            hint=f"Add training images of {'it' if one else 'them'}, or leave {'its' if one else 'their'} images out "
            "with --exclude LIST.csv",
        )
    if len(classes) < 2:
        return RefusedDataError(
            f"there is only one class, '{min(classes)}'",
            where=source,
            hint="A classifier needs at least two: give a folder with one folder of images per class",
        )
    return None


def items_from_names(
    source: str,  # noqa: ARG001 - every lister of a source is called alike
    names: Sequence[tuple[str, str]],
) -> tuple[list[Item], list[str]]:
    """Finds parts and classes in paths: [PART/]CLASS/.../FILE; NO_CLASS where all images lie flat.

    Arguments:
        source: what the user gave, for messages.
        names: (path inside the source with forward slashes, stamp).

    Returns:
        The items and notes on what was left out.
    """
    shown = [(tuple(name.split("/")), stamp) for name, stamp in names]
    shown = [(path, stamp) for path, stamp in shown if not any(map(_hidden, path))]
    images = [(path, stamp) for path, stamp in shown if is_image_name(path[-1])]
    notes = []
    if len(shown) > len(images):
        notes.append(_told_others([path[-1] for path, _ in shown if not is_image_name(path[-1])]))
    depth = _common_depth([path for path, _ in images])
    items, flat = [], []
    for path, stamp in images:
        inner = path[depth:]
        part = ""
        if len(inner) > 1 and inner[0].lower() in PART_NAMES:
            part, inner = PART_NAMES[inner[0].lower()], inner[1:]
        if len(inner) < 2:
            flat.append(Item("/".join(path), NO_CLASS, part, stamp))
            continue
        items.append(Item("/".join(path), inner[0], part, stamp))
    if not items:
        return flat, notes
    if flat:
        notes.append(f"left out: {plural(len(flat), 'image')} outside the class folders")
    parted = sum(bool(item.part) for item in items)
    if parted and parted < len(items):
        strays = sorted({item.name.split("/")[depth] for item in items if not item.part})
        notes.append(
            f"left out: {plural(len(items) - parted, 'image')} outside the part folders (train, val, test), in "
            f"{', '.join(map(repr, strays[:5]))}{', ...' if len(strays) > 5 else ''}"
        )
        items = [item for item in items if item.part]
    return items, notes


def is_image_name(name: str) -> bool:
    """Whether a file's name ends like an image's.

    >>> is_image_name("a.JPG"), is_image_name("notes.txt")
    (True, False)
    """
    stem, dot, suffix = name.rpartition(".")
    return bool(stem and dot) and f".{suffix.lower()}" in IMAGE_SUFFIXES


def _told_others(names: Sequence[str]) -> str:
    """What is left out because of its name, with the commonest endings."""
    endings = Counter(dot + ending.lower() for _, dot, ending in (name.rpartition(".") for name in names) if dot)
    often = ", ".join(f"{ending} ({count:,})" for ending, count in endings.most_common(4) if len(ending) <= 12)
    return f"left out: {plural(len(names), 'file')} not named like an image{': ' if often else ''}{often}"


def _hidden(piece: str) -> bool:
    return piece.startswith(".") or piece == "__MACOSX"


def _common_depth(paths: Sequence[tuple[str, ...]]) -> int:
    """How many leading folders all paths share, as a zip of one folder has; parts and classes are not among them."""
    if not paths:
        return 0
    depth = 0
    while all(len(path) > depth + 2 for path in paths):
        first = paths[0][depth]
        if first.lower() in PART_NAMES or any(path[depth] != first for path in paths):
            break
        depth += 1
    return depth
