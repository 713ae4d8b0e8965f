"""Remedies in a report: what was changed for which diagnosis, what became of it, and where that is on the curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babysit.errors import UserError
from babysit.figures.charts import Mark
from babysit.names import for_page
from babysit.record.log import RunLog, read_log
from babysit.reporting.material import Material


def remedies(material: Material) -> str:
    """A table of the run's remedies, and the recipe that is suggested; empty when there are none."""
    manifest = material.manifest
    rows = "".join(_row(one) for one in manifest.get("remedies", []))
    suggested = manifest.get("suggested")
    told = ""
    if rows:
        told += (
            '<div class="wide"><table><thead><tr><th></th><th>for</th><th>changed</th><th>continued from</th><th>judged</th>'
            f"<th>right with it alone</th><th>right without it alone</th><th>p</th><th></th></tr></thead><tbody>{rows}</tbody></table></div>"
            '<p class="soft">Both ways predict the same validation images after equally many steps (of another batch size, after as many '
            "images). A remedy is kept when McNemar's test calls it better (p below 0.05); else it is taken back, and the training goes on as "
            "if nothing had been. The other way is in the run's folder, under remedies.</p>"
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
        if one is None or row.kind not in ("remedy", "verdict"):
            continue
        number = f"R{one['number']}"
        what = "begins" if row.kind == "remedy" else one["state"]
        found.append(Mark(float(row.step), number, f"Remedy {one['number']}, for {one['rule']}: {what}"))
    return found


def ways_aside(material: Material) -> list[tuple[str, RunLog]]:
    """The ways that the run did not go on: before a remedy that was kept, or with one that was taken back."""
    found = []
    for one in material.manifest.get("remedies", []):
        kept = one["state"] == "kept"
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


def _row(one: dict[str, Any]) -> str:
    changes = "<br>".join(
        f"<code>{for_page(name)}</code> from {_said(before)} to {_said(after)}"
        for name, (before, after) in one["settings"].items()
    )
    if one["state"] == "impossible":
        why = for_page(one["why"])
        return f'<tr><td>{one["number"]}</td><td>{for_page(one["rule"])}</td><td colspan="7">not tried: {why}</td></tr>'
    begin = f"step {one['begin']:,}, the last good checkpoint" if one["begin"] else "the start"
    return (
        f"<tr><td>{one['number']}</td><td>{for_page(one['rule'])}, at step {one['at']:,}</td><td>{changes}</td><td>{begin}</td>"
        f"<td>after step {one['compare']:,}</td><td>{one['only_after']:,} of {one['common']:,}</td><td>{one['only_before']:,}</td>"
        f"<td>{one['p']:.2g}</td><td>{one['state']}</td></tr>"
    )


def _said(value: object) -> str:
    return "none" if value is None else for_page(f"{value:.4g}" if isinstance(value, float) else str(value))
