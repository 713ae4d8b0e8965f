"""Rules about gradients: vanishing, exploding, never cleared, and layers that no update reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import (
    Weight,
    Words,
    all_of,
    diagnosis,
    lasts,
    named,
    noise_of,
    share_error,
    spread_of,
    sure_of,
)
from babysit.diagnosing.frozen import LONG, mostly_frozen
from babysit.diagnosing.motion import motion_of
from babysit.diagnosing.rate import FIRST, LARGE, jump_of
from babysit.diagnosing.remedies import first_weights, short_gradients, slowing
from babysit.diagnosing.updates import left_in_lists, never_updated
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import CLEARED, Known
from babysit.record.log import RunLog
from babysit.record.series import Series

VANISHED = 1e-2
"""Gradient over weight in the first layer, over the same in the last, below which the first layers learn nothing."""

HIGH = 3.0
"""The loss over the first one from which on updates have thrown the network out of what it began as."""

EXPLODED = 30.0
"""Gradient norm from which on a first step can do harm; a mean loss of normalised inputs has about one."""

FEW = 12
"""Updates from which on it can be said that gradients are never cleared."""


def relative_gradients(log: RunLog) -> list[Series]:
    """Gradient norm over weight norm of each layer over time, in order of depth."""
    found = []
    for where in log.wheres("weight_gradient_norm"):
        gradient = log.series("weight_gradient_norm", where, kind="layers")
        norm = log.series("weight_norm", where, kind="layers")
        count = min(len(gradient), len(norm))
        if count:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = gradient.values[:count] / np.maximum(norm.values[:count], 1e-12)
            found.append(Series("weight_gradient_norm", where, gradient.steps[:count], gradient.epochs[:count], values))
    return found


def unreached_at_first(log: RunLog) -> bool:
    """Whether the first layer's share of the gradient was next to nothing before anything was learned."""
    layers = [one for one in relative_gradients(log) if one.values[0] > 0]
    return len(layers) > 2 and bool(layers[0].values[0] < VANISHED**2 * layers[-1].values[0])


PATIENCE = 150
"""Updates that a last layer which begins at zero is given."""


def vanishing_gradients(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The first layers get a gradient that is nothing beside the last one's, and the loss stands."""
    course, layers = course_of(log, known), relative_gradients(log)
    if course.short or len(layers) < 3:
        return
    first, last = layers[0], layers[-1]
    head = log.series("weight_norm", last.where, kind="layers").values[:1]
    # It begins at nothing on purpose, and passes nothing on until it is more.
    if course.count < PATIENCE and (head == 0).any():
        return
    count = min(len(first), len(last))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.log10(first.values[:count] / last.values[:count])
    shares = shares[np.isfinite(shares)]
    if len(shares) < 2:
        return
    recent = shares[-max(2, len(shares) // 2) :]
    share = float(np.median(shares))
    now = float(shares[-2:].min())
    if now > np.median(recent) + 1:  # a last layer that begins at nothing is soon like the others
        share = now
    vanished = sure_of(math.log10(VANISHED) - share, 0.1 + spread_of(shares) / math.sqrt(len(shares)))
    jump, _ = jump_of(course)
    # A network that was thrown into saturation has such gradients too, and had others before.
    motion = motion_of(log)
    torn = sure_of(math.log10(max(motion.early, 1e-12) / (FIRST * LARGE)), motion.early_spread)
    thrown = all_of(
        max(sure_of(math.log(max(jump, 1e-9) / HIGH), 0.1), torn), sure_of(shares[0] - math.log10(VANISHED), 0.1)
    )
    sure = all_of(vanished, course.poor, 1 - course.learning, 1 - thrown if thrown > 0.6 else 1.0)
    if sure <= 0.6:
        return
    words = Words(
        f"Gradients vanish on their way back: relative to its weights, {named(first.where)} gets {10**share:.1g} of the gradient that {named(last.where)} "
        f"gets, over {len(layers)} layers; the loss is {course.late:.4g}.",
        "Take ReLU instead of sigmoid or tanh, He's weights (--set init.kind=he), or a network with normalisation (--model quick, resnet18)",
        "nn.ReLU() for nn.Sigmoid(), nn.BatchNorm2d after each convolution, or a shortcut around every two layers",
        "With normalisation after each layer the first layer's share is as small.",
    )
    evidence = tuple(
        log.series("weight_gradient_norm", one.where, kind="layers").observation(-1) for one in (first, last)
    )
    yield diagnosis(
        "vanishing-gradients",
        "warn",
        words=words,
        weight=Weight(sure, int(first.steps[0]), evidence),
        remedy=slowing(known) or first_weights(known),
        where=first.where,
    )


def exploding_gradients(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Gradients are large from the start, or jump to many times their usual norm; and the loss suffers."""
    course, norms = course_of(log, known), log.series("gradient_norm", kind="step")
    if course.short or len(norms) < 8 or course.late < 0:
        return
    values = np.where(np.isfinite(norms.values), norms.values, np.inf)
    usual = float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else math.inf
    start = float(np.median(values[: max(3, len(values) // 50)]))
    peak = int(np.argmax(values))
    large = sure_of(math.log10(max(start, 1e-12) / EXPLODED), 0.2)
    jumped = sure_of(math.log10(max(values[peak], 1e-12) / 100) - math.log10(max(usual, start, 1e-12)), 0.2)
    harm = max(course.poor, sure_of(course.late - 1.2 * max(course.first, course.level), course.spread))
    sure = all_of(max(all_of(large, 1 - course.learning), jumped), harm)
    if sure <= 0.6:
        return
    words = Words(
        f"Gradients explode: their norm is {start:.3g} in the first updates and {values[peak]:.3g} at step {norms.steps[peak]}, "
        f"where {usual:.3g} is its median; the loss is {course.late:.3g}.",
        "Shorten long gradients: --set optim.clip=1, take smaller initial weights: --set init.kind=he, or a network with normalisation",
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step()",
        "With gradients shortened to 1 the loss goes the same way.",
    )
    weight = Weight(sure, int(norms.steps[peak]), (norms.observation(0), norms.observation(peak), *lasts(norms)))
    remedy = short_gradients(log, known, large=large > jumped)
    yield diagnosis("exploding-gradients", "warn", words=words, weight=weight, remedy=remedy)


def gradients_not_cleared(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Each gradient is added to those before it: as seen, or, where that was not looked at, as their growth tells."""
    if known.uncleared is None:
        yield from _growing_together(log, known)
        return
    course, motion = course_of(log, known), motion_of(log)
    if motion.measured and motion.ratio == 0:  # it is the gradients of another network that the optimiser clears
        return
    looked = min(course.count - 1, CLEARED)
    sure = sure_of(known.uncleared - 0.75, share_error(known.uncleared, looked))
    if course.count < FEW or sure <= 0.6:
        return
    norms = log.series("gradient_norm", kind="step")
    claim = (
        f"Gradients are never cleared: {known.uncleared:.0%} of the {looked} updates after the first one began with the gradient of the one "
        f"before, to which backward() adds; the loss is {course.late:.3g}."
    )
    yield diagnosis(
        "gradients-not-cleared", "warn", words=_cleared(claim), weight=Weight(sure, 0, lasts(norms, course.loss))
    )


def _growing_together(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """From the first step on the gradient grows with the number of steps."""
    course, norms = course_of(log, known), log.series("gradient_norm", kind="step")
    if course.short or len(norms) < 16 or len(course.loss) < 16 or course.late < 0:
        return
    values = norms.values[:12]
    if not np.isfinite(values).all() or values.min() <= 0:
        return
    fit = np.polyfit(np.log(np.arange(1, 13)), np.log(values), 1)[0]
    left = np.log(values) - np.polyval(
        np.polyfit(np.log(np.arange(1, 13)), np.log(values), 1), np.log(np.arange(1, 13))
    )
    grows = sure_of(float(fit) - 0.6, 0.05 + spread_of(left) / 2)
    calm = sure_of(1.15 * course.first - float(np.median(course.loss.values[4:12])), 0.02 * abs(course.first))
    rising = sure_of(float(np.mean(np.diff(values) > 0)) - 0.7, 0.1)
    later = float(np.median(norms.values[-max(8, len(norms) // 3) :]))
    grown = max(
        5 * values[0], 0.7 * values[-1]
    )  # small first weights have growing gradients too, which come down again
    stays = sure_of(math.log10(max(later, 1e-12) / grown), 0.2)
    after = norms.values[12:48]  # a sum over many gradients changes little from one update to the next
    steady = sure_of(0.1 - noise_of(np.log(np.maximum(after, 1e-12))), 0.02) if len(after) > 8 else 0.7
    sure = all_of(grows, calm, rising, stays, steady)
    if sure <= 0.6:
        return
    claim = (
        f"Gradients are never cleared: their norm grew from {values[0]:.3g} to {values[-1]:.3g} over the first twelve updates, in step with "
        f"their number, while the loss did not rise; it is {later:.3g} now."
    )
    weight = Weight(sure, int(norms.steps[0]), (norms.observation(0), norms.observation(11), *lasts(norms)))
    yield diagnosis("gradients-not-cleared", "warn", words=_cleared(claim), weight=weight)


def _cleared(claim: str) -> Words:
    return Words(
        claim,
        "In a recipe this cannot be: report it",
        "optimizer.zero_grad() once before every backward()",
        "The gradients are None or zero before every backward().",
    )


HALF_WAY = 0.5
"""The share of the way to a loss of zero from which on a body that runs without gradients does what it is meant to."""


def _cut_off(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Layers that are meant to be trained, run, and never get a gradient, while others do: the graph ends before them."""
    course, cut, unseen, reached = course_of(log, known), [], [], 0
    for where in log.wheres("update_ratio"):
        ratios = log.series("update_ratio", where, kind="layers")
        if len(ratios) < 3:
            continue
        if len(log.series("weight_gradient_norm", where, kind="layers")):
            reached += 1
        elif (ratios.values == 0).all() and len(log.series("activation_mean", where, kind="layers")):
            cut.append(ratios)
        elif (ratios.values == 0).all():  # it does not run, or under no_grad(), where nothing is looked at
            unseen.append(ratios)
    if len(unseen) > reached and course.way < HALF_WAY:
        cut += unseen
    if not cut or not reached or course.short:
        return
    names = ", ".join(named(one.where) for one in cut[:3]) + (f" and {len(cut) - 3} more" if len(cut) > 3 else "")
    words = Words(
        f"No gradient ever reaches the weights of {names}, though they run and are not frozen: what they give is cut off from the loss (looked at {len(cut[0])} times).",
        "In a recipe this cannot be: report it",
        "no .detach(), .data, .numpy() or torch.no_grad() between these layers and the loss; where it is meant: requires_grad_(False)",
        "After backward() their weights have a gradient.",
    )
    weight = Weight(
        sure_of(1 - 0.5, 1 / len(cut[0])), int(cut[0].steps[0]), tuple(one.observation(-1) for one in cut[:4])
    )
    meant = len(unseen) > reached and course.poor <= 0.6  # a body may run under no_grad() because it was trained before
    yield diagnosis("layer-not-trained", "note" if meant else "warn", words=words, weight=weight, where=cut[0].where)


def _none_at_all(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The gradient is zero at every update, and no weight ever changes: it was cleared before the update, or never made."""
    course, norms = course_of(log, known), log.series("gradient_norm", kind="step")
    ratios = [log.series("update_ratio", where, kind="layers") for where in log.wheres("update_ratio")]
    moved = any(len(one) and (one.values != 0).any() for one in ratios)
    looks = max((len(one) for one in ratios), default=0)
    dead = max([float(log.series("dead_share", where).values[0]) for where in log.wheres("dead_share")], default=0.0)
    if course.short or looks < 3 or (norms.values != 0).any() or moved or dead > 0.9:
        return
    words = Words(
        f"No weight of the network ever changes: when the optimiser makes its update, no gradient is there, or it is 0 (looked at {max(looks, len(norms))} times); the loss is {course.late:.3g}.",
        "In a recipe this cannot be: report it",
        "optimizer.zero_grad(); loss.backward(); optimizer.step() - in this order: nothing clears gradients between backward() and step()",
        "Before optimizer.step() the weights have gradients that are not zero.",
    )
    weight = Weight(
        sure_of(1 - 0.5, 1 / looks), int(ratios[0].steps[0]), (*lasts(norms, course.loss), *lasts(*ratios[:2]))
    )
    yield diagnosis("layer-not-trained", "warn", words=words, weight=weight)


RESOLVED = 1e-6
"""Of the largest layer's gradient: what is smaller is lost where it is added to a weight in float32, whoever holds it."""


def _no_weights(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Biases or scales are trained, the weights of no layer, and that does not do."""
    course, norms = course_of(log, known), log.series("gradient_norm", kind="step")
    weighted = [one.name for one in known.layers or () if one.kind.startswith(("Conv", "Linear"))]
    given = [log.series("activation_deviation", name, kind="layers") for name in log.wheres("activation_deviation")]
    looks = max((len(one) for one in given), default=0)
    if (
        course.count < LONG
        or len(weighted) < 2
        or log.wheres("update_ratio")
        or looks < 3
        or not (norms.values > 0).any()
    ):
        return
    sure = all_of(sure_of(1 - 0.5, 1 / looks), course.poor)
    if sure <= 0.6:
        return
    words = Words(
        f"The weights of none of the {len(weighted)} layers are trained, only what stands beside them (biases, scales of normalisation), and the loss is {course.late:.3g} "
        f"after {course.count} updates, where {course.level:.3g} is knowing nothing.",
        "Train all layers: --set optim.body_rate=1",
        "for weight in model.parameters(): weight.requires_grad_(True), before the optimiser is made of model.parameters()",
        "With the weights trained the loss stands as well.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), lasts(norms, course.loss))
    yield diagnosis("layer-not-trained", "warn", words=words, weight=weight, where=weighted[0])


def layer_not_trained(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A layer gets a gradient, and its weights never change: the optimiser does not hold them."""
    course = course_of(log, known)
    still, moving = [], 0
    norms = [log.series("weight_gradient_norm", where, kind="layers") for where in log.wheres("weight_gradient_norm")]
    least = RESOLVED * max((float(np.nan_to_num(one.values[:3]).max()) for one in norms if len(one)), default=0.0)
    for where in log.wheres("update_ratio"):
        ratios = log.series("update_ratio", where, kind="layers")
        gradients = log.series("weight_gradient_norm", where, kind="layers")
        if len(ratios) < 3:
            continue
        if (ratios.values == 0).all() and len(gradients) and (gradients.values[:3] > least).any():
            still.append(ratios)
        elif (ratios.values > 0).any():
            moving += 1
    alone = (never_updated, left_in_lists, _none_at_all, mostly_frozen, _no_weights)
    yield from (found := [one for rule in alone for one in rule(log, known)][:1])
    if found:
        return
    yield from _cut_off(log, known)
    if not still or course.short or (len(course.rate) and course.rate.values.max() == 0):
        return
    rows = min(len(one) for one in still)
    sure = sure_of(1 - 0.5, 1 / rows)
    names = ", ".join(named(one.where) for one in still[:3]) + (f" and {len(still) - 3} more" if len(still) > 3 else "")
    what = "No weight of the network" if not moving else f"The weights of {names} never"
    words = Words(
        f"{what} {'ever changes' if not moving else 'change'}, though gradients reach them: the optimiser does not hold them (looked at {rows} times).",
        "In a recipe this cannot be: report it",
        "optimizer = torch.optim.SGD(model.parameters(), ...) after the network has got its last form; requires_grad_(False) where it is meant",
        "The layer's weights differ between two checkpoints.",
    )
    evidence = tuple(one.observation(-1) for one in still[:4])
    weight = Weight(sure, int(still[0].steps[0]), evidence)
    yield diagnosis("layer-not-trained", "warn", words=words, weight=weight, where=still[0].where)
