"""Surgery: what a recipe changes in a network that is already built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from babysit.errors import UserError
from babysit.layers.dropout import InvertedDropout, PaperDropout
from babysit.layers.local import LocallyConnected2d
from babysit.recipe.schema import RegularizePart
from babysit.tables import nearest

FORMS: dict[str, Callable[[float], nn.Module]] = {"inverted": InvertedDropout, "paper": PaperDropout}

CHILD = "input_dropout"
"""What the dropout in front of a layer is called inside that layer."""

AUXILIARY = "aux"
"""What the names of auxiliary heads begin with."""

SHOWN = 12


def set_dropout(network: nn.Module, drop_probability: float, *, at: str = "full", form: str = "inverted") -> list[str]:
    """Makes dropout of one probability all the dropout that a network has; returns the names of the layers that got it.

    A network's own dropout layers belong to its full layers: with `full` and `all` they are set, and no others are put
    before full layers. Elsewhere dropout stands before a layer, so that it drops that layer's inputs. Own dropout layers
    that are not chosen are switched off. Parameters keep their names, so weights fit with and without dropout.

    Arguments:
        network: changed in place; any module.
        drop_probability: from 0 (off) to below 1.
        at: `full` (full layers), `conv` (convolutions and locally connected layers), `all`, or names of layers, as in
            `fc7,fc8`. The first layer with weights sees the image itself, which is dropped only where it is named.
        form: `inverted` (scaled in training) or `paper` (scaled in prediction).

    Raises:
        UserError: when the network has no such layer, or the probability is not legal.

    >>> network = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> set_dropout(network, 0.5)
    ['2']

    Source: Srivastava et al. 2014, "Dropout", section 4.
    """
    make = FORMS[form]
    own = [name for name, layer in network.named_modules() if is_dropout(layer) and not name.endswith(CHILD)]
    chosen = _chosen(network, own, at)
    if not chosen and drop_probability:
        raise UserError(f"there is no layer for dropout at '{at}'", legal="names: " + _legal(network, own))
    for name in own:
        _replace(network, name, make(drop_probability if name in chosen else 0.0))
    for name in chosen:
        if name not in own:
            _put_before(network.get_submodule(name), make(drop_probability))
    return chosen


def with_dropout(network: nn.Module, part: RegularizePart) -> nn.Module:
    """The network with the dropout a recipe asks for; as it came when the recipe asks for none.

    Raises:
        UserError: as `set_dropout`.
    """
    if part.dropout is not None:
        set_dropout(network, part.dropout, at=part.dropout_at or "full", form=part.dropout_form)
    return network


def enlarging(network: nn.Module, times: int) -> nn.Module:
    """Enlarges images on their way into a network, between pixels in proportion (bilinear); parameters keep their names.

    Arguments:
        network: changed in place and returned.
        times: at least 1, of each side.

    Shape:
        (n, channels, height, width) to what the network makes of (n, channels, times height, times width).

    >>> import torch
    >>> enlarging(nn.Identity(), 3)(torch.zeros(1, 3, 8, 8)).shape
    torch.Size([1, 3, 24, 24])
    """
    if times > 1:
        network.register_forward_pre_hook(Enlarge(times))
    return network


@dataclass(frozen=True, slots=True)
class Enlarge:
    """A network's hook that enlarges what goes in."""

    times: int

    def __call__(self, network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:  # noqa: ARG002 - a hook's signature
        """The inputs, the first of them enlarged."""
        return (F.interpolate(inputs[0], scale_factor=self.times, mode="bilinear", align_corners=False), *inputs[1:])


def heads_in(network: nn.Module) -> tuple[str, ...]:
    """The names of a network's classifiers: its last layer with weights, and the last of each auxiliary head.

    >>> heads_in(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 2)))
    ('2',)
    """
    lasts: dict[str, str] = {}
    for name in _weighted(network):
        first = name.split(".")[0]
        lasts[first if first.startswith(AUXILIARY) else ""] = name
    return tuple(lasts.values())


def fix_body(network: nn.Module) -> nn.Module:
    """Trains the classifiers alone: all else keeps its weights, and its normalisations the moments they came with.

    Arguments:
        network: changed in place and returned; names of parameters stay.

    >>> network = fix_body(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2)))
    >>> [name for name, one in network.named_parameters() if one.requires_grad], network.train()[1].training
    (['3.weight', '3.bias'], False)
    """
    heads = tuple(f"{name}." for name in heads_in(network))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(heads))
    for name, layer in list(network.named_modules()):
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.running_mean is not None:
            kind = FixedBatchNorm1d if isinstance(layer, nn.BatchNorm1d) else FixedBatchNorm2d
            fixed = kind(layer.num_features, layer.eps, affine=layer.affine).to(layer.running_mean.device)
            fixed.load_state_dict(layer.state_dict())
            _replace(network, name, fixed.requires_grad_(False))
    return network


class FixedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation that keeps to its running moments, in training too."""

    def train(self, mode: bool = True) -> FixedBatchNorm1d:  # noqa: ARG002 - as `nn.Module`
        """Stays as in evaluation."""
        super().train(False)
        return self


class FixedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation that keeps to its running moments, in training too."""

    def train(self, mode: bool = True) -> FixedBatchNorm2d:  # noqa: ARG002 - as `nn.Module`
        """Stays as in evaluation."""
        super().train(False)
        return self


def is_dropout(layer: nn.Module) -> bool:
    """Whether a layer is dropout of any form."""
    return isinstance(layer, (_DropoutNd, PaperDropout))


def _chosen(network: nn.Module, own: list[str], at: str) -> list[str]:
    weighted = _weighted(network)
    inner = list(weighted)[1:]  # the first sees the image
    full = own or [name for name in inner if isinstance(weighted[name], nn.Linear)]
    convolutions = [name for name in inner if not isinstance(weighted[name], nn.Linear)]
    if at in ("full", "conv", "all"):
        return {"full": full, "conv": convolutions, "all": convolutions + full}[at]
    names = [name.strip() for name in at.split(",") if name.strip()]
    legal = [*weighted, *own]
    if unknown := [name for name in names if name not in legal]:
        near = nearest(unknown[0], legal)
        raise UserError(
            f"there is no layer '{unknown[0]}' for dropout",
            legal=f"full, conv, all, or names: {_legal(network, own)}",
            hint=f"Did you mean '{near}'?" if near else "",
        )
    return names


def _weighted(network: nn.Module) -> dict[str, nn.Module]:
    kinds = (nn.Linear, nn.Conv2d, LocallyConnected2d)
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}


def _legal(network: nn.Module, own: list[str]) -> str:
    names = [*_weighted(network), *own]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _replace(network: nn.Module, name: str, layer: nn.Module) -> None:
    above, _, last = name.rpartition(".")
    setattr(network.get_submodule(above), last, layer.train(network.training))


def _put_before(layer: nn.Module, dropout: nn.Module) -> None:
    """Puts dropout before a layer without renaming it; done again, it takes the place of what stood there."""
    again = hasattr(layer, CHILD)
    layer.add_module(CHILD, dropout.train(layer.training))
    if not again:
        layer.register_forward_pre_hook(_drop_inputs)


def _drop_inputs(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """A function of the layer alone, so that a copy of the network uses its own dropout."""
    return (layer.get_submodule(CHILD)(inputs[0]), *inputs[1:])
