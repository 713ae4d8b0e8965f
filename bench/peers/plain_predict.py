"""Three ways of predicting a folder of images with the network of a run: babysit's, and two plain ones.

    python plain_predict.py babysit|one|loader RUN FOLDER

Prints JSON: images, seconds (without loading the network), images a second, and a digest of the answers.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

import babysit


class Files(Dataset):
    """Files as normalised tensors."""

    def __init__(self, paths: list[Path], size: int, shift: list[float], scale: list[float]) -> None:
        self.paths, self.size = paths, size
        self.shift, self.scale = torch.tensor(shift), torch.tensor(scale)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            picture = image.convert("RGB")
            if picture.size != (self.size, self.size):
                picture = picture.resize((self.size, self.size), Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(picture))
        return ((pixels.float() - self.shift) / self.scale).permute(2, 0, 1)


def one_by_one(model: nn.Module, files: Files, classes: tuple[str, ...]) -> list[str]:
    """The loop from a tutorial."""
    answers = []
    with torch.inference_mode():
        for index in range(len(files)):
            answers.append(classes[int(model(files[index][None]).softmax(1).argmax())])
    return answers


def loaded(model: nn.Module, files: Files, classes: tuple[str, ...]) -> list[str]:
    """A DataLoader with two workers and batches of 256, channels last."""
    answers = []
    with torch.inference_mode():
        for images in DataLoader(files, batch_size=256, num_workers=2):
            guesses = model(images.contiguous(memory_format=torch.channels_last)).softmax(1).argmax(1)
            answers += [classes[index] for index in guesses.tolist()]
    return answers


def main() -> None:
    """Predicts every file once."""
    way, run, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    network = babysit.load(run)
    paths = sorted(folder.rglob("*.png"))
    files = Files(paths, network.size, list(network.statistics.shift), list(network.statistics.scale))
    begun = time.perf_counter()
    if way == "babysit":
        answers = [one.classes[0] for one in network.stream(paths)]
    elif way == "one":
        answers = one_by_one(network.model, files, network.classes)
    else:
        answers = loaded(network.model, files, network.classes)
    seconds = time.perf_counter() - begun
    assert len(answers) == len(paths)
    digest = hashlib.sha256("\n".join(answers).encode()).hexdigest()[:12]
    figures = {"images_per_second": len(paths) / seconds, "seconds": seconds, "images": len(paths), "answers": digest}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
