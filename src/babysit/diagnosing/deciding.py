"""Experiments that decide a diagnosis: a short run with the settings that it blames changed, beside one as it was.

Where it is right, what it blames is what keeps the loss up, and the loss is clearly lower without it. A diagnosis whose
rule brings an experiment of its own keeps that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from babysit.record.diagnosis import Diagnosis, Experiment
from babysit.record.known import Known


@dataclass(frozen=True, slots=True)
class Trial:
    """Predicted of the remedy's settings: from the initial weights, the loss over the later half of `steps` is below `factor` times."""

    steps: int
    factor: float


TRIALS: Mapping[str, Trial] = {
    "not-a-number": Trial(60, 0.9),
    "inputs-not-normalised": Trial(150, 0.95),
    "normalised-twice": Trial(150, 0.95),
    "initial-loss-wrong": Trial(10, 0.7),
    "initialisation-too-large": Trial(150, 0.95),
    "initialisation-too-small": Trial(150, 0.95),
    "symmetric-initialisation": Trial(150, 0.95),
    "regularisation-too-strong": Trial(150, 0.95),
    "dropout-too-strong": Trial(150, 0.95),
    "augmentation-too-strong": Trial(150, 0.95),
    "vanishing-gradients": Trial(150, 0.95),
    "exploding-gradients": Trial(150, 0.95),
    "dead-units": Trial(150, 0.95),
    "saturated-units": Trial(150, 0.95),
    "updates-too-large": Trial(150, 0.95),
    "updates-too-small": Trial(150, 0.95),
    "constant-output": Trial(150, 0.95),
    "stuck-at-chance": Trial(150, 0.95),
}
"""Rule -> its experiment. Lengths and factors were tried by hand on sick trainings (docs/log.md)."""

LEAST = 150
"""Steps of a rule's own experiment: a deep network's loss has fallen by three parts in a hundred after 60, by a fifth after 100."""

LATEST = 200
"""A step that an experiment from the initial weights still reaches: what goes wrong later cannot be shown in so few."""

BEYOND = 20
"""Steps that it goes on after that."""


def decided(found: Iterable[Diagnosis], known: Known) -> list[Diagnosis]:
    """The same diagnoses, each with its experiment where there is one."""
    return [replace(one, experiment=experiment_of(one, known)) for one in found]


def experiment_of(one: Diagnosis, known: Known) -> Experiment | None:
    """The experiment that decides a diagnosis of a training with a recipe: with its remedy's settings."""
    trial = TRIALS.get(one.rule)
    if one.experiment is not None:
        return replace(one.experiment, steps=max(one.experiment.steps, LEAST))
    if trial is None or not one.remedy or not known.has_recipe:
        return None
    if any(name.startswith("loss.") for name in one.remedy):  # then the two losses are not of one kind
        return None
    steps = trial.steps
    if one.rule == "not-a-number":  # it comes at a step of its own
        if one.since > LATEST:
            return None
        steps = max(steps, 2 * one.since + BEYOND)
    return Experiment(one.remedy, steps, "loss", "below", trial.factor, "start")
