"""Optimisers: functions (parameter groups, settings) -> torch.optim.Optimizer.

A group's `weight_decay` is the lambda of the L2 penalty: lambda W is added to the gradient g before anything else.
Decoupled decay is not an optimiser's business here; `regularizers.shrink` does it, the same for all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import torch
from torch import Tensor

from babysit.optim.muon import Muon
from babysit.recipe.schema import OptimPart
from babysit.tables import Table

Groups = list[dict[str, object]]
Make = Callable[[Groups, OptimPart], torch.optim.Optimizer]
Kind = TypeVar("Kind", bound=torch.optim.Optimizer)

UNSET_RATE = 1.0
"""The learning rate optimisers are made with: the schedule sets the true one before each step."""


def uncompiled(kind: type[Kind]) -> type[Kind]:
    """The same optimiser without the decorators that only keep it out of PyTorch's compiler.

    They import the compiler to say so: 1.3 seconds of a start and 70 MB, measured, for programs that compile nothing.
    """
    kept = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
    bare: dict[str, object] = {name: inspect.unwrap(getattr(kind, name)) for name in kept}
    bare["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return cast(type[Kind], type(kind.__name__, (kind,), bare))


SGD = uncompiled(torch.optim.SGD)
Adagrad = uncompiled(torch.optim.Adagrad)
RMSprop = uncompiled(torch.optim.RMSprop)
Adam = uncompiled(torch.optim.Adam)
LightMuon = uncompiled(Muon)


def sgd(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:  # noqa: ARG001 - one signature for all
    """Gradient descent: W <- W - lr g. Momentum is not used."""
    return SGD(groups, lr=UNSET_RATE, fused=True)


def with_momentum(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """v <- momentum v + g; W <- W - lr v (Polyak, 1964)."""
    return SGD(groups, lr=UNSET_RATE, momentum=part.momentum, fused=True)


def nesterov(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """v <- momentum v + g; W <- W - lr (g + momentum v) (Sutskever et al., ICML 2013, in PyTorch's form).

    With no momentum it is plain gradient descent.
    """
    ahead = part.momentum > 0
    return SGD(groups, lr=UNSET_RATE, momentum=part.momentum, nesterov=ahead, fused=True)


def adagrad(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """s <- s + g²; W <- W - lr g / (sqrt(s) + epsilon), epsilon 1e-10 unless given (Duchi et al., JMLR 2011)."""
    given = [one for group in groups for one in cast(Iterable[Tensor], group["params"])]
    on_processor = all(one.device.type == "cpu" for one in given)  # PyTorch has one fused step of it, for processors
    return Adagrad(groups, lr=UNSET_RATE, eps=part.epsilon or 1e-10, fused=on_processor or None)


def rmsprop(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """s <- beta2 s + (1 - beta2) g²; v <- momentum v + g / (sqrt(s) + epsilon); W <- W - lr v.

    beta2 is 0.99 and epsilon 1e-8 unless given (Tieleman and Hinton, Coursera lecture 6.5, 2012).
    """
    return RMSprop(
        groups,
        lr=UNSET_RATE,
        alpha=_or(part.beta2, 0.99),
        eps=part.epsilon or 1e-8,
        momentum=part.momentum,
        foreach=True,
    )


def adam(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """m <- momentum m + (1 - momentum) g; s <- beta2 s + (1 - beta2) g²; W <- W - lr m' / (sqrt(s') + epsilon).

    m' and s' are m and s over (1 - momentum^t) and (1 - beta2^t); beta2 is 0.999 and epsilon 1e-8 unless given
    (Kingma and Ba, ICLR 2015).
    """
    betas = (part.momentum, _or(part.beta2, 0.999))
    return Adam(groups, lr=UNSET_RATE, betas=betas, eps=part.epsilon or 1e-8, fused=True)


def adamw(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """Adam as it is used with decoupled decay (Loshchilov and Hutter, ICLR 2019).

    The same steps as `adam`. By rule `regularize.decay` takes the place of `regularize.l2` with it.
    """
    return adam(groups, part)


def muon(groups: Groups, part: OptimPart) -> torch.optim.Optimizer:
    """Orthogonalised momentum for filters (four axes) and hidden matrices, Adam for all else (formulas in `Muon`).

    The last matrix is the classifier, which is Adam's; beta2 is 0.999 and epsilon 1e-8 unless given.
    """
    given = [list(cast(Iterable[Tensor], group["params"])) for group in groups]
    matrices = [one for some in given for one in some if one.ndim == 2]
    split: Groups = []
    for group, some in zip(groups, given, strict=True):
        hidden = [one for one in some if one.ndim == 4 or any(one is other for other in matrices[:-1])]
        inside = {id(one) for one in hidden}
        others = [one for one in some if id(one) not in inside]
        split += [{**group, "params": hidden, "orthogonal": True}] if hidden else []
        split += [{**group, "params": others, "orthogonal": False}] if others else []
    beta2, epsilon = _or(part.beta2, 0.999), part.epsilon or 1e-8
    return LightMuon(split, lr=UNSET_RATE, momentum=part.momentum, beta2=beta2, epsilon=epsilon)


OPTIMIZERS: Table[Make] = Table(
    "optimiser",
    {
        "sgd": sgd,
        "momentum": with_momentum,
        "nesterov": nesterov,
        "adagrad": adagrad,
        "rmsprop": rmsprop,
        "adam": adam,
        "adamw": adamw,
        "muon": muon,
    },
)

USUAL_RATES = {"sgd": 3.0, "adagrad": 0.01, "rmsprop": 0.0005, "adam": 0.002, "adamw": 0.002, "muon": 0.002}
"""The peak rate of one-cycle at batch 256 where it is not the 0.3 of gradient descent with momentum."""

ADAPTIVE = frozenset({"adagrad", "rmsprop", "adam", "adamw", "muon"})
"""Those that divide by the gradient's own scale."""


def _or(value: float | None, usual: float) -> float:
    return usual if value is None else value
