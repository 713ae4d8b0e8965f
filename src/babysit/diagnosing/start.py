"""Rules about the beginning: initial weights and the first loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import Course, classes_of, course_of
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, named, share_error, spread_of, sure_of
from babysit.diagnosing.form import UNSUITABLE, unsuitable
from babysit.diagnosing.remedies import first_weights
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.series import Series

ALIKE = 0.99
"""Mean absolute cosine between the weights of two units of a layer from which on they are one unit."""

SURE_OF_NOTHING = 4.0
"""Deviation of an image's scores from which on an untrained network is sure, and mostly wrong."""

TINY = 0.12
"""First weights over He's below which signals die out; PyTorch's own are 0.4 of them."""

FAINT = 0.5
"""Deviation of the layers' outputs over the input's below which weights may be said to be small."""

FADING = 0.25
"""Deviation of a layer's output over that of the layer before, below which a signal dies out on its way."""


def initialisation_too_small(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Signals die out on their way through the untrained network, and the loss stands at its first value."""
    course = course_of(log, known)
    deviations = first_deviations(log)
    if course.short or len(deviations) < 2:
        return
    values = np.array([one.values[0] for one in deviations])
    if not (values > 0).all() or not np.isfinite(values).all():
        return
    given = _input_deviation(log)
    steps = np.diff(np.log10(np.concatenate([[given], values])))
    gain = float(np.mean(steps))
    fading = sure_of(math.log10(FADING) - gain, 0.1 + spread_of(steps) / math.sqrt(len(steps)))
    small = sure_of(-2.0 - (math.log10(values[-1]) - math.log10(given)), 0.3)
    stuck = _standing(course.loss, course.level)
    sure = all_of(max(fading, small), small, stuck)
    scale = first_scale(log)
    free = scale > 0 and not known.normalised and not any("Norm" in one.kind for one in known.layers or ())
    tiny = sure_of(math.log10(TINY / scale), 0.1) if free else 0.0
    faint = sure_of(
        math.log10(FAINT * given) - math.log10(float(np.median(values))), 0.1
    )  # else they were taken away later
    tiny = all_of(tiny, faint, stuck, course.poor, 1 - course.learning)
    if tiny > max(sure, 0.6):
        yield _tiny(log, known, scale, tiny)
        return
    if sure <= 0.6:
        return
    words = Words(
        f"The initial weights are too small: the deviation of activations falls from {given:.2g} at the input to {values[-1]:.2g} in the last "
        f"layer, a factor of {10**gain:.2g} a layer, and the loss stood at {course.first:.4g}.",
        "Take weights of the right size: --set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu') for every layer with weights",
        "With He's weights the loss stands as long.",
    )
    weight = Weight(sure, 0, tuple(one.observation(0) for one in deviations[-4:]))
    yield diagnosis("initialisation-too-small", "warn", words=words, weight=weight, remedy=first_weights(known))


def _tiny(log: RunLog, known: Known, scale: float, sure: float) -> Diagnosis:
    """Biases may hide in the activations that next to nothing comes through; weights of such a size let nothing through."""
    course = course_of(log, known)
    norms = [log.series("weight_norm", where, kind="layers") for where in log.wheres("units")]
    words = Words(
        f"The initial weights are too small: in the median of the layers they are {scale:.2g} of the size of He's, and the loss stood at {course.first:.4g} and is {course.late:.4g}.",
        "Take weights of the right size: --set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu') for every layer with weights",
        "With He's weights the loss stands as long.",
    )
    weight = Weight(sure, 0, tuple(one.observation(0) for one in norms if len(one))[:4])
    return diagnosis("initialisation-too-small", "warn", words=words, weight=weight, remedy=first_weights(known))


def first_scale(log: RunLog) -> float:
    """The first weights over He's, whose norm is sqrt(2 units): the median over the layers; 0 when not measured."""
    found = []
    for where in log.wheres("units"):
        norm, units = log.series("weight_norm", where, kind="layers"), log.series("units", where, kind="start")
        if len(norm) and len(units) and math.isfinite(norm.values[0]) and units.values[0] > 0:
            found.append(float(norm.values[0]) / math.sqrt(2 * float(units.values[0])))
    return float(np.median(found)) if found else 0.0


def initialisation_too_large(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The untrained network is sure of its wrong answers: its scores are far apart, and so is its loss from ln C."""
    course = course_of(log, known)
    spread = log.series("score_deviation", kind="start")
    first = log.series("initial_loss", kind="start")
    inputs = _input_deviation(log)
    classes = classes_of(known, log)
    if not len(spread) or not len(first) or classes < 2 or trained_before(known):
        return
    if course.short and (not course.count or math.isfinite(course.loss.values[-1])):  # of one that is over all is said
        return
    deviation, loss = float(spread.values[0]), float(first.values[0])
    wide = sure_of(math.log(max(deviation, 1e-9) / SURE_OF_NOTHING), 0.1)
    high = sure_of(math.log(max(loss, 1e-9) / (2 * math.log(classes))), 0.1)
    normal = sure_of(math.log(5.0) - math.log(max(inputs, 1e-9)), 0.1)
    saturated = saturation_at_start(log)
    sure = max(all_of(wide, high, normal), all_of(sure_of(saturated - 0.5, 0.05), normal, course.poor))
    if sure <= 0.6:
        return
    claim = f"The initial weights are too large: untrained, the network's scores differ by {deviation:.3g} (deviation) and its loss is {loss:.3g}, where {math.log(classes):.3g} is knowing nothing."
    if saturated > 0.5:
        claim += f" {saturated:.0%} of the units of a layer are saturated from the start."
    words = Words(
        claim,
        "Take weights of the right size: --set init.kind=he (xavier for tanh)",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu'), xavier_normal_ for tanh",
        "With weights of a tenth of the size the first loss is as high.",
    )
    weight = Weight(sure, 0, (*lasts(spread, first), *(one.observation(0) for one in first_deviations(log)[-3:])))
    yield diagnosis("initialisation-too-large", "warn", words=words, weight=weight, remedy=first_weights(known))


def symmetric_initialisation(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The units of a layer have the same weights, and get the same gradients: they stay one unit."""
    alike: list[Series] = []
    for where in log.wheres("unit_likeness"):
        one, units = log.series("unit_likeness", where, kind="layers"), log.series("units", where, kind="start")
        if len(units) and units.values[0] == 2:  # of two scores only the difference counts: they may well be opposed
            continue
        if len(one) >= 2 and one.values[0] > ALIKE and one.values[-1] > ALIKE - 0.05:
            alike.append(one)
    course = course_of(log, known)
    layers = len(log.wheres("weight_norm"))
    zeros = [log.series("weight_norm", where, kind="layers") for where in log.wheres("weight_norm")[:-1]]
    zeros = [one for one in zeros if len(one) >= 3 and (one.values == 0).all()]
    if zeros and not course.short:
        yield _all_zero(zeros, course, known)
        return
    if not alike or course.short:
        return
    closeness = [1 - float(np.min(one.values)) for one in alike]
    sure = all_of(sure_of((1 - ALIKE) - float(np.median(closeness)), 1e-3 + spread_of(closeness)), 1.0)
    if len(alike) == layers == 1 or sure <= 0.6:
        return
    names = ", ".join(named(one.where) for one in alike[:3])
    words = Words(
        f"The units of {names} all have the same weights (mean cosine {np.mean([one.values[-1] for one in alike]):.4f}) since the start, "
        f"so that {'each is' if len(alike) > 1 else 'it is'} one unit; the loss is {course.late:.3g}.",
        "Begin with random weights: --set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight); never zeros_ or constant_ for weights",
        "The cosine falls by itself in the steps to come.",
    )
    weight = Weight(sure, 0, tuple(one.observation(-1) for one in alike[:4]))
    yield diagnosis(
        "symmetric-initialisation",
        "warn",
        words=words,
        weight=weight,
        remedy=first_weights(known),
        where=alike[0].where,
    )


def _all_zero(zeros: list[Series], course: Course, known: Known) -> Diagnosis:
    """Weights that began at zero and are there still."""
    rows = min(len(one) for one in zeros)
    words = Words(
        f"The weights of {', '.join(named(one.where) for one in zeros[:3])} began at zero and are zero still (looked at {rows} times): no signal "
        f"and no gradient passes; the loss is {course.late:.4g}.",
        "Begin with random weights: --set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight); zeros_ for biases only",
        "They are not zero at the next look.",
    )
    weight = Weight(sure_of(0.5, 1 / rows), 0, tuple(one.observation(-1) for one in zeros[:4]))
    return diagnosis(
        "symmetric-initialisation",
        "warn",
        words=words,
        weight=weight,
        remedy=first_weights(known),
        where=zeros[0].where,
    )


LARGE_SCORES = 0.7
"""What is left of how sure a first loss of another size is the fault, where it is the softmax loss of the scores."""


def initial_loss_wrong(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The first loss is not that of a network that knows nothing; or the loss is one that suits numbers, not classes."""
    yield from (found := list(_unsuitable(log, known)))
    if found:
        return
    first = log.series("initial_loss", kind="start")
    spread = log.series("score_deviation", kind="start")
    classes = classes_of(known, log)
    if not len(first) or classes < 2 or course_of(log, known).short or trained_before(known):
        return
    expected, loss = math.log(classes), float(first.values[0])
    if known.loss_kind in ("hinge", "squared-hinge"):
        expected = classes - 1.0
    tolerance = 0.05 * expected + 2 * (float(spread.values[0]) if len(spread) else 0.0) / math.sqrt(classes)
    off = sure_of(abs(loss - expected) - 0.5 * expected, tolerance)
    if off <= 0.7 or not math.isfinite(loss):
        return
    words = Words(
        f"The first loss is {loss:.4g}; a network that knows nothing of {classes} classes has {expected:.4g}.",
        "Look at it with `babysit check DATA`; take the mean over the batch, and --set loss.kind=softmax",
        "loss = torch.nn.functional.cross_entropy(model(images), labels)",
        "The loss is another than softmax's, with a level of its own.",
    )
    known_form = known.loss_kind == "softmax"  # then scores were large, which says little of why
    weight = Weight(off * (LARGE_SCORES if known_form else 1), 0, lasts(first, spread))
    yield diagnosis("initial-loss-wrong", "note", words=words, weight=weight)


def _unsuitable(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    form, course = unsuitable(log), course_of(log, known)
    if form is None or course.short:
        return
    words = Words(
        f"The loss is {UNSUITABLE[form.name]} (in {len(form.given)} looks), not cross-entropy: it was {course.first:.3g} at first and is {course.late:.3g}. "
        "Its gradient is small where the network is surest and wrong.",
        "Take the loss of classes: --set loss.kind=softmax",
        "loss = torch.nn.functional.cross_entropy(model(images), labels)",
        "With cross-entropy and the same rate it learns no better.",
    )
    yield diagnosis(
        "initial-loss-wrong", "note", words=words, weight=Weight(form.sure, 0, lasts(form.given, form.by_form))
    )


def trained_before(known: Known) -> bool:
    """Whether the first weights came from a file: then the network may know something, perhaps of other images."""
    return bool((known.settings or {}).get("model.weights"))


def first_deviations(log: RunLog) -> list[Series]:
    """The deviations of activations in the first measurement, in order of depth; layers that were measured only."""
    found = [log.series("activation_deviation", where, kind="layers") for where in log.wheres("activation_deviation")]
    return [one for one in found if len(one)]


def saturation_at_start(log: RunLog) -> float:
    """The largest share of saturated units in a layer at the first look; 0 when not measured then."""
    shares = [log.series("saturated_share", where, kind="layers") for where in log.wheres("saturated_share")]
    looks = [row.step for row in log.rows if row.kind == "layers"][:1]
    first = [float(one.values[0]) for one in shares if len(one) and one.steps[0] in looks]
    return max((share for share in first if math.isfinite(share)), default=0.0)


def _input_deviation(log: RunLog) -> float:
    seen = log.series("input_deviation", kind="start")
    return float(seen.values[0]) if len(seen) and seen.values[0] > 0 else 1.0


def _standing(loss: Series, level: float) -> float:
    """How sure that the loss stood still over the first third of the course, at the level of knowing nothing."""
    early = loss.values[: max(24, len(loss) // 3)]
    tail = early[-max(8, len(early) // 3) :]
    error = max(spread_of(tail) / math.sqrt(len(tail)), 0.003 * level)
    return sure_of(0.03 * level - abs(float(np.median(tail)) - level), error + share_error(0.5, 1e6))
