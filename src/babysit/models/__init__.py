"""Architectures: a table of functions `Shape -> nn.Module`. A model is a plain module that knows nothing of us."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from babysit.models.quick import quick
from babysit.models.shape import Shape
from babysit.tables import Table

MODELS: Table[Callable[[Shape], nn.Module]] = Table("model", {"quick": quick})

__all__ = ["MODELS", "Shape"]
