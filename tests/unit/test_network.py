"""The default network, the self-test that chooses its arithmetic, the random streams, and the loop's promises."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from babysit.data.augment import Augmentation
from babysit.data.batches import Batches
from babysit.data.statistics import Statistics
from babysit.device import self_test
from babysit.errors import UserError
from babysit.losses import softmax_loss
from babysit.models import MODELS, Shape
from babysit.models.quick import pools_for, stages
from babysit.seeds import below, counted, permutation, stream_key
from babysit.training.precision import measured_step


def network(size: int = 16, classes: int = 4, width: int = 16):
    torch.manual_seed(0)
    return MODELS["quick"](Shape(size, classes, width)).to(memory_format=torch.channels_last)


@pytest.mark.parametrize("size", [4, 5, 8, 12, 16, 24, 32, 33, 64, 128])
def test_shapes_at_several_sizes(size: int) -> None:
    net = network(size, classes=7).eval()
    assert net(torch.randn(2, 3, size, size)).shape == (2, 7)
    assert all(channels % 16 == 0 for channels, _ in stages(size, 16))
    assert size // 2 ** pools_for(size) >= 2, "the maps must not vanish"


def test_too_small_images_are_refused() -> None:
    with pytest.raises(UserError, match="4 pixels and more"):
        network(3)


@pytest.mark.parametrize("size", [4, 8, 16, 32, 64])
def test_every_parameter_gets_a_gradient(size: int) -> None:
    net = network(size).train()
    softmax_loss(net(torch.randn(8, 3, size, size)), torch.arange(8) % 4).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.abs().sum() > 0), name


def test_pooling_stands_before_normalisation_and_convolutions_have_no_bias() -> None:
    kinds = [type(layer).__name__ for layer in network(32)]
    for place, kind in enumerate(kinds):
        if kind == "MaxPool2d":
            assert kinds[place - 1] == "Conv2d" and kinds[place + 1] == "BatchNorm2d"
    assert kinds[-1] == "Linear" and all(
        layer.bias is None for layer in network(32) if isinstance(layer, torch.nn.Conv2d)
    )


def test_evaluation_is_per_example() -> None:
    net = network().train()
    for _ in range(3):
        net(torch.randn(8, 3, 16, 16))
    net.eval()
    images = torch.randn(6, 3, 16, 16)
    with torch.inference_mode():
        alone = torch.cat([net(images[place : place + 1]) for place in range(6)])
        together, turned = net(images), net(images.flip(0)).flip(0)
    assert torch.allclose(alone, together, atol=1e-5) and torch.allclose(turned, together, atol=1e-5)


def test_memorises_a_batch_of_sixteen() -> None:
    net = network(8).train()
    images, labels = torch.randn(16, 3, 8, 8), torch.arange(16) % 4
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for _ in range(60):
        optimizer.zero_grad()
        loss = softmax_loss(net(images), labels)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05 and bool((net(images).argmax(1) == labels).all())


def part_of(size: int = 16) -> Batches:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (40, size, size, 3), np.uint8)
    statistics = Statistics((127.0,) * 3, (64.0,) * 3)
    return Batches(
        pixels, np.arange(40), generator.integers(0, 4, 40), size, statistics, torch.float32, torch.device("cpu")
    )


@pytest.mark.parametrize("asked", ["auto", "float32", "bfloat16"])
def test_the_self_test_leaves_no_trace(asked: str) -> None:
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    random, numbers = torch.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    chosen = self_test(asked, threads, measured_step(net, softmax_loss, part_of()), share=1.0)
    assert torch.equal(torch.get_rng_state(), random)
    assert (np.random.get_state()[1] == numbers).all()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert chosen.precision in ("float32", "bfloat16") and chosen.step_seconds > 0
    assert torch.get_num_threads() == chosen.threads == threads
    assert "train.precision" in chosen.reasons if asked == "auto" else chosen.precision == asked


def staged(losses: dict[torch.dtype, float], gradients: dict[torch.dtype, torch.Tensor], slow: torch.dtype):
    def step(dtype: torch.dtype):
        time.sleep(0.01 if dtype == slow else 0.001)
        return losses[dtype], gradients[dtype]

    return step


@pytest.mark.parametrize(
    ("loss", "gradient", "slow", "chosen"),
    [
        (1.01, [1.0, 2.0, 3.0], torch.float32, "bfloat16"),
        (1.01, [1.0, 2.0, 3.0], torch.bfloat16, "float32"),
        (1.20, [1.0, 2.0, 3.0], torch.float32, "float32"),
        (1.01, [-1.0, 2.0, -3.0], torch.float32, "float32"),
        (1.01, [float("nan"), 2.0, 3.0], torch.float32, "float32"),
        (float("nan"), [1.0, 2.0, 3.0], torch.float32, "float32"),
    ],
)
def test_bfloat16_is_taken_only_when_right_and_faster(loss: float, gradient: list[float], slow, chosen: str) -> None:
    losses = {torch.float32: 1.0, torch.bfloat16: loss}
    gradients = {torch.float32: torch.tensor([1.0, 2.0, 3.0]), torch.bfloat16: torch.tensor(gradient)}
    assert self_test("auto", torch.get_num_threads(), staged(losses, gradients, slow), share=0.01).precision == chosen


@pytest.mark.parametrize(("many_is_faster", "chosen"), [(True, 2), (False, 1)])
def test_more_threads_are_taken_only_when_faster(many_is_faster: bool, chosen: int) -> None:
    before = torch.get_num_threads()

    def step(dtype: torch.dtype):
        time.sleep(0.01 if (torch.get_num_threads() == 1) == many_is_faster else 0.001)
        return 1.0, torch.ones(3)

    try:
        torch.set_num_threads(2)  # a step of 1 to 10 ms stands for a batch of 100 times as many images
        measured = self_test("float32", None, step, share=0.01)
        assert measured.threads == torch.get_num_threads() == chosen and "train.threads" in measured.reasons
    finally:
        torch.set_num_threads(before)


def test_a_short_step_stays_with_one_thread_and_float32() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        measured = self_test("auto", None, lambda dtype: (1.0, torch.ones(3)), share=1.0)
        assert measured.threads == torch.get_num_threads() == 1 and "too little" in measured.reasons["train.threads"]
        assert measured.precision == "float32" and "too short" in measured.reasons["train.precision"]
    finally:
        torch.set_num_threads(before)


def test_clear_measurements_are_not_repeated() -> None:
    before, calls = torch.get_num_threads(), []

    def step(dtype: torch.dtype):
        calls.append(dtype)
        time.sleep(0.02 if dtype == torch.float32 else 0.002)
        return 1.0, torch.ones(3)

    try:
        torch.set_num_threads(1)
        assert self_test("auto", 1, step, share=0.01).precision == "bfloat16"
    finally:
        torch.set_num_threads(before)
    assert len(calls) == 1 + 2 + 2 + 4, "warmed up, two rounds alone; warmed up, two rounds of each"


def test_no_optimiser_imports_the_compiler() -> None:
    program = """
import sys, torch
from babysit.optim.optimizers import OPTIMIZERS
from babysit.recipe.schema import OptimPart
for name, make in OPTIMIZERS.items():
    layer = torch.nn.Linear(3, 2)
    optimizer = make([{"params": [layer.weight], "weight_decay": 0.1}, {"params": [layer.bias]}], OptimPart(kind=name))
    for _ in range(2):
        optimizer.zero_grad()
        layer(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert layer.weight.requires_grad and torch.isfinite(layer.weight).all()
print([name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "[]", done.stdout + done.stderr


# ---------------------------------------------------------------- seeds


def test_streams_differ_in_seed_name_and_epoch() -> None:
    keys = {
        stream_key(seed, name, epoch)
        for seed in range(5)
        for name in ("order", "augment", "init")
        for epoch in range(5)
    }
    assert len(keys) == 75 and all(0 <= key < 2**64 for key in keys)
    assert stream_key(0, "order", 1) == 0xDEB7FB7D2EFF3452, "another key would change every run's order"


def test_counted_numbers_depend_on_the_sample_not_on_its_place() -> None:
    key = stream_key(1, "augment", 2)
    whole = counted(key, np.arange(100), 3)
    assert whole.shape == (100, 3) and len(np.unique(whole)) == 300
    assert (counted(key, np.array([70, 3]), 3) == whole[[70, 3]]).all()
    assert (counted(key, np.arange(100), 2) == whole[:, :2]).all(), "more draws leave the first ones alone"


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 256, 1000])
def test_below_is_even(bound: int) -> None:
    drawn = below(counted(stream_key(0, "t"), np.arange(40_000), 1)[:, 0], bound)
    counts = np.bincount(drawn, minlength=bound)
    assert len(counts) == bound and np.abs(counts - 40_000 / bound).max() <= 6 * np.sqrt(40_000 / bound)


def test_every_bit_of_a_word_is_even() -> None:
    words = counted(stream_key(0, "bits"), np.arange(4096), 1)[:, 0]
    ones = [int(((words >> np.uint64(bit)) & np.uint64(1)).sum()) for bit in range(64)]
    assert all(abs(count - 2048) < 6 * 32 for count in ones)


def test_orders_are_permutations_of_seed_and_epoch() -> None:
    one = permutation(3, 5, 200)
    assert sorted(one.tolist()) == list(range(200)) and (permutation(3, 5, 200) == one).all()
    assert (permutation(3, 6, 200) != one).any() and (permutation(4, 5, 200) != one).any()


def test_batches_do_not_depend_on_their_boundaries() -> None:
    part = part_of()
    asked = Augmentation(2, "random")
    order = permutation(0, 0, 40)
    whole, labels, _ = part.training(order, asked, seed=0, epoch=0)
    halves = [part.training(order[start : start + 20], asked, seed=0, epoch=0) for start in (0, 20)]
    assert torch.equal(whole, torch.cat([half.images for half in halves]))
    assert torch.equal(labels, torch.cat([half.labels for half in halves]))
    plain = torch.cat([images for images, _ in part.plain(7)])
    assert plain.shape == (40, 3, 16, 16) and not torch.equal(plain[order], whole)
