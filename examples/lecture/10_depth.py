"""10. What the small ConvNet sees, layer by layer, and how linear the classes become.

One image's activations after every layer of CONV CONV POOL three times; then a linear classifier is trained on the
activations of many images at each depth. By the end of the network the classes should be linearly separable.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from babysit.checks.subject import Held
from babysit.data.batches import Part
from babysit.figures.charts import Axes, Line
from babysit.figures.panels import charted, pictured
from babysit.figures.sheets import sheet
from babysit.models.initial import he
from lecture import ALONE, Page, follow, held_session, run, some_of, stretched

PROBED = ("pixels", "relu1_1", "relu1_2", "pool1", "relu2_2", "pool2", "relu3_2", "pool3")
LOOKED_AT = ("relu1_1", "relu1_2", "pool1", "relu2_1", "relu2_2", "pool2", "relu3_1", "relu3_2", "pool3")


def activations(model: nn.Module, part: Part) -> dict[str, Tensor]:
    """What every layer gives for all images of a part, by the layer's name."""
    seen: dict[str, list[Tensor]] = {}
    model.eval()
    with torch.no_grad():
        for images, _ in part.plain(256):
            seen.setdefault("pixels", []).append(images)
            flowing = images
            for name, layer in model.named_children():
                flowing = layer(flowing)
                seen.setdefault(name, []).append(flowing)
    return {name: torch.cat(pieces) for name, pieces in seen.items()}


def separable(page: Page, name: str, parts: Sequence[Held], classes: int) -> float:
    """The best validation accuracy over the epochs of a linear classifier on what a layer gives."""
    count, inputs = len(parts[0]), parts[0].images[0].numel()
    steps = page.choose(15, 40) * (count // 100)
    # Adam moves each weight by the rate, so the scores by the rate times the number of inputs.
    optim = {"optim.kind": "adam", "optim.lr": 0.1 / inputs**0.5, "optim.batch_size": 100, "train.steps": steps}
    last = nn.Linear(inputs, classes)
    probe = held_session(optim, he(nn.Sequential(nn.Flatten(), last), last), *parts, classes=classes)
    return max(one.accuracy for one in follow(page, probe, f"linear classifier on {name}", seen=count).validation)


def scaled(inside: Tensor, held_out: Tensor, few: Part, validation: Part) -> list[Held]:
    """Activations about zero, of size one, as images of their own."""
    middle, size = inside.mean(dim=0), inside.std() + 1e-6
    labels = [torch.from_numpy(part.labels[part.rows]).to(inside.device) for part in (few, validation)]
    return [Held((one - middle) / size, label) for one, label in zip((inside, held_out), labels, strict=True)]


def maps(inside: dict[str, Tensor], place: int, side: int) -> np.ndarray:
    """One image's maps, a row for each layer, all enlarged to the same size."""
    rows = []
    for name in LOOKED_AT:
        shown = inside[name][place].cpu().numpy()[:, None]
        large = shown.repeat(side // shown.shape[2], axis=2).repeat(side // shown.shape[3], axis=3)
        rows.append(stretched(large))
    return sheet(np.concatenate(rows), rows[0].shape[0])


def main(page: Page) -> None:
    """Trains the network, looks into it, and asks each depth."""
    settings = {
        **ALONE,
        "model.name": "convnet",
        "optim.kind": "momentum",
        "optim.lr": 0.02,
        "optim.batch_size": 50,
        "schedule.kind": "one-cycle",
        "train.epochs": page.choose(6, 12),
    }
    session = page.session(settings, training=page.choose(10_000, None), validation=2000)
    whole = follow(page, session, "convnet").validation[-1].accuracy
    few = some_of(session.training, page.choose(3000, 500))
    inside, held_out = (activations(session.model, part) for part in (few, session.validation))
    accuracy = {
        name: separable(page, name, scaled(inside[name], held_out[name], few, session.validation), len(session.classes))
        for name in PROBED
    }
    off = {name: float((inside[name] == 0).float().mean()) for name in LOOKED_AT if name.startswith("relu")}

    page.line("validation accuracy of the whole network", "", f"{whole:.3f}")
    for name in PROBED:
        shape = "x".join(map(str, inside[name].shape[1:]))
        page.line(f"linear accuracy of {name}, {shape}", "", f"{accuracy[name]:.3f}")
    page.line("share of zeros, first and last ReLU", "", f"{off['relu1_1']:.2f}, {off['relu3_2']:.2f}")
    side, scale = inside["pixels"].shape[2], page.choose(1, 4)
    depth, places = [accuracy[name] for name in PROBED], list(range(len(PROBED)))
    axis, limits = f"depth: {', '.join(PROBED)}", (-0.2, len(depth) - 0.8, min(depth) - 0.02, max(depth) + 0.02)
    page.figure(
        [
            pictured("One image", sheet(stretched(inside["pixels"][2:3].cpu().numpy()), 1), scale=4 * scale, side=33),
            pictured(f"Its ten maps after {', '.join(LOOKED_AT)}", maps(inside, 2, side), scale=1.2 * scale, side=33),
            charted(
                "A linear classifier's accuracy",
                [Line("", places, depth, "one"), Line("", places, depth, "one", "points")],
                Axes(axis, "validation accuracy", width=480, limits=limits),
            ),
        ]
    )
    groups = [accuracy[name] for name in ("pixels", "pool1", "pool2", "pool3")]
    page.claim(
        all(later > earlier - 0.02 for earlier, later in itertools.pairwise(groups)),
        "each group leaves the classes as separable or more",
    )
    page.claim(groups[-1] > groups[0] + page.choose(0.1, 0.0), "at the end they are far more so than in the pixels")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
