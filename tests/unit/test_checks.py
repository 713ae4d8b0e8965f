"""The ladder before training: planted faults are named at a right rung, healthy networks pass."""

from __future__ import annotations

import ast
import copy
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from babysit import api, checks
from babysit.api.running import read_request
from babysit.checks import ladder
from babysit.checks.data import data as data_rung
from babysit.checks.subject import Held, Subject, of_session
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.errors import UserError
from babysit.losses import hinge_loss
from babysit.models import MODELS, Shape
from babysit.recipe import Recipe
from babysit.record.observation import QUANTITIES
from babysit.show import Silent
from babysit.training import prepare

CLASSES, SIZE = 10, 8
QUICK_RUNGS = ("data", "network", "gradients", "initial loss", "regularisation", "inputs matter")


def shapes(count=200):
    """Bars at a place that is the class, on noise: standardised."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    images = torch.randn(count, 3, SIZE, SIZE, generator=generator) * 0.5
    for row, label in enumerate(labels.tolist()):
        images[row, :, label % SIZE, :] += 2.0 if label < SIZE else -2.0
    return (images - images.mean()) / images.std(), labels


def plain(*more):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 32), nn.ReLU(), nn.Linear(32, CLASSES), *more)


def filled(value):
    model = plain()
    for one in model.parameters():
        nn.init.constant_(one, value)
    return model


class Wrapped(nn.Module):
    def __init__(self, around):
        super().__init__()
        self.inner, self.around = plain(), around

    def forward(self, x):
        return self.around(self.inner, x)


def large():
    model = plain()
    for one in model.parameters():
        nn.init.normal_(one, std=1.0)
    return model


def off():
    model = plain()
    nn.init.constant_(model[1].bias, -100.0)
    return model


def batch_norm():
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(192, track_running_stats=False), nn.Linear(192, CLASSES))


MEAN = F.cross_entropy
FAULTS = {
    "doubled-softmax": (lambda: plain(nn.Softmax(1)), MEAN),
    "symmetric-weights": (lambda: filled(0.01), MEAN),
    "symmetric-weights ": (lambda: filled(0.0), MEAN),
    "huge-initialisation": (large, MEAN),
    "dead-layer": (off, MEAN),
    "no-gradient": (lambda: Wrapped(lambda net, x: net[3](net[:3](x).detach())), MEAN),
    "batch-dependent": (batch_norm, MEAN),
    "batch-dependent ": (lambda: Wrapped(lambda net, x: net(x - x.mean(0))), MEAN),
    "random-in-evaluation": (lambda: Wrapped(lambda net, x: net(F.dropout(x, 0.5))), MEAN),
    "wrong-shape": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 7)), MEAN),
    "wrong-sign": (plain, lambda s, y: -F.cross_entropy(s, y)),
    "sum-instead-of-mean": (plain, lambda s, y: F.cross_entropy(s, y, reduction="sum")),
    "missing-softmax": (plain, F.nll_loss),
    "loss-not-scalar": (plain, lambda s, y: F.cross_entropy(s, y, reduction="none")),
}


def climbed(model, loss, images, labels, names=QUICK_RUNGS):
    part = Held(images, labels)
    held_out = part.first(0)
    subject = Subject(model, loss, part, held_out, tuple("0123456789"), Recipe())
    return list(ladder._climb(subject, ((name, ladder.RUNGS[name].check) for name in names)))


def faults_of(outcomes):
    return {diagnosis.rule for one in outcomes for diagnosis in one.diagnoses}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault) -> None:
    make, loss = FAULTS[fault]
    outcomes = climbed(make(), loss, *shapes())
    expected = {"loss-not-scalar", "no-step"} if fault == "loss-not-scalar" else {fault.strip()}
    assert faults_of(outcomes) & expected, [one.text() for one in outcomes]


@pytest.mark.parametrize(
    ("fault", "change"),
    {
        "inputs-not-normalised": lambda x, y: (x * 64 + 128, y),
        "inputs-too-small": lambda x, y: (x / 255, y),
        "constant-images": lambda x, y: (x * 0 + 1, y),
        "labels-out-of-range": lambda x, y: (x, y + 1),
        "inputs-not-finite": lambda x, y: (x / 0, y),
        "one-class": lambda x, y: (x, y * 0),
    }.items(),
)
def test_bad_data_stop_the_ladder_at_its_first_rung(fault, change) -> None:
    outcomes = climbed(plain(), MEAN, *change(*shapes()))
    assert len(outcomes) == 1 and faults_of(outcomes) == {fault}


@pytest.mark.parametrize("name", ["quick", "two-layer", "linear", "convnet", "local"])
@pytest.mark.parametrize("loss", [F.cross_entropy, hinge_loss, F.multi_margin_loss])
def test_healthy_networks_pass(name, loss) -> None:
    torch.manual_seed(1)
    outcomes = climbed(MODELS[name](Shape(SIZE, CLASSES, 16)), loss, *shapes())
    assert not faults_of(outcomes) and len(outcomes) == len(QUICK_RUNGS), [one.text() for one in outcomes]


def test_a_doubled_softmax_stalls_where_the_formula_says() -> None:
    [outcome] = climbed(plain(nn.Softmax(1)), MEAN, *shapes(), names=("overfit a little",))
    assert faults_of([outcome]) == {"doubled-softmax"} and "1.46" in outcome.seen


def test_shuffled_labels_are_no_better_than_chance_and_true_ones_are() -> None:
    images, labels = shapes(400)
    for shuffled in (False, True):
        given = labels[torch.from_numpy(np.random.default_rng(0).permutation(400))] if shuffled else labels
        part, other = Held(images[:250], given[:250]), Held(images[250:], given[250:])
        subject = Subject(plain(), MEAN, part, other, tuple("0123456789"), Recipe())
        outcome = ladder.RUNGS["better than chance"].check(subject)
        assert outcome.verdict == ("failed" if shuffled else "passed"), outcome.text()


def test_ones_own_network_is_left_as_it_was_and_so_is_the_random_stream() -> None:
    images, labels = shapes()
    model = plain()
    before, stream = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    outcomes = api.check(model, MEAN, [(images, labels)], classes=CLASSES)
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert [one.rung for one in outcomes] == list(ladder.RUNGS) and not faults_of(outcomes)


def test_a_loader_that_yields_nothing_is_said() -> None:
    with pytest.raises(UserError, match="yields no images"):
        api.check(plain(), MEAN, [], classes=CLASSES)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [({}, "passed"), ({"augment.rotate": 180}, "not decided"), ({"augment.crop": 3}, "not decided")],
)
def test_augmentation_is_judged_on_digits_where_a_pixel_is_an_eighth_of_the_picture(changed, verdict) -> None:
    session = started("digits", changed)
    outcome = data_rung(of_session(session, most=1000, deadline=float("inf")))
    assert outcome.verdict == verdict, outcome.seen


def started(source, settings):
    """A training that is about to begin."""
    clock, lists = Clock(time.perf_counter()), read_lists(None, None)
    asked = read_request(source, None, settings).recipe
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=Silent())
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=Silent())
    session, session.recipe, _ = prepare.start(sized, images, clock)
    return session


def test_a_first_layer_that_is_fixed_on_purpose_is_no_doubt() -> None:
    asked = {"init.kind": "whitening", "init.fixed": True, "train.epochs": 1}
    outcomes = {one.rung: one for one in api.check_data("digits", settings=asked)}
    assert outcomes["network"].verdict == "passed" and "conv1.weight whitens" in outcomes["network"].seen


def test_every_number_that_a_rung_gives_as_evidence_has_a_unit() -> None:
    named = set()
    for path in sorted(Path(checks.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Found":
                given = [
                    one for one in [*node.args, *(word.value for word in node.keywords)] if isinstance(one, ast.Dict)
                ]
            elif isinstance(node, ast.Assign) and "evidence" in ast.unparse(node.targets[0]):
                given = [one for one in ast.walk(node.value) if isinstance(one, ast.Dict)]
            else:
                continue
            keys = [key for one in given for key in one.keys if isinstance(key, ast.Constant)]
            named |= {(path.name, key.value) for key in keys}
    assert len(named) > 20
    assert not {(file, name) for file, name in named if name not in QUANTITIES}


def test_a_training_that_a_rung_refuses_says_so_and_keeps_it(babysit, tmp_path) -> None:
    done = babysit(
        "train", "digits", "--model", "convnet", "--set", "regularize.dropout=0.97", "-o", "run", "--epochs", 1
    )
    assert done.returncode == 3 and "drops 97% of its inputs" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
