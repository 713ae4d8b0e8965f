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
from babysit.record.observation import key_of
from broken import broken
from healthy import healthy
from score import judged

PAGES = logs.FOLDER.parent.parent / "docs" / "diagnoses"
BLOCK = re.compile(r"<!-- from a real log.*?<!-- end -->", re.DOTALL)
COLORS = ("one", "two", "three", "four")
INSTEAD = {"loss", "learning_rate"}


def main() -> None:
    """Draws all that the corpus holds a log for."""
    (PAGES / "pictures").mkdir(exist_ok=True)
    found: dict[str, tuple[logs.Kept, Diagnosis]] = {}
    for program in [*broken(), *healthy()]:
        if not logs.path_of(program.name).exists():
            continue
        one = judged(program)
        said = [rule for name in RULES for rule in RULES[name](one.kept.log, one.kept.known)]
        for place, diagnosis in enumerate([*one.said, *said]):
            meant = diagnosis.rule in program.accepted
            better = diagnosis.rule not in found or (
                place == 0 and meant and diagnosis.sure > found[diagnosis.rule][1].sure
            )
            if better:
                found[diagnosis.rule] = one.kept, diagnosis
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
        f"The program `{kept.program}` of [the corpus](../../faults/README.md). What is said of it, at a sureness of {diagnosis.sure:.2f}:",
        "",
        f"> {diagnosis.claim}",
        ">",
        f"> {diagnosis.advice}.",
        f"> In a loop of your own: `{diagnosis.code}`.",
        f"> It would be disproved if: {diagnosis.disproof[0].lower()}{diagnosis.disproof[1:]}",
        "<!-- end -->",
    ]
    return "\n".join(lines)


def picture(kept: logs.Kept, diagnosis: Diagnosis) -> str:
    """The loss by step, and below it what the evidence is made of."""
    losses = kept.log.series("loss", kind="step")
    shown = [_line("loss", losses.steps, losses.values, "one")]
    kinds: tuple[Kind, ...] = ("epoch", "layers", "step")
    keys = list(dict.fromkeys((one.quantity, one.where) for one in diagnosis.evidence if one.quantity not in INSTEAD))
    others: list[Line] = []
    unit = ""
    for quantity, where in keys:
        series = next((one for kind in kinds if len(one := kept.log.series(quantity, where, kind=kind)) > 1), None)
        if series is None or (unit and unit != quantity and "accuracy" not in quantity) or len(others) == 4:
            continue
        unit = unit or quantity
        others.append(_line(key_of(quantity, where), series.steps, series.values, COLORS[len(others)]))
    drawn = others if others and diagnosis.rule not in LOSS_SAYS_IT else shown
    name = "share" if "accuracy" in unit or "share" in unit else unit.replace("_", " ")
    return chart(drawn, Axes("step", name if drawn is others else "loss, nats", width=620, height=260))


LOSS_SAYS_IT = {
    "not-a-number",
    "diverging",
    "learning-rate-too-high",
    "wrong-sign",
    "softmax-missing",
    "softmax-doubled",
    "plateau",
}


def _line(name: str, steps: Sequence[int] | np.ndarray, values: np.ndarray, color) -> Line:  # noqa: ANN001
    top = np.nanmedian(np.abs(values[np.isfinite(values)])) * 50 + 1e-12 if np.isfinite(values).any() else 1.0
    kept = np.where(np.abs(values) > top, np.nan, values)
    return Line(name, [float(one) for one in steps], [float(one) for one in kept], color)


if __name__ == "__main__":
    main()
