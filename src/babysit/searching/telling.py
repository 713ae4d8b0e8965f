"""What a search found, in sentences. No torch."""

from __future__ import annotations

from babysit.searching.reading import RateTest


def told_rate(test: RateTest) -> list[str]:
    """A range test: the suggestion and how sure, the lecture's reading, and what it says of the rate that is used."""
    count = len(test.readings)
    if test.suggestion is None or test.good is None:
        ended = f"until it exploded at {test.explodes:.2g}" if test.explodes else "at any rate"
        return [
            f"No learning rate can be suggested: in most of {count} repeats the loss did not fall beyond its noise, {ended}.",
            "Look for what is wrong before the rate: babysit check climbs the ladder.",
        ]
    low, high = test.good
    lines = [
        f"Learning rate {test.suggestion:g} for {test.optimizer} at {test.batch_size} images a step, {test.sure}: "
        f"{count} repeats suggest {', '.join(f'{one.suggestion:.2g}' if one.suggestion else 'none' for one in test.readings)}"
        f" (a factor of {test.factor:.1f} apart)."
    ]
    explosion = (
        f"from {test.explodes:.2g} on it explodes" if test.explodes else "it did not explode at any rate that was tried"
    )
    if low < high:
        lines.append(f"Below {low:.2g} the loss barely moves; to {high:.2g} it falls; {explosion}.")
    else:
        lines.append(f"The repeats agree on no range in which the loss falls; {explosion}.")
    lines.append(_of_used(test))
    return lines


def _of_used(test: RateTest) -> str:
    assert test.good
    low, high = test.good
    if test.explodes and test.used >= test.explodes:
        return f"The rate that training would take, {test.used:g}, is where the loss explodes: a warm-up may carry it, --set optim.lr={test.suggestion:g} is safer."
    if test.used > high:
        return f"The rate that training would take, {test.used:g}, lies above the good range; its warm-up may carry it."
    if test.used < low:
        return f"The rate that training would take, {test.used:g}, lies where the loss barely moves: try --set optim.lr={test.suggestion:g}."
    return f"The rate that training would take, {test.used:g}, lies in the good range."
