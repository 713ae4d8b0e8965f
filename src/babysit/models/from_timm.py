"""`timm/NAME`: any convolutional network of the timm package, with initial weights of its own making.

timm is an extra. It imports torchvision, which must be a build for the installed torch.
"""

from __future__ import annotations

from torch import nn

from babysit.errors import UserError
from babysit.models.own import check_scores
from babysit.models.shape import Shape
from babysit.tables import nearest

PREFIX = "timm/"


def from_timm(name: str, shape: Shape) -> nn.Module:
    """The network `NAME` of timm for a shape; nothing is downloaded.

    Raises:
        UserError: when timm cannot be imported, has no such network, or it cannot take the shape.
    """
    where = f"model.name {PREFIX}{name}"
    try:
        import timm  # pyright: ignore[reportMissingImports] - an extra
    except ModuleNotFoundError as error:
        raise UserError(
            f"this network needs the package {error.name}, which is not installed",
            where=where,
            hint="pip install 'babysit[timm]'",
        ) from error
    except (ImportError, RuntimeError, OSError) as error:  # what a torchvision of another build raises
        raise UserError(
            f"timm cannot be imported: {error}",
            where=where,
            hint="timm imports torchvision, which must be a build for the installed torch",
        ) from error
    known = timm.list_models()
    if name not in known:
        near = nearest(name, known)
        raise UserError(
            f"timm {timm.__version__} has no network '{name}'",
            where=where,
            hint=f"Did you mean '{PREFIX}{near}'?" if near else "python -c 'import timm; print(timm.list_models())'",
        )
    network = timm.create_model(name, pretrained=False, num_classes=shape.classes, in_chans=shape.channels)
    check_scores(network, shape, where)
    return network
