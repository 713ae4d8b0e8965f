"""Baselines: the thresholds of SageMaker Debugger, AutoTrainer and UMLAUT over the same logs, re-created from what they publish.

Each reports symptoms in its own words; a committed table says for which causes a symptom may stand. A symptom that
stands for several is counted as right when any of them is, which favours the baseline. Where a log does not hold what a
rule reads, the nearest quantity is taken and said so beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logs import Kept

HIGH = ("learning-rate-too-high", "diverging", "updates-too-large", "exploding-gradients")
LOW = ("learning-rate-too-low", "updates-too-small")

Symptoms = Callable[[Kept], Iterator[str]]


@dataclass(frozen=True)
class Baseline:
    """A tool: its symptoms in the order in which it checks them, and the causes each may stand for."""

    symptoms: Symptoms
    stands_for: Mapping[str, tuple[str, ...]]

    def causes(self, kept: Kept) -> list[tuple[str, ...]]:
        """The causes its symptoms stand for, in their order."""
        return [self.stands_for[one] for one in self.symptoms(kept)]


def _values(kept: Kept, quantity: str, kind: str = "step") -> NDArray[np.float64]:
    return kept.log.series(quantity, kind=kind).values  # type: ignore[arg-type]


def _by_layer(kept: Kept, quantity: str) -> list[NDArray[np.float64]]:
    found = [kept.log.series(quantity, where, kind="layers").values for where in kept.log.wheres(quantity)]
    return [one for one in found if len(one)]


def sagemaker(kept: Kept) -> Iterator[str]:
    """Amazon SageMaker Debugger's built-in rules for image classifiers, at their defaults."""
    loss = _values(kept, "loss")
    if not np.isfinite(loss).all() or any(not np.isfinite(one).all() for one in _by_layer(kept, "weight_norm")):
        yield "ExplodingTensor"
    if any((one > 0.5).any() for one in _by_layer(kept, "dead_share")):  # half of a layer inactive
        yield "DeadRelu"
    if any((one > 0.5).any() for one in _by_layer(kept, "saturated_share")):
        yield "SaturatedActivation"
    deviations = [one[0] ** 2 for one in _by_layer(kept, "activation_deviation")]
    if deviations and max(deviations) > 10 * max(min(deviations), 1e-30):  # variance ratio between layers
        yield "PoorWeightInitialization"
    if any((one < 1e-7).any() for one in _by_layer(kept, "weight_gradient_norm")):  # the mean absolute gradient there
        yield "VanishingGradient"
    if any(((one > 10) | (one < 1e-8)).any() for one in _by_layer(kept, "update_ratio")):
        yield "WeightUpdateRatio"
    if any((one == 0).sum() >= 3 for one in _by_layer(kept, "update_ratio")):
        yield "UnchangedTensor"
    if any((one == 0).any() for one in _by_layer(kept, "weight_norm")):
        yield "AllZero"
    counts = kept.known.class_counts
    if counts and max(counts) > 10 * max(1, min(counts)):
        yield "ClassImbalance"
    falls = [(loss[i] - loss[i + 10]) / abs(loss[i]) for i in range(0, len(loss) - 10, 10) if loss[i]]
    if any(fall < 0.001 for fall in falls):
        yield "LossNotDecreasing"
    train, valid = _values(kept, "train_loss", "epoch"), _values(kept, "validation_loss", "epoch")
    count = min(len(train), len(valid))
    with np.errstate(invalid="ignore"):  # infinite losses
        apart = (valid[:count] - train[:count]) / np.maximum(np.abs(train[:count]), 1e-9)
    if (apart > 0.1).any():
        yield "Overfit"
    mean = _values(kept, "input_mean", "start")
    if len(mean) and abs(mean[0]) > 0.2:
        yield "CheckInputImages"
    confused = [kept.log.series("confused", where, kind="epoch").values for where in kept.log.wheres("confused")]
    if any(len(one) and one[-1] > 0.1 for one in confused):
        yield "Confusion"


SAGEMAKER = {
    "ExplodingTensor": ("not-a-number", *HIGH),
    "DeadRelu": ("dead-units",),
    "SaturatedActivation": ("saturated-units",),
    "PoorWeightInitialization": ("initialisation-too-small", "initialisation-too-large", "symmetric-initialisation"),
    "VanishingGradient": ("vanishing-gradients",),
    "WeightUpdateRatio": (*HIGH, *LOW),
    "UnchangedTensor": ("layer-not-trained", *LOW),
    "AllZero": ("symmetric-initialisation",),
    "ClassImbalance": ("imbalanced", "class-never-predicted"),
    "LossNotDecreasing": (*HIGH, *LOW, "stuck-at-chance"),
    "Overfit": ("overfitting", "regularisation-missing"),
    "CheckInputImages": ("inputs-not-normalised", "normalised-twice"),
    "Confusion": ("pair-confused", "class-never-predicted"),
}


def autotrainer(kept: Kept) -> Iterator[str]:
    """AutoTrainer's eight problems (Zhang et al., ICSE 2021), with the thresholds of its code."""
    accuracy = _values(kept, "train_accuracy", "epoch")
    best = float(accuracy.max()) if len(accuracy) else 0.0
    gradients = _by_layer(kept, "weight_gradient_norm")
    loss = _values(kept, "loss")
    if best < 0.6 and len(gradients) >= 2:
        first, last = gradients[0], gradients[-1]
        count = min(len(first), len(last))
        with np.errstate(invalid="ignore"):  # gradients that are infinite vanish nowhere
            ratio = first[:count] / np.maximum(last[:count], 1e-30)
        if ((ratio < 1e-3) & (first[:count] < 1e-4)).any():
            yield "vanishing gradient"
        if (ratio > 70).any() or not np.isfinite(loss).all():
            yield "exploding gradient"
    elif not np.isfinite(loss).all():
        yield "exploding gradient"
    if best < 0.6 and any((one >= 0.7).any() for one in _by_layer(kept, "dead_share")):
        yield "dying ReLU"
    swings = np.abs(np.diff(accuracy)) >= 0.03
    falls = np.diff(accuracy) < 0
    if len(accuracy) > 2 and (swings & falls).mean() >= 0.2:
        yield "oscillating loss"
    if best < 0.6 and (len(accuracy) < 2 or np.diff(accuracy).max() < 0.01):
        yield "slow convergence"
    if any((np.abs(one) >= 10).any() for one in _by_layer(kept, "activation_mean")):
        yield "abnormal data"
    if best < 0.6 and len(loss) and (loss < 0).any():
        yield "improper loss"
    if best < 0.6 and kept.known.activations == ():
        yield "improper activation"


AUTOTRAINER = {
    "vanishing gradient": ("vanishing-gradients", "initialisation-too-small"),
    "exploding gradient": ("exploding-gradients", "not-a-number", "initialisation-too-large", *HIGH),
    "dying ReLU": ("dead-units", "learning-rate-too-high"),
    "oscillating loss": (*HIGH, "too-noisy"),
    "slow convergence": (*LOW, "stuck-at-chance", "schedule-too-fast", "schedule-never-moved"),
    "abnormal data": ("inputs-not-normalised", "normalised-twice"),
    "improper loss": ("wrong-sign", "softmax-missing", "softmax-doubled", "sum-instead-of-mean"),
    "improper activation": ("no-nonlinearity",),
}


def umlaut(kept: Kept) -> Iterator[str]:
    """UMLAUT's heuristics (Schoop et al., CHI 2021) that concern classifiers of images."""
    least, most = _values(kept, "input_least", "start"), _values(kept, "input_most", "start")
    if len(least) and (least[0] < -1 or most[0] > 1):
        yield "input outside -1 to 1"
    if not np.isfinite(_values(kept, "loss")).all():
        yield "NaN"
    rate = _values(kept, "learning_rate")
    if len(rate) and rate.max() > 0.01:
        yield "learning rate high"
    if len(rate) and rate.max() < 1e-7:
        yield "learning rate low"
    train, valid = _values(kept, "train_loss", "epoch"), _values(kept, "validation_loss", "epoch")
    count = min(len(train), len(valid))
    if count > 1 and ((np.diff(valid[:count]) > 0) & (np.diff(train[:count]) < 0)).any():
        yield "overfitting"
    ours, theirs = _values(kept, "train_accuracy", "epoch"), _values(kept, "validation_accuracy", "epoch")
    count = min(len(ours), len(theirs))
    if (theirs > 0.95).any():
        yield "validation accuracy high"
    if count > 3 and (theirs[3:count] > ours[3:count] + 0.05).any():
        yield "validation above training"
    sums, log_sums = _values(kept, "scores_sum_to_one", "start"), _values(kept, "scores_log_sum_to_one", "start")
    if len(sums) and sums[0] > 0.9 and kept.known.loss_kind == "softmax":
        yield "softmax before cross-entropy"
    if len(sums) and kept.known.loss_kind is None and sums[0] < 0.1 and len(log_sums) and log_sums[0] < 0.1:
        yield "missing softmax"
    if kept.known.activations == ():
        yield "no activation"
    if kept.known.dropout and kept.known.dropout > 0.5:
        yield "dropout above 0.5"


UMLAUT = {
    "input outside -1 to 1": ("inputs-not-normalised", "normalised-twice"),
    "NaN": ("not-a-number", *HIGH),
    "learning rate high": HIGH,
    "learning rate low": LOW,
    "overfitting": ("overfitting", "regularisation-missing"),
    "validation accuracy high": ("validation-better",),
    "validation above training": ("validation-better", "dropout-too-strong"),
    "softmax before cross-entropy": ("softmax-doubled",),
    "missing softmax": ("softmax-missing",),
    "no activation": ("no-nonlinearity",),
    "dropout above 0.5": ("dropout-too-strong",),
}

BASELINES: dict[str, Baseline] = {
    "SageMaker Debugger": Baseline(sagemaker, SAGEMAKER),
    "AutoTrainer": Baseline(autotrainer, AUTOTRAINER),
    "UMLAUT": Baseline(umlaut, UMLAUT),
}
