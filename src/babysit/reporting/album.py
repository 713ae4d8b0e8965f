"""The page of `babysit look`: what is wrong with the data and what to do about it, with the pictures that show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data.audit.canvases import read_rows
from babysit.data.audit.verdict import Examined, long_rows
from babysit.data.cache import MODES
from babysit.data.catalog import PARTS
from babysit.errors import writing
from babysit.figures.sheets import picture_uri, reduced, sheet
from babysit.names import for_page as _escape
from babysit.record import atomic
from babysit.reporting.shell import page, section
from babysit.show import plural

SHOWN_GROUPS, SHOWN_IN_GROUP = 24, 4
SHOWN_FILES = 50
SHOWN_CLASSES, IN_A_CLASS, COLUMNS = 60, 24, 12
LARGEST_PICTURE = 96
QUANTILES = {"least": 0.0, "5 %": 0.05, "half": 0.5, "95 %": 0.95, "most": 1.0}


@dataclass(frozen=True)
class Sample:
    """Augmented training images: `views` of each original, shape (originals, views, size, size, 3), and in words how."""

    originals: NDArray[np.uint8]
    views: NDArray[np.uint8]
    says: str


def write_album(path: Path, examined: Examined, *, augmented: Sample | None = None) -> Path:
    """Writes the page.

    Arguments:
        path: of the HTML file.
        augmented: what training would see.

    Raises:
        UserError: when it cannot be written.
    """
    sections = [
        _verdict(examined),
        _pairs(examined),
        _files("Unreadable files", [(row, why) for row, why in sorted(examined.cache.unreadable.items())], examined),
        _rows("Blank images", examined.found.blank, examined),
        _rows("Small images", examined.found.tiny, examined),
        _rows("Very long or wide images", long_rows(examined.cache), examined),
        _classes(examined),
        _sizes(examined),
        _sheets(examined),
        _augmented(augmented) if augmented else "",
    ]
    with writing(path, "the page"):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(path, page(f"look: {Path(examined.catalog.source).name}", sections))
    return path


def verdict_of(examined: Examined) -> str:
    """The whole in one sentence."""
    heavy = sum(one.weight == "wrong" for one in examined.findings)
    doubtful = sum(one.weight == "doubtful" for one in examined.findings)
    if heavy:
        return f"{plural(heavy, 'thing')} should be put right before training on these data."
    if doubtful:
        return f"Nothing here is wrong beyond doubt; {plural(doubtful, 'thing')} should be looked at."
    return "Nothing is wrong with these data that this program looks for."


def _verdict(examined: Examined) -> str:
    count, classes = len(examined.catalog), len(examined.catalog.classes)
    kind = {"wrong": "Wrong", "doubtful": "Look at it", "note": "Note"}
    items = "".join(
        f'<div class="finding {one.weight}"><strong>{kind[one.weight]}: {_escape(one.says)}.</strong><br>{_escape(one.advice)}.</div>'
        for one in examined.findings
    )
    said = "".join(f"<li>{_escape(note)}</li>" for note in examined.catalog.notes)
    return (
        f"<h1>{_escape(examined.catalog.source)}</h1>"
        f'<p class="verdict">{verdict_of(examined)}</p>'
        f'<p class="soft">{plural(count, "image")}, {classes} {"class" if classes == 1 else "classes"}; '
        f"near duplicates were looked for among {examined.found.compared:,} of them. "
        "This page embeds pictures of your data: whoever has the page has those pictures.</p>"
        + (f"<ul>{said}</ul>" if said else "")
        + items
    )


def _pairs(examined: Examined) -> str:
    """Duplicates side by side: leaks first, then two labels, then the rest."""
    near, related = examined.found.near.rows, examined.related
    leaks, conflicts = ({tuple(group.tolist()) for group in groups} for groups in (related.leaks, related.conflicts))
    rest = [group for group in related.groups if tuple(group.tolist()) not in leaks | conflicts]
    apart = np.setdiff1d(np.arange(len(near)), np.concatenate([related.near_leaks, related.near_conflicts]))
    return "".join(
        _groups(title, groups, examined)
        for title, groups in (
            ("Leaks: one picture in two parts", related.leaks),
            ("Near duplicates in two parts", near[related.near_leaks]),
            ("One picture with two labels", related.conflicts),
            ("Near duplicates with two labels", near[related.near_conflicts]),
            ("Exact duplicates", rest),
            ("Near duplicates", near[apart]),
        )
    )


def _groups(title: str, groups: Sequence[NDArray[np.int64]] | NDArray[np.int64], examined: Examined) -> str:
    if not len(groups):
        return ""
    spread = np.unique(np.linspace(0, len(groups) - 1, min(SHOWN_GROUPS, len(groups))).astype(int))
    shown = [groups[place] for place in spread.tolist()]
    pictures = "".join(
        f'<div class="alike">{"".join(_captioned(row, examined) for row in group[:SHOWN_IN_GROUP].tolist())}'
        + (f'<p class="soft">and {len(group) - SHOWN_IN_GROUP:,} more</p>' if len(group) > SHOWN_IN_GROUP else "")
        + "</div>"
        for group in shown
    )
    more = f'<p class="soft">{len(shown)} of {len(groups):,} are shown.</p>' if len(groups) > len(shown) else ""
    return section(f"{title} ({len(groups):,})", f'<div class="groups">{pictures}</div>{more}')


def _captioned(row: int, examined: Examined, words: str = "") -> str:
    catalog = examined.catalog
    images = reduced(read_rows(examined.cache, np.array([row])), LARGEST_PICTURE)
    name = _escape(catalog.names[row])
    part = f"{catalog.parts[row]}, " if catalog.parts[row] else ""
    label = _escape(catalog.classes[catalog.labels[row]])
    return (
        f'<div><img alt="{name}" src="{picture_uri(images[0], images.shape[1])}">'
        f"<b>{part}{label}</b><br><span class=name>{name}</span>{_escape(words)}</div>"
    )


def _rows(title: str, rows: NDArray[np.int64], examined: Examined) -> str:
    if not len(rows):
        return ""
    facts = examined.cache.facts
    shown = "".join(
        _captioned(row, examined, f" ({facts['width'][row]}x{facts['height'][row]})")
        for row in rows[:SHOWN_GROUPS].tolist()
    )
    more = f'<p class="soft">{SHOWN_GROUPS} of {len(rows):,} are shown.</p>' if len(rows) > SHOWN_GROUPS else ""
    return section(f"{title} ({len(rows):,})", f'<div class="mistakes">{shown}</div>{more}')


def _files(title: str, listed: Sequence[tuple[int, str]], examined: Examined) -> str:
    if not listed:
        return ""
    names = examined.catalog.names
    items = "".join(f"<li>{_escape(names[row])}: {_escape(why)}</li>" for row, why in listed[:SHOWN_FILES])
    more = f"<p>and {len(listed) - SHOWN_FILES:,} more.</p>" if len(listed) > SHOWN_FILES else ""
    return section(f"{title} ({len(listed):,})", f"<ul>{items}</ul>{more}")


def counts_of(examined: Examined) -> tuple[list[str], NDArray[np.int64]]:
    """The parts there are ("" for images in none), and how many readable images of each class are in each."""
    catalog, usable = examined.catalog, examined.cache.usable
    parts = [part for part in ("", *PARTS) if part in catalog.parts]
    codes = np.fromiter((parts.index(part) for part in catalog.parts), np.int64, len(catalog))
    table = np.zeros((len(catalog.classes), len(parts)), np.int64)
    np.add.at(table, (catalog.labels[usable], codes[usable]), 1)
    return parts, table


def _classes(examined: Examined) -> str:
    catalog = examined.catalog
    parts, table = counts_of(examined)
    total, most = table.sum(axis=1), max(1, int(table.sum(axis=1).max()))
    rows = "".join(
        f"<tr><td>{_escape(name)}</td>"
        + "".join(f"<td>{count:,}</td>" for count in counts)
        + f'<td class="bar"><span style="width:{100 * whole / most:.1f}%"></span></td></tr>'
        for name, counts, whole in zip(catalog.classes, table.tolist(), total.tolist(), strict=True)
    )
    head = "".join(f"<th>{part or 'images'}</th>" for part in parts)
    return section("Classes", f"<table><tr><th>class</th>{head}<th></th></tr>{rows}</table>")


def figures_of(examined: Examined) -> dict[str, dict[str, float]]:
    """Quantiles of the images' sizes, by what is measured."""
    facts = examined.cache.facts[examined.cache.usable]
    wide, high = facts["width"].astype(np.float64), facts["height"].astype(np.float64)
    measured = {
        "width (pixels)": wide,
        "height (pixels)": high,
        "width over height": wide / np.maximum(high, 1),
        "file (KB)": facts["bytes"] / 1000,
    }
    shares = list(QUANTILES.values())
    return {
        name: dict(zip(QUANTILES, np.quantile(values, shares).tolist(), strict=True))
        for name, values in measured.items()
        if len(values)
    }


def _sizes(examined: Examined) -> str:
    rows = "".join(
        f"<tr><td>{name}</td>" + "".join(f"<td>{value:,.4g}</td>" for value in values.values()) + "</tr>"
        for name, values in figures_of(examined).items()
    )
    head = "".join(f"<th>{word}</th>" for word in QUANTILES)
    modes = ", ".join(f"{mode} {count:,}" for mode, count in modes_of(examined).items())
    animated = len(examined.found.animated)
    return section(
        "Sizes",
        f"<table><tr><th></th>{head}</tr>{rows}</table><p>Pixels are kept as: {modes}."
        + (f" {plural(animated, 'image')} move; the first frame is used." if animated else "")
        + "</p>",
    )


def modes_of(examined: Examined) -> dict[str, int]:
    """How many images there are of each mode (RGB, L, P, ...), the commonest first."""
    counts = np.bincount(examined.cache.facts["mode"][examined.cache.usable], minlength=len(MODES))
    return {MODES[place]: int(counts[place]) for place in np.argsort(-counts, kind="stable") if counts[place]}


def _sheets(examined: Examined) -> str:
    """A contact sheet for each class: images spread over the class."""
    catalog, usable = examined.catalog, examined.cache.usable
    body = ""
    for label, name in list(enumerate(catalog.classes))[:SHOWN_CLASSES]:
        rows = np.flatnonzero((catalog.labels == label) & usable)
        if not len(rows):
            continue
        chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(IN_A_CLASS, len(rows))).astype(int))]
        images = reduced(read_rows(examined.cache, chosen), LARGEST_PICTURE * 2 // 3)
        uri = picture_uri(sheet(images, COLUMNS), images.shape[1])
        body += (
            f'<figure class="sheet"><figcaption><b>{_escape(name)}</b> {plural(len(rows), "image")}</figcaption>'
            f'<img alt="images of {_escape(name)}" src="{uri}" style="width:{min(len(chosen), COLUMNS) / COLUMNS:.2%}"></figure>'
        )
    left = len(catalog.classes) - SHOWN_CLASSES
    return section(
        "Images of each class", body + (f'<p class="soft">and {left:,} more classes.</p>' if left > 0 else "")
    )


def _augmented(sample: Sample) -> str:
    size = sample.views.shape[2]
    rows = np.concatenate([sample.originals[:, None], sample.views], axis=1)
    images = reduced(rows.reshape(-1, size, size, 3), LARGEST_PICTURE)
    uri = picture_uri(sheet(images, rows.shape[1]), images.shape[1])
    return section(
        "As training sees them",
        f'<figure class="sheet"><img alt="augmented images" src="{uri}" style="width:100%"><figcaption>Each row: '
        f"the image as it is evaluated, then as it is trained on in successive epochs. {_escape(sample.says)}</figcaption></figure>",
    )
