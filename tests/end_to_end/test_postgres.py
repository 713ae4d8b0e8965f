"""A search whose study is kept in PostgreSQL, by two workers, one of them killed. Needs a server:

createdb study; BABYSIT_POSTGRES=postgresql://USER@HOST/study python -m pytest tests/end_to_end/test_postgres.py
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from babysit.searching.storage import open_study

ADDRESS = os.environ.get("BABYSIT_POSTGRES", "")
WORDS = ["--model", "two-layer", "--set", "train.precision=float32", "--set", "train.threads=1", "--epochs", "12"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ADDRESS, reason="BABYSIT_POSTGRES names no server"),
]


def test_two_workers_and_a_killed_one_share_a_study_in_postgresql(command_line, tmp_path) -> None:
    pytest.importorskip("psycopg")
    begin, places = command_line
    study = tmp_path / "study"

    def start(*words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*begin, "search", *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **places,
        )

    first = start("digits", "-o", study, "--trials", 6, *WORDS, "--storage", ADDRESS)
    end = time.monotonic() + 200
    while not list(study.glob("trials/0001/log.jsonl")):
        assert first.poll() is None, first.stderr.read() if first.stderr else ""
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not (study / "study.db").exists()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    workers = [start("--join", study) for _ in range(2)]
    for one in workers:
        _, said = one.communicate(timeout=400)
        assert one.returncode == 0, said
    done = open_study(Path(study)).trials()
    assert {one.state for one in done} <= {"paused", "done", "quit"}
    assert len([one for one in done if one.origin == "coarse"]) == 6
    assert len([one for one in done if one.origin == "seed"]) == 2
    assert len({one.number for one in done}) == len(done) and (study / "recipe.toml").exists()
