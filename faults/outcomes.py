"""How broken programs and their twins ended with the second seed: one JSON line each, the last of a name counts."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).resolve().parent / "outcomes.jsonl"


def read() -> dict[str, tuple[str, float]]:
    """Name -> key of the program's text, and accuracy."""
    found: dict[str, tuple[str, float]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines() if FILE.exists() else ():
        value = json.loads(line)
        found[value["program"]] = value["key"], float(value["accuracy"])
    return found


def add(program: str, key: str, accuracy: float) -> None:
    """One more; a whole line at once, since two processes may write."""
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"program": program, "key": key, "accuracy": accuracy}) + "\n")
