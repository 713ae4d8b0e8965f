"""The watcher in somebody's own loop: any order, any kind of loop, the same bits, and never in the way."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import babysit
from babysit.cli.app import run as command
from babysit.diagnosing import RULES
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog, read_log
from babysit.record.observation import Observation
from babysit.watching.attach import Watch, asked_of
from babysit.watching.modes import MOST_PIECES, PIECE, Modes

CLASSES, BATCH = 4, 16


class Net(nn.Module):
    """As many write them: activation functions that are no layers, batch normalisation, dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.conv2, self.full = nn.Conv2d(8, 8, 3), nn.Linear(8 * 16, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.conv1(x)))
        x = F.relu(self.conv2(x)).flatten(1)
        return self.full(F.dropout(x, 0.3, self.training))


def data(count: int = 96, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    return torch.randn(count, 3, 8, 8, generator=generator) + labels[:, None, None, None], labels


def net() -> Net:
    torch.manual_seed(0)
    return Net()


def sgd(model: nn.Module, lr: float = 0.05) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-3)


Body = Callable[..., None]


def after(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    outputs = model(x)
    loss = F.cross_entropy(outputs, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)


def before(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    outputs = model(x)
    loss = F.cross_entropy(outputs, y)
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def between(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    optimizer.zero_grad()
    outputs = model(x)
    loss = F.cross_entropy(outputs, y)
    loss.backward()
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)
    optimizer.step()


def accumulated(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    outputs = model(x)
    loss = F.cross_entropy(outputs, y)
    (loss / 2).backward()
    if number % 2:
        optimizer.step()
        optimizer.zero_grad()
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)


def accumulated_before(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    outputs = model(x)
    loss = F.cross_entropy(outputs, y)
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)
    (loss / 2).backward()
    if number % 2:
        optimizer.step()
        optimizer.zero_grad()


def halved(w: Watch | None, model, optimizer, x, y, number: int) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        outputs = model(x)
        loss = F.cross_entropy(outputs, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if w:
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)


def train(body: Body, run: Path | None, *, epochs: int = 2, watcher: Watch | None = None, model=None, optimizer=None):
    """A whole training; the watcher is made for `run` unless it is given."""
    model = net() if model is None else model
    optimizer = sgd(model) if optimizer is None else optimizer
    torch.manual_seed(7)
    w = watcher or (babysit.watch(model, optimizer, classes=CLASSES, run=run, say=lambda _: None) if run else None)
    x, y = data()
    losses = []
    for _ in range(epochs):
        model.train()
        for number in range(6):
            part = slice(number * BATCH, (number + 1) * BATCH)
            body(w, model, optimizer, x[part], y[part], number)
        model.eval()
        with torch.no_grad():
            outputs = model(x)
        losses.append(float(F.cross_entropy(outputs, y)))
        if w:
            w.validation(outputs=outputs, targets=y)
    if w:
        w.close()
    return model, losses


def bits(model: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values()) + torch.rand(2).numpy().tobytes()


def log_of(run: Path) -> RunLog:
    assert not (run / "trouble.txt").exists(), (run / "trouble.txt").read_text()
    return read_log(run / "log.jsonl")


@pytest.mark.parametrize("body", [after, before, between, accumulated, accumulated_before, halved])
def test_the_same_bits_with_and_without_and_the_right_numbers_in_any_order(body: Body, tmp_path: Path) -> None:
    plain, losses = train(body, None)
    rest = bits(plain)
    watched, seen = train(body, tmp_path / "run")
    assert bits(watched) == rest and seen == losses
    log, updates = log_of(tmp_path / "run"), 6 if "accumulated" in body.__name__ else 12
    assert log.series("loss").steps.tolist() == list(range(1, updates + 1))
    # The numbers by hand: the loop again, with every loss and gradient written down.
    model = net()
    optimizer, x_y = sgd(model), data()
    expected, norms, group = [], [], []
    torch.manual_seed(7)
    for _ in range(2):
        model.train()
        for number in range(6):
            part = slice(number * BATCH, (number + 1) * BATCH)
            with torch.autocast("cpu", torch.bfloat16, enabled=body is halved):
                loss = F.cross_entropy(model(x_y[0][part]), x_y[1][part])
            (loss / (2 if updates == 6 else 1)).backward()
            group.append(float(loss.detach()))
            if updates == 12 or number % 2:
                norms.append(math.sqrt(sum(float((one.grad.double() ** 2).sum()) for one in model.parameters())))
                expected.append(float(np.mean(group)))
                group = []
                optimizer.step()
                optimizer.zero_grad()
        model.eval()
        with torch.no_grad():
            model(x_y[0])
    np.testing.assert_allclose(log.series("loss").values, expected, rtol=1e-6)
    assert log.series("batches").values.tolist() == ([2.0] * 6 if updates == 6 else [])
    given, softmax = log.series("loss_of_batch"), log.series("loss_by_form", "softmax")
    np.testing.assert_allclose(given.values, softmax.values, rtol=5e-3 if body is halved else 1e-6)
    assert (
        len(given) == 2
        and json.loads((tmp_path / "run/manifest.json").read_text())["known"]["planned_steps"] == updates
    )
    found = log.series("gradient_norm")
    np.testing.assert_allclose(found.values, np.array(norms)[found.steps - 1], rtol=1e-5)
    assert set(found.steps.tolist()) >= {1, 2, 4}
    assert log.series("learning_rate").values.tolist() == [0.05] * updates
    assert log.series("initial_loss").values[0] == pytest.approx(expected[0] if updates == 12 else 1.5, abs=1.0)
    assert log.series("validation_loss").values.tolist() == pytest.approx(losses, rel=1e-5)
    steps = log.series("update_ratio", "conv1").steps.tolist()
    assert steps[:4] == [step for step in (1, 2, 4, 8) if step <= updates] and log.wheres("update_ratio")[-1] == "full"


def test_functions_that_are_no_layers_are_seen(tmp_path: Path) -> None:
    model = net()
    assert model.conv2.bias is not None
    with torch.no_grad():
        model.conv2.bias.fill_(-100.0)
        model.conv2.bias[0] = 0.0
    train(after, tmp_path / "run", model=model, optimizer=sgd(model, 1e-6))
    log = log_of(tmp_path / "run")
    assert log.series("dead_share", "conv2").values.tolist()[:4] == [7 / 8] * 4, "a flattened channel is one unit still"
    assert log.series("dead_share", "conv1").values.max() == 0.0


@pytest.mark.parametrize("evaluating", [True, False])
def test_training_in_evaluation_mode_and_slow_statistics_are_known(evaluating: bool, tmp_path: Path) -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.01), nn.Flatten(), nn.Linear(4 * 36, CLASSES)
    )
    optimizer, (x, y) = sgd(model), data()
    with babysit.watch(model, optimizer, run=tmp_path / "run") as w:
        for _ in range(2):
            model.train(not evaluating)
            after(w, model, optimizer, x[:16], y[:16], 0)
            model.eval()
            model(x[16:32])  # a validation without no_grad
            w.validation(accuracy=0.5)
    known = json.loads((tmp_path / "run/manifest.json").read_text())["known"]
    assert known["norm_momentum"] == 0.01 and known["evaluating"] == float(evaluating)


def test_gradients_that_a_scaler_has_scaled_are_read_unscaled(tmp_path: Path) -> None:
    model, optimizer = net(), None
    optimizer = sgd(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    x, y = data(BATCH)
    norms = []
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as w:
        for number in range(4):
            outputs = model(x)
            loss = F.cross_entropy(outputs, y) * (math.inf if number == 2 else 1.0)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            norms.append(math.sqrt(sum(float((one.grad.double() ** 2).sum()) for one in model.parameters())))
            scaler.step(optimizer)
            scaler.update()
            w.step(loss=loss, outputs=outputs, targets=y)
    found = log_of(tmp_path / "run").series("gradient_norm")
    np.testing.assert_allclose(found.values, np.array([norms[0], norms[1], norms[3]])[found.steps - 1], rtol=1e-5)
    steps = log_of(tmp_path / "run").series("loss").steps.tolist()
    assert steps == [1, 2, 3] and found.steps.tolist()[:2] == [1, 2], "a step that the scaler skipped is none"


def test_several_optimisers_make_one_update(tmp_path: Path) -> None:
    def build() -> tuple[Net, list[torch.optim.Optimizer]]:
        model = net()
        convolutions = [*model.conv1.parameters(), *model.norm.parameters(), *model.conv2.parameters()]
        return model, [torch.optim.SGD(convolutions, lr=0.1), torch.optim.AdamW(model.full.parameters(), lr=0.01)]

    def step(w, model, optimizers, x, y, number: int) -> None:
        outputs = model(x)
        loss = F.cross_entropy(outputs, y)
        for one in optimizers:
            one.zero_grad()
        loss.backward()
        for one in optimizers:
            one.step()
        if w:
            w.step(loss=loss, outputs=outputs, targets=y)

    model, optimizers = build()
    rest = bits(train(step, None, model=model, optimizer=optimizers)[0])
    model, optimizers = build()
    assert bits(train(step, tmp_path / "run", model=model, optimizer=optimizers)[0]) == rest
    log = log_of(tmp_path / "run")
    assert len(log.of("step")) == 12 and log.series("learning_rate").values.max() == 0.1
    assert log.series("update_ratio", "full").values.min() > 0 and log.series("update_ratio", "conv1").values.min() > 0


def test_a_compiled_network_is_watched_without_its_layers_outputs(tmp_path: Path) -> None:
    said: list[str] = []
    model = net()
    compiled = torch.compile(model, backend="eager")
    w = babysit.watch(compiled, sgd(model), run=tmp_path / "run", say=said.append)
    train(after, None, watcher=w, model=compiled, optimizer=w._asked.optimizers[0])
    rest = bits(model)
    assert rest == bits(train(after, None)[0])
    log = log_of(tmp_path / "run")
    assert len(log.of("step")) == 12 and log.wheres("update_ratio") and not log.wheres("activation_mean")
    assert any("compiled" in one for one in said)


@pytest.mark.parametrize("number", range(11))
def test_bad_input_is_said_once_and_the_training_goes_on(number: int, tmp_path: Path) -> None:
    x, y = data(BATCH)
    wrong: list[tuple[str, dict[str, object]]] = [
        ("do not fit", {"outputs": torch.zeros(3, CLASSES), "targets": torch.zeros(2, dtype=torch.int64)}),
        ("not \\(images, classes\\)", {"outputs": torch.zeros(3, 4, 5, 5), "targets": y}),
        ("detached", {"loss": torch.tensor(1.0)}),
        ("5 values", {"loss": torch.ones(5, requires_grad=True)}),
        ("empty", {"loss": torch.ones(0)}),
        ("str, not a number", {"loss": "0.5"}),
        ("list, not a tensor", {"targets": [1, 2]}),
        ("run from -1", {"outputs": torch.zeros(2, CLASSES), "targets": torch.tensor([-1, 1])}),
        ("classes=4", {"outputs": torch.zeros(2, 7), "targets": torch.tensor([1, 1])}),
        ("inputs and .* targets", {"inputs": torch.zeros(3, 2), "targets": torch.tensor([1, 1])}),
        ("dict without scores", {"outputs": {"a": 1}}),
    ]
    message, given = wrong[number]
    said: list[str] = []
    model = net()
    optimizer = sgd(model)
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        for _ in range(3):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            w.step(**given)  # type: ignore[arg-type]
    import re

    assert sum(bool(re.search(message, one)) for one in said) == 1, said
    assert len(log_of(tmp_path / "run").of("step")) == 3


def test_a_step_called_twice_is_counted_once_and_said_once(tmp_path: Path, monkeypatch) -> None:
    short_steps(monkeypatch)
    said: list[str] = []
    model = net()
    optimizer = sgd(model)
    x, y = data(BATCH)
    losses = []
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=said.append) as w:
        for _ in range(60):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            w.step(loss=loss)
            w.step(loss=torch.tensor(0.25))
            losses.append(loss.item())
    found = log_of(tmp_path / "run")
    np.testing.assert_allclose(found.series("loss", kind="step").values, losses, rtol=1e-6)
    assert not len(found.series("batches"))
    assert sum("step() was called again without the network having run" in one for one in said) == 1


def test_a_loop_whose_optimiser_is_another_is_told_so_at_its_end(tmp_path: Path) -> None:
    said: list[str] = []
    model = net()
    x, y = data(BATCH)
    with babysit.watch(model, sgd(model), run=tmp_path / "run", say=said.append) as w:
        other = sgd(model)
        for number in range(7):
            after(w, model, other, x, y, number)
    assert sum("no update was seen in 7 calls of step(): is this the optimiser that steps?" in one for one in said) == 1


def test_a_network_that_changes_between_steps_is_watched_on(tmp_path: Path) -> None:
    said: list[str] = []
    model = net()
    optimizer = sgd(model)
    x, y = data(BATCH)
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=said.append) as w:
        for number in range(12):
            if number == 5:
                model.full = nn.Linear(8 * 16, CLASSES)
                optimizer.add_param_group({"params": model.full.parameters()})
            after(w, model, optimizer, x, y, 0)
    log = log_of(tmp_path / "run")
    assert sum("are others since" in one for one in said) == 1 and len(log.of("step")) == 12
    assert log.series("update_ratio", "full").steps.tolist()[-1] >= 8


def test_an_error_inside_is_said_once_and_switches_the_watcher_off(tmp_path: Path, monkeypatch) -> None:
    said: list[str] = []
    rest = bits(train(after, None)[0])
    model = net()
    optimizer = sgd(model)
    w = babysit.watch(model, optimizer, run=tmp_path / "run", say=said.append)
    calls = []

    def broken(*arguments: object) -> None:
        calls.append(1)
        if len(calls) > 3:
            raise RuntimeError("a fault of ours")

    monkeypatch.setattr("babysit.watching.loop.mean_of", lambda parts: broken() or {})
    assert bits(train(after, None, watcher=w, model=model, optimizer=optimizer)[0]) == rest
    off = [one for one in said if "switched itself off" in one]
    assert len(off) == 1 and "a fault of ours" in off[0] and len(calls) == 4
    assert "Traceback" in (tmp_path / "run" / "trouble.txt").read_text(encoding="utf-8")
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    assert not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks


def test_a_place_that_cannot_be_written_does_not_stop_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    said: list[str] = []
    model = net()
    w = babysit.watch(model, sgd(model), run=tmp_path / "file" / "run", say=said.append)
    train(after, None, watcher=w, model=model, optimizer=w._asked.optimizers[0])
    assert len(said) == 1 and "switched itself off" in said[0] and w.run is None and w.diagnoses == ()


def test_a_place_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine", encoding="utf-8")
    said: list[str] = []
    model = net()
    with babysit.watch(model, sgd(model), run=tmp_path / "run", say=said.append) as w:
        assert w.run == tmp_path / "run-2"
    assert [one.name for one in (tmp_path / "run").iterdir()] == ["mine.txt"] and "run-2" in said[0]


def test_an_exception_of_the_loop_goes_through_and_is_noted(tmp_path: Path) -> None:
    model = net()
    optimizer = sgd(model)
    x, y = data(BATCH)

    def loop() -> float:
        with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as w:
            after(w, model, optimizer, x, y, 0)
            return 1 / 0

    with pytest.raises(ZeroDivisionError):
        loop()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "ended by ZeroDivisionError" and manifest["steps"] == 1


def test_a_loss_that_is_not_a_number_says_stop_and_where_first(tmp_path: Path) -> None:
    said: list[str] = []
    model = net()
    optimizer = sgd(model)
    x, y = data(BATCH)
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        for number in range(6):
            if number == 3:
                with torch.no_grad():
                    model.conv2.weight[0, 0, 0, 0] = math.nan
            after(w, model, optimizer, x, y, 0)
            if w.stop:
                break
    assert number == 3 and w.diagnoses[0].rule == "not-a-number" and any("STOP" in one for one in said)
    log = log_of(tmp_path / "run")
    bad = next(row for row in log.of("layers") if row.step == 4)
    assert "activation_not_finite@conv1" in bad.values and bad.values["activation_not_finite@conv1"] == 0.0
    assert (
        bad.values["activation_not_finite@conv2"] == pytest.approx(1 / 8)
        and bad.values["gradient_not_finite@conv2"] > 0
    )
    assert command(["diagnose", str(tmp_path / "run"), "--quiet"]) == 3


def test_report_and_diagnose_read_such_a_run(tmp_path: Path, capsys) -> None:
    train(after, tmp_path / "run")
    assert command(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "A loop of your own" in page and "Confusion" not in page.split("<h2")[0] and "rule of thumb" in page
    assert command(["diagnose", str(tmp_path / "run"), "--json"]) in (0, 3)
    assert isinstance(json.loads(capsys.readouterr().out.splitlines()[-1]), list)
    model = net()
    optimizer = sgd(model)
    x, y = data(BATCH)
    with babysit.watch(model, optimizer, run=tmp_path / "bare", say=lambda _: None) as w:
        for _ in range(3):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            w.step()
    babysit.report(tmp_path / "bare")
    page = (tmp_path / "bare" / "report.html").read_text(encoding="utf-8")
    assert "No validation was told of" in page and "step(outputs=, targets=)" in page
    with babysit.watch(model, optimizer, run=tmp_path / "empty", say=lambda _: None):
        pass
    assert command(["diagnose", str(tmp_path / "empty")]) == 1 and "nothing to judge" in capsys.readouterr().err
    assert command(["report", str(tmp_path / "empty")]) == 1


def test_a_rule_is_told_once_while_it_stands(tmp_path: Path) -> None:
    said: list[str] = []
    model = net()
    optimizer = sgd(model)
    looks = []

    def judge(log: RunLog, known) -> list[Diagnosis]:
        looks.append(len(log.rows))
        weight = "warn" if len(looks) < 3 else "stop"
        evidence = (Observation("loss", 1.0, 1, 0),)
        return [Diagnosis("made-up", weight, "It is so.", evidence, 0.9, "Set it", 1, "x", code="it()")]

    w = Watch(asked_of(model, optimizer, classes=CLASSES, run=tmp_path / "run"), judge, said.append)
    train(after, None, watcher=w, model=model, optimizer=optimizer, epochs=3)
    told = [one for one in said if "It is so" in one]
    assert [one.split()[1] for one in told] == ["WARN", "STOP"] and w.stop and "it()" in told[0]


def test_every_rule_can_read_a_log_of_such_a_loop(tmp_path: Path) -> None:
    train(after, tmp_path / "run", epochs=3)
    log = log_of(tmp_path / "run")
    from babysit.api.rejudging import known_from
    from babysit.record.run import Run

    run = Run(tmp_path / "run")
    known = known_from(run, run.read_manifest())
    assert known.optimizer_kind == "momentum" and known.l2 == 1e-3 and known.classes == CLASSES and not known.has_recipe
    assert known.loss_kind == "softmax" and known.training_images == 96 and known.validation_images == 96
    for rule in RULES.values():
        list(rule(log, known))


WORKER = """
import sys, torch, torch.distributed as dist
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import test_watching as t
import torch.nn.functional as F
import babysit
rank, folder, watched = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "watched"
dist.init_process_group("gloo", init_method=f"file://{folder}/meet-{watched}", rank=rank, world_size=2)
model = torch.nn.parallel.DistributedDataParallel(t.net())
optimizer = t.sgd(model)
x, y = t.data(96, seed=rank)
w = babysit.watch(model, optimizer, classes=4, run=folder / "run", say=print) if watched else None
torch.manual_seed(rank)
for epoch in range(2):
    for number in range(6):
        part = slice(number * 16, (number + 1) * 16)
        t.after(w, model, optimizer, x[part], y[part], number)
    if w:
        w.validation(loss=1.0, accuracy=0.5)
if w:
    assert not w.stop
    w.close()
torch.save({name: value for name, value in model.module.state_dict().items()}, folder / f"{rank}-{watched}.pt")
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_train_as_without_and_one_writes(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "worker.py").write_text(WORKER, encoding="utf-8")
    here = str(Path(__file__).parent)
    for mode in ("plain", "watched"):
        processes = [
            subprocess.Popen([sys.executable, tmp_path / "worker.py", str(rank), str(tmp_path), mode, here])
            for rank in range(2)
        ]
        assert [one.wait(timeout=120) for one in processes] == [0, 0]
    for rank in range(2):
        plain, watched = (torch.load(tmp_path / f"{rank}-{mode}.pt") for mode in (False, True))
        assert all(torch.equal(plain[name], watched[name]) for name in plain)
    log = log_of(tmp_path / "run")
    assert len(log.of("step")) == 12 and len(log.of("epoch")) == 2
    assert log.wheres("update_ratio") == ["conv1", "conv2", "full"] and "conv1" in log.wheres("activation_mean")


def short_steps(monkeypatch) -> None:
    """A loop of 60 updates is treated as a long one of short steps: 20 early ones, then every tenth."""
    monkeypatch.setattr("babysit.watching.thinning.EARLY", 20)
    monkeypatch.setattr("babysit.watching.thinning.GAPS", (10,))
    monkeypatch.setattr("babysit.watching.thinning.LADDER", (10,))
    monkeypatch.setattr("babysit.watching.thinning.thinned", lambda step, every: step <= 20 or step % 20 == 0)
    monkeypatch.setattr("babysit.probes.meter.thinned", lambda step, every: step <= 20 or step % 20 == 0)


@pytest.mark.parametrize("body", [after, before, between, accumulated, accumulated_before])
def test_of_a_long_loop_most_updates_are_passed_over(body: Body, tmp_path: Path, monkeypatch) -> None:
    epochs = 20 if "accumulated" in body.__name__ else 10
    plain, losses = train(body, None, epochs=epochs)
    rest = bits(plain)
    whole, _ = train(body, tmp_path / "whole", epochs=epochs)
    assert bits(whole) == rest
    short_steps(monkeypatch)
    watched, seen = train(body, tmp_path / "run", epochs=epochs)
    assert bits(watched) == rest and seen == losses
    every, some = log_of(tmp_path / "whole"), log_of(tmp_path / "run")
    for name in ("loss", "learning_rate"):  # of every update, and of the right one
        assert some.series(name, kind="step").steps.tolist() == list(range(1, 61))
        np.testing.assert_allclose(some.series(name).values, every.series(name).values, rtol=1e-6)
    for name in ("accuracy", "gradient_norm"):
        here, there = some.series(name, kind="step"), every.series(name, kind="step")
        assert set(range(1, 16)) < {*here.steps.tolist(), *there.steps.tolist()} and len(here) < 36
        both = np.intersect1d(here.steps, there.steps)
        assert both[-1] > 35
        np.testing.assert_allclose(
            here.values[np.isin(here.steps, both)], there.values[np.isin(there.steps, both)], rtol=1e-6
        )
    assert {40, 60} <= set(some.series("update_ratio", "conv1").steps.tolist())
    assert {40, 60} <= set(some.series("activation_mean", "conv1").steps.tolist())
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(some.series(name).values, every.series(name).values, rtol=1e-6)
    counts = [json.loads((tmp_path / one / "manifest.json").read_text()) for one in ("run", "whole")]
    assert counts[0]["steps"] == counts[1]["steps"] == 60
    assert counts[0]["known"]["steps_per_epoch"] == counts[1]["known"]["steps_per_epoch"]
    assert counts[0]["known"]["class_counts"] == counts[1]["known"]["class_counts"]


@pytest.mark.parametrize("body", [after, before])
def test_a_loss_that_grows_ends_the_passing_over(body: Body, tmp_path: Path, monkeypatch) -> None:
    short_steps(monkeypatch)
    model = net()
    optimizer = sgd(model)
    said: list[str] = []
    x, y = data()
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        for number in range(40):
            body(w, model, optimizer, x[:BATCH] * (math.nan if number == 32 else 1.0), y[:BATCH], number)
            if number == 33:
                assert w.stop
    log = log_of(tmp_path / "run")
    assert log.series("loss").steps[np.isnan(log.series("loss").values)].tolist() == list(range(33, 41))
    assert log.series("accuracy").steps.tolist()[-8:] == list(range(33, 41))
    assert any(one.startswith("babysit: STOP since step 33: The loss is nan since step 33") for one in said)


@pytest.mark.parametrize("body", [after, before, accumulated, accumulated_before])
def test_while_it_rests_each_update_has_its_own_rate_and_an_alarm_counts_from_where_it_is(
    body: Body, tmp_path: Path, monkeypatch
) -> None:
    short_steps(monkeypatch)
    monkeypatch.setattr("babysit.watching.thinning.WARY", 4)
    monkeypatch.setattr("babysit.watching.thinning.GAPS", (30,))
    many = 2 if "accumulated" in body.__name__ else 1
    model = net()
    optimizer = sgd(model)
    x, y = data()
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=lambda _: None) as w:
        for number in range(60 * many):
            optimizer.param_groups[0]["lr"] = 0.05 / (1 + number // many)
            wrong = number // many == 35
            body(w, model, optimizer, x[:BATCH], (y[:BATCH] + wrong) % CLASSES, number)
    log = log_of(tmp_path / "run")
    rates, losses = log.series("learning_rate", kind="step"), log.series("loss", kind="step")
    np.testing.assert_allclose(rates.values, 0.05 / rates.steps, rtol=1e-12)
    assert losses.steps.tolist() == list(range(1, 61)) and losses.values.argmax() == 35
    looked = set(log.series("accuracy", kind="step").steps.tolist())
    assert {36, 37, 38, 39} <= looked and not {27, 30, 33, 35} & looked


@pytest.mark.parametrize("body", [after, before])
def test_updates_that_never_come_are_said_while_it_rests_too(body: Body, tmp_path: Path, monkeypatch) -> None:
    short_steps(monkeypatch)
    monkeypatch.setattr("babysit.watching.resting.MOST", 120)
    model = net()
    optimizer, other = sgd(model), sgd(model)
    said: list[str] = []
    x, y = data()
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        for number in range(150):
            body(w, model, optimizer if number < 23 else other, x[:BATCH], y[:BATCH], number)
    assert sum("no update was seen in 1" in one for one in said) == 1
    assert log_of(tmp_path / "run").series("loss", kind="step").steps.tolist() == list(range(1, 24))


def test_while_it_passes_over_nothing_of_it_is_in_the_network(tmp_path: Path, monkeypatch) -> None:
    short_steps(monkeypatch)
    model = net()
    optimizer = sgd(model)
    x, y = data()
    hooks = []
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=lambda _: None) as w:
        for number in range(60):
            hooks.append(sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules()))
            after(w, model, optimizer, x[:BATCH], y[:BATCH], number)
    assert min(hooks[:20]) >= 2 and hooks[20:].count(0) > 20 and hooks[39] == max(hooks)


def test_copies_of_a_watched_network_are_free_of_the_watcher(tmp_path: Path) -> None:
    """The best weights kept by deepcopy, a mean of the weights, a file of the whole network: all usual."""
    model = net()
    optimizer = sgd(model)
    x, y = data()
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=lambda _: None) as w:
        after(w, model, optimizer, x[:BATCH], y[:BATCH], 0)
        copied = copy.deepcopy(model)
        torch.save(model, tmp_path / "whole.pt")
        torch.save(optimizer, tmp_path / "optimizer.pt")
        for number in range(1, 4):
            copied(x[:BATCH])  # in training mode, between the updates: it is no forward pass of the watched network
            after(w, model, optimizer, x[:BATCH], y[:BATCH], number)
    assert b"babysit" not in (tmp_path / "whole.pt").read_bytes()
    read = torch.load(tmp_path / "whole.pt", weights_only=False)
    for one in (copied, read):
        assert torch.isfinite(one(x)).all()
    log = log_of(tmp_path / "run")
    assert log.series("loss").steps.tolist() == [1, 2, 3, 4]
    assert log.series("update_ratio", "conv1").steps.tolist() == [1, 2, 4]


@pytest.mark.parametrize("mode", ["evaluation", "training"])
def test_the_images_a_loop_validates_on_are_seen_where_the_network_runs_without_gradients(
    mode: str, tmp_path: Path
) -> None:
    model = net()
    optimizer, (x, y) = sgd(model), data()
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as w:
        for _ in range(2):
            model.train()
            after(w, model, optimizer, x[:16], y[:16], 0)
            model.train(mode == "training")
            with torch.no_grad():
                for start in range(0, 64, 16):
                    model(3 * x[start : start + 16] + 5)
            w.validation(accuracy=0.5)
    log = log_of(tmp_path / "run")
    shown = 3 * x[:64].double() + 5
    for name, wanted in (("input_mean", shown.mean()), ("input_deviation", shown.std(correction=0))):
        assert log.series(name, kind="epoch").values == pytest.approx([float(wanted)] * 2, rel=1e-3)
    known = json.loads((tmp_path / "run/manifest.json").read_text())["known"]
    assert (known["validated_training"], known["evaluating"]) == (float(mode == "training"), 0.0)


def test_a_pass_without_gradients_in_the_middle_of_training_is_no_validation(tmp_path: Path) -> None:
    model = net()
    optimizer, (x, y) = sgd(model), data()
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as w:
        for _ in range(3):
            with torch.no_grad():
                model(100 * x)
            after(w, model, optimizer, x[:16], y[:16], 0)
        w.validation(accuracy=0.5, inputs=x)
        after(w, model, optimizer, x[:16], y[:16], 0)
        w.validation(accuracy=0.5)
    seen = log_of(tmp_path / "run").series("input_deviation", kind="epoch").values
    assert seen == pytest.approx([float(x.std())], rel=1e-2), (
        "what was given counts, and the second was not seen at all"
    )


def test_of_many_passes_without_gradients_pieces_that_lie_evenly_are_kept() -> None:
    modes = Modes()
    for number in range(40):
        modes.evaluated((torch.full((50, 1, 4, 4), float(number)),), training=False)
    images = modes.validated(None)
    assert images is not None and len(images) <= MOST_PIECES * PIECE
    numbers = sorted({float(one) for one in images[:, 0, 0, 0]})
    assert len(numbers) >= MOST_PIECES // 2 and numbers[0] < 10 and numbers[-1] > 30
    modes.evaluated((torch.zeros(2, 1, 4, 4),), training=False)
    modes.evaluated((torch.zeros(2, 1, 5, 5),), training=False)
    modes.evaluated(("text",), training=False)
    assert modes.validated(None) is None, "images of two shapes have no mean that means anything"


def test_a_network_that_leaves_something_to_chance_in_evaluation_wavers(tmp_path: Path) -> None:
    class Shaky(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.inner(F.dropout(images, 0.5))

    wavering = {}
    for name, model in (("shaky", Shaky()), ("sound", net())):
        train(after, tmp_path / name, model=model, optimizer=sgd(model))
        wavering[name] = log_of(tmp_path / name).series("slice_wavering", kind="epoch").values
    assert wavering["shaky"].min() > 0.01 and wavering["sound"].max() < 1e-6


def test_updates_with_a_closure_are_not_taken_for_updates_in_evaluation_mode(tmp_path: Path) -> None:
    model = net()
    optimizer, (x, y) = sgd(model), data()
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as w:
        for _ in range(3):
            model.train()
            for start in range(0, 96, BATCH):

                def closure(place: slice = slice(start, start + BATCH)) -> torch.Tensor:
                    outputs = model(x[place])
                    loss = F.cross_entropy(outputs, y[place])
                    w.step(loss=loss, outputs=outputs, targets=y[place], inputs=x[place])
                    optimizer.zero_grad()
                    loss.backward()
                    return loss

                optimizer.step(closure)  # type: ignore[arg-type]
            model.eval()
            with torch.no_grad():
                w.validation(outputs=model(x), targets=y)
    known = json.loads((tmp_path / "run/manifest.json").read_text())["known"]
    assert (known["evaluating"], known["validated_training"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("optimizer", "least"), [("sgd", 0.99), ("momentum", 0.99), ("adam", 0.3), ("rmsprop", 0.3), ("adamw", 0.3)]
)
@pytest.mark.parametrize("uphill", [False, True])
@pytest.mark.parametrize("body", [before, after])
def test_the_first_update_is_told_to_go_down_the_gradient_or_up(
    body: Body, optimizer: str, least: float, uphill: bool, tmp_path: Path
) -> None:
    model = net()
    made = {
        "sgd": lambda p: torch.optim.SGD(p, 0.01, maximize=uphill),
        "momentum": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True, maximize=uphill),
        "adam": lambda p: torch.optim.Adam(p, 1e-3, maximize=uphill),
        "rmsprop": lambda p: torch.optim.RMSprop(p, 1e-3, maximize=uphill),
        "adamw": lambda p: torch.optim.AdamW(p, 1e-3, weight_decay=0.05, maximize=uphill),
    }[optimizer](model.parameters())
    train(body, tmp_path / "run", model=model, optimizer=made, epochs=5)
    log = log_of(tmp_path / "run")
    for quantity, bound in (("descent", least), ("softmax_descent", 0.6 * least)):  # dropout is left out of the second
        first = [log.series(quantity, where, kind="layers") for where in log.wheres(quantity)]
        assert len(first) == 3 and all(len(one) == 1 and one.steps[0] == 1 for one in first)
        assert (np.array([one.values[0] for one in first]) * (-1 if uphill else 1)).min() > bound, quantity
    known = Known.from_json(json.loads((tmp_path / "run/manifest.json").read_text())["known"])
    said = [one.severity for one in RULES["wrong-sign"](log, known) if "is climbed" in one.claim]
    assert said == (["stop"] if uphill else [])
