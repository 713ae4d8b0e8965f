"""Remedies: what a diagnosis changes in a recipe, by the numbers of the log. None hands a setting back to its rule.

A setting that was given and is wrong is best mended by the rule that would have decided it, since the rules' values are
measured on many trainings; where there is no rule, or its value is the one that failed, the log's numbers decide.
"""

from __future__ import annotations

import math

import numpy as np

from babysit.diagnosing.course import chance_of, classes_of
from babysit.diagnosing.evidence import joined
from babysit.diagnosing.motion import motion_of
from babysit.diagnosing.usual import BATCHES, FALLING, INPUTS, Settings, handed_back
from babysit.record.diagnosis import Begin, Diagnosis
from babysit.record.known import Known
from babysit.record.log import RunLog

USUAL_RATIO = 1e-3
"""The update ratio that a remedied rate aims at."""

FAR = 2.0
"""The factor between a rate and the rule's from which on the rule's is another rate."""

MOST = 1000.0
"""The factor by which a rate is changed at most: update ratios follow the rate in proportion over no wider range."""

BY_ITSELF = ("network", "whitening", None)
"""Kinds of first weights that a rule chooses."""

LEARNED, EARLY = 0.15, 0.2
"""Validation accuracy above chance from which on a checkpoint is worth continuing from, and the share of the plan before
which beginning anew costs less than it may spoil."""

FALL_BY_THEMSELVES = ("step", "exponential", "inverse", "exp")
"""Schedules that count steps or epochs of their own, whatever the length of the run."""

HALF = 0.5
"""The dropout of its paper."""

USUAL_SHARE = 0.01
"""What a penalty's gradient is beside the data's in the first updates of a training that it does not disturb."""

LARGE_INPUT = 8.0
"""Root mean square of inputs above which first weights of the usual size meet the wrong scale."""

USUAL_MOMENTUM, GREAT_MOMENTUM = 0.9, 0.98
"""A momentum m lengthens the steps by 1 / (1 - m): ten and fifty times."""

AUGMENTED = (
    *("rotate", "scale", "resized_crop", "brightness", "contrast", "saturation", "colour", "erase", "mixup", "cutmix"),
)


def lowered(log: RunLog, known: Known) -> float:
    """A lower peak rate: the rule's when it is well below; else the rate divided by what brings updates to 1e-3, at
    least by ten; 0.001 where no rate is known."""
    rate = peak_rate(log, known)
    if not rate:
        return 0.001
    if known.rate_by_rule and known.rate_by_rule * FAR <= rate:
        return known.rate_by_rule
    motion = motion_of(log)
    ratio = max(motion.early, motion.ratio) if motion.measured else 0.0
    return _short(rate / min(MOST, max(10.0, ratio / USUAL_RATIO)))


def raised(log: RunLog, known: Known) -> float:
    """A higher peak rate: the rule's when it is well above; else the rate times what brings updates to 1e-3, at least
    twice it; 0.01 where no rate is known."""
    rate = peak_rate(log, known)
    if not rate:
        return 0.01
    if known.rate_by_rule and known.rate_by_rule >= FAR * rate:
        return known.rate_by_rule
    motion = motion_of(log)
    factor = USUAL_RATIO / motion.ratio if motion.measured and motion.ratio > 0 else 10.0
    return _short(rate * min(MOST, max(2.0, factor)))


def lower_rate(log: RunLog, known: Known) -> Settings | None:
    """A lower rate; where the rate is the rule's, and other first weights than the rule's were asked for or settings are
    far outside the usual, these instead."""
    rate, weights = peak_rate(log, known), first_weights(known)
    if not rate:
        return None
    ruled = known.rate_by_rule and rate < FAR * known.rate_by_rule
    instead = (weights if weights["init.kind"] is None else {}) | handed_back(known) if ruled else {}
    return instead or {"optim.lr": lowered(log, known)}


def raised_rate(log: RunLog, known: Known) -> Settings | None:
    """A higher rate; where the rate is the rule's, and other things that slow a training were asked for, without these."""
    rate = peak_rate(log, known)
    if not rate:
        return None
    ruled = known.rate_by_rule and rate * FAR > known.rate_by_rule
    return (slowing(known) if ruled else {}) or {"optim.lr": raised(log, known)}


def calmed(log: RunLog, known: Known) -> Settings | None:
    """What a training that blew up has wrong by its first numbers: inputs, first weights, momentum, rate, as far as others
    than the rules' were asked for; a lower rate when nothing of that is.

    A training can blow up so early that nothing more is known: then its beginning tells why.
    """
    given, changed = known.settings or {}, handed_back(known)
    mean, deviation, first = (_first(log, name) for name in ("input_mean", "input_deviation", "initial_loss"))
    if math.hypot(mean, deviation) > LARGE_INPUT and given.get("preprocess.kind") != "standardize":
        changed |= plain_inputs()
    weights = first_weights(known)
    classes = classes_of(known, log)
    if weights["init.kind"] is None and classes > 1 and not first <= 2 * math.log(classes):
        changed |= weights
    if known.momentum and known.momentum > GREAT_MOMENTUM and known.optimizer_kind in ("momentum", "nesterov"):
        changed["optim.momentum"] = USUAL_MOMENTUM
    rate = peak_rate(log, known)
    if known.rate_by_rule and rate and known.rate_by_rule * FAR <= rate:
        changed["optim.lr"] = known.rate_by_rule
    return changed or lower_rate(log, known)


def _first(log: RunLog, quantity: str) -> float:
    seen = log.series(quantity, kind="start")
    return float(seen.values[0]) if len(seen) else 0.0


def slowing(known: Known) -> Settings:
    """What was asked for that can keep a training from learning, each handed back to its rule: clipping, epsilon, schedules
    that fall by themselves, first weights, strong dropout, augmentation beyond crops and reflections.

    >>> slowing(Known(settings={"optim.clip": 1e-4, "augment.rotate": 0.0}))
    {'optim.clip': None}
    """
    given = known.settings or {}
    changed: Settings = {name: None for name in ("optim.clip", "optim.epsilon") if given.get(name)}
    if given.get("schedule.kind") in FALL_BY_THEMSELVES:
        changed |= falling_rate()
    weights = first_weights(known)
    changed |= weights if weights["init.kind"] is None else {}
    if known.dropout and known.dropout > HALF:
        changed |= less_dropout(known)
    if any(given.get(f"augment.{name}") for name in AUGMENTED):
        changed |= less_augmentation(known) or {}
    return changed | handed_back(known)


def peak_rate(log: RunLog, known: Known) -> float:
    """The peak learning rate as told, or the highest seen; 0 when neither."""
    seen = log.series("learning_rate", kind="step")
    return known.learning_rate or (float(seen.values.max()) if len(seen) else 0.0)


def first_weights(known: Known, usual: str = "he") -> Settings:
    """First weights by rule when others were asked for, else those of a kind that fits.

    >>> first_weights(Known(settings={"init.kind": "gaussian"}))["init.kind"], first_weights(Known())["init.kind"]
    (None, 'he')
    """
    asked = known.settings is not None and known.settings.get("init.kind") not in BY_ITSELF
    return {"init.kind": None, "init.scale": None, "init.bias": None} if asked else {"init.kind": usual}


def plain_inputs() -> Settings:
    """Inputs of mean 0 and deviation 1."""
    return dict(INPUTS)


def falling_rate() -> Settings:
    """The schedule that a recipe has without being asked: it lasts for the whole run."""
    return dict(FALLING)


def usual_batch() -> Settings:
    """Batches by rule, and the rate that belongs to them."""
    return dict(BATCHES)


def weaker_penalties(log: RunLog, known: Known) -> Settings | None:
    """The penalties that are far outside the usual, without being asked for; where none is, each so much weaker that all of
    them together begin at a hundredth of the data's gradient, at least by ten.

    Late in a training ruled by its penalty the two gradients are equal, whatever the strength, so the first updates tell.
    """
    if odd := {name: value for name, value in handed_back(known).items() if name.startswith("regularize.")}:
        return odd
    given = known.settings or {"regularize.l2": known.l2, "regularize.l1": known.l1}
    names = [f"regularize.{name}" for name in ("l2", "l1", "elastic_l1", "elastic_l2")]
    strengths = {name: value for name in names if isinstance(value := given.get(name), float) and value > 0}
    penalty = log.series("penalty_gradient_norm", kind="step")
    data = log.series("gradient_norm", kind="step")
    factor = 0.1
    if len(penalty) and len(data) and penalty.values[0] > 0 and data.values[0] > 0:
        factor = min(factor, USUAL_SHARE * float(data.values[0] / penalty.values[0]))
    changed: Settings = {name: _short(value * factor) for name, value in strengths.items()}
    if known.decay:
        changed["regularize.decay"] = None
    return changed or None


def less_dropout(known: Known) -> Settings:
    """What the network brings, when other was asked for; else the half of the paper (Srivastava et al., 2014)."""
    asked = bool(known.settings) and known.settings.get("regularize.dropout") is not None
    return {"regularize.dropout": None if asked else 0.5}


def less_augmentation(known: Known) -> Settings | None:
    """Without what changes images beyond the crops and reflections that the rule allows, and with those by rule."""
    if known.settings is None:
        return None
    changed: Settings = {f"augment.{name}": 0.0 for name in AUGMENTED if known.settings.get(f"augment.{name}")}
    return {**changed, "augment.crop": None, "augment.flip": None}


def more_regularisation(known: Known) -> Settings | None:
    """What holds a network back and is absent: crops and reflections, L2 or decay by rule, dropout of a half."""
    given = known.settings
    if given is None:
        return {"regularize.l2": 5e-4}
    changed: Settings = {}
    if not given.get("augment.crop") and not given.get("augment.resized_crop"):
        changed |= {"augment.crop": None, "augment.flip": None}
    if not known.l2 and not known.decay:
        changed |= {"regularize.l2": None, "regularize.decay": None}
    if not changed and not known.dropout:
        changed["regularize.dropout"] = 0.5
    return changed or None


def unshortened(log: RunLog, known: Known) -> Settings | None:
    """Without the clipping and with the epsilon by rule, where they were given; else a higher rate."""
    given = known.settings or {}
    changed: Settings = {name: None for name in ("optim.clip", "optim.epsilon") if given.get(name)}
    return changed or raised_rate(log, known)


def short_gradients(log: RunLog, known: Known, *, large: bool) -> Settings:
    """Gradients shortened to their usual norm, and the rate by rule where the given one is well above; where settings are far
    outside the usual, these as they are without being asked for instead.

    Arguments:
        large: they are so from the start: then first weights by rule where others were asked for, and a norm of 1, which
            a mean loss of normalised inputs has about.
    """
    if odd := handed_back(known):
        return odd
    norms = log.series("gradient_norm", kind="step").values
    usual = norms[np.isfinite(norms) & (norms > 0)]
    changed: Settings = {"optim.clip": 1.0 if large or not len(usual) else _short(float(np.median(usual)))}
    weights = first_weights(known)
    if large and weights["init.kind"] is None:
        changed = weights
    rate = peak_rate(log, known)
    if known.rate_by_rule and rate and known.rate_by_rule * FAR <= rate:
        changed["optim.lr"] = known.rate_by_rule
    return changed


def back_to_rules(log: RunLog, known: Known) -> Settings | None:
    """The rate by rule when another was asked for, and all else that can keep a training from learning."""
    changed = slowing(known)
    rate = peak_rate(log, known)
    if known.rate_by_rule and rate and abs(math.log(rate / known.rate_by_rule)) >= math.log(FAR):
        changed["optim.lr"] = known.rate_by_rule
    return changed or None


def smoothed_labels(log: RunLog, known: Known) -> Settings | None:
    """Labels smoothed by as much as are wrong, as far as that is known; else by a tenth."""
    if known.settings is not None and (
        known.settings.get("loss.kind") != "softmax" or known.settings.get("loss.smoothing")
    ):
        return None
    hard = log.series("hard_share", kind="epoch")
    share = float(np.median(hard.values[-3:])) if len(hard) else 0.1
    return {"loss.smoothing": round(min(0.3, max(0.1, share)), 2)}


def same_say(known: Known) -> Settings | None:
    """Every class the same say in the loss, and in choosing the network that is kept."""
    if known.settings is not None and (
        known.settings.get("loss.class_weights") == "balanced" or known.settings.get("data.sampling") == "balanced"
    ):
        return None
    return {"loss.class_weights": "balanced", "train.metric": "macro-f1"}


def begin_of(log: RunLog, known: Known, since: int) -> Begin:
    """Where to continue from when a training broke down at a step: its last good checkpoint, if it had learned by then.

    Arguments:
        since: the step from which on it was broken.
    """
    seen = log.series("validation_accuracy", kind="epoch")
    good = (seen.steps < since) & (seen.values > chance_of(known, log) + LEARNED)
    if known.planned_steps:
        good &= seen.steps >= EARLY * known.planned_steps
    return "last" if good.any() else "start"


def remedy_text(one: Diagnosis) -> str:
    """A diagnosis's remedy for a person, empty when there is none."""
    if not one.remedy:
        return ""
    changes = [
        f"{name} by rule" if value is None else f"{name} = {_plain(value)}" for name, value in one.remedy.items()
    ]
    place = "from the last good checkpoint" if one.begin == "last" else "from the start"
    return f"{', '.join(changes)}; {place}"


def as_options(changes: Settings) -> str:
    """Changed settings as a person gives them to the command.

    >>> as_options({"optim.lr": 0.01, "augment.crop": None, "augment.flip": None})
    '--set optim.lr=0.01, and leave augment.crop and augment.flip out'
    """
    given = " ".join(f"--set {name}={_plain(value)}" for name, value in changes.items() if value is not None)
    out = [name for name, value in changes.items() if value is None]
    return ", and ".join([*([given] if given else []), *([f"leave {joined(out)} out"] if out else [])])


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _short(value: float) -> float:
    return float(f"{value:.3g}")
