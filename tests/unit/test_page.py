"""The report's pictures come from a cache that anything may have happened to."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from babysit.recipe import Recipe
from babysit.record.run import Run
from babysit.reporting import gallery


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
    monkeypatch.setattr(gallery, "read_resolved", lambda _: Recipe())
    material = SimpleNamespace(
        run=Run(tmp_path), manifest={"data": {"cache": str(tmp_path), "source": "photos"}}, classes=("a", "b")
    )
    opened = gallery.open_gallery(material)
    assert (opened.canvases is not None) == (harm == "whole")
    assert ("left out" in opened.why) == (harm != "whole")
