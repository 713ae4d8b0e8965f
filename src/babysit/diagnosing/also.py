"""What each cause that may be guessed is called, what to try against it, and the sign that speaks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from babysit.diagnosing import signs
from babysit.diagnosing.remedies import (
    Settings,
    falling_rate,
    first_weights,
    less_augmentation,
    less_dropout,
    lower_rate,
    more_regularisation,
    plain_inputs,
    raised_rate,
    usual_batch,
    weaker_penalties,
)
from babysit.record.known import Known
from babysit.record.log import RunLog

Remedy = Callable[[RunLog, Known], Settings | None]


def _first_weights(_log: RunLog, known: Known) -> Settings:
    return first_weights(known)


def _of_own_loops(known: Known) -> bool:
    """What a recipe cannot do."""
    return known.has_recipe


@dataclass(frozen=True, slots=True)
class Also:
    """A cause that may be guessed: in words, what to try in a recipe and in a loop of one's own; and, where there are such, a
    sign that says what speaks for it, a remedy, and what rules it out by the settings alone."""

    words: str
    advice: str
    code: str
    sign: signs.Sign | None = None
    remedy: Remedy = lambda _log, _known: None
    impossible: Callable[[Known], bool] = lambda _known: False


ALSO: Mapping[str, Also] = {
    "softmax-doubled": Also(
        "scores that do not reach the loss as they are",
        "--set loss.kind=softmax",
        "cross_entropy(scores, labels) on the network's last layer as it is",
        signs.flat,
    ),
    "softmax-missing": Also(
        "a loss that takes for probabilities what are scores",
        "--set loss.kind=softmax",
        "cross_entropy(scores, labels); nll_loss only after log_softmax",
        impossible=_of_own_loops,
    ),
    "sum-instead-of-mean": Also(
        "a loss that is a sum, not a mean, over the batch",
        "--set loss.kind=softmax",
        "reduction='mean', and loss / parts where gradients of several batches are added up",
    ),
    "initial-loss-wrong": Also(
        "a loss that is not the one of classes",
        "--set loss.kind=softmax",
        "torch.nn.functional.cross_entropy(scores, labels)",
    ),
    "wrong-sign": Also(
        "a gradient that is climbed",
        "--set loss.kind=softmax",
        "no minus before the loss, no maximize=True, no negative rate",
        signs.climbs,
        impossible=_of_own_loops,
    ),
    "inputs-not-normalised": Also(
        "inputs of another size",
        "--set preprocess.kind=standardize",
        "transforms.Normalize with the training part's mean and deviation",
        signs.inputs,
        lambda _log, _known: plain_inputs(),
    ),
    "normalised-twice": Also(
        "inputs that are made small twice",
        "--set preprocess.kind=standardize",
        "either ToTensor() or / 255, and Normalize once",
        remedy=lambda _log, _known: plain_inputs(),
    ),
    "constant-output": Also(
        "images that reach the network blank, or scores that do not depend on them",
        "`babysit look DATA`",
        "look at a batch as the network gets it, and at the scores of two images",
    ),
    "not-a-number": Also(
        "a number that is none among the inputs or in the loss",
        "`babysit look DATA`",
        "torch.isfinite(images).all() of every batch; log and division by what may be 0",
    ),
    "initialisation-too-large": Also(
        "initial weights that are too large",
        "--set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
        signs.oversized,
        _first_weights,
    ),
    "initialisation-too-small": Also(
        "initial weights that are too small",
        "--set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')",
        signs.undersized,
        _first_weights,
    ),
    "symmetric-initialisation": Also(
        "units that began alike and stay so",
        "--set init.kind=he",
        "torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu'), and no constant",
        remedy=_first_weights,
    ),
    "no-nonlinearity": Also(
        "layers without a function between them",
        "--model convnet",
        "nn.ReLU() after every layer with weights but the last",
        signs.straight,
    ),
    "vanishing-gradients": Also(
        "gradients that vanish on their way back",
        "--set init.kind=he, or --model resnet18",
        "nn.BatchNorm2d after each convolution, or a shortcut around every two layers",
        signs.vanish,
        _first_weights,
    ),
    "dead-units": Also(
        "units that are dead",
        "--set init.kind=he",
        "nn.LeakyReLU(0.1) for nn.ReLU(), biases of zero",
        remedy=_first_weights,
    ),
    "saturated-units": Also(
        "units, or scores, at the ends of a function that bends them",
        "--set init.kind=he",
        "nn.ReLU() for sigmoid and tanh, and none of them after the last layer",
        remedy=_first_weights,
    ),
    "learning-rate-too-high": Also(
        "a learning rate that is too high", "a tenth of optim.lr", "a tenth of the rate", signs.high, lower_rate
    ),
    "learning-rate-too-low": Also(
        "a learning rate that is too low", "ten times optim.lr", "ten times the rate", signs.low, raised_rate
    ),
    "too-noisy": Also(
        "batches, or a loss of so few images, that the gradient is noise",
        "--set optim.batch_size=64",
        "loss.mean() over all images of a batch, and batches of 64",
        signs.noisy,
        lambda _log, _known: usual_batch(),
    ),
    "schedule-too-fast": Also(
        "a rate that falls too early",
        "--set schedule.kind=cosine",
        "scheduler.step() once an epoch where it counts epochs; CosineAnnealingLR over the whole run",
        remedy=lambda _log, _known: falling_rate(),
    ),
    "schedule-never-moved": Also(
        "a schedule that is never moved on, or a warm-up that does not end",
        "--set schedule.kind=cosine",
        "scheduler.step() after every optimizer.step() where it counts updates",
        remedy=lambda _log, _known: falling_rate(),
    ),
    "updates-too-small": Also(
        "updates that something shortens",
        "--set optim.clip=1 --set optim.epsilon=1e-8",
        "look at clipping, at the optimiser's eps, and at what multiplies the loss",
    ),
    "layer-not-trained": Also(
        "layers that are not trained",
        "--set optim.body_rate=1",
        "the optimiser made of model.parameters(), and no detach() or no_grad() on the way",
    ),
    "gradients-not-cleared": Also(
        "gradients that are not cleared",
        "In a recipe this cannot be: report it",
        "optimizer.zero_grad() once before every backward()",
        impossible=_of_own_loops,
    ),
    "regularisation-too-strong": Also(
        "too strong a penalty", "--set regularize.l2=0.0005", "weight_decay=5e-4", signs.shrinks, weaker_penalties
    ),
    "dropout-too-strong": Also(
        "too much dropout, or dropout in evaluation too",
        "--set regularize.dropout=0.5",
        "nn.Dropout(0.5) before the last layer alone, and model.eval() before validation",
        remedy=lambda _log, known: less_dropout(known),
        impossible=lambda known: known.dropout == 0,
    ),
    "normalisation-statistics": Also(
        "running statistics that are behind",
        "--set optim.batch_size=64",
        "model.train() before every epoch; BatchNorm's momentum=0.1",
        signs.statistics,
        impossible=lambda known: known.normalised is False,
    ),
    "parts-differ": Also(
        "validation images or labels that are prepared otherwise",
        "`babysit look DATA`",
        "one function prepares both parts; look at a batch of each with its labels",
        signs.apart,
    ),
    "augmentation-too-strong": Also(
        "augmentation that takes the class away",
        "--set augment.crop=1 --set augment.flip=none",
        "look at a batch as the network gets it",
        signs.blurred,
        lambda _log, known: less_augmentation(known),
        lambda known: known.augmented is False,
    ),
    "labels-noisy": Also(
        "labels that are partly wrong",
        "`babysit suspects RUN`",
        "look at the images with the largest loss",
        signs.mislabelled,
    ),
    "labels-unrelated": Also(
        "labels that know nothing of the images",
        "`babysit look DATA`",
        "look at a batch as the network gets it, with its labels",
        signs.unrelated,
    ),
    "not-shuffled": Also("images that come in an order", "`babysit look DATA`", "DataLoader(data, shuffle=True)"),
    "imbalanced": Also(
        "classes, or weights of classes, that are uneven",
        "--set loss.class_weights=balanced",
        "print(torch.bincount(labels)), and look at the weights that the loss gives to classes",
    ),
    "class-never-predicted": Also(
        "a class that is left out",
        "`babysit look DATA`",
        "print(torch.bincount(labels)) of the batches, and compare the head's size with the number of classes",
    ),
    "underfitting": Also("too small a network", "--set model.width=64", "more filters in every layer", signs.cramped),
    "overfitting": Also(
        "too little that holds the network back",
        "--set regularize.l2=0.0005 --set augment.crop=4",
        "weight_decay=5e-4, random crops, more images",
        signs.by_heart,
        lambda _log, known: more_regularisation(known),
    ),
    "stopped-too-early": Also("too few updates", "more --epochs", "more epochs", signs.brief),
}
"""Cause -> how it is guessed: all that are first among the accepted causes of a program of the corpus, costs aside."""
