"""A second author of confident learning: loops, dictionaries and the paper's definition; and planted wrong labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysit.evaluating.label_errors import confident_joint


def slow_joint(probabilities, labels):
    classes = range(probabilities.shape[1])
    thresholds = {}
    for one in classes:
        own = [float(row[one]) for row, label in zip(probabilities, labels, strict=True) if label == one]
        thresholds[one] = sum(own) / len(own) if own else float("inf")
    found = {}
    for place, (row, label) in enumerate(zip(probabilities, labels, strict=True)):
        reached = [one for one in classes if row[one] >= thresholds[one]]
        if reached:
            best = max(reached, key=lambda one: (row[one], -one))
            if best != label and row[best] > row[label]:
                found[place] = best
    return found


@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(2, 6))
def test_the_suspects_are_those_of_the_definition(seed: int, count: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.ones(classes) * 0.5, count)
    labels = generator.integers(0, classes, count)
    found = confident_joint(probabilities, labels)
    slow = slow_joint(probabilities, labels)
    assert {place: suggested for place, suggested, _ in found} == slow
    confidences = [confidence for _, _, confidence in found]
    assert confidences == sorted(confidences, reverse=True)
    for place, suggested, confidence in found:
        assert confidence == pytest.approx(probabilities[place, suggested] - probabilities[place, labels[place]])


def test_planted_wrong_labels_are_found() -> None:
    generator = np.random.default_rng(0)
    true = generator.integers(0, 10, 5000)
    scores = generator.normal(size=(5000, 10))
    scores[np.arange(5000), true] += 5
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = true.copy()
    planted = generator.choice(5000, 150, replace=False)
    labels[planted] = (labels[planted] + generator.integers(1, 10, 150)) % 10
    found = confident_joint(probabilities, labels)
    hits = [place in set(planted.tolist()) for place, _, _ in found]
    assert sum(hits) / len(planted) > 0.6 and sum(hits) / len(hits) > 0.9
    assert all(suggested == true[place] for (place, suggested, _), hit in zip(found, hits, strict=True) if hit)
