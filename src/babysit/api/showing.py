"""Showing a network: its layers as a table, as a picture, and timed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from babysit.device import choose_device, free_memory
from babysit.errors import UserError
from babysit.figures.volumes import Box, volumes
from babysit.layers.geometry import Volume
from babysit.models import DEFAULT_WIDTH, MODELS, Shape, build_model, name_fault, shape_of
from babysit.models.own import is_own
from babysit.models.summary import NUMBER_BYTES, Summary
from babysit.models.summary import summarize as summarize_network
from babysit.models.timing import Timing, time_layers
from babysit.recipe import read_resolved
from babysit.record.run import Run

OWN_SIZE, OWN_CLASSES = 32, 10
TIMM_SIZE, TIMM_CLASSES = 224, 1000
LARGEST = 4096

FEWEST = 2
"""Images in a batch that batch normalisation can work on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be shown: its name, the shape it is built for, and what its file must be."""

    name: str
    shape: Shape
    file_hash: str | None = None

    @property
    def volume(self) -> tuple[int, int, int]:
        """The image."""
        return self.shape.channels, self.shape.size, self.shape.size

    def build(self, device: torch.device) -> nn.Module:
        """The network; on the meta device one of ours takes neither time nor memory.

        Raises:
            UserError: when it cannot take the image, or cannot be built.
        """
        if self.name in MODELS:
            least = MODELS[self.name].smallest
            if self.shape.size < least:
                what = f"{self.name} takes images of {least} pixels and more, not {self.shape.size}"
                raise UserError(
                    what, where="--input", hint=f"Give --input {self.shape.channels}x{least}x{least} or larger"
                )
            with device:
                return MODELS[self.name](self.shape)
        network = build_model(self.name, self.shape, seed=0, file_hash=self.file_hash)
        return copy.deepcopy(network).to(device)


def subject(model: str, *, image: str | None = None, classes: int | None = None) -> Subject:
    """What is to be shown.

    Arguments:
        model: a name of MODELS, `timm/NAME`, `path/to/file.py:name` (which is run), or a run's folder.
        image: CHANNELSxHEIGHTxWIDTH, or one side in pixels; by default the published one, or the run's.
        classes: at least 1; by default the published number, or the run's.

    Raises:
        UserError: when there is no such model or run, or the image is not square.
    """
    if classes is not None and classes < 1:
        raise UserError(f"--classes is {classes}", legal="a whole number of at least 1")
    if Path(model).is_dir() and model not in MODELS:
        return _of_run(Path(model), image, classes)
    if fault := name_fault(model):
        raise UserError.of([fault])
    size, count = (OWN_SIZE, OWN_CLASSES) if is_own(model) else (TIMM_SIZE, TIMM_CLASSES)
    if model in MODELS:
        size, count = MODELS[model].size, MODELS[model].classes
    channels, size = (3, size) if image is None else read_image(image)
    return Subject(model, Shape(size, classes or count, DEFAULT_WIDTH, channels))


def read_image(text: str) -> tuple[int, int]:
    """Channels and side of an image as written: `3x227x227`, or `227` for three channels.

    >>> read_image("1x28x28"), read_image("227")
    ((1, 28), (3, 227))
    """
    words = text.lower().replace("×", "x").split("x")
    numbers = [int(word) if word.strip().isascii() and word.strip().isdigit() else 0 for word in words]
    if len(numbers) == 1:
        numbers = [3, numbers[0], numbers[0]]
    legal = f"CHANNELSxHEIGHTxWIDTH as in 3x227x227, each from 1 to {LARGEST}, height and width equal"
    if len(numbers) != 3 or not all(1 <= number <= LARGEST for number in numbers):
        raise UserError(f"'{text}' is not the shape of an image", where="--input", legal=legal)
    if numbers[1] != numbers[2]:
        raise UserError(
            f"the image is {numbers[1]}x{numbers[2]}, and networks here take square images",
            where="--input",
            legal=legal,
        )
    return numbers[0], numbers[1]


def summarize(model: str, *, image: str | None = None, classes: int | None = None) -> Summary:
    """A network layer by layer: shapes, neurons, parameters, multiply-adds, receptive fields, memory.

    Arguments:
        model, image, classes: as for `subject`.

    Raises:
        UserError: as `subject`, or when the network cannot take the shape.

    >>> summarize("alexnet-one").parameters
    61100840
    """
    return summary_of(subject(model, image=image, classes=classes))


def summary_of(shown: Subject) -> Summary:
    """The summary of a subject."""
    architecture = next((one for one in MODELS.values() if one.name == shown.name), None)
    image = Volume(*shown.volume)
    if is_own(shown.name):
        try:
            return summarize_network(shown.build(torch.device("meta")), shown.name, image)
        except (RuntimeError, NotImplementedError):  # what looks at its values cannot be followed without any
            return summarize_network(shown.build(torch.device("cpu")), shown.name, image)
    return summarize_network(shown.build(torch.device("meta")), shown.name, image, architecture)


def picture(summary: Summary) -> str:
    """The network as volumes to scale, as SVG text."""
    boxes = [Box("input", summary.input.channels, summary.input.height, summary.input.width)]
    boxes += [Box(name, volume.channels, volume.height, volume.width) for name, volume in summary.blocks]
    return volumes(boxes, f"{summary.model}: {summary.parameters:,} parameters")


def timing(shown: Subject, summary: Summary, *, images: int) -> Timing:
    """The measured seconds of its layers and of whole steps on this machine.

    Arguments:
        images: in a batch; fewer where their activations and gradients would take more than half of the free memory.

    Raises:
        UserError: when the network with two images does not fit into memory.
    """
    device = choose_device()
    weights, image = 2 * NUMBER_BYTES * summary.parameters, 2 * (summary.kept_bytes + summary.prediction_bytes)
    fitting = (free_memory(device) // 2 - weights) // max(1, image)
    if fitting < FEWEST:
        raise UserError(
            f"{shown.name} with {FEWEST} images needs {(weights + FEWEST * image) / 1e9:,.1f} GB to be timed, and half of "
            f"the free memory is {free_memory(device) / 2e9:,.1f} GB",
            where="--time",
            hint="Give a smaller --input, or leave --time out",
        )
    images = min(images, fitting)
    network = shown.build(torch.device("cpu")).to(device)
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return time_layers(network, shown.volume, classes=shown.shape.classes, images=images)


def _of_run(path: Path, image: str | None, classes: int | None) -> Subject:
    run = Run(path)
    manifest = run.read_manifest()
    if image or classes:
        raise UserError(
            "a run's network has its image and classes already", where=str(path), hint="Leave out --input and --classes"
        )
    if "data" not in manifest:
        raise UserError("the run was stopped before its network was built", where=str(path))
    recipe = read_resolved(run.recipe)
    return Subject(recipe.model.name, shape_of(recipe, len(manifest["data"]["classes"])), recipe.model.file_hash)
