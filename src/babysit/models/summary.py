"""Summary: a network as a table of layers: shapes, neurons, parameters, multiply-adds, receptive fields, memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from babysit.layers import geometry
from babysit.layers.geometry import LayerFacts, Volume, Windows
from babysit.models.architecture import Architecture
from babysit.models.trace import Call, Traced, follow, windows_of

NUMBER_BYTES = 4

KINDS: tuple[tuple[str, str], ...] = (
    ("BatchNorm2d", "batch normalisation"),
    ("LocalResponseNorm", "response normalisation"),
    ("LayerNorm", "layer normalisation"),
    ("GroupNorm", "group normalisation"),
    ("ReLU", "ReLU"),
    ("Dropout", "dropout"),
)
"""Class name -> what the layer is called; another class goes by its name."""

SILENT = (nn.Flatten, nn.Identity)
"""Layers that change no value; they have no row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One layer.

    `groups` of a convolution; `receptive_field` pixels along height and width, padding counted; `sees_all` whether
    that is the whole image; `training_only` whether prediction leaves the layer out.
    """

    facts: LayerFacts
    groups: int
    receptive_field: tuple[int, int]
    sees_all: bool
    training_only: bool

    def as_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        facts, windows = self.facts, self.facts.windows
        axes = {} if windows is None else {name: [getattr(one, name) for one in windows] for name in AXES}
        return {
            "name": facts.name,
            "kind": facts.kind,
            **axes,
            **({"groups": self.groups} if facts.kind == "convolution" else {}),
            "input": shape_of_volume(facts.input),
            "output": shape_of_volume(facts.output),
            "neurons": facts.neurons,
            "parameters": facts.parameters,
            "multiply_adds": facts.multiply_adds,
            "receptive_field": list(self.receptive_field),
            "sees_whole_image": self.sees_all,
            "training_only": self.training_only,
            "notes": list(facts.notes),
        }


AXES = ("kernel", "stride", "padding", "dilation")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """Neurons of a layer here and as its paper prints them; where they differ, why that may be."""

    layer: str
    here: int
    paper: int
    remark: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A network, layer by layer, for one image.

    `neurons` are those of layers with weights; `kept_bytes` what autograd keeps of an image for the backward pass;
    `prediction_bytes` the largest input and output of one layer together; all in float32. `blocks` are the names and
    outputs of what the network is a sequence of, for drawing.
    """

    model: str
    input: Volume
    classes: int
    rows: tuple[Row, ...]
    parameters: int
    kept_bytes: int
    notes: tuple[str, ...]
    paper: tuple[PaperRow, ...]
    blocks: tuple[tuple[str, Volume], ...]

    @property
    def neurons(self) -> int:
        """Of the layers with weights that prediction uses."""
        return sum(row.facts.neurons for row in self._predicting if row.facts.multiply_adds)

    @property
    def multiply_adds(self) -> int:
        """Of a prediction."""
        return sum(row.facts.multiply_adds for row in self._predicting)

    @property
    def predicting_parameters(self) -> int:
        """Without what only training uses."""
        return self.parameters - sum(row.facts.parameters for row in self.rows if row.training_only)

    @property
    def prediction_bytes(self) -> int:
        """What predicting one image must hold at once, weights apart."""
        return geometry.prediction_memory(row.facts for row in self._predicting).activations

    @property
    def _predicting(self) -> list[Row]:
        return [row for row in self.rows if not row.training_only]

    def as_json(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {
            "model": self.model,
            "input": shape_of_volume(self.input),
            "classes": self.classes,
            "layers": [row.as_json() for row in self.rows],
            "totals": {
                "parameters": self.parameters,
                "parameters_in_prediction": self.predicting_parameters,
                "neurons": self.neurons,
                "multiply_adds": self.multiply_adds,
            },
            "memory": {
                "image_training_bytes": self.kept_bytes,
                "image_prediction_bytes": self.prediction_bytes,
                "weights_bytes": NUMBER_BYTES * self.parameters,
                "weights_training_bytes": 3 * NUMBER_BYTES * self.parameters,
            },
            "notes": list(self.notes),
            "paper": [
                {"layer": one.layer, "neurons": one.here, "paper": one.paper, "remark": one.remark}
                for one in self.paper
            ],
        }


def summarize(network: nn.Module, name: str, volume: Volume, architecture: Architecture | None = None) -> Summary:
    """The summary of a network, best on the meta device.

    Arguments:
        name: for the heading.
        volume: the image.
        architecture: the table's entry, when its paper's figures are to stand beside.
    """
    shape = volume.channels, volume.height, volume.width
    traced = follow(network.train(), shape)
    predicted = follow(network.eval(), shape)
    predicting = {call.name for call in predicted.calls}
    rows, counted = [], set()
    for call in traced.calls:
        if isinstance(call.layer, SILENT):
            continue
        facts = facts_of(call, counted=call.layer not in counted)
        counted.add(call.layer)
        fields = call.sight.fields
        rows.append(
            Row(
                facts,
                getattr(call.layer, "groups", 1),
                (fields[0].size, fields[1].size),
                call.sight.covers(volume.height, volume.width),
                call.name not in predicting,
            )
        )
    parameters = sum(one.numel() for one in network.parameters())
    notes = [note for row in rows for note in row.facts.notes]
    if outside := parameters - sum(row.facts.parameters for row in rows):
        notes.append(f"{outside:,} parameters belong to no layer of the table; multiply-adds with them are not counted")
    paper = tuple(_beside(rows, volume, architecture)) if architecture else ()
    return Summary(
        name,
        volume,
        predicted.calls[-1].gave[0],
        tuple(rows),
        parameters,
        traced.kept_bytes,
        tuple(notes),
        paper,
        _blocks(rows, predicted),
    )


def facts_of(call: Call, *, counted: bool = True) -> LayerFacts:
    """The integers of one layer.

    Arguments:
        counted: false for a layer that is applied again, whose parameters were counted before.
    """
    layer, name, volume, output = call.layer, call.name, _volume(call.given), _volume(call.gave)
    parameters = sum(one.numel() for one in layer.parameters()) if counted else 0
    windows = windows_of(layer, call.given, call.gave)
    kind = type(layer).__name__
    if windows is not None and kind.endswith(("AvgPool2d", "MaxPool2d")):
        average = "average pooling" if "Avg" in kind else "max pooling"
        adaptive = kind.startswith("Adaptive")
        made = geometry.pooling(name, volume, windows=windows, kind=average)
        notes = () if adaptive else (*made.notes, *inexact(name, volume, windows))
        return LayerFacts(name, average, volume, output, windows=windows, notes=notes)
    if windows is not None and kind in ("Conv2d", "LocallyConnected2d"):
        make = geometry.convolution if kind == "Conv2d" else geometry.locally_connected
        made = make(
            name, volume, out_channels=output.channels, windows=windows, groups=int(getattr(layer, "groups", 1))
        )
        notes = (*made.notes, *inexact(name, volume, windows))
        return LayerFacts(name, made.kind, volume, output, parameters, made.multiply_adds, windows, notes)
    if isinstance(layer, nn.Linear):
        return LayerFacts(name, "full", volume, output, parameters, output.neurons * layer.in_features)
    called = next((words for start, words in KINDS if kind.startswith(start)), kind)
    return LayerFacts(name, called, volume, output, parameters)


def inexact(name: str, volume: Volume, windows: Windows) -> tuple[str, ...]:
    """A note when the last step of a filter does not end with the padded input, though all input is seen.

    >>> side = geometry.Window(11, stride=4, padding=2)
    >>> inexact("conv1", Volume(3, 224, 224), (side, side))[0]
    'conv1: (224 + 2 x 2 - 11) / 4 is not whole, so the last pixel of padding is not used; exact with 223 or 227'
    """
    notes = []
    for size, window in dict.fromkeys(zip((volume.height, volume.width), windows, strict=True)):
        rest = (size + 2 * window.padding - window.span) % window.stride
        if rest and not window.ceil_mode and not geometry.uncovered(size, window):
            exact = " or ".join(map(str, geometry.nearest_exact(size, window)))
            unused = "the last pixel of padding is" if rest == 1 else f"the last {rest} pixels of padding are"
            notes.append(
                f"{name}: ({size} + 2 x {window.padding} - {window.span}) / {window.stride} is not whole, so {unused} "
                f"not used; exact with {exact}"
            )
    return tuple(notes)


def shape_of_volume(volume: Volume) -> list[int]:
    """[channels, height, width]."""
    return [volume.channels, volume.height, volume.width]


def _volume(shape: tuple[int, ...]) -> Volume:
    """An activation's shape as a volume; tokens of a transformer become a column of positions."""
    if len(shape) == 3:
        return Volume(*shape)
    if len(shape) == 2:
        return Volume(shape[1], shape[0], 1)
    count = 1
    for one in shape:
        count *= one
    return Volume(count, 1, 1)


def _blocks(rows: Iterable[Row], traced: Traced) -> tuple[tuple[str, Volume], ...]:
    """Blocks, and of single layers those with weights in sums and poolings: the ones that make a new volume."""
    single = {row.facts.name: row for row in rows}
    layers = {call.name for call in traced.calls}
    return tuple(
        (name, _volume(shape))
        for name, shape in traced.blocks
        if name not in layers or (name in single and (single[name].facts.multiply_adds or single[name].facts.windows))
    )


def _beside(rows: Iterable[Row], volume: Volume, architecture: Architecture) -> Iterable[PaperRow]:
    here = {"input": volume.neurons, **{row.facts.name: row.facts.neurons for row in rows}}
    for one in architecture.neurons:
        if one.layer in here:
            count = here[one.layer]
            yield PaperRow(one.layer, count, one.count, one.remark if count != one.count else "")
