"""The held-out programs' text, fixed by its SHA-256 before the first of them was recorded.

python faults/held/hashes.py     # says what is not as it was; `--write` fixes it anew, which the history shows
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this is run as a file of its own

from held.broken import broken
from held.healthy import healthy

HERE = Path(__file__).resolve().parent
FILE = HERE / "hashes.txt"
TEXTS = ("images", "networks", "pixels", "setups", "loops", "cells")


def hashes() -> dict[str, str]:
    """Name of a program, or of a file that all of them are made by -> SHA-256 of its text.

    A program's text holds all that is chosen in it, the kind of its fault and the causes that are right to name.
    """
    found = {f"{name}.py": _sha256((HERE / f"{name}.py").read_text(encoding="utf-8")) for name in TEXTS}
    for one in (*broken(), *healthy()):
        found[one.name] = _sha256(f"{one.name} {one.kind} {one.accepted} {one.base} {one.harm} {one.setup!r}")
    return found


def fixed() -> dict[str, str]:
    """What was fixed."""
    lines = FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else []
    return {name: text for text, name in (line.split("  ", 1) for line in lines)}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Compares, or writes."""
    now, before = hashes(), fixed()
    if "--write" in sys.argv[1:]:
        FILE.write_text("".join(f"{text}  {name}\n" for name, text in now.items()), encoding="utf-8")
    for name in sorted(now.keys() | before.keys()):
        if now.get(name) != before.get(name):
            print(f"{name}: {'new' if name not in before else 'gone' if name not in now else 'changed'}")


if __name__ == "__main__":
    main()
