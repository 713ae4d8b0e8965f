"""Direction: whether the first update took the network towards its labels, whatever loss and optimiser made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, Slice, observed
from babysit.probes.hooks import as_it_was, training_mode_without_dropout
from babysit.probes.network import Network, scores_in
from babysit.probes.weights import some_of
from babysit.record.observation import Observation, key_of


def probe(context: ProbeContext) -> Iterator[Observation]:
    """Of each layer with weights, the cosine between what the first update took away and the softmax loss's own gradient.

    cos(W before - W after, dL/dW) with L the mean softmax loss of the first batch, as training normalises it and without
    dropout. Every loss that rewards the right class has a positive one; it is negative where a minus is one too many or
    missing, be it before the loss, in the gradients or in the optimiser. The gradient is that of the weights before the
    update: after one that was too large it may point anywhere.
    """
    if context.slice is None or not context.first:
        return
    gradients = softmax_gradients(context.network, context.slice, context.first)
    values: dict[str, Tensor | float] = {}
    for one in context.network.weighted:
        before, gradient = context.before.get(one.name), gradients.get(one.name)
        if before is None or gradient is None or before.shape != gradient.shape:
            continue
        taken = before.float() - some_of(one.weight).float()
        values[key_of("softmax_descent", one.name)] = (taken * gradient).sum() / (taken.norm() * gradient.norm())
    yield from observed(context, values)


def softmax_gradients(network: Network, part: Slice, parameters: Sequence[Tensor]) -> dict[str, Tensor]:
    """The gradient of the slice's mean loss by layer at other parameters, as many weights as `weights.some_of` takes.

    The network is run on copies of its parameters and buffers: somebody's backward pass may be still to come, and would
    miss what it kept of them. None of a single image, which normalisation refuses, nor of a network that images alone
    are not enough for.
    """
    images, labels = (torch.cat(parts) for parts in zip(*part.plain, strict=True))
    names = {id(one): name for name, one in network.model.named_parameters()}
    if len(labels) < 2 or len(names) != len(parameters):
        return {}
    held = {name: one.requires_grad_() for name, one in zip(names.values(), parameters, strict=True)}
    buffers = {name: one.clone() for name, one in network.model.named_buffers()}
    with as_it_was(network.model), torch.enable_grad():
        training_mode_without_dropout(network.model)
        try:
            scores = scores_in(torch.func.functional_call(network.model, held | buffers, (images,)))
        except (TypeError, ValueError, RuntimeError):  # somebody's network is called in another way
            return {}
        if scores is None or scores.shape != (len(labels), part.classes):
            return {}
        layers = [(one.name, held[names[id(one.weight)]]) for one in network.weighted if id(one.weight) in names]
        loss = part.loss(scores.float(), labels)
        found = torch.autograd.grad(loss, [weight for _, weight in layers], allow_unused=True)
    made = zip(layers, found, strict=True)
    return {name: some_of(gradient).float() for (name, _), gradient in made if gradient is not None}
