"""What a run says of remedies at its end: those it tried, and the recipe that it suggests."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from babysit.errors import UserError, writing
from babysit.recipe import read_resolved
from babysit.record import atomic
from babysit.record.diagnosis import Diagnosis
from babysit.record.run import Run, free_name
from babysit.training import prepare, remedy
from babysit.training.courses import resolved
from babysit.training.kept_recipe import beside, write_recipe
from babysit.training.session import Session


def end_with_remedies(run: Run, session: Session, data: prepare.Data, found: Sequence[Diagnosis]) -> None:
    """Makes the recipe of a remedied run one to repeat it by; or writes the recipe that is suggested."""
    if remedy.read(run):
        # A rerun takes the way that this run found, instead of looking for one again.
        notes = {"watch.remedy": "this run was remedied already; this is the recipe it ended up with"}
        notes.update(run.read_manifest().get("reasons", {}))
        write_recipe(run, read_resolved(run.recipe).replace({"watch.remedy": "off"}), notes)
    elif session.recipe.watch.remedy == "suggest" and (suggested := _suggest(run, session, data, found)):
        run.update_manifest(suggested=suggested)


def _suggest(run: Run, session: Session, data: prepare.Data, found: Sequence[Diagnosis]) -> dict[str, Any]:
    """Writes the recipe with the remedy of the first diagnosis that has one which fits; empty when there is none."""
    for one in remedy.worth_trying(found, [], most=1):
        try:
            changed, settings = resolved(session.recipe, one, data, session.clock)
        except UserError:
            continue
        notes = dict(run.read_manifest().get("reasons", {}))
        notes |= {name: f"for {one.rule}; it was {remedy.said(before)}" for name, (before, _) in settings.items()}
        recipe = changed.recipe.replace({"watch.remedy": "off"})
        with writing(run.suggested, "the suggested recipe"):
            atomic.write_text(run.suggested, beside(run, recipe, notes))
        place = free_name(run.path.parent, f"{run.path.name}-mended")
        source, recipe_file, out = quote(session.recipe.data.source), quote(str(run.suggested)), quote(str(place))
        return {
            "rule": one.rule,
            "settings": {name: list(pair) for name, pair in settings.items()},
            "recipe": str(run.suggested),
            "command": f"babysit train {source} --recipe {recipe_file} -o {out}",
        }
    return {}


def remedy_lines(remedies: Sequence[dict[str, Any]], suggested: dict[str, Any]) -> list[str]:
    """What became of each remedy, and what is suggested, for a person."""
    lines = []
    for one in map(remedy.Remedied.from_json, remedies):
        if one.state == "impossible":
            lines.append(f"Remedy for {one.rule}: not tried, {one.why}.")
        else:
            lines.append(f"Remedy {one.number} for {one.rule}, {one.state}: {one.changes}.")
    if suggested:
        pairs = {name: (before, after) for name, (before, after) in suggested["settings"].items()}
        lines += [
            f"Suggested for {suggested['rule']}: {remedy.changes_text(pairs)}. Train with that:",
            f"  {suggested['command']}",
        ]
    return ["", *lines] if lines else []
