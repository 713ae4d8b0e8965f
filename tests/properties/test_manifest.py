"""A manifest changed by hand: whatever reads a run reads it all the same, or refuses it in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from babysit import api
from babysit.errors import UserError
from babysit.record.known import Known

GONE = object()
"""The field is not there."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**9) | st.floats() | st.sampled_from(["", "x", "kept", "finished"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "train", "val"]), inner, max_size=2)
    ),
    max_leaves=5,
)
READERS: dict[str, Callable[[Path], object]] = {
    "diagnose": lambda run: api.diagnosis_lines(api.diagnose(run)),
    "report": api.report,
    "compare": lambda run: api.compare(run, run.parent / "whole" / "run"),
    "runs": lambda run: api.list_runs(run.parent),
}


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every field of a JSON value, however deep."""
    if isinstance(value, dict):
        inner = [one for name, each in value.items() for one in places(each, (*path, name))]
    elif isinstance(value, list):
        inner = [one for place, each in enumerate(value[:2]) for one in places(each, (*path, place))]
    else:
        inner = []
    return [path, *inner] if path else inner


@pytest.fixture
def whole(tmp_path, make_folder) -> Path:
    """A run with a remedy that was kept, in a folder beside its data."""
    parent = tmp_path / "whole"
    data = make_folder(parent / "data", {"a": 40, "b": 40})
    asked = {"train.epochs": 4, "optim.batch_size": 8, "watch.remedy": "apply", "train.precision": "float32"}
    api.train(str(data), out=parent / "run", settings={**asked, "optim.lr": 1000.0, "watch.every": 2}, anyway=True)
    return parent / "run"


@pytest.mark.parametrize("name", READERS)
def test_whatever_stands_in_a_field_of_a_manifest_is_read_or_refused(name: str, whole: Path, tmp_path: Path) -> None:
    good = json.loads((whole / "manifest.json").read_text())
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    shutil.copytree(whole.parent / "data", tmp_path / "data")

    @given(st.sampled_from(places(good)), st.just(GONE) | VALUES)
    @example(("known", "classes"), "x")
    @example(("data", "classes"), "x")
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def check(place: tuple[str | int, ...], value: object) -> None:
        changed: Any = json.loads(json.dumps(good))
        target = changed
        for step in place[:-1]:
            target = target[step]
        if value is GONE:
            del target[place[-1]]
        else:
            target[place[-1]] = value
        (run / "manifest.json").write_text(json.dumps(changed))
        with suppress(UserError):
            READERS[name](run)

    READERS[name](run)
    check()


def test_what_is_wrong_in_a_manifest_is_named_with_its_place(whole: Path) -> None:
    manifest = json.loads((whole / "manifest.json").read_text())
    manifest["data"]["classes"] = "x"
    manifest["steps"] = -1
    (whole / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError) as said:
        api.diagnose(whole)
    first, second = str(said.value).splitlines()
    assert first.startswith(f"{whole / 'manifest.json'}: data.classes is 'x': Input should be a valid list. Legal: ")
    assert "steps is -1" in second and "greater than or equal to 0" in second
    manifest["data"]["classes"], manifest["steps"] = ["a", "b"], 9
    manifest["known"]["classes"] = "x"
    (whole / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"manifest\.json: known\.classes is 'x'"):
        api.diagnose(whole)


def test_a_manifest_of_before_names_got_clearer_is_read() -> None:
    assert Known.from_json({"left": 0.5}) == Known(uncleared=0.5)
