"""Second guesses: what else an ill training could suffer from, where nothing in the log speaks against it.

A rule speaks when its evidence is enough. What it leaves open is looked at here with less: each cause has a sign, a
pure function of what was seen, that says what speaks for the cause, or that something speaks against it. Three causes
are named at most, those that rules found among them; a second guess is a note, so that it alarms nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from babysit.diagnosing import signs
from babysit.diagnosing.course import course_of
from babysit.diagnosing.evidence import Weight, Words, diagnosis, lasts
from babysit.diagnosing.ranking import ASIDE, COSTS, EXPLAINS, SYMPTOMS
from babysit.diagnosing.remedies import (
    Settings,
    as_options,
    first_weights,
    less_augmentation,
    lower_rate,
    more_regularisation,
    plain_inputs,
    raised_rate,
    usual_batch,
    weaker_penalties,
)
from babysit.diagnosing.signs import Seen, Sign, seen_in
from babysit.record.diagnosis import Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

MOST = 3
"""Causes that are named in all."""

LEARNED, LAGS = 0.8, 0.15
"""Accuracy in training below which, and lead over validation from which on, a training that is over asks for a reason."""

FAR = 0.9
"""Accuracy in validation from which on none is asked for, however hard augmentation makes it in training."""

LEAST = 0.04
"""How sure a second guess must be: beside a cause that is nearly sure there is none."""

OPEN = 0.3
"""What is left to other causes where a symptom alone was found, or nothing; beside a cause it is what that leaves open."""


@dataclass(frozen=True, slots=True)
class Also:
    """A cause that may be guessed: in words, its sign, what to try in a recipe and in a loop of one's own, and a remedy."""

    words: str
    sign: Sign
    advice: str
    code: str
    remedy: Callable[[RunLog, Known], Settings | None] = lambda _log, _known: None


ALSO: Mapping[str, Also] = {
    "softmax-doubled": Also(
        "scores that do not reach the loss as they are",
        signs.flat,
        "--set loss.kind=softmax",
        "cross_entropy(scores, labels) on the network's last layer as it is",
    ),
    "wrong-sign": Also(
        "a gradient that is climbed",
        signs.climbs,
        "--set loss.kind=softmax",
        "no minus before the loss, no maximize=True, no negative rate",
    ),
    "inputs-not-normalised": Also(
        "inputs of another size",
        signs.inputs,
        "--set preprocess.kind=standardize",
        "transforms.Normalize with the training part's mean and deviation",
        lambda _log, _known: plain_inputs(),
    ),
    "initialisation-too-large": Also(
        "initial weights that are too large",
        signs.oversized,
        "--set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
        lambda _log, known: first_weights(known),
    ),
    "initialisation-too-small": Also(
        "initial weights that are too small",
        signs.undersized,
        "--set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
        lambda _log, known: first_weights(known),
    ),
    "no-nonlinearity": Also(
        "layers without a function between them",
        signs.straight,
        "--model convnet",
        "nn.ReLU() after every layer with weights but the last",
    ),
    "vanishing-gradients": Also(
        "gradients that vanish on their way back",
        signs.vanish,
        "--set init.kind=he, or --model resnet18",
        "nn.BatchNorm2d after each convolution, or a shortcut around every two layers",
        lambda _log, known: first_weights(known),
    ),
    "labels-noisy": Also(
        "labels that are partly wrong",
        signs.mislabelled,
        "`babysit suspects RUN`",
        "look at the images with the largest loss",
    ),
    "learning-rate-too-high": Also(
        "a learning rate that is too high",
        signs.high,
        "a tenth of optim.lr",
        "a tenth of the rate",
        lower_rate,
    ),
    "learning-rate-too-low": Also(
        "a learning rate that is too low",
        signs.low,
        "ten times optim.lr",
        "ten times the rate",
        raised_rate,
    ),
    "too-noisy": Also(
        "batches, or a loss of so few images, that the gradient is noise",
        signs.noisy,
        "--set optim.batch_size=64",
        "loss.mean() over all images of a batch, and batches of 64",
        lambda _log, _known: usual_batch(),
    ),
    "regularisation-too-strong": Also(
        "too strong a penalty", signs.shrinks, "--set regularize.l2=0.0005", "weight_decay=5e-4", weaker_penalties
    ),
    "normalisation-statistics": Also(
        "running statistics that are behind",
        signs.statistics,
        "--set optim.batch_size=64",
        "model.train() before every epoch; BatchNorm's momentum=0.1",
    ),
    "parts-differ": Also(
        "validation images or labels that are prepared otherwise",
        signs.apart,
        "`babysit look DATA`",
        "one function prepares both parts; look at a batch of each with its labels",
    ),
    "augmentation-too-strong": Also(
        "augmentation that takes the class away",
        signs.blurred,
        "--set augment.crop=1 --set augment.flip=none",
        "look at a batch as the network gets it",
        lambda _log, known: less_augmentation(known),
    ),
    "labels-unrelated": Also(
        "labels that know nothing of the images",
        signs.unrelated,
        "`babysit look DATA`",
        "look at a batch as the network gets it, with its labels",
    ),
    "underfitting": Also("too small a network", signs.cramped, "--set model.width=64", "more filters in every layer"),
    "overfitting": Also(
        "too little that holds the network back",
        signs.by_heart,
        "--set regularize.l2=0.0005 --set augment.crop=4",
        "weight_decay=5e-4, random crops, more images",
        lambda _log, known: more_regularisation(known),
    ),
    "stopped-too-early": Also("too few updates", signs.brief, "more --epochs", "more epochs"),
    "updates-too-small": Also(
        "updates that something shortens",
        signs.none,
        "--set optim.clip=1 --set optim.epsilon=1e-8",
        "look at clipping, at the optimiser's eps, and at what multiplies the loss",
    ),
    "layer-not-trained": Also(
        "layers that are not trained",
        signs.none,
        "--set optim.body_rate=1",
        "the optimiser made of model.parameters(), and no detach() or no_grad() on the way",
    ),
    "dead-units": Also(
        "units that are dead",
        signs.none,
        "--set init.kind=he",
        "nn.LeakyReLU(0.1) for nn.ReLU(), biases of zero",
        lambda _log, known: first_weights(known),
    ),
    "imbalanced": Also(
        "classes, or weights of classes, that are uneven",
        signs.none,
        "--set loss.class_weights=balanced",
        "print(torch.bincount(labels)), and look at the weights that the loss gives to classes",
    ),
    "not-shuffled": Also(
        "images that come in an order",
        signs.none,
        "`babysit look DATA`",
        "DataLoader(data, shuffle=True)",
    ),
}
"""Cause -> how it is guessed; of equal signs the first is named first: what is seen in numbers before what is left over."""

TAKEN_FOR: Mapping[str, tuple[str, ...]] = {
    "stopped-too-early": ("underfitting", "labels-noisy", "augmentation-too-strong"),
    "stuck-at-chance": ("labels-unrelated", "augmentation-too-strong"),
    "constant-output": ("learning-rate-too-low", "augmentation-too-strong"),
    "underfitting": ("labels-unrelated", "imbalanced", "labels-noisy"),
    "plateau": ("overfitting", "underfitting"),
    "diverging": ("wrong-sign", "learning-rate-too-high"),
    "exploding-gradients": ("wrong-sign", "learning-rate-too-high"),
    "learning-rate-too-high": ("updates-too-small", "dead-units", "initialisation-too-large"),
    "learning-rate-too-low": ("dead-units", "labels-unrelated"),
    "updates-too-small": ("layer-not-trained", "vanishing-gradients"),
    "regularisation-missing": ("parts-differ", "labels-noisy"),
    "overfitting": ("parts-differ", "labels-noisy"),
    "parts-differ": ("overfitting", "not-shuffled"),
    "initial-loss-wrong": ("labels-unrelated", "initialisation-too-large"),
    "initialisation-too-small": ("regularisation-too-strong", "vanishing-gradients"),
    "initialisation-too-large": ("no-nonlinearity", "learning-rate-too-high"),
    "sum-instead-of-mean": ("initialisation-too-large",),
    "labels-unrelated": ("labels-noisy", "imbalanced"),
    "labels-noisy": ("underfitting", "augmentation-too-strong"),
    "dead-units": ("labels-unrelated", "learning-rate-too-high"),
    "saturated-units": ("updates-too-small", "initialisation-too-large"),
}
"""What stands first -> what it turned out to be where it was wrong, on trainings of the corpus; the commonest first."""

NEARLY = 0.93
"""How sure of what stands first, from which on it is right in nineteen of twenty cases, and nothing else is named for want of signs."""


def guessed(found: Sequence[Diagnosis], log: RunLog, known: Known) -> list[Diagnosis]:
    """What rules found, and second guesses where the training is ill by a warning, or is over and has not come far."""
    said = list(found)
    main = [one for one in said if one.rule not in (*ASIDE, *COSTS)]
    room = MOST - len(main)
    if room <= 0 or not _ill(said, log, known):
        return said
    seen = seen_in(log, known)
    hidden = {name for one in main for name in (one.rule, *EXPLAINS.get(one.rule, ()))}
    likely = [(name, also.sign(seen)) for name, also in ALSO.items() if name not in hidden]
    likely = sorted([(name, hint) for name, hint in likely if hint.weight > 0], key=lambda one: -one[1].weight)
    total = sum(hint.weight for _, hint in likely)
    left = min([1 - one.sure for one in main if one.rule not in SYMPTOMS and one.severity != "note"], default=OPEN)
    begin = "It could also be" if main else "It could be"
    sures = [(name, hint, min(left, OPEN) * hint.weight / total) for name, hint in likely[:room]]
    added = [_guess(name, hint, sure=sure, begin=begin, seen=seen) for name, hint, sure in sures if sure >= LEAST]
    added += _mistaken(main, {one.rule for one in (*main, *added)}, room - len(added), seen)
    place = len(said) - sum(one.rule in ASIDE and one.severity == "note" for one in said)
    return [*said[:place], *added, *said[place:]]


def _mistaken(main: Sequence[Diagnosis], named: set[str], room: int, seen: Seen) -> list[Diagnosis]:
    """Where room is left beside what is not nearly sure: what that was taken for elsewhere, without a sign here."""
    if not main or main[0].sure >= NEARLY:
        return []
    others = [name for name in TAKEN_FOR.get(main[0].rule, ()) if name not in named]
    why = signs.Hint(
        1, f"elsewhere {main[0].rule} was named in its place, and nothing here speaks for it or against it"
    )
    sure = min(1 - main[0].sure, OPEN) * SELDOM
    return [_guess(name, why, sure=sure, begin="It could also be", seen=seen) for name in others[:room]]


SELDOM = 0.1
"""How often such a name is right where what stands first is not."""


def _ill(said: Sequence[Diagnosis], log: RunLog, known: Known) -> bool:
    """Whether something was warned of; or the training is over, and training or validation ask for a reason."""
    if any(one.severity != "note" for one in said if one.rule not in (*ASIDE, *COSTS)):
        return True
    course = course_of(log, known)
    if course.short or not known.planned_steps or course.last_step < known.planned_steps:
        return False
    seen = seen_in(log, known)
    return not seen.valid >= FAR and (seen.right < LEARNED or seen.right - seen.valid > LAGS)


def _guess(name: str, hint: signs.Hint, *, sure: float, begin: str, seen: Seen) -> Diagnosis:
    also = ALSO[name]
    remedy = also.remedy(seen.log, seen.known)
    advice = as_options(remedy) if remedy else also.advice
    words = Words(
        f"{begin} {also.words}: {hint.why}.",
        advice,
        also.code,
        "With that it goes the same way.",
    )
    weight = Weight(sure, int(seen.course.loss.steps[0]), hint.evidence or lasts(seen.course.loss))
    return replace(diagnosis(name, "note", words=words, weight=weight, remedy=remedy), guess=True)
