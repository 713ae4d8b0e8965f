"""Remedies in a report: what was changed for which diagnosis, what became of it, and where that is on the curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babysit.errors import UserError
from babysit.figures.charts import Mark
from babysit.names import for_page
from babysit.record.log import RunLog, read_log
from babysit.reporting.material import Material
from babysit.reporting.shell import table


def remedies(material: Material) -> str:
    """A table of the run's remedies, and the recipe that is suggested; empty when there are none."""
    manifest = material.manifest
    rows = [_row(one) for one in manifest.get("remedies", [])]
    suggested = manifest.get("suggested")
    told = ""
    if rows:
        told += table(["remedy", "changed", "continued from", "what became of it"], rows, kind="words") + (
            '<p class="soft">Both ways predict the same validation images after equally many steps (of another batch size, after as many '
            "images). A remedy is kept when McNemar's test calls it better (p below 0.05); else it is taken back, and the training goes on as "
            "if nothing had been. The way that was left is in the run's folder, under <code>remedies</code>.</p>"
        )
    if suggested:
        changes = ", ".join(
            f"<code>{for_page(name)}</code> from {_said(before)} to {_said(after)}"
            for name, (before, after) in suggested["settings"].items()
        )
        told += (
            f"<p>Suggested for {for_page(suggested['rule'])}: {changes}. Train with that:</p>"
            f"<pre>{for_page(suggested['command'])}</pre>"
        )
    return told


def marks_of(material: Material) -> list[Mark]:
    """Where on the curves a remedy began, or was taken back."""
    found = []
    tried = {one["number"]: one for one in material.manifest.get("remedies", [])}
    for row in material.log.rows:
        one = tried.get(int(row.values.get("remedy", 0)))
        if (
            one is None or row.kind not in ("remedy", "verdict") or row.step == 0
        ):  # all of the curves are from the start
            continue
        number = f"R{one['number']}"
        what = "begins" if row.kind == "remedy" else one["state"]
        found.append(Mark(float(row.step), number, f"Remedy {one['number']}, for {one['rule']}: {what}"))
    return found


def ways_aside(material: Material) -> list[tuple[str, RunLog]]:
    """The ways that the run did not go on: before a remedy that was kept, or with one that was taken back."""
    found = []
    for one in material.manifest.get("remedies", []):
        kept = one["state"] in ("kept", "going on")
        name = f"{one['number']}-before" if kept else f"{one['number']}-taken-back"
        log = _log_of(material.run.remedies / name / "log.jsonl")
        if log is not None:
            found.append((f"before remedy {one['number']}" if kept else f"remedy {one['number']}, taken back", log))
    return found


def _log_of(path: Path) -> RunLog | None:
    try:
        return read_log(path)
    except UserError:
        return None


def _row(one: dict[str, Any]) -> list[str]:
    """The cells of a remedy."""
    name = f"{one['number']}: for {for_page(one['rule'])}, at step {one['at']:,}"
    if one["state"] == "impossible":
        return [name, "", "", f"not tried: {for_page(one['why'])}"]
    changes = "<br>".join(
        f"<code>{for_page(setting)}</code> from {_said(before)} to {_said(after)}"
        for setting, (before, after) in one["settings"].items()
    )
    begin = f"step {one['begin']:,}, the last good checkpoint" if one["begin"] else "the start"
    chance = f"p = {one['p']:.2g}" if one["p"] >= 1e-4 else "p below 0.0001"
    judged = (
        f"{one['state']} after step {one['compare']:,}: of {one['common']:,} images {one['only_after']:,} are right with it alone, "
        f"{one['only_before']:,} without it alone ({chance})"
    )
    if ends := one.get("ends"):
        judged += f"; at their ends the best networks are worth {ends[1]:.1%} with it and {ends[0]:.1%} without it"
    return [name, changes, begin, judged if one["state"] in ("kept", "taken back") else "not judged yet"]


def _said(value: object) -> str:
    return "none" if value is None else for_page(f"{value:.4g}" if isinstance(value, float) else str(value))
