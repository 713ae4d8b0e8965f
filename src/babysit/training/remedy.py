"""Remedy: which diagnosis is acted upon, what it makes of a recipe, and whether that was better.

A remedy is a change of settings, and a place to continue from: new weights, or the last good checkpoint, which is the
best one. It is judged at equal steps. The way the training went before is set aside at the step s of the diagnosis, with
its predictions of the validation images there, a small file. The remedied way continues from step c (0, or the
checkpoint's) up to the same step, predicts the same images, and is kept when McNemar's test calls it better; else it is
taken back, and the old way goes on from s as if nothing had been. So the comparison costs no step beyond those of the
remedied way itself: what the old way did up to s was done already. To be a fair trial s - c must be long enough, an
epoch and a third of the plan, as before that a good recipe may still stand on its first plateau: no warning is acted
upon earlier. With another batch size, as many images count as equal steps.

A way that is over, by a `stop` or at its end, keeps what it had predicted for all later steps. The remedied way, which
holds up nothing then, is compared after half of the plan, and once more at its end where the test called neither better
so early; there being right more often is enough, if the diagnosis is gone. Where it called neither better while the old
way went on, both may have stood on their plateaus: then the remedy gets a second trial when the old way has come to its
end, and the diagnosis stands.

What is better early need not be at the end. So where the old way had learned too, it is kept whole, and when the
remedied one is at its end and leaves room for being better, the old one goes on in its own folder to where it would have
come. The better of the two is the run's. A stop that is found at a look that is made for the sake of remedies alone
begins one, and ends nothing: without remedies the training would not have ended there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from babysit.metrics import mcnemar
from babysit.recipe import Parsed, Recipe
from babysit.record.diagnosis import Diagnosis
from babysit.record.run import Run
from babysit.training import resolve
from babysit.training.session import Session
from babysit.training.setting_faults import NEEDING, USED_BY

SURE = 0.6
"""How sure a diagnosis must be to be acted upon. That it has stood for an epoch, and past a third of the plan, tells more: of the
corpus's 116 healthy trainings none has a warning with a remedy then, however sure, but one that went badly (docs/log.md)."""

UNLIKELY = 0.05
"""McNemar's p below which the remedied way is called better."""

TRIAL, AFTER_STOP = 1 / 3, 1 / 2
"""The share of the plan that a remedied way is given before it is judged, an epoch at least; and after a `stop`."""

LEARNED = 0.15
"""Share of right answers, above what the most frequent class alone would have, from which on a way is not given up early."""

ROOM = 6
"""Wrong answers that there must be for McNemar's test to be able to call another way better: 2 / 2^6 is below 0.05."""

State = Literal["beginning", "trial", "kept", "going on", "taking back", "bringing back", "taken back", "impossible"]


@dataclass(frozen=True, slots=True)
class Remedied:
    """One remedy of a run, as its manifest keeps it.

    `settings` name to (before, after), the latter as asked for where it could not be tried; `begin` the step it continues from, `at` the one of the diagnosis, `compare` the
    one after which it is judged; `seconds` of running time when it began; `common` validation images compared, of which
    one way alone was right in `only_before` and `only_after`; `p` of McNemar's test; `why` it could not be tried; `over`
    whether the way before it had come to its end; `ends` what the best networks of both are worth, without it and with it,
    where the way before it went on to its own end.
    """

    number: int
    rule: str
    claim: str
    sure: float
    settings: dict[str, tuple[object, object]]
    begin: int
    at: int
    compare: int
    seconds: float
    state: State
    common: int = 0
    only_before: int = 0
    only_after: int = 0
    p: float = 1.0
    why: str = ""
    over: bool = False
    ends: tuple[float, float] | None = None

    @property
    def undecided(self) -> bool:
        """Whether the test calls neither way better."""
        return self.p >= UNLIKELY

    @property
    def better(self) -> bool:
        """Whether the remedied way is."""
        return self.only_after > self.only_before and self.p < UNLIKELY

    @property
    def changes(self) -> str:
        """The settings, from what to what.

        >>> Remedied(1, "", "", 1.0, {"optim.lr": (1.0, 0.1), "optim.clip": (None, 2.0)}, 0, 9, 9, 1.0, "kept").changes
        'optim.lr from 1 to 0.1, optim.clip from none to 2'
        """
        return changes_text(self.settings)

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "settings": {name: list(pair) for name, pair in self.settings.items()}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Remedied:
        """From what `as_json` gave."""
        settings, ends = {name: tuple(pair) for name, pair in value["settings"].items()}, value.get("ends")
        return cls(**{**value, "settings": settings, "ends": ends and tuple(ends)})


def changes_text(settings: Mapping[str, tuple[object, object]]) -> str:
    """Changed settings for a sentence."""
    return ", ".join(f"{name} from {said(before)} to {said(after)}" for name, (before, after) in settings.items())


def said(value: object) -> str:
    """A setting's value for a sentence.

    >>> said(None), said(0.30000001), said("he")
    ('none', '0.3', 'he')
    """
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def read(run: Run) -> list[Remedied]:
    """A run's remedies, in order."""
    kept = run.read_manifest().get("remedies", []) if run.manifest.exists() else []
    return [Remedied.from_json(one) for one in kept]


def write(run: Run, one: Remedied) -> None:
    """Keeps a remedy, in place of the one of the same number."""
    others = [each for each in read(run) if each.number != one.number]
    run.update_manifest(remedies=[each.as_json() for each in sorted([*others, one], key=lambda each: each.number)])


def trial_steps(session: Session, share: float = TRIAL) -> int:
    """Steps that a way is given before it is judged: an epoch, and a share of the plan."""
    return max(session.steps_per_epoch, round(share * session.plan.total))


def worth_trying(
    found: Sequence[Diagnosis], tried: Sequence[Remedied], *, most: int, over: bool = False
) -> list[Diagnosis]:
    """Diagnoses that ask for a change, are sure enough, and whose remedy was not tried yet; worst first.

    Arguments:
        most: remedies of a run; a second trial does not count.
        over: the way has come to its end, so that a remedy of which the test could not tell gets its second trial.
    """
    before = {(one.rule, *sorted(one.settings)) for one in tried if one.state == "impossible"}
    in_vain = [one for one in tried if one.state not in ("impossible", "kept", "going on")]
    rules = {one.rule for one in in_vain if one.over or not (over and one.undecided)}
    again = {one.rule for one in in_vain} - rules
    if sum(one.state != "impossible" for one in tried) - seconds(tried) >= most:
        found = [one for one in found if one.rule in again]
    return [
        one
        for one in found
        if one.severity != "note"
        and one.remedy
        and (one.sure >= SURE or one.severity == "stop")
        and one.rule not in rules
        and (one.rule, *sorted(one.remedy)) not in before
    ]


def seconds(tried: Sequence[Remedied]) -> int:
    """How many of the remedies were second trials.

    >>> first = Remedied(1, "", "", 1.0, {}, 0, 9, 9, 1.0, "taken back")
    >>> seconds([first, replace(first, number=2, over=True)]), seconds([first, replace(first, number=2, rule="other")])
    (1, 0)
    """
    taken = [one for one in tried if one.state != "impossible"]
    return sum(
        one.over and any(other.rule == one.rule and other.state == "taken back" for other in taken[:place])
        for place, one in enumerate(taken)
    )


def remedied(recipe: Recipe, remedy: Mapping[str, object]) -> Recipe:
    """The recipe with a remedy's settings, and without those that belonged to what it replaces.

    Raises:
        ValidationError: when a value is out of range.

    >>> falling = Recipe().replace({"schedule.kind": "exp", "schedule.tau": 3.0})
    >>> remedied(falling, {"schedule.kind": "one-cycle"}).schedule.tau
    """
    changed, usual = recipe.replace(dict(remedy)), Recipe()
    unused = [setting for setting, switch, kinds in USED_BY if switch in remedy and changed.get(switch) not in kinds]
    unused += [setting for setting, needed, _ in NEEDING if needed in remedy and not changed.get(needed)]
    return changed.replace({setting: usual.get(setting) for setting in unused})


def check(recipe: Recipe) -> None:
    """Refuses a recipe in which something does not fit together.

    Raises:
        UserError: saying what.
    """
    resolve.check(Parsed(recipe, (), {}))


def compared(
    one: Remedied, before: NDArray[np.float32], after: NDArray[np.float32], labels: NDArray[np.int64], *, balanced: bool
) -> Remedied:
    """A remedy judged by two ways' probabilities of the same validation images.

    Arguments:
        balanced: of each class as many images as the rarest has count, where the metric gives every class the same say.
    """
    chosen = same_number(labels) if balanced else np.arange(len(labels))
    first, second = (said.argmax(axis=1)[chosen] == labels[chosen] for said in (before, after))
    only_before, only_after = int((first & ~second).sum()), int((second & ~first).sum())
    p = mcnemar(only_before, only_after)
    judged = replace(one, common=len(chosen), only_before=only_before, only_after=only_after, p=p)
    return replace(judged, state="kept" if judged.better else "taking back")


def at_its_end(one: Remedied, found: Sequence[Diagnosis]) -> Remedied:
    """A remedy that the test could not judge, when both ways have come to their ends: being right more often is enough
    then, as nothing is lost by it, if what it was for is no more said.

    Arguments:
        found: what the rules say of the remedied way.
    """
    gone = all(other.rule != one.rule or other.severity == "note" for other in found)
    return replace(one, state="kept") if gone and one.undecided and one.only_after > one.only_before else one


def has_learned(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> bool:
    """Whether a way is right well more often than the most frequent class alone would be.

    >>> has_learned(np.eye(2, dtype=np.float32)[[0, 0, 0, 1]], np.array([0, 0, 1, 1]))
    True
    """
    right = float(np.mean(probabilities.argmax(axis=1) == labels))
    return right > float(np.bincount(labels).max()) / len(labels) + LEARNED


def same_number(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the first images of each class, as many of each as there are of the rarest.

    >>> same_number(np.array([0, 0, 1, 0, 1])).tolist()
    [0, 1, 2, 4]
    """
    classes, counts = np.unique(labels, return_counts=True)
    places = [np.flatnonzero(labels == label)[: counts.min()] for label in classes]
    return np.sort(np.concatenate(places))
