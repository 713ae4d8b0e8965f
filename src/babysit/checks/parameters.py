"""The parameters of a network as they stand before training: copies of each other, not trained, not known, or dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from babysit.checks.images import WEIGHTED
from babysit.checks.outcome import Found
from babysit.checks.subject import Held, Subject, scores_of

SYMMETRIC = 1e-6
MOST_DROPPED = 0.95
ENOUGH, EVENLY = 400, 0.05
"""Weights from which on their distribution can be told, and how exactly it must be that of PyTorch's start."""


def setting_faults(subject: Subject, part: Held) -> list[Found]:
    """What the layers' settings and names show, and one forward pass."""
    looks = [_dropped(subject), _of_one(subject, part), _frozen(subject)]
    if subject.foreign:
        looks.append(_unregistered(subject, part))
    return [one for one in looks if one]


def _dropped(subject: Subject) -> Found | None:
    for name, layer in subject.model.named_modules():
        if isinstance(layer, _DropoutNd) and layer.p >= MOST_DROPPED:
            said = f"{name} drops {layer.p:.0%} of its inputs."
            advice = "nn.Dropout takes the share that is dropped, not the share that is kept: usually 0.1 to 0.5"
            return Found("dropout-too-strong", said, advice, {"drop_probability": layer.p})
    return None


def _of_one(subject: Subject, part: Held) -> Found | None:
    """Batch normalisation over a batch of one image."""
    sizes = subject.loading.sizes
    norms = [name for name, layer in subject.model.named_modules() if isinstance(layer, _BatchNorm)]
    if 1 not in sizes or not norms:
        return None
    advice = "Use batches of 8 images or more, or nn.GroupNorm; drop_last=True leaves out a last batch of one"
    evidence = {"batch_images": 1.0}
    if max(sizes) == 1:
        said = f"Every batch is one image, and {names_of(norms)} normalise over the batch."
        return Found("batch-norm-of-one", said, advice, evidence)
    try:
        with torch.no_grad():
            subject.fresh().train()(part.images[:1])
    except Exception as error:  # noqa: BLE001 - whatever the user's network raises
        said = f"One of the {len(sizes)} batches has a single image, and the network fails on it: {str(error).splitlines()[0]}."
        return Found("batch-norm-of-one", said, advice, evidence)
    return None


def _unregistered(subject: Subject, part: Held) -> Found | None:
    """Tensors that want a gradient and lead to the scores, but that `model.parameters()` does not name."""
    model = subject.fresh().train()
    known = {id(one) for one in model.parameters()}
    scores = scores_of(model, part.images)
    unknown = [one for one in leaves(scores) if id(one) not in known]
    if not unknown:
        return None
    shapes = ", ".join(str(tuple(one.shape)) for one in unknown[:4]) + (", ..." if len(unknown) > 4 else "")
    said = f"{len(unknown)} weights of shape {shapes} lead to the scores, but model.parameters() does not name them: no optimiser trains them."
    advice = "Keep layers in nn.ModuleList or nn.ModuleDict in place of a list or dict, and tensors as nn.Parameter"
    return Found("unregistered-weights", said, advice, {"parameters": float(len(unknown))})


def leaves(output: Tensor) -> list[Tensor]:
    """The tensors that want a gradient and from which autograd knows the output to be made."""
    found: list[Tensor] = []
    seen: set[object] = set()
    left = [output.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if (leaf := getattr(node, "variable", None)) is not None:
            found.append(leaf)
        left.extend(before for before, _ in node.next_functions)
    return found


def _frozen(subject: Subject) -> Found | None:
    """Weights that are not trained and stand where PyTorch put them."""
    if subject.recipe.init.fixed:
        return None
    random = [
        name
        for name, layer in subject.model.named_modules()
        if isinstance(layer, WEIGHTED) and not layer.weight.requires_grad and as_drawn(layer.weight)
    ]
    if not random:
        return None
    said = f"The weights of {names_of(random)} are not trained, and stand where PyTorch drew them at random."
    advice = "Set requires_grad=True, or load trained weights into them"
    return Found("frozen-at-random", said, advice, {"parameters": float(len(random))})


def as_drawn(weight: Tensor) -> bool:
    """Whether weights are spread as PyTorch's layers draw them: evenly from -1 / sqrt(inputs) to 1 / sqrt(inputs).

    >>> as_drawn(nn.Linear(64, 64).weight), as_drawn(torch.randn(64, 64) / 12)
    (True, False)
    """
    if weight.numel() < ENOUGH:
        return False
    share = weight.detach().double().flatten() * weight[0].numel() ** 0.5
    middle = float(share.square().mean())
    return float(share.abs().max()) <= 1.0001 and abs(3 * middle - 1) < EVENLY + 3 / weight.numel() ** 0.5


def copies(named: Mapping[str, Tensor], model: nn.Module) -> list[str]:
    """Weights whose units are all the same."""
    return [name for name, one in named.items() if _copies(one, name, model)]


def _copies(weight: Tensor, name: str, model: nn.Module) -> bool:
    owner = model.get_submodule(name.rpartition(".")[0])
    if not isinstance(owner, WEIGHTED) or len(weight) < 2 or weight[0].numel() < 2:
        return False
    rows = weight.detach().flatten(1)
    return float((rows - rows[:1]).abs().max()) <= SYMMETRIC * float(rows.abs().max())


def names_of(names: Iterable[str]) -> str:
    """Up to four names, and how many more."""
    found = sorted(names)
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
