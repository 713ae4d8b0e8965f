"""The ladder over networks, losses and loaders of one's own: how loaders are read, and what made-up scores tell of a loss."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from babysit import api
from babysit.checks import ladder
from babysit.checks.images import roughness
from babysit.checks.meaning import kind_of, lowest, meaning_fault, uniform
from babysit.checks.parameters import leaves
from babysit.checks.reading import read
from babysit.checks.signal import signals
from babysit.checks.subject import Held, Loading, Subject
from babysit.errors import UserError
from babysit.recipe import Recipe

CLASSES = 5


def images(count=100, size=8):
    """Bars at a place that is the class, on noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    made = torch.randn(count, 3, size, size, generator=generator) * 0.5
    for row, label in enumerate(labels.tolist()):
        made[row, :, label, :] += 2.0
    return (made - made.mean()) / made.std(), labels


def network(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, CLASSES), *more)


def subject(model, loss, part=None, loading=None):
    part = part or Held(*images())
    names = tuple(map(str, range(CLASSES)))
    return Subject(model, loss, part, part.first(0), names, Recipe(), loading=loading or Loading())


def rung(name, *given):
    """The faults that a rung names, and what it says."""
    outcome = ladder.RUNGS[name].check(subject(*given))
    return [one.rule for one in outcome.diagnoses], outcome.seen + outcome.advice


def test_a_loader_that_fills_the_same_tensors_again_is_copied() -> None:
    x, y = images(40)

    class Reused:
        def __iter__(self):
            image, label = torch.empty(10, 3, 8, 8), torch.empty(10, dtype=torch.long)
            for start in range(0, 40, 10):
                image.copy_(x[start : start + 10])
                label.copy_(y[start : start + 10])
                yield image, label

    held, loading = read(Reused())
    assert torch.equal(held.images, x) and torch.equal(held.targets, y)
    assert loading.sizes == (10,) * 4 and loading.kinds == (CLASSES,) * 4
    assert torch.equal(loading.first, loading.again)


def test_a_generator_is_read_once_and_nothing_is_said_of_a_second_pass() -> None:
    x, y = images(40)
    held, loading = read((x[start : start + 10], y[start : start + 10]) for start in range(0, 40, 10))
    assert len(held) == 40 and not len(loading.again)


def test_reading_a_shuffled_loader_leaves_the_random_stream_alone() -> None:
    loader = DataLoader(TensorDataset(*images()), batch_size=20, shuffle=True)
    model, before = network(), torch.get_rng_state()
    api.check(model, F.cross_entropy, loader, classes=CLASSES)
    assert torch.equal(torch.get_rng_state(), before)


X, Y = images(20)


@pytest.mark.parametrize(
    ("batches", "words"),
    [
        ([], "yields no images"),
        (DataLoader(TensorDataset(X, Y), batch_size=50, drop_last=True), "drop_last"),
        ([{"image": X, "label": Y}], "a batch is a dictionary"),
        ([X], "not a pair of tensors but Tensor"),
        ([(X, Y, Y)], "tuple of Tensor, Tensor, Tensor"),
        ([(X, Y.float())], "labels.long()"),
        ([(X, F.one_hot(Y, 5).float())], "labels.argmax(dim=1)"),
        ([(X, Y[:-1])], "labels of shape (19,)"),
        ([(X, Y), (X[..., :4], Y)], "batches, batch 2: images of shape (3, 8, 4) after others of (3, 8, 8)"),
    ],
)
def test_what_no_loader_should_yield_is_named_with_the_next_step(batches, words) -> None:
    with pytest.raises(UserError) as caught:
        api.check(network(), F.cross_entropy, batches, classes=CLASSES)
    assert words in str(caught.value)


def test_one_class_is_no_classification() -> None:
    with pytest.raises(UserError, match="classes is 1"):
        api.check(network(), F.cross_entropy, [(X, Y)], classes=1)


def test_labels_in_a_column_are_labels() -> None:
    held, _ = read([(X, Y[:, None])])
    assert torch.equal(held.targets, Y)


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_layers_that_wait_for_their_first_images_are_given_some() -> None:
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(CLASSES))
    outcomes = {one.rung: one for one in api.check(model, F.cross_entropy, [images()], classes=CLASSES)}
    assert outcomes["network"].verdict == "passed" and isinstance(model[1].weight, nn.UninitializedParameter)


class Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = [nn.Linear(192, 32)], nn.Linear(32, CLASSES)

    def forward(self, x):
        return self.head(F.relu(self.hidden[0](x.flatten(1))))


def test_weights_that_no_optimiser_would_get_are_found() -> None:
    model = Listed()
    found = {id(one) for one in leaves(model(X))}
    assert found == {id(one) for one in (*model.parameters(), *model.hidden[0].parameters())}
    faults, said = rung("network", Listed(), F.cross_entropy)
    assert faults == ["unregistered-weights"] and "(32, 192)" in said and "nn.ModuleList" in said


def frozen():
    model = network()
    model[1].requires_grad_(requires_grad=False)
    return model


def trained_and_frozen():
    model = frozen()
    model[1].weight.data.normal_(std=0.1)
    return model


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (frozen, ["frozen-at-random"]),
        (trained_and_frozen, []),
        (lambda: network(nn.Dropout(0.97)), ["dropout-too-strong"]),
        (lambda: network(nn.Dropout(0.5)), []),
    ],
)
def test_layers_that_do_not_train_or_pass_nothing_on(make, fault) -> None:
    assert rung("network", make(), F.cross_entropy)[0] == fault


def test_batch_normalisation_of_one_image() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, CLASSES))
    faults, said = rung("network", model, F.cross_entropy, None, Loading(sizes=(8, 8, 1)))
    assert faults == ["batch-norm-of-one"] and "drop_last=True" in said
    assert rung("network", model, F.cross_entropy, None, Loading(sizes=(8, 8)))[0] == []
    assert rung("network", network(), F.cross_entropy, None, Loading(sizes=(1, 1)))[0] == []


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = network()

    def forward(self, x):
        return self.inner(x / 20 if self.training else x)


def test_a_network_that_scales_its_inputs_in_training_only() -> None:
    assert rung("network", Scaled(), F.cross_entropy)[0] == ["evaluation-differs"]


def test_statistics_that_never_follow_show_once_the_images_are_learnt() -> None:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16, momentum=0.0), nn.ReLU(), nn.Flatten()]
    shifted = Held(images()[0] + 20.0, images()[1])
    faults, said = rung("overfit a little", nn.Sequential(*layers, nn.Linear(256, CLASSES)), F.cross_entropy, shifted)
    assert faults == ["evaluation-differs"] and "model.eval()" in said
    layers[1] = nn.BatchNorm2d(16, momentum=0.01)
    faults, _ = rung("overfit a little", nn.Sequential(*layers, nn.Linear(256, CLASSES)), F.cross_entropy, shifted)
    assert not faults


def test_the_signal_between_images_is_the_deviation_over_the_batch() -> None:
    model = network()
    seen = signals(model, X)
    with torch.no_grad():
        hidden = F.relu(model[1](X.flatten(1))).double()
    expected = hidden.var(dim=0).mean().sqrt()
    assert seen.between["3"] == pytest.approx(float(expected), rel=1e-5) and list(seen.between) == ["1", "3"]


def test_deep_small_weights_lose_the_images() -> None:
    layers = [nn.Flatten(), nn.Linear(192, 32)]
    for _ in range(4):
        layers += [nn.ReLU(), nn.Linear(32, 32)]
    model = nn.Sequential(*layers, nn.ReLU(), nn.Linear(32, CLASSES))
    for one in model.parameters():
        nn.init.normal_(one, std=1e-3)
    assert rung("network", model, F.cross_entropy)[0] == ["vanishing-signal"]


MEAN = F.cross_entropy
LOSSES = {
    "": [
        MEAN,
        nn.CrossEntropyLoss(weight=torch.linspace(1, 4, CLASSES), label_smoothing=0.1),
        nn.MultiMarginLoss(),
        lambda s, y: F.binary_cross_entropy_with_logits(s, F.one_hot(y, CLASSES).float()),
        lambda s, y: F.mse_loss(s, F.one_hot(y, CLASSES).float()),
    ],
    "labels-unrewarded": [
        lambda s, y: -F.log_softmax(s, 1)[:, y].mean(),
        lambda s, y: MEAN(s, (y + 1) % CLASSES),
        nn.CrossEntropyLoss(ignore_index=0),
        nn.CrossEntropyLoss(label_smoothing=1.0),
    ],
    "loss-mixes-images": [lambda s, y: F.nll_loss(F.log_softmax(s, 0), y)],
    "doubled-softmax": [lambda s, y: MEAN(s.softmax(1), y)],
    "bounded-scores": [lambda s, y: MEAN(s.tanh(), y)],
}


@pytest.mark.parametrize(("fault", "loss"), [(fault, loss) for fault, losses in LOSSES.items() for loss in losses])
def test_made_up_scores_tell_what_is_wrong_with_a_loss(fault, loss) -> None:
    scores = torch.randn(40, CLASSES, generator=torch.Generator().manual_seed(1))
    about = subject(network(), loss)
    found = meaning_fault(about, scores, uniform(about, scores, about.training.targets[:40]))
    assert (found.fault if found else "") == fault, found


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_the_least_of_a_smoothed_loss_is_the_entropy_of_its_targets(smoothing) -> None:
    share = torch.full((CLASSES,), smoothing / CLASSES).double()
    share[0] += 1 - smoothing
    entropy = -sum(p * math.log(p) for p in share.tolist() if p > 0)
    about = subject(network(), nn.CrossEntropyLoss(label_smoothing=smoothing))
    found = lowest(about, torch.randn(20, CLASSES), about.training.targets[:20])
    assert found == pytest.approx(entropy, abs=0.01)
    doubled = subject(network(), lambda s, y: MEAN(s.softmax(1), y))
    assert lowest(doubled, torch.randn(20, CLASSES), doubled.training.targets[:20]) == 0.0


def test_a_smoothed_loss_is_learnt_to_its_least() -> None:
    assert not rung("overfit a little", network(), nn.CrossEntropyLoss(label_smoothing=0.1))[0]


def test_the_kind_of_numbers_that_a_network_gives() -> None:
    scores = torch.randn(10, CLASSES)
    kinds = [kind_of(one) for one in (scores, scores.softmax(1), scores.log_softmax(1))]
    assert kinds == ["scores", "shares", "logarithms"]


def loaded(x, y, size=20):
    held, loading = read(list(zip(x.split(size), y.split(size), strict=True)))
    return held, loading


def data_faults(held, loading):
    return rung("data", network(), F.cross_entropy, held, loading)[0]


def test_labels_that_come_sorted_are_said_and_a_sorted_batch_of_all_is_not() -> None:
    x, y = images(400)
    order = y.argsort(stable=True)
    assert data_faults(*loaded(x[order], y[order])) == ["not-shuffled"]
    assert data_faults(*loaded(x[order], y[order], size=400)) == []
    assert data_faults(*loaded(x, y)) == []


def test_a_class_that_never_comes_is_missed_where_the_others_are_common() -> None:
    x, y = images(400)
    assert data_faults(*loaded(x[y != 2], y[y != 2])) == ["class-missing"]
    few = torch.cat([(y == label).nonzero()[:4, 0] for label in (0, 1, 3, 4)])
    assert data_faults(*loaded(x[few], y[few])) == []


def test_images_that_change_at_the_second_pass() -> None:
    x, y = images()
    changed = Loading(first=x, again=(x - 0.5) / 0.5)
    assert data_faults(Held(x, y), changed) == ["inputs-change"]
    again = x.roll(1, dims=-1) + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
    assert data_faults(Held(x, y), Loading(first=x, again=again)) == []


def test_axes_in_the_wrong_order() -> None:
    generator = torch.Generator().manual_seed(0)
    x = F.interpolate(torch.randn(60, 3, 4, 4, generator=generator), size=16, mode="bilinear")
    x = x + torch.tensor([-1.0, 0.0, 1.0])[:, None, None]
    x, y = (x - x.mean()) / x.std(), torch.arange(60) % CLASSES
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, CLASSES))

    def faults(given):
        return rung("data", net, F.cross_entropy, Held(given, y))[0]

    assert faults(x) == []
    assert faults(x.permute(0, 2, 3, 1).contiguous()) == ["channels-last"]
    assert faults(x.permute(0, 2, 3, 1).contiguous().reshape(x.shape)) == ["channels-mixed"]


def test_roughness_against_plain_loops() -> None:
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)).double()
    across = [
        abs(x[n, c, i, j + 1] - x[n, c, i, j]) for n in range(2) for c in range(3) for i in range(4) for j in range(4)
    ]
    down = [
        abs(x[n, c, i + 1, j] - x[n, c, i, j]) for n in range(2) for c in range(3) for i in range(3) for j in range(5)
    ]
    assert roughness(x) == pytest.approx(float(sum(across) / len(across) + sum(down) / len(down)))


def test_one_image_under_many_labels_and_images_never_filled() -> None:
    x, y = images()
    assert data_faults(Held(x[torch.arange(100) // 10], y), Loading()) == ["repeated-images"]
    assert data_faults(Held(x[torch.arange(100) % CLASSES], y), Loading()) == [], "copies with their own label"
    blank = x.clone()
    blank[70:] = 0
    assert "blank-images" in data_faults(Held(blank, y), Loading())
    ground = x.clone()
    ground[y == 0] = 0
    assert data_faults(Held(ground, y), Loading()) == [], "a class of blank images is a class"
