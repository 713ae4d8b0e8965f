"""How soon things happen: `train digits` whole and to its first step, `--help`, and `import babysit`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import harness
from harness import Figures

IMPORT = "import sys, babysit; print(int('torch' in sys.modules))"


def digits(seed: int) -> Figures:
    """The whole command from an empty cache; the first step is seen when its row is in the run's log."""
    with tempfile.TemporaryDirectory(prefix="babysit-start-") as place:
        run = Path(place) / "run"
        log = run / "log.jsonl"

        def stepped() -> bool:
            return log.exists() and b'"kind":"step"' in log.read_bytes()

        arguments = harness.babysit("train", "digits", "-o", str(run), "--seed", str(seed), "--json")
        finished = harness.command(arguments, cache=Path(place) / "cache", sign=stepped)
    result = json.loads(finished.stdout)
    assert finished.sign_seconds is not None, "the log never had a step"
    return {
        "seconds": finished.seconds,
        "first_step_seconds": finished.sign_seconds,
        "validation_accuracy": result["validation"]["accuracy"],
        "validation_images": result["validation"]["count"],
        "epochs": result["epochs"],
        "peak_bytes": finished.peak_bytes,
    }


def show_help(_seed: int) -> Figures:
    """`babysit --help`, as a process."""
    return {"seconds": harness.command(harness.babysit("--help")).seconds}


def import_package(_seed: int) -> Figures:
    """`import babysit`, as a process, and whether that brought torch in."""
    finished = harness.command([sys.executable, "-c", IMPORT])
    return {"seconds": finished.seconds, "torch_imported": int(finished.stdout)}


def main() -> None:
    """Measures all three in turn."""
    options = harness.parser(__doc__ or "", repeats=5).parse_args()
    arms = {"digits": digits, "help": show_help, "import": import_package}
    records = harness.measure("start", arms, range(options.repeats), settings={}, again=options.again)
    print("\n" + harness.summary(records))


if __name__ == "__main__":
    main()
