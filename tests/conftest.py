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
    """The decoded cache and the state of this test alone; the user's are never touched."""
    place = tmp_path_factory.mktemp("cache-home")
    monkeypatch.setenv("BABYSIT_CACHE", str(place))
    monkeypatch.setenv("BABYSIT_STATE", str(place / "state"))
    return place


@pytest.fixture
def state_home(cache_home) -> Path:
    """The memory of this test alone, the ledger of looks among it; the user's is never touched."""
    return cache_home / "state"


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


def _python2_pickle(value) -> bytes:
    """A pickle as Python 2 wrote CIFAR's: protocol 2, strings of bytes, arrays of NumPy 1."""

    def one(value) -> bytes:
        if isinstance(value, dict):
            return b"}(" + b"".join(one(key) + one(item) for key, item in value.items()) + b"u"
        if isinstance(value, list):
            return b"](" + b"".join(map(one, value)) + b"e"
        if isinstance(value, bytes):
            return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + _four(len(value)) + value
        if isinstance(value, int):
            return b"J" + _four(value)
        shape = b"".join(map(one, value.shape)) + b"\x86"
        kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        return made + b"(K\x01" + shape + kind + b"\x89" + one(value.tobytes()) + b"tb"

    return b"\x80\x02" + one(value) + b"."


def _four(number: int) -> bytes:
    return number.to_bytes(4, "little", signed=True)


CIFAR_CLASSES = [b"airplane", b"automobile", b"bird"]


@pytest.fixture
def make_cifar():
    """Writes CIFAR-10's python form: `make_cifar(folder, images_a_file)`; pixels show their class."""

    def make(folder: Path, count: int, files=("data_batch_1", "data_batch_2", "test_batch")) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(files):
            generator = np.random.default_rng(number)
            labels = [row % len(CIFAR_CLASSES) for row in range(count)]
            images = generator.integers(0, 80, (count, 3, 1024), np.uint8)
            for row, label in enumerate(labels):
                images[row, label] += 150
            names = [b"picture_%d.png" % row for row in range(count)]
            batch = {b"batch_label": b"batch", b"labels": labels, b"data": images.reshape(count, -1)}
            (folder / name).write_bytes(_python2_pickle({**batch, b"filenames": names}))
        meta = {b"num_cases_per_batch": 10000, b"label_names": CIFAR_CLASSES, b"num_vis": 3072}
        (folder / "batches.meta").write_bytes(_python2_pickle(meta))
        return folder

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


@pytest.fixture
def make_run(tmp_path):
    """A run as training leaves it, of made-up numbers: `make_run("a", classes=10, images=200, epochs=5)`."""

    def make(
        name: str,
        *,
        classes: int = 10,
        images: int = 200,
        epochs: int = 5,
        size: int = 16,
        steps: int = 20,
        training: float = 0.85,
    ):
        from babysit.recipe import Recipe, render
        from babysit.record import predictions
        from babysit.record.log import LogWriter, Row
        from babysit.record.run import create

        random = np.random.default_rng(0)
        run = create(tmp_path / name)
        names = [f"class <{number}>" for number in range(classes)]
        labels = np.arange(images) % classes
        said = random.random((images, classes), np.float32) + 3 * np.eye(classes, dtype=np.float32)[labels]
        wrong = np.arange(0, images, 7)
        said[wrong, (labels[wrong] + 1) % classes] += 5
        said /= said.sum(axis=1, keepdims=True)
        lines = [f"{row}.png,{names[label]},val,{row:032x}\n" for row, label in enumerate(labels.tolist())]
        run.split.write_text("path,label,part,hash\n" + "".join(lines), encoding="utf-8")
        predictions.write(run, "val", np.arange(images), labels, said)
        cache = tmp_path / f"{name}-cache"
        cache.mkdir()
        random.integers(0, 255, (images, size, size, 3), np.uint8).tofile(cache / "pixels.u8")
        (cache / "meta.json").write_text(f'{{"count": {images}}}', encoding="utf-8")
        run.recipe.write_text(render(Recipe().replace({"data.size": size}), {}), encoding="utf-8")
        run.environment.write_text('{"sessions": [{"step": 0, "device": "cpu"}]}', encoding="utf-8")
        counts = np.bincount(labels, minlength=classes).tolist()
        data = {"source": "made/up", "classes": names, "counts": {"train": counts, "val": counts}, "cache": str(cache)}
        run.update_manifest(
            status="finished", epochs=epochs, steps=epochs * steps, seconds=3.0, data=data, times={"forward": 2.0}
        )
        writer = LogWriter(run.log)
        for step in range(1, epochs * steps + 1):
            epoch = (step - 1) // steps
            values = {"loss": 3 / step, "penalty": 0.0, "accuracy": 0.5, "learning_rate": 0.1, "step_seconds": 0.01}
            writer.append(Row("step", step, epoch, values))
            if step % steps == 0:
                seen = {"train_loss": 2 / step, "train_accuracy": training, "validation_loss": 3 / step}
                writer.append(Row("epoch", step, epoch, {**seen, "validation_accuracy": 0.8}))
        writer.close()
        return run

    return make
