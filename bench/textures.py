"""Generated textures, 256 pixels, 8 classes: does the size the rule chooses learn them in three minutes?

Every texture is a field of mean 0 and deviation 1 whose form alone says the class. Contrast and its sign, two random
colours, a slow change of brightness and white noise are drawn alike for all classes, so neither colour nor mean nor
deviation is a clue; a mirrored texture keeps its class. The same images are then trained at one size smaller and one
larger than the rule's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import harness
from harness import Arm, Figures

SIDE = 256
LARGER_THAN_ALL = 160
"""Where the rule's largest size is chosen, the size tried above it."""

Field = NDArray[np.float32]
Draw = Callable[[np.random.Generator], Field]


def period_of(random: np.random.Generator) -> float:
    """8 to 24 pixels: alike for all regular classes."""
    return random.uniform(8, 24)


def waves(random: np.random.Generator, angle: float, period: float) -> Field:
    """A sine wave: `angle` in radians (0 runs across), `period` in pixels, random phase."""
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    way = across * np.cos(angle) + down * np.sin(angle)
    return np.sin(2 * np.pi * way / period + random.uniform(0, 2 * np.pi)).astype(np.float32)


def grating(random: np.random.Generator, middle: float) -> Field:
    """Waves within 25 degrees of an angle."""
    return waves(random, middle + np.deg2rad(random.uniform(-25, 25)), period_of(random))


def checks(random: np.random.Generator) -> Field:
    """Squares of two tones: the sign of two waves at right angles, turned at random."""
    angle, period = random.uniform(0, np.pi), period_of(random)
    return np.sign(waves(random, angle, period) * waves(random, angle + np.pi / 2, period))


def hexagons(random: np.random.Generator) -> Field:
    """The sum of three waves at 60 degrees to each other, turned at random."""
    angle, period = random.uniform(0, np.pi), period_of(random)
    third = np.pi / 3
    return sum((waves(random, angle + turn * third, period) for turn in (1, 2)), waves(random, angle, period))


def scattered(random: np.random.Generator, *, hollow: bool) -> Field:
    """Discs or rings of 5 to 11 pixels' radius at random places."""
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(random.integers(60, 140)):
        radius = random.uniform(5, 11)
        top, left = random.uniform(-radius, SIDE + radius, 2)
        lows = [max(0, int(middle - radius - 1)) for middle in (top, left)]
        highs = [max(0, min(SIDE, int(middle + radius + 2))) for middle in (top, left)]
        down, across = np.ogrid[lows[0] : highs[0], lows[1] : highs[1]]
        far = np.hypot(down - top, across - left)
        shape = (far <= radius) & ((far >= radius - 2.5) | (not hollow))
        canvas[lows[0] : highs[0], lows[1] : highs[1]][shape] = 1.0
    return canvas


def noise(random: np.random.Generator, least: float, most: float) -> Field:
    """Gaussian noise whose amplitude falls as 1 / frequency ** exponent, the exponent between two bounds."""
    exponent = random.uniform(least, most)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(random.standard_normal((SIDE, SIDE))) / frequency**exponent
    return np.fft.irfft2(spectrum, s=(SIDE, SIDE)).astype(np.float32)


CLASSES: dict[str, Draw] = {
    "grating-lying": partial(grating, middle=np.pi / 2),
    "grating-standing": partial(grating, middle=0.0),
    "checks": checks,
    "hexagons": hexagons,
    "discs": partial(scattered, hollow=False),
    "rings": partial(scattered, hollow=True),
    "noise-rough": partial(noise, least=0.7, most=1.1),
    "noise-smooth": partial(noise, least=1.4, most=1.8),
}


def texture(draw: Draw, random: np.random.Generator) -> Image.Image:
    """One picture: the field of a class in random colours, light, contrast and noise."""
    field = draw(random)
    field = np.clip((field - field.mean()) / max(float(field.std()), 1e-6), -3, 3)
    colour = random.normal(size=3)
    colour *= random.choice([-1.0, 1.0]) * random.uniform(18, 45) / np.abs(colour).max()
    slope = random.uniform(-25, 25, 2)
    down, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    light = random.uniform(80, 175, 3) + (slope[0] * down + slope[1] * across)[..., None]
    grain = random.normal(size=(SIDE, SIDE, 3)) * random.uniform(5, 25)
    return Image.fromarray(np.clip(light + field[..., None] * colour + grain, 0, 255).astype(np.uint8))


def write_class(folder: Path, count: int, seed: int, name: str) -> None:
    """All pictures of one class as JPEG; each a function of (seed, class, number)."""
    place = folder / name
    place.mkdir(parents=True)
    for number in range(count):
        random = np.random.default_rng([seed, list(CLASSES).index(name), number])
        texture(CLASSES[name], random).save(place / f"{number:04d}.jpg", quality=92)


def generate(folder: Path, *, count: int, seed: int) -> None:
    """A folder of class folders with `count` pictures in all."""
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(write_class, folder, count // len(CLASSES), seed), CLASSES))


def chosen_size(data: Path) -> int:
    """What the rule chooses, asked of the command."""
    with tempfile.TemporaryDirectory(prefix="babysit-textures-") as cache:
        finished = harness.command(harness.babysit("train", str(data), "--dry-run", "--json"), cache=Path(cache))
    return tomllib.loads(json.loads(finished.stdout)["recipe"])["data"]["size"]


def neighbours(size: int) -> tuple[int, int]:
    """The next smaller and larger of the rule's sizes."""
    # In a process of its own: torch must not grow this one, see harness.command.
    asking = [sys.executable, "-c", "from babysit.training.resolve import SIZES; print(*SIZES)"]
    sizes = (*sorted(int(one) for one in harness.command(asking).stdout.split()), LARGER_THAN_ALL)
    place = sizes.index(size)
    return sizes[max(0, place - 1)], sizes[place + 1]


def train(data: Path, budget: str, size: int | None, seed: int) -> Figures:
    """One training from an empty cache; `size` None leaves it to the rule."""
    with tempfile.TemporaryDirectory(prefix="babysit-textures-") as place:
        run = Path(place) / "run"
        arguments = ["train", str(data), "-o", str(run), "--budget", budget, "--seed", str(seed), "--json"]
        arguments += ["--size", str(size)] if size else []
        finished = harness.command(harness.babysit(*arguments), cache=Path(place) / "cache")
        recipe = harness.resolved_recipe(run)
    result = json.loads(finished.stdout)
    return {
        "size": recipe["data"]["size"],
        "validation_accuracy": result["validation"]["accuracy"],
        "validation_images": result["validation"]["count"],
        "seconds": finished.seconds,
        "epochs": result["epochs"],
        "images_per_second": result["images_per_second"],
        "peak_bytes": finished.peak_bytes,
        "precision": recipe["train"]["precision"],
    }


def arms_for(data: Path, budget: str, only: Sequence[str]) -> dict[str, Arm]:
    """The rule's choice and its neighbours, or those of them asked for."""
    rule = chosen_size(data)
    smaller, larger = neighbours(rule)
    print(f"the rule chose {rule} pixels for {SIDE}; one smaller is {smaller}, one larger {larger}", flush=True)
    sizes: dict[str, int | None] = {"rule": None, "smaller": smaller, "larger": larger}
    return {name: partial(train, data, budget, size) for name, size in sizes.items() if name in only}


def main() -> None:
    """Generates, trains the three sizes in turn, and prints accuracy by size."""
    parser = harness.parser(__doc__ or "", repeats=1)
    parser.add_argument("--budget", default="3m")
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument(
        "--only", nargs="+", choices=["rule", "smaller", "larger"], default=["rule", "smaller", "larger"]
    )
    parser.add_argument("--keep", type=Path, default=argparse.SUPPRESS, help="only write the pictures to this folder")
    options = parser.parse_args()
    if "keep" in options:
        generate(options.keep, count=options.images, seed=0)
        return
    settings: Figures = {"budget": options.budget, "images": options.images}
    place = Path(tempfile.mkdtemp(prefix="babysit-textures-"))
    try:
        data = place / "textures"
        generate(data, count=options.images, seed=0)
        arms = arms_for(data, options.budget, options.only)
        records = harness.measure("textures", arms, range(options.repeats), settings=settings, again=options.again)
    finally:
        shutil.rmtree(place)
    print("\n" + harness.summary(records))
    for record in sorted(records, key=lambda one: one["figures"]["size"]):
        figures = record["figures"]
        print(
            f"{figures['size']:>4} pixels ({record['arm']}): {figures['validation_accuracy']:.1%} in {figures['epochs']} epochs"
        )


if __name__ == "__main__":
    main()
