"""Folds: a data set cut K times, so that each image is in validation once. Whole units, each class spread evenly.

Decided by seed and content alone. Unlike the parts of a split, folds are dealt anew when images are added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from babysit.data.assign import Pool, pool_of
from babysit.data.catalog import Catalog
from babysit.data.split import Split, check_parts, in_draw_order, lacking_notes, listed, units_within
from babysit.data.units import content_array
from babysit.errors import UserError
from babysit.show import plural

ALWAYS_TRAINED = -1


def fold_split(
    catalog: Catalog,
    base: Split,
    *,
    folds: int,
    fold: int,
    seed: int,
    clusters: NDArray[np.int64] | None = None,
) -> Split:
    """The split of one fold: it is validation, the other folds are trained on; the test part stays that of `base`.

    Arguments:
        base: its training and validation parts are shared out, its test part is kept.
        folds: how many, at least 2.
        fold: 1 to `folds`.
        seed: of the draw.
        clusters: images with equal numbers stay together, shape (n,); none without it.

    Raises:
        UserError: when there are fewer units than folds.
    """
    assert 1 <= fold <= folds
    contents = content_array(base.hashes)
    usable = base.parts() >= 0
    units = units_within(catalog, contents, usable, clusters)
    rows = np.sort(np.concatenate([base.train, base.validation]))
    drawn = in_draw_order(units[rows], contents[rows], seed)
    pool = pool_of(drawn, catalog.labels[rows], len(catalog.classes))
    of_unit = fold_of_units(pool, folds)
    filled = len(np.unique(of_unit[of_unit != ALWAYS_TRAINED]))
    if filled < folds:
        raise UserError(
            f"the images (those that belong together stay together) fill only {plural(filled, 'fold')} of {folds}",
            where=catalog.source,
            hint="Ask for fewer folds, or add images",
        )
    number = of_unit[drawn]
    parts = {
        "train": rows[number != fold - 1],
        "val": rows[number == fold - 1],
        "test": base.rows["test"],
    }
    check_parts(catalog, parts, units=units)
    notes = list(base.remarks)
    always = rows[number == ALWAYS_TRAINED]
    if len(always):
        names = [catalog.classes[label] for label in np.unique(catalog.labels[always])]
        notes.append(
            f"{plural(len(always), 'image')} trained on in every fold, as the only ones of a class that can be "
            f"({listed(names)})"
        )
    if "val" in catalog.parts:
        notes.append("the validation part that the data bring is shared out among the folds with the training part")
    return Split(parts, base.hashes, tuple(notes), lacking_notes(catalog, parts), base.moved, base.by_rule)


def fold_of_units(pool: Pool, folds: int) -> NDArray[np.int64]:
    """The fold of each unit, 0 to folds - 1, or ALWAYS_TRAINED; shape (units,).

    Units of several images come first, the largest first, each to the fold that has least of its classes; single
    images then level the folds, class by class.
    """
    fold = np.full(len(pool.sizes), ALWAYS_TRAINED, np.int64)
    counts = np.zeros((folds, len(pool.totals)), np.int64)
    joined = np.flatnonzero(pool.sizes > 1)
    for unit in joined[np.argsort(-pool.sizes[joined], kind="stable")].tolist():
        entries = slice(pool.first[unit], pool.first[unit + 1])
        labels, count = pool.label[entries], pool.count[entries]
        crowd = (counts[:, labels] * (count / pool.totals[labels])).sum(1)
        best = np.lexsort((counts.sum(1), crowd))[0]
        fold[unit] = best
        counts[best, labels] += count
    singles = np.flatnonzero(pool.sizes == 1)
    labels = pool.label[pool.first[singles]]
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(len(pool.totals) + 1))
    filled = counts.sum(1)
    for label in range(len(pool.totals)):
        mine = singles[order[bounds[label] : bounds[label + 1]]]
        quota = _levelled(counts[:, label], filled, len(mine))
        fold[mine] = np.repeat(np.arange(folds), quota)
        filled += quota
        counts[:, label] += quota
    _free_lonely(pool, fold)
    return fold


def _levelled(counts: NDArray[np.int64], filled: NDArray[np.int64], amount: int) -> NDArray[np.int64]:
    """How many of `amount` images each fold gets, so that the lowest counts rise together; ties to the emptier fold."""
    order = np.lexsort((filled, counts))
    ordered = counts[order]
    # The first k folds can be raised to the level of fold k + 1 while that costs no more than there is.
    costs = np.arange(len(counts)) * ordered - (np.cumsum(ordered) - ordered)
    raised = int(np.flatnonzero(costs <= amount).max())
    level, rest = divmod(amount + int(ordered[: raised + 1].sum()), raised + 1)
    quota = np.zeros(len(counts), np.int64)
    group = order[: raised + 1]
    quota[group] = level - counts[group]
    emptier = group[np.lexsort((np.arange(len(group)), filled[group] + quota[group]))]
    quota[emptier[:rest]] += 1
    return quota


def _free_lonely(pool: Pool, fold: NDArray[np.int64]) -> None:
    """A class that lies in one fold alone would not be trained on there: its smallest unit is always trained on."""
    folds = int(fold.max(initial=0)) + 1
    there = np.zeros((folds, len(pool.totals)), bool)
    there[fold[pool.unit], pool.label] = True
    for label in np.flatnonzero(there.sum(0) == 1).tolist():
        holders = pool.unit[pool.label == label]
        if (fold[holders] >= 0).all():
            fold[holders[np.argmin(pool.sizes[holders])]] = ALWAYS_TRAINED
