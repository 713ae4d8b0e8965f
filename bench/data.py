"""The data path: photographs from files to training batches, against the same work written by hand.

Four parts, each with arms measured in turn in this one process; ratios of images/s are what counts.

decode: files to canvases in threads against a threaded loop of the same Pillow calls (open, draft, load, resize).
build: the same against a whole cache, which is also hashed, kept with checksums and written.
epochs: the first epoch from an empty cache, and the second, at 224 pixels in bfloat16, against a plain Dataset and DataLoader
(Pillow, shorter side to 256, random crop of 224, flip, normalise) with a worker per core.
large: the first epoch on generated photographs of 12 million pixels.
cache: training batches of 160 pixels from the cache on one core, cut, mirrored and normalised.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import harness
from babysit.data.augment import Augmentation, canvas_for
from babysit.data.batches import Batches
from babysit.data.cache import Cache, open_cache
from babysit.data.catalog import Catalog
from babysit.data.decode import decode_whole, quiet_decoding
from babysit.data.statistics import Statistics
from babysit.data.storage import usable_cores
from harness import Arm, Figures

PHOTOS = Path("../shared/data/photos.zip")
SIZE, CACHED_SIZE, BATCH = 224, 160, 64
MEAN, DEVIATION = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
LARGE = (4000, 3000)


def catalog_of_files(files: list[Path]) -> Catalog:
    """The files as they are, without classes: photos.zip is one flat folder, which no source accepts."""
    count = len(files)
    names = tuple(f"{place:05d}/{file.name}" for place, file in enumerate(files))
    stamps = tuple(str(file.stat().st_size) for file in files)
    labels, empty = np.zeros(count, np.int64), ("",) * count
    return Catalog("photos", ("0", "1"), names, labels, empty, stamps, empty, lambda row: files[row].read_bytes())


@contextmanager
def empty_cache() -> Iterator[None]:
    """BABYSIT_CACHE is a new folder inside, and gone afterwards."""
    place = tempfile.mkdtemp(prefix="babysit-bench-")
    os.environ["BABYSIT_CACHE"] = place
    try:
        yield
    finally:
        shutil.rmtree(place)


def decoded(files: list[Path], size: int) -> Cache:
    """All files at the canvas of a training size; the shorter side fills it, as the plain way does."""
    return open_cache(catalog_of_files(files), canvas_for(size), "crop", progress=lambda _: None)


def batches_of(cache: Cache, size: int, dtype: torch.dtype) -> Batches:
    """All images as one training part."""
    rows = np.arange(len(cache.hashes))
    statistics, device = Statistics(MEAN, DEVIATION), torch.device("cpu")
    return Batches(cache.pixels, rows, np.zeros(len(rows), np.int64), size, statistics, dtype, device, cache.check)


def run_epoch(batches: Batches, *, epoch: int) -> int:
    """One epoch of training batches that nobody uses; returns the images."""
    order = np.random.default_rng(epoch).permutation(len(batches))
    augmentation = Augmentation(crop=batches.centre, flip="random")
    for start in range(0, len(order), BATCH):
        batches.training(order[start : start + BATCH], augmentation, seed=0, epoch=epoch)
    return len(order)


@dataclass(frozen=True)
class Work:
    """The files the arms work on."""

    files: list[Path]

    def decode(self, seed: int) -> Figures:
        """The decode path alone, in threads."""
        del seed
        begun = time.perf_counter()
        with quiet_decoding(), ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(lambda file: decode_whole(file.read_bytes(), canvas_for(SIZE), "crop").width, self.files))
        return {"images_per_second": rate(len(self.files), begun)}

    def build(self, seed: int) -> Figures:
        """Into an empty cache."""
        del seed
        with empty_cache():
            begun = time.perf_counter()
            decoded(self.files, SIZE)
            return {"images_per_second": rate(len(self.files), begun)}

    def bare(self, seed: int) -> Figures:
        """The same Pillow calls in as many threads, and nothing else."""
        del seed
        canvas = canvas_for(SIZE)

        def one(file: Path) -> None:
            image = Image.open(file)
            factor = min(1.0, canvas / min(image.size))
            target = round(image.width * factor), round(image.height * factor)
            image.draft(None, target)
            image.load()
            image.convert("RGB").resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)

        begun = time.perf_counter()
        with ThreadPoolExecutor(usable_cores()) as pool:
            list(pool.map(one, self.files))
        return {"images_per_second": rate(len(self.files), begun)}

    def epochs(self, seed: int) -> Figures:
        """Two epochs from an empty cache."""
        with empty_cache():
            begun = time.perf_counter()
            batches = batches_of(decoded(self.files, SIZE), SIZE, torch.bfloat16)
            first = rate(run_epoch(batches, epoch=seed), begun)
            begun = time.perf_counter()
            second = rate(run_epoch(batches, epoch=seed + 1), begun)
        return {"first_epoch": first, "second_epoch": second}

    def plain_epochs(self, seed: int) -> Figures:
        """Two epochs of the plain way; its workers stay between them."""
        torch.manual_seed(seed)
        loader = DataLoader(Plain(self.files), BATCH, shuffle=True, num_workers=usable_cores(), persistent_workers=True)
        found: Figures = {}
        for name in ("first_epoch", "second_epoch"):
            begun = time.perf_counter()
            found[name] = rate(sum(len(images) for images in loader), begun)
        return found

    def cached(self, seed: int) -> Figures:
        """One epoch at 160 pixels on one core, after one that is not timed."""
        found: Figures = {}
        torch.set_num_threads(1)
        with empty_cache():
            cache = decoded(self.files, CACHED_SIZE)
            for dtype in (torch.bfloat16, torch.float32):
                batches = batches_of(cache, CACHED_SIZE, dtype)
                run_epoch(batches, epoch=seed)
                begun = time.perf_counter()
                count = run_epoch(batches, epoch=seed + 1)
                found[f"images_per_second_{str(dtype).removeprefix('torch.')}"] = rate(count, begun)
        return found


class Plain(Dataset[Tensor]):
    """What a careful person writes by hand from the tutorials."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.files[index]) as opened:
            image = opened.convert("RGB")
        factor = canvas_for(SIZE) / min(image.size)
        image = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BILINEAR)
        left = int(torch.randint(image.width - SIZE + 1, ()))
        top = int(torch.randint(image.height - SIZE + 1, ()))
        pixels = torch.from_numpy(np.array(image.crop((left, top, left + SIZE, top + SIZE))))
        values = pixels.permute(2, 0, 1).float()
        values = values.flip(2) if torch.rand(()) < 0.5 else values
        return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)


def rate(count: int, begun: float) -> float:
    """Images per second since a moment."""
    return count / (time.perf_counter() - begun)


def write_large(place: Path, photos: list[Path], count: int) -> list[Path]:
    """Photographs enlarged to 12 million pixels, with the grain a camera adds, as JPEG of quality 92."""
    files = []
    for number in range(count):
        random = np.random.default_rng(number)
        image = Image.open(photos[number % len(photos)]).convert("RGB").resize(LARGE, Image.Resampling.BICUBIC)
        grain = random.normal(0, 4, (LARGE[1], LARGE[0], 1)).astype(np.float32)
        noisy = np.clip(np.asarray(image, np.float32) + grain, 0, 255).astype(np.uint8)
        files.append(place / f"large-{number:03d}.jpg")
        Image.fromarray(noisy).save(files[-1], quality=92)
    return files


def main() -> None:
    """Measures the parts asked for and prints the ratios."""
    parser = harness.parser(__doc__ or "", repeats=3)
    parser.add_argument("--data", type=Path, default=PHOTOS, help="zip of photographs; relative to the repository")
    parser.add_argument("--large", type=int, default=24, help="how many large photographs are generated")
    parts = ("decode", "build", "epochs", "large", "cache")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    data = harness.found_data(options.data)
    with tempfile.TemporaryDirectory(prefix="babysit-data-") as place:
        with zipfile.ZipFile(data) as archive:
            archive.extractall(place)
        files = sorted(path for path in Path(place).rglob("*") if path.is_file())
        for part in options.only:
            work = Work(write_large(Path(place), files, options.large) if part == "large" else files)
            arms: dict[str, Arm] = {"babysit": work.epochs, "plain": work.plain_epochs}
            if part in ("decode", "build"):
                arms = {"babysit": work.decode if part == "decode" else work.build, "bare": work.bare}
            elif part == "cache":
                arms = {"babysit": Work(files * 8).cached}
            settings: Figures = {"part": part, "data": data.name, "images": len(work.files), "cores": usable_cores()}
            records = harness.measure("data", arms, range(options.repeats), settings=settings, again=options.again)
            ratios = ("first_epoch", "second_epoch") if part in ("epochs", "large") else ("images_per_second",)
            print(f"\n{part}\n{harness.summary(records, ratio=ratios[0])}")
            for ratio in ratios[1:]:
                print(harness.summary(records, ratio=ratio).splitlines()[-1])


if __name__ == "__main__":
    main()
