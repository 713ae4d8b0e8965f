"""The forest of second guesses against scikit-learn's own reading of its trees, and the portrait that it is asked with."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier

import grow
from babysit.diagnosing.forest import WHOLE, Forest, alike, grown
from babysit.diagnosing.portrait import ABSENT, as_vector, portrait
from babysit.record.known import Known
from babysit.record.log import Row, RunLog
from babysit.record.observation import QUANTITIES


def test_a_planted_forest_says_what_scikit_learn_s_says() -> None:
    chance = np.random.default_rng(3)
    seen = chance.normal(size=(400, 7)).astype(np.float32)
    seen[chance.random(seen.shape) < 0.2] = ABSENT
    causes = np.array(["a", "b", "c"])[(seen[:, 0] > 0).astype(int) + (seen[:, 3] > 0.5)]
    trees = ExtraTreesClassifier(12, min_samples_leaf=4, random_state=0).fit(seen, causes)
    made = grow.planted(trees, tuple("1234567"))
    for one, expected in zip(seen[:60], trees.predict_proba(seen[:60]), strict=True):
        told = made.likely(one)
        assert [told[name] for name in trees.classes_] == pytest.approx(expected, abs=1 / WHOLE)
        assert sum(told.values()) == pytest.approx(1) and list(told.values()) == sorted(told.values(), reverse=True)


def test_the_forest_that_comes_along_is_whole_and_asks_for_what_a_portrait_can_have() -> None:
    forest = grown()
    nodes = len(forest.asks)
    within = forest.asks >= 0
    assert nodes == len(forest.limits) == len(forest.others) > 1000
    assert (forest.asks < len(forest.names)).all() and (forest.others[within] < nodes).all()
    assert (forest.others[within] > np.flatnonzero(within)).all()  # no way leads back
    assert sorted(forest.others[~within]) == list(range(len(forest.shares)))
    assert (np.abs(forest.shares.sum(axis=1).astype(int) - WHOLE) <= len(forest.causes)).all()
    known = {one.name for one in fields(Known)}
    assert {name.partition(" ")[0] for name in map(str, forest.names)} <= {*QUANTITIES, *known, "layers"}


numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)
keys = st.sampled_from(["loss", "accuracy", "update_ratio@stem", "update_ratio@head", "recall@cat", "validation_loss"])
rows = st.lists(st.dictionaries(keys, numbers, max_size=4), max_size=6)


@given(rows, st.sampled_from([None, 0, 1, 2, 1000]))
def test_a_portrait_of_anything_has_finite_numbers_and_the_forest_an_answer(values, classes) -> None:
    log = RunLog([Row("step", number, 0, one) for number, one in enumerate(values)])
    known = Known(classes=classes, learning_rate=0.1, augmented=True)
    with np.errstate(all="ignore"):
        seen = portrait(log, known)
        assert all(math.isfinite(one) for one in seen.values())
        assert sum(alike(log, known).values()) == pytest.approx(1)
    assert seen["learning_rate"] == pytest.approx(0.1) and seen["augmented"] == 1


def test_a_portrait_measures_losses_in_ln_c_and_layers_at_three_moments() -> None:
    layers = [
        Row("layers", step, 0, {"update_ratio@stem": 0.1 * step, "update_ratio@head": 1.0}) for step in (1, 2, 3, 4, 5)
    ]
    log = RunLog([Row("epoch", 5, 0, {"validation_loss": math.log(4), "validation_accuracy": 0.25}), *layers])
    seen = portrait(log, Known(classes=4))
    assert seen["validation_loss last"] == pytest.approx(1) and seen["validation_accuracy last"] == pytest.approx(0)
    told = [seen[f"update_ratio {moment} first"] for moment in ("begin", "middle", "end")]
    assert told == pytest.approx([0.1, 0.3, 0.5])
    assert seen["update_ratio end least"] == pytest.approx(0.5) and seen["update_ratio end mean"] == pytest.approx(0.75)
    short = as_vector({"a": 1e-4, "b": -1e-4}, ("a", "b", "c"))
    assert short == pytest.approx([math.log(2), -math.log(2), ABSENT])


def test_a_leaf_of_one_tree() -> None:
    """A number up to the limit goes to the next node, a greater one to the other."""
    names, causes = np.array(["x"]), np.array(["low", "high"])
    asks, limits = np.array([0, -1, -1], np.int16), np.array([0.5, 0, 0], np.float32)
    others, shares = np.array([2, 0, 1], np.int32), np.array([[WHOLE, 0], [51, 204]], np.uint8)
    forest = Forest(names, causes, np.array([0], np.int32), asks, limits, others, shares)
    assert forest.likely(np.array([0.5], np.float32)) == {"low": 1.0, "high": 0.0}
    assert forest.likely(np.array([0.6], np.float32)) == pytest.approx({"high": 0.8, "low": 0.2})
