"""Looking at data before anything is trained on it. Imports no torch unless augmented samples are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from babysit.data.audit.canvases import read_rows
from babysit.data.audit.findings import audit
from babysit.data.audit.verdict import Examined, Finding, examine
from babysit.data.augment import Augmentation, canvas_for, cut, draw_views, plain_views
from babysit.data.cache import open_cache
from babysit.data.catalog import Catalog, RefusedDataError
from babysit.data.sizes import sampled_sides, training_size
from babysit.data.sources import open_source
from babysit.errors import UserError
from babysit.recipe import Recipe
from babysit.recipe.schema import DataPart
from babysit.reporting.album import Sample, counts_of, figures_of, modes_of, verdict_of, write_album
from babysit.show import Show, Silent

ORIGINALS, EPOCHS = 8, 7


@dataclass(frozen=True)
class Looked:
    """What was seen.

    `findings` worst first, each with `name`, `weight` (wrong, doubtful, note), `count`, `says`, `advice`; `counts`
    readable images of each class in each of `parts`; `sizes` quantiles by name; `modes` images by mode; `duplicates`
    groups and pairs by kind, as lists of names; `page` where the pictures are.
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
    notes: list[str]
    page: Path

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "page": str(self.page)}


def look(data: str, *, out: str | Path | None = None, augment: bool = False, show: Show | None = None) -> Looked:
    """Looks at a data set and writes a page about it.

    Data that cannot be trained on as they lie (one class, no class folders) are looked at all the same, and it is said.

    Arguments:
        data: a folder of class folders, a zip of one, or `digits`.
        out: the page; by default look-NAME.html in the working folder.
        augment: whether the page shows augmented training images.

    Raises:
        UserError: when there are no images, or none can be read.
    """
    show = show or Silent()
    catalog, refused = _listed(data, show)
    sides = sampled_sides(catalog)
    if not sides:
        raise UserError("none of the images looked at can be read", where=data, hint="Are they images at all?")
    size, _ = training_size(sides)
    examined = _examined(catalog, size, show, refused=refused)
    sample = _augmented(examined, size) if augment else None
    page = write_album(Path(out) if out else Path(f"look-{_stem(data)}.html"), examined, augmented=sample)
    return _looked(examined, page)


def _listed(data: str, show: Show) -> tuple[Catalog, tuple[Finding, ...]]:
    """The catalog, and why it could not be trained on, if so."""
    try:
        return open_source(data, show), ()
    except RefusedDataError as refused:
        catalog, fault = refused.catalog, refused.faults[0]
        kinds = "one class" if len(catalog.classes) == 1 else f"{len(catalog.classes)} classes"
        says = f"train refuses these images: {fault.what}; here they are taken for {kinds} ({', '.join(catalog.classes[:5])})"
        return catalog, (Finding("refused", "wrong", len(catalog), says, fault.hint.rstrip(".")),)


def _examined(catalog: Catalog, size: int, show: Show, *, refused: tuple[Finding, ...]) -> Examined:
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done += count
        show.decoding(done, len(catalog))

    resize = DataPart(source=catalog.source).resize  # as train does it unless told otherwise
    cache = open_cache(catalog, canvas_for(size), resize, progress=progress)
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

    def named(groups: Any) -> list[list[str]]:  # noqa: ANN401 - an array of pairs or a tuple of arrays
        return [[names[row] for row in group.tolist()] for group in groups]

    parts, counts = counts_of(examined)
    near = found.near.rows
    return Looked(
        data=catalog.source,
        verdict=verdict_of(examined),
        images=len(catalog),
        findings=[one.as_json() for one in examined.findings],
        parts=[part or "images" for part in parts],
        counts=dict(zip(catalog.classes, counts.tolist(), strict=True)),
        sizes=figures_of(examined),
        modes=modes_of(examined),
        unreadable=[{"path": names[row], "reason": why} for row, why in sorted(examined.cache.unreadable.items())],
        blank=[names[row] for row in found.blank.tolist()],
        duplicates={
            "leaks": named(related.leaks),
            "near_leaks": named(near[related.near_leaks]),
            "conflicts": named(related.conflicts),
            "near_conflicts": named(near[related.near_conflicts]),
            "exact": named(related.groups),
            "near": named(near),
        },
        notes=list(catalog.notes),
        page=page,
    )


def _stem(source: str) -> str:
    return Path(source).resolve().stem.replace(" ", "-") or "data"
