"""Likeness: how far an image lies from what the network was trained on, in the network's own terms.

Each class is a cloud of feature vectors (what enters the last linear layer) with a mean of its own and a shape that all
share. An image's distance is that to the nearest class; the threshold is one that 99 of 100 validation images keep.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from torch import Tensor, nn

from babysit.errors import writing
from babysit.record import atomic

KEPT_SHARE = 0.99

MOST_FEATURES = 512
"""More are brought down to so many by a fixed random projection, so that the file stays small and the fit quick."""


@dataclass(frozen=True)
class Likeness:
    """The classes' means and what makes their common shape a ball.

    d(f) = min over classes c of (f - m_c)ᵀ S⁻¹ (f - m_c), with S⁻¹ = W Wᵀ

    `means` (classes, kept features), already times W; `whitening` W, (features, kept features); `threshold` on d.

    Source: Lee, Lee, Lee, Shin, "A simple unified framework for detecting out-of-distribution samples" (NeurIPS 2018).
    """

    means: NDArray[np.float32]
    whitening: NDArray[np.float32]
    threshold: float

    def distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """d of each image. Shape: (n, features) to (n,)."""
        # By torch, whose threads are the ones that were measured; NumPy's would wait beside them for work.
        white, means = torch.from_numpy(features) @ torch.from_numpy(self.whitening), torch.from_numpy(self.means)
        square = (white**2).sum(dim=1, keepdim=True) + (means**2).sum(dim=1) - 2 * white @ means.T
        return square.min(dim=1).values.clamp_min(0).numpy()

    def is_unlike(self, features: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether each image lies further out than 99 % of the validation images did. Shape: (n,)."""
        return ~(self.distances(features) <= self.threshold)

    def write(self, path: Path) -> None:
        """Keeps it as one small file."""
        tensors = {
            "means": self.means,
            "whitening": self.whitening,
            "threshold": np.array([self.threshold], np.float32),
        }
        with writing(path, "the measure of likeness"):
            atomic.write_bytes(path, save(tensors))


def read_likeness(path: Path) -> Likeness | None:
    """What `write` kept, or None when it is missing or harmed: then nothing is said about likeness."""
    try:
        tensors = load(path.read_bytes())
        return Likeness(tensors["means"], tensors["whitening"], float(tensors["threshold"][0]))
    except (OSError, KeyError, IndexError, SafetensorError):
        return None


def fit_likeness(
    features: NDArray[np.float32], labels: NDArray[np.int64], classes: int, held_out: NDArray[np.float32]
) -> Likeness:
    """Fits means and common covariance, and sets the threshold by images not used for that.

    S = 1/n sum_i (f_i - m_y(i)) (f_i - m_y(i))ᵀ, drawn towards a ball by the share d / (n + d), so that it can be
    inverted with few images.

    Arguments:
        features: of training images, shape (n, d).
        labels: their classes; one without an image gets the mean of all.
        classes: how many there are.
        held_out: features of validation images, shape (m, d), m at least 1.
    """
    exact, projection = features.astype(np.float64), None
    if features.shape[1] > MOST_FEATURES:
        generator = np.random.default_rng(0)
        projection = generator.normal(size=(features.shape[1], MOST_FEATURES)) / np.sqrt(MOST_FEATURES)
        exact = exact @ projection
    count, width = exact.shape
    means = np.tile(exact.mean(axis=0), (classes, 1))
    for label in np.unique(labels):
        means[label] = exact[labels == label].mean(axis=0)
    apart = exact - means[labels]
    covariance = apart.T @ apart / count
    share, size = width / (count + width), np.trace(covariance) / width or 1.0
    covariance = (1 - share) * covariance + share * size * np.eye(width)
    # In memory order: safetensors keeps a transposed array's bytes without its strides.
    whitening = np.ascontiguousarray(np.linalg.inv(np.linalg.cholesky(covariance)).T)
    whole = whitening if projection is None else projection @ whitening
    fitted = Likeness((means @ whitening).astype(np.float32), whole.astype(np.float32), 0.0)
    threshold = float(np.quantile(fitted.distances(held_out), KEPT_SHARE))
    return Likeness(fitted.means, fitted.whitening, threshold)


class Features(threading.local):
    """What entered the last linear layer at each forward pass of the thread that asks."""

    def __init__(self) -> None:
        self.latest: list[Tensor] = []
        self.found: list[Tensor] = []

    def take(self) -> list[Tensor]:
        """What has come since the last call, shape (n, features) each."""
        taken, self.found = self.found, []
        return taken


@contextmanager
def last_features(model: nn.Module) -> Iterator[Features]:
    """Receives what enters the network's last linear layer at each forward pass inside, in any thread.

    A network without one gives nothing.
    """
    seen = Features()

    def entering(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.latest = list(inputs[:1])

    def finished(_module: nn.Module, _inputs: object, _output: object) -> None:
        # What entered last, not what is listed last: an auxiliary head is not used in evaluation.
        seen.found.extend(one.detach().flatten(1).float() for one in seen.latest)
        seen.latest = []

    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_pre_hook(entering) for module in linear]
    handles.append(model.register_forward_hook(finished))
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def features_of(found: list[Tensor]) -> NDArray[np.float32]:
    """What `Features` took, as one array; a value that is not finite becomes 0."""
    return np.nan_to_num(torch.cat(found).cpu().numpy(), posinf=0, neginf=0)
