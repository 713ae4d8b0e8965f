"""Balanced sampling against counting by hand."""

from __future__ import annotations

import os
import signal
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from babysit import api
from babysit.checkpoint import load_newest
from babysit.data.augment import Augmentation
from babysit.data.batches import Batches
from babysit.data.sampling import balanced_order, epoch_order
from babysit.data.statistics import Statistics
from babysit.errors import InterruptedTraining, UserError
from babysit.recipe import Parsed, Recipe
from babysit.record.log import read_log
from babysit.seeds import permutation
from babysit.show import Silent, StepShown
from babysit.training.resolve import check

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def labels_of(sizes: list[int]) -> np.ndarray:
    labels = np.repeat(np.arange(len(sizes)) * 3, sizes)  # numbers of classes may have gaps
    return np.random.default_rng(0).permutation(labels)


@given(SIZES, st.integers(0, 2**40), st.integers(0, 50))
def test_every_class_is_drawn_equally_often(sizes: list[int], seed: int, epoch: int) -> None:
    labels = labels_of(sizes)
    order = balanced_order(labels, seed=seed, epoch=epoch)
    assert len(order) == len(labels) and len(set(order.tolist())) == len(order)
    counts = Counter(labels[one % len(labels)] for one in order.tolist())
    assert set(counts) <= set(labels.tolist()) and sum(counts.values()) == len(labels)
    most, least = max(counts.values()), min(counts.get(label, 0) for label in set(labels.tolist()))
    assert most - least <= 1
    assert (balanced_order(labels, seed=seed, epoch=epoch) == order).all()


@given(SIZES, st.integers(0, 1000))
def test_within_a_class_no_image_is_preferred(sizes: list[int], seed: int) -> None:
    """Where classes divide the epoch evenly, each image's count over many epochs is its neighbours' to within one."""
    sizes = [size * len(sizes) for size in sizes]
    labels = labels_of(sizes)
    seen = np.zeros(len(labels), int)
    for epoch in range(7):
        np.add.at(seen, balanced_order(labels, seed=seed, epoch=epoch) % len(labels), 1)
    for label in set(labels.tolist()):
        counts = seen[labels == label]
        assert counts.max() - counts.min() <= 1


def test_a_repetition_says_so_and_plain_sampling_is_as_it_was() -> None:
    labels = labels_of([30, 3])
    order = balanced_order(labels, seed=1, epoch=2)
    rare = order[labels[order % 33] == 3]
    assert len(rare) in (16, 17) and sorted(Counter((rare % 33).tolist()).values()) in ([5, 5, 6], [5, 6, 6], [5, 5, 7])
    for image in set((rare % 33).tolist()):
        repetitions = rare[rare % 33 == image] // 33
        assert len(set(repetitions.tolist())) == len(repetitions)
    assert (epoch_order("plain", labels, seed=4, epoch=5) == permutation(4, 5, 33)).all()


def test_repetitions_of_an_image_are_augmented_each_in_its_own_way() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    part = Batches(pixels, np.arange(4), np.arange(4), 8, Statistics(), torch.float32, torch.device("cpu"), classes=4)
    asked = Augmentation(crop=3, flip="random", brightness=0.5, erase=0.5)
    batch = part.training(np.array([2, 6, 10, 14]), asked, seed=0, epoch=0)
    assert batch.labels.tolist() == [2, 2, 2, 2]
    flat = {tuple(image.flatten().tolist()) for image in batch.images}
    assert len(flat) == 4
    alone = part.training(np.array([10]), asked, seed=0, epoch=0)
    assert torch.equal(alone.images[0], batch.images[2])


def test_what_does_not_go_with_it_is_said_at_once() -> None:
    wrong = {"loss.class_weights": "balanced", "augment.mixup": 0.2, "augment.cutmix": 1.0}
    with pytest.raises(UserError) as caught:
        check(Parsed(Recipe().replace({"data.sampling": "balanced", **wrong}), (), {}))
    assert len(caught.value.faults) == 3
    for one in wrong:
        check(Parsed(Recipe().replace({one: wrong[one]}), (), {}))


class StopsAt(Silent):
    """Asks for an end, as Ctrl-C does, after some steps."""

    def step(self, shown: StepShown) -> None:
        if shown.step == 6:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_resume_in_the_middle_of_an_epoch_is_exact(tmp_path, make_folder) -> None:
    data = make_folder(tmp_path / "data", {"common": 60, "rare": 12})
    settings = {"data.sampling": "balanced", "augment.mixup": 0.0, "optim.batch_size": 8, "train.epochs": 2}
    settings |= {"train.precision": "float32", "train.threads": 1}
    whole = api.train(str(data), out=tmp_path / "whole", settings=settings, anyway=True)
    with pytest.raises(InterruptedTraining):
        api.train(str(data), out=tmp_path / "cut", settings=settings, anyway=True, show=StopsAt())
    api.train(str(data), out=tmp_path / "cut", settings=settings, resume=True, anyway=True)
    losses = [
        [row.values["loss"] for row in read_log(tmp_path / name / "log.jsonl").of("step")] for name in ("whole", "cut")
    ]
    assert whole.steps == len(losses[0]) > 6 and losses[0] == losses[1]
    weights = [load_newest(tmp_path / name / "checkpoints")[0].weights for name in ("whole", "cut")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
