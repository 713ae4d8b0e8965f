"""The harness of every bench: arms measured in turn in one run, kept as JSON lines, summed up as medians and ratios.

An arm is a function `seed -> figures`. With arms A and B and three seeds the order is A B A B A B, so that a busy
minute of the machine meets both. Each measurement is one line of `results/NAME.jsonl`, written when it is made; one
that is there already, of the same source, settings, arm and seed, is not made again.

    python bench/harness.py throughput      # sums up what is recorded
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from babysit.device import choose_device, describe

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
CIFAR10 = Path("../shared/data/cifar10.zip")
SOURCE = ("src", "bench", ":!bench/results", ":!bench/README.md")

Figure = float | int | str | bool
Figures = dict[str, Figure]
Arm = Callable[[int], Figures]
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended: what it printed, its wall clock, its peak resident memory, when a sign was seen."""

    stdout: str
    stderr: str
    seconds: float
    peak_bytes: int
    sign_seconds: float | None


def command(
    arguments: Sequence[str], *, cache: Path | None = None, cwd: Path = ROOT, sign: Callable[[], bool] | None = None
) -> Finished:
    """Runs a whole command in a process of its own, and measures it from outside.

    The peak is `ru_maxrss` of that process alone (or of a larger one it waited for); Linux counts the parent's
    memory before `exec` in it, so a bench that reports memory must stay small itself and import no torch.

    Arguments:
        cache: its BABYSIT_CACHE.
        sign: polled every 5 ms until true; when that was is `sign_seconds`.

    Raises:
        RuntimeError: when it fails, with the end of what it said.
    """
    environment = {**os.environ, **({"BABYSIT_CACHE": str(cache)} if cache else {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package's files are compiled already
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        begun = time.perf_counter()
        process = subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=out, stderr=error)
        try:
            seen = None
            while sign and seen is None:
                if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    break
                if sign():
                    seen = time.perf_counter() - begun
                else:
                    time.sleep(0.005)
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        error.seek(0)
        said = error.read()
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{said[-2000:]}")
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Finished(out.read(), said, seconds, peak, seen)


def babysit(*arguments: str) -> list[str]:
    """The command line of the checkout's babysit."""
    return [sys.executable, "-m", "babysit", *arguments]


def resolved_recipe(run: Path) -> dict[str, Any]:
    """The resolved recipe of a finished run."""
    return tomllib.loads((run / "recipe.toml").read_text(encoding="utf-8"))


def measure(
    name: str, arms: Mapping[str, Arm], seeds: Sequence[int], *, settings: Mapping[str, Figure], again: bool = False
) -> list[Record]:
    """Measures every arm for every seed, in turn, and keeps each measurement at once.

    Arguments:
        name: of the bench; its results are in `results/NAME.jsonl`.
        settings: what else decides the figures; a record of other settings is another measurement.
        again: measure also what is recorded already.

    Returns:
        A record for each arm and seed, the recorded ones included, in the order of seeds, then arms.
    """
    # Ended from outside, a bench leaves as on Ctrl-C: `command` ends its process first, temporary folders go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    source, machine, run = source_identity(), machine_identity(), datetime.now(UTC).isoformat(timespec="seconds")
    known = {_key(record): record for record in read(name)}
    records = []
    for seed in seeds:
        for arm, function in arms.items():
            record: Record = {**source, "settings": dict(settings), "arm": arm, "seed": seed}
            if (found := known.get(_key(record))) and not again:
                print(f"{name} {arm} seed {seed}: recorded {found['date']}, not run again (--again does)", flush=True)
                records.append(found)
                continue
            load = round(os.getloadavg()[0], 2)
            figures = function(seed)
            date = datetime.now(UTC).isoformat(timespec="seconds")
            record |= {"run": run, "date": date, "machine": machine, "load_before": load, "figures": figures}
            append(name, record)
            records.append(record)
            print(f"{name} {arm} seed {seed}: {_shown(figures)}", flush=True)
    return records


def recorded(name: str, settings: Mapping[str, Figure], arm: str, seed: int) -> Record | None:
    """The latest record of the present source with these settings, arm and seed."""
    wanted = _key({**source_identity(), "settings": dict(settings), "arm": arm, "seed": seed})
    return {_key(record): record for record in read(name)}.get(wanted)


def read(name: str) -> list[Record]:
    """All records of a bench, oldest first; a line cut short by a crash is left out."""
    path = RESULTS / f"{name}.jsonl"
    records = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            print(f"{path.name}: an unreadable line is left out", file=sys.stderr)
    return records


def summary(records: Sequence[Record], *, ratio: str = "") -> str:
    """Medians of every number by arm with least and most, and the ratios of one figure between arms.

    Arguments:
        ratio: the figure whose ratio, first arm over each other arm, is taken pair by pair: same seed, same run.
    """
    lines = []
    arms = list(dict.fromkeys(record["arm"] for record in records))
    for arm in arms:
        of_arm = [record for record in records if record["arm"] == arm]
        lines.append(f"{arm} ({len(of_arm)} measured)")
        for figure in _numbers(of_arm):
            values = [float(one["figures"][figure]) for one in of_arm if figure in one["figures"]]
            lines.append(f"  {figure:<32} {_spread(values)}")
    for other in arms[1:] if ratio else []:
        pairs, apart = _pairs(records, arms[0], other)
        ratios = [
            first["figures"][ratio] / second["figures"][ratio]
            for first, second in pairs
            if ratio in first["figures"] and ratio in second["figures"]
        ]
        if ratios:
            lines.append(f"{ratio}, {arms[0]} over {other}: {_spread(ratios)} of {len(ratios)} pairs")
        if apart:
            lines.append(f"  {apart} pairs were measured in different runs and are not compared; --again measures them")
    return "\n".join(lines)


def source_identity() -> Record:
    """The commit, and a digest of what differs from it in the source ("" when nothing does)."""
    changes = _git("diff", "HEAD", "--", *SOURCE).encode()
    for path in _git("ls-files", "--others", "--exclude-standard", "--", *SOURCE).splitlines():
        changes += path.encode() + (ROOT / path).read_bytes()
    dirty = hashlib.blake2b(changes, digest_size=6).hexdigest() if changes else ""
    return {"commit": _git("rev-parse", "HEAD").strip(), "dirty": dirty}


def machine_identity() -> Record:
    """Processor, cores this process may use, and versions."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    device = choose_device()
    return {
        **({} if device.type == "cpu" else {"accelerator": str(describe(device)["name"])}),
        "processor": model,
        "cores": cores,
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


def parser(description: str, *, repeats: int) -> argparse.ArgumentParser:
    """The options all benches share."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--repeats", type=int, default=repeats, help="seeds 0 to this less one")
    made.add_argument("--again", action="store_true", help="measure also what is recorded already")
    return made


def add_data(made: argparse.ArgumentParser) -> None:
    """The option for the data; a relative path is relative to the repository."""
    made.add_argument("--data", type=Path, default=CIFAR10, help="zip of images; relative to the repository")


def found_data(path: Path) -> Path:
    """The data's path, absolute; ends the bench with a message (and success) when it is not there."""
    whole = (ROOT / path).resolve()
    if not whole.exists():
        print(f"skipped: there is no {path} (relative to the repository); give --data")
        sys.exit(0)
    return whole


def _key(record: Record) -> tuple[str, ...]:
    settings = json.dumps(record["settings"], sort_keys=True)
    return record["commit"], record["dirty"], settings, record["arm"], str(record["seed"])


def append(name: str, record: Record) -> None:
    """Adds a line to a bench's results, on the disk when it returns."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.jsonl"
    # A line that a crash cut short must not swallow the next one.
    broken = path.exists() and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as stream:
        stream.write(("\n" if broken else "") + json.dumps(record) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _pairs(records: Sequence[Record], first: str, second: str) -> tuple[list[tuple[Record, Record]], int]:
    """Records of two arms with the same seed, and how many of them are not from the same run."""
    of_second = {record["seed"]: record for record in records if record["arm"] == second}
    matched = [(one, of_second[one["seed"]]) for one in records if one["arm"] == first and one["seed"] in of_second]
    together = [(one, other) for one, other in matched if one["run"] == other["run"]]
    return together, len(matched) - len(together)


def _numbers(records: Sequence[Record]) -> list[str]:
    names = dict.fromkeys(name for record in records for name in record["figures"])
    return [
        name for name in names if all(isinstance(one["figures"].get(name, 0), (int, float, bool)) for one in records)
    ]


def _spread(values: Sequence[float]) -> str:
    return f"median {statistics.median(values):.5g} (least {min(values):.5g}, most {max(values):.5g})"


def _shown(figures: Figures) -> str:
    return ", ".join(
        f"{name} {value:.5g}" if isinstance(value, float) else f"{name} {value}" for name, value in figures.items()
    )


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", "--no-optional-locks", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def main() -> None:
    """Sums up the latest recorded source of a bench, each of its settings apart."""
    made = argparse.ArgumentParser(description="Sums up the records of a bench.")
    made.add_argument("name", help="of the bench, as in results/NAME.jsonl")
    made.add_argument("--ratio", default="images_per_second", help="the figure compared between arms")
    made.add_argument("--commit", default="", help="the beginning of a commit; by default the one recorded last")
    options = made.parse_args()
    records = read(options.name)
    chosen = [record for record in records if record["commit"].startswith(options.commit)]
    if not chosen:
        sys.exit(f"nothing is recorded of {options.name}" + (f" at {options.commit}" if options.commit else ""))
    source = chosen[-1]["commit"], chosen[-1]["dirty"]
    latest = {_key(one): one for one in chosen if (one["commit"], one["dirty"]) == source}
    print(f"{options.name} at {source[0][:12]}" + (f" with changes {source[1]}" if source[1] else ""))
    for settings in dict.fromkeys(json.dumps(one["settings"], sort_keys=True) for one in latest.values()):
        print(f"\n{settings}")
        alike = [one for one in latest.values() if json.dumps(one["settings"], sort_keys=True) == settings]
        print(summary(alike, ratio=options.ratio))


if __name__ == "__main__":
    main()
