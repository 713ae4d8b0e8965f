"""Augmentation against per-image Pillow code, and a whole epoch of CIFAR-10's crops and flips.

photos: a batch of 128 cached canvases of 256 pixels to a normalised batch of 128x3x224x224, cropped with jitter, mirrored,
with changed brightness, contrast and saturation. The Pillow arm does the same image by image (crop, transpose, three ImageEnhance,
array, normalise) in as many threads as ours.
epoch: 50,000 images of 32 pixels in batches of 128, crop and flip as uint8 (`cut`), and whole, with normalisation.
"""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image, ImageEnhance

import harness
from babysit.data.augment import Augmentation, cut, draw_views
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from harness import Arm, Figures

CANVAS, SIZE, BATCH, TURNS = 256, 224, 128, 5
MEAN, DEVIATION = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
STRENGTH = 0.4


def batches_of(count: int, canvas: int, size: int, dtype: torch.dtype) -> Batches:
    """Random canvases: what is in them does not matter to the time."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, canvas, canvas, 3), np.uint8)
    labels = np.zeros(count, np.int64)
    return Batches(
        pixels, np.arange(count), labels, size, Statistics(MEAN, DEVIATION), dtype, torch.device("cpu"), classes=1
    )


def ours(colour: bool, dtype: torch.dtype) -> Arm:
    """Our batch."""
    strength = STRENGTH if colour else 0.0
    asked = Augmentation(
        crop=(CANVAS - SIZE) // 2, flip="random", brightness=strength, contrast=strength, saturation=strength
    )
    part = batches_of(BATCH, CANVAS, SIZE, dtype)

    def arm(seed: int) -> Figures:
        return {"seconds": median_of(lambda turn: part.training(np.arange(BATCH), asked, seed=seed, epoch=turn))}

    return arm


def per_image(colour: bool) -> Arm:
    """What a careful person writes by hand, image by image."""
    pictures = [Image.fromarray(pixels) for pixels in batches_of(BATCH, CANVAS, SIZE, torch.float32).pixels]
    mean, deviation = (np.array(values, np.float32) for values in (MEAN, DEVIATION))

    def one(image: Image.Image, random: np.random.Generator) -> np.ndarray:
        left, top = (int(random.integers(CANVAS - SIZE + 1)) for _ in range(2))
        image = image.crop((left, top, left + SIZE, top + SIZE))
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color) if colour else ():
            image = enhance(image).enhance(1 + STRENGTH * (2 * random.random() - 1))
        return (np.asarray(image, np.float32) - mean) / deviation

    def arm(seed: int) -> Figures:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:

            def batch(turn: int) -> torch.Tensor:
                randoms = [np.random.default_rng([seed, turn, place]) for place in range(BATCH)]
                return torch.from_numpy(np.stack(list(pool.map(one, pictures, randoms)))).permute(0, 3, 1, 2)

            return {"seconds": median_of(batch)}

    return arm


def epoch_arms() -> dict[str, Arm]:
    """An epoch of CIFAR-10's size."""
    count, size = 50_000, 32
    asked = Augmentation(crop=4, flip="random")

    def crops(seed: int) -> Figures:
        part = batches_of(count, size, size, torch.float32)
        order = np.random.default_rng(seed).permutation(count)
        begun = time.perf_counter()
        for start in range(0, count, BATCH):
            rows = order[start : start + BATCH]
            cut(part.pixels, rows, draw_views(asked, rows, seed=seed, epoch=0, centre=0), size)
        return {"seconds": time.perf_counter() - begun}

    def whole(seed: int) -> Figures:
        part = batches_of(count, size, size, torch.float32)
        order = np.random.default_rng(seed).permutation(count)
        begun = time.perf_counter()
        for start in range(0, count, BATCH):
            part.training(order[start : start + BATCH], asked, seed=seed, epoch=0)
        return {"seconds": time.perf_counter() - begun}

    return {"crops and flips": crops, "and normalised": whole}


def photo_arms() -> dict[str, Arm]:
    """A batch of photographs."""
    return {
        "pillow": per_image(colour=True),
        "ours": ours(colour=True, dtype=torch.float32),
        "ours, bfloat16": ours(colour=True, dtype=torch.bfloat16),
    }


def plain_arms() -> dict[str, Arm]:
    """The same without colour."""
    return {"pillow": per_image(colour=False), "ours": ours(colour=False, dtype=torch.float32)}


def median_of(work: harness.Callable[[int], object]) -> float:
    """Median seconds of some turns, after one that is not counted."""
    work(0)
    seconds = []
    for turn in range(1, TURNS + 1):
        begun = time.perf_counter()
        work(turn)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


PARTS = {"colour": photo_arms, "crop": plain_arms, "epoch": epoch_arms}


def main() -> None:
    """Measures the parts asked for; the ratios are of Pillow's seconds over ours."""
    parser = harness.parser(__doc__ or "", repeats=5)
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of both arms")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for part in options.only:
        settings: Figures = {"part": part, "threads": options.threads}
        records = harness.measure(
            "augment", PARTS[part](), range(options.repeats), settings=settings, again=options.again
        )
        print("\n" + part + "\n" + harness.summary(records, ratio="seconds" if part != "epoch" else "") + "\n")


if __name__ == "__main__":
    main()
