"""What the classes, the parts and the groups of a data set look like, before any pixel is looked at."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.words import Finding
from babysit.data.cache import Cache
from babysit.data.catalog import Catalog
from babysit.show import plural

IMBALANCE = 10
"""The largest class over the smallest, from which on accuracy alone misleads."""

FEW_IMAGES = 50
LIKE_PARTS = ("train", "test", "val", "eval", "dev", "hold", "fold", "split")
NESTED_SAMPLE = 50
"""Images of a class whose folders are looked at."""


def class_findings(catalog: Catalog, cache: Cache) -> list[Finding]:
    """What is wrong with classes, parts and groups, whatever is in the images."""
    return [
        *_nested_findings(catalog, cache),
        *_group_findings(catalog, cache),
        *_count_findings(catalog, cache),
        *_twin_findings(catalog),
    ]


def _count_findings(catalog: Catalog, cache: Cache) -> list[Finding]:
    counts = np.bincount(catalog.labels[cache.usable], minlength=len(catalog.classes))
    listed = []
    if len(counts) > 1 and counts.max() >= IMBALANCE * max(1, counts.min()):
        largest, smallest = int(counts.argmax()), int(counts.argmin())
        says = (
            f"class '{catalog.classes[largest]}' has {plural(int(counts[largest]), 'image')}, "
            f"'{catalog.classes[smallest]}' {int(counts[smallest]):,}"
        )
        advice = (
            f"Always saying '{catalog.classes[largest]}' would be right in {counts.max() / max(1, counts.sum()):.0%}: read "
            "the figures of each class, and add images of the small ones"
        )
        listed.append(Finding("imbalance", "doubtful", int(counts[smallest]), says, advice))
    for part in ("val", "test"):
        inside = np.array([given == part for given in catalog.parts]) & cache.usable
        here = np.bincount(catalog.labels[inside], minlength=len(counts))
        if inside.any() and (lacking := [repr(catalog.classes[label]) for label in np.flatnonzero(here == 0).tolist()]):
            says = f"{part} has no image of {', '.join(lacking[:3])}{', ...' if len(lacking) > 3 else ''}"
            listed.append(
                Finding(
                    "lacking",
                    "doubtful",
                    len(lacking),
                    says,
                    "Such a class is not scored there; the others are, by name",
                )
            )
    listed += _scarce_findings(catalog, counts)
    few = np.flatnonzero(counts < FEW_IMAGES)
    if len(few):
        named = ", ".join(f"'{catalog.classes[label]}' ({counts[label]})" for label in few[:3].tolist())
        says = f"{len(few)} of {len(counts)} classes {'has' if len(few) == 1 else 'have'} fewer than {FEW_IMAGES} images ({named}{', ...' if len(few) > 3 else ''})"
        listed.append(
            Finding(
                "few",
                "doubtful",
                len(few),
                says,
                "Their figures will be uncertain: add images, or start from a trained network",
            )
        )
    return listed


def _scarce_findings(catalog: Catalog, counts: NDArray[np.int64]) -> list[Finding]:
    """Classes without a readable image, and those too small to be in every part that is cut."""
    parts = 1 + (not catalog.has_validation) + (not any(catalog.parts))
    listed = []
    if len(none := np.flatnonzero(counts == 0)):
        says = f"{_classes(catalog, none)} no readable image"
        listed.append(Finding("unseen", "wrong", len(none), says, "train refuses it: add images, or remove the class"))
    scarce = np.flatnonzero((counts > 0) & (counts < parts))
    if len(scarce) and len(counts) > 1:
        says = f"{_classes(catalog, scarce)} fewer than {parts} images, one for each part"
        advice = "It is trained on but not scored in every part: add images, or join classes"
        listed.append(Finding("scarce", "doubtful", len(scarce), says, advice))
    return listed


def _classes(catalog: Catalog, labels: NDArray[np.int64]) -> str:
    """Some classes by name, with the verb: `class 'a' has`, `5 classes ('a', 'b', 'c', ...) have`."""
    named = ", ".join(repr(catalog.classes[label]) for label in labels[:3].tolist())
    if len(labels) == 1:
        return f"class {named} has"
    return f"{len(labels):,} classes ({named}{', ...' if len(labels) > 3 else ''}) have"


def _group_findings(catalog: Catalog, cache: Cache) -> list[Finding]:
    """Groups (patients, videos) that the data themselves put into two parts."""
    if not any(catalog.groups) or not any(catalog.parts):
        return []
    parts: dict[str, set[str]] = {}
    for row in np.flatnonzero(cache.usable).tolist():
        if group := catalog.groups[row]:
            parts.setdefault(group, set()).add(catalog.parts[row])
    torn = [group for group, where in parts.items() if len(where) > 1]
    if not torn:
        return []
    count = len(torn)
    says = f"{plural(count, 'group')} {'lies' if count == 1 else 'lie'} in two parts ({', '.join(map(repr, torn[:3]))}{', ...' if count > 3 else ''})"
    advice = "The held-out figures are too good where images of a group are alike: give each group one part"
    return [Finding("torn_groups", "wrong", count, says, advice)]


def _nested_findings(catalog: Catalog, cache: Cache) -> list[Finding]:
    """Class folders that all hold the same folders: then those are the classes, probably, and these parts or years."""
    inner: list[frozenset[str]] = []
    for label, name in enumerate(catalog.classes):
        rows = np.flatnonzero((catalog.labels == label) & cache.usable)
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(NESTED_SAMPLE, len(rows))).astype(int))]
        paths = [catalog.names[row].split("/") for row in chosen.tolist()]
        after = [path[path.index(name) + 1 : -1] if name in path[:-1] else [] for path in paths]
        inner.append(frozenset(below[0] for below in after if below))
        if len(inner[-1]) < 2 or inner[-1] != inner[0]:
            return []
    if len(inner) < 2:
        return []
    same = ", ".join(map(repr, sorted(inner[0])[:3])) + (", ..." if len(inner[0]) > 3 else "")
    outer = " and ".join(map(repr, catalog.classes[:3])) + (", ..." if len(catalog.classes) > 3 else "")
    says = f"the classes {outer} hold the same folders ({same}), as if those were the classes"
    advice = "If they are, name the folders above them train, val and test, or give one of these folders alone"
    parts = all(name.casefold().startswith(LIKE_PARTS) for name in catalog.classes)
    return [Finding("nested", "wrong" if parts else "doubtful", len(inner), says, advice)]


def _twin_findings(catalog: Catalog) -> list[Finding]:
    """Classes whose names a person would take for one."""
    alike: dict[str, list[str]] = {}
    for name in catalog.classes:
        plain = unicodedata.normalize("NFKC", name).casefold()
        alike.setdefault(" ".join(plain.replace("_", " ").replace("-", " ").split()), []).append(name)
    twins = [names for names in alike.values() if len(names) > 1]
    if not twins:
        return []
    shown = "; ".join(" and ".join(map(ascii, names[:3])) for names in twins[:3]) + ("; ..." if len(twins) > 3 else "")
    says = f"names of classes differ only in capitals, spaces or the spelling of letters ({shown})"
    return [Finding("twins", "doubtful", len(twins), says, "If they mean one class, put their images into one folder")]
