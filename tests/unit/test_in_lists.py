"""Layers in plain lists, and loops without an update: what the watcher says of them."""

from __future__ import annotations

import torch
from torch import nn

import babysit
from babysit.watching.in_lists import listed_layers


class Blocks(nn.Module):
    """Two dense layers, of which the first is kept in a container of the given kind."""

    def __init__(self, container) -> None:
        super().__init__()
        self.blocks = container([nn.Linear(12, 8)])
        self.last = nn.Linear(8, 3)

    def forward(self, images):
        return self.last(torch.relu(next(iter(self.blocks))(images.flatten(1))))


class Taught(nn.Module):
    """A network with a teacher beside it, which it asks without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.teacher = [nn.Linear(12, 3)]
        self.last = nn.Linear(12, 3)

    def forward(self, images):
        with torch.no_grad():
            taught = self.teacher[0](images.flatten(1))
        return self.last(images.flatten(1)) + taught


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    labels = torch.arange(48) % 3
    return torch.randn(48, 1, 3, 4, generator=chance) + labels[:, None, None, None], labels


def listed(model: nn.Module) -> tuple[str, ...]:
    images, labels = batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    nn.functional.cross_entropy(model(images), labels).backward()
    return listed_layers(model, [optimizer])


def test_a_list_a_tuple_and_a_dictionary_hide_layers_and_a_module_list_does_not() -> None:
    assert listed(Blocks(list)) == ("blocks",) and listed(Blocks(tuple)) == ("blocks",)
    assert listed(nn.Sequential(Blocks(list))) == ("0.blocks",)
    assert not listed(Blocks(nn.ModuleList)) and not listed(Taught())
    mapped = Blocks(list)
    mapped.blocks = {"first": mapped.blocks[0]}
    mapped.forward = lambda images: mapped.last(torch.relu(mapped.blocks["first"](images.flatten(1))))
    assert listed(mapped) == ("blocks",)


def test_layers_that_an_optimiser_was_given_by_hand_are_trained() -> None:
    model, (images, labels) = Blocks(list), batch()
    by_hand = torch.optim.SGD([*model.parameters(), *model.blocks[0].parameters()], 0.1)
    nn.functional.cross_entropy(model(images), labels).backward()
    assert not listed_layers(model, [by_hand])


def watched(model: nn.Module, run, *, steps: bool = True) -> list[str]:
    images, labels = batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with babysit.watch(model, optimizer, classes=3, run=run) as watcher:
        for _ in range(4):
            for _ in range(20):
                optimizer.zero_grad()
                scores = model(images)
                loss = nn.functional.cross_entropy(scores, labels)
                loss.backward()
                if steps:
                    optimizer.step()
                watcher.step(loss=loss, outputs=scores, targets=labels, inputs=images)
            watcher.validation(loss=float(loss.detach()), accuracy=float((scores.argmax(1) == labels).float().mean()))
        return [f"{one.severity} {one.claim}" for one in watcher.diagnoses]


def test_a_loop_is_told_of_layers_in_a_list(tmp_path) -> None:
    (first, *_) = watched(Blocks(list), tmp_path / "run")
    assert first.startswith(
        "warn The layers in blocks are never trained: they stand in a plain list, tuple or dictionary"
    )


def test_a_loop_that_never_steps_is_told_so_and_one_that_does_is_not(tmp_path) -> None:
    told = watched(Blocks(nn.ModuleList), tmp_path / "still", steps=False)
    assert told[0].startswith("warn The network was never updated: ") and "4 epochs are over" in told[0]
    assert not any("never updated" in one for one in watched(Blocks(nn.ModuleList), tmp_path / "moving"))
