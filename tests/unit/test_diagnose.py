"""Judging a recorded run again, the experiments that decide, and diagnoses while training and in the report."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

import babysit
from babysit.cli.app import run as command
from babysit.errors import UserError
from babysit.record.diagnosis import Diagnosis, Experiment
from babysit.record.known import Known
from babysit.record.log import RunLog, read_log
from babysit.record.observation import Observation
from babysit.record.run import Run
from babysit.training.verdicts import Verdicts, careful, stops, write_diagnoses


def found(
    severity="warn", *, rule: str = "made-up", since: int = 20, experiment: Experiment | None = None
) -> Diagnosis:
    evidence = (Observation("loss", 1.5, since, 0), Observation("dead_share", 0.5, since, 0, "stem"))
    words = {"claim": "It is <b>so</b>.", "advice": "Set --set optim.lr=0.01", "code": "it()", "disproof": "it is not"}
    return Diagnosis(
        rule=rule,
        severity=severity,
        evidence=evidence,
        sure=0.8,
        since=since,
        page="docs/x.md",
        experiment=experiment,
        **words,
    )


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    settings = {"train.steps": 30, "train.precision": "float32", "train.threads": 1, "watch.every": 5}
    babysit.train("digits", out=tmp_path / "run", settings=settings)
    return tmp_path / "run"


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_diagnose_gives_what_the_training_gave_and_changes_nothing(trained: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("babysit.api.rejudging.judge", lambda log, known: [found("stop"), found("note", rule="other")])
    before = fingerprint(trained)
    assert command(["diagnose", str(trained), "--json"]) == 3
    listed = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in listed] == ["made-up", "other"] and listed[0]["evidence"][1][
        "quantity"
    ] == "dead_share@stem"
    assert command(["diagnose", str(trained)]) == 3
    said = capsys.readouterr().out
    assert "STOP made-up, since step 20, 80% sure" in said and "It is wrong if: it is not" in said and "it()" in said
    assert fingerprint(trained) == before


def test_what_is_known_is_read_back_from_the_run(trained: Path, monkeypatch) -> None:
    seen: list[Known] = []
    monkeypatch.setattr("babysit.api.rejudging.judge", lambda log, known: seen.append(known) or [])
    babysit.diagnose(trained)
    manifest = json.loads((trained / "manifest.json").read_text(encoding="utf-8"))
    assert seen[0].settings and seen[0].settings["watch.every"] == 5 and seen[0].planned_steps == 30
    del manifest["known"]
    (trained / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    babysit.diagnose(trained)
    for name in (
        "learning_rate",
        "batch_size",
        "class_counts",
        "training_images",
        "validation_images",
        "l2",
        "schedule_kind",
    ):
        assert getattr(seen[1], name) == getattr(seen[0], name), f"an older run's {name}"


def test_an_experiment_runs_on_copies(trained: Path, monkeypatch, capsys) -> None:
    faster = Experiment({"optim.lr": 0.02}, 12, "loss", "below", 0.9)
    slower = Experiment({"optim.lr": 1e-6}, 12, "loss", "below", 0.9)
    unseen = Experiment({}, 12, "validation_loss", "below")
    monkeypatch.setattr("babysit.api.rejudging.judge", lambda log, known: [
        found(rule="faster", experiment=faster), found(rule="slower", experiment=slower), found(rule="unseen", experiment=unseen)
    ])  # fmt: skip
    recipe = trained / "recipe.toml"
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(
        "\n".join("lr = 0.0001" if line.startswith("lr =") else line for line in text.split("\n")), encoding="utf-8"
    )
    before, streams = fingerprint(trained), (torch.get_rng_state(), random.getstate(), np.random.get_state()[1])
    done = babysit.diagnose(trained, confirm=True)
    assert fingerprint(trained) == before, "the run is left as it was"
    assert torch.equal(torch.get_rng_state(), streams[0]) and random.getstate() == streams[1]
    assert np.array_equal(np.random.get_state()[1], streams[2])
    assert done.confirmed["faster"].holds and done.confirmed["faster"].changed < 0.9 * done.confirmed["faster"].without
    assert not done.confirmed["slower"].holds and "every step" in done.confirmed["unseen"].note
    assert done.confirmed["faster"].without == done.confirmed["slower"].without, "both saw the same batches"
    assert "borne out" in done.confirmed["faster"].text(faster) and "against" in done.confirmed["slower"].text(slower)
    assert done.as_json()[0]["confirmed"]["holds"] is True


def test_a_run_without_a_step_or_cut_short_is_said(trained: Path, capsys) -> None:
    log = trained / "log.jsonl"
    data = log.read_bytes()
    log.write_bytes(data[: len(data) * 2 // 3])
    assert command(["diagnose", str(trained)]) in (0, 3) and "the log ends early" in capsys.readouterr().err
    log.write_bytes(data.split(b"\n")[0] + b"\n")
    with pytest.raises(UserError, match="nothing to judge"):
        babysit.diagnose(trained)
    with pytest.raises(UserError, match="no run here"):
        babysit.diagnose(trained / "nowhere")


def test_a_diagnosis_is_told_when_it_comes_and_when_it_becomes_worse(trained: Path) -> None:
    said: list[str] = []

    class Ear:
        def say(self, text: str) -> None:
            said.append(text)

    course = iter(
        [[], [found("note")], [found("warn")], [found("stop"), found("note", rule="b")], [found("note", rule="b")]]
    )
    run = Run(trained)
    verdicts = Verdicts(run, Ear(), lambda log, known: next(course))  # type: ignore[arg-type]
    for _ in range(5):
        verdicts.look(RunLog(), Known())
    assert [one.split(" ")[0] for one in said] == ["WARN", "", "STOP", ""], (
        "its claim, its advice; notes wait for the end"
    )
    assert not stops(verdicts.diagnoses, RunLog()) and not any("\n" in one for one in said)
    kept = [json.loads(line) for line in run.diagnoses.read_text(encoding="utf-8").splitlines()]
    assert [one["rule"] for one in kept] == ["b"], "what no longer holds is not kept"


def test_the_report_marks_where_a_diagnosis_began(trained: Path) -> None:
    write_diagnoses(Run(trained), [found("stop"), found("note", rule="quiet", since=5)])
    page = babysit.report(trained).read_text(encoding="utf-8")
    assert page.count('class="mark strong"') == 2, "on the curves of loss and accuracy; a note is not drawn"
    assert "It is &lt;b&gt;so&lt;/b&gt;." in page and "<b>so</b>" not in page and 'data-x="20"' in page
    (trained / "diagnoses.jsonl").write_text("{", encoding="utf-8")
    assert "diagnoses.jsonl cannot be read" in babysit.report(trained).read_text(encoding="utf-8")


def test_probes_off_changes_no_bit_of_the_training(tmp_path: Path) -> None:
    settings = {"train.steps": 30, "train.precision": "float32", "train.threads": 1}
    logs = []
    for name, probes in (("on", True), ("off", False)):
        more = {"watch.every": 3, "watch.slice": 40, "watch.slice_every": 1} if probes else {"watch.probes": False}
        babysit.train("digits", out=tmp_path / name, settings={**settings, **more})
        logs.append(read_log(tmp_path / name / "log.jsonl"))
    weights = [
        (tmp_path / name / "checkpoints" / "step-000030" / "weights.safetensors").read_bytes() for name in ("on", "off")
    ]
    assert weights[0] == weights[1]
    on, off = logs
    for quantity in ("loss", "accuracy", "penalty", "validation_loss"):
        assert on.series(quantity).values.tolist() == off.series(quantity).values.tolist()
    assert on.wheres("update_ratio") and len(on.series("slice_loss")) and on.wheres("recall") and on.of("start")
    assert not off.of("layers") and not off.of("start") and not off.wheres("gradient_norm")
    assert list((tmp_path / "on" / "arrays").glob("step-*.safetensors"))


def test_a_rule_that_fails_ends_the_judging_and_not_the_training() -> None:
    calls, said = [], []

    def judge(log: RunLog, known: Known) -> list[Diagnosis]:
        calls.append(log)
        if len(calls) == 2:
            raise ValueError("math domain error")
        return [found("warn")]

    guarded = careful(judge, said.append)
    answers = [guarded(RunLog(), Known()) for _ in range(4)]
    assert [len(one) for one in answers] == [1, 0, 0, 0] and len(calls) == 2
    assert len(said) == 1 and "math domain error" in said[0] and "babysit diagnose" in said[0]
