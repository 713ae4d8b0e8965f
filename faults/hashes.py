"""The held-out programs' text, fixed by its SHA-256 before the first of them was recorded: of `held/`, `fresh/`, `unseen/`, `apart/`, `beyond/`, `anew/`, `outside/` and `last/`.

python faults/hashes.py     # says what is not as it was; `--write` fixes it anew, which the history shows
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anew.broken
import anew.healthy
import apart.broken
import apart.healthy
import beyond.broken
import beyond.healthy
import fresh.broken
import fresh.healthy
import held.broken
import held.healthy
import last.broken
import last.healthy
import outside.broken
import outside.healthy
import unseen.broken
import unseen.healthy
from programs import Program

HERE = Path(__file__).resolve().parent
TEXTS: Mapping[str, Sequence[str]] = {
    "held": ("images", "networks", "pixels", "setups", "loops", "cells"),
    "fresh": ("drawings", "images", "networks", "pixels", "setups", "steps", "loops", "cells"),
    "unseen": ("drawings", "images", "networks", "pixels", "setups", "steps", "loops", "cells", "recipes"),
    "apart": ("drawings", "images", "blocks", "networks", "pixels", "setups", "steps", "loops", "cells", "recipes"),
    "beyond": ("images", "networks", "pixels", "setups", "steps", "loops", "cells", "recipes"),
    "anew": ("images", "blocks", "networks", "pixels", "setups", "steps", "loops", "cells"),
    "outside": ("drawings", "images", "blocks", "networks", "pixels", "setups", "steps", "loops", "cells"),
    "last": ("drawings", "images", "networks", "setups", "loops", "cells"),
}
"""Folder -> the files that all of its programs are made by; `fresh` borrows from `held`, `unseen` from both, `apart`, `beyond`, `anew`, `outside` and `last` from all, whose files are fixed too."""


def hashes(folder: str) -> dict[str, str]:
    """Name of a program, or of a file that all of a folder's are made by -> SHA-256 of its text.

    A program's text holds all that is chosen in it, the kind of its fault and the causes that are right to name.
    """
    found = {
        f"{name}.py": _sha256((HERE / folder / f"{name}.py").read_text(encoding="utf-8")) for name in TEXTS[folder]
    }
    for one in _programs(folder):
        found[one.name] = _sha256(f"{one.name} {one.kind} {one.accepted} {one.base} {one.harm} {one.setup!r}")
    return found


def fixed(folder: str) -> dict[str, str]:
    """What was fixed."""
    file = _file(folder)
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name: text for text, name in (line.split("  ", 1) for line in lines)}


def _programs(folder: str) -> list[Program]:
    if folder == "held":
        return [*held.broken.broken(), *held.healthy.healthy()]
    if folder == "fresh":
        return [*fresh.broken.broken(), *fresh.healthy.healthy()]
    if folder == "unseen":
        return [*unseen.broken.broken(), *unseen.healthy.healthy()]
    if folder == "apart":
        return [*apart.broken.broken(), *apart.healthy.healthy()]
    if folder == "beyond":
        return [*beyond.broken.broken(), *beyond.healthy.healthy()]
    if folder == "anew":
        return [*anew.broken.broken(), *anew.healthy.healthy()]
    if folder == "outside":
        return [*outside.broken.broken(), *outside.healthy.healthy()]
    return [*last.broken.broken(), *last.healthy.healthy()]


def _file(folder: str) -> Path:
    return HERE / folder / "hashes.txt"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Compares, or writes."""
    for folder in TEXTS:
        now, before = hashes(folder), fixed(folder)
        if "--write" in sys.argv[1:]:
            _file(folder).write_text("".join(f"{text}  {name}\n" for name, text in now.items()), encoding="utf-8")
        for name in sorted(now.keys() | before.keys()):
            if now.get(name) != before.get(name):
                print(f"{folder}: {name}: {'new' if name not in before else 'gone' if name not in now else 'changed'}")


if __name__ == "__main__":
    main()
