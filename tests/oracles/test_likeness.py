"""A second author of likeness: one image and one class at a time, with an inverse and two loops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from babysit.inference.likeness import features_of, fit_likeness, last_features, read_likeness


def slow_distance(feature, means, covariance) -> float:
    inverse = np.linalg.inv(covariance)
    return min(float((feature - mean) @ inverse @ (feature - mean)) for mean in means)


@pytest.fixture
def clouds():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 400)
    mixing = generator.normal(size=(6, 6))
    centres = generator.normal(size=(3, 6)) * 20
    return (centres[labels] + generator.normal(size=(400, 6)) @ mixing).astype(np.float32), labels


def test_distances_are_mahalanobis_to_the_nearest_class(clouds, tmp_path: Path) -> None:
    features, labels = clouds
    fitted = fit_likeness(features[:300], labels[:300], 3, features[300:])
    exact = features[:300].astype(np.float64)
    means = [exact[labels[:300] == label].mean(axis=0) for label in range(3)]
    apart = np.array([one - means[label] for one, label in zip(exact, labels[:300], strict=True)])
    covariance = apart.T @ apart / 300
    share = 6 / 306
    covariance = (1 - share) * covariance + share * np.trace(covariance) / 6 * np.eye(6)
    slow = [slow_distance(one, means, covariance) for one in features[300:].astype(np.float64)]
    assert fitted.distances(features[300:]) == pytest.approx(slow, rel=1e-3)
    assert fitted.threshold == pytest.approx(np.quantile(slow, 0.99), rel=1e-3)
    assert fitted.is_unlike(features[300:]).sum() == 1, "one of a hundred"
    assert fitted.is_unlike(features[:5] + 100).all() and fitted.is_unlike(np.full((1, 6), np.nan, np.float32)).all()
    fitted.write(tmp_path / "likeness.safetensors")
    kept = read_likeness(tmp_path / "likeness.safetensors")
    assert np.array_equal(kept.distances(features), fitted.distances(features)) and kept.threshold == pytest.approx(
        fitted.threshold
    )


def test_a_class_without_images_and_features_that_never_vary_do_no_harm() -> None:
    features = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    features[:, 2] = 7
    fitted = fit_likeness(features, np.zeros(50, np.int64), 3, features)
    assert np.isfinite(fitted.distances(features)).all()
    flat = fit_likeness(np.ones((9, 2), np.float32), np.zeros(9, np.int64), 2, np.ones((3, 2), np.float32))
    assert not flat.is_unlike(np.ones((1, 2), np.float32)).any()


def test_a_missing_or_harmed_file_says_nothing(tmp_path: Path) -> None:
    assert read_likeness(tmp_path / "none") is None
    (tmp_path / "harmed").write_bytes(b"words" * 10)
    assert read_likeness(tmp_path / "harmed") is None


def test_features_are_what_enters_the_last_linear_layer() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    images = torch.randn(5, 3)
    with last_features(model) as seen:
        model(images)
    found = seen.take()
    assert np.allclose(features_of(found), model[1](model[0](images)).detach().numpy())
    plain = nn.Sequential(nn.ReLU())
    with last_features(plain) as nothing:
        plain(images)
    model(images)
    assert nothing.take() == [] and len(found) == 1 and seen.take() == [], "the hook is gone afterwards"


def test_each_thread_takes_the_features_of_its_own_images() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    images = [torch.randn(count, 3) for count in range(1, 9)]

    def one(some: torch.Tensor) -> torch.Tensor:
        model(some)
        return torch.cat(seen.take())

    with last_features(model) as seen, ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(one, images * 10))
    for some, features in zip(images * 10, taken, strict=True):
        assert torch.equal(features, model[0](some))


def test_many_features_are_brought_down_and_still_tell_apart(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 700)
    features = (generator.normal(size=(3, 2000))[labels] + generator.normal(size=(700, 2000))).astype(np.float32)
    fitted = fit_likeness(features[:600], labels[:600], 3, features[600:])
    assert fitted.whitening.shape == (2000, 512) and fitted.is_unlike(features[600:]).mean() <= 0.02
    assert fitted.is_unlike(generator.normal(size=(20, 2000)).astype(np.float32) * 3).all()


def test_an_unused_auxiliary_head_is_passed_over() -> None:
    class WithHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.own, self.auxiliary = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, images):
            return self.own(self.body(images))

    model, images = WithHead(), torch.randn(5, 3)
    with last_features(model) as seen:
        model(images)
        model(images)
    found = seen.take()
    assert [one.shape for one in found] == [(5, 4), (5, 4)] and torch.equal(found[0], model.body(images))
