"""Which image is in which part of this run: cut by rule, given back by a file, one of several folds, or the run's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from babysit.data import split_memory
from babysit.data.catalog import Catalog
from babysit.data.folds import fold_split
from babysit.data.split import Split, default_share, joined, split
from babysit.data.split_file import Listed, read_split, split_as_listed
from babysit.data.units import content_array
from babysit.errors import UserError
from babysit.recipe import Recipe


def cut_parts(
    catalog: Catalog,
    hashes: Sequence[str],
    usable: NDArray[np.bool_],
    *,
    recipe: Recipe,
    clusters: NDArray[np.int64] | None = None,
    own: Path | None = None,
) -> tuple[Split, Split | None]:
    """The split of a run, and the split to be remembered for later ones (none when a file gave it).

    Arguments:
        hashes: content hash of each image.
        usable: which images may be in a part.
        clusters: images with equal numbers stay together, shape (n,).
        own: the split.csv of a run that is resumed; then nothing else decides.

    Raises:
        UserError: when the images or the file do not allow it; of `own`, when any image is new, gone or changed.
    """
    if own is not None:
        file = read_split(own)
        _check_unchanged(catalog, hashes, usable, file)
        needed = _needed(recipe)
        return split_as_listed(catalog, hashes, usable, file=file, clusters=clusters, needed=needed), None
    base, remembered = _base(catalog, hashes, usable, recipe, clusters=clusters)
    if recipe.train.refit:
        return joined(base), remembered
    if recipe.data.folds is None:
        return base, remembered
    fold = recipe.data.fold or 1
    cut = fold_split(catalog, base, folds=recipe.data.folds, fold=fold, seed=recipe.seed, clusters=clusters)
    return cut, remembered


def remember(catalog: Catalog, cut: Split, recipe: Recipe) -> str:
    """Keeps the part of each image for a later split of grown data; returns a note when that was not possible."""
    rows = _free(catalog, cut.parts() >= 0)
    return split_memory.remember(_wish(catalog, recipe), content_array(cut.hashes)[rows], cut.parts()[rows])


def _base(
    catalog: Catalog,
    hashes: Sequence[str],
    usable: NDArray[np.bool_],
    recipe: Recipe,
    *,
    clusters: NDArray[np.int64] | None,
) -> tuple[Split, Split | None]:
    if recipe.data.split:
        file = read_split(Path(recipe.data.split))
        needed = _needed(recipe)
        if recipe.train.refit and all(file.hashes):
            _check_unchanged(catalog, hashes, usable, file)
        return split_as_listed(catalog, hashes, usable, file=file, clusters=clusters, needed=needed), None
    # A test part that the data bring is not counted: validation is cut from what is left.
    share = default_share(sum(part != "test" for part in catalog.parts))
    shares = recipe.data.validation or share, recipe.data.test or share
    known = None
    if not catalog.has_validation:
        rows = _free(catalog, usable)
        known = np.full(len(hashes), split_memory.UNKNOWN, np.int8)
        known[rows] = split_memory.recall(_wish(catalog, recipe), content_array(hashes)[rows])
    cut = split(catalog, hashes, usable, shares=shares, seed=recipe.seed, clusters=clusters, known=known)
    return cut, None if catalog.has_validation else cut


def _needed(recipe: Recipe) -> tuple[str, ...]:
    """The parts that must have images: a refit has trained on those of validation."""
    return () if recipe.train.refit else ("val",)


def _free(catalog: Catalog, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows that may be cut: the data have put them into no part, or into train."""
    return np.flatnonzero(usable & np.fromiter((part in ("", "train") for part in catalog.parts), bool, len(catalog)))


def _wish(catalog: Catalog, recipe: Recipe) -> split_memory.Wish:
    cut = ("val",) if any(catalog.parts) else ("val", "test")
    return split_memory.Wish(recipe.seed, recipe.data.validation, recipe.data.test, cut)


def _check_unchanged(catalog: Catalog, hashes: Sequence[str], usable: NDArray[np.bool_], file: Listed) -> None:
    before = set(zip(file.names, file.labels, file.hashes, strict=True))
    now = {
        (catalog.names[row], catalog.classes[catalog.labels[row]], hashes[row])
        for row in np.flatnonzero(usable).tolist()
    }
    if before != now:
        example = min(before ^ now)[0]
        raise UserError(
            f"the images have changed since the run began ({len(before - now)} gone or changed, {len(now - before)} "
            f"new or changed; for example {example})",
            where=catalog.source,
            hint="Put them back as they were, or start a new run with another -o",
        )
