"""The parts of a search that are pure: its space, its stages, when a trial is quitted, what is found and told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysit.errors import UserError
from babysit.recipe import Recipe
from babysit.searching import found, space, stages
from babysit.searching.quitting import Watch, at_share
from babysit.searching.space import Dimension, parse_over
from babysit.searching.stages import Effort, Result, Scene, Trial, choose
from babysit.searching.storage import About, without_password
from babysit.searching.telling import told_search

RATE = Dimension("optim.lr", 0.001, 1.0, logarithmic=True)
STRENGTH = Dimension("regularize.l2", 1e-6, 1e-2, logarithmic=True)
BOTH = (RATE, STRENGTH)
DIMENSIONS = [
    RATE,
    Dimension("optim.momentum", 0.5, 0.98),
    Dimension("model.width", 16, 64, whole=True),
    Dimension("a", choices=("x", 2, True)),
]


@given(st.sampled_from(DIMENSIONS), st.floats(0, 1))
def test_every_place_is_a_value_inside_and_comes_back(one, unit) -> None:
    value = one.value(unit)
    if one.choices:
        assert value in one.choices and one.value(one.unit(value)) == value
    else:
        assert one.low <= value <= one.high
        assert one.unit(value) == pytest.approx(unit, abs=0.02 if one.whole else 0.005)
    assert Dimension.of_json(one.as_json()) == one


def discrepancy(points) -> float:
    """The largest difference between a box's share of points and its volume, over boxes from the origin, by plain loops."""
    worst = 0.0
    for corner in points:
        inside = sum(all(point[axis] <= corner[axis] for axis in range(len(corner))) for point in points)
        worst = max(worst, abs(inside / len(points) - math.prod(corner)))
    return worst


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("count", [16, 27, 64])
def test_points_cover_the_space_more_evenly_than_random_ones(dimensions, count) -> None:
    ours = np.mean([discrepancy(space.points(count, dimensions, seed=seed).tolist()) for seed in range(8)])
    random = np.mean(
        [discrepancy(np.random.default_rng(seed).random((count, dimensions)).tolist()) for seed in range(8)]
    )
    assert ours < 0.9 * random


@given(st.integers(0, 2**40), st.integers(1, 6), st.integers(1, 40))
def test_points_are_of_the_cube_and_continue(seed, dimensions, count) -> None:
    whole = space.points(count, dimensions, seed=seed)
    assert whole.shape == (count, dimensions) and ((whole >= 0) & (whole < 1)).all()
    pieces = [space.points(1, dimensions, seed=seed, first=first) for first in range(count)]
    assert np.array_equal(whole, np.concatenate(pieces)), "a worker that joins continues the sequence"
    assert len({row.tobytes() for row in whole}) == count


def test_all_values_of_a_setting_differ_where_a_grid_has_few() -> None:
    points = space.points(27, 2, seed=0)
    rates = sorted(RATE.value(unit) for unit in points[:, 0])
    assert len(set(rates)) == 27
    assert max(np.diff(np.log(rates))) < 4 * math.log(1000) / 27, "no gap of more than four even steps"


def test_settings_are_read() -> None:
    over = "optim.lr, regularize.l2=1e-5..1e-3,model.name=quick|convnet,model.width=16..64,optim.momentum=0.8..0.95"
    rate, strength, name, width, momentum = parse_over(over, Recipe())
    assert rate.relative and rate.logarithmic and (rate.low, rate.high) == (0.01, 10)
    assert strength.logarithmic and (strength.low, strength.high) == (1e-5, 1e-3)
    assert name.choices == ("quick", "convnet")
    assert width.whole and not width.logarithmic and not momentum.logarithmic


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ("optim.lrr", "Did you mean 'optim.lr'?"),
        ("optim.lr=1..0.001", "the range 1..0.001 of optim.lr is upside down. Legal: optim.lr=0.001..1"),
        ("optim.lr=1..1", "is a single value"),
        ("optim.lr=a..b", "'a..b' is not a range of numbers"),
        ("optim.lr=0.1..inf", "has no end"),
        ("optim.lr=0.1", "leaves nothing to choose"),
        ("optim.momentum=0.5..1.5", "optim.momentum is 1.5"),
        ("model.width=16|17", "a multiple of 16"),
        ("schedule.tau", "there is no usual range for schedule.tau. Legal: schedule.tau=LOW..HIGH"),
        ("seed=0..5", "seed is not for a search to choose"),
        ("train.epochs=1..5", "train.epochs is not for a search to choose"),
        ("optim.lr,optim.lr", "optim.lr is named twice"),
        (" , ", "nothing is named"),
    ],
)
def test_bad_settings_are_named_with_the_next_step(over, words) -> None:
    with pytest.raises(UserError) as error:
        parse_over(over, Recipe())
    assert words in str(error.value) and "--over" in str(error.value)


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(UserError) as error:
        parse_over("optim.lrr,regularize.l2=2..1,seed", Recipe())
    assert len(error.value.faults) == 3


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6))
def test_narrowing_keeps_the_winners_and_stays_inside(places) -> None:
    winners = [space.at(BOTH, place) for place in places]
    for old, new in zip(BOTH, space.narrowed(BOTH, winners), strict=True):
        assert old.low <= new.low < new.high <= old.high
        assert all(new.low * 0.999 <= float(params[old.name]) <= new.high * 1.001 for params in winners)
        wide = math.log(new.high / new.low) / math.log(old.high / old.low)
        spread = max(old.unit(params[old.name]) for params in winners) - min(
            old.unit(params[old.name]) for params in winners
        )
        assert spread - 0.01 <= wide <= max(0.2, spread + 0.2) + 0.01


def test_choices_that_did_not_win_are_left_out() -> None:
    one = (Dimension("model.name", choices=("quick", "convnet", "linear")),)
    assert space.narrowed(one, [{"model.name": "quick"}, {"model.name": "linear"}])[0].choices == ("quick", "linear")


def test_a_best_value_at_an_edge_widens_the_range_unless_it_would_be_illegal() -> None:
    [grown] = space.widenings(BOTH, {"optim.lr": 0.95, "regularize.l2": 1e-4})
    assert grown.old == RATE and grown.new.low == RATE.low and grown.new.high == pytest.approx(10)
    assert grown.strip.high == grown.new.high and 0.4 < grown.strip.low < 0.6
    [grown] = space.widenings(BOTH, {"optim.lr": 0.03, "regularize.l2": 1.2e-6})
    assert grown.new.name == "regularize.l2" and grown.new.low < 1e-7 and grown.new.high == STRENGTH.high
    assert not space.widenings(BOTH, {"optim.lr": 0.03, "regularize.l2": 1e-4})
    dropout = (Dimension("regularize.dropout", 0.05, 0.95, logarithmic=True),)
    assert not space.widenings(dropout, {"regularize.dropout": 0.94}), "a probability is below 1"


def quality(params) -> float:
    """A made-up accuracy: best at a rate of 0.1, hardly dependent on the strength."""
    return (
        0.1
        + 0.8 * math.exp(-((math.log10(params["optim.lr"]) + 1) ** 2))
        - 0.002 * abs(math.log10(params["regularize.l2"]) + 4)
    )


def played(effort, *, seconds=10.0, step_seconds=0.1, total=90, seed=0, most=400):
    """A whole search by one worker, without training: every trial comes to its quality, small rates are quitted."""
    trials: list[Trial] = []
    spent, jobs = 0.0, []
    while len(jobs) < most:
        scene = Scene(BOTH, effort, trials, (), spent, total * step_seconds, seed)
        job = choose(scene)
        jobs.append(job)
        if job.what == "finish":
            return scene, jobs
        assert job.what != "wait", "there is nobody to wait for"
        number = len(trials) if job.what != "go" or job.number is None else job.number
        if job.what == "fresh":
            place = space.points(
                1, 2, seed=seed, first=job.index + {"coarse": 0, "widened": 500, "finer": 900}[job.origin]
            )[0]
            within = stages.fine_space(scene) if job.origin == "finer" else BOTH
            one = Trial(number, space.at(within, place), job.origin, seed, total, stage=job.stage)
        elif job.what == "seed":
            first = trials[job.number]
            one = Trial(number, first.params, "seed", seed + job.index + 1, total, stage=2, of=first.number)
        else:
            one = replace(trials[number], stage=job.stage, state="running")
        before = one.ends(one.stage - 1) if one.results else 0
        spent += (one.ends(one.stage) - before) * step_seconds
        value = quality(one.params) + 0.01 * (one.seed - seed)
        if value < 0.15 and one.stage == 0:
            one = replace(one, state="quit", reason="stuck at chance after 5 steps")
        else:
            one = stages.came_to(one, Result(one.ends(one.stage), value, 1 - value, value))
        trials = [*trials[:number], one, *trials[number + 1 :]]
    raise AssertionError("it does not end")


@given(st.integers(3, 60), st.integers(0, 1000))
def test_every_search_ends_with_a_winner_that_is_run_with_other_seeds(count, seed) -> None:
    scene, jobs = played(Effort(count), seed=seed)
    assert len(scene.of("coarse")) == count
    alive = [one for one in scene.trials if one.state != "quit"]
    best = stages.winner(scene.trials)
    if not alive:
        assert best is None
        return
    assert best is not None and best.results["last"].step == 90
    assert len(scene.of("seed")) == 2 and {one.seed for one in scene.of("seed")} == {seed + 1, seed + 2}
    assert all(one.of == best.number and one.params == best.params for one in scene.of("seed"))
    finer = [one for one in scene.trials if "finer" in one.results and one.origin != "finer"]
    assert len(finer) <= math.ceil(len(scene.of("coarse", "widened")) / 3)
    worst = min(one.results["coarse"].worth for one in finer)
    left = [one.results["coarse"].worth for one in alive if one not in finer and "coarse" in one.results]
    assert all(worst >= other for other in left), "only the best go on"
    order = [job.stage for job in jobs if job.what != "finish"]
    assert order == sorted(order), "a stage begins when the one before is complete"


def test_stages_are_a_ninth_a_third_and_the_whole() -> None:
    one = Trial(0, {}, "coarse", 0, 900)
    assert [one.ends(stage) for stage in range(3)] == [100, 300, 900]
    assert [replace(one, total=20).ends(stage) for stage in range(3)] == [10, 10, 20]
    assert Trial.of_json(one.as_json()) == one


@given(st.floats(60, 600), st.integers(0, 50))
def test_a_budget_is_kept_when_its_length_was_chosen_for_it(budget, seed) -> None:
    total = round(0.2 * budget / 0.1)
    scene, _ = played(Effort(budget=budget), total=total, seed=seed)
    assert len(scene.of("coarse")) >= stages.LEAST_COARSE and stages.winner(scene.trials)
    assert scene.of("seed")
    assert scene.spent <= 1.15 * budget


def test_what_a_dead_worker_left_comes_first_and_what_a_living_one_holds_is_waited_for() -> None:
    paused = stages.came_to(Trial(0, space.at(BOTH, (0.5, 0.5)), "coarse", 0, 90), Result(10, 0.5, 1.0, 0.5))
    running = Trial(1, space.at(BOTH, (0.6, 0.5)), "coarse", 0, 90)
    scene = Scene(BOTH, Effort(2), [paused, running])
    assert choose(scene) == stages.Job("go", 1, 0)
    assert choose(replace(scene, held=(1,))).what == "wait"
    more = replace(scene, held=(1,), effort=Effort(3))
    assert choose(more) == stages.Job("fresh", origin="coarse", index=2)


def watched(steps, **settings):
    """The first reason to quit over made-up steps (loss, accuracy), and after how many."""
    watch = Watch(
        **{"chance": 0.1, "total": 900, "judged_from": 40, "rivals": lambda kind, share: (), "keep": 2, **settings}
    )
    for number, (loss, accuracy) in enumerate(steps, start=1):
        if reason := watch.step(number, loss, accuracy, 64):
            return reason, number, watch
    return "", len(steps), watch


def test_a_healthy_trial_is_not_quitted() -> None:
    learning = [(2.3 * 0.98**step, min(0.9, 0.1 + 0.02 * step)) for step in range(300)]
    reason, _, watch = watched(learning)
    assert reason == "" and len(watch.curve) > 8 and watch.curve[-1][1] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("loss", "words"),
    [(math.nan, "no number"), (math.inf, "no number"), (6.91, "passed three times its first value, 2.3")],
)
def test_an_exploding_loss_is_quitted_at_once(loss, words) -> None:
    reason, step, _ = watched([(2.3, 0.1)] * 7 + [(loss, 0.1)] + [(2.3, 0.1)] * 50)
    assert words in reason and step == 8
    assert watched([(2.3, 0.1)] + [(6.89, 0.5)] * 8)[0] == "", "just below three times is let be"


def test_a_trial_that_stands_still_is_quitted_but_one_whose_loss_falls_is_not() -> None:
    reason, step, _ = watched([(2.3, 0.1)] * 200)
    assert "stuck at chance" in reason and 40 <= step < 80
    assert watched([(2.3 * 0.998**step, 0.1) for step in range(200)])[0] == ""
    assert watched([(2.3, 0.3)] * 200)[0] == ""
    rising = watched([(2.3, 0.1)] * 200, stuck_from=100)
    assert "stuck at chance" in rising[0] and 100 <= rising[1] < 140, "while its rate rises a trial may stand still"


@pytest.mark.parametrize(
    ("rivals", "quit_"), [((0.6, 0.62), True), ((0.6,), False), ((0.32, 0.31, 0.33), False), ((), False)]
)
def test_a_trial_that_is_behind_as_many_as_go_on_is_quitted(rivals, quit_) -> None:
    reason, step, _ = watched([(2.0, 0.3)] * 200, rivals=lambda kind, share: rivals)
    assert ("dominated" in reason and step >= 40) == quit_


def test_later_only_validation_speaks_against_a_trial() -> None:
    behind = {"by_training": False, "rivals": lambda kind, share: (0.6, 0.7) if kind == "training" else (0.5, 0.52)}
    reason, _, watch = watched([(2.0, 0.3)] * 100, **behind)
    assert reason == "", "a strongly regularised network is less accurate in training"
    watch.epoch(100, 0.49, 1000)
    assert watch.step(101, 2.0, 0.3, 64) == "" and watch.validation == [(round(100 / 900, 5), 0.49)]
    watch.epoch(200, 0.40, 1000)
    assert "validation accuracy 40.0% where 2 others had 50.0% and more" in watch.step(201, 2.0, 0.3, 64)


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=9, unique_by=lambda pair: round(pair[0], 3)
    ),
    st.floats(0, 1),
)
def test_a_curve_between_its_points(points, share) -> None:
    points = sorted(points)
    value = at_share(points, share)
    if not points[0][0] <= share <= points[-1][0]:
        assert value is None
    else:
        assert value == pytest.approx(np.interp(share, *zip(*points, strict=True)), abs=1e-6)


def test_what_mattered_and_what_is_safe_is_found_in_a_made_up_search() -> None:
    scene, _ = played(Effort(40))
    first, second = found.effects(scene, 0.1)
    assert first.name == "optim.lr" and first.clear and first.difference > 0.3
    assert second.name == "regularize.l2" and second.difference < first.difference / 2
    [rate, strength] = found.safe_ranges(scene, 0.1)
    assert rate.low < 0.1 < rate.high and rate.low > 0.01 and rate.high < 1
    assert strength.high / strength.low > 100, "any strength is safe"
    told = told_search(scene, 0.1)
    best = stages.winner(scene.trials)
    assert best is not None and f"Trial {best.number} is the best" in told[0]
    assert "1.0 points (standard deviation) are noise between seeds" in told[0]
    assert any(line.startswith("optim.lr mattered:") for line in told)
    assert any(line.startswith("optim.lr from") and "is safe" in line for line in told)
    assert any("quitted early" in line and "stuck at chance" in line for line in told)


def test_a_search_without_a_winner_says_so() -> None:
    dead = [
        Trial(number, space.at(BOTH, (0.5, 0.5)), "coarse", 0, 90, state="quit", reason="stuck at chance")
        for number in range(3)
    ]
    scene = Scene(BOTH, Effort(3), dead)
    assert choose(scene).what == "finish"
    told = told_search(scene, 0.1)
    assert told[0] == "No trial reached its full length." and "babysit check" in told[-1]
    assert found.as_json(scene, 0.1)["winner"] == {}


def test_a_second_best_within_the_noise_is_not_told_apart() -> None:
    params = space.at(BOTH, (0.5, 0.5))

    def whole(number, accuracy, **more):
        return Trial(
            number,
            params,
            more.pop("origin", "coarse"),
            0,
            90,
            stage=2,
            state="done",
            results={"last": Result(90, accuracy, 1.0, accuracy)},
            **more,
        )

    seeds = [whole(2, 0.78, origin="seed", of=0), whole(3, 0.80, origin="seed", of=0)]
    close = told_search(Scene(BOTH, Effort(3), [whole(0, 0.80), whole(1, 0.785), *seeds]), 0.1)
    assert "not told apart" in close[1]
    far = told_search(Scene(BOTH, Effort(3), [whole(0, 0.80), whole(1, 0.60), *seeds]), 0.1)
    assert "more than the noise between seeds" in far[1]


def test_a_password_is_not_shown() -> None:
    assert without_password("postgresql://me:secret@host:5432/db") == "postgresql://me:...@host:5432/db"
    assert without_password("sqlite:////a/b.db") == "sqlite:////a/b.db"
    about = About("study", "digits", (), Effort(9), 0, "postgresql://me:secret@host/db")
    assert about.as_json()["storage"] == "postgresql://me@host/db"


def test_the_usual_values_go_on_where_noise_alone_is_ahead_of_them() -> None:
    def trial(number: int, accuracy: float, *, usual: bool = False) -> Trial:
        one = Trial(number, space.at(BOTH, (0.5, 0.5)), "coarse", 0, 90, usual=usual)
        return stages.came_to(one, Result(10, accuracy, 1.0, accuracy))

    trials = [trial(0, 0.56, usual=True), trial(1, 0.575), trial(2, 0.50), trial(3, 0.40)]
    scene = Scene(BOTH, Effort(4), trials, images=1000)
    assert [one.number for one in stages.to_promote(scene, 0)] == [0, 1], "1.5 points in 1,000 images are noise"
    assert [one.number for one in stages.to_promote(replace(scene, images=100_000), 0)] == [1, 0]
    by_loss = [
        replace(one, results={"coarse": replace(one.results["coarse"], worth=-1.0 - one.number)}) for one in trials
    ]
    by_loss[0] = replace(by_loss[0], results={"coarse": replace(by_loss[0].results["coarse"], worth=-9.0)})
    assert stages.to_promote(replace(scene, trials=by_loss), 0)[0].number == 1, "ranked by another metric"
    behind = [trial(0, 0.45, usual=True), *trials[1:]]
    assert [one.number for one in stages.to_promote(replace(scene, trials=behind), 0)] == [1, 2]


def test_a_long_budget_keeps_time_for_three_finalists_and_a_short_one_for_one() -> None:
    short = Scene(BOTH, Effort(budget=240.0), [], whole_seconds=91.0)
    long = replace(short, effort=Effort(budget=1800.0))
    assert short.exploring() == pytest.approx(240 - 91 * (1 + 2 / 3))
    assert long.exploring() == pytest.approx(1800 - 91 * (3 * 2 / 3 + 2))
    assert replace(short, effort=Effort(budget=600.0)).exploring() == pytest.approx(300)
