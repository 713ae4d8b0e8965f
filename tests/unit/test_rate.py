"""The learning-rate range test: what it reads, that it leaves no trace, and what `train` makes of it."""

from __future__ import annotations

import copy
import json
import math
import random
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_sessions import started

from babysit import api
from babysit.checkpoint import load_newest
from babysit.checks import start
from babysit.record.log import read_log
from babysit.record.run import Run
from babysit.reporting.rates import rate_figure
from babysit.searching import confirm, rate
from babysit.searching.reading import EXPLODED, FIRST_STEPS, WINDOW, RateTest, Sweep, read, smoothed
from babysit.searching.telling import told_rate
from babysit.show import Silent
from babysit.training import resolve
from babysit.training.loop import StepDone, train

FAST = {"model.name": "linear", "train.precision": "float32", "train.threads": 1, "train.epochs": 2}


def planted(moves, best, explodes, *, noise=0.01, seed=0):
    """A curve that is flat at 2.3 to `moves`, falls to 0.5 at `best`, stays, and explodes at `explodes`."""
    rates = np.geomspace(1e-6, 1e3, 181)
    generator = np.random.default_rng(seed)
    share = np.clip(np.log(rates / moves) / np.log(best / moves), 0, 1)
    losses = 2.3 - 1.8 * share + noise * generator.standard_normal(len(rates))
    end = int(np.searchsorted(rates, explodes))
    return Sweep(seed, tuple(rates[: end + 1]), (*losses[:end], 9.0))


def test_a_planted_curve_is_read() -> None:
    found = read(planted(1e-3, 1e-1, 1.0))
    assert found.moves and found.best and found.explodes
    assert found.first == pytest.approx(2.3, abs=0.02) and found.lowest == pytest.approx(0.5, abs=0.02)
    assert 8e-4 < found.moves < 3e-3, "barely moves until a tenth of the fall"
    assert 0.05 < found.best < 0.6, "anywhere on the floor"
    assert 0.8 < found.explodes < 1.3


@pytest.mark.parametrize("last", [math.nan, math.inf, 7.0])
def test_what_ends_a_sweep_is_an_explosion(last) -> None:
    curve = planted(1e-3, 1e-1, 1.0)
    assert read(Sweep(0, curve.rates, (*curve.losses[:-1], last))).explodes == curve.rates[-1]


def test_losing_all_that_was_gained_is_an_explosion_too() -> None:
    curve = planted(1e-3, 1e-1, 1.0)
    more = tuple(np.geomspace(1.1, 1e3, 60))
    found = read(Sweep(0, (*curve.rates[:-1], *more), (*curve.losses[:-1], *[2.4] * 60)))
    assert found.explodes
    assert 0.9 < found.explodes < 4


@given(st.integers(0, 1000), st.floats(1e-4, 0.5))
def test_noise_alone_suggests_nothing_or_hardly_anything(seed, noise) -> None:
    rates = np.geomspace(1e-6, 1e3, 181)
    losses = 2.3 + noise * np.random.default_rng(seed).standard_normal(181)
    found = read(Sweep(0, tuple(rates), tuple(losses)))
    assert found.suggestion is None or found.first - found.lowest < 5 * noise


@given(st.lists(st.floats(0.1, 100) | st.just(math.nan) | st.just(math.inf), min_size=1, max_size=60))
def test_smoothing_against_plain_loops(losses) -> None:
    losses = [2.0, *losses]
    ceiling, expected = EXPLODED * 2.0, []
    held = [min(ceiling, one) if math.isfinite(one) else ceiling for one in losses]
    for place in range(len(held)):
        total = weight = 0.0
        for other in range(max(0, place - WINDOW), min(len(held), place + WINDOW + 1)):
            share = WINDOW + 1 - abs(place - other)
            total, weight = total + share * held[other], weight + share
        expected.append(total / weight)
    assert smoothed(losses) == pytest.approx(expected, rel=1e-12)


def state_of(session):
    """Everything a training goes on from, as bytes and numbers."""
    tensors = {**session.model.state_dict(), **{f"o{k}": v for k, v in enumerate(_tensors(session.optimizer))}}
    return (
        {name: value.cpu().numpy().tobytes() for name, value in tensors.items()},
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        repr(np.random.get_state()),
        session.recipe,
        copy.copy(session.position),
        session.plan,
        session.model.training,
        torch.get_num_threads(),
    )


def _tensors(optimizer):
    return [v for one in optimizer.state_dict()["state"].values() for v in one.values() if isinstance(v, torch.Tensor)]


@pytest.mark.parametrize("model", ["two-layer", "quick"])
def test_a_range_test_in_the_middle_of_a_training_leaves_no_trace(model) -> None:
    def trained(between) -> list[float]:
        session, _ = started({**FAST, "model.name": model, "regularize.dropout": 0.3, "regularize.dropout_at": "all"})
        losses = []
        for event in train(session):
            if isinstance(event, StepDone):
                losses.append(event.loss)
            if len(losses) == 5:
                before = state_of(session)
                between(session)
                assert state_of(session) == before
            if len(losses) == 12:
                return losses
        raise AssertionError

    sweeping = trained(lambda session: rate.sweep(session, np.geomspace(1e-4, 1, 40).tolist(), seed=3))
    assert sweeping == trained(lambda _: None)


def test_a_sweep_is_bounded_and_ends_when_the_loss_passes_three_times_its_first_value() -> None:
    session, _ = started(FAST)
    rates = np.geomspace(1e-3, 1e4, 60).tolist()
    found = rate.sweep(session, rates, seed=0)
    assert FIRST_STEPS <= len(found.losses) < len(rates)
    assert not found.losses[-1] <= EXPLODED * found.losses[0]
    assert all(one <= EXPLODED * found.losses[0] for one in found.losses[FIRST_STEPS - 1 : -1])
    assert len(rate.sweep(session, [1e-6] * 25, seed=0).losses) == 25


def test_the_first_sweep_begins_with_the_weights_of_the_training() -> None:
    session, _ = started({**FAST, "model.name": "two-layer"})
    found = rate.sweep(session, [0.1] * 5, seed=session.recipe.seed)
    session.recipe = session.recipe.replace({"schedule": {"kind": "constant", "warmup": 0.0}, "optim.lr": 0.1})
    losses = [event.loss for event, _ in zip(train(session), range(5), strict=False) if isinstance(event, StepDone)]
    assert list(found.losses) == losses


def test_the_whole_test_on_digits(tmp_path) -> None:
    said = []

    class Told(Silent):
        def say(self, text):
            said.append(text)

    test = api.find_rate("digits", out=tmp_path / "rate.html", settings=FAST, show=Told())
    # A linear classifier on digits reaches its best after eight epochs with rates from 0.003 to 0.1.
    assert test.suggestion is not None and 0.003 <= test.suggestion <= 0.15 and test.sure in ("sure", "fairly sure")
    assert test.good is not None and test.explodes is not None
    assert test.good[0] < test.suggestion < test.good[1] < test.explodes
    page = (tmp_path / "rate.html").read_text()
    assert "barely moves" in page and "explodes" in page and f"suggested: {test.suggestion:g}" in page
    assert f"Learning rate {test.suggestion:g} for nesterov at 32 images a step" in page
    assert any("lies in the good range" in line for line in said)


def sketch(suggestions, used=0.1):
    sweeps = tuple(planted(1e-3, 1e-1, 1.0, seed=seed) for seed in range(3))
    suggested = [one for one in suggestions if one]
    factor = max(suggested) / min(suggested) if suggested else math.inf
    readings = tuple(
        type(found)(2.3, 0.5, *((1e-3, 4 * one) if one else (None, None)), 1.0)
        for found, one in zip(map(read, sweeps), suggestions, strict=True)
    )
    middle = sorted(suggested)[len(suggested) // 2] if len(suggested) > 1 else None
    return RateTest(sweeps, readings, middle, factor, used, "sgd", 32, 1.0)


@pytest.mark.parametrize(
    ("suggestions", "sure"),
    [
        ((0.02, 0.025, 0.03), "sure"),
        ((0.02, 0.03, 0.06), "fairly sure"),
        ((0.02, 0.03, 0.2), "not sure"),
        ((0.02, None, 0.02), "not sure"),
    ],
)
def test_how_sure_is_how_far_the_repeats_agree(suggestions, sure) -> None:
    assert sketch(suggestions).sure == sure
    assert f", {sure}:" in told_rate(sketch(suggestions))[0]


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (0.02, "lies in the good range"),
        (1e-5, "barely moves: try --set optim.lr=0.025"),
        (0.5, "above the good"),
        (3.0, "is where the loss explodes"),
    ],
)
def test_the_rate_that_is_used_is_judged(used, words) -> None:
    assert words in told_rate(sketch((0.02, 0.025, 0.03), used))[-1]


def test_nothing_is_suggested_when_nothing_falls() -> None:
    test = sketch((None, None, None))
    assert "No learning rate can be suggested" in told_rate(test)[0] and "babysit check" in told_rate(test)[1]
    assert "suggested" not in rate_figure(test.as_json())


def test_its_json_holds_no_number_that_json_does_not_know() -> None:
    curve = planted(1e-3, 1e-1, 1.0)
    broken = Sweep(0, curve.rates, (*curve.losses[:-1], math.nan))
    test = RateTest((broken,), (read(broken),), 0.02, 1.0, 0.1, "sgd", 32, 1.0)
    json.dumps(test.as_json(), allow_nan=False)
    assert rate_figure(test.as_json()).count("<path") > 3


def weights_of(run):
    kept, _, _ = load_newest(run.checkpoints)
    assert kept is not None
    return {name: value.numpy().tobytes() for name, value in kept.weights.items()}


def rows_of(run):
    return [row.repeatable() for row in read_log(run.log).rows]


@pytest.mark.parametrize(
    ("usual", "words"),
    [(30.0, "exploded with two seeds"), (3e-3, "did not move with two seeds"), (0.3, "brought the loss from")],
)
def test_train_confirms_or_corrects_the_rate_and_a_rerun_is_the_same_to_the_bit(
    tmp_path, monkeypatch, usual, words
) -> None:
    monkeypatch.setattr(resolve, "RATE_AT_256", usual)
    for name in ("LEAST_SECONDS", "MOST_SECONDS"):  # on a busy machine it must not depend on the clock
        monkeypatch.setattr(start, name, 60.0)
    first = Run(api.train("digits", out=tmp_path / "a", settings=FAST, anyway=True).run)
    text = first.recipe.read_text()
    line = next(one for one in text.splitlines() if one.startswith("lr = "))
    assert words in line
    used, ruled = float(line.split()[2]), float(f"{usual / 8 * 2 / 3 * 100 / 192:.4g}")
    assert used == ruled if usual == 0.3 else 1e-3 < used < 1
    assert words in json.dumps(first.read_manifest()["reasons"])

    def never(*_, **__):
        raise AssertionError("the rate is given, so it is not tested")

    monkeypatch.setattr(confirm, "tried", never)
    again = Run(api.train("digits", out=tmp_path / "b", recipe=first.recipe, anyway=True).run)
    assert weights_of(first) == weights_of(again) and rows_of(first) == rows_of(again)


def test_one_seed_alone_corrects_nothing(monkeypatch) -> None:
    session, _ = started(FAST)
    came = {0: "exploded", 1: "fell"}
    seen = []

    def tried(_, value, *, seed):
        seen.append((value, seed))
        return confirm.Try(value, 2.3, 9.0 if came[seed] == "exploded" else 1.0, came[seed])

    monkeypatch.setattr(confirm, "tried", tried)
    found = confirm.confirm_rate(session, deadline=math.inf)
    assert found.rate == session.recipe.optim.lr and not found.corrected
    assert "decided nothing: the loss went from 2.3 to 9 and from 2.3 to 1" in found.why
    assert [seed for _, seed in seen] == [0, 1]


def test_without_time_nothing_is_tried_and_that_is_said() -> None:
    session, _ = started(FAST)
    found = confirm.confirm_rate(session, deadline=time.perf_counter())
    assert found == confirm.Confirmed(session.recipe.optim.lr, confirm.UNTRIED)


def test_train_says_that_it_did_not_try_the_rate(tmp_path, monkeypatch) -> None:
    for name in ("LEAST_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(start, name, 0.0)
    said = []

    class Told(Silent):
        def say(self, text):
            said.append(text)

    run = Run(api.train("digits", out=tmp_path / "a", settings={**FAST, "train.epochs": 1}, show=Told()).run)
    assert any("optim.lr = " in line and confirm.UNTRIED in line for line in said)
    assert confirm.UNTRIED in next(one for one in run.recipe.read_text().splitlines() if one.startswith("lr = "))


def test_the_command_prints_one_object(babysit, tmp_path) -> None:
    done = babysit("search", "digits", "--only", "rate", "--set", "model.name=linear", "--json", "--quiet")
    assert done.returncode == 0 and not done.stderr
    found = json.loads(done.stdout)
    assert found["suggestion"] > 0 and len(found["repeats"]) == 3 and (tmp_path / "rate-digits.html").exists()
    wrong = babysit("search", "digits", "--only", "rate", "--set", "optim.lrr=1")
    assert wrong.returncode == 1 and "Did you mean 'optim.lr'?" in wrong.stderr
