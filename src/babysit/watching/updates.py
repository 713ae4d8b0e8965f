"""Updates: when optimisers step, by their own hooks, wherever that stands in a loop."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class Updates:
    """Tells of every step of some optimisers; while it is `resting` it only notes that one `stepped`, and at which `rate`.

    `why_unseen` for what reason the network may not be seen to run.
    `inside` a step that computes the gradients itself, by a closure; `again` while that is called for a second time and
    more, and `many` whether that has ever been.

    Arguments:
        before: called once before the first of them steps, with what the gradients are scaled by.
        after: called after each.
    """

    def __init__(
        self, optimizers: Sequence[Optimizer], before: Callable[[float | Tensor], None], after: Callable[[], None]
    ) -> None:
        self.optimizers = tuple(optimizers)
        self._before, self._after = before, after
        self.resting = self.stepped = self.inside = self.again = self.many = False
        self.rate = math.nan
        self.why_unseen = "it is compiled, or not called as model(inputs)"
        self._handles: list[Any] = []

    def open(self) -> None:
        """Puts the hooks in place."""
        for one in self.optimizers:
            self._handles.append(one.register_step_pre_hook(self._pre))
            self._handles.append(one.register_step_post_hook(self._post))

    def close(self) -> None:
        """Takes the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _pre(self, optimizer: Optimizer, arguments: Any, keywords: Any) -> Any:  # noqa: ANN401 - a hook's signature
        """Where a closure computes the gradients, they are there when it has returned, so it is followed by the telling."""
        if self.resting:
            if not self.stepped:
                self.stepped, self.rate = True, rate_of(self.optimizers)
            return None
        place = 1 if len(arguments) > 1 else "closure"
        closure = arguments[1] if len(arguments) > 1 else keywords.get("closure")
        if closure is None:
            self._tell(optimizer)
            return None

        self.inside, calls = True, itertools.count(1)

        def followed() -> object:
            self.again = next(calls) > 1
            if self.again:
                self.many, self.why_unseen = True, "the optimiser calls it itself (a closure), many times an update"
            loss = closure()
            self._tell(optimizer)
            return loss

        if place == 1:
            return (arguments[0], followed, *arguments[2:]), keywords
        return arguments, {**keywords, "closure": followed}

    def _tell(self, optimizer: Optimizer) -> None:
        # A fused optimiser is handed scaled gradients together with their scale; others get them unscaled.
        scale = getattr(optimizer, "grad_scale", None)
        self._before(scale if isinstance(scale, (Tensor, float)) else 1.0)

    def _post(self, optimizer: Optimizer, arguments: object, keywords: object) -> None:  # noqa: ARG002
        self.inside = self.again = False
        if not self.resting:
            self._after()


def rate_of(optimizers: Sequence[Optimizer]) -> float:
    """The largest learning rate that any parameter has now."""
    if (
        len(optimizers) == 1 and len(groups := optimizers[0].param_groups) == 1
    ):  # the usual case, at a third of the time
        rate = groups[0].get("lr")
        if type(rate) is float:
            return rate
    rates = [group.get("lr") for one in optimizers for group in one.param_groups]
    return max((float(rate) for rate in rates if isinstance(rate, (int, float, Tensor))), default=math.nan)


@torch.no_grad()
def penalty_norm(optimizers: Sequence[Optimizer]) -> float:
    """The norm of the weight decay's pull on the weights: sqrt(sum over groups of (decay ||W||)²)."""
    squares = 0.0
    for group in (group for one in optimizers for group in one.param_groups):
        decay = float(group.get("weight_decay") or 0.0)
        if decay:
            squares += decay**2 * sum(float(one.detach().float().square().sum()) for one in group["params"])
    return math.sqrt(squares)


KINDS = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw", "NAdam": "nadam", "RMSprop": "rmsprop", "Adagrad": "adagrad"}
DECOUPLED = ("AdamW", "Muon", "Lion")


def settings_of(optimizers: Sequence[Optimizer]) -> dict[str, Any]:
    """What the first optimiser says of itself, in the words of `Known`.

    >>> layer = torch.nn.Linear(1, 1)
    >>> settings_of([torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)])
    {'learning_rate': 0.1, 'optimizer_kind': 'momentum', 'momentum': 0.9, 'l2': 0.01, 'decay': 0.0}
    """
    first = optimizers[0]
    group, name = first.param_groups[0], type(first).__name__
    momentum = float(group.get("momentum") or (group.get("betas") or (0.0,))[0])
    kind = KINDS.get(name, name.lower())
    if kind == "sgd" and momentum:
        kind = "nesterov" if group.get("nesterov") else "momentum"
    decay = max(float(one.get("weight_decay") or 0.0) for one in first.param_groups)
    apart = name in DECOUPLED or bool(group.get("decoupled_weight_decay"))
    return {
        "learning_rate": rate_of(optimizers),
        "optimizer_kind": kind,
        "momentum": momentum,
        "l2": 0.0 if apart else decay,
        "decay": decay if apart else 0.0,
    }
