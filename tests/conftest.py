"""What many tests need: a cache of their own, small folders of pictures, and the command in a process of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: two threads on busy cores wait for each other

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# The machine is shared, so no deadlines; examples are drawn from a fixed seed, so that a failure comes again.
settings.register_profile(
    "babysit",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("babysit")


def _png(pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _picture(label: int, number: int, size: int = 12) -> bytes:
    """A picture whose class shows: stripes of the class's width on noise; every number gives other bytes."""
    generator = np.random.default_rng([label, number])
    stripes = (np.arange(size)[:, None] // (label + 1) % 2) * 150 * np.ones((1, size))
    noisy = stripes[..., None] + generator.integers(0, 80, (size, size, 3))
    return _png(noisy.astype(np.uint8))


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory, monkeypatch) -> Path:
    """The decoded cache of this test alone; the user's is never touched."""
    place = tmp_path_factory.mktemp("cache-home")
    monkeypatch.setenv("BABYSIT_CACHE", str(place))
    monkeypatch.setenv("BABYSIT_STATE", str(place / "state"))
    return place


@pytest.fixture
def png():
    """uint8 pixels -> the bytes of a PNG file."""
    return _png


@pytest.fixture
def picture():
    """(class number, image number) -> the bytes of a small PNG picture."""
    return _picture


@pytest.fixture
def make_folder():
    """Writes class folders: `make_folder(root, {"cats": 5, "dogs": 4})`."""

    def make(root: Path, counts: dict[str, int], size: int = 12) -> Path:
        for label, (name, count) in enumerate(sorted(counts.items())):
            (root / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                (root / name / f"{number:03d}.png").write_bytes(_picture(label, number, size))
        return root

    return make


@pytest.fixture
def command_line(cache_home, tmp_path):
    """The words that start babysit, and the environment and folder to start it in."""
    environment = {
        **os.environ,
        "BABYSIT_CACHE": str(cache_home),
        "BABYSIT_STATE": str(cache_home / "state"),
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
    }
    return [sys.executable, "-m", "babysit"], {"env": environment, "cwd": tmp_path}


@pytest.fixture
def babysit(command_line):
    """Runs `python -m babysit WORDS...` to its end and returns the finished process."""
    start, places = command_line

    def run(*words: object, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        settings = {**places, "env": {**places["env"], **more}}
        return subprocess.run(
            [*start, *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            **settings,
        )

    return run
