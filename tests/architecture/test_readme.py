"""The README shows the source as it is."""

from __future__ import annotations

import runpy
from pathlib import Path

WRITER = Path(__file__).with_name("source_tree.py")
README = Path(__file__).parents[2] / "README.md"


def test_the_tree_of_the_source_is_todays() -> None:
    text = README.read_text(encoding="utf-8")
    assert runpy.run_path(str(WRITER))["with_tree"](text) == text, "write it with: make tree"
