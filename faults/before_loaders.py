"""Labels and loaders of the corpus before training, written as people write theirs, rightly or wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset

Batch = tuple[Tensor, Tensor]
Make = Callable[[Tensor, Tensor, int], Iterable[Batch]]


def labelled(kind: str, labels: NDArray[np.int64], classes: int) -> Tensor:
    """The labels as the program has them."""
    y = torch.from_numpy(labels.copy())
    shuffled = torch.from_numpy(np.random.default_rng(3).permutation(labels))
    return {
        "right": lambda: y,
        "int32": lambda: y.int(),
        "from-one": lambda: y + 1,
        "from-minus-one": lambda: y - 1,
        "shuffled": lambda: shuffled,
        "one-image-off": lambda: y.roll(1),
        "floats": lambda: y.float(),
        "shares": lambda: torch.nn.functional.one_hot(y, classes).float(),
        "all-zero": lambda: torch.zeros_like(y),
        "without-the-first": lambda: torch.where(y == 0, 1, y),
    }[kind]()


def tensors(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """The shortest that there is."""
    return DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)


class Pictures(Dataset[tuple[Tensor, int]]):
    """A data set with a transform, as in every tutorial."""

    def __init__(self, x: Tensor, y: Tensor, transform: Callable[[Tensor], Tensor] | None = None) -> None:
        self.x, self.y, self.transform = x, y.tolist(), transform

    def __len__(self) -> int:
        """How many."""
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """One image and its label."""
        image = self.x[index]
        return (self.transform(image) if self.transform else image), self.y[index]


def pictures(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """A data set class, not shuffled."""
    return DataLoader(Pictures(x, y), batch_size=batch)


def augmented(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """Shifted and noised anew each time."""

    def transform(image: Tensor) -> Tensor:
        return torch.roll(image, int(torch.randint(-1, 2, ())), dims=-1) + 0.1 * torch.randn_like(image)

    return DataLoader(Pictures(x, y, transform), batch_size=batch, shuffle=True, drop_last=True)


def generator(x: Tensor, y: Tensor, batch: int) -> Iterator[Batch]:
    """A generator, used up after one pass."""
    for start in range(0, len(x), batch):
        yield x[start : start + batch], y[start : start + batch]


def listed(x: Tensor, y: Tensor, batch: int) -> list[Batch]:
    """A list of batches."""
    return list(zip(x.split(batch), y.split(batch), strict=True))


class Reused:
    """Copies every batch into the same two tensors, to save memory."""

    def __init__(self, x: Tensor, y: Tensor, batch: int) -> None:
        self.x, self.y = x, y
        self.images, self.labels = torch.empty(batch, *x.shape[1:]), torch.empty(batch, dtype=torch.long)

    def __iter__(self) -> Iterator[Batch]:
        """Each batch is overwritten by the next."""
        batch = len(self.labels)
        order = torch.randperm(len(self.x))
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            self.images.copy_(self.x[rows])
            self.labels.copy_(self.y[rows])
            yield self.images, self.labels


def endless(x: Tensor, y: Tensor, batch: int) -> Iterator[Batch]:
    """Random batches for ever."""
    while True:
        rows = torch.randint(len(x), (batch,))
        yield x[rows], y[rows]


def sorted_by_class(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """Wrong: folder after folder, and shuffle forgotten."""
    order = y.argsort(stable=True)
    return DataLoader(TensorDataset(x[order], y[order]), batch_size=batch, shuffle=False)


class InPlace(Dataset[tuple[Tensor, Tensor]]):
    """Wrong: normalises the stored image itself, again at every look."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x.clone(), y

    def __len__(self) -> int:
        """How many."""
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One image."""
        return self.x[index].sub_(0.45).div_(0.23), self.y[index]


def in_place(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """Wrong: images from 0 to 1 the first time only."""
    return DataLoader(InPlace(x, y), batch_size=batch, shuffle=True)


class BatchInPlace:
    """Wrong: the slices of the array are divided where they stand."""

    def __init__(self, x: Tensor, y: Tensor, batch: int) -> None:
        self.x, self.y, self.batch = x.clone() * 255, y, batch

    def __iter__(self) -> Iterator[Batch]:
        """Batches that are views."""
        for start in range(0, len(self.x), self.batch):
            images = self.x[start : start + self.batch]
            images /= 255
            yield images, self.y[start : start + self.batch]


def lagging(x: Tensor, y: Tensor, batch: int) -> Iterator[Batch]:
    """Wrong: a prefetch that hands out the labels of the batch before."""
    order = torch.randperm(len(x))
    before = order[:batch]
    for rows in order.split(batch)[1:-1]:
        yield x[rows], y[before]
        before = rows


class Apart:
    """Wrong: images and labels are each shuffled by themselves."""

    def __init__(self, x: Tensor, y: Tensor, batch: int) -> None:
        self.x, self.y, self.batch = x, y, batch

    def __iter__(self) -> Iterator[Batch]:
        """Batches of two orders."""
        x, y = self.x[torch.randperm(len(self.x))], self.y[torch.randperm(len(self.y))]
        yield from zip(x.split(self.batch), y.split(self.batch), strict=True)


def nothing(x: Tensor, y: Tensor, batch: int) -> Iterable[Batch]:
    """Wrong: a batch larger than the data, and the last one dropped."""
    return DataLoader(TensorDataset(x, y), batch_size=len(x) + batch, drop_last=True)


def unequal(x: Tensor, y: Tensor, batch: int) -> Iterator[Batch]:
    """Wrong: one label too few in each batch."""
    for start in range(0, len(x), batch):
        yield x[start : start + batch], y[start : start + batch - 1]


def named(x: Tensor, y: Tensor, batch: int) -> Iterator[dict[str, Tensor]]:
    """Wrong here: batches with names, as Hugging Face's."""
    for start in range(0, len(x), batch):
        yield {"pixel_values": x[start : start + batch], "labels": y[start : start + batch]}


LOADERS: dict[str, Make] = {
    "tensors": tensors,
    "pictures": pictures,
    "augmented": augmented,
    "generator": generator,
    "listed": listed,
    "reused": Reused,
    "endless": endless,
    "sorted": sorted_by_class,
    "in-place": in_place,
    "batch-in-place": BatchInPlace,
    "lagging": lagging,
    "apart": Apart,
    "nothing": nothing,
    "unequal": unequal,
    "named": named,  # type: ignore[dict-item]
}
