"""Looking at data before anything is trained on it. Imports no torch unless augmented samples are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from babysit.data import corrections
from babysit.data.audit.canvases import read_rows
from babysit.data.audit.findings import audit
from babysit.data.audit.verdict import Examined, Finding, examine
from babysit.data.augment import Augmentation, canvas_for, cut, draw_views, plain_views
from babysit.data.cache import open_cache
from babysit.data.catalog import Catalog, RefusedDataError
from babysit.data.corrections import Lists, read_lists
from babysit.data.sizes import sampled_sides, training_size
from babysit.errors import UserError
from babysit.recipe import Recipe
from babysit.recipe.schema import DataPart
from babysit.reporting.album import Sample, counts_of, figures_of, modes_of, verdict_of, write_album
from babysit.show import Show, Silent

ORIGINALS, EPOCHS = 8, 7
MOST_LISTED, MOST_IN_GROUP = 1000, 100
"""Entries of a list of the result, and names in a group: where everything is a duplicate, the list is no help."""


@dataclass(frozen=True)
class Looked:
    """What was seen.

    `findings` worst first, each with `name`, `weight` (wrong, doubtful, note), `count`, `says`, `advice`; `counts`
    readable images of each class in each of `parts`; `sizes` quantiles by name; `modes` images by mode; `duplicates`
    groups and pairs by kind, as lists of names; `corrected` how many images the lists changed, by kind; `page` where
    the pictures are. No list is longer than MOST_LISTED, and no group than MOST_IN_GROUP: `totals` says how many
    entries each list would have.
    """

    data: str
    verdict: str
    images: int
    findings: list[dict[str, object]]
    parts: list[str]
    counts: dict[str, list[int]]
    sizes: dict[str, dict[str, float]]
    modes: dict[str, int]
    unreadable: list[dict[str, str]]
    blank: list[str]
    duplicates: dict[str, list[list[str]]]
    totals: dict[str, int]
    corrected: dict[str, int]
    notes: list[str]
    page: Path

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "page": str(self.page)}


def look(
    data: str,
    *,
    out: str | Path | None = None,
    augment: bool = False,
    exclude: str | None = None,
    relabel: str | None = None,
    show: Show | None = None,
) -> Looked:
    """Looks at a data set and writes a page about it.

    Data that cannot be trained on as they lie (one class, no class folders) are looked at all the same, and it is said.

    Arguments:
        data: whatever `train` takes.
        out: the page; by default look-NAME.html in the working folder.
        augment: whether the page shows augmented training images.
        exclude: a CSV of images to leave out, as `train` takes it.
        relabel: a CSV of images with another label.

    Raises:
        UserError: when there are no images, none can be read, or a list cannot be.
    """
    show = show or Silent()
    lists = read_lists(exclude, relabel)
    catalog, refused = _listed(data, lists, show)
    sides = sampled_sides(catalog)
    if not sides:
        raise UserError("none of the images looked at can be read", where=data, hint="Are they images at all?")
    size, _ = training_size(sides)
    examined = _examined(catalog, size, show, lists=lists, refused=refused)
    sample = _augmented(examined, size) if augment else None
    page = write_album(Path(out) if out else Path(f"look-{_stem(data)}.html"), examined, augmented=sample)
    return _looked(examined, page)


def _listed(data: str, lists: Lists, show: Show) -> tuple[Catalog, tuple[Finding, ...]]:
    """The catalog with the lists laid over it, and why it could not be trained on, if so."""
    try:
        return corrections.open_corrected(data, lists, show), ()
    except RefusedDataError as refused:
        return refused.catalog, (_refusal(refused),)


def _refusal(refused: RefusedDataError) -> Finding:
    catalog, fault = refused.catalog, refused.faults[0]
    kinds = "one class" if len(catalog.classes) == 1 else f"{len(catalog.classes)} classes"
    named = ", ".join(catalog.classes[:5]) + (", ..." if len(catalog.classes) > 5 else "")
    says = f"train refuses these images: {fault.what}; here they are taken for {kinds} ({named})"
    return Finding("refused", "wrong", len(catalog), says, fault.hint.rstrip("."))


def _examined(catalog: Catalog, size: int, show: Show, *, lists: Lists, refused: tuple[Finding, ...]) -> Examined:
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        show.decoding(done, len(catalog))

    resize = DataPart(source=catalog.source).resize  # as train does it unless told otherwise
    cache = open_cache(catalog, canvas_for(size), resize, progress=progress)
    try:
        catalog, kept = corrections.by_content(catalog, lists, cache.hashes)
    except RefusedDataError as error:
        catalog, kept, refused = error.catalog, error.kept, (_refusal(error),)
    cache = replace(cache, excluded=tuple(np.flatnonzero(~kept).tolist()))
    return examine(catalog, cache, audit(catalog, cache, resize), first=refused)


def _augmented(examined: Examined, size: int) -> Sample | None:
    """A few images, plain and as training would see them in its first epochs."""
    from babysit.models.traits import traits_of
    from babysit.training import resolve

    catalog, cache = examined.catalog, examined.cache
    training = np.array([part in ("", "train") for part in catalog.parts]) & cache.usable
    rows = np.flatnonzero(training)
    if not len(rows):
        return None
    asked = Recipe.model_validate({"data": {"source": catalog.source, "size": size}})
    recipe, _ = resolve.fill(
        asked, resolve.Facts(len(rows), catalog.flips, traits_of(asked, max(2, len(catalog.classes))))
    )
    augmentation = Augmentation.of(recipe.augment)
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(ORIGINALS, len(rows))).astype(int))]
    pixels = read_rows(cache, chosen)
    places = np.arange(len(chosen))
    centre = (pixels.shape[1] - size) // 2
    views = [
        cut(pixels, places, draw_views(augmentation, chosen, seed=recipe.seed, epoch=epoch, centre=centre), size)
        for epoch in range(EPOCHS)
    ]
    flip = "half of them mirrored" if augmentation.flip != "none" else "none mirrored"
    says = f"The crop moves by up to {augmentation.crop} pixels each way, {flip}; {size} pixels a side."
    return Sample(cut(pixels, places, plain_views(len(chosen), centre), size), np.stack(views, axis=1), says)


def _looked(examined: Examined, page: Path) -> Looked:
    catalog, found, related = examined.catalog, examined.found, examined.related
    names = catalog.names

    parts, counts = counts_of(examined)
    near = found.near.rows
    duplicates = {
        "leaks": related.leaks,
        "near_leaks": near[related.near_leaks],
        "conflicts": related.conflicts,
        "near_conflicts": near[related.near_conflicts],
        "exact": related.groups,
        "near": near,
    }
    unreadable = sorted(examined.cache.unreadable.items())
    lists = {"unreadable": unreadable, "blank": found.blank, **duplicates}
    return Looked(
        data=catalog.source,
        verdict=verdict_of(examined),
        images=len(catalog),
        findings=[one.as_json() for one in examined.findings],
        parts=[part or "images" for part in parts],
        counts=dict(zip(catalog.classes, counts.tolist(), strict=True)),
        sizes=figures_of(examined),
        modes=modes_of(examined),
        unreadable=[{"path": names[row], "reason": why} for row, why in unreadable[:MOST_LISTED]],
        blank=[names[row] for row in found.blank[:MOST_LISTED].tolist()],
        duplicates={
            kind: [[names[row] for row in group[:MOST_IN_GROUP].tolist()] for group in groups[:MOST_LISTED]]
            for kind, groups in duplicates.items()
        },
        totals={name: len(listed) for name, listed in lists.items()},
        corrected=dict(catalog.corrected),
        notes=list(catalog.notes),
        page=page,
    )


def _stem(source: str) -> str:
    return Path(source).resolve().stem.replace(" ", "-") or "data"
