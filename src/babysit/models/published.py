"""State dicts from elsewhere, in torchvision's and timm's naming, loaded into the layouts that match.

`resnet*`, `vgg*`, `vgg*-bn`, `alexnet-one` and `googlenet-bn` have torchvision's names. timm's names are the same for
ResNets; its VGGs hold the full layers as convolutions, which are the same numbers in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from babysit.errors import Fault, UserError

TIMM_NAMES = {
    r"^pre_logits\.fc1\.": "classifier.0.",
    r"^pre_logits\.fc2\.": "classifier.3.",
    r"^head\.fc\.": "classifier.6.",
}
"""timm's VGG names -> torchvision's."""

FIRST_FULL = ("classifier.0.weight", "classifier.1.weight")
"""The first full layer's weights in VGG and in AlexNet, behind an average pooling to a fixed side."""

MAY_BE_MISSING = re.compile(r"^aux\d\.|\.num_batches_tracked$")
"""Files without auxiliary heads, and those from before batch normalisation counted, are whole all the same."""

MOST_NAMED = 5


def load_published(network: nn.Module, state: Mapping[str, Tensor], *, heads: Collection[str] = ()) -> tuple[str, ...]:
    """Loads weights in torchvision's or timm's naming.

    A network for small images, whose first full layer is smaller than the published one, gets the weights that give the
    same scores as the published network with its averaging to 7x7 (6x6) gives there.

    Arguments:
        heads: layers that keep their initial values where the file has none of their shape, as those of other classes.

    Returns:
        The names that keep their initial values: of such heads, and of auxiliary ones, which a file need not have.

    Raises:
        UserError: when names or shapes do not fit; nothing is loaded then.
    """
    own = network.state_dict()
    given = {name if name in own else _renamed(name): value for name, value in state.items()}
    given = {name: _fitted(name, value, own[name]) if name in own else value for name, value in given.items()}
    other = {_layer(name) for name, value in given.items() if name in own and value.shape != own[name].shape}
    given = {name: value for name, value in given.items() if _layer(name) not in other & {*heads}}
    missing = [name for name in own if name not in given]
    needed = [name for name in missing if not MAY_BE_MISSING.search(name) and _layer(name) not in heads]
    faults = _faults(own, given, needed)
    if faults:
        raise UserError.of(faults)
    network.load_state_dict({**own, **given})
    return tuple(name for name in missing if name.startswith("aux") or _layer(name) in heads)


def folded(weight: Tensor, published: int, side: int) -> Tensor:
    """The weights of a full layer for a smaller map, equal to averaging that map to the published side first.

    W' = W P, where P (published² x side²) is the adaptive average pooling as a matrix.

    Arguments:
        published, side: of the maps, in pixels; side below published, so that the averaging spreads.

    Shape:
        (units, channels published²) to (units, channels side²).
    """
    basis = torch.eye(side * side, dtype=weight.dtype, device=weight.device).view(side * side, 1, side, side)
    spread = F.adaptive_avg_pool2d(basis, published).view(side * side, published * published)
    maps = weight.view(weight.shape[0], -1, published * published)
    return (maps @ spread.T).flatten(start_dim=1)


def _layer(name: str) -> str:
    """The layer of a parameter's name."""
    return name.rpartition(".")[0]


def _renamed(name: str) -> str:
    for pattern, replacement in TIMM_NAMES.items():
        name = re.sub(pattern, replacement, name)
    return name


def _fitted(name: str, value: Tensor, own: Tensor) -> Tensor:
    """A full layer that is held as a convolution made flat, and one for larger maps made smaller."""
    if value.ndim == 4 and own.ndim == 2:
        value = value.flatten(start_dim=1)
    if name not in FIRST_FULL or value.ndim != 2 or value.shape[0] != own.shape[0]:
        return value
    published = 7 if name == FIRST_FULL[0] else 6
    channels = value.shape[1] // published**2
    side = round((own.shape[1] / channels) ** 0.5)
    smaller = side < published and channels * side**2 == own.shape[1] and channels * published**2 == value.shape[1]
    return folded(value, published, side) if smaller else value


def _faults(own: Mapping[str, Tensor], given: Mapping[str, Tensor], missing: list[str]) -> list[Fault]:
    faults = []
    alien = [name for name in given if name not in own]
    if missing:
        faults.append(Fault(f"the file lacks {_some(missing)}", hint="Is it of this architecture?"))
    if alien:
        faults.append(Fault(f"the file has {_some(alien)}, which this network has not"))
    for name, value in given.items():
        if name in own and value.shape != own[name].shape:
            faults.append(Fault(f"{name} has shape {tuple(value.shape)}, the network's has {tuple(own[name].shape)}"))
    return faults[: MOST_NAMED + 2]


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
