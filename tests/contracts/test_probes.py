"""Every probe: equal to its second author in float64, and a training with it on has the same bits as without."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from babysit.probes import PROBES
from babysit.probes.context import Batch, ProbeContext, Slice, Validated
from babysit.probes.filters import noise_bound
from babysit.probes.hooks import watched
from babysit.probes.meter import Meter
from babysit.probes.network import network_of
from babysit.probes.weights import copies, pushes, unit_likeness

CLASSES = 3


class Counting(nn.Module):
    """A layer with a running statistic of its own, which draws random numbers in training."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.passes += 1
            x = x + 0.01 * torch.randn_like(x)
        return x


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 5, 3),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        Counting(),
        nn.Conv2d(5, 4, 3),
        nn.Tanh(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(16, 6),
        nn.Sigmoid(),
        nn.Linear(6, CLASSES),
    )


def batch(seed: int = 0, count: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    return torch.randn(count, 2, 6, 6, generator=generator) + labels[:, None, None, None], labels


def one_update() -> ProbeContext:
    """Everything a probe may look at, of a real update."""
    model = network()
    net, seen = network_of(model), {}
    images, labels = batch()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.01)
    with watched(net, seen):
        scores = model(images)
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    before, pushed = copies(net), pushes(net)
    first = tuple(one.detach().clone() for one in model.parameters())
    del pushed["0"]  # as of a layer without a gradient
    optimizer.step()
    model.eval()
    plain = tuple((images[start : start + 6], labels[start : start + 6]) for start in range(0, 24, 6))
    shifted = tuple((one + 0.3, label) for one, label in plain)
    probabilities = torch.softmax(scores, 1).detach().numpy()
    return ProbeContext(
        1,
        0,
        net,
        before=before,
        pushed=pushed,
        first=first,
        seen=seen,
        scale=4.0,
        penalty=lambda: 0.25,
        batch=Batch(loss.detach(), images, scores.detach(), labels),
        validated=Validated(probabilities, labels.numpy(), ("a", "b", "c")),
        slice=Slice(plain, shifted, model, F.cross_entropy, CLASSES),
        order=labels.numpy(),
    )


def layers_of(context: ProbeContext) -> nn.Sequential:
    assert isinstance(context.network.model, nn.Sequential)
    return context.network.model


def wide(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def start_oracle(context: ProbeContext) -> dict[str, Any]:
    given = context.batch
    inputs, scores, labels = wide(given.inputs), wide(given.outputs), given.targets.tolist()
    return {
        "initial_loss": -np.mean(
            [math.log(np.exp(row)[y] / np.exp(row).sum()) for row, y in zip(scores, labels, strict=False)]
        ),
        "input_mean": inputs.mean(),
        "input_deviation": inputs.std(),
        "input_least": inputs.min(),
        "input_most": inputs.max(),
        "input_roughness": np.mean(
            [
                np.mean([(a - b) ** 2 for a, b in itertools.pairwise(lines)])
                for lines in (np.moveaxis(inputs, 2, 0), np.moveaxis(inputs, 3, 0))
            ]
        )
        / (2 * np.mean([channel.var(ddof=1) for image in inputs for channel in image])),
        "input_flatness": np.mean(
            [abs(row[i] - row[i + 1]) < inputs.std() / 1000 for row in inputs.reshape(-1, 6) for i in range(5)]
        ),
        "input_spread": math.sqrt(np.mean([(image - inputs[0]) ** 2 for image in inputs])),
        "score_mean": scores.mean(),
        "score_deviation": scores.std(),
        "score_least": scores.min(),
        "score_most": scores.max(),
        **{"units@0": 5, "units@4": 4, "units@8": 6, "units@10": CLASSES},
        "scores_sum_to_one": 0.0,
        "scores_log_sum_to_one": 0.0,
        "label_least": min(labels),
        "label_most": max(labels),
        "classes_seen": len(set(labels)),
    }


def forms_oracle(context: ProbeContext) -> dict[str, Any]:
    given = context.batch
    scores, labels = wide(given.outputs), given.targets.tolist()
    rows = range(len(labels))
    ones = np.array([[float(label == place) for place in range(CLASSES)] for label in labels])

    def shares(values: np.ndarray, axis: int) -> np.ndarray:
        return np.exp(values) / np.exp(values).sum(axis=axis, keepdims=True)

    def pick(values: np.ndarray) -> float:
        return -float(np.mean([values[row, labels[row]] for row in rows]))

    return {
        "loss_of_batch": pick(np.log(shares(scores, 1))),
        "loss_by_form@softmax": pick(np.log(shares(scores, 1))),
        "loss_by_form@softmax twice": pick(np.log(shares(shares(scores, 1), 1))),
        "loss_by_form@no softmax": pick(scores),
        "loss_by_form@softmax over the batch": pick(np.log(shares(scores, 0))),
        "loss_by_form@absolute": np.mean(abs(scores - ones)),
        "loss_by_form@squares": np.mean((scores - ones) ** 2),
        "loss_by_form@squares of shares": np.mean((shares(scores, 1) - ones) ** 2),
        "loss_by_form@no logarithm": pick(shares(scores, 1)),
        "loss_by_form@logistic": np.mean(np.log1p(np.exp(scores)) - ones * scores),
        "loss_by_form@own guess": -float(np.mean(np.log(shares(scores, 1).max(axis=1)))),
        "loss_by_form@scores of length one": pick(
            np.log(shares(scores / np.sqrt((scores**2).sum(axis=1, keepdims=True)), 1))
        ),
        "loss_by_form@all classes alike": -float(np.mean(np.log(shares(scores, 1)))),
    }


def gradient_oracle(context: ProbeContext) -> dict[str, Any]:
    squares = sum((wide(one.grad) ** 2).sum() for one in context.network.model.parameters())
    return {"gradient_norm": math.sqrt(squares) / 4}


def layer_gradient_oracle(context: ProbeContext) -> dict[str, Any]:
    model = layers_of(context)
    names = ("0", "4", "8", "10")
    return {
        f"weight_gradient_norm@{name}": math.sqrt((wide(model[int(name)].weight.grad) ** 2).sum()) / 4 for name in names
    }


def activation_oracle(context: ProbeContext) -> dict[str, Any]:
    """The forward pass again, layer by layer, of the same start and the same draws."""
    model, values, found = network().double(), wide(batch()[0]), {}
    torch.manual_seed(0)
    network()  # the draws of the first construction, so that those of the pass are the same
    current = torch.from_numpy(values)
    for name, layer in model.named_children():
        if isinstance(layer, Counting):
            current = current + 0.01 * torch.randn(current.shape).double()
            continue
        if isinstance(layer, nn.Dropout):
            mask = F.dropout(torch.ones(current.shape), 0.3, training=True).double()
            current = current * mask
            continue
        current = layer(current)
        out = wide(current)
        if isinstance(layer, (nn.Conv2d, nn.Linear, nn.ReLU, nn.Tanh, nn.Sigmoid)):
            found[f"activation_mean@{name}"], found[f"activation_deviation@{name}"] = out.mean(), out.std()
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            rows = np.moveaxis(out, 1, 0).reshape(out.shape[1], -1)
            pairs = [
                abs(np.corrcoef(rows[i], rows[j])[0, 1]) for i in range(len(rows)) for j in range(len(rows)) if i != j
            ]
            found[f"channel_likeness@{name}"] = np.mean(pairs)
        if isinstance(layer, nn.ReLU):
            found[f"dead_share@{name}"] = np.mean([(out[:, unit] == 0).all() for unit in range(out.shape[1])])
        if isinstance(layer, nn.Tanh):
            found[f"saturated_share@{name}"] = np.mean(abs(out) > 0.99)
        if isinstance(layer, nn.Sigmoid):
            found[f"saturated_share@{name}"] = np.mean((out < 0.01) | (out > 0.99))
    return found


def weight_oracle(context: ProbeContext) -> dict[str, Any]:
    found, start = {}, network()
    for name in ("0", "4", "8", "10"):
        was, now = wide(start[int(name)].weight), wide(layers_of(context)[int(name)].weight)
        found[f"weight_norm@{name}"] = math.sqrt((now**2).sum())
        found[f"weight_deviation@{name}"] = now.std()
        found[f"update_ratio@{name}"] = math.sqrt(((now - was) ** 2).sum()) / math.sqrt((was**2).sum())
        rows = now.reshape(len(now), -1)
        pairs = [
            abs(one @ other) / math.sqrt(one @ one) / math.sqrt(other @ other)
            for i, one in enumerate(rows)
            for j, other in enumerate(rows)
            if i != j
        ]
        found[f"unit_likeness@{name}"] = np.mean(pairs)
        if name != "0":
            pushed, taken = wide(context.pushed[name]), (was - now).ravel()
            found[f"descent@{name}"] = taken @ pushed / math.sqrt(pushed @ pushed) / math.sqrt(taken @ taken)
    return found


def direction_oracle(context: ProbeContext) -> dict[str, Any]:
    """Of the weights as they were: the network is made anew, and its gradient found one image at a time."""
    model = network().double().eval()
    model[1].train()
    images, labels = batch()
    F.cross_entropy(model(images.double()), labels).backward()
    before = network()
    before.load_state_dict(before.state_dict() | dict(context.network.model.named_buffers()))
    found = {"bending": bent(before)}
    for name in ("0", "4", "8", "10"):
        was, now = wide(network()[int(name)].weight), wide(layers_of(context)[int(name)].weight)
        taken, gradient = (was - now).ravel(), wide(model[int(name)].weight.grad).ravel()
        found[f"softmax_descent@{name}"] = taken @ gradient / math.sqrt(taken @ taken) / math.sqrt(gradient @ gradient)
    return found


def classes_oracle(context: ProbeContext) -> dict[str, Any]:
    seen = context.validated
    guesses, labels = seen.probabilities.argmax(1), seen.labels
    found, pairs = {}, {}
    for index, name in enumerate(seen.classes):
        mine = labels == index
        found[f"recall@{name}"] = np.mean(guesses[mine] == index)
        found[f"predicted_share@{name}"] = np.mean(guesses == index)
        for other, guess in enumerate(seen.classes):
            if other != index and (count := int((guesses[mine] == other).sum())):
                pairs[f"confused@{name}>{guess}"] = (count, count / mine.sum())
    most = sorted(pairs, key=lambda key: -pairs[key][0])[:5]
    found |= {key: pairs[key][1] for key in most}
    confidence, right = seen.probabilities.max(1).astype(np.float64), guesses == labels
    error = 0.0
    for low in range(15):
        inside = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    found["calibration_error"] = error
    found["confidence_p50"], found["confidence_p95"] = (np.quantile(confidence, share) for share in (0.5, 0.95))
    return found


def order_oracle(context: ProbeContext) -> dict[str, Any]:
    labels = context.order.tolist()
    alike = np.mean([one == other for one, other in itertools.pairwise(labels)])
    pairs = [labels[i] == labels[j] for i in range(len(labels)) for j in range(len(labels)) if i != j]
    found = {"label_run_likeness": (alike - np.mean(pairs)) / (1 - np.mean(pairs))}
    for period in range(1, len(labels) // 2 + 1):
        if all(label == labels[place % period] for place, label in enumerate(labels)):
            return {**found, "label_period": period}
    return found


def filter_oracle(context: ProbeContext) -> dict[str, Any]:
    rough = []
    for one in wide(layers_of(context)[0].weight):
        steps = []
        for channel in one:
            steps += [(channel[r, c] - channel[r + 1, c]) ** 2 for r in range(2) for c in range(3)]
            steps += [(channel[r, c] - channel[r, c + 1]) ** 2 for r in range(3) for c in range(2)]
        rough.append(np.mean(steps) / (2 * np.mean(one**2)))
    noisy = np.mean([value > noise_bound((2, 3, 3)) for value in rough])
    return {"filter_roughness": sorted(rough)[(len(rough) - 1) // 2], "noisy_filters": noisy}


def slice_oracle(context: ProbeContext) -> dict[str, Any]:
    model = network().double()
    model.load_state_dict({name: value.double() for name, value in context.network.model.state_dict().items()})
    model.eval()
    losses, right, pieces = [], [], []
    sums = np.zeros(sum(one.numel() for one in model.parameters()))
    for images, labels in context.slice.plain:
        gradient = 0.0
        for image, label in zip(images, labels, strict=True):
            scores = model(image[None].double())[0]
            loss = torch.logsumexp(scores, 0) - scores[label]
            model.zero_grad()
            loss.backward()
            gradient = gradient + np.concatenate([wide(one.grad).ravel() for one in model.parameters()])
            losses.append(float(loss.detach()))
            right.append(int(scores.argmax()) == int(label))
        sums = sums + gradient
        pieces.append(float(((gradient / len(labels)) ** 2).sum()))
    whole, count, size = float(((sums / len(losses)) ** 2).sum()), len(losses), 6
    signal = (count * whole - size * np.mean(pieces)) / (count - size)
    noise = (np.mean(pieces) - whole) / (1 / size - 1 / count)
    return {
        "slice_loss": np.mean(losses),
        "slice_accuracy": np.mean(right),
        "slice_wavering": 0.0,
        "hard_share": np.mean(np.array(losses) > math.log(3)),
        "loss_p50": np.quantile(losses, 0.5),
        "loss_p95": np.quantile(losses, 0.95),
        "gradient_noise": noise / signal,
    }


def slice_as_trained_oracle(context: ProbeContext) -> dict[str, Any]:
    model = network()
    model.load_state_dict(context.network.model.state_dict())
    model = model.double().eval()
    model[1].train()
    images, labels = torch.cat([one for one, _ in context.slice.plain]).double(), batch()[1]
    # The layer of our own draws in training mode; its noise is far smaller than what is compared here.
    scores = wide(model(images))
    losses = [math.log(np.exp(row).sum()) - row[y] for row, y in zip(scores, labels.tolist(), strict=False)]
    return {
        "slice_train_mode_loss": np.mean(losses),
        "slice_train_mode_accuracy": np.mean(scores.argmax(1) == labels.numpy()),
    }


def bending_oracle(context: ProbeContext) -> dict[str, Any]:
    model = network()
    model.load_state_dict(context.network.model.state_dict())
    return {"bending": bent(model)}


def bent(model: nn.Module) -> float:
    model, images = model.double().eval(), batch()[0].double()
    pairs = [(images[place], images[place + 12]) for place in range(12)]
    off = [wide(model((one + other)[None] / 2) - (model(one[None]) + model(other[None])) / 2) for one, other in pairs]
    apart = [wide(model(one[None]) - model(other[None])) for one, other in pairs]
    return math.sqrt(sum((one**2).sum() for one in off) / sum((one**2).sum() for one in apart))


def augmented_oracle(context: ProbeContext) -> dict[str, Any]:
    model = network().eval()
    model.load_state_dict(context.network.model.state_dict())
    right = [int(model(image[None] + 0.3).argmax()) == int(label) for image, label in zip(*batch(), strict=False)]
    return {"augmented_accuracy": np.mean(right)}


Oracle = Callable[[ProbeContext], dict[str, Any]]
ORACLES: dict[str, Oracle] = {
    "start": start_oracle,
    "forms": forms_oracle,
    "gradient": gradient_oracle,
    "regularisation": lambda context: {"penalty_gradient_norm": 0.25},
    "layer-gradients": layer_gradient_oracle,
    "activations": activation_oracle,
    "weights": weight_oracle,
    "direction": direction_oracle,
    "classes": classes_oracle,
    "order": order_oracle,
    "filters": filter_oracle,
    "slice": slice_oracle,
    "bending": bending_oracle,
    "slice-as-trained": slice_as_trained_oracle,
    "slice-augmented": augmented_oracle,
}
MEMORY = {"memory": {"resident_memory"}, "memory-by-epoch": {"resident_memory"}, "peak": {"peak_memory"}}


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_equals_its_second_author(name: str) -> None:
    context = one_update()
    seen = {one.key: one.value for one in PROBES[name].measure(context)}
    if name in MEMORY:
        assert set(seen) == MEMORY[name] and 1e7 < min(seen.values()) < 1e12
        return
    expected = ORACLES[name](context)
    assert set(seen) == set(expected)
    tolerance = 0.02 if name in ("slice-as-trained", "direction") else 2e-4
    for key, value in expected.items():
        assert seen[key] == pytest.approx(value, rel=tolerance, abs=1e-6), key


@pytest.mark.parametrize("name", PROBES)
def test_what_is_not_there_is_not_measured(name: str) -> None:
    net = network_of(nn.Identity())
    seen = {one.quantity for one in PROBES[name].measure(ProbeContext(1, 0, net))}
    assert seen == MEMORY.get(name, set())


def test_filters_that_are_not_trained_are_not_judged() -> None:
    context = one_update()
    layers_of(context)[0].weight.requires_grad_(False)
    assert not list(PROBES["filters"].measure(context))


def trained(names: tuple[str, ...] | None) -> tuple[bytes, list[float], set[str]]:
    """Five updates: every bit of the network, its optimiser, its gradients and the random streams afterwards."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    meter = (
        None if names is None else Meter(model, 2, lambda: 0.5, {name: PROBES[name] for name in names}, direction=True)
    )
    losses, keys = [], set()
    for step in range(5):
        if meter:
            meter.arm()
        images, labels = batch(step)
        model.train()
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        losses.append(float(loss.detach()))
        if meter:
            meter.gradients()
            meter.images = Slice(((images, labels),), (), model, F.cross_entropy, 3)
        optimizer.step()
        if meter:
            meter.updated()
            context = one_update_of(meter, images, labels)
            taken, start = meter.take(), meter.look("start", context)
            keys |= set(taken.step) | set(taken.layers) | set(start) | set(meter.look("epoch", context))
    if meter:
        meter.close()
        assert meter.trouble == ""
        assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())
    state = [*model.state_dict().values(), torch.get_rng_state(), torch.rand(3)]
    state += [one.grad for one in model.parameters()]
    state += [value for slot in optimizer.state.values() for value in slot.values() if isinstance(value, torch.Tensor)]
    modes = bytes(layer.training for layer in model.modules())
    return b"".join(one.numpy().tobytes() for one in state) + modes, losses, keys


def one_update_of(meter: Meter, images: torch.Tensor, labels: torch.Tensor) -> Callable[[], ProbeContext]:
    plain = tuple((images[start : start + 6], labels[start : start + 6]) for start in range(0, 24, 6))
    probabilities = np.full((24, 3), 1 / 3, np.float32)
    return lambda: ProbeContext(
        meter.step,
        0,
        meter.network,
        batch=Batch(torch.tensor(1.0), images, torch.zeros(24, 3), labels),
        validated=Validated(probabilities, labels.numpy(), ("a", "b", "c")),
        slice=Slice(plain, plain, meter.model, F.cross_entropy, 3),
        order=labels.numpy(),
    )


@pytest.mark.parametrize("name", [*PROBES, "all"])
def test_training_with_a_probe_on_has_the_same_bits(name: str) -> None:
    state, losses, _ = trained(None)
    names = tuple(PROBES) if name == "all" else (name,)
    measured = trained(names)
    assert measured[1] == losses and measured[0] == state
    assert measured[2], "nothing was measured"


def test_units_of_one_weight_each_are_not_said_to_be_alike() -> None:
    grey, wide = network_of(nn.Sequential(nn.Conv2d(1, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 1))).weighted
    assert math.isnan(float(unit_likeness(grey))), "any two numbers point the same way or the opposite"
    assert 0 < float(unit_likeness(wide)) < 0.9
