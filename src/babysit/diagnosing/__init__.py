"""The rules: pure functions of the log and of what is known of the settings. No torch."""

from __future__ import annotations

import numpy as np

from babysit.diagnosing import (
    augmenting,
    chance,
    classes,
    ending,
    generalising,
    gradients,
    inputs,
    labels,
    lossform,
    machine,
    noise,
    numbers,
    parts,
    rate,
    regularising,
    schedule,
    start,
    units,
    updates,
)
from babysit.diagnosing.by_setting import with_settings
from babysit.diagnosing.deciding import decided
from babysit.diagnosing.guesses import guessed
from babysit.diagnosing.ranking import rank
from babysit.record.diagnosis import Diagnosis, Rule
from babysit.record.known import Known
from babysit.record.log import RunLog
from babysit.tables import Table

RULES: Table[Rule] = Table(
    "rule",
    {
        "not-a-number": numbers.not_a_number,
        "diverging": numbers.diverging,
        "wrong-sign": lossform.wrong_sign,
        "softmax-missing": lossform.softmax_missing,
        "softmax-doubled": lossform.softmax_doubled,
        "sum-instead-of-mean": lossform.sum_instead_of_mean,
        "inputs-not-normalised": inputs.inputs_not_normalised,
        "normalised-twice": inputs.normalised_twice,
        "parts-differ": parts.parts_differ,
        "normalisation-statistics": inputs.normalisation_statistics,
        "augmentation-too-strong": augmenting.augmentation_too_strong,
        "not-shuffled": inputs.not_shuffled,
        "symmetric-initialisation": start.symmetric_initialisation,
        "initialisation-too-small": start.initialisation_too_small,
        "initialisation-too-large": start.initialisation_too_large,
        "initial-loss-wrong": start.initial_loss_wrong,
        "learning-rate-too-high": rate.learning_rate_too_high,
        "learning-rate-too-low": rate.learning_rate_too_low,
        "updates-too-large": updates.updates_too_large,
        "updates-too-small": updates.updates_too_small,
        "schedule-never-moved": schedule.schedule_never_moved,
        "schedule-too-fast": schedule.schedule_too_fast,
        "plateau": schedule.plateau,
        "too-noisy": noise.too_noisy,
        "layer-not-trained": gradients.layer_not_trained,
        "gradients-not-cleared": gradients.gradients_not_cleared,
        "vanishing-gradients": gradients.vanishing_gradients,
        "exploding-gradients": gradients.exploding_gradients,
        "dead-units": units.dead_units,
        "saturated-units": units.saturated_units,
        "constant-output": units.constant_output,
        "no-nonlinearity": units.no_nonlinearity,
        "noisy-filters": units.noisy_filters,
        "clean-filters": units.clean_filters,
        "regularisation-too-strong": regularising.regularisation_too_strong,
        "dropout-too-strong": regularising.dropout_too_strong,
        "regularisation-missing": generalising.regularisation_missing,
        "overfitting": generalising.overfitting,
        "underfitting": generalising.underfitting,
        "stopped-too-early": ending.stopped_too_early,
        "validation-better": generalising.validation_better,
        "labels-unrelated": labels.labels_unrelated,
        "labels-noisy": labels.labels_noisy,
        "imbalanced": classes.imbalanced,
        "class-never-predicted": classes.class_never_predicted,
        "pair-confused": classes.pair_confused,
        "loader-starving": machine.loader_starving,
        "memory-growing": machine.memory_growing,
        "stuck-at-chance": chance.stuck_at_chance,
    },
)


def judge(log: RunLog, known: Known) -> list[Diagnosis]:
    """All rules over a log, ranked: worst first, and no symptom beside its cause; with the experiments that decide."""
    with np.errstate(invalid="ignore", over="ignore"):  # a loss that is no number makes evidence that is none
        return decided(guessed(_ranked(log, known), log, known, _ranked), known)


def _ranked(log: RunLog, known: Known) -> list[Diagnosis]:
    found = [one for rule in RULES.values() for one in rule(log, known)]
    return rank(*with_settings(found, log, known))
