"""Ranking: competing explanations of one training side by side, and no symptom beside the cause that explains it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from babysit.record.diagnosis import SEVERITIES, Diagnosis

NOT_LEARNING = (
    *("stuck-at-chance", "constant-output", "underfitting", "plateau", "labels-unrelated", "class-never-predicted"),
    *("pair-confused", "stopped-too-early", "noisy-filters"),
)
SYMPTOMS = (
    "stuck-at-chance",
    "constant-output",
    "underfitting",
    "plateau",
    "stopped-too-early",
    "not-a-number",
    "diverging",
)
"""Found by themselves they say what is the matter, and leave open why."""

UNEXPLAINED = ("stuck-at-chance", "constant-output")
"""Those of them that are warned of."""

SLOW = (*NOT_LEARNING, "learning-rate-too-low", "updates-too-small", "vanishing-gradients", "initialisation-too-small")
BLOWN_UP = (
    *(*NOT_LEARNING, "not-a-number", "diverging", "exploding-gradients", "updates-too-large", "dead-units"),
    *("saturated-units", "too-noisy", "normalisation-statistics", "learning-rate-too-high", "initial-loss-wrong"),
)
APART = ("overfitting", "regularisation-missing", "class-never-predicted", "pair-confused", "constant-output")

EXPLAINS: Mapping[str, tuple[str, ...]] = {
    "wrong-sign": (*BLOWN_UP, "softmax-missing", "parts-differ", "vanishing-gradients"),
    "softmax-missing": (*BLOWN_UP, "parts-differ", "vanishing-gradients"),
    "sum-instead-of-mean": (*BLOWN_UP, "initialisation-too-large"),
    "softmax-doubled": (*SLOW, "dead-units", "saturated-units", "learning-rate-too-high", "updates-too-large"),
    "inputs-not-normalised": (*BLOWN_UP, *SLOW, "initialisation-too-large", "parts-differ"),
    "normalised-twice": (*SLOW, "dead-units"),
    "layer-not-trained": (
        *SLOW,
        "learning-rate-too-high",
        "updates-too-large",
        "dead-units",
        "overfitting",
        "regularisation-missing",
        "gradients-not-cleared",  # the optimiser's zero_grad() passes over what it does not hold
    ),
    "symmetric-initialisation": (
        *SLOW,
        "dead-units",
        "layer-not-trained",
        "learning-rate-too-high",
        "updates-too-large",
    ),
    "initialisation-too-small": (
        *(*NOT_LEARNING, "learning-rate-too-low", "updates-too-small", "vanishing-gradients"),
        *("learning-rate-too-high", "updates-too-large"),  # of small weights any update is a large part
    ),
    "initialisation-too-large": (*BLOWN_UP, "learning-rate-too-low", "vanishing-gradients", "updates-too-small"),
    "gradients-not-cleared": BLOWN_UP,
    "not-shuffled": (
        *BLOWN_UP,
        *APART,
        "imbalanced",
        "wrong-sign",
        "parts-differ",
        "labels-noisy",
        "learning-rate-too-low",
        "updates-too-small",
    ),
    "regularisation-too-strong": (
        *SLOW,
        "dead-units",
        "constant-output",
        "updates-too-large",
        "learning-rate-too-high",
        "initial-loss-wrong",
        "labels-noisy",
    ),
    "dropout-too-strong": (*SLOW, *BLOWN_UP, "validation-better", "labels-noisy", "initialisation-too-large"),
    "augmentation-too-strong": (
        *NOT_LEARNING,
        *(
            "parts-differ",
            "validation-better",
            "labels-noisy",
            "learning-rate-too-low",
            "updates-too-small",
            "dead-units",
        ),
        *("inputs-not-normalised", "learning-rate-too-high", "normalisation-statistics"),
    ),
    "schedule-never-moved": SLOW,
    "schedule-too-fast": SLOW,
    "learning-rate-too-high": (
        *(name for name in BLOWN_UP if name != "learning-rate-too-high"),
        *("overfitting", "regularisation-missing"),  # a validation loss that blows up with the rest is no overfitting
    ),
    "saturated-units": (*NOT_LEARNING, "vanishing-gradients", "learning-rate-too-low", "updates-too-small"),
    "vanishing-gradients": (*NOT_LEARNING, "learning-rate-too-low", "updates-too-small"),
    "updates-too-small": (*NOT_LEARNING, "learning-rate-too-low"),
    "learning-rate-too-low": NOT_LEARNING,
    "exploding-gradients": (*NOT_LEARNING, "diverging", "updates-too-large", "dead-units", "too-noisy"),
    "diverging": (*NOT_LEARNING, "updates-too-large", "dead-units", "too-noisy"),
    "too-noisy": (*NOT_LEARNING, "updates-too-large"),
    "updates-too-large": NOT_LEARNING,
    "dead-units": (*NOT_LEARNING, "vanishing-gradients", "learning-rate-too-low", "updates-too-small"),
    "no-nonlinearity": (*BLOWN_UP, "initialisation-too-large"),  # He's weights are too large where nothing is cut off
    "normalisation-statistics": (
        *APART,
        "parts-differ",
        "stopped-too-early",
        "underfitting",
        "plateau",
        "labels-noisy",
    ),
    "initial-loss-wrong": ("labels-unrelated", "underfitting", "plateau", "stuck-at-chance"),
    "parts-differ": (*APART, "labels-unrelated", "labels-noisy"),
    "labels-unrelated": (*APART, "stuck-at-chance", "underfitting", "plateau", "labels-noisy", "stopped-too-early"),
    "labels-noisy": (
        "validation-better",
        "underfitting",
        "overfitting",
        "regularisation-missing",
        "plateau",
        "noisy-filters",
        "stopped-too-early",
    ),
    "imbalanced": (
        *("class-never-predicted", "pair-confused", "constant-output", "overfitting", "regularisation-missing"),
        *("stopped-too-early", "underfitting"),
    ),
    "class-never-predicted": ("pair-confused", "overfitting", "regularisation-missing", "stopped-too-early"),
    "regularisation-missing": ("overfitting", "noisy-filters"),
    "overfitting": ("noisy-filters", "stopped-too-early"),
    "constant-output": ("stuck-at-chance",),
    "not-a-number": (*NOT_LEARNING, "diverging", "exploding-gradients", "updates-too-large", "dead-units"),
    "underfitting": ("plateau", "stopped-too-early"),
}
"""Cause -> what it brings about. Where both were found, the second is not said for itself."""


ASIDE = ("clean-filters", "noisy-filters", "pair-confused", "validation-better")
"""Said last among equals: they describe, and explain little."""

COSTS = ("loader-starving", "memory-growing")
"""They cost time and memory, and say nothing of what is learned."""


WHY = 0.6
"""How sure at most that a symptom that was warned of is all there is to say: that it is there is sure, and why it is not said."""


WARN = 0.75
"""How sure a warning must be: of what the tuning part of the corpus was warned of at 0.6 to 0.75, half was right."""


def rank(found: Iterable[Diagnosis], settled: Collection[str] = ()) -> list[Diagnosis]:
    """Worst first and surest first, without what another one explains.

    A cause takes over the severity of what it explains, so that a training that must stop still stops.

    Arguments:
        settled: rules whose cause stands in the settings, so that nothing explains it away.
    """
    said = list(found)
    names = {one.rule for one in said}
    causes = {name: [one for one in said if name in EXPLAINS.get(one.rule, ())] for name in names}
    kept = []
    for one in said:
        if causes[one.rule] and one.rule not in settled:
            continue
        explained = [other for other in said if other.rule in EXPLAINS.get(one.rule, ())]
        worst = min((SEVERITIES.index(other.severity) for other in explained), default=len(SEVERITIES))
        if worst < SEVERITIES.index(one.severity):
            one = replace(one, severity=SEVERITIES[worst])
        if one.severity == "warn" and one.sure < WARN:
            one = replace(one, severity="note")
        kept.append(replace(one, sure=min(one.sure, WHY)) if one.rule in UNEXPLAINED else one)
    return sorted(kept, key=lambda one: (SEVERITIES.index(one.severity), one.rule in ASIDE, -one.sure))
