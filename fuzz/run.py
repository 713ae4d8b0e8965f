"""Fuzzes the readers with atheris: `python fuzz/run.py [SECONDS] [READER...]`, an hour over all of them by default.

A crash, a hang over 10 seconds or more than 1 GB of memory ends it, with the input kept under fuzz/corpus/READER/.
What was learned stays there too, and the next start goes on from it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SECONDS, HANG_SECONDS, MOST_MEGABYTES, LONGEST = 3600, 10, 1024, 65536


def main(arguments: list[str]) -> int:
    """A process for each reader, since atheris takes a whole one; or, when called by it, one reader for a while."""
    if arguments and arguments[0] == "--one":
        return fuzz(arguments[1], arguments[2:])
    from readers import READERS

    seconds = int(arguments[0]) if arguments else SECONDS
    names = arguments[1:] or list(READERS)
    for name in names:
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(READERS[name].seeds()):
            (folder / f"seed-{number}").write_bytes(seed)
        limits = [f"-max_total_time={max(1, seconds // len(names))}", f"-timeout={HANG_SECONDS}", f"-max_len={LONGEST}",
                  f"-rss_limit_mb={MOST_MEGABYTES}", f"-artifact_prefix={folder}/FOUND-", "-print_final_stats=1"]  # fmt: skip
        print(f"fuzzing {name}", flush=True)
        done = subprocess.run([sys.executable, __file__, "--one", name, *limits, str(folder)], check=False)
        if done.returncode:
            print(f"{name}: the input that broke it is in {folder}/FOUND-*")
            return 1
    return 0


def fuzz(name: str, options: list[str]) -> int:
    """Runs atheris on one reader until its time is over."""
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["babysit"]):  # type: ignore[attr-defined]
        from readers import READERS, attempt

    def one(data: bytes) -> None:
        attempt(READERS[name], data)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
