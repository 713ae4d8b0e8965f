"""The report's pictures come from a cache that anything may have happened to."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from babysit.record.run import Run
from babysit.reporting import page


@pytest.mark.parametrize("harm", ["whole", "gone", "cut short", "no facts", "broken facts", "other facts"])
def test_a_harmed_cache_costs_the_report_its_pictures_only(tmp_path: Path, monkeypatch, harm: str) -> None:
    pixels, facts = tmp_path / "pixels.u8", tmp_path / "meta.json"
    pixels.write_bytes(bytes(4 * 8 * 8 * 3))
    facts.write_text(json.dumps({"count": 4}))
    match harm:
        case "gone":
            pixels.unlink()
        case "cut short":
            pixels.write_bytes(bytes(100))
        case "no facts":
            facts.unlink()
        case "broken facts":
            facts.write_text("{")
        case "other facts":
            facts.write_text(json.dumps({"count": 0}))
    found = np.array([1, 3]), np.array([0, 0]), np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)
    monkeypatch.setattr(page, "_predictions", lambda _: found)
    monkeypatch.setattr(page, "_names", lambda _: ["a.png", "b.png"])
    made = page._mistakes(Run(tmp_path), {"data": {"classes": ["a", "b"], "cache": str(tmp_path)}})
    assert ("a.png" in made) == (harm == "whole")
    assert ("left out" in made) == (harm != "whole")
