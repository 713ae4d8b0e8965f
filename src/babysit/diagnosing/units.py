"""Rules about units: dead, saturated, without effect on the output, linear; and the look of the first filters."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import classes_of, course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, named, since, spread_of, sure_of
from babysit.diagnosing.form import AGREE, RECTIFYING, SQUASHING, Flattened, Form, end_of, flattened, form_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.gradients import unreached_at_first
from babysit.diagnosing.inputs import blank
from babysit.diagnosing.motion import motion_of
from babysit.diagnosing.remedies import first_weights, lower_rate, plain_inputs
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known, Layer
from babysit.record.log import RunLog
from babysit.record.series import Series

DEAD = 0.7
"""Share of a layer's units that are zero for a whole batch from which on too little gets through."""

PATIENCE, MOST = 150, 0.85
"""Updates, or share of a layer's units, from which on dead ones are warned of."""

SATURATED = 0.5
NOISY, CLEAN = 0.5, 0.15
"""Shares of the first layer's filters that are noise: from which on, and up to which."""

STRAIGHT = 1e-2
"""How far from half-way scores may be in a network that is one linear layer, by its rounding."""

WITH_WEIGHTS = ("Conv", "Linear", "Locally")


def dead_units(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Most units of a layer are zero for every image, get no gradient, and stay so; little was learned."""
    course = course_of(log, known)
    found = [one for one in by_layer(log, "dead_share") if len(one) >= 3]
    end = end_of(log, known)
    if end is not None and end.kind in RECTIFYING and not course.short:
        yield _scores_rectified(log, known, end)
        return
    if course.short or not found or blank(log):
        return
    worst = max(found, key=lambda one: float(np.median(one.values[-3:])))
    share = float(np.median(worst.values[-max(3, len(worst) // 3) :]))
    error = 0.03 + spread_of(worst.values[-max(3, len(worst) // 3) :])
    sure = all_of(sure_of(share - DEAD, error), course.poor, 1 - course.falling)
    if sure <= 0.6:
        return
    begun = float(worst.values[0])
    if begun < DEAD and unreached_at_first(log):  # then it is by their gradients that they cannot come back
        return
    when = (
        "from the start: initial weights or biases"
        if begun > DEAD
        else "since the training began: the rate was too high for them"
    )
    rate = float(course.rate.values.max()) if len(course.rate) else 0.0
    words = Words(
        f"Units are dead: {share:.0%} of {named(worst.where)} are zero for a whole batch ({begun:.0%} at the start), {when}; the loss is {course.late:.3g}.",
        f"Lower the rate: --set optim.lr={rate / 10 or 0.001:.2g}; take He's weights and no negative bias: --set init.kind=he --set init.bias=0",
        "nn.LeakyReLU(0.1) for nn.ReLU(), a tenth of the rate, biases of zero",
        "Over another batch most of these units are not zero.",
    )
    weight = Weight(sure, since(worst.steps, worst.values > DEAD), (worst.observation(0), *lasts(worst, course.loss)))
    remedy = {**first_weights(known), "init.bias": 0.0} if begun > DEAD else lower_rate(log, known)
    severity = "warn" if course.count >= PATIENCE or share > MOST else "note"  # a few units may yet find the way
    yield diagnosis("dead-units", severity, words=words, weight=weight, remedy=remedy, where=worst.where)


def _scores_rectified(log: RunLog, known: Known, end: Layer) -> Diagnosis:
    """A rectification behind the scores: a class whose score is below zero gets no gradient, and stays there."""
    course = course_of(log, known)
    shares = log.series("dead_share", end.name, kind="layers")
    least = log.series("score_least", kind="start")
    dead = f" {shares.values[-1]:.0%} of the classes had none above zero in the latest look;" if len(shares) else ""
    words = Words(
        f"Units of the scores are dead: the network ends in {end.kind}, so that a class whose score falls below zero gets no gradient any more;{dead} the loss is {course.late:.3g}.",
        "Networks of a recipe end in scores; in one of your own take the function away from its end",
        f"no {end.kind} after the last layer: cross_entropy takes scores of either sign",
        "Without it the loss falls no further.",
    )
    weight = Weight(sure_of(0.5, 1 / max(1, len(shares))), 0, lasts(shares, least, course.loss))
    return diagnosis("dead-units", "warn", words=words, weight=weight, where=end.name)


def saturated_units(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Most units of a tanh or sigmoid layer are at an end of their range, where the slope is nothing."""
    course = course_of(log, known)
    found = [one for one in by_layer(log, "saturated_share") if len(one) >= 3]
    end = end_of(log, known)
    if end is not None and end.kind in SQUASHING and not course.short:
        yield _scores_squashed(log, known, end)
        return
    form = form_of(log)
    if form is not None and form.name == "scores of length one" and abs(form.times - 1) < AGREE:
        yield _scores_of_one_length(log, known, form)
        return
    flat = flattened(log, known)
    if flat is not None and not flat.doubled:
        yield _scores_limited(log, known, flat)
        return
    if course.short or not found:
        return
    worst = max(found, key=lambda one: float(np.median(one.values[-3:])))
    share = float(np.median(worst.values[-max(3, len(worst) // 3) :]))
    slow = sure_of(0.5 - course.way, course.spread / course.level)
    sure = all_of(sure_of(share - SATURATED, 0.03 + spread_of(worst.values) / 2), slow)
    if sure <= 0.6:
        return
    words = Words(
        f"Units are saturated: {share:.0%} of {named(worst.where)} are at an end of their range ({worst.values[0]:.0%} at the start), where gradients are next to nothing; the loss is {course.late:.3g}.",
        "Smaller initial weights and normalised inputs: --set init.kind=xavier --set preprocess.kind=standardize",
        "nn.init.xavier_normal_(layer.weight), inputs of deviation 1, or nn.ReLU() in place of tanh and sigmoid",
        "With weights of a tenth of the size the loss falls no faster.",
    )
    weight = Weight(
        sure, since(worst.steps, worst.values > SATURATED), (worst.observation(0), *lasts(worst, course.loss))
    )
    prepared = (known.settings or {}).get("preprocess.kind", "standardize") == "standardize"
    remedy = {"init.kind": "xavier", "init.scale": None, **({} if prepared else plain_inputs())}
    yield diagnosis("saturated-units", "warn", words=words, weight=weight, remedy=remedy, where=worst.where)


def _scores_squashed(log: RunLog, known: Known, end: Layer) -> Diagnosis:
    """A function with two limits behind the scores: the softmax of scores that are at most so far apart is never sure."""
    course, classes = course_of(log, known), classes_of(known, log)
    shares = log.series("saturated_share", end.name, kind="layers")
    floor = math.log(1 + (classes - 1) * math.exp(-SQUASHING[end.kind]))
    words = Words(
        f"The scores saturate: the network ends in {end.kind}, whose values are at most {SQUASHING[end.kind]:g} apart, so that the softmax loss of {classes} classes cannot fall "
        f"below {floor:.3g}; it is {course.late:.3g}.",
        "Networks of a recipe end in scores; in one of your own take the function away from its end",
        f"no {end.kind} after the last layer: cross_entropy takes scores of any size",
        f"The loss falls below {floor:.3g}.",
    )
    sure = sure_of(course.late + 2 * course.spread - floor, course.spread)
    return diagnosis(
        "saturated-units", "warn", words=words, weight=Weight(sure, 0, lasts(shares, course.loss)), where=end.name
    )


def _scores_of_one_length(log: RunLog, known: Known, form: Form) -> Diagnosis:
    """Scores that are brought to length one and not made longer again: their softmax is never sure."""
    course, classes = course_of(log, known), classes_of(known, log)
    floor = math.log(1 + (classes - 1) * math.exp(-math.sqrt(classes / (classes - 1)))) if classes > 1 else 0.0
    words = Words(
        f"The scores saturate: in {len(form.given)} looks the loss was that of scores brought to length one, so that the softmax loss of {classes} classes cannot fall below {floor:.3g}; it is {course.late:.3g}.",
        "Networks of a recipe end in scores of any length; in one of your own leave out the last normalisation",
        "cross_entropy(16 * torch.nn.functional.normalize(scores, dim=1), labels), with a factor that makes them long enough, or the scores as they are",
        f"The loss falls below {floor:.3g}.",
    )
    return diagnosis(
        "saturated-units",
        "warn",
        words=words,
        weight=Weight(form.sure, 0, lasts(form.given, form.by_form, course.loss)),
    )


def _scores_limited(log: RunLog, known: Known, flat: Flattened) -> Diagnosis:
    """A function of two limits, or a temperature, in forward or in the loss: no layer shows it, and the loss does."""
    course, classes = course_of(log, known), classes_of(known, log)
    words = Words(
        f"The scores saturate on their way to the loss: of {course.accuracy:.0%} right answers it is {course.late:.3g}, and began at ln {classes}; in the latest of {len(flat.given)} looks it was "
        f"{flat.given.values[-1]:.3g}, and the softmax loss of the same scores {flat.softmax.values[-1]:.3g}: something with narrow limits stands between the two.",
        "Networks of a recipe end in scores; in one of your own take the function away from its end",
        "cross_entropy(scores, labels) takes scores of any size: no sigmoid, tanh, clamp or temperature before it",
        "cross_entropy of the same scores and labels has the same value.",
    )
    weight = Weight(flat.sure, 0, lasts(flat.given, flat.softmax, course.loss))
    return diagnosis("saturated-units", "warn", words=words, weight=weight)


def constant_output(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Every validation image gets the same answer."""
    course = course_of(log, known)
    shares = [log.series("predicted_share", where, kind="epoch") for where in log.wheres("predicted_share")]
    shares = [one for one in shares if len(one) >= 2]
    motion = motion_of(log)
    if (
        course.short or len(shares) < 2 or (motion.measured and motion.ratio == 0)
    ):  # what never moves answers as it began
        return
    top = max(shares, key=lambda one: float(one.values[-1]))
    share = float(np.min(top.values[-2:]))
    usual = max(course.chance, 1 / len(shares))
    bound = usual + 0.95 * (1 - usual)
    sure = all_of(sure_of(share - bound, 0.1 * (1 - usual) / max(1.0, len(top) ** 0.5)), course.at_chance)
    if sure <= 0.6:
        return
    words = Words(
        f"The network gives nearly every image the same answer: {share:.0%} of the validation images are called {top.where}; the loss is {course.late:.3g}.",
        f"Begin again with a tenth of the rate: --set optim.lr={course.rate.values.max() / 10 if len(course.rate) else 0.001:.2g}, and look at dead units and inputs",
        "print(model(images)[:5]) and, layer by layer, where the rows become equal",
        "The scores of two different images differ.",
    )
    weight = Weight(sure, since(top.steps, top.values > bound), lasts(top, course.loss))
    remedy = lower_rate(log, known)
    yield diagnosis("constant-output", "warn", words=words, weight=weight, remedy=remedy, where=top.where)


def no_nonlinearity(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Several layers with weights and no activation function between them: all of them together are one linear layer."""
    course = course_of(log, known)
    weights = [one for one in known.layers or () if one.kind.startswith(WITH_WEIGHTS)]
    if known.activations or len(weights) < 2 or course.short:
        return
    maxima = [one for one in known.layers or () if "MaxPool" in one.kind]
    bending = log.series("bending").values
    bending, straight = bending[np.isfinite(bending)], 1.0  # of a loop that blew up only the first look may be one
    if len(bending):
        straight = sure_of(math.log10(STRAIGHT) - math.log10(max(float(bending.max()), 1e-12)), 0.3)
    elif not known.has_recipe or _limited(log):  # functions called in forward are known by what they leave, if at all
        return
    if straight < 0.5 or not by_layer(log, "activation_mean"):
        return
    unlearned = sure_of(0.9 - (course.accuracy if math.isfinite(course.accuracy) else course.way), 0.05)
    sure = all_of(unlearned, sure_of(len(weights) - 1.0 - 0.5 * len(maxima), 0.5), straight)
    if sure <= 0.55:
        return
    words = Words(
        f"There is no activation function between {len(weights)} layers with weights, so that together they are one linear layer"
        + (f" but for {len(maxima)} maximum poolings" if maxima else "")
        + f"; the loss is {course.late:.3g}.",
        "Take an architecture that has them: --model convnet",
        "nn.ReLU() after every layer with weights but the last (functional calls in forward are not seen by the watcher)",
        "forward calls torch.nn.functional.relu or the like.",
    )
    weight = Weight(sure, 0, lasts(course.loss, *by_layer(log, "activation_mean")[:2]))
    severity = "note" if known.activations is None and not len(bending) else "warn"  # smooth functions leave no trace
    yield diagnosis("no-nonlinearity", severity, words=words, weight=weight)


def _limited(log: RunLog) -> bool:
    """Whether functions that are no layers leave traces: exact zeros anywhere, or two limits in most places at every look.

    Values of a linear layer lie between -1 and 1 too, here and there and for a while.
    """
    looks = max((len(one) for one in by_layer(log, "activation_mean")), default=0)
    places = len(log.wheres("weight_norm")) - 1
    bounded = [one for one in by_layer(log, "saturated_share") if len(one) >= looks]
    return bool(by_layer(log, "dead_share")) or len(bounded) > 0.5 * max(1, places)


def noisy_filters(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Most of the first layer's filters are noise after many updates, and validation lags: regularisation perhaps too weak."""
    course, shares = course_of(log, known), log.series("noisy_filters", kind="epoch")
    if len(shares) < 3 or course.count < 200:
        return
    gap = gap_of(log, known)
    share = float(np.median(shares.values[-3:]))
    sure = sure_of(share - NOISY, 0.1 + spread_of(shares.values[-5:]))
    if sure <= 0.7 or gap is None or sure_of(gap.difference - 0.1, gap.error) <= 0.6:
        return
    roughness = log.series("filter_roughness", kind="epoch")
    words = Words(
        f"{share:.0%} of the first layer's filters still look like noise after {course.count} updates, and validation is {gap.difference:.0%} behind training.",
        "Train longer, or regularise more: --set regularize.l2=0.005",
        "weight_decay=5e-3 in the optimiser",
        "They become smooth in the epochs to come.",
    )
    weight = Weight(sure, since(shares.steps, shares.values > NOISY), lasts(shares, roughness))
    yield diagnosis("noisy-filters", "note", words=words, weight=weight)


def clean_filters(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The first layer's filters are smooth: a good sign, and said as one."""
    course, shares = course_of(log, known), log.series("noisy_filters", kind="epoch")
    if len(shares) < 3 or course.count < 200 or course.poor > 0.5:
        return
    share = float(np.median(shares.values[-3:]))
    sure = sure_of(CLEAN - share, 0.05 + spread_of(shares.values[-5:]))
    if sure <= 0.7:
        return
    words = Words(
        f"The first layer's filters are clean: {share:.0%} of them look like noise. That is as it should be.",
        "Nothing to change",
        "# nothing to change",
        "They become noise again.",
    )
    weight = Weight(sure, since(shares.steps, shares.values < CLEAN), lasts(shares))
    yield diagnosis("clean-filters", "note", words=words, weight=weight)


def by_layer(log: RunLog, quantity: str) -> list[Series]:
    """A quantity of each layer that has it, in order of depth."""
    found = [log.series(quantity, where, kind="layers") for where in log.wheres(quantity)]
    return [one for one in found if len(one)]
