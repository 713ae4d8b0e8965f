"""Passes as one launch: with a recording that is none, on a processor, a training comes to the same bits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from made_sessions import started
from torch import Tensor

from babysit import api, checkpoint
from babysit.device import choose_device, set_streams, streams
from babysit.probes.meter import Meter
from babysit.show import Silent
from babysit.training import passes
from babysit.training.loop import StepDone, train
from babysit.training.passes import AFTER, Passes
from babysit.training.session import Session

FAST = {"model.name": "quick", "model.width": 16, "train.precision": "float32", "train.threads": 1, "data.size": 16}


class Recorded:
    """Keeps what it would play, and the memory that a play writes to; runs it again each time."""

    made: list[Recorded]
    session: Session

    def __init__(self, run: Callable[[], Tensor], beside: Recorded | None = None) -> None:
        assert beside is None or beside in self.made
        model = self.session.model
        kept = {name: value.clone() for name, value in model.named_buffers()}
        stream = streams(self.session.device)
        self.run, self.result, self.plays = run, run(), 0
        # A recording is not carried out: nothing has changed by it.
        set_streams(stream, self.session.device)
        for name, value in model.named_buffers():
            value.copy_(kept[name])
        self.static = [(one, one.grad) for one in model.parameters() if one.grad is not None]
        self.made.append(self)

    def play(self) -> Tensor:
        self.plays += 1
        for one, _ in self.static:
            one.grad = torch.full_like(one, float("nan"))  # what a play leaves is not what happens to be there
        self.result.copy_(self.run())
        for one, static in self.static:
            assert one.grad is not None
            static.copy_(one.grad)
            one.grad = None
        return self.result


def trained(
    monkeypatch, *, recorded: bool, meter: bool = False, recording: type | None = Recorded
) -> tuple[list[StepDone], dict[str, bytes]]:
    """A training of some steps at growing sides, with dropout; its events and its weights."""
    session, _ = started(
        {**FAST, "train.epochs": 4, "train.progressive": 0.5, "regularize.dropout": 0.2, "regularize.dropout_at": "all"}
    )
    Recorded.made, Recorded.session = [], session
    if recording:
        monkeypatch.setattr(passes, "Recording", recording)
    begin = Passes.__init__

    def beginning(self: Passes, session: Session) -> None:
        begin(self, session)
        assert self.recordable == (session.device.type != "cpu"), "a processor needs none"
        self.recordable = recorded

    monkeypatch.setattr(Passes, "__init__", beginning)
    if meter:
        session.meter = Meter(session.model, 7)
        session.meter.arm()
    events = []
    for event in train(session):
        if isinstance(event, StepDone):
            events.append(event)
            if session.meter:
                assert session.meter.take().layers or event.step % 7
                session.meter.arm()
    weights = {name: value.cpu().numpy().tobytes() for name, value in session.model.state_dict().items()}
    return events, weights


@pytest.mark.parametrize("meter", [False, True])
def test_a_recorded_training_is_the_plain_one_to_the_bit(monkeypatch, meter) -> None:
    with monkeypatch.context() as patch:
        plain = trained(patch, recorded=False, meter=meter)
    assert trained(monkeypatch, recorded=True, meter=meter) == plain
    plays = [one.plays for one in Recorded.made]
    assert len(plays) > 1, "each side of the images has its own"
    looked = sum(one.step % 7 == 0 for one in plain[0]) if meter else 0
    assert len(plain[0]) - looked - (AFTER + 1) * 9 < sum(plays) < len(plain[0]) - looked


def test_what_cannot_be_recorded_goes_plainly(monkeypatch) -> None:
    with monkeypatch.context() as patch:
        plain = trained(patch, recorded=False)

    def refusing(run: Callable[[], Tensor], beside: object = None) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(Recorded, "__init__", lambda self, run, beside=None: refusing(run))
    assert trained(monkeypatch, recorded=True) == plain


def test_what_cannot_be_recorded_is_said_once_and_trains_all_the_same(monkeypatch, tmp_path, make_folder) -> None:
    folder = str(make_folder(tmp_path / "data", {"a": 40, "b": 40}))
    settings = {"train.epochs": 3, "optim.batch_size": 8, "train.precision": "float32", "train.threads": 1}
    api.train(folder, out=tmp_path / "plain", settings=settings)
    begin, made, tries, told = Passes.__init__, [], [], []

    def beginning(self: Passes, session: Session) -> None:
        begin(self, session)
        self.recordable = True
        made.append(self)

    def refusing(run: Callable[[], Tensor], beside: object = None) -> None:
        tries.append(run)
        raise RuntimeError("operation not permitted when stream is capturing.\nCompile with TORCH_USE_CUDA_DSA.")

    class Ear(Silent):
        def say(self, text: str) -> None:
            told.append(text)

    monkeypatch.setattr(Passes, "__init__", beginning)
    monkeypatch.setattr(passes, "Recording", refusing)
    api.train(folder, out=tmp_path / "run", settings=settings, show=Ear())
    (note,) = [one for one in told if one.startswith("Note: ")]
    assert note == (
        "Note: a step could not be recorded (operation not permitted when stream is capturing), so the accelerator is asked "
        "for one operation after the other: the results are the same, but small networks train at a half to a third of the speed."
    )
    assert 1 <= len(tries) <= len(made), "it is not tried again at each step"
    weights = [
        (checkpoint.steps(tmp_path / name / "checkpoints")[-1] / "weights.safetensors") for name in ("plain", "run")
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.skipif(choose_device().type == "cpu", reason="there is no accelerator")
@pytest.mark.parametrize("meter", [False, True])
def test_an_accelerators_recording_is_the_plain_training_to_the_bit(monkeypatch, meter) -> None:
    with monkeypatch.context() as patch:
        plain = trained(patch, recorded=False, meter=meter)
    assert trained(monkeypatch, recorded=True, meter=meter, recording=None) == plain
