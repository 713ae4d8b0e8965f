"""Direction: where the first update led, whatever loss and optimiser made it; and whether the network bends at all."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from babysit.probes.context import ProbeContext, Slice, observed
from babysit.probes.hooks import as_it_was, training_mode_without_dropout
from babysit.probes.network import Network, scores_in
from babysit.probes.slices import bent_by
from babysit.probes.weights import some_of
from babysit.record.observation import Observation, key_of


def probe(context: ProbeContext) -> Iterator[Observation]:
    """Of each layer with weights, the cosine between what the first update took away and the softmax loss's own gradient.

    cos(W before - W after, dL/dW) with L the mean softmax loss of the first batch, as training normalises it and without
    dropout. Every loss that rewards the right class has a positive one; it is negative where a minus is one too many or
    missing, be it before the loss, in the gradients or in the optimiser. The gradient is that of the weights before the
    update: after one that was too large it may point anywhere. And `bending` (see `slices.bending`) of the same weights.

    The network is run on copies of its parameters and buffers: somebody's backward pass may be still to come, and would
    miss what it kept of them. Nothing is found of a single image, which normalisation refuses, nor of a network that
    images alone are not enough for.
    """
    network, part, names = context.network, context.slice, list(context.network.model.named_parameters())
    if part is None or len(names) != len(context.first) or sum(len(labels) for _, labels in part.plain) < 2:
        return
    copied = {name: one.requires_grad_() for (name, _), one in zip(names, context.first, strict=True)}
    held = copied | {name: one.clone() for name, one in network.model.named_buffers()}
    places = {id(one): name for name, one in names}
    layers = {one.name: copied[places[id(one.weight)]] for one in network.weighted if id(one.weight) in places}
    with as_it_was(network.model):
        try:
            gradients, bent = _looks(network, part, held, layers)
        except Exception:  # noqa: BLE001 - a network that is called in another way may say anything to images alone
            return
    values: dict[str, Tensor | float] = {} if bent is None else {"bending": bent}
    for one in network.weighted:
        before, gradient = context.before.get(one.name), gradients.get(one.name)
        if before is None or gradient is None or before.shape != gradient.shape:
            continue
        taken = before.float() - some_of(one.weight).float()
        values[key_of("softmax_descent", one.name)] = (taken * gradient).sum() / (taken.norm() * gradient.norm())
    yield from observed(context, values)


def _looks(
    network: Network, part: Slice, held: dict[str, Tensor], layers: dict[str, Tensor]
) -> tuple[dict[str, Tensor], Tensor | None]:
    """The gradient of the slice's mean loss by layer, as many weights as `weights.some_of` takes; and the bending.

    Arguments:
        held: values of all parameters and buffers by name, in whose place the network's own are.
        layers: those of the layers' weights among them, by layer.
    """
    images, labels = (torch.cat(parts) for parts in zip(*part.plain, strict=True))

    def scores(given: Tensor) -> Tensor:
        found = scores_in(torch.func.functional_call(network.model, held, (given,)))
        if found is None or found.shape != (len(given), part.classes):
            raise ValueError("these are no scores")
        return found.float()

    with torch.no_grad():
        network.model.eval()
        bent = bent_by(scores, images)
    with torch.enable_grad():
        training_mode_without_dropout(network.model)
        loss = part.loss(scores(images), labels)
        found = torch.autograd.grad(loss, list(layers.values()), allow_unused=True)
    made = zip(layers, found, strict=True)
    return {name: some_of(gradient).float() for name, gradient in made if gradient is not None}, bent
