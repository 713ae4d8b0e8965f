"""Last: one training of the last part, described by what is chosen in it. It is built as one from outside is, from networks and data of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from anew.setups import _scheduler
from apart.setups import Apart
from data import Images
from fresh.networks import Form
from held.setups import ENDS, Ended
from last.images import images
from last.networks import network, trained_trunk
from outside.blocks import Always
from outside.networks import Network
from outside.pixels import labelled, prepared, valid_labels
from outside.setups import Outside, Pictures, Ready, _asked_optimizer, _listed, _loader, _loss, initialise


@dataclass(frozen=True)
class Last(Apart):
    """What is chosen, as in the part that is apart. `style` is one of `last.loops`, the rest as in the part from outside."""


def build(setup: Last, seed: int) -> Ready:
    """A training from its description."""
    if setup.network == "finetuned":
        trained_trunk()
    torch.manual_seed(seed)
    asked = Outside(**asdict(setup))
    generator = np.random.default_rng([seed, 47])
    found = labelled(setup.labels, setup.keep, images(setup.data), generator)
    net = _net(setup, found)
    optimizer = _asked_optimizer(asked, net)
    y = torch.from_numpy(found.train_labels)
    loader = _loader(asked, prepared(setup.inputs, found, found.train), y, found.classes)
    vx = prepared(setup.valid_inputs or setup.inputs, found, found.valid)
    vy = torch.from_numpy(valid_labels(setup.valid_labels, found))
    count = setup.valid_keep or len(vy)
    held = Pictures(vx[:count], vy[:count])
    valid = DataLoader(held, batch_size=None, sampler=BatchSampler(SequentialSampler(held), 100, drop_last=False))
    each = len(loader) // setup.accumulate if setup.per == "batch" else 1
    scheduler = _scheduler(setup.schedule, optimizer, setup.rate * setup.times, max(1, setup.epochs * each))
    model: nn.Module = Ended(net, ENDS[setup.fault]()) if setup.fault in ENDS else net
    counts = torch.bincount(y, minlength=found.classes).clamp(min=1).float()
    return Ready(model, [optimizer], scheduler, _loss(asked, counts), loader, valid, asked, found.classes)


def _net(setup: Last, found: Images) -> Network:
    _, channels, height, across = found.train.shape
    fault, _, amount = setup.fault.partition(":")
    form = Form(
        channels, height, across, found.classes, setup.wide, setup.activation, setup.norm, setup.norm_momentum,
        setup.dropout, setup.depth, fault == "detached",
    )  # fmt: skip
    net = network(setup.network, form)
    if setup.network == "finetuned" and setup.init != "fresh":
        net.get_submodule("trunk").load_state_dict(trained_trunk())
    if fault == "dropped-always":  # F.dropout, which is not told whether it trains
        net.dropout = Always(float(amount))  # type: ignore[assignment]
    if fault == "pictures-dropped":
        net.register_forward_pre_hook(lambda one, x: (F.dropout(x[0], float(amount), one.training),))
    initialise(net, setup.init)
    if fault == "in-a-list":
        _listed(net, int(amount))
    for place, (name, one) in enumerate(net.named_parameters()):  # the first so many, or all but the last layer's
        held = place < int(amount) if fault == "first-frozen" else setup.freeze and not name.startswith(net.last + ".")
        one.requires_grad = not held
    return net
