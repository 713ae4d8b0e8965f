"""The look at where the first update went: at copies, so that nobody's training notices."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import babysit
from babysit.record.log import read_log


@pytest.mark.parametrize("normalised", [False, True])
def test_a_closure_that_tells_between_its_forward_and_its_backward_pass_is_left_whole(
    normalised: bool, tmp_path: Path
) -> None:
    """The look at the first update's direction falls between the two: what backward() kept must not be written over."""
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4) if normalised else nn.Identity(), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(144, 3))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, maximize=True)
    x, y = torch.randn(12, 1, 8, 8), torch.arange(12) % 3
    states = []
    for watched in (True, False):
        torch.manual_seed(0)
        for layer in model:
            getattr(layer, "reset_parameters", lambda: None)()
        watcher = babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) if watched else None
        for _ in range(3):

            def closure() -> torch.Tensor:
                optimizer.zero_grad()
                scores = model(x)
                loss = F.cross_entropy(scores, y)
                if watcher is not None:  # noqa: B023
                    watcher.step(loss=loss, outputs=scores, targets=y, inputs=x)  # noqa: B023
                loss.backward()
                return loss

            optimizer.step(closure)  # type: ignore[arg-type]
        if watcher is not None:
            watcher.close()
            log = read_log(tmp_path / "run/log.jsonl")
            cosines = [log.series("softmax_descent", where).values[0] for where in log.wheres("softmax_descent")]
            assert len(cosines) == 2 and max(cosines) < -0.99
        states.append([one.clone() for one in model.state_dict().values()])
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))


def test_a_network_that_needs_more_than_images_is_watched_without_a_look_at_its_direction(tmp_path: Path) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return self.layer(x) * scale

    model = Two()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = torch.randn(6, 4), torch.arange(6) % 3
    watcher = babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None)
    for _ in range(4):
        scores = model(x, torch.tensor(-1.0))
        loss = -F.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        watcher.step(loss=loss, outputs=scores, targets=y, inputs=x)
    watcher.close()
    assert not (tmp_path / "run/trouble.txt").exists()
    log = read_log(tmp_path / "run/log.jsonl")
    assert log.wheres("descent") and not log.wheres("softmax_descent")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_network_that_is_given_a_dictionary_is_watched_to_the_end(sign: int, tmp_path: Path) -> None:
    """Its images are told as they are, and it cannot be run on them: what would need that is left out."""

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            assert isinstance(batch, dict), "a batch is a dictionary"
            return self.layer(batch["images"])

    model = Named()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = torch.randn(12, 4), torch.arange(12) % 3
    with babysit.watch(model, optimizer, run=tmp_path / "run", say=lambda _: None) as watcher:
        for _ in range(3):
            for _ in range(3):
                scores = model({"images": x})
                loss = sign * F.cross_entropy(scores, y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                watcher.step(loss=loss, outputs=scores, targets=y, inputs=x)
            watcher.validation(outputs=scores.detach(), targets=y)
    assert not (tmp_path / "run/trouble.txt").exists()
    log = read_log(tmp_path / "run/log.jsonl")
    assert log.series("loss", kind="step").steps.tolist() == list(range(1, 10))
    assert len(log.series("validation_accuracy", kind="epoch")) == 3
    assert not log.wheres("slice_loss") and not log.wheres("softmax_descent")
