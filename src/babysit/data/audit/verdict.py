"""The audit in words: what is wrong with the data, worst first, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.classes import class_findings
from babysit.data.audit.clusters import alike
from babysit.data.audit.findings import Audit
from babysit.data.audit.words import Finding, Weight
from babysit.data.cache import Cache
from babysit.data.catalog import PARTS, Catalog
from babysit.show import plural

MANY = 0.01
LONG = 4.0
"""Longer side over shorter: from here on most of a square canvas is border."""

MOST_LINES, MOST_REASONS = 5, 3
TOLD_BY_TRAIN = ("unreadable", "lacking", "scarce", "torn_groups")
"""What a training says elsewhere: with its files and with its parts."""


@dataclass(frozen=True)
class Relations:
    """Duplicates that matter: groups of rows, each ascending, and near pairs, shape (pairs,) of places in `near`.

    `leaks` exact duplicates in two given parts; `conflicts` exact duplicates with two labels; `dropped` the training
    copies of exact leaks, rows.
    """

    groups: tuple[NDArray[np.int64], ...]
    leaks: tuple[NDArray[np.int64], ...]
    conflicts: tuple[NDArray[np.int64], ...]
    near_leaks: NDArray[np.int64]
    near_conflicts: NDArray[np.int64]
    dropped: NDArray[np.int64]


def relations(catalog: Catalog, found: Audit) -> Relations:
    """Which duplicates lie in two parts and which have two labels."""
    codes = {name: number for number, name in enumerate(("", *PARTS))}
    part = np.fromiter((codes[name] for name in catalog.parts), np.int64, len(catalog))
    involved = np.flatnonzero(np.isin(found.exact, found.exact[found.repeated]))
    groups = tuple(involved[places] for places in alike(found.exact[involved]) if len(places) > 1)
    leaks = tuple(group for group in groups if len(np.unique(part[group])) > 1)
    conflicts = tuple(group for group in groups if len(np.unique(catalog.labels[group])) > 1)
    left, right = found.near.rows.T
    training = codes["train"]
    dropped = [group[part[group] == training] for group in leaks]
    return Relations(
        groups,
        leaks,
        conflicts,
        np.flatnonzero(part[left] != part[right]),
        np.flatnonzero(catalog.labels[left] != catalog.labels[right]),
        np.sort(np.concatenate([np.zeros(0, np.int64), *dropped])),
    )


@dataclass(frozen=True)
class Examined:
    """A data set's audit with what follows from labels and parts, and the findings in words, worst first."""

    catalog: Catalog
    cache: Cache
    found: Audit
    related: Relations
    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """What a training says before it begins: at most five lines, and nothing that it says elsewhere."""
        heavy = [one for one in self.findings if one.weight != "note" and one.name not in TOLD_BY_TRAIN]
        lines = [f"{'Wrong' if one.weight == 'wrong' else 'Look'}: {one.text()}" for one in heavy]
        if len(lines) <= MOST_LINES:
            return lines
        more = len(lines) - MOST_LINES + 1
        return [*lines[: MOST_LINES - 1], f"And {more} more findings: babysit look {quote(self.catalog.source)}"]

    def as_json(self) -> dict[str, object]:
        """The findings, and what was left out of training because of a leak."""
        names, exact = self.catalog.names, self.found.exact
        held_out = {int(exact[group[0]]): group[-1] for group in self.related.leaks}
        return {
            "findings": [one.as_json() for one in self.findings],
            "exact_duplicates": len(self.found.repeated),
            "near_duplicate_pairs": len(self.found.near.rows),
            "compared": self.found.compared,
            "left_out_of_training": [
                {"path": names[row], "same_as": names[held_out[int(exact[row])]]}
                for row in self.related.dropped.tolist()
            ],
        }


def examine(catalog: Catalog, cache: Cache, found: Audit, *, first: tuple[Finding, ...] = ()) -> Examined:
    """Puts an audit into words; `first` is said before all else."""
    related = relations(catalog, found)
    return Examined(catalog, cache, found, related, (*first, *findings(catalog, cache, found, related)))


def findings(catalog: Catalog, cache: Cache, found: Audit, related: Relations) -> list[Finding]:
    """Everything worth saying, worst first; nothing when all is well."""
    listed = [
        *_leak_findings(catalog, found, related),
        *_label_findings(catalog, found, related),
        *_image_findings(catalog, cache, found),
        *class_findings(catalog, cache),
        *_repeat_findings(found, related),
    ]
    order = {"wrong": 0, "doubtful": 1, "note": 2}
    return sorted(listed, key=lambda finding: order[finding.weight])


def _named(catalog: Catalog, rows: NDArray[np.int64]) -> str:
    return " = ".join(catalog.names[row] for row in rows[:3].tolist())


def _leak_findings(catalog: Catalog, found: Audit, related: Relations) -> list[Finding]:
    listed = []
    if related.leaks:
        count = len(related.leaks)
        listed.append(
            Finding(
                "leaks",
                "wrong",
                count,
                f"{plural(count, 'picture')} {'is' if count == 1 else 'are'} in two parts ({_named(catalog, related.leaks[0])}"
                f"{', ...' if count > 1 else ''}), so the network would be tested on what it has learnt by heart",
                f"train leaves out the training copies ({plural(len(related.dropped), 'image')}); delete them for good"
                if len(related.dropped)
                else "They are in validation and test: delete one of them",
            )
        )
    if len(related.near_leaks):
        pairs = found.near.rows[related.near_leaks]
        count = len(pairs)
        listed.append(
            Finding(
                "near_leaks",
                "wrong",
                count,
                f"{plural(count, 'pair')} of near duplicates {'lies' if count == 1 else 'lie'} in two parts "
                f"({_named(catalog, pairs[0])}{', ...' if count > 1 else ''})",
                "Nothing is left out on this ground: look at them, and remove the copies from training",
            )
        )
    return listed


def _label_findings(catalog: Catalog, found: Audit, related: Relations) -> list[Finding]:
    listed = []
    if related.conflicts:
        group, count = related.conflicts[0], len(related.conflicts)
        labels = " and ".join(f"'{catalog.classes[label]}'" for label in np.unique(catalog.labels[group])[:3])
        listed.append(
            Finding(
                "conflicts",
                "wrong",
                count,
                f"{plural(count, 'picture')} {'has' if count == 1 else 'have'} two labels ({_named(catalog, group)} is {labels}"
                f"{', ...' if count > 1 else ''})",
                "One of the labels is wrong, or the classes overlap: keep one copy of each",
            )
        )
    if len(related.near_conflicts):
        pairs = found.near.rows[related.near_conflicts]
        count = len(pairs)
        listed.append(
            Finding(
                "near_conflicts",
                "doubtful",
                count,
                f"{plural(count, 'pair')} of near duplicates {'has' if count == 1 else 'have'} two labels "
                f"({_named(catalog, pairs[0])}{', ...' if count > 1 else ''})",
                "Look at them: one of the two labels is probably wrong",
            )
        )
    return listed


def _image_findings(catalog: Catalog, cache: Cache, found: Audit) -> list[Finding]:
    listed = []
    total = len(catalog)
    if unreadable := len(cache.unreadable):
        weight: Weight = "wrong" if unreadable > MANY * total else "doubtful"
        says = f"{plural(unreadable, 'file')} cannot be read ({_reasons(catalog, cache)})"
        listed.append(
            Finding("unreadable", weight, unreadable, says, "Such files are left out: replace or delete them")
        )
    if blank := len(found.blank):
        weight = "doubtful" if blank > MANY * total else "note"
        says = f"{plural(blank, 'image')} {'is' if blank == 1 else 'are'} blank ({catalog.names[found.blank[0]]}{', ...' if blank > 1 else ''})"
        listed.append(Finding("blank", weight, blank, says, "There is nothing in them to learn: delete them"))
    if tiny := len(found.tiny):
        side = cache.pixels.shape[1]
        says = f"{plural(tiny, 'image')} {'is' if tiny == 1 else 'are'} at most half as large as the canvas of {side} pixels"
        listed.append(
            Finding(
                "tiny",
                "note",
                tiny,
                says,
                "Nothing is enlarged, so they lie in a grey border; a smaller --size makes less of it",
            )
        )
    if enormous := len(found.enormous):
        says = f"{plural(enormous, 'image')} {'has' if enormous == 1 else 'have'} 25 million pixels or more"
        listed.append(
            Finding(
                "enormous", "note", enormous, says, "They are decoded once and kept small; only the first use is slow"
            )
        )
    if animated := len(found.animated):
        says = f"{plural(animated, 'image')} {'is' if animated == 1 else 'are'} animated ({catalog.names[found.animated[0]]}{', ...' if animated > 1 else ''})"
        listed.append(Finding("animated", "note", animated, says, "The first frame is used"))
    if long := len(long_rows(cache)):
        says = f"{plural(long, 'image')} {'is' if long == 1 else 'are'} at least {LONG:g} times as long as wide, or as wide as long"
        listed.append(
            Finding("long", "note", long, says, "Most of their canvas is border: cut them, or try data.resize=crop")
        )
    return listed


def _reasons(catalog: Catalog, cache: Cache) -> str:
    """Why files cannot be read, the commonest reason first, each with a file it is true of."""
    rows: dict[str, list[int]] = {}
    for row, reason in sorted(cache.unreadable.items()):
        rows.setdefault(reason, []).append(row)
    often = sorted(rows.items(), key=lambda pair: -len(pair[1]))
    said = [
        f"{catalog.names[found[0]]}: {reason}" + (f", and {len(found) - 1:,} more for that reason" if found[1:] else "")
        for reason, found in often[:MOST_REASONS]
    ]
    return "; ".join(said) + ("; ..." if len(often) > MOST_REASONS else "")


def long_rows(cache: Cache) -> NDArray[np.int64]:
    """Rows of images that are very long or very wide."""
    sides = cache.facts["width"].astype(np.float64), cache.facts["height"].astype(np.float64)
    return np.flatnonzero(np.maximum(*sides) >= LONG * np.maximum(np.minimum(*sides), 1))


def _repeat_findings(found: Audit, related: Relations) -> list[Finding]:
    listed = []
    if count := len(found.repeated):
        says = f"{plural(count, 'image')} {'repeats' if count == 1 else 'repeat'} another exactly ({plural(len(related.groups), 'picture')})"
        listed.append(
            Finding(
                "exact",
                "note",
                count,
                says,
                "Copies are kept in one part of a split; delete them to weigh each picture once",
            )
        )
    if count := len(found.near.rows):
        says = f"{plural(count, 'pair')} of near duplicates ({int(found.near.mirrored.sum())} of them mirrored)"
        listed.append(Finding("near", "note", count, says, "They are kept in one part where babysit cuts the split"))
    if found.near.unconfirmed:
        says = f"{found.near.unconfirmed:,} more pairs look alike but were not compared, since nearly all images of these data are alike"
        listed.append(
            Finding(
                "unconfirmed", "note", found.near.unconfirmed, says, "Near duplicates may be missing from this list"
            )
        )
    return listed
