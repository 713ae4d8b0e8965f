"""Rules about regularisation that is too strong."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from babysit.diagnosing.course import classes_of, course_of
from babysit.diagnosing.evidence import (
    Weight,
    Words,
    aligned,
    all_of,
    diagnosis,
    lasts,
    share_error,
    spread_of,
    sure_of,
)
from babysit.diagnosing.form import smoothing_of
from babysit.diagnosing.generalising import Gap, gap_of
from babysit.diagnosing.rate import penalty_share
from babysit.diagnosing.remedies import less_dropout, weaker_penalties
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.record.series import Series

DROPPED = 0.65
"""Probability of dropping a unit above which little is left to learn with."""


def regularisation_too_strong(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The penalty pulls harder at the weights than the data do, and the data lose: weights shrink, the loss stays high."""
    for one in (_smoothed_away, _penalty_in_loss, _overwhelms, _withered):
        yield from (found := list(one(log, known)))
        if found:
            return


def _overwhelms(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """The penalty's gradient, which the settings tell, is as long as the data's; or a part of it, and the weights wither."""
    course, penalties = course_of(log, known), log.series("penalty_gradient_norm", kind="step")
    if course.short or len(penalties) < 3:
        return
    share = penalty_share(log)
    norms = norms_of(log)
    shrinking = shrinking_of(norms)
    pulls = sure_of(
        math.log10(max(share, 1e-9) / 0.5), 0.1 + spread_of(np.log10(np.maximum(penalties.values[-9:], 1e-12))) / 3
    )
    shrinks = all_of(sure_of(-shrinking - 0.1, 0.05), _never_blown_up(norms))
    withered = all_of(sure_of(-shrinking - 0.4, 0.05), sure_of(math.log10(max(share, 1e-9) / 0.03), 0.1))
    unlearned = sure_of(0.6 - course.way, course.spread / course.level)
    sure, severity = all_of(max(pulls, withered), shrinks, unlearned), "warn"
    if sure <= 0.6:  # it learns all the same
        sure, severity = all_of(withered, sure_of(0.97 - course.way, 0.01)), "note"
    if sure <= 0.6:
        return
    strength = max((one for one in (known.l2, known.decay, known.l1) if one), default=0.0)
    name = "l2" if known.l2 == strength else ("decay" if known.decay == strength else "l1")
    remedy = weaker_penalties(log, known)
    found = (remedy or {}).get(f"regularize.{name}")
    lower = f"{found:g}" if isinstance(found, float) else f"{strength / 100 or 5e-4:.2g}"
    words = Words(
        f"Regularisation overwhelms the data: its gradient is {share:.2g} times the data's, the weights have shrunk to {10**shrinking:.2g} of their first norm, and the loss is {course.late:.4g}, where {course.level:.4g} is knowing nothing.",
        f"Weaken it: --set regularize.{name}={lower}",
        f"weight_decay={lower} in the optimiser",
        "With that the loss stays as high.",
    )
    weight = Weight(sure, int(penalties.steps[0]), (*lasts(penalties, course.loss), *lasts(*norms[:2])))
    yield diagnosis("regularisation-too-strong", severity, words=words, weight=weight, remedy=remedy)


WITHERED = 1.5
"""Decades that the weights have shrunk by from which on it is no penalty that data can hold against."""


def _withered(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Weights shrink to nothing and the data do not hold them, whatever it is that takes them: a factor in the loop is in no optimiser."""
    course, norms = course_of(log, known), norms_of(log)
    shrinking = shrinking_of(norms)
    sure = all_of(sure_of(-shrinking - WITHERED, 0.3), sure_of(0.6 - course.way, course.spread / course.level))
    if course.short or sure <= 0.6:
        return
    words = Words(
        f"Something takes the weights away: they have shrunk to {10**shrinking:.2g} of their first norm, and the loss is {course.late:.4g}, where {course.level:.4g} is knowing nothing.",
        "Weaken the penalty: --set regularize.l2=0.0005",
        "look for a factor below 1 on the weights in the loop (weight.mul_, weight *=), a weight_decay near 1, or a clamp",
        "Without a penalty the weights shrink as fast.",
    )
    weight = Weight(sure, int(norms[0].steps[0]), (*lasts(course.loss), *lasts(*norms[:3])))
    remedy = weaker_penalties(log, known)
    yield diagnosis("regularisation-too-strong", "warn", words=words, weight=weight, remedy=remedy)


SMOOTHED = 0.6
"""Label smoothing from which on the other classes together weigh more than the label; the usual is 0.1."""


def _smoothed_away(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """In every look the loss is a mixture, mostly of what does not depend on the label: (1 - e) softmax + e all classes alike."""
    course, smoothing = course_of(log, known), smoothing_of(log, known)
    if course.short or smoothing is None:
        return
    share, given = smoothing.share, smoothing.given
    sure = all_of(sure_of(share - SMOOTHED, smoothing.error), sure_of(0.6 - course.way, course.spread / course.level))
    if sure <= 0.6:
        return
    words = Words(
        f"Label smoothing overwhelms the labels: in {len(given)} looks the loss was that of a smoothing of {share:.2g}, where 0.1 is usual; it is {course.late:.4g}, and {course.level:.4g} is knowing nothing.",
        "Smooth less: --set loss.smoothing=0.1",
        "torch.nn.functional.cross_entropy(scores, labels, label_smoothing=0.1): it is the share that is given away, not what the label keeps",
        "With a smoothing of 0.1 accuracy rises no faster.",
    )
    weight = Weight(sure, 0, lasts(given, smoothing.softmax, smoothing.alike))
    yield diagnosis("regularisation-too-strong", "warn", words=words, weight=weight)


TAKEN = 0.7
"""Decades that the weights have shrunk by from which on a penalty is worth a note though the data are learned."""


def norms_of(log: RunLog) -> list[Series]:
    norms = [log.series("weight_norm", where, kind="layers") for where in log.wheres("weight_norm")]
    return [one for one in norms if len(one) >= 2 and np.isfinite(one.values[[0, -1]]).all()]


BLOWN_UP = 10.0
"""Times their first norm that weights came to once, from which on it was no penalty that moved them."""


def _never_blown_up(norms: list[Series]) -> float:
    """How sure that the weights were never thrown far beyond their first norm, from which any penalty fetches them back."""
    most = [float(np.nanmax(one.values)) / max(float(one.values[0]), 1e-12) for one in norms]
    return sure_of(math.log10(BLOWN_UP / max(float(np.median(most)), 1e-12)), 0.1) if most else 1.0


def shrinking_of(norms: list[Series]) -> float:
    """By how many decades the weights have grown since the first look, in the median of the layers; negative: shrunk."""
    grown = [math.log10(max(one.values[-1], 1e-12) / max(one.values[0], 1e-12)) for one in norms]
    return float(np.median(grown)) if grown else 0.0


def _penalty_in_loss(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """What is added to the softmax loss falls with the weights, and the softmax loss stays where it was: a penalty in the loss."""
    course, norms, classes = course_of(log, known), norms_of(log), classes_of(known, log)
    given, data = aligned(log.series("loss_of_batch"), log.series("loss_by_form", "softmax"))
    if course.short or len(given) < 3 or classes < 2 or not norms or not np.isfinite([given.values, data.values]).all():
        return
    level, more = math.log(classes), given.values - data.values
    late = float(np.median(data.values[-3:]))
    fallen = sure_of(0.6 - float(more[-1] / max(more[0], 1e-9)), 0.05)
    shrinking = shrinking_of(norms)
    caused = all_of(sure_of(float(more[0]) - 0.1 * level, 0.03 * level), fallen, sure_of(-shrinking - 0.1, 0.05))
    sure, severity = all_of(caused, sure_of(late - 0.6 * level, 0.03 * level)), "warn"
    if sure <= 0.6:  # it learns all the same
        sure, severity = all_of(caused, sure_of(-shrinking - TAKEN, 0.1), sure_of(0.97 - course.way, 0.01)), "note"
    if sure <= 0.6:
        return
    words = Words(
        f"Regularisation overwhelms the data: to a softmax loss of {data.values[0]:.3g} it added {more[0]:.3g} at first, the weights have shrunk to {10**shrinking:.2g} of their first norm, and of the loss of {given.values[-1]:.3g} "
        f"{late:.3g} is left to the data, where {level:.3g} is knowing nothing.",
        "Weaken it: --set regularize.l1=1e-05",
        "a hundredth of the penalty that is added to the loss; a sum over all weights wants a strength of 1e-5 or so",
        "With that the softmax loss stays as high.",
    )
    weight = Weight(sure, int(given.steps[0]), lasts(given, data, *norms[:2]))
    remedy = weaker_penalties(log, known)
    yield diagnosis("regularisation-too-strong", severity, words=words, weight=weight, remedy=remedy)


def dropout_too_strong(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """So many units are dropped that training hardly learns; validation, without dropout, is better."""
    course, gap = course_of(log, known), gap_of(log, known)
    if course.short or gap is None:
        return
    yield from (found := [*_dropping_always(log, known, gap), *_judged_while_dropping(log, known, gap)][:1])
    if found:
        return
    if not known.dropout:
        yield from _dropping_unseen(log, known)
        return
    training = log.series("train_accuracy", kind="epoch")
    strong = sure_of(known.dropout - DROPPED, 0.03)
    low = sure_of(0.5 - course.way, course.spread / course.level)
    better = sure_of(
        float(gap.validation.values[-1]) - (float(training.values[-1]) if len(training) else 1.0) + 0.05, gap.error
    )
    sure, severity = all_of(strong, low, better), "warn"
    if sure <= 0.6:  # little harm was done, but the settings say enough
        sure, severity = all_of(strong, sure_of(0.9 - course.way, course.spread / course.level)), "note"
    if sure <= 0.6:
        return
    words = Words(
        f"Dropout is too strong: {known.dropout:.0%} of the units are dropped, and the training loss is {course.late:.3g} after {course.count} updates.",
        "--set regularize.dropout=0.3",
        "nn.Dropout(0.3): its argument is the probability of dropping, not of keeping",
        "With a dropout of 0.3 training learns no faster.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), lasts(course.loss, training, gap.validation))
    yield diagnosis("dropout-too-strong", severity, words=words, weight=weight, remedy=less_dropout(known))


def _dropping_always(log: RunLog, known: Known, gap: Gap) -> Iterator[Diagnosis]:
    """Two evaluations of the same images give different scores: something is left to chance that should not be."""
    course, wavering = course_of(log, known), log.series("slice_wavering", kind="epoch")
    if not len(wavering):
        return
    apart = float(np.median(wavering.values[-3:]))
    sure = sure_of(math.log(max(apart, 1e-12) / WAVERING), 0.5)
    if sure <= 0.7:
        return
    harm = sure_of(0.8 - float(gap.validation.values[-1]), gap.error)
    words = Words(
        f"The network's answers are left to chance in evaluation: two evaluations of the same images lie {apart:.0%} of their scores apart, as where dropout is not switched off; "
        f"{gap.validation.values[-1]:.0%} of the validation images are right.",
        "In a recipe dropout is off in evaluation: report it",
        "F.dropout(x, 0.3, training=self.training), nn.Dropout2d rather than a mask of your own, and model.eval() before validation",
        "Two evaluations of one image give the same scores.",
    )
    weight = Weight(sure, int(wavering.steps[0]), lasts(wavering, gap.validation))
    severity = "warn" if harm > 0.6 and course.count >= PATIENCE else "note"
    yield diagnosis("dropout-too-strong", severity, words=words, weight=weight)


def _judged_while_dropping(log: RunLog, known: Known, gap: Gap) -> Iterator[Diagnosis]:
    """Validation runs the network in training mode, where it drops units."""
    course, share, dropped = course_of(log, known), known.validated_training or 0.0, known.dropout or 0.0
    if share < 0.5 or dropped < 0.1 or len(gap.validation) < 2:
        return
    harm = sure_of(0.8 - float(gap.validation.values[-1]), gap.error)
    words = Words(
        f"Validation is made in training mode ({share:.0%} of its passes), where dropout takes {dropped:.0%} of the units away: {gap.validation.values[-1]:.0%} of its images are right.",
        "In a recipe this cannot be: report it",
        "model.eval() before validation, and model.train() before the next epoch",
        "In evaluation mode validation is no better.",
    )
    weight = Weight(sure_of(0.5, 0.5 / len(gap.validation)), int(gap.validation.steps[0]), lasts(gap.validation))
    severity = "warn" if harm > 0.6 and course.count >= PATIENCE else "note"
    yield diagnosis("dropout-too-strong", severity, words=words, weight=weight)


WAVERING, PATIENCE = 0.02, 60
"""Distance of two evaluations, over the size of the scores, that arithmetic in half precision does not come to; and updates
before which a low validation accuracy means nothing."""


def _dropping_unseen(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """No dropout is known of and nothing normalises, yet in training mode the same images are recognised far less."""
    course = course_of(log, known)
    evaluated, trained = (log.series(name, kind="epoch") for name in ("slice_accuracy", "slice_train_mode_accuracy"))
    count = min(len(evaluated), len(trained))
    if known.has_recipe or known.normalised is not False or count < 2:
        return
    late = max(2, count // 2)
    differences = evaluated.values[-late:] - trained.values[-late:]
    error = math.sqrt(2) * share_error(0.5, late * (known.batch_size or 32))
    sure = all_of(
        sure_of(float(differences.mean()) - 0.05, error), sure_of(0.5 - course.way, course.spread / course.level)
    )
    if sure <= 0.6:
        return
    words = Words(
        f"Something drops much in training mode, dropout as a function perhaps: the same training images are right in {evaluated.values[-late:].mean():.0%} in evaluation and in "
        f"{trained.values[-late:].mean():.0%} in training mode, and no layer normalises; the training loss is {course.late:.3g} after {course.count} updates.",
        "--set regularize.dropout=0.3",
        "F.dropout(x, 0.3, self.training): the number is the probability of dropping, not of keeping",
        "With a dropout of 0.3 training learns no faster.",
    )
    weight = Weight(sure, int(evaluated.steps[-late]), lasts(evaluated, trained, course.loss))
    yield diagnosis("dropout-too-strong", "warn", words=words, weight=weight)
