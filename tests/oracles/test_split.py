"""A second author of the units: images are compared pair by pair, and the numbers spread until nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.folds import _levelled
from babysit.data.units import content_array, unit_keys, units_of
from babysit.metrics import spread


def slow_units(groups: list[str], contents: list[str], clusters: list[int]) -> list[int]:
    count = len(contents)
    unit = list(range(count))
    changed = True
    while changed:
        changed = False
        for one in range(count):
            for other in range(count):
                together = (
                    contents[one] == contents[other]
                    or clusters[one] == clusters[other]
                    or (groups[one] == groups[other] and groups[one] != "")
                )
                if together and unit[one] != unit[other]:
                    unit[one] = unit[other] = min(unit[one], unit[other])
                    changed = True
    return unit


@given(st.integers(1, 25).flatmap(lambda n: st.tuples(
    st.lists(st.sampled_from(["", "", "a", "b", "c", "d"]), min_size=n, max_size=n),
    st.lists(st.integers(0, 30).map(str), min_size=n, max_size=n),
    st.lists(st.integers(-3, 30), min_size=n, max_size=n),
)))  # fmt: skip
@settings(max_examples=150)
def test_units(drawn) -> None:
    groups, contents, clusters = drawn
    found = units_of(groups, content_array(contents), np.array(clusters)).tolist()
    slow = slow_units(groups, contents, clusters)
    names = {number: place for place, number in enumerate(dict.fromkeys(slow))}
    assert found == [names[number] for number in slow], "numbered in the order of each unit's first image"
    alone = units_of([""] * len(contents), content_array(contents)).tolist()
    assert len(set(alone)) == len(set(contents))


def test_a_chain_as_long_as_the_data_is_one_unit() -> None:
    count = 20_001
    order = np.random.default_rng(0).permutation(count)
    groups = [f"g{place // 2}" for place in order]
    contents = content_array([f"{place:032x}" for place in range(count)])
    assert units_of(groups, contents, (order + 1) // 2).max() == 0


def test_the_key_of_a_unit_is_that_of_its_smallest_content_whatever_the_order() -> None:
    contents = content_array(["c", "a", "b", "d"])
    keys = unit_keys(np.array([0, 1, 0, 1]), contents, seed=3)
    alone = unit_keys(np.array([0, 1]), content_array(["b", "a"]), seed=3)
    assert keys.tolist() == alone.tolist()
    assert unit_keys(np.array([0, 1]), content_array(["b", "a"]), seed=4).tolist() != alone.tolist()


@given(st.lists(st.integers(0, 12), min_size=2, max_size=6), st.integers(0, 40))
@settings(max_examples=150)
def test_folds_are_levelled_like_pouring_one_image_after_another(counts: list[int], amount: int) -> None:
    quota = _levelled(np.array(counts), np.array(counts), amount)
    poured = list(counts)
    for _ in range(amount):
        poured[poured.index(min(poured))] += 1
    assert sorted((np.array(counts) + quota).tolist()) == sorted(poured)
    assert quota.min() >= 0 and quota.sum() == amount


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_spread(values: list[float]) -> None:
    found = spread(values)
    assert found.mean == pytest.approx(float(np.mean(values)), abs=1e-12)
    assert found.deviation == pytest.approx(float(np.std(values, ddof=1)) if len(values) > 1 else 0.0, abs=1e-12)
    assert (found.low, found.high) == (min(values), max(values))
