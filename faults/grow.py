"""Grows the forest of second guesses on the recorded corpus, or measures one on each part by trainings of the others alone.

python faults/grow.py            # writes src/babysit/diagnosing/forest.npz
python faults/grow.py --measure  # right causes first and among three: each part with a forest that never saw it
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

import logs
from babysit.diagnosing import forest
from babysit.diagnosing.forest import GROWN, WHOLE, Forest
from babysit.diagnosing.portrait import as_vector, portrait
from babysit.diagnosing.ranking import COSTS
from corpus import LOOKED_AT, part_of, whole
from judging import heard, spelled
from programs import Program

LOOKS = (0.4, 1.0)
"""Shares of a training's updates after which it is learned from: a guess is made in the midst of one too."""

TREES, LEAF, ASKED, SEED = 60, 8, 0.15, 0
"""Trees; trainings in a leaf at least; the share of all numbers that a node chooses from; of its chances."""

GONE = 0.3
"""The share of the quantities that a second copy of each training that is over lacks: a loop may tell less than those of the corpus."""


@dataclass(frozen=True)
class Example:
    """An ill training after a share of its updates, in numbers."""

    program: Program
    seen: dict[str, float]


def examples() -> list[Example]:
    """Broken trainings of the parts that are learned from, whose fault shows in what is learned, at each look."""
    ill = [one for one in whole() if not one.healthy and part_of(one) in LOOKED_AT and one.accepted[0] not in COSTS]
    there = [one for one in ill if logs.path_of(one.name).exists()]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(_portraits, [one.name for one in there], chunksize=16))
    return [Example(one, seen) for one, every in zip(there, found, strict=True) for seen in every]


def grow(seen: Sequence[Example]) -> Forest:
    """A forest that tells the first accepted cause of each example by its portrait."""
    seen = [*seen, *_poorer(seen[len(LOOKS) - 1 :: len(LOOKS)])]
    names = tuple(sorted({name for one in seen for name in one.seen}))
    trees = ExtraTreesClassifier(TREES, min_samples_leaf=LEAF, max_features=ASKED, random_state=SEED, n_jobs=-1)  # type: ignore[arg-type]
    trees.fit(np.array([as_vector(one.seen, names) for one in seen]), [one.program.accepted[0] for one in seen])
    return planted(trees, names)


def _poorer(seen: Sequence[Example]) -> Iterator[Example]:
    """Copies of which some quantities were never measured."""
    chance = np.random.default_rng(SEED)
    for one in seen:
        gone = {name for name in sorted({name.partition(" ")[0] for name in one.seen}) if chance.random() < GONE}
        yield replace(one, seen={name: x for name, x in one.seen.items() if name.partition(" ")[0] not in gone})


def planted(trees: ExtraTreesClassifier, names: Sequence[str]) -> Forest:
    """The trees of scikit-learn, whose nodes stand depth first, in the form that babysit reads without it."""
    roots, asks, limits, others, shares, nodes, leaves = [], [], [], [], [], 0, 0
    for one in (each.tree_ for each in trees.estimators_):
        leaf = one.children_left < 0
        assert (leaf | (one.children_left == np.arange(one.node_count) + 1)).all(), "a left child is not the next node"
        roots.append(nodes)
        asks.append(np.where(leaf, -1, one.feature))
        limits.append(np.where(leaf, 0, one.threshold))
        others.append(np.where(leaf, leaves + np.cumsum(leaf) - 1, one.children_right + nodes))
        told = one.value[leaf, 0]
        shares.append(np.rint(WHOLE * told / told.sum(axis=1, keepdims=True)))
        nodes, leaves = nodes + one.node_count, leaves + int(leaf.sum())
    return Forest(
        np.array(names),
        np.array(trees.classes_),
        np.array(roots, np.int32),
        np.concatenate(asks).astype(np.int16),
        np.concatenate(limits).astype(np.float32),
        np.concatenate(others).astype(np.int32),
        np.concatenate(shares).astype(np.uint8),
    )


def keep(made: Forest, path: Path = GROWN) -> None:
    """Writes a forest."""
    np.savez_compressed(path, **{name: getattr(made, name) for name in Forest.__slots__})


def measure() -> None:
    """Each part by a forest of the others."""
    known = examples()
    for part in LOOKED_AT:
        made = grow([one for one in known if part_of(one.program) != part])
        forest.grown = lambda made=made: made
        programs = sorted({one.program.name: one.program for one in known if part_of(one.program) == part}.items())
        with ProcessPoolExecutor() as pool:  # its processes are copies of this one, with that forest
            ranks = list(pool.map(_ranks, [one for _, one in programs], chunksize=8))
        for what, place in (("said", 0), ("by the forest alone", 1)):
            first, three = (sum(rank[place] < most for rank in ranks) for most in (1, 3))
            print(f"{part:10s} {what:20s} first {spelled(first, len(ranks))}, among three {spelled(three, len(ranks))}")


def _ranks(program: Program) -> tuple[int, int]:
    """The places of the first right cause: in what is said, and in what the forest alone finds likely."""
    kept = logs.read(program.name)
    said = [one.rule for one in heard(kept.log, kept.known)]
    likely = list(forest.alike(kept.log, kept.known))
    return tuple(
        min((place for place, name in enumerate(found) if name in program.accepted), default=len(found))
        for found in (said, likely)
    )  # type: ignore[return-value]


def _portraits(name: str) -> list[dict[str, float]]:
    kept = logs.read(name)
    return [portrait(kept.until(share), kept.known_at(share)) for share in LOOKS]


def main() -> None:
    """Grows, or measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="each part by a forest that never saw it")
    if parser.parse_args().measure:
        measure()
    else:
        keep(grow(examples()))


if __name__ == "__main__":
    main()
