"""The report: one self-contained page about a run. It reads the run directory and the decoded cache, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from babysit.errors import writing
from babysit.metrics import Scores
from babysit.names import for_page
from babysit.record import atomic, predictions
from babysit.record.run import Run
from babysit.reporting import diagnosed, facts, gallery, graphs, inputs, remedied
from babysit.reporting.material import Material, gather
from babysit.reporting.shell import page, section
from babysit.reporting.verdict import verdict
from babysit.show import plural

Suspected = Sequence[tuple[int, int, float]]
"""(place in the validation part, suggested class, margin) of each label that is probably wrong, the surest first."""


def validation_scores(run: Run) -> Scores:
    """The scores of the run's kept predictions.

    Raises:
        UserError: when no epoch has been finished yet.
    """
    return predictions.read_unnamed(run).scores(tuple(run.read_manifest()["data"]["classes"]))


def write_report(run: Run, suspects: Suspected = ()) -> Path:
    """Writes `report.html` and returns its path.

    Raises:
        UserError: when this is no run, or it has not finished an epoch.
    """
    material = gather(run)
    text = page(f"report: {material.name}", _sections(material, suspects), script="zoom.js")
    with writing(run.report, "the report"):
        atomic.write_text(run.report, text)
    return run.report


def _sections(material: Material, suspects: Suspected) -> list[str]:
    marks = [*diagnosed.marks(material.run), *remedied.marks_of(material)]
    pictures, part = gallery.open_gallery(material), "test" if material.test else "validation"
    judged = [
        section("Worst mistakes", gallery.mistakes(pictures), anchor="mistakes"),
        section(f"Confusion ({part} images)", graphs.confusion(material.test or material.scores), anchor="confusion"),
        section("Classes", facts.classes(material), anchor="classes"),
        section("Calibration", graphs.calibration(material), anchor="calibration"),
        section("Most confident right answers", gallery.right_answers(pictures), anchor="right"),
        section("Suspected labels", gallery.suspected(pictures, suspects), anchor="suspects"),
        section("What the network sees", inputs.seen(pictures), anchor="inputs"),
    ]
    return [
        verdict(material),
        _ran(material),
        section("Diagnoses", diagnosed.diagnoses(material.run), anchor="diagnoses"),
        section("Remedies", remedied.remedies(material), anchor="remedies"),
        section("Curves", graphs.curves(material.log, marks, remedied.ways_aside(material)), anchor="curves"),
        *(judged if material.judged else []),
        section("First-layer filters", graphs.filters(material.run), anchor="filters"),
        section("Data, split and leaks", facts.data(material), anchor="data"),
        section("Looks at the test set", facts.looks(material), anchor="looks"),
        section("Where the time went", facts.times(material), anchor="time"),
        section("Recipe", facts.recipe(material), anchor="recipe"),
        section("Environment", facts.environment(material), anchor="environment"),
        section("How to use the result", facts.use(material), anchor="use"),
    ]


def _ran(material: Material) -> str:
    manifest, row = material.manifest, material.kept
    kept = f"; the network of epoch {row.epoch + 1} was kept" if row and material.judged else ""
    ended = f" It ended early: {for_page(manifest['ended'])}." if manifest.get("ended") else ""
    return (
        f'<p class="soft">Trained for {plural(manifest.get("epochs", 0), "epoch")}, {plural(manifest.get("steps", 0), "step")}, '
        f"{manifest.get('seconds', 0):,.0f} s{kept}. Status: {for_page(str(manifest.get('status')))}.{ended}</p>"
    )
