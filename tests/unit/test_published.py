"""State dicts made to the layouts of torchvision and timm: names and shapes written out here, values drawn."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from babysit.errors import UserError
from babysit.models import MODELS, Shape, build_model
from babysit.models.published import folded, load_published

Shapes = dict[str, tuple[int, ...]]


def normalisation(name: str, channels: int) -> Shapes:
    kinds = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{kind}": (channels,) for kind in kinds}, f"{name}.num_batches_tracked": ()}


def full(name: str, given: int, out: int) -> Shapes:
    return {f"{name}.weight": (out, given), f"{name}.bias": (out,)}


def convolution(name: str, given: int, out: int, kernel: int) -> Shapes:
    return {f"{name}.weight": (out, given, kernel, kernel), f"{name}.bias": (out,)}


def resnet(blocks: tuple[int, ...], *, bottleneck: bool, classes: int) -> Shapes:
    shapes: Shapes = {"conv1.weight": (64, 3, 7, 7), **normalisation("bn1", 64)}
    given = 64
    for stage, count in enumerate(blocks, start=1):
        width = 64 * 2 ** (stage - 1)
        out = 4 * width if bottleneck else width
        for number in range(count):
            block = f"layer{stage}.{number}"
            kernels = (
                [(given, width, 1), (width, width, 3), (width, out, 1)]
                if bottleneck
                else [(given, width, 3), (width, width, 3)]
            )
            for place, (before, after, kernel) in enumerate(kernels, start=1):
                shapes[f"{block}.conv{place}.weight"] = (after, before, kernel, kernel)
                shapes.update(normalisation(f"{block}.bn{place}", after))
            if number == 0 and given != out:
                shapes[f"{block}.downsample.0.weight"] = (out, given, 1, 1)
                shapes.update(normalisation(f"{block}.downsample.1", out))
            given = out
    return {**shapes, **full("fc", given, classes)}


VGG16_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG16_BN_PLACES = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
VGG16_WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)


def vgg16_features(places: tuple[int, ...]) -> Shapes:
    shapes: Shapes = {}
    given = 3
    for place, width in zip(places, VGG16_WIDTHS, strict=True):
        shapes.update(convolution(f"features.{place}", given, width, 3))
        if places is VGG16_BN_PLACES:
            shapes.update(normalisation(f"features.{place + 1}", width))
        given = width
    return shapes


def vgg16(places: tuple[int, ...]) -> Shapes:
    ends = (("classifier.0", 25088, 4096), ("classifier.3", 4096, 4096), ("classifier.6", 4096, 1000))
    shapes = vgg16_features(places)
    for name, given, out in ends:
        shapes.update(full(name, given, out))
    return shapes


def timm_vgg16() -> Shapes:
    return {
        **vgg16_features(VGG16_PLACES),
        **convolution("pre_logits.fc1", 512, 4096, 7),
        **convolution("pre_logits.fc2", 4096, 4096, 1),
        **full("head.fc", 4096, 1000),
    }


def alexnet() -> Shapes:
    shapes: Shapes = {}
    for place, given, out, kernel in (
        (0, 3, 64, 11),
        (3, 64, 192, 5),
        (6, 192, 384, 3),
        (8, 384, 256, 3),
        (10, 256, 256, 3),
    ):
        shapes.update(convolution(f"features.{place}", given, out, kernel))
    for place, given, out in ((1, 9216, 4096), (4, 4096, 4096), (6, 4096, 1000)):
        shapes.update(full(f"classifier.{place}", given, out))
    return shapes


INCEPTIONS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def googlenet(classes: int, *, heads: bool) -> Shapes:
    units = [("conv1", 3, 64, 7), ("conv2", 64, 64, 1), ("conv3", 64, 192, 3)]
    for name, (given, one, reduced3, three, reduced5, five, pooled) in INCEPTIONS.items():
        module = f"inception{name}"
        units += [
            (f"{module}.branch1", given, one, 1),
            (f"{module}.branch2.0", given, reduced3, 1),
            (f"{module}.branch2.1", reduced3, three, 3),
            (f"{module}.branch3.0", given, reduced5, 1),
            (f"{module}.branch3.1", reduced5, five, 3),
            (f"{module}.branch4.1", given, pooled, 1),
        ]
    shapes = full("fc", 1024, classes)
    for name, given in (("aux1", 512), ("aux2", 528)) if heads else ():
        units.append((f"{name}.conv", given, 128, 1))
        shapes.update(full(f"{name}.fc1", 2048, 1024) | full(f"{name}.fc2", 1024, classes))
    for name, given, out, kernel in units:
        shapes[f"{name}.conv.weight"] = (out, given, kernel, kernel)
        shapes.update(normalisation(f"{name}.bn", out))
    return shapes


LAYOUTS = {
    "resnet18": resnet((2, 2, 2, 2), bottleneck=False, classes=1000),
    "resnet34": resnet((3, 4, 6, 3), bottleneck=False, classes=1000),
    "resnet50": resnet((3, 4, 6, 3), bottleneck=True, classes=1000),
    "vgg16": vgg16(VGG16_PLACES),
    "vgg16-bn": vgg16(VGG16_BN_PLACES),
    "alexnet-one": alexnet(),
    "googlenet-bn": googlenet(1000, heads=True),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_names_and_shapes_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        network = MODELS[name](Shape(224, 1000, 0))
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == LAYOUTS[name]


def drawn(shapes: Shapes) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.tensor(7) if name.endswith("tracked") else torch.rand(shape, generator=generator) * 0.1
        for name, shape in shapes.items()
    }


def test_a_file_is_loaded_value_by_value() -> None:
    network = build_model("resnet18", Shape(32, 10, 0), seed=0)
    state = drawn(resnet((2, 2, 2, 2), bottleneck=False, classes=10))
    assert load_published(network, state) == ()
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_a_file_may_lack_auxiliary_heads_and_counters() -> None:
    network = build_model("googlenet-bn", Shape(32, 10, 0), seed=0)
    before = network.get_parameter("aux1.fc2.weight").clone()
    state = {name: value for name, value in drawn(googlenet(10, heads=False)).items() if "tracked" not in name}
    kept = load_published(network, state)
    assert "aux2.conv.conv.weight" in kept and all(name.startswith("aux") for name in kept)
    assert torch.equal(network.get_parameter("aux1.fc2.weight"), before)
    assert torch.equal(
        network.get_parameter("inception4d.branch3.1.conv.weight"), state["inception4d.branch3.1.conv.weight"]
    )


@pytest.mark.parametrize("size", [224, 256, 100, 32])
def test_timms_vgg_fits_at_every_size(size: int) -> None:
    with torch.device("meta"):
        network = MODELS["vgg16"](Shape(size, 1000, 0))
        state = {name: torch.empty(shape) for name, shape in timm_vgg16().items()}
    assert load_published(network, state) == ()


@pytest.mark.parametrize(("published", "side"), [(7, 1), (7, 3), (7, 4), (7, 6), (6, 1), (6, 5)])
def test_folding_is_averaging_first(published: int, side: int) -> None:
    torch.manual_seed(0)
    weight, images = torch.randn(5, 3 * published**2), torch.randn(4, 3, side, side)
    wanted = F.adaptive_avg_pool2d(images, published).flatten(1) @ weight.T
    assert torch.allclose(images.flatten(1) @ folded(weight, published, side).T, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda state: state.pop("layer2.0.conv1.weight"), "lacks layer2.0.conv1.weight"),
        (lambda state: state.update({"layer9.weight": torch.zeros(1)}), "layer9.weight, which this network has not"),
        (lambda state: state.update({"fc.bias": torch.zeros(1000)}), r"fc.bias has shape \(1000,\), .* \(10,\)"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_loaded(change, match: str) -> None:
    network = build_model("resnet18", Shape(32, 10, 0), seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = drawn(resnet((2, 2, 2, 2), bottleneck=False, classes=10))
    change(state)
    with pytest.raises(UserError, match=match):
        load_published(network, state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
