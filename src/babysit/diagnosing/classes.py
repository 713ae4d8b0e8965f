"""Rules about classes: uneven ones, one never named, a pair confused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from babysit.diagnosing.course import course_of, stands_for
from babysit.diagnosing.evidence import Weight, Words, all_of, diagnosis, lasts, share_error, sure_of
from babysit.diagnosing.generalising import gap_of
from babysit.diagnosing.remedies import same_say
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog


def imbalanced(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """Some classes have many times the images of others, and the rare ones are found far less."""
    course, counts, names = course_of(log, known), known.class_counts, known.class_names
    if course.short or not counts or sum(counts) == 0:
        return
    counts = [one for one in counts if one]  # a class without any image is another matter
    names = names or tuple(str(place) for place in range(len(known.class_counts or ())))
    names = tuple(name for name, count in zip(names, known.class_counts or (), strict=False) if count)
    recalls = {where: log.series("recall", where, kind="epoch") for where in log.wheres("recall")}
    recalls = {where: one for where, one in recalls.items() if len(one) >= 2}
    if not counts or len(names) != len(counts):
        return
    ratio = max(counts) / min(counts)
    if len(recalls) < 2:
        yield from _imbalanced_unseen(log, known, ratio)
        return
    middle = float(np.exp(np.mean(np.log(counts))))
    few = 0.6 * middle if min(counts) < 0.6 * middle else max(counts) / 5  # one class may have many, and all others few
    rare = [recalls[name] for name, count in zip(names, counts, strict=True) if name in recalls and count < few]
    common = [
        recalls[name] for name, count in zip(names, counts, strict=True) if name in recalls and count > 1.4 * middle
    ]
    uneven = sure_of(math.log(ratio / 5), _ratio_error(counts))
    if not rare or not common:
        return
    low, high = (float(np.mean([one.values[-2:].mean() for one in group])) for group in (rare, common))
    error = share_error(low, max(10, (known.validation_images or 200) * len(rare) / len(counts)))
    # In both of the last looks: from one epoch to the next all may be called by one name, and then by the other.
    apart = min(
        float(np.mean([one.values[-back] for one in common]) - np.mean([one.values[-back] for one in rare]))
        for back in (1, 2)
    )
    sure = all_of(uneven, sure_of(min(high - low, apart + error) - 0.25, error))
    sure = max(sure, all_of(uneven, _only_common_named(log, known)))
    if sure <= 0.6:
        return
    alike = _validation_as_uneven(log, dict(zip(names, counts, strict=True)))
    words = Words(
        f"The classes are imbalanced, and it shows: {names[int(np.argmax(counts))]} has {max(counts):.0f} training images, {names[int(np.argmin(counts))]} {min(counts):.0f}; "
        f"of common classes {high:.0%} are found, of rare ones {low:.0%}"
        + (", which are as rare in validation, so that its accuracy hardly tells." if alike else "."),
        "Give every class the same say: --set loss.class_weights=balanced, and choose by --set train.metric=macro-f1",
        "torch.utils.data.WeightedRandomSampler, or cross_entropy(scores, labels, weight=counts.sum() / (classes * counts))",
        "With balanced class weights the rare classes are found no more often.",
    )
    by_nature = alike and not known.has_recipe  # a recipe can give every class the same say at once
    severity, share = ("note", BY_NATURE) if by_nature else ("warn", 1.0)
    weight = Weight(share * sure, int(rare[0].steps[-1]), lasts(*rare[:2], *common[:2]))
    yield diagnosis("imbalanced", severity, words=words, weight=weight, remedy=same_say(known))


BY_NATURE = 0.5
"""What is left of how sure it is that uneven classes are the fault, where validation is as uneven."""


def _validation_as_uneven(log: RunLog, counts: Mapping[str, float]) -> bool:
    """Whether validation is as uneven as training: its accuracy is the mean of the recalls weighed by training's counts, not the plain mean.

    Then the classes are so by nature. The network is made for what comes most, and rare ones may be found later.
    """
    accuracy = log.series("validation_accuracy", kind="epoch").values[-2:]
    found = {name: log.series("recall", name, kind="epoch").values[-2:] for name in counts}
    found = {name: float(one.mean()) for name, one in found.items() if len(one)}
    if not len(accuracy) or len(found) < 2:
        return False
    weighed = sum(counts[name] * one for name, one in found.items()) / sum(counts[name] for name in found)
    right = float(accuracy.mean())
    return abs(right - weighed) < abs(right - float(np.mean(list(found.values()))))


def _only_common_named(log: RunLog, known: Known) -> float:
    """How sure that next to all of validation is called by the names that are common in training, and wrongly.

    Where a network has hardly begun it names the commonest class as well; validation that was drawn like training is right by that.
    """
    course, counts = course_of(log, known), known.class_counts or ()
    names = known.class_names or tuple(str(place) for place in range(len(counts)))
    accuracy = log.series("validation_accuracy", kind="epoch").values
    shares = {name: log.series("predicted_share", name, kind="epoch").values for name in names}
    common = [name for name, count in zip(names, counts, strict=False) if count > max(counts) / 2]
    if course.count < BEGUN or len(accuracy) < 3 or any(len(shares[name]) < 3 for name in common):
        return 0.0
    called = min(sum(float(shares[name][-back]) for name in common) for back in (1, 2, 3))
    error = share_error(course.chance, known.validation_images or 200)
    wrong = sure_of(course.chance - 0.1 - float(np.mean(accuracy[-3:])), error)
    return all_of(sure_of(called - 0.9, 0.03), wrong, sure_of(0.5 - len(common) / len(names), 0.1))


BEGUN = 60
"""Updates before which a network may name the commonest class alone, and be on its way."""


def _imbalanced_unseen(log: RunLog, known: Known, ratio: float) -> Iterator[Diagnosis]:
    """Where validation by class is not known: classes are uneven, and validation is far behind training."""
    gap, counts = gap_of(log, known), [one for one in known.class_counts or () if one]
    if gap is None or len(gap.validation) < 2:
        return
    course, losses = course_of(log, known), log.series("validation_loss", kind="epoch")
    far = sure_of(gap.difference - 0.2, gap.error)
    if len(losses):  # the rare ones are ruled out so surely that it costs more than to know nothing
        ruled_out = sure_of(math.log(max(float(np.min(losses.values[-2:])), 1e-9) / (1.3 * course.level)), 0.1)
        far = max(far, all_of(ruled_out, sure_of(gap.difference - 0.1, gap.error), sure_of(course.way - 0.3, 0.03)))
    sure = all_of(sure_of(math.log(ratio / 8), _ratio_error(counts)), far)
    if sure <= 0.6:
        return
    words = Words(
        f"The classes are imbalanced, and it seems to show: the commonest has {max(counts)} training images, the rarest {min(counts)}; {gap.training.values[-1]:.0%} of the training images "
        f"are right and {gap.validation.values[-1]:.0%} of the validation images.",
        "Give every class the same say: --set loss.class_weights=balanced, and choose by --set train.metric=macro-f1",
        "torch.utils.data.WeightedRandomSampler, or cross_entropy(scores, labels, weight=counts.sum() / (classes * counts)); and pass outputs= and targets= to validation()",
        "With balanced class weights validation is no better.",
    )
    yield diagnosis(
        "imbalanced",
        "warn",
        words=words,
        weight=Weight(sure, int(gap.validation.steps[0]), lasts(gap.training, gap.validation)),
    )


def class_never_predicted(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A class that is there in validation is never named, in a network that names the others well; or has no training image."""
    course = course_of(log, known)
    yield from (found := list(_without_images(log, known)))
    if found:
        return
    accuracy = log.series("validation_accuracy", kind="epoch")
    places = log.wheres("predicted_share")
    if course.count < 48 or len(accuracy) < 3 or len(places) < 3:
        return
    images = (known.validation_images or 20 * len(places)) / len(places)
    missed = []
    for where in places:
        share, recall = log.series("predicted_share", where, kind="epoch"), log.series("recall", where, kind="epoch")
        back = max(3, len(share) // 2)
        if len(share) >= 4 and len(recall) and float(share.values[-back:].max()) < 0.1 / len(places):
            missed.append(share)
    names = {one.where for one in missed}
    recalls = [log.series("recall", where, kind="epoch") for where in log.wheres("recall") if where not in names]
    others = [float(one.values[-2:].mean()) for one in recalls if len(one) >= 2]
    if not missed or len(others) < 2:
        return
    learned = sure_of(float(np.mean(others)) - 0.6, share_error(0.6, known.validation_images or 200))
    half = max(3, len(accuracy) // 2)
    rise = float(accuracy.values[-1] - accuracy.values[-half])  # while it gets better quickly, a class may yet come
    settled = sure_of(
        0.15 - rise, math.sqrt(2) * share_error(float(accuracy.values[-1]), known.validation_images or 200)
    )
    enough = all_of(sure_of(images - 3.0, math.sqrt(images)), sure_of(0.5 * len(places) - len(missed), 1.0))
    sure = all_of(learned, settled, enough)
    if sure <= 0.6:
        return
    listed = ", ".join(one.where for one in missed[:3])
    count = dict(zip(known.class_names or (), known.class_counts or (), strict=False)).get(missed[0].where)
    words = Words(
        f"{listed} {'is' if len(missed) == 1 else 'are'} never predicted, though validation has images of it"
        + (f" (training: {count})" if count is not None else "")
        + f"; all in all {accuracy.values[-1]:.1%} are right.",
        "Look at its images and labels with `babysit look DATA`; if it is rare: --set loss.class_weights=balanced",
        "print(torch.bincount(all_training_labels)), and look at images of that class in both parts",
        "It is predicted in the epochs to come.",
    )
    weight = Weight(sure, int(missed[0].steps[-3]), lasts(*missed[:3], accuracy))
    rare = bool(known.class_counts) and count is not None and count < 0.6 * float(np.mean(known.class_counts))
    remedy = same_say(known) if rare else None
    yield diagnosis("class-never-predicted", "warn", words=words, weight=weight, remedy=remedy, where=missed[0].where)


def _without_images(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A class that the network has a score for came in no batch of an epoch, and others came often."""
    course, counts = course_of(log, known), known.class_counts or ()
    names = known.class_names or tuple(str(place) for place in range(len(counts)))
    gone = [name for name, count in zip(names, counts, strict=False) if not count]
    there = [one for one in counts if one]
    if course.short or not gone or len(names) != len(counts):
        return
    recalls = [log.series("recall", name, kind="epoch") for name in gone]
    missed = [one for one in recalls if len(one) and one.values.max() == 0]
    if len(gone) > 0.3 * len(counts) and not missed:  # a network may have scores for more classes than there are
        return
    if any(len(one) and one.values.max() > 0 for one in recalls):
        return
    each = stands_for(there)
    looked = float(np.mean(there)) / each
    sure = sure_of(looked - (3.0 if each == 1 else 10.0), math.sqrt(looked))  # of a few batches one may lack a class
    if sure <= 0.6 or min(there) < 5:  # among rare classes one may be left out by chance
        return
    words = Words(
        f"{', '.join(gone[:3])} {'has' if len(gone) == 1 else 'have'} no training image at all, where the other classes have {np.mean(there):.0f} on average"
        + (", and validation has some that are never found." if missed else "."),
        "Look at images and labels of each class with `babysit look DATA`",
        "print(torch.bincount(all_training_labels, minlength=classes)): is a folder empty, or a class under another's number?",
        "An image of it comes in a training batch.",
    )
    weight = Weight(sure, int(course.loss.steps[0]), lasts(*recalls, course.loss))
    yield diagnosis("class-never-predicted", "warn" if missed else "note", words=words, weight=weight, where=gone[0])


def _ratio_error(counts: Sequence[float]) -> float:
    """The error of the logarithm of the ratio of the most to the least count: that of fewer than five images is larger."""
    each = stands_for(counts)
    return 0.2 if min(counts) >= 5 * each else math.sqrt(each / max(counts) + each / min(counts))


def pair_confused(log: RunLog, known: Known) -> Iterator[Diagnosis]:
    """A large share of one class is taken for another."""
    course, accuracy = course_of(log, known), log.series("validation_accuracy", kind="epoch")
    if course.count < 48 or len(accuracy) < 3 or course.poor > 0.5:
        return
    pairs = [log.series("confused", where, kind="epoch") for where in log.wheres("confused")]
    latest = int(accuracy.steps[-1])
    pairs = [one for one in pairs if len(one) and int(one.steps[-1]) == latest]
    if not pairs:
        return
    worst = max(pairs, key=lambda one: float(one.values[-1]))
    share = float(worst.values[-1])
    images = (known.validation_images or 200) / max(2, known.classes or 10)
    sure = sure_of(share - 0.35, share_error(share, images))
    if sure <= 0.7:
        return
    true, _, guess = worst.where.partition(">")
    words = Words(
        f"{share:.0%} of {true} are taken for {guess}.",
        "Look at both classes side by side in the report, and for wrong labels with `babysit suspects RUN`; a larger image may tell them apart: --set data.size=64",
        "look at the images of both classes; more of them, or larger ones",
        "A person cannot tell them apart either.",
    )
    yield diagnosis(
        "pair-confused", "note", words=words, weight=Weight(sure, latest, lasts(worst, accuracy)), where=worst.where
    )
