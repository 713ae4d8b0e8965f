"""Rules about the size of the updates."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, sure_of
from babysit.diagnosing.motion import motion_of
from babysit.diagnosing.rate import ADAPTIVE, LARGE, SMALL, poor_since, slow, usual_rate
from babysit.diagnosing.remedies import lower_rate, lowered, unshortened
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

FALLEN, RISEN = 0.9, 0.15
"""Of the first epoch's loss, what is below it was learned; and so it was where validation accuracy differs by so much."""

TIGHT = 0.03
"""Bound of a gradient's norm below which plain steps are hardly any; usual norms are about one."""


def updates_too_large(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Late in the training an update is still a large part of the weights, and the loss has stopped falling."""
    course, motion = course_of(log, known), motion_of(log)
    if course.short or not motion.measured or course.late < 0:
        return
    by_ratio = sure_of(math.log10(max(motion.late, 1e-12) / LARGE), motion.spread)
    sure = all_of(by_ratio, course.poor, 1 - course.learning)
    if sure <= 0.6:
        return
    remedy = lower_rate(log, known)
    words = Words(
        f"Updates are too large: each changes the weights by {motion.late:.2g} of their norm, and 0.001 is usual; the loss is at {course.late:.3g}.",
        f"Lower the rate: --set optim.lr={lowered(log, known):.3g}",
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step(), or a tenth of the rate",
        "With smaller updates the loss stays where it is.",
    )
    weight = Weight(sure, poor_since(course), motion.observations())
    yield diagnosis("updates-too-large", "warn", words=words, weight=weight, remedy=remedy)


def updates_too_small(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Updates are smaller than the rate and the gradient alone would make them: something shortens them."""
    course, motion = course_of(log, known), motion_of(log)
    yield from (found := list(_always_clipped(log, known)))
    if found:
        return
    if course.short or not motion.measured or motion.ratio == 0:
        return
    # Momentum adds up steps: of gradients that have nothing in common the root of the sum of the squares is left.
    momentum = min(known.momentum or 0.0, 0.999) if known.optimizer_kind not in ADAPTIVE else 0.0
    lengthened = 1 / math.sqrt(1 - momentum**2)
    made = []
    for where, ratios in motion.layers.items():
        norm = log.series("weight_norm", where, kind="layers").values
        gradient = log.series("weight_gradient_norm", where, kind="layers").values
        count = min(len(ratios), len(norm), len(gradient))
        rates = np.interp(ratios.steps[-count:], course.rate.steps, course.rate.values) if len(course.rate) else []
        if not count or not len(rates):
            continue
        expected = lengthened * np.asarray(rates) * gradient[-count:]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ratios.values[-count:] * norm[-count:] / expected
        made += [value for value in share.tolist() if math.isfinite(value) and value > 0]
    share = float(np.median(made)) if made else 1.0
    shortened = sure_of(math.log10(0.1 / share), 0.2)
    small = sure_of(math.log10(SMALL) - math.log10(max(motion.ratio, 1e-12)), motion.spread)
    sure = all_of(shortened, small, course.poor)
    if sure <= 0.6:
        yield from _small_by_nature(log, known)
        return
    words = Words(
        f"Updates are too small: each changes the weights by {motion.ratio:.1g} of their norm, and that is {share:.1g} of what the "
        "learning rate times the gradient would make, with its momentum. Something shortens them: clipping, or the optimiser's epsilon.",
        "Take clipping away or raise it: --set optim.clip=1; with Adam or RMSprop take the usual epsilon: --set optim.epsilon=1e-8",
        "look at clip_grad_norm_'s bound and at the optimiser's eps",
        "Without clipping and with epsilon 1e-8 the updates are as small.",
    )
    weight = Weight(sure, poor_since(course), motion.observations())
    yield diagnosis("updates-too-small", "warn", words=words, weight=weight, remedy=unshortened(log, known))


def _small_by_nature(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The rate is a usual one and nothing shortens the updates, and still weights hardly move: the gradient is small."""
    course, motion, sure = course_of(log, known), motion_of(log), slow(log, known)
    if sure <= 0.6 or not usual_rate(course, known):
        return
    norms = log.series("gradient_norm", kind="step")
    words = Words(
        f"Updates are too small: each changes the weights by {motion.ratio:.1g} of their norm, and 0.001 is usual; the loss went from {course.first:.4g} to {course.late:.4g} in {course.count} updates. "
        f"A rate of {course.rate.values.max() if len(course.rate) else known.learning_rate or 0:.3g} is a usual one, so it is the gradient that is small.",
        "Take the loss and the first weights of a recipe: --set loss.kind=softmax --set init.kind=he",
        "print the gradient's norm: a loss that is divided by too much, scores that are squashed or divided before it, dead or saturated units, an eps of the optimiser, clipping",
        "With ten times the loss it learns no faster.",
    )
    weight = Weight(sure, poor_since(course), (*motion.observations(), *lasts(norms, course.loss)))
    yield diagnosis("updates-too-small", "warn", words=words, weight=weight)


def _always_clipped(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The gradient has the same norm at every step, a tiny one: it is always shortened to it.

    Adam and its family divide by the gradient's size, so that it does them no harm.
    """
    course, norms = course_of(log, known), log.series("gradient_norm", kind="step")
    values = norms.values[np.isfinite(norms.values)]
    if course.short or len(values) < 8 or known.optimizer_kind in ADAPTIVE or values.max() <= 0:
        return
    bound = float(np.median(values))
    same = float(np.mean(np.abs(values / bound - 1) < 2e-3)) if bound else 0.0
    sure = all_of(sure_of(same - 0.9, 0.02), sure_of(math.log10(TIGHT) - math.log10(max(bound, 1e-12)), 0.2))
    if sure <= 0.6:
        return
    words = Words(
        f"Updates are too small: every gradient is shortened to a norm of {bound:.2g}, where about 1 is usual, so that a rate of "
        f"{course.rate.values.max() if len(course.rate) else known.learning_rate or 0:.3g} does little; the loss is {course.late:.3g}.",
        "Take clipping away or raise it: --set optim.clip=1",
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0), or none at all",
        "Without clipping the loss falls no faster.",
    )
    severity = "warn" if sure_of(0.5 - course.way, course.spread / course.level) > 0.6 else "note"
    weight = Weight(sure, int(norms.steps[0]), (norms.observation(0), *lasts(norms, course.loss)))
    yield diagnosis("updates-too-small", severity, words=words, weight=weight, remedy=unshortened(log, known))


def never_updated(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Epochs are told of, and not one update was seen: `layer-not-trained`, of all layers."""
    told = log.series("validation_accuracy", kind="epoch")
    told = told if len(told) else log.series("train_loss", kind="epoch")
    losses = log.series("train_loss", kind="epoch").values
    learned = len(losses) > 1 and losses[-1] < FALLEN * losses[0]  # then another optimiser makes the updates
    learned = learned or (told.quantity == "validation_accuracy" and np.ptp(told.values) > RISEN)
    if known.has_recipe or len(told) < 2 or told.steps[-1] > 0 or log.of("step") or learned:
        return
    words = Words(
        f"The network was never updated: of the optimiser that is watched no update was seen, and {len(told)} epochs are over.",
        "In a recipe this cannot be: report it",
        "optimizer.zero_grad(); loss.backward(); optimizer.step() for every batch, with the optimiser that babysit.watch was given",
        "The weights differ from those before the first epoch.",
    )
    yield diagnosis("layer-not-trained", "warn", words=words, weight=Weight(0.97, 0, lasts(told)))


def left_in_lists(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Layers in plain lists, tuples or dictionaries get gradients, and no optimiser has them: `layer-not-trained`."""
    course = course_of(log, known)
    if not known.listed or not len(course.loss):
        return
    words = Words(
        f"The layers in {', '.join(known.listed[:3])} are never trained: they stand in a plain list, tuple or dictionary, where the network does not see them, so that no optimiser has their weights.",
        "In a recipe this cannot be: report it",
        "nn.ModuleList, nn.ModuleDict or nn.Sequential in its place, before the optimiser is made",
        "list(model.parameters()) has their weights.",
    )
    weight = Weight(0.97, 0, lasts(course.loss))
    yield diagnosis("layer-not-trained", "warn", words=words, weight=weight, where=known.listed[0])
