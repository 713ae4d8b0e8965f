"""The plain PyTorch way: what a careful person writes by hand from the tutorials, for `bench/throughput.py`.

A Dataset reads PNG files with Pillow and crops, mirrors and normalises each image by itself; a DataLoader with two
workers, or as many as are asked for, makes batches; the loop is float32, on an accelerator where there is one; `--half`
is the loop with autocast and channels last. Only the network is babysit's, so that both train the same one. Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from babysit.models import Shape
from babysit.models.quick import quick

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
DEVIATION = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)
PADDING = 4

Item = tuple[Tensor, int]


class Pictures(Dataset[Item]):
    """Image files and their class indices; augmented one by one when `augmented`."""

    def __init__(self, files: list[tuple[Path, int]], *, augmented: bool) -> None:
        self.files = files
        self.augmented = augmented

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Item:
        path, label = self.files[index]
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("RGB"))
        image = torch.from_numpy(pixels).permute(2, 0, 1).float().div(255)
        if self.augmented:
            image = self._augment(image)
        return (image - MEAN) / DEVIATION, label

    def _augment(self, image: Tensor) -> Tensor:
        size = image.shape[1]
        padded = F.pad(image, (PADDING, PADDING, PADDING, PADDING))
        top, left = random.randint(0, 2 * PADDING), random.randint(0, 2 * PADDING)
        image = padded[:, top : top + size, left : left + size]
        return image.flip(2) if random.random() < 0.5 else image


def list_files(folder: Path) -> tuple[list[tuple[Path, int]], int]:
    """The files of a folder of class folders with their class indices, shuffled, and the number of classes."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    files = [(path, label) for label, one in enumerate(classes) for path in sorted(one.iterdir())]
    random.shuffle(files)
    return files, len(classes)


DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train_epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, batches: DataLoader[Item], *, half: bool
) -> tuple[int, float]:
    """One pass over the training images: how many, and their mean loss in nats."""
    model.train()
    seen, total = 0, 0.0
    for some, classes in batches:
        images, labels = some.to(DEVICE, non_blocking=True), classes.to(DEVICE, non_blocking=True)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=half):
            loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        seen += len(labels)
        total += loss.item() * len(labels)
    return seen, total / seen


def evaluate(model: nn.Module, batches: DataLoader[Item]) -> float:
    """The accuracy over the validation images."""
    model.eval()
    correct, seen = 0, 0
    with torch.inference_mode():
        for images, labels in batches:
            correct += int((model(images.to(DEVICE)).argmax(dim=1).cpu() == labels).sum())
            seen += len(labels)
    return correct / seen


def main() -> None:
    """Trains and prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--validation", type=int, required=True, help="images kept for validation")
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--workers", type=int, default=2, help="processes that read images (default: %(default)s)")
    parser.add_argument("--half", action="store_true", help="bfloat16 by autocast, channels last")
    options = parser.parse_args()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    files, classes = list_files(options.folder)
    kept, used = files[: options.validation], files[options.validation :]
    training = DataLoader(
        Pictures(used, augmented=True),
        options.batch,
        shuffle=True,
        num_workers=options.workers,
        drop_last=len(used) > options.batch,
        pin_memory=DEVICE.type != "cpu",
        persistent_workers=True,
    )
    validation = DataLoader(
        Pictures(kept, augmented=False), options.batch, num_workers=options.workers, persistent_workers=True
    )
    model = quick(Shape(size=options.size, classes=classes, width=options.width)).to(DEVICE)
    if options.half:
        model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    trained, training_seconds, loss, accuracy = 0, 0.0, float("nan"), float("nan")
    for _ in range(options.epochs):
        begun = time.perf_counter()
        seen, loss = train_epoch(model, optimizer, training, half=options.half)
        training_seconds += time.perf_counter() - begun
        trained += seen
        accuracy = evaluate(model, validation)
    print(
        json.dumps(
            {
                "images": trained,
                "validation_images": len(kept),
                "training_seconds": training_seconds,
                "loss": loss,
                "validation_accuracy": accuracy,
            }
        )
    )


if __name__ == "__main__":
    main()
