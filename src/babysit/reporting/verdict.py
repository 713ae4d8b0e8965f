"""The verdict in three sentences: how good, what it gets wrong, can it be believed; and the grounds of the third."""

from __future__ import annotations

import math
from dataclasses import dataclass

from babysit.metrics import Scores
from babysit.names import for_page
from babysit.record import ledger
from babysit.record.refitted import TEMPERATURE
from babysit.reporting.material import Material
from babysit.show import plural

WIDE_GAP = 0.1
"""Training accuracy minus validation accuracy from which on a network has learned its training images by heart."""

POOR_CALIBRATION = 0.05
WIDE_INTERVAL = 0.1
EMBEDS = "This page embeds pictures of your data: whoever has the page has those pictures. "
LEAKS = ("leaks", "near_leaks")


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason to believe the figures or not: `good` or not, what was looked at, and what was seen (plain text)."""

    good: bool
    what: str
    seen: str


def verdict(material: Material) -> str:
    """The top of the page."""
    grounds = grounds_of(material)
    against = [one.what for one in grounds if not one.good]
    belief = (
        ""
        if not material.judged
        else (
            f"It can be believed with reserve: see {_listed(against)} below."
            if against
            else "It can be believed: nothing below speaks against it."
        )
    )
    items = "".join(
        f'<li class="{"good" if one.good else "bad"}"><b>{"✓" if one.good else "!"} {one.what.capitalize()}.</b> '
        f"{for_page(one.seen)}</li>"
        for one in grounds
    )
    return (
        f'<h1>{for_page(material.name)}</h1><p class="verdict">{_how_good(material)} {_wrong(material)} {belief}</p>'
        f'<ul class="grounds">{items}</ul>'
        f'<p class="soft">{EMBEDS if material.judged else ""}It is one file and asks nothing of any network.</p>'
    )


def _how_good(material: Material) -> str:
    if not material.judged:
        return for_page(material.refit.judged() if material.refit else "No image was held out, so nothing is known.")
    scores, part = (material.test, "test") if material.test else (material.scores, "validation")
    low, high = scores.interval
    chance = max(sum(row) for row in scores.confusion) / max(1, scores.count)
    return (
        f"The network names <b>{scores.accuracy:.1%}</b> of {scores.count:,} {part} images rightly, so of new images like "
        f"these it should get between {low:.1%} and {high:.1%} right (95 % interval); always naming the commonest class "
        f"would give {chance:.1%}."
    )


def _wrong(material: Material) -> str:
    if not material.judged:
        return ""
    scores = material.test or material.scores
    pairs = scores.most_confused(1)
    if not pairs:
        return "It made no mistake on them."
    true, guess, count = pairs[0]
    worst = min((row for row in scores.per_class() if row.count), key=lambda row: row.recall)
    wrong = scores.count - scores.correct
    least = f"the class found least is <b>{for_page(worst.name)}</b> ({worst.recall:.0%} of {worst.count:,})"
    if count == 1:
        return f"It makes {plural(wrong, 'mistake')}, none of them twice; {least}."
    return (
        f"Of its {plural(wrong, 'mistake')} the commonest are "
        f"<b>{for_page(true)}</b> taken for <b>{for_page(guess)}</b> ({plural(count, 'time')}), and {least}."
    )


def grounds_of(material: Material) -> list[Ground]:
    """What speaks for the figures and what against them."""
    return [
        ground
        for ground in (
            _gap(material),
            _calibrated(material),
            _interval(material.test or material.scores),
            _refitted(material),
            _looked(material),
            _leaks(material),
        )
        if ground
    ]


def _gap(material: Material) -> Ground | None:
    row = material.kept
    if row is None or "validation_accuracy" not in row.values:
        return None
    training, validation = row.values["train_accuracy"], row.values["validation_accuracy"]
    gap = training - validation
    seen = (
        f"At the kept epoch ({row.epoch + 1}) training is at {training:.1%} on augmented images, validation at "
        f"{validation:.1%}: a gap of {100 * gap:+.1f} points"
    )
    if not math.isfinite(gap):
        return None
    if gap > WIDE_GAP:
        return Ground(False, "overfitting", f"{seen}. More data, augmentation or regularisation would narrow it.")
    return Ground(True, "overfitting", f"{seen}, not much.")


def _calibrated(material: Material) -> Ground | None:
    fitted = material.calibration
    if fitted is None:
        return Ground(
            False, "calibration", "No temperature was fitted, so probabilities are taken as the network gives them."
        )
    if material.refit:
        note = fitted.note or TEMPERATURE
        return Ground(
            True,
            "calibration",
            f"{note[0].upper()}{note[1:]}. With it, that network's expected calibration error was {fitted.error_after:.1%} there.",
        )
    if fitted.note:
        return Ground(
            True,
            "calibration",
            f"{fitted.note[0].upper()}{fitted.note[1:]}; the expected calibration error is {fitted.error_before:.1%}.",
        )
    seen = (
        f"A stated probability is off by {fitted.error_after:.1%} on average (expected calibration error; "
        f"{fitted.error_before:.1%} before the temperature of {fitted.temperature:.2f})."
    )
    return Ground(fitted.error_after <= POOR_CALIBRATION, "calibration", seen)


def _interval(scores: Scores) -> Ground | None:
    if not scores.count:
        return None
    low, high = scores.interval
    wide = high - low
    seen = f"{scores.count:,} images fix the accuracy to {100 * wide / 2:.1f} points either way"
    if wide > WIDE_INTERVAL:
        return Ground(False, "number of images", f"{seen}: too few to tell good networks from better ones.")
    return Ground(True, "number of images", f"{seen}.")


def _looked(material: Material) -> Ground:
    if material.looks is None:
        return Ground(
            False,
            "test set",
            "The data have no test part; the network was chosen by the validation images, so their figures lean a little to the good side.",
        )
    said = ledger.meaning(material.looks)
    if material.test is None and material.judged:
        said += " The figures here are of the validation images, by which the network was chosen, so they lean a little to the good side."
    return Ground(len(material.looks) <= 1, "looks at the test set", said)


def _refitted(material: Material) -> Ground | None:
    """Once it was tested, what it was before; until then the verdict itself says how it is judged."""
    about = material.refit
    if about is None or not material.judged:
        return None
    seen = (
        f"This network was trained on train and validation together; the selected one got {about.correct / about.count:.1%} "
        f"of {about.count:,} validation images."
    )
    return Ground(True, "refit", seen)


def _leaks(material: Material) -> Ground | None:
    audit = material.manifest["data"].get("audit")
    if not audit:
        return None
    found = [one for one in audit.get("findings", []) if one.get("name") in LEAKS]
    left_out = len(audit.get("left_out_of_training", []))
    if not found:
        return Ground(True, "leaks", "No picture was found in two parts, neither the same file nor a near duplicate.")
    said = "; ".join(str(one["says"]) for one in found)
    mended = (
        f" {plural(left_out, 'training copy') if left_out == 1 else f'{left_out:,} training copies'} left out."
        if left_out
        else ""
    )
    near = any(one["name"] == "near_leaks" for one in found)
    return Ground(not near, "leaks", f"{said}.{mended}")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
