"""End-to-end images per second of one small network: the babysit command against the plain PyTorch way.

Both are whole processes from start to exit, with a validation pass after each epoch. Warm (the default): babysit's
cache exists, the plain way's files are unpacked and in the page cache. `--cold`: babysit starts from an empty cache;
over two epochs this is what a first use costs. Progressive resizing, on by rule, makes early steps cheaper;
`--whole` adds an arm that does without.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import harness
from harness import Figures

PEER = harness.ROOT / "bench" / "peers" / "plain_pytorch.py"
STEP_SECTIONS = ("batch", "forward", "backward", "update")


@dataclass
class Workplace:
    """Where a bench run keeps its things: made on first need, so that a resumed run prepares nothing in vain.

    `images` training images an epoch of the plain way, or None for nine tenths of all; `workers` its reading processes.
    """

    place: Path
    data: Path
    epochs: int
    cold: bool
    images: int | None
    workers: int = 2
    _recipe: dict[str, Any] | None = None

    @property
    def cache(self) -> Path:
        """The warm cache."""
        return self.place / "cache"

    def recipe(self) -> dict[str, Any]:
        """The resolved recipe of an untimed run of one step, which also builds the warm cache."""
        if self._recipe is None:
            run = self.place / "untimed"
            # float32 is asked for so that no self-test is made: only the cache and the network's settings matter.
            options = ["--set", "train.steps=1", "--set", "train.precision=float32", "--quiet"]
            arguments = harness.babysit("train", str(self.data), "-o", str(run), *options)
            harness.command(arguments, cache=self.cache)
            self._recipe = harness.resolved_recipe(run)
        return self._recipe

    def unpacked(self) -> Path:
        """The folder of the training part's files, every n-th of them when fewer images were asked for."""
        folder = self.place / "unpacked"
        if not folder.exists():
            with zipfile.ZipFile(self.data) as archive:
                names = sorted(name for name in archive.namelist() if name.startswith("train/") and name[-1] != "/")
                wanted = len(names) if self.images is None else min(len(names), round(self.images * 10 / 9))
                archive.extractall(folder, [names[place * len(names) // wanted] for place in range(wanted)])
        return folder / "train"

    def babysit(self, seed: int, *, progressive: bool = True) -> Figures:
        """The whole command; without progressive resizing every image is seen whole at every step."""
        run = self.place / f"run-{seed}"
        shutil.rmtree(run, ignore_errors=True)
        self.recipe()
        cache = self.place / f"cold-{seed}" if self.cold else self.cache
        arguments = [
            "train",
            str(self.data),
            "-o",
            str(run),
            "--epochs",
            str(self.epochs),
            "--seed",
            str(seed),
            "--json",
            *([] if progressive else ["--set", "train.progressive=1"]),
        ]
        finished = harness.command(harness.babysit(*arguments), cache=cache)
        result = json.loads(finished.stdout)
        recipe = harness.resolved_recipe(run)
        if self.cold:
            shutil.rmtree(cache)
        images = result["steps"] * recipe["optim"]["batch_size"]
        return {
            "images_per_second": images / finished.seconds,
            "images_per_second_in_steps": images / sum(result["times"][name] for name in STEP_SECTIONS),
            "seconds": finished.seconds,
            "images": images,
            "validation_images": result["validation"]["count"],
            "validation_accuracy": result["validation"]["accuracy"],
            "peak_bytes": finished.peak_bytes,
            "precision": recipe["train"]["precision"],
        }

    def plain(self, seed: int, *, half: bool = False) -> Figures:
        """The plain PyTorch script with the same network and batch size; in bfloat16 and channels last when `half`."""
        recipe, folder = self.recipe(), self.unpacked()
        options = {
            "epochs": self.epochs,
            "validation": sum(1 for _ in folder.rglob("*.*")) // 10,
            "size": recipe["data"]["size"],
            "width": recipe["model"]["width"],
            "batch": recipe["optim"]["batch_size"],
            "seed": seed,
            "workers": self.workers,
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        arguments += ["--half"] if half else []
        finished = harness.command([sys.executable, str(PEER), str(folder), *arguments])
        result = json.loads(finished.stdout)
        return {
            "images_per_second": result["images"] / finished.seconds,
            "images_per_second_in_steps": result["images"] / result["training_seconds"],
            "seconds": finished.seconds,
            "images": result["images"],
            "validation_images": result["validation_images"],
            "validation_accuracy": result["validation_accuracy"],
            "peak_bytes": finished.peak_bytes,
            "subset": self.images is not None,
        }


def main() -> None:
    """Measures both in turn and prints the ratio."""
    parser = harness.parser(__doc__ or "", repeats=3)
    harness.add_data(parser)
    parser.add_argument("--epochs", type=int, help="3, or 2 with --cold")
    parser.add_argument("--cold", action="store_true", help="babysit starts from an empty cache")
    parser.add_argument("--whole", action="store_true", help="also babysit without progressive resizing")
    parser.add_argument("--images", type=int, help="training images an epoch of the plain way; by default all")
    parser.add_argument(
        "--workers", type=int, default=2, help="reading processes of the plain way (default: %(default)s)"
    )
    parser.add_argument("--half", action="store_true", help="also the plain way in bfloat16 and channels last")
    options = parser.parse_args()
    data = harness.found_data(options.data)
    epochs = options.epochs or (2 if options.cold else 3)
    settings: Figures = {
        "data": data.name,
        "epochs": epochs,
        "cache": "empty" if options.cold else "warm",
        "plain_images": options.images or "all",
        **({} if options.workers == 2 else {"workers": options.workers}),
    }
    with tempfile.TemporaryDirectory(prefix="babysit-throughput-") as place:
        work = Workplace(Path(place), data, epochs, options.cold, options.images, options.workers)
        arms: dict[str, harness.Arm] = {"babysit": work.babysit, "plain": work.plain}
        if options.half:
            arms["plain, half"] = partial(work.plain, half=True)
        if options.whole:
            arms["whole"] = partial(work.babysit, progressive=False)
        records = harness.measure("throughput", arms, range(options.repeats), settings=settings, again=options.again)
    print("\n" + harness.summary(records, ratio="images_per_second"))
    if options.images:
        print(f"The plain way trained on a subset of {options.images:,} images an epoch; its start weighs more so.")


if __name__ == "__main__":
    main()
