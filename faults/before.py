"""Climbs the ladder of checks with every program of the corpus before training, and scores it. Goes on where it was stopped.

python faults/before.py                 # runs the tuned programs that are missing or changed, and prints the score
python faults/before.py --held          # the held-out ones too: once, when the ladder is ready
python faults/before.py --only sign     # names that contain this
python faults/before.py --each          # and what was said of every program
python faults/before.py --score         # runs nothing
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

import babysit
from babysit.errors import UserError
from before_broken import broken
from before_healthy import healthy
from before_programs import REFUSED, Program, build
from score import spelled

HERE = Path(__file__).resolve().parent
SOURCE = Path(babysit.__file__).resolve().parent
RESULTS = HERE / "before.jsonl"
LISTS = ("before_broken", "before_broken_code", "before_healthy")
SEED = 0


@dataclass(frozen=True)
class Seen:
    """What the ladder said of a program: the first rung that failed, the faults it named, its words; `rung` empty when none failed."""

    program: Program
    rung: str
    faults: tuple[str, ...]
    said: str
    undecided: tuple[str, ...]
    seconds: float

    @property
    def caught(self) -> bool:
        """Whether a right rung failed first."""
        return self.rung in self.program.rungs

    @property
    def named(self) -> bool:
        """Whether it also named the fault rightly, or needs no name."""
        return self.caught and (self.rung == REFUSED or bool(set(self.faults) & set(self.program.faults)))


def climbed(program: Program) -> Seen:
    """A program under the ladder."""
    begun = time.process_time()
    case = build(program.parts, SEED)
    try:
        outcomes = babysit.check(case.model, case.loss, case.batches, classes=case.classes)
    except UserError as error:
        return Seen(program, REFUSED, (), str(error), (), round(time.process_time() - begun, 1))
    except Exception as error:  # noqa: BLE001 - whatever it raises, a ladder that falls has caught nothing
        return Seen(program, "crashed", (), repr(error), (), round(time.process_time() - begun, 1))
    seconds = round(time.process_time() - begun, 1)
    undecided = tuple(one.rung for one in outcomes if one.verdict == "not decided" and one.rung != "speed")
    for one in outcomes:
        if one.verdict == "failed":
            return Seen(program, one.rung, tuple(found.rule for found in one.diagnoses), one.seen, undecided, seconds)
    return Seen(program, "", (), "", undecided, seconds)


def key_of(program: Program) -> str:
    """Of the program and the corpus' text, and after a colon of the ladder's."""
    corpus, ladder = _texts()
    return f"{_hash(repr(program.parts) + corpus)}:{_hash(ladder)}"


@functools.cache
def _texts() -> tuple[str, str]:
    """As they are when the first program is run: what is edited later is not what runs."""
    corpus = [path for path in sorted(HERE.glob("before_*.py")) if path.stem not in LISTS]
    ladder = [*sorted((SOURCE / "checks").glob("*.py")), SOURCE / "api" / "checking.py"]
    first, second = ("".join(path.read_text(encoding="utf-8") for path in paths) for paths in (corpus, ladder))
    return first, second


def kept(results: Path) -> dict[str, dict[str, object]]:
    """The last line of each program."""
    if not results.exists():
        return {}
    lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    return {line["program"]: line for line in lines}


def run(programs: list[Program], results: Path) -> None:
    """Runs what is missing and appends it, a line each."""
    there, commit = kept(results), _commit()
    for program in programs:
        key = key_of(program)
        if there.get(program.name, {}).get("key") == key:
            continue
        one = climbed(program)
        line = {"program": program.name, "rung": one.rung, "faults": one.faults, "said": one.said[:200]}
        line |= {"undecided": one.undecided, "seconds": one.seconds, "commit": commit, "key": key}
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(
            f"{_mark(one):5s} {program.name:45s} {one.seconds:5.1f} s  {one.rung}: {', '.join(one.faults)}", flush=True
        )


def seen_of(program: Program, line: dict[str, object]) -> Seen:
    """A line of the results, with its program."""
    return Seen(
        program,
        str(line["rung"]),
        tuple(line["faults"]),  # type: ignore[arg-type]
        str(line["said"]),
        tuple(line["undecided"]),  # type: ignore[arg-type]
        float(line["seconds"]),  # type: ignore[arg-type]
    )


def score(found: list[Seen], *, each: bool) -> None:
    """Prints how many were caught, and how many healthy ones were raised."""
    if each:
        for one in sorted(found, key=lambda one: (one.program.healthy, one.caught, one.program.name)):
            print(f"{_mark(one):5s} {one.program.name:45s} {one.rung}: {', '.join(one.faults)} | {one.said}")
    for held, name in ((False, "tuned"), (True, "held out")):
        part = [one for one in found if one.program.held_out == held]
        ill, well = ([one for one in part if one.program.healthy == healthy] for healthy in (False, True))
        if not part:
            continue
        print(f"{name:9s} caught by a right rung {spelled(sum(one.caught for one in ill), len(ill))}")
        print(f"{'':9s} and rightly named       {spelled(sum(one.named for one in ill), len(ill))}")
        print(f"{'':9s} healthy raised          {spelled(sum(bool(one.rung) for one in well), len(well))}")
        for one in part:
            if one.rung if one.program.healthy else not one.caught:
                print(f"  {_mark(one)} {one.program.name}: {one.rung or 'nothing failed'} {', '.join(one.faults)}")


def _mark(one: Seen) -> str:
    if one.program.healthy:
        return "FALSE" if one.rung else "ok"
    return "ok" if one.named else "name" if one.caught else "MISS"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _commit() -> str:
    called = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(called, cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()


def main() -> None:
    """Runs and scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", action="store_true", help="the held-out programs too")
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--part", default="1/1", help="the first of two processes side by side: 1/2")
    parser.add_argument("--each", action="store_true", help="print every program")
    parser.add_argument("--score", action="store_true", help="run nothing")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file that results are appended to")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    programs = [one for one in [*broken(), *healthy()] if asked.only in one.name]
    number, parts = (int(one) for one in asked.part.split("/"))
    programs = programs[number - 1 :: parts]
    if not asked.score:
        run([one for one in programs if not one.held_out], asked.results)
        if asked.held:
            run([one for one in programs if one.held_out], asked.results)
    there = kept(asked.results)
    score([seen_of(one, there[one.name]) for one in programs if one.name in there], each=asked.each)


if __name__ == "__main__":
    main()
