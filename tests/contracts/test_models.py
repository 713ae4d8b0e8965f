"""Every architecture of the table: its published count, its shapes, its gradients, its memory of weights and of a batch.

`make models` runs all of it; the tests marked `models`, which memorise a batch, are run for three networks otherwise.
"""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from functools import cache

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from babysit.errors import UserError
from babysit.losses import heads_of, objective, softmax_loss
from babysit.models import MODELS, Architecture, Shape, build_model
from babysit.models.alexnet import paper_initialisation
from babysit.models.traits import is_normalised


@dataclass(frozen=True)
class Expected:
    """Parameters at the published size, with and (behind) without auxiliary heads, and where the figure is from.

    `rate` of the memorising with Adam.
    """

    parameters: int
    source: str
    size: int = 32
    predicting: int = 0
    rate: float = 2e-3


TORCHVISION = "torchvision's documentation of the model, num_params"
DEEP = 3e-4
EXPECTED = {
    "quick": Expected(612_266, "by hand: convolutions 27w+2w+27w²+..., see the doctest of quick"),
    "linear": Expected(30_730, "3072 x 10 + 10"),
    "two-layer": Expected(154_160, "the lecture's network: 3072 x 50 + 50 + 50 x 10 + 10"),
    "convnet": Expected(6_440, "280 + 5 x 910 + 160 x 10 + 10"),
    "local": Expected(1_802_570, "10 (9c + 1) a position: 32², 16², 8² of them, twice each; 160 x 10 + 10"),
    "alexnet": Expected(60_965_224, "Caffe's bvlc_alexnet; sum over the paper's filters", 67, rate=DEEP),
    "alexnet-one": Expected(61_100_840, TORCHVISION, 67, rate=DEEP),
    "vgg11": Expected(132_863_336, TORCHVISION, rate=DEEP),
    "vgg13": Expected(133_047_848, TORCHVISION, rate=DEEP),
    "vgg16": Expected(138_357_544, TORCHVISION + "; the paper's table 2: 138 million", rate=DEEP),
    "vgg19": Expected(143_667_240, TORCHVISION + "; the paper's table 2: 144 million", rate=DEEP),
    "vgg11-bn": Expected(132_868_840, TORCHVISION),
    "vgg13-bn": Expected(133_053_736, TORCHVISION),
    "vgg16-bn": Expected(138_365_992, TORCHVISION),
    "vgg19-bn": Expected(143_678_248, TORCHVISION, rate=DEEP),
    "googlenet": Expected(13_378_280, "Caffe's bvlc_googlenet", 47, predicting=6_998_552, rate=DEEP),
    "googlenet-bn": Expected(13_004_888, TORCHVISION, predicting=6_624_904),
    "resnet18": Expected(11_689_512, TORCHVISION),
    "resnet34": Expected(21_797_672, TORCHVISION),
    "resnet50": Expected(25_557_032, TORCHVISION),
}
"""A network without an entry here fails."""

IN_MAKE_TEST = ("quick", "convnet", "resnet18")
"""What memorises a batch in `make test` too: with normalisation, without, and with shortcuts."""


def on_meta(name: str, shape: Shape) -> nn.Module:
    with torch.device("meta"):
        return MODELS[name](shape)


def small(name: str) -> Shape:
    return Shape(EXPECTED[name].size, classes=5, width=16)


@cache
def built(name: str) -> nn.Module:
    """The network at a small size with real weights; tests leave it as they found it.

    Without dropout, whose noise a test of gradients or memory does not want.
    """
    return still(build_model(name, small(name), seed=3))


def still(network: nn.Module) -> nn.Module:
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return network


def pictures(name: str, count: int) -> torch.Tensor:
    shape = small(name)
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, shape.channels, shape.size, shape.size, generator=generator)


def test_every_network_is_expected() -> None:
    assert set(MODELS) == set(EXPECTED)
    assert all(one.name == name and one.describes and one.source for name, one in MODELS.items())


@pytest.mark.parametrize("name", MODELS)
def test_the_count_is_the_published_one(name: str) -> None:
    one, expected = MODELS[name], EXPECTED[name]
    network = on_meta(name, Shape(one.size, one.classes, width=32))
    counts = {key: parameter.numel() for key, parameter in network.named_parameters()}
    assert sum(counts.values()) == expected.parameters
    predicting = sum(count for key, count in counts.items() if not key.startswith("aux"))
    assert predicting == (expected.predicting or expected.parameters)


@pytest.mark.parametrize("name", MODELS)
def test_it_fits_sizes_channels_and_classes(name: str) -> None:
    smallest = MODELS[name].smallest
    for size, channels, classes in ((smallest, 1, 2), (smallest + 1, 4, 3), (100, 3, 7), (227, 3, 1000), (320, 2, 5)):
        network = on_meta(name, Shape(size, classes, width=16, channels=channels))
        images = torch.zeros(2, channels, size, size, device="meta")
        assert heads_of(network.eval()(images))[0].shape == (2, classes)
        assert all(head.shape == (2, classes) for head in heads_of(network.train()(images)))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("resnet18", "resnet34", "resnet50", "quick")])
def test_the_smallest_size_is_the_smallest(name: str) -> None:
    """ResNets and quick could be given less and would have nothing to convolve."""
    one = MODELS[name]
    size = one.smallest - 1
    with pytest.raises(UserError, match=rf"{name} takes images of {one.smallest} pixels and more, not {size}"):
        one(Shape(size, classes=2, width=16))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, about weights without elements
        assert not takes(dataclasses.replace(one, smallest=0), size)


def takes(architecture: Architecture, size: int) -> bool:
    """Whether a network without its own check works at a size."""
    try:
        with torch.device("meta"):
            network = architecture(Shape(size, classes=2, width=16)).eval()
            network(torch.zeros(2, 3, size, size))
    except (RuntimeError, UserError, IndexError, ZeroDivisionError):
        return False
    return size > 0


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_gets_a_gradient_and_the_loss_begins_near_a_guess(name: str) -> None:
    """A guess among five classes costs ln(5) = 1.61."""
    network = built(name).train()
    torch.manual_seed(0)
    before = {key: value.clone() for key, value in network.state_dict().items() if "running" in key or "num" in key}
    own, minimised = objective(softmax_loss, heads_of(network(pictures(name, 4))), torch.arange(4))
    minimised.backward()
    assert abs(float(own.detach()) - 1.609) < 0.5
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.abs().sum() > 0), key
    network.zero_grad(set_to_none=True)
    network.load_state_dict(before, strict=False)


@pytest.mark.parametrize("name", MODELS)
def test_normalised_is_what_bears_large_rates(name: str) -> None:
    """VGG's full layers are not, with batch normalisation before them or without."""
    normalised = {"quick", "googlenet-bn", "resnet18", "resnet34", "resnet50"}
    assert is_normalised(on_meta(name, small(name))) == (name in normalised)


def test_alexnet_sees_the_image_from_the_start() -> None:
    """The paper's small weights hardly do at a small size; they can be had all the same."""
    images = pictures("alexnet", 4)
    network = build_model("alexnet", small("alexnet"), seed=3).eval()
    with torch.inference_mode():
        spread = network(images).std(dim=0).mean()
        assert spread > 100 * paper_initialisation(network)(images).std(dim=0).mean()
    biases = [network.get_parameter(f"{name}.bias").detach().mean() for name in ("fc7", "fc8")]
    assert biases == [1, 0]


@pytest.mark.parametrize("name", MODELS)
def test_evaluation_is_per_example(name: str) -> None:
    network, images = built(name).eval(), pictures(name, 3)
    with torch.inference_mode():
        together, alone = network(images), torch.cat([network(images[place : place + 1]) for place in range(3)])
    assert together.shape == (3, 5)
    assert torch.allclose(together, alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded_it_is_the_same(name: str) -> None:
    network, images = built(name).eval(), pictures(name, 2)
    kept = load(save({key: value.contiguous() for key, value in network.state_dict().items()}))
    again = on_meta(name, small(name)).eval()
    again.load_state_dict(kept, assign=True)
    with torch.inference_mode():
        assert torch.allclose(network(images), again(images), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_a_function_of_the_seed(name: str) -> None:
    shape = small(name)
    if sum(parameter.numel() for parameter in on_meta(name, shape).parameters()) > 15_000_000:
        pytest.skip("drawn by the same function as its smaller sister's, and 30 million draws take seconds")
    again, other = (build_model(name, shape, seed=seed).state_dict() for seed in (3, 4))
    assert all(torch.equal(value, again[key]) for key, value in built(name).state_dict().items())
    assert any(not torch.equal(value, other[key]) for key, value in again.items())


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_MAKE_TEST else pytest.mark.models) for name in MODELS]
)
def test_it_memorises_a_batch(name: str) -> None:
    network = still(build_model(name, small(name), seed=3)).train()
    images, labels = pictures(name, 8), torch.arange(8) % 5
    optimizer = torch.optim.Adam(network.parameters(), lr=EXPECTED[name].rate)
    for _ in range(200):
        optimizer.zero_grad()
        own, minimised = objective(softmax_loss, heads_of(network(images)), labels)
        minimised.backward()
        optimizer.step()
        if float(own.detach()) < 0.05:
            break
    assert float(own.detach()) < 0.05


def test_the_classifier_of_alexnet_one_sees_values_of_order_one() -> None:
    """Its stable rate falls with the square of their length; with He's plain variance they were four times as large."""
    network, seen = build_model("alexnet-one", small("alexnet-one"), seed=3).train(), []
    network.get_submodule("classifier.6").register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(pictures("alexnet-one", 16))
    assert 0.3 < float(seen[0].square().mean().sqrt()) < 2.0


PLAIN_AND_DEEP = ("alexnet", "alexnet-one", "vgg11", "vgg13", "vgg16", "vgg19", "googlenet")


@pytest.mark.parametrize("name", PLAIN_AND_DEEP)
def test_images_stay_different_on_their_way_through_a_deep_network(name: str) -> None:
    """What the classifier sees differs from image to image by half of its size or more; with He's plain weights less than a fifth."""
    network, seen = built(name).eval(), []
    last = [layer for key, layer in network.named_modules() if isinstance(layer, nn.Linear) and "aux" not in key][-1]
    hook = last.register_forward_pre_hook(lambda _layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(pictures(name, 16))
    hook.remove()
    differences = (seen[0] - seen[0].mean(0)).square().mean()
    assert differences > 0.25 * seen[0].square().mean()


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_a_residual_block_begins_near_its_shortcut(name: str) -> None:
    """Else features grow from block to block, and the loss in the first epoch with them (docs/log.md)."""
    network, sizes = built(name).train(), {}
    before = {key: value.clone() for key, value in network.state_dict().items() if "running" in key or "num" in key}

    def note(layer: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        if isinstance(layer.get_submodule("downsample"), nn.Identity):
            change = (output - inputs[0]).square().mean() / inputs[0].square().mean()
            sizes[layer] = float(change)

    blocks = [layer for layer in network.modules() if hasattr(layer, "downsample")]
    hooks = [layer.register_forward_hook(note) for layer in blocks]
    with torch.no_grad():
        network(pictures(name, 8))
    for hook in hooks:
        hook.remove()
    network.load_state_dict(before, strict=False)
    assert len(sizes) >= len(blocks) - 4
    assert max(sizes.values()) < 0.15
