"""What a loop gives the watcher: made into numbers, or said once why it cannot be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from babysit.probes.network import scores_in

Say = Callable[[str], None]


@dataclass
class Once:
    """Says each thing once."""

    say: Say
    _said: set[str] = field(default_factory=set)

    def __call__(self, topic: str, text: str) -> None:
        """Says `text` unless something was said of the topic before."""
        if topic not in self._said:
            self._said.add(topic)
            self.say(text)

    def told(self, topic: str) -> bool:
        """Whether something was said of it."""
        return topic in self._said


@dataclass(frozen=True, slots=True)
class Given:
    """One batch as it was given, every part checked; None for what was not given or cannot be used.

    `images` how many, where nothing else is kept of it; `numbers` its loss and its accuracy, the share of outputs whose largest score is the target's, as far as there are any.

    Shape:
        `outputs` (n, classes); `targets` (n,) class indices; `loss` a single number.
    """

    loss: Tensor | None = None
    outputs: Tensor | None = None
    targets: Tensor | None = None
    inputs: Tensor | None = None
    numbers: Mapping[str, float | Tensor] = field(default_factory=dict)
    images: int | None = None

    @property
    def count(self) -> int | None:
        """Examples in it, if anything says so."""
        if self.images is not None:
            return self.images
        one = next((part for part in (self.targets, self.outputs, self.inputs) if part is not None), None)
        return None if one is None else len(one)


def read(loss: object, outputs: object, targets: object, inputs: object, *, classes: int | None, once: Once) -> Given:
    """Checks what was given; what does not fit is said once and left out."""
    scores, labels = _outputs_and_targets(outputs, targets, classes, once)
    images = inputs.detach() if isinstance(inputs, Tensor) and inputs.numel() else None
    if images is not None and labels is not None and len(images) != len(labels):
        once("inputs", f"{len(images)} inputs and {len(labels)} targets do not fit; the inputs are left out")
        images = None
    value, numbers = number(loss, once), {}
    if value is not None:
        numbers["loss"] = plain(value)
    if scores is not None and labels is not None:
        numbers["accuracy"] = plain((scores.argmax(dim=1) == labels).sum()) / len(labels)
    return Given(value, scores, labels, images, numbers)


def plain(value: Tensor) -> float | Tensor:
    """A number on a processor, where to read it costs nothing; elsewhere a tensor still, so that nobody waits for it."""
    return value.item() if value.device.type == "cpu" else value.double()


def glanced(loss: object) -> float | Tensor | None:
    """A loss with as little work as can be: a number on a processor; elsewhere a tensor that nobody waits for.

    >>> glanced(torch.tensor(2.0, requires_grad=True)), glanced(0.5), glanced("much")
    (2.0, 0.5, None)
    """
    if isinstance(loss, Tensor):
        if loss.numel() != 1 or loss.is_complex():
            return None
        return float(loss.item()) if loss.device.type == "cpu" else loss.detach().reshape(())
    return float(loss) if isinstance(loss, (int, float)) else None


def number(loss: object, once: Once) -> Tensor | None:
    """A loss as one detached number."""
    if loss is None:
        return None
    if isinstance(loss, (int, float)):
        return torch.tensor(float(loss), dtype=torch.float64)
    if not isinstance(loss, Tensor) or loss.is_complex():
        once("loss", f"the loss is a {type(loss).__name__}, not a number; it is left out")
        return None
    if not loss.numel():
        once("loss", "the loss is an empty tensor; it is left out")
        return None
    if not loss.requires_grad and torch.is_grad_enabled():
        once(
            "detached",
            "the loss given to step() is cut off from the network (detached, or computed under no_grad). If it is what you "
            "call backward() on, nothing is learned; its value is watched all the same",
        )
    if loss.numel() > 1:
        once("many losses", f"the loss has {loss.numel()} values, not one; their mean is watched")
        return loss.detach().float().mean()
    return loss.detach().reshape(())


def _outputs_and_targets(
    outputs: object, targets: object, classes: int | None, once: Once
) -> tuple[Tensor | None, Tensor | None]:
    scores = scores_in(outputs)
    if outputs is not None and scores is None:
        once("outputs", f"the outputs are a {type(outputs).__name__} without scores; they are left out")
    labels = targets.detach() if isinstance(targets, Tensor) else None
    if targets is not None and labels is None:
        once("targets", f"the targets are a {type(targets).__name__}, not a tensor; they are left out")
    if scores is not None and (scores.ndim != 2 or not scores.numel() or not scores.is_floating_point()):
        once("outputs", f"outputs of shape {tuple(scores.shape)} are not (images, classes); they are left out")
        scores = None
    if scores is not None and classes is not None and scores.shape[1] != classes:
        once(
            "classes",
            f"the outputs have {scores.shape[1]} columns, and there are classes={classes}; they are watched as they are",
        )
    if labels is not None and labels.ndim == 2 and scores is not None and labels.shape == scores.shape:
        labels = labels.argmax(dim=1)  # shares of the classes: the commonest one
    if labels is not None and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels is not None and (labels.ndim != 1 or not labels.numel()):
        once("targets", f"targets of shape {tuple(labels.shape)} are not (images,) class numbers; they are left out")
        labels = None
    if scores is not None and labels is not None and len(scores) != len(labels):
        once(
            "fit",
            f"{len(scores)} outputs and {len(labels)} targets do not fit; accuracy is not watched for such batches",
        )
        return scores.detach(), None
    return None if scores is None else scores.detach(), labels


def mean_of(parts: Sequence[Given]) -> dict[str, float | Tensor]:
    """Loss and accuracy over the batches of one update, each counted by its examples; and how many batches, if not one.

    A batch whose loss is no number, followed by one whose loss is, had no update of its own: scalers of gradients leave
    such updates out. It is left out too.
    """
    if len(parts) > 1 and not _harmed(parts[-1]):
        parts = [one for one in parts if not _harmed(one)]
    if len(parts) == 1:
        return dict(parts[0].numbers)
    values: dict[str, float | Tensor] = {"batches": float(len(parts))} if parts else {}
    for name in ("loss", "accuracy"):
        known = [(part.numbers[name], part.count or 1) for part in parts if name in part.numbers]
        if known:
            values[name] = sum(value * count for value, count in known) / sum(count for _, count in known)
    return values


def _harmed(part: Given) -> bool:
    loss = part.numbers.get("loss")
    return isinstance(loss, float) and not math.isfinite(loss)
