"""A figure from a real log for each diagnosis's page, and the sentence that was said of it.

python faults/pictures.py     # writes docs/diagnoses/pictures/*.svg and the pages' blocks
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

import logs
from babysit.diagnosing import RULES
from babysit.figures.alone import alone
from babysit.figures.charts import Axes, Line, chart
from babysit.record.diagnosis import Diagnosis
from babysit.record.log import Kind
from babysit.record.observation import QUANTITIES, key_of
from broken import broken
from healthy import healthy
from judging import judged
from shown import SHOWN

PAGES = logs.FOLDER.parent.parent / "docs" / "diagnoses"
BLOCK = re.compile(r"<!-- from a real log.*?<!-- end -->", re.DOTALL)
COLORS = ("one", "two", "three", "four")

PLAIN = {"learning-rate-too-high": "rate-high-1-digits-lenet"}
"""The program to show where the surest one is not the plainest."""


def main() -> None:
    """Draws all that the corpus holds a log for."""
    (PAGES / "pictures").mkdir(exist_ok=True)
    found: dict[str, tuple[logs.Kept, Diagnosis]] = {}
    best: dict[str, tuple[bool, bool, float]] = {}
    for program in [*broken(), *healthy(), *(one.program for one in SHOWN)]:
        if not logs.path_of(program.name).exists():
            continue
        one = judged(program)
        kept = logs.read(program.name)
        everything = [rule for name in RULES for rule in RULES[name](kept.log, kept.known)]
        for diagnosis in [*(said for said in one.said if not said.guess), *everything]:
            meant = bool(program.accepted) and program.accepted[0] == diagnosis.rule
            rank = (meant, bool(one.said) and one.said[0].rule == diagnosis.rule, diagnosis.sure)
            if PLAIN.get(diagnosis.rule, program.name) != program.name:
                continue
            if diagnosis.rule not in best or rank > best[diagnosis.rule]:
                best[diagnosis.rule] = rank
                found[diagnosis.rule] = kept, diagnosis
    for rule in RULES:
        page = PAGES / f"{rule}.md"
        text = page.read_text(encoding="utf-8")
        if rule in found and BLOCK.search(text):
            kept, diagnosis = found[rule]
            (PAGES / "pictures" / f"{rule}.svg").write_text(alone(picture(kept, diagnosis)), encoding="utf-8")
            page.write_text(BLOCK.sub(lambda _: block(rule, kept, diagnosis), text), encoding="utf-8")  # noqa: B023
        else:
            print(f"no log for {rule}")


def block(rule: str, kept: logs.Kept, diagnosis: Diagnosis) -> str:
    """What stands in the page."""
    lines = [
        "<!-- from a real log: python faults/pictures.py -->",
        f"![{rule} in the log of {kept.program}](pictures/{rule}.svg)",
        "",
        f"The program `{kept.program}` {_of(kept.program)}. What is said of it, at a sureness of {diagnosis.sure:.2f}:",
        "",
        f"> {diagnosis.claim}",
        ">",
        f"> {diagnosis.advice}.",
        f"> In a loop of your own: `{diagnosis.code}`.",
        f"> It would be disproved if: {diagnosis.disproof[0].lower()}{diagnosis.disproof[1:]}",
        "<!-- end -->",
    ]
    return "\n".join(lines)


def _of(program: str) -> str:
    if program.startswith("shown-"):
        return "of [`faults/shown.py`](../../faults/shown.py)"
    return "of [the corpus](../../faults/README.md)"


def picture(kept: logs.Kept, diagnosis: Diagnosis) -> str:
    """The curves that show it, by step."""
    lines: list[Line] = []
    quantities = SHOWS.get(diagnosis.rule, ("loss",))
    for quantity in quantities:
        places = [one.where for one in diagnosis.evidence if one.quantity == quantity] or kept.log.wheres(quantity)
        for where in list(dict.fromkeys(places))[:4]:
            series = next((one for kind in KINDS if len(one := kept.log.series(quantity, where, kind=kind)) > 1), None)
            if series is not None and len(lines) < len(COLORS):
                name = key_of(quantity, where).replace("_", " ")
                times = SCALED.get(QUANTITIES[quantity], ("", 1.0))[1]
                lines.append(_line(name, series.steps, times * series.values, COLORS[len(lines)]))
    unit = SCALED.get(QUANTITIES[quantities[0]], (QUANTITIES[quantities[0]],))[0]
    label = (
        quantities[0].replace("_", " ")
        if unit == "1"
        else f"{unit} ({quantities[0].replace('_', ' ')})"
        if unit != "share"
        else unit
    )
    return chart(lines, Axes("step", label, width=620, height=260))


SCALED: dict[str, tuple[str, float]] = {"byte": ("MB", 1e-6), "s": ("ms", 1e3)}
"""Unit -> what figures take instead, and how many of it are one."""

KINDS: tuple[Kind, ...] = ("epoch", "layers", "step")
BOTH = ("train_accuracy", "validation_accuracy")
SHOWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "parts-differ",
            "overfitting",
            "regularisation-missing",
            "underfitting",
            "stopped-too-early",
            "validation-better",
        ),
        BOTH,
    ),
    **dict.fromkeys(("labels-unrelated", "labels-noisy", "dropout-too-strong", "augmentation-too-strong"), BOTH),
    **dict.fromkeys(
        ("learning-rate-too-low", "updates-too-large", "updates-too-small", "layer-not-trained"), ("update_ratio",)
    ),
    **dict.fromkeys(("exploding-gradients", "gradients-not-cleared"), ("gradient_norm",)),
    **dict.fromkeys(("schedule-never-moved", "schedule-too-fast"), ("learning_rate",)),
    **dict.fromkeys(("initialisation-too-small", "initialisation-too-large"), ("activation_deviation",)),
    **dict.fromkeys(("noisy-filters", "clean-filters"), ("noisy_filters",)),
    **dict.fromkeys(("constant-output", "class-never-predicted"), ("predicted_share",)),
    "vanishing-gradients": ("weight_gradient_norm",),
    "dead-units": ("dead_share",),
    "saturated-units": ("saturated_share",),
    "normalisation-statistics": ("slice_accuracy", "slice_train_mode_accuracy"),
    "regularisation-too-strong": ("weight_norm",),
    "symmetric-initialisation": ("unit_likeness",),
    "imbalanced": ("recall",),
    "pair-confused": ("confused",),
    "loader-starving": ("wait_seconds", "step_seconds"),
    "memory-growing": ("resident_memory",),
}
"""Rule -> what its figure shows; the others show the loss."""


def _line(name: str, steps: Sequence[int] | np.ndarray, values: np.ndarray, color) -> Line:  # noqa: ANN001
    if name != "loss":
        return Line(name, [float(one) for one in steps], [float(one) for one in values], color)
    top = np.nanmedian(np.abs(values[np.isfinite(values)])) * 50 + 1e-12 if np.isfinite(values).any() else 1.0
    kept = np.where(np.abs(values) > top, np.nan, values)
    return Line(name, [float(one) for one in steps], [float(one) for one in kept], color)


if __name__ == "__main__":
    main()
