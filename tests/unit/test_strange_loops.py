"""The watcher in loops as strangers write them: closures, scalers, compilers, closed terminals, wrong arguments."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import babysit
from babysit.record.log import read_log

CLASSES = 4


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, CLASSES))


def batches(count: int):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        labels = torch.randint(0, CLASSES, (16,), generator=generator)
        yield torch.randn(16, 3, 8, 8, generator=generator) + labels[:, None, None, None], labels


def bits(model: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


class Nobody:
    def step(self, **given: object) -> None:
        del given


def usual(w, model, optimizer, count: int = 8) -> None:
    for x, y in batches(count):
        outputs = model(x)
        loss = F.cross_entropy(outputs, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        w.step(loss=loss, outputs=outputs, targets=y, inputs=x)


def both(loop, tmp_path: Path, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.05)):
    """The loop without and with the watcher: the same bits; its log, and what was said."""
    plain, watched, said = net(), net(), []
    loop(Nobody(), plain, optimizer(plain))
    made = optimizer(watched)
    with babysit.watch(watched, made, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        loop(w, watched, made)
    assert bits(plain) == bits(watched)
    assert not (tmp_path / "run/trouble.txt").exists()
    return read_log(tmp_path / "run/log.jsonl"), said


def test_a_closure_that_is_called_many_times_makes_one_update(tmp_path: Path) -> None:
    def loop(w, model, optimizer) -> None:
        for x, y in batches(6):
            kept = {}

            def closure():
                optimizer.zero_grad()
                kept["outputs"] = model(x)  # noqa: B023
                loss = F.cross_entropy(kept["outputs"], y)  # noqa: B023
                loss.backward()
                return loss

            w.step(loss=optimizer.step(closure), outputs=kept["outputs"], targets=y, inputs=x)

    log, said = both(loop, tmp_path, lambda model: torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4))
    assert log.series("loss", kind="step").steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert log.series("update_ratio", "0").values.min() > 0
    assert any("6 updates watched" in one for one in said)
    assert any("not looked at, since the optimiser calls it itself (a closure), many" in one for one in said)


@pytest.mark.parametrize("told_inside", [False, True])
def test_layers_are_looked_at_where_a_closure_is_called_once_an_update(told_inside: bool, tmp_path: Path) -> None:
    """As Lightning's automatic optimisation does."""

    def loop(w, model, optimizer) -> None:
        for x, y in batches(20):
            kept = {}

            def closure():
                outputs = model(x)  # noqa: B023
                loss = kept["loss"] = F.cross_entropy(outputs, y)  # noqa: B023
                kept["outputs"] = outputs  # noqa: B023
                if told_inside:
                    w.step(loss=loss, outputs=outputs, targets=y, inputs=x)  # noqa: B023
                optimizer.zero_grad()
                loss.backward()
                return loss

            optimizer.step(closure)
            if not told_inside:
                w.step(loss=kept["loss"], outputs=kept["outputs"], targets=y, inputs=x)

    log, said = both(loop, tmp_path, lambda model: torch.optim.SGD(model.parameters(), lr=0.1))
    assert log.series("loss", kind="step").steps.tolist() == list(range(1, 21))
    for quantity in ("update_ratio", "activation_deviation"):
        assert log.series(quantity, "0", kind="layers").steps.tolist()[:4] == [1, 2, 4, 8], quantity
    assert not any("not looked at" in one for one in said)


def test_a_batch_that_a_scaler_leaves_out_is_no_update_and_no_alarm(tmp_path: Path) -> None:
    def loop(w, model, optimizer) -> None:
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)  # type: ignore[attr-defined]
        for number, (x, y) in enumerate(batches(12)):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                outputs = model(x)
                loss = F.cross_entropy(outputs, y) * (math.inf if number == 5 else 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            w.step(loss=loss, outputs=outputs, targets=y, inputs=x)

    log, said = both(loop, tmp_path)
    losses = log.series("loss", kind="step")
    assert losses.steps.tolist() == list(range(1, 12))
    assert all(map(math.isfinite, losses.values)) and not any("STOP" in one for one in said)


def test_a_network_compiled_after_the_watcher_came_is_not_compiled_again_and_again(tmp_path: Path) -> None:
    count = 0

    def backend(graph, _inputs):
        nonlocal count
        count += 1
        return graph

    torch._dynamo.reset()
    model, said = net(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with babysit.watch(model, optimizer, classes=CLASSES, run=tmp_path / "run", say=said.append) as w:
        usual(w, torch.compile(model, backend=backend), optimizer, 40)
    plain = net()
    usual(Nobody(), plain, torch.optim.SGD(plain.parameters(), lr=0.05), 40)
    assert bits(plain) == bits(model) and 1 <= count <= 2
    assert sum("it is compiled, or not called as model(inputs)" in one for one in said) == 1
    log = read_log(tmp_path / "run/log.jsonl")
    assert len(log.of("step")) == 40 and log.wheres("update_ratio") == ["0", "3"]


def test_nobody_listens_any_more(tmp_path: Path) -> None:
    def closed(_text: str) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=closed) as w:
        w.step(loss="much")
        usual(w, model, optimizer)
    assert len(read_log(tmp_path / "run/log.jsonl").of("step")) == 8


@pytest.mark.parametrize(
    ("model", "optimizer", "said"),
    [
        (None, "sgd", "what is to be watched is a NoneType, not a torch.nn.Module"),
        (net(), None, "the optimiser is a NoneType"),
        (net(), "sgd", "the optimiser is a str"),
        (net(), [], "there is no optimiser"),
        (net(), [torch.optim.SGD(net().parameters(), lr=0.1), None], "the optimiser is a NoneType"),
    ],
)
def test_what_cannot_be_watched_is_said_and_the_training_goes_on(model, optimizer, said: str, tmp_path: Path) -> None:
    told: list[str] = []
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=told.append) as w:
        w.step(loss=torch.tensor(1.0))
        w.validation(loss=1.0)
    assert len(told) == 1 and told[0].startswith(
        f"babysit: the watcher has switched itself off, your training goes on: {said}"
    )
    assert "Error" not in told[0] and w.run is None and not w.stop


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"classes": "ten"}, "classes='ten' is not a number of classes"),
        ({"classes": 0}, "classes=0 is not a number of classes"),
        ({"names": "abcd"}, "names= is not a list of the classes' names"),
        ({"names": ["a", "b"]}, "names= has 2 names for 4 classes"),
        ({"names": ["a", "b"], "classes": 4}, "names= has 2 names, and classes=4 was given"),
    ],
)
def test_what_can_be_done_without_is_left_out(given, said: str, tmp_path: Path) -> None:
    told: list[str] = []
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=told.append, **given) as w:
        usual(w, model, optimizer)
        x, y = next(batches(1))
        w.validation(outputs=model(x).detach(), targets=y)
    assert sum(said in one for one in told) == 1 and not (tmp_path / "run/trouble.txt").exists()
    assert len(read_log(tmp_path / "run/log.jsonl").series("validation_accuracy")) == 1


def test_a_place_below_a_file_is_said_in_the_words_of_a_loop(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    told: list[str] = []
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with babysit.watch(model, optimizer, run=tmp_path / "file/run", say=told.append) as w:
        usual(w, model, optimizer)
    assert len(told) == 1 and told[0].endswith("(Not a directory). Name a place that you may write to: run=...")
    plain = net()
    usual(Nobody(), plain, torch.optim.SGD(plain.parameters(), lr=0.05))
    assert bits(plain) == bits(model)


def test_no_place_at_all_is_the_usual_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = net()
    with babysit.watch(model, torch.optim.SGD(model.parameters(), lr=0.05), run="", say=lambda _: None) as w:
        assert w.run == Path("runs/watched")


def cleared(how: str):
    """A loop that clears its gradients in one of the ways there are, or never."""

    def loop(w, model, optimizer) -> None:
        for index, (x, y) in enumerate(batches(24)):
            if how == "before, to zero":
                optimizer.zero_grad(set_to_none=False)
            outputs = model(x)
            loss = F.cross_entropy(outputs, y)
            for parameter in model.parameters():
                if how == "behind the back of autograd" and parameter.grad is not None:
                    parameter.grad.data.zero_()
                if how == "one by one":
                    parameter.grad = None
            if how == "put in place":
                parameters = list(model.parameters())
                for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                    parameter.grad = gradient
            else:
                (loss / 2).backward()
            if how != "every second" or index % 2:
                optimizer.step()
                w.step(loss=loss, outputs=outputs, targets=y, inputs=x)
                if how in ("afterwards", "every second"):
                    optimizer.zero_grad()
            else:
                w.step(loss=loss, outputs=outputs, targets=y, inputs=x)

    return loop


WAYS = ("before, to zero", "behind the back of autograd", "one by one", "afterwards", "every second", "put in place")


@pytest.mark.parametrize("how", WAYS)
def test_gradients_cleared_in_any_way_are_no_fault(how: str, tmp_path: Path) -> None:
    _, said = both(cleared(how), tmp_path)
    assert not [one for one in said if "never cleared" in one]
    assert json.loads((tmp_path / "run/manifest.json").read_text())["known"].get("uncleared", 0) == 0


def test_gradients_that_are_never_cleared_are_seen_where_they_stand(tmp_path: Path) -> None:
    slow = lambda model: torch.optim.SGD(model.parameters(), lr=1e-4)  # noqa: E731 - nothing blows up
    _, said = both(cleared("never"), tmp_path, slow)
    assert any("never cleared: 100% of the 23 updates after the first one" in one for one in said)
    assert json.loads((tmp_path / "run/manifest.json").read_text())["known"]["uncleared"] == 1
